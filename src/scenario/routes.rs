//! Named shocks of routes to other networks.

use ndarray::Array2;

use super::{Factor, FactorKind, ScenarioSet};
use crate::domain::Route;
use crate::error::{Error, Result};

/// Most cells of one set: a long list of routes must not fill the memory.
const MOST_CELLS: usize = 50_000_000;

/// Sizes of the shocks that have one; the others are all or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteShocks {
    /// Hours that messages take longer; finite, ≥ 0, distinct.
    pub delay_hours: Vec<f64>,
    /// Relative moves of what stands on a route; finite, ≥ −1, distinct.
    pub depegs: Vec<f64>,
}

impl Default for RouteShocks {
    /// Delays of 1, 6 and 24 hours, depegs of −10 and −30 %.
    fn default() -> Self {
        Self { delay_hours: vec![1.0, 6.0, 24.0], depegs: vec![-0.1, -0.3] }
    }
}

/// For every route: each delay, each depeg, a total loss, censorship of everything (seen, but not to be seized), a
/// reorganisation that undoes all deposits in transit, and remote prices that stand still; and every two routes lost at once.
/// Weight 1 each; ids name route and shock, for example `arbitrum delay+6h`, `arbitrum+base lost`.
///
/// # Errors
/// [`Error::Usage`] where there are no routes, a shock is out of range or given twice, or the set exceeds 50,000,000 cells.
pub fn routes(routes: &[Route], shocks: &RouteShocks) -> Result<ScenarioSet> {
    check(routes, shocks)?;
    let of_route = |route: &Route| KINDS.map(|kind| Factor { kind, name: route.name.clone() });
    let factors: Vec<Factor> = routes.iter().flat_map(of_route).collect();
    let mut rows: Vec<Row> = Vec::new();
    for (at, route) in routes.iter().enumerate() {
        let name = &route.name;
        let mut push = |what: String, label: String, kind, shock| {
            rows.push(Row { id: format!("{name} {what}"), label, cells: vec![(column(at, kind), shock)] });
        };
        for &hours in &shocks.delay_hours {
            push(
                format!("delay+{hours}h"),
                format!("messages of {name} take {hours} h longer"),
                FactorKind::Delay,
                hours,
            );
        }
        for &depeg in &shocks.depegs {
            let label = format!("what stands on {name} moves by {depeg:+}");
            push(format!("depeg{depeg:+}"), label, FactorKind::Route, depeg);
        }
        push("lost".into(), format!("everything on {name} is lost"), FactorKind::Route, -1.0);
        let label = format!("nothing on {name} can be seized");
        push("censored".into(), label, FactorKind::Censorship, 1.0);
        let label = format!("deposits in transit on {name} are undone");
        push("reorganised".into(), label, FactorKind::Reorganisation, 1.0);
        push("stale".into(), format!("prices over {name} stand still"), FactorKind::Stale, 1.0);
    }
    for (first, a) in routes.iter().enumerate() {
        for (second, b) in routes.iter().enumerate().skip(first + 1) {
            rows.push(Row {
                id: format!("{}+{} lost", a.name, b.name),
                label: format!("everything on {} and on {} is lost", a.name, b.name),
                cells: vec![(column(first, FactorKind::Route), -1.0), (column(second, FactorKind::Route), -1.0)],
            });
        }
    }
    let mut cells = Array2::zeros((rows.len(), factors.len()));
    for (at, row) in rows.iter().enumerate() {
        row.cells.iter().for_each(|&(column, shock)| cells[[at, column]] = shock);
    }
    let weights = vec![1.0; rows.len()];
    let (ids, labels) = rows.into_iter().map(|row| (row.id, row.label)).unzip();
    Ok(ScenarioSet { ids, weights, labels, factors, shocks: cells })
}

/// A scenario that leaves all but these cells at 0.
struct Row {
    id: String,
    label: String,
    cells: Vec<(usize, f64)>,
}

/// Columns of a route, in this order.
const KINDS: [FactorKind; 5] =
    [FactorKind::Route, FactorKind::Delay, FactorKind::Censorship, FactorKind::Reorganisation, FactorKind::Stale];

fn column(route: usize, kind: FactorKind) -> usize {
    route * KINDS.len() + KINDS.iter().position(|candidate| *candidate == kind).unwrap_or(0)
}

fn check(routes: &[Route], shocks: &RouteShocks) -> Result<()> {
    if routes.is_empty() {
        return Err(Error::Usage("the snapshot has no routes: add the table routes".into()));
    }
    let lists = [("delay", &shocks.delay_hours, FactorKind::Delay), ("depeg", &shocks.depegs, FactorKind::Route)];
    for (title, values, kind) in lists {
        for (position, value) in values.iter().enumerate() {
            if !(kind.minimum()..=kind.maximum()).contains(value) {
                return Err(Error::Usage(format!("{title} {value}: a number of at least {}", kind.minimum())));
            }
            if values[..position].contains(value) {
                return Err(Error::Usage(format!("{title} {value} is given twice")));
            }
        }
    }
    let count = routes.len();
    let rows = count * (shocks.delay_hours.len() + shocks.depegs.len() + 4) + count * count.saturating_sub(1) / 2;
    match rows.checked_mul(count * KINDS.len()).filter(|cells| *cells <= MOST_CELLS) {
        Some(_) => Ok(()),
        None => Err(Error::Usage(format!("{count} routes make more than {MOST_CELLS} cells: leave some out"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Latency;

    fn three() -> Vec<Route> {
        ["a", "b", "c"].map(|name| Route::new(name, Latency::typical(60.0), Latency::typical(1.0))).into()
    }

    #[test]
    fn every_route_has_every_shock_and_every_pair_is_lost() {
        let set = routes(&three(), &RouteShocks::default()).expect("a set");
        assert!(set.faults().is_empty());
        assert_eq!(set.len(), 3 * (3 + 2 + 4) + 3);
        let at = |id: &str| set.position(id).unwrap_or_else(|| panic!("no {id} in {:?}", set.ids));
        let shocks_of = |id: &str| -> Vec<(String, f64)> {
            let row = set.shocks.row(at(id));
            let moved = set.factors.iter().zip(row).filter(|(_, shock)| **shock != 0.0);
            moved.map(|(factor, shock)| (factor.to_string(), *shock)).collect()
        };
        assert_eq!(shocks_of("b delay+6h"), [("delay:b".into(), 6.0)]);
        assert_eq!(shocks_of("b depeg-0.3"), [("route:b".into(), -0.3)]);
        assert_eq!(shocks_of("b lost"), [("route:b".into(), -1.0)]);
        assert_eq!(shocks_of("b censored"), [("censor:b".into(), 1.0)]);
        assert_eq!(shocks_of("b reorganised"), [("reorg:b".into(), 1.0)]);
        assert_eq!(shocks_of("b stale"), [("stale:b".into(), 1.0)]);
        assert_eq!(shocks_of("a+c lost"), [("route:a".into(), -1.0), ("route:c".into(), -1.0)]);
    }

    #[test]
    fn wrong_shocks_are_refused() {
        let usual = RouteShocks::default();
        let cases = [
            ("no routes", vec![], usual.clone()),
            ("at least -1", three(), RouteShocks { depegs: vec![-1.5], ..usual.clone() }),
            ("at least 0", three(), RouteShocks { delay_hours: vec![f64::NAN], ..usual.clone() }),
            ("given twice", three(), RouteShocks { delay_hours: vec![1.0, 1.0], ..usual }),
        ];
        for (expected, list, shocks) in cases {
            let error = routes(&list, &shocks).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
