use crate::domain::{AssetIndex, InstrumentIndex, UnderlyingIndex};

const NONE: u32 = u32::MAX;

/// Where a component's rows stand: by sheet (what they hold is the kind's own) and by what they are of.
#[derive(Debug, Clone, Default)]
pub struct ComponentRows {
    of_instrument: Vec<Vec<u32>>,
    of_asset: Vec<Vec<u32>>,
    of_underlying: Vec<Vec<u32>>,
}

impl ComponentRows {
    /// Row, or first of adjacent rows, of an instrument; `None` where the book does not hold it or needs none.
    pub fn of_instrument(&self, sheet: usize, instrument: InstrumentIndex) -> Option<u32> {
        get(&self.of_instrument, sheet, instrument)
    }

    /// The same of an asset.
    pub fn of_asset(&self, sheet: usize, asset: AssetIndex) -> Option<u32> {
        get(&self.of_asset, sheet, asset)
    }

    /// The same of an underlying.
    pub fn of_underlying(&self, sheet: usize, underlying: UnderlyingIndex) -> Option<u32> {
        get(&self.of_underlying, sheet, underlying)
    }

    /// Notes the row of an instrument.
    pub fn set_instrument(&mut self, sheet: usize, instrument: InstrumentIndex, row: u32) {
        set(&mut self.of_instrument, sheet, instrument, row);
    }

    /// Notes the row of an asset.
    pub fn set_asset(&mut self, sheet: usize, asset: AssetIndex, row: u32) {
        set(&mut self.of_asset, sheet, asset, row);
    }

    /// Notes the row of an underlying.
    pub fn set_underlying(&mut self, sheet: usize, underlying: UnderlyingIndex, row: u32) {
        set(&mut self.of_underlying, sheet, underlying, row);
    }
}

fn get(sheets: &[Vec<u32>], sheet: usize, index: u32) -> Option<u32> {
    sheets.get(sheet)?.get(index as usize).copied().filter(|row| *row != NONE)
}

fn set(sheets: &mut Vec<Vec<u32>>, sheet: usize, index: u32, row: u32) {
    if sheets.len() <= sheet {
        sheets.resize(sheet + 1, Vec::new());
    }
    let rows = &mut sheets[sheet];
    if rows.len() <= index as usize {
        rows.resize(index as usize + 1, NONE);
    }
    rows[index as usize] = row;
}
