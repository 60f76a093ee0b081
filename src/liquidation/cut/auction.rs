//! A share of a whole account, auctioned.

/// Largest share of an account, in \[0, 1\], that a bidder may take so that its buffer margin (quote units, negative: short of
/// margin) is restored: B/(B − V·d − R·(1 − d)), at the mark-to-market value V, cash R set aside for earlier bidders, and
/// `discount` d, the share of V a bidder pays. 0 without a shortage; 1 where nothing is left to pay for.
///
/// Source: Derive v2-core, `src/liquidation/DutchAuction.sol`.
pub fn auction_share(
    buffer_margin_quote: f64,
    mark_to_market_quote: f64,
    reserved_cash_quote: f64,
    discount: f64,
) -> f64 {
    if buffer_margin_quote >= 0.0 {
        return 0.0;
    }
    let proceeds = mark_to_market_quote * discount + reserved_cash_quote * (1.0 - discount);
    if proceeds <= 0.0 { 1.0 } else { buffer_margin_quote / (buffer_margin_quote - proceeds) }
}
