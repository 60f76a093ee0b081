use super::credit::Credit;
use super::grid::Grid;
use super::holdings::Holdings;
use super::outcome::{Item, ItemKind};
use super::plan::{LotAmount, LotRequest, Route, fault};
use super::protocol::Parcel;
use super::venue::Venues;
use crate::domain::{AssetIndex, Position, Snapshot};
use crate::error::{Error, Fault, Result};
use crate::liquidation::Quanta;

/// One holding that moves, as both books know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What outputs say of it.
    pub item: Item,
    /// The amounts that it may have.
    pub grid: Grid,
    /// Where it stands in the books.
    pub place: Place,
}

/// Where a holding stands in both books.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// The asset at the source and at the destination; what has accrued stays behind.
    Amount(AssetIndex, AssetIndex),
    /// The same, what has accrued included.
    Account(AssetIndex, AssetIndex),
    /// The position at the source; the destination's place for it, and what stands there afterwards.
    Position {
        /// As it was at the source.
        leaving: Position,
        /// The destination's instrument and side; its figures are those that would arrive if nothing were held there.
        arriving: Position,
        /// What the destination holds afterwards.
        after: Option<Position>,
    },
}

/// Everything that moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Holding by holding.
    pub pieces: Vec<Piece>,
}

impl Load {
    /// Lots of a plan; one that is to be as large as possible starts with all that there is.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every lot that a side does not know or holds too little of, or that fees take whole.
    pub fn of_lots(
        lots: &[LotRequest],
        venues: &Venues<'_>,
        (source, destination): (&Holdings, &Holdings),
        route: &Route,
    ) -> Result<Self> {
        let mut faults = Vec::new();
        let mut pieces = Vec::new();
        for (at, lot) in lots.iter().enumerate() {
            match Piece::of_lot(lot, venues, (source, destination)) {
                Ok(mut piece) => {
                    let request = match lot.amount {
                        LotAmount::Units(units) => piece.grid.nearest(units),
                        LotAmount::All | LotAmount::Largest => piece.item.source_before,
                    };
                    match piece.check(request, lot) {
                        None => {
                            piece.set_lot(request, lot, route);
                            faults.extend(piece.fault_of_arrival((lot, at), route));
                        }
                        Some(fault) => faults.push(Fault { column: format!("lots[{at}].{}", fault.column), ..fault }),
                    }
                    pieces.push(piece);
                }
                Err(fault) => faults.push(Fault { column: format!("lots[{at}].{}", fault.column), ..*fault }),
            }
        }
        if faults.is_empty() { Ok(Self { pieces }) } else { Err(Error::Configuration(faults)) }
    }

    /// What moves under the lock.
    pub fn parcel(&self) -> Parcel {
        Parcel { leaving: self.of_each(|item| item.leaving), arriving: self.of_each(|item| item.arriving) }
    }

    /// A figure of each holding.
    pub fn of_each(&self, figure: impl Fn(&Item) -> Quanta) -> Vec<Quanta> {
        self.pieces.iter().map(|piece| figure(&piece.item)).collect()
    }

    /// What the source holds where it counts this; untouched holdings keep their bits.
    pub fn source(&self, before: &Holdings, counted: &[Quanta]) -> Holdings {
        let mut held = before.clone();
        for (piece, counted) in self.pieces.iter().zip(counted) {
            if *counted == piece.item.source_before {
                continue;
            }
            match &piece.place {
                Place::Amount(asset, _) => held.set_amount(*asset, *counted),
                Place::Account(asset, _) => held.remove_asset(*asset),
                Place::Position { leaving, .. } => held.set_position(leaving, None),
            }
        }
        held
    }

