//! How long an answer may be kept, as its host states it.
//!
//! Pure: headers and the time in, a duration out. Only what a private cache without revalidation
//! needs. Where an answer contradicts itself or cannot be read, the shorter life counts; what is made
//! of it is the kind's matter ([`super::FetchKind`]).
//!
//! Source: RFC 9111 sections 4.2 and 5; RFC 9110 section 5.6.7.

use std::time::Duration;

use ringtrue_stir::UnixTime;

/// The most directives that are looked at. Hosts send two or three; the header limit bounds the rest.
const MAX_DIRECTIVES: usize = 32;

/// What the host says about keeping its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Freshness {
    /// Whether the host forbids keeping the answer.
    pub(super) no_store: bool,
    /// How much longer the answer is fresh, if the host says so.
    pub(super) remaining: Option<Duration>,
}

impl Freshness {
    /// Reads the headers of an answer that arrived at `now`. Names are in lower case.
    pub(super) fn read(headers: &[(String, String)], now: UnixTime) -> Self {
        let values = |name: &'static str| {
            headers
                .iter()
                .filter(move |(found, _)| found == name)
                .map(|(_, value)| value.as_str())
        };
        let mut no_store = false;
        let mut no_cache = false;
        let mut max_age: Option<u64> = None;
        let directives = values("cache-control").flat_map(|value| value.split(','));
        for directive in directives.take(MAX_DIRECTIVES) {
            let (name, value) = match directive.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (directive.trim(), None),
            };
            if name.eq_ignore_ascii_case("no-store") {
                no_store = true;
            } else if name.eq_ignore_ascii_case("no-cache") {
                no_cache = true;
            } else if name.eq_ignore_ascii_case("max-age") {
                let seconds = value.map_or(0, delta_seconds);
                max_age = Some(max_age.map_or(seconds, |before| before.min(seconds)));
            }
        }
        let lifetime = if no_cache {
            Some(0)
        } else {
            max_age.or_else(|| {
                // Several, or one that is no date, mean: expired (RFC 9111 section 5.3).
                let mut expires = values("expires");
                let first = expires.next()?;
                let until = match expires.next() {
                    None => http_date(first),
                    Some(_) => None,
                };
                let sent = values("date").next().and_then(http_date).unwrap_or(now);
                Some(until.map_or(0, |until| until.as_secs().saturating_sub(sent.as_secs())))
            })
        };
        let age = values("age").next().map_or(0, delta_seconds);
        Self {
            no_store,
            remaining: lifetime.map(|life| Duration::from_secs(life.saturating_sub(age))),
        }
    }
}

/// Seconds as digits, quoted or not. Too many are the largest number, anything else is 0 (RFC 9111
/// section 1.2.2).
fn delta_seconds(text: &str) -> u64 {
    let text = text.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(u64::MAX)
}

/// A date in the only form that may still be sent: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<UnixTime> {
    let rest = text.trim();
    let (weekday, rest) = rest.split_once(", ")?;
    if weekday.len() != 3 {
        return None;
    }
    let mut parts = rest.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, zone) = (parts.next()?, parts.next()?);
    if zone != "GMT" || parts.next().is_some() {
        return None;
    }
    let day = number(day, 2, 1, 31)?;
    let month = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    .iter()
    .position(|name| *name == month)?;
    let year = number(year, 4, 1970, 9999)?;
    let mut clock = time.split(':');
    let hour = number(clock.next()?, 2, 0, 23)?;
    let minute = number(clock.next()?, 2, 0, 59)?;
    // 60 is a leap second.
    let second = number(clock.next()?, 2, 0, 60)?;
    if clock.next().is_some() {
        return None;
    }
    let days = days_before_year(year)?
        .checked_add(days_before_month(month, year)?)?
        .checked_add(day.checked_sub(1)?)?;
    let minutes = days
        .checked_mul(24)?
        .checked_add(hour)?
        .checked_mul(60)?
        .checked_add(minute)?;
    let seconds = minutes.checked_mul(60)?.checked_add(second)?;
    Some(UnixTime::from_secs(seconds))
}

