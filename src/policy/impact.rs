use std::collections::BTreeMap;

/// How a price moves with the net flow of forced trades Q (quote units) against depth. Every law is odd and monotone in the flow.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ImpactLaw {
    /// It does not.
    None,
    /// 0.01 · Q / depth, with depth the quote units that trade within 1 % of the mid price.
    #[default]
    Linear,
    /// factor · daily volatility · √(Q / daily volume) (J. Donier and J. Bonart, "A million metaorder analysis of market impact on
    /// the Bitcoin", Market Microstructure and Liquidity 1 (2015)).
    SquareRoot {
        /// Y, dimensionless; about 1.
        factor: f64,
    },
    /// limit · (1 − exp(−0.01 · Q / depth / limit)): linear at first, never beyond the limit (after R. Cont and E. Schaanning, "Fire
    /// sales, indirect contagion and systemic stress testing", Norges Bank working paper 2/2017).
    Saturating {
        /// Largest relative move, in (0, 0.99].
        limit: f64,
    },
}

impl ImpactLaw {
    /// The words of a policy file, each with the numbers that hold where it gives none.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("linear", Self::Linear),
        ("square_root", Self::SquareRoot { factor: 1.0 }),
        ("saturating", Self::Saturating { limit: 0.5 }),
    ];

    /// The word of a policy file.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Linear => "linear",
            Self::SquareRoot { .. } => "square_root",
            Self::Saturating { .. } => "saturating",
        }
    }
}

/// How forced trades move prices.
#[derive(Debug, Clone, PartialEq)]
pub struct ImpactPolicy {
    /// The law.
    pub law: ImpactLaw,
    /// Factor on every depth and daily volume, > 0: 0.5 = half as deep.
    pub depth_scale: f64,
    /// Depth of underlyings and assets that have none, quote units within 1 %; `None` = such underlyings are refused, and
    /// such assets sold without impact.
    pub default_depth_quote: Option<f64>,
    /// Depth of single instruments or assets, quote units within 1 %, by name. A flow in a book that is k times thinner than its
    /// underlying's counts k times.
    pub depth_quote: BTreeMap<String, f64>,
    /// Share of a path's earlier impact that is gone one step later, in [0, 1].
    pub recovery_per_step: f64,
}

impl Default for ImpactPolicy {
    fn default() -> Self {
        Self {
            law: ImpactLaw::default(),
            depth_scale: 1.0,
            default_depth_quote: None,
            depth_quote: BTreeMap::new(),
            recovery_per_step: 0.0,
        }
    }
}
