//! Times for people.

use ringtrue::UnixTime;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// `2026-11-21 12:00:00 UTC`. A time beyond the year 9999 stays a number.
pub(crate) fn text(time: UnixTime) -> String {
    civil(time.as_secs()).unwrap_or_else(|| time.as_secs().to_string())
}

/// The proleptic Gregorian date, by years that begin in March, so that leap days come last.
fn civil(seconds: u64) -> Option<String> {
    // From the first of March of the year 0 to 1970.
    let days = (seconds / DAY).checked_add(719_468)?;
    let (era, day) = (days / 146_097, days % 146_097);
    let leaps = (day / 1_460).checked_add(day / 146_096)?;
    let year = day.checked_add(day / 36_524)?.checked_sub(leaps)? / 365;
    let before = year
        .checked_mul(365)?
        .checked_add(year / 4)?
        .checked_sub(year / 100)?;
    let day = day.checked_sub(before)?;
    let month = day.checked_mul(5)?.checked_add(2)? / 153;
    let first = month.checked_mul(153)?.checked_add(2)? / 5;
    let day = day.checked_sub(first)?.checked_add(1)?;
    let is_after_december = month >= 10;
    let month = if is_after_december {
        month.checked_sub(9)?
    } else {
        month.checked_add(3)?
    };
    let year = era
        .checked_mul(400)?
        .checked_add(year)?
        .checked_add(u64::from(is_after_december))?;
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    (year <= 9_999)
        .then(|| format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

#[cfg(test)]
mod tests {
    use ringtrue::UnixTime;

    use super::text;

    #[test]
    fn times_are_dates_of_the_gregorian_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_709_164_800, "2024-02-29 00:00:00 UTC"),
            (1_795_262_400, "2026-11-21 12:00:00 UTC"),
            (1_798_761_599, "2026-12-31 23:59:59 UTC"),
            (1_798_761_600, "2027-01-01 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (253_402_300_800, "253402300800"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(text(UnixTime::from_secs(seconds)), expected);
        }
    }
}
