//! A synthetic history of hourly bars.

use std::fmt::Write;

/// 2020-01-01 00:00 UTC.
pub const FIRST_HOUR: i64 = 438_288;
/// Two years.
pub const HOURS: i64 = 17_544;

/// Bars of two assets under one volatility that swings within the day, the week and two months.
pub fn bars(hours: i64) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let mut prices = [30_000.0, 2_000.0];
    let mut parts = [0.0; 3];
    let mut text =
        String::from("hour,btc_open,btc_high,btc_low,btc_close,eth_open,eth_high,eth_low,eth_close,btc_vol,eth_src\n");
    for hour in 0..hours {
        for (part, memory) in parts.iter_mut().zip([12.0_f64, 168.0, 1_440.0]) {
            *part = (1.0 - 1.0 / memory) * *part + 2.0 * next() / memory.sqrt();
        }
        let volatility = 0.02 * parts.iter().sum::<f64>().exp();
        let common = next();
        let _ = write!(text, "{}", FIRST_HOUR + hour);
        for price in &mut prices {
            let open = *price;
            *price *= (volatility * (common + 0.5 * next())).exp();
            let reach = 1.0 + volatility * (next() + 0.5) / 4.0;
            let _ = write!(text, ",{open},{},{},{}", open.max(*price) * reach, open.min(*price) / reach, *price);
        }
        let _ = writeln!(text, ",{},0", 1_000.0 * volatility * (1.0 + next()));
    }
    text
}
