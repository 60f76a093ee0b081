//! Scenarios in which stable and wrapped assets lose their pegs.

use ndarray::Array2;

use super::names::price_factors;
use super::{Factor, ScenarioSet};
use crate::domain::{Asset, Snapshot};
use crate::error::{Error, Result};

/// Currencies are what others are pegged to.
const CURRENCIES: [&str; 2] = ["USD", "EUR"];

/// A peg that broke: id, what happened, and the move of each asset in it.
struct Break {
    id: &'static str,
    label: &'static str,
    moves: &'static [(&'static str, f64)],
}

/// Lowest prices reported, approximate, oldest first; the last one is of one venue's own books, while others stayed near par.
const BREAKS: &[Break] = &[
    Break { id: "ust-2022-05", label: "UST is lost whole, May 2022", moves: &[("UST", -1.0), ("USTC", -1.0)] },
    Break { id: "steth-2022-06", label: "stETH below ether, June 2022", moves: &[("STETH", -0.06), ("WSTETH", -0.06)] },
    Break {
        id: "usdc-2023-03",
        label: "reserves of USDC at a failed bank, March 2023",
        moves: &[("USDC", -0.12), ("DAI", -0.12), ("FRAX", -0.115), ("USDD", -0.07)],
    },
    Break {
        id: "venue-2025-10",
        label: "prints of one venue's own books, October 2025",
        moves: &[("USDE", -0.35), ("WBETH", -0.88), ("BNSOL", -0.82)],
    },
];

/// One scenario for each known break of a peg that the snapshot holds, then each pegged asset by itself and all together at each
/// move of `grid`; weight 1.
///
/// Pegged are the names in `stable` and in `others`, and every asset that follows an underlying of another name; names match
/// whatever the case. Currencies outside `others` and the quote asset are not. An asset is moved by its `asset:` factor; one that is itself a
/// price factor of an underlying by that, so that its contracts move, too.
///
/// # Errors
/// [`Error::Usage`] where nothing has a peg, a name is unknown or that of the quote asset, or a move is not finite, below −1 or 0.
pub fn depegs(snapshot: &Snapshot, stable: &[String], others: &[String], grid: &[f64]) -> Result<ScenarioSet> {
    for name in others {
        let known = || snapshot.assets.iter().map(|asset| asset.name.as_str());
        if !known().any(|asset| asset == name) {
            let remedy = crate::suggest::remedy(name, known(), "the snapshot has no such asset");
            return Err(Error::Usage(format!("no asset {name:?} ({remedy})")));
        }
        if *name == snapshot.quote {
            return Err(Error::Usage(format!("{name} is the quote currency: it has no peg")));
        }
    }
    if let Some(wrong) = grid.iter().find(|shock| !(shock.is_finite() && **shock >= -1.0 && **shock != 0.0)) {
        return Err(Error::Usage(format!("move {wrong}: a peg moves by a finite share of at least -1, not 0")));
    }
    let is_listed = |names: &[String], asset: &Asset| names.iter().any(|name| name.eq_ignore_ascii_case(&asset.name));
    let is_currency = |asset: &Asset| asset.name == snapshot.quote || CURRENCIES.contains(&asset.name.as_str());
    let has_peg = |asset: &Asset| {
        is_listed(others, asset) || !is_currency(asset) && (is_listed(stable, asset) || asset.underlying != asset.name)
    };
    let pegged: Vec<&Asset> = snapshot.assets.iter().filter(|asset| has_peg(asset)).collect();
    if pegged.is_empty() {
        return Err(Error::Usage("the snapshot has no stable or wrapped asset: name some with --asset".into()));
    }
    let mut set = Depegs { names: pegged.iter().map(|asset| asset.name.as_str()).collect(), ..Depegs::default() };
    BREAKS.iter().for_each(|known| set.add_break(known));
    for shock in grid {
        (0..pegged.len()).for_each(|at| set.add(&[(at, *shock)], None));
        if pegged.len() > 1 {
            set.add(&(0..pegged.len()).map(|at| (at, *shock)).collect::<Vec<_>>(), Some("all pegs"));
        }
    }
    let held = price_factors(&snapshot.underlyings);
    let moved_by = |asset: &&Asset| {
        let is_price = asset.name == asset.underlying && held.contains(&asset.name);
        if is_price { Factor::price(&asset.name) } else { Factor::asset(&asset.name) }
    };
    set.finish(pegged.iter().map(moved_by).collect())
}

/// A set under construction.
#[derive(Default)]
struct Depegs<'a> {
    names: Vec<&'a str>,
    ids: Vec<String>,
    labels: Vec<String>,
    shocks: Vec<f64>,
}