fn number(text: &str, digits: usize, least: u64, most: u64) -> Option<u64> {
    let well_formed = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    let value = if well_formed {
        text.parse().ok()?
    } else {
        return None;
    };
    (least..=most).contains(&value).then_some(value)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to the first of January of `year`, which is 1970 to 9999.
fn days_before_year(year: u64) -> Option<u64> {
    let years = year.checked_sub(1970)?;
    let before = year.checked_sub(1)?;
    // Leap years up to the year before, less those up to 1969, which are 477.
    let leaps = (before / 4)
        .checked_sub(before / 100)?
        .checked_add(before / 400)?
        .checked_sub(477)?;
    years.checked_mul(365)?.checked_add(leaps)
}

fn days_before_month(month: usize, year: u64) -> Option<u64> {
    let days: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = u64::from(month >= 2 && is_leap(year));
    days.get(month)?.checked_add(leap)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use rcgen::date_time_ymd;
    use ringtrue_stir::UnixTime;

    use super::{Freshness, http_date};

    const NOW: UnixTime = UnixTime::from_secs(1_795_299_000);

    fn read(headers: &[(&str, &str)]) -> Freshness {
        let owned: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Freshness::read(&owned, NOW)
    }

    fn remaining(headers: &[(&str, &str)]) -> Option<u64> {
        read(headers).remaining.map(|left| left.as_secs())
    }

    #[test]
    fn reads_max_age_however_it_is_written() {
        for value in [
            "max-age=600",
            "public, Max-Age=600",
            "private,max-age=\"600\" , must-revalidate",
            "max-age = 600",
        ] {
            assert_eq!(remaining(&[("cache-control", value)]), Some(600), "{value}");
        }
    }

    #[test]
    fn says_nothing_where_the_host_does_not() {
        assert_eq!(read(&[]), Freshness::default());
        for value in ["", "public", "s-maxage=600", "max-agee=1", ",,,"] {
            assert_eq!(remaining(&[("cache-control", value)]), None, "{value}");
        }
    }

    #[test]
    fn the_shortest_of_contradicting_statements_counts() {
        assert_eq!(
            remaining(&[("cache-control", "max-age=600, max-age=5")]),
            Some(5)
        );
        let two = [
            ("cache-control", "max-age=5"),
            ("cache-control", "max-age=9"),
        ];
        assert_eq!(remaining(&two), Some(5));
        assert_eq!(
            remaining(&[("cache-control", "max-age=600, no-cache")]),
            Some(0)
        );
        for value in [
            "max-age",
            "max-age=",
            "max-age=x",
            "max-age=-1",
            "max-age=1.5",
        ] {
            assert_eq!(remaining(&[("cache-control", value)]), Some(0), "{value}");
        }
    }

    #[test]
    fn numbers_beyond_every_clock_stay_bounded() {
        let huge = "max-age=99999999999999999999999999";
        assert_eq!(remaining(&[("cache-control", huge)]), Some(u64::MAX));
    }

    #[test]
    fn age_shortens_the_life_and_never_makes_it_negative() {
        let aged = |age| remaining(&[("cache-control", "max-age=600"), ("age", age)]);
        assert_eq!(aged("100"), Some(500));
        assert_eq!(aged("601"), Some(0));
        assert_eq!(aged("99999999999999999999999999"), Some(0));
        assert_eq!(aged("young"), Some(600));
        assert_eq!(remaining(&[("age", "100")]), None);
    }

    #[test]
    fn no_store_is_seen_wherever_it_stands() {
        assert!(read(&[("cache-control", "max-age=9, No-Store")]).no_store);
        assert!(read(&[("cache-control", "public"), ("cache-control", "no-store")]).no_store);
        assert!(!read(&[("pragma", "no-store")]).no_store);
        assert!(!read(&[("cache-control", "no-stored")]).no_store);
    }

    #[test]
    fn expires_counts_from_the_host_s_own_date() {
        let date = ("date", "Sat, 21 Nov 2026 10:00:00 GMT");
        let expires = |text| remaining(&[date, ("expires", text)]);
        assert_eq!(expires("Sat, 21 Nov 2026 11:00:00 GMT"), Some(3600));
        assert_eq!(expires("Sat, 21 Nov 2026 09:00:00 GMT"), Some(0));
        assert_eq!(expires("0"), Some(0));
        assert_eq!(expires("-1"), Some(0));
        let both = ("cache-control", "max-age=7");
        let later = ("expires", "Sat, 21 Nov 2026 11:00:00 GMT");
        assert_eq!(remaining(&[date, later, both]), Some(7));
        assert_eq!(remaining(&[date, later, later]), Some(0));
    }

    #[test]
    fn expires_without_a_date_counts_from_the_arrival() {
        // NOW is 2026-11-21 22:10:00.
        assert_eq!(
            remaining(&[("expires", "Sat, 21 Nov 2026 22:11:00 GMT")]),
            Some(60)
        );
    }

    #[test]
    fn reads_the_dates_of_the_standard_and_of_leap_years() {
        let read = |text| http_date(text).map(UnixTime::as_secs);
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(read("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(read("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
        assert_eq!(read("Fri, 01 Mar 2024 00:00:00 GMT"), Some(1_709_251_200));
        assert_eq!(read("Fri, 31 Dec 9999 23:59:60 GMT"), Some(253_402_300_800));
    }

    #[test]
    fn refuses_every_other_form_of_date() {
        for text in [
            "",
            "0",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
            "06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_never_lives_longer_than_stated(
            control in "(max-age=[0-9]{0,30}|no-[a-z]{1,5}|[ -~]{0,30})(,[ -~]{0,20})?",
            expires in "(Sat, [0-9]{2} (Jan|Nov) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT|[ -~]{0,20})",
            age in "[0-9]{0,25}",
        ) {
            let found = read(&[
                ("cache-control", &control),
                ("expires", &expires),
                ("age", &age),
            ]);
            if control.eq_ignore_ascii_case("no-cache") {
                prop_assert_eq!(found.remaining, Some(Duration::ZERO));
            }
        }

        #[test]
        fn every_date_is_the_second_that_another_calendar_gives(
            year in 1970_i32..=9999, month in 1_usize..=12, day in 1_u8..=28,
        ) {
            let names = [
                "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
            ];
            let name = names[month.saturating_sub(1)];
            let text = format!("Mon, {day:02} {name} {year:04} 00:00:00 GMT");
            let expected = date_time_ymd(year, u8::try_from(month).unwrap(), day).unix_timestamp();
            prop_assert_eq!(
                http_date(&text).map(UnixTime::as_secs),
                Some(u64::try_from(expected).unwrap())
            );
        }
    }
}
