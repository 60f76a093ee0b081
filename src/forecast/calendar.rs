use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The calendar month (UTC) of an hour since 1970-01-01 00:00 UTC, counted from year 0; hours beyond the calendar count as its end.
pub(super) fn month(hour: i64) -> i64 {
    let moment =
        hour.checked_mul(3_600).and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(Timestamp::MAX);
    let date = moment.to_zoned(TimeZone::UTC);
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_change_at_midnight_of_the_first() {
        // 2021-07-01 00:00 UTC.
        let july = 451_416;
        assert_eq!([july - 1, july, july + 31 * 24].map(|hour| month(hour) - 2_021 * 12), [5, 6, 7]);
        assert_eq!(month(i64::MAX), month(i64::MAX - 1));
    }
}
