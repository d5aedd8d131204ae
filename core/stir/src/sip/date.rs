//! The value of a Date header field, read and written without a clock or a calendar library.
//!
//! Source: RFC 3261 sections 20.17 and 25.1 (`SIP-date`), RFC 1123 section 5.2.14.

use crate::{Reason, UnixTime};

/// Every date has this many octets: `Sat, 21 Nov 2026 22:00:00 GMT`.
const DATE_LEN: usize = 29;

/// Days from 1 January of the year 1 to that of 1970.
const DAYS_BEFORE_1970: u64 = 719_162;

const SECONDS_PER_DAY: u64 = 86_400;

/// 1 January 1970 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The months with the days before each in a year of 365 days.
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 0),
    ("Feb", 31),
    ("Mar", 59),
    ("Apr", 90),
    ("May", 120),
    ("Jun", 151),
    ("Jul", 181),
    ("Aug", 212),
    ("Sep", 243),
    ("Oct", 273),
    ("Nov", 304),
    ("Dec", 334),
];

/// Reads the value of a Date header field.
///
/// # Errors
///
/// [`Reason::MalformedDate`] for any other form, a day that does not exist or is another day of the week,
/// a leap second, another zone than GMT, and years before 1970.
pub fn parse_date(text: &str) -> Result<UnixTime, Reason> {
    let text = text.trim_matches(super::parameters::is_blank);
    read(text)
        // What is read must be what would be written: weekday, number of days and separators hold.
        .filter(|time| format_date(*time).is_ok_and(|written| written == text))
        .ok_or(Reason::MalformedDate)
}

fn read(text: &str) -> Option<UnixTime> {
    if text.len() != DATE_LEN {
        return None;
    }
    let number = |from: usize, to: usize| {
        text.get(from..to)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse::<u64>().ok())
    };
    let (day, year) = (number(5, 7)?, number(12, 16).filter(|year| *year >= 1970)?);
    let month = text.get(8..11)?;
    let (index, (_, before)) = (1_u32..)
        .zip(MONTHS)
        .find(|(_, (name, _))| *name == month)?;
    let leap_day = u64::from(index > 2 && is_leap(year));
    let days = days_before(year)
        .checked_add(before)?
        .checked_add(leap_day)?
        .checked_add(day)?
        .checked_sub(1)?;
    let seconds = seconds(number(17, 19)?, number(20, 22)?, number(23, 25)?)?;
    let days = days.checked_mul(SECONDS_PER_DAY)?;
    Some(UnixTime::from_secs(days.checked_add(seconds)?))
}

fn seconds(hours: u64, minutes: u64, seconds: u64) -> Option<u64> {
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    minutes.checked_mul(60)?.checked_add(seconds)
}

/// Writes the value of a Date header field.
///
/// # Errors
///
/// [`Reason::MalformedDate`] for a time after the year 9999, which the form cannot hold.
pub fn format_date(time: UnixTime) -> Result<String, Reason> {
    let (days, second) = (
        time.as_secs() / SECONDS_PER_DAY,
        time.as_secs() % SECONDS_PER_DAY,
    );
    // No year is longer than 366 days, so this is not too late, and a few steps lead to the year.
    let mut year = (days / 366).saturating_add(1970);
    while year <= 9999 && days_before(year.saturating_add(1)) <= days {
        year = year.saturating_add(1);
    }
    if year > 9999 {
        return Err(Reason::MalformedDate);
    }
    let day_of_year = days.saturating_sub(days_before(year));
    let starts =
        |index: u32, before: u64| before.saturating_add(u64::from(index > 2 && is_leap(year)));
    let (month, start) = (1_u32..)
        .zip(MONTHS)
        .map(|(index, (name, before))| (name, starts(index, before)))
        .take_while(|(_, start)| *start <= day_of_year)
        .last()
        .ok_or(Reason::Internal)?;
    let weekday = usize::try_from(days % 7)
        .ok()
        .and_then(|index| WEEKDAYS.get(index))
        .ok_or(Reason::Internal)?;
    Ok(format!(
        "{weekday}, {:02} {month} {year:04} {:02}:{:02}:{:02} GMT",
        day_of_year.saturating_sub(start).saturating_add(1),
        second / 3600,
        second / 60 % 60,
        second % 60
    ))
}

/// Days from 1 January 1970 to that of `year`, 1970 or later.
const fn days_before(year: u64) -> u64 {
    let years = year.saturating_sub(1);
    years
        .saturating_mul(365)
        .saturating_add(years / 4)
        .saturating_add(years / 400)
        .saturating_sub(years / 100)
        .saturating_sub(DAYS_BEFORE_1970)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}