impl Depegs<'_> {
    fn add_break(&mut self, known: &Break) {
        let place = |name: &str| self.names.iter().position(|held| held.eq_ignore_ascii_case(name));
        let moves: Vec<(usize, f64)> =
            known.moves.iter().filter_map(|(name, shock)| Some((place(name)?, *shock))).collect();
        if !moves.is_empty() {
            self.push(known.id.into(), known.label.into(), &moves);
        }
    }

    /// Adds a move of some assets, named by `group` or by the only one.
    fn add(&mut self, moves: &[(usize, f64)], group: Option<&str>) {
        let Some(&(first, shock)) = moves.first() else { return };
        let name = group.unwrap_or(self.names[first]);
        let id = format!("{}{shock:+}", name.replace(' ', "-"));
        self.push(id, format!("{name} {:+} %", 100.0 * shock), moves);
    }

    fn push(&mut self, id: String, label: String, moves: &[(usize, f64)]) {
        // A move that is given twice is one scenario.
        if self.ids.contains(&id) {
            return;
        }
        let mut row = vec![0.0; self.names.len()];
        moves.iter().for_each(|(at, shock)| row[*at] = *shock);
        self.shocks.extend(row);
        self.ids.push(id);
        self.labels.push(label);
    }

    fn finish(self, factors: Vec<Factor>) -> Result<ScenarioSet> {
        let count = self.ids.len();
        if count == 0 {
            return Err(Error::Usage("no known break touches what the snapshot holds, and the grid is empty".into()));
        }
        let shocks = Array2::from_shape_vec((count, factors.len()), self.shocks);
        let shocks = shocks.map_err(|error| Error::Bug(error.to_string()))?;
        Ok(ScenarioSet { ids: self.ids, weights: vec![1.0; count], labels: self.labels, factors, shocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixtures::{asset, underlying};

    fn snapshot(names: &[&str], underlyings: &[&str]) -> Snapshot {
        let assets = names.iter().map(|name| match name.split_once(':') {
            Some((name, follows)) => Asset { underlying: follows.into(), ..asset(name) },
            None => asset(name),
        });
        Snapshot {
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            as_of: None,
            quote: "USD".into(),
            assets: assets.collect(),
            underlyings: underlyings.iter().map(|name| underlying(name)).collect(),
            instruments: Vec::new(),
            book: Default::default(),
        }
    }

    fn stable() -> Vec<String> {
        ["USDC", "USDE", "USD", "EUR"].map(String::from).into()
    }

    #[test]
    fn known_breaks_and_the_grid_move_what_is_held() {
        let held = snapshot(&["BTC", "EUR", "USD", "USDC", "USDe", "wBETH:ETH"], &["BTC", "ETH", "USDC"]);
        let set = depegs(&held, &stable(), &[], &[-0.01, -0.3]).unwrap();
        assert!(set.faults().is_empty(), "{:?}", set.faults());
        let factors: Vec<String> = set.factors.iter().map(Factor::to_string).collect();
        assert_eq!(factors, ["price:USDC", "asset:USDe", "asset:wBETH"]);
        let row = |id: &str| set.shocks.row(set.position(id).unwrap()).to_vec();
        assert_eq!(row("usdc-2023-03"), [-0.12, 0.0, 0.0]);
        assert_eq!(row("venue-2025-10"), [0.0, -0.35, -0.88]);
        assert_eq!(row("wBETH-0.3"), [0.0, 0.0, -0.3]);
        assert_eq!(row("all-pegs-0.01"), [-0.01; 3]);
        assert_eq!(set.len(), 2 + 2 * 4);
        assert!(set.position("ust-2022-05").is_none(), "UST is not held");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let none = snapshot(&["BTC", "USD"], &["BTC"]);
        assert!(depegs(&none, &stable(), &[], &[-0.1]).is_err());
        assert_eq!(depegs(&none, &stable(), &["BTC".into()], &[-0.1]).unwrap().len(), 1);
        assert!(depegs(&none, &stable(), &["XYZ".into()], &[-0.1]).is_err());
        let quote = depegs(&none, &stable(), &["USD".into()], &[-0.1]);
        assert!(quote.is_err_and(|error| error.to_string().contains("USD is the quote currency")));
        for wrong in [-1.1, 0.0, f64::NAN] {
            assert!(depegs(&none, &stable(), &["BTC".into()], &[wrong]).is_err(), "{wrong}");
        }
        assert!(depegs(&none, &stable(), &["BTC".into()], &[]).is_err(), "nothing to do");
        let again = depegs(&none, &stable(), &["BTC".into()], &[-0.1, -0.1]).unwrap();
        assert_eq!(again.len(), 1);
    }
}
