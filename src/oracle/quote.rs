/// Whether a source says that its price comes from trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceStatus {
    /// It does.
    #[default]
    Trading,
    /// The venue has halted the market.
    Halted,
    /// The venue is in an auction.
    Auction,
    /// The source does not know.
    Unknown,
}

impl SourceStatus {
    /// The words of a table.
    pub const WORDS: [(&'static str, Self); 4] =
        [("trading", Self::Trading), ("halted", Self::Halted), ("auction", Self::Auction), ("unknown", Self::Unknown)];
}

/// What one source says about one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The source; unique among the quotes of a subject.
    pub source: String,
    /// The asset or underlying it speaks of.
    pub subject: String,
    /// Quote units per unit of the subject.
    pub price: f64,
    /// How far the price may be off, in units of the price; ≥ 0, 0 = not said.
    pub confidence: f64,
    /// When the source published it.
    pub published_at: jiff::Timestamp,
    /// Votes of the source, > 0; read to nine decimals.
    pub weight: f64,
    /// Seconds within which the source promises its next price.
    pub heartbeat_seconds: Option<f64>,
    /// Whether it comes from trading.
    pub status: SourceStatus,
    /// What it costs to make the source say anything, quote units.
    pub capture_cost: Option<f64>,
    /// Average daily volume of the venue behind the source, quote units.
    pub adv_quote: Option<f64>,
}

impl Quote {
    /// The least weight.
    pub const LEAST_WEIGHT: f64 = 1e-9;
    /// The largest weight: sums over any table stay far inside 128 bits.
    pub const LARGEST_WEIGHT: f64 = 1e9;

    /// A quote of weight 1 from trading; nothing else known.
    pub fn new(
        source: impl Into<String>,
        subject: impl Into<String>,
        price: f64,
        confidence: f64,
        published_at: jiff::Timestamp,
    ) -> Self {
        Self {
            source: source.into(),
            subject: subject.into(),
            price,
            confidence,
            published_at,
            weight: 1.0,
            heartbeat_seconds: None,
            status: SourceStatus::Trading,
            capture_cost: None,
            adv_quote: None,
        }
    }
}