    /// What the destination holds where it counts this; untouched holdings keep their bits.
    pub fn destination(&self, before: &Holdings, counted: &[Quanta]) -> Holdings {
        let mut held = before.clone();
        for (piece, counted) in self.pieces.iter().zip(counted) {
            if *counted == piece.item.destination_before && piece.item.kind == ItemKind::Balance {
                continue;
            }
            match &piece.place {
                Place::Amount(_, asset) | Place::Account(_, asset) => held.set_amount(*asset, *counted),
                Place::Position { arriving, after, .. } => {
                    if *counted != piece.item.destination_before {
                        held.set_position(arriving, *after);
                    }
                }
            }
        }
        held
    }
}

impl Piece {
    fn of_lot(lot: &LotRequest, venues: &Venues<'_>, held: (&Holdings, &Holdings)) -> Result<Self, Box<Fault>> {
        let from = asset_of(venues.source.snapshot, &lot.asset, "source")?;
        let to = asset_of(venues.destination.snapshot, &lot.asset, "destination")?;
        let (source, destination) = (held.0.amount(from), held.1.amount(to));
        let grid = grid_of(&lot.asset, source, destination)?;
        let item = Item::balance(&lot.asset, grid.nearest(source), grid.nearest(destination));
        Ok(Self { item, grid, place: Place::Amount(from, to) })
    }

    fn check(&self, request: Quanta, lot: &LotRequest) -> Option<Fault> {
        let held = self.item.source_before;
        let text = match lot.amount {
            LotAmount::Units(units) => units.to_string(),
            LotAmount::All => "all".into(),
            LotAmount::Largest => "largest".into(),
        };
        if request <= Quanta::ZERO {
            let rule = format!("there is something to move; the source holds {held}, in steps of {}", self.grid.step());
            return Some(fault("amount", &text, rule, "leave the lot out"));
        }
        let rule = format!("the source holds that much; it holds {held}");
        (request > held).then(|| fault("amount", &text, rule, "lower it, or write \"all\""))
    }

    /// Makes the lot this large. Where the fee takes more, nothing arrives.
    pub fn set_lot(&mut self, leaving: Quanta, lot: &LotRequest, route: &Route) {
        let fee = self.grid.up(Credit::of(route).fee(leaving)) + self.grid.ceil(lot.flat_fee);
        self.item.fee = fee.min(leaving);
        self.item.leaving = leaving;
        self.item.arriving = leaving - self.item.fee;
    }

    /// The fault of the lot at `at` of a plan, where its fees leave nothing of it.
    pub fn fault_of_arrival(&self, (lot, at): (&LotRequest, usize), route: &Route) -> Option<Fault> {
        let leaving = self.item.leaving;
        let (key, fee) = match self.grid.up(Credit::of(route).fee(leaving)) >= leaving {
            true => ("route.fee".to_string(), route.fee),
            false => (format!("lots[{at}].flat_fee"), lot.flat_fee),
        };
        let rule = format!("something of a lot arrives: fees take all of the {leaving} {} that would leave", lot.asset);
        let fault = || fault(&key, &fee.to_string(), rule, "lower the fee, or leave the lot out");
        (self.item.arriving <= Quanta::ZERO).then(fault)
    }
}

/// An asset of a side.
pub fn asset_of(snapshot: &Snapshot, name: &str, side: &str) -> Result<AssetIndex, Box<Fault>> {
    match snapshot.assets.binary_search_by(|asset| asset.name.as_str().cmp(name)) {
        Ok(index) => Ok(index as AssetIndex),
        Err(_) => {
            let names = snapshot.assets.iter().map(|asset| asset.name.as_str());
            let remedy = crate::suggest::remedy(name, names, &format!("the {side} does not list it"));
            Err(fault("asset", name, format!("an asset of the {side}"), remedy).into())
        }
    }
}

/// The grid on which amounts of this size on either side add up.
pub fn grid_of(name: &str, source: f64, destination: f64) -> Result<Grid, Box<Fault>> {
    Grid::of(2.0 * (source.abs() + destination.abs())).ok_or_else(|| {
        let rule = format!("amounts of {name} are at most 2^49 units, to be moved without loss");
        fault("amount", &source.abs().max(destination.abs()).to_string(), rule, "leave the lot out").into()
    })
}
