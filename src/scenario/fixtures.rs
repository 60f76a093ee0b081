//! Small nouns for the tests of this floor.

use crate::domain::{Asset, Underlying};

/// An underlying moved by its own factor, volatility index 0.5.
pub fn underlying(name: &str) -> Underlying {
    Underlying {
        name: name.into(),
        index_price: 100.0,
        factor: name.into(),
        beta: 1.0,
        volatility_index: Some(0.5),
        depth_quote: None,
        adv_quote: None,
        open_interest_quote: None,
        confidence: 1.0,
        volatility_shock: Default::default(),
    }
}

/// An asset at price 1 moved by the factor of its own name.
pub fn asset(name: &str) -> Asset {
    Asset { name: name.into(), price: 1.0, underlying: name.into(), haircut_class: None, network: None, custody: None }
}
