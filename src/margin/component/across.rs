use super::exposure::{Exposure, Terms, grouped, sum, terms_of};
use crate::margin::pool::Market;
use crate::number::Number;
use crate::program::Node;

/// Words for [`Across`].
pub(super) const ACROSS: [(&str, Across); 2] = [("each", Across::Each), ("offset", Across::Offset)];

/// What is charged of the sensitivities x_e of several expiries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Across {
    /// Each in full: `Σ |x_e|`.
    #[default]
    Each,
    /// What offsets, long against short: `½ (Σ |x_e| − |Σ x_e|)`.
    Offset,
}

impl Across {
    /// Direct formula over exposures, by expiry. What does not expire is one more expiry.
    pub(super) fn value<N: Number>(self, exposures: &[Exposure<'_>], market: &impl Market<N>) -> N {
        let sums: Vec<N> = by_expiry(exposures).iter().map(|(_, terms)| sum(terms, market)).collect();
        let each = sums.iter().fold(N::of(0.0), |total, x| total.plus(&x.magnitude()));
        match self {
            Self::Each => each,
            Self::Offset => {
                let net = sums.iter().fold(N::of(0.0), |net, x| net.plus(x));
                N::of(0.5).times(&each.minus(&net.magnitude()))
            }
        }
    }

    /// Lowering of the same.
    pub(super) fn node(self, exposures: &[Exposure<'_>]) -> Node {
        let expiries = by_expiry(exposures);
        let each = |share: f64| {
            let magnitude = |(_, terms): &(String, Terms)| Node::leaf(terms.clone()).absolute().scaled(share);
            expiries.iter().map(magnitude).collect::<Vec<_>>()
        };
        match self {
            Self::Each => Node::Sum(each(1.0)),
            Self::Offset if expiries.len() < 2 => Node::Sum(Vec::new()),
            Self::Offset => {
                let mut summands = each(0.5);
                summands.push(Node::leaf(terms_of(exposures)).absolute().scaled(-0.5));
                Node::Sum(summands)
            }
        }
    }

    /// The expiry that counts most in a market.
    pub(super) fn binding(self, exposures: &[Exposure<'_>], market: &impl Market<f64>) -> Option<String> {
        let sums = by_expiry(exposures).into_iter().map(|(expiry, terms)| (expiry, sum(&terms, market)));
        let (expiry, largest) = sums.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))?;
        Some(format!("{expiry}: {largest:+.2}"))
    }
}

/// Terms by expiry.
fn by_expiry(exposures: &[Exposure<'_>]) -> Vec<(String, Terms)> {
    let expiry = |exposure: &Exposure<'_>| exposure.instrument.and_then(|instrument| instrument.expiry);
    let groups = grouped(exposures, expiry).into_iter();
    let named = groups.map(|(expiry, group)| {
        let name = expiry.map_or("without expiry".into(), |expiry| format!("expiry {expiry}"));
        (name, terms_of(group))
    });
    named.collect()
}
