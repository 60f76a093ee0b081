//! Moments as people write them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Hours since 1970-01-01 00:00 UTC from a number of them, a date (midnight UTC) or an RFC 3339 time on the hour.
///
/// # Errors
/// The rule that a text breaks which is none of these.
pub fn hour(text: &str) -> Result<i64, String> {
    if let Ok(hour) = text.parse::<i64>() {
        return Ok(hour);
    }
    let midnight = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let second = text.parse::<Timestamp>().ok().or_else(midnight).map(Timestamp::as_second);
    match second {
        Some(second) if second.rem_euclid(3_600) == 0 => Ok(second.div_euclid(3_600)),
        Some(_) => Err("a moment is on the hour".into()),
        None => Err("a moment is a date, an RFC 3339 time or Unix time / 3600".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::hour;

    #[test]
    fn moments_are_hours_dates_and_times() {
        for text in ["451416", "2021-07-01", "2021-07-01T00:00:00Z", "2021-07-01T02:00:00+02:00"] {
            assert_eq!(hour(text), Ok(451_416), "{text}");
        }
        assert!(hour("2021-07-01T00:30:00Z").is_err() && hour("July").is_err());
    }
}
