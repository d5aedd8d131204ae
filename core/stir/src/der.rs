//! The little strict DER that number lists and constraints need.
//!
//! Single-octet tags, definite lengths in their shortest form. Everything else is refused.

use crate::UnixTime;

/// Walks over the elements of some DER content.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag of a constructed, context-specific element `[number]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(content: &'a [u8]) -> Self {
        Self { rest: content }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many octets are left.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next element's tag and content. `None`: there is none, or it is not strict DER.
    pub(crate) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.rest.split_first()?;
        // High tag numbers do not occur in what is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (len, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let octets = usize::from(first & 0x7f);
            // 0 would be the indefinite form; nothing here is longer than three octets can say.
            if !(1..=3).contains(&octets) {
                return None;
            }
            let (len_octets, rest) = rest.split_at_checked(octets)?;
            let len = len_octets
                .iter()
                .fold(0usize, |len, octet| (len << 8) | usize::from(*octet));
            if len < 0x80 || len_octets.first() == Some(&0) {
                return None;
            }
            (len, rest)
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((tag, content))
    }

    /// The next element, if there is one; `None` if what is there is not strict DER.
    pub(crate) fn next_if_any(&mut self) -> Option<Option<(u8, &'a [u8])>> {
        if self.is_empty() {
            Some(None)
        } else {
            self.next().map(Some)
        }
    }

    /// The next element's content, if it has this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, content)| content)
    }

    /// The next element with its header, if it has this tag.
    pub(crate) fn expect_whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let start = self.rest;
        self.expect(tag)?;
        start.get(..start.len().checked_sub(self.remaining())?)
    }
}

/// The content of the only element in `der`, if it has this tag and nothing follows.
pub(crate) fn only(der: &[u8], tag: u8) -> Option<&[u8]> {
    let mut reader = Reader::new(der);
    let content = reader.expect(tag)?;
    reader.is_empty().then_some(content)
}

/// The digits of a minimally encoded, non-negative INTEGER, base 256, without leading zeros but for
/// zero itself.
pub(crate) fn magnitude(content: &[u8]) -> Option<&[u8]> {
    let (first, rest) = content.split_first()?;
    let (minimal, digits) = match (first, rest.first()) {
        (0x00, Some(second)) => (*second >= 0x80, rest),
        (first, _) => (*first < 0x80, content),
    };
    minimal.then_some(digits)
}

/// A minimally encoded, non-negative INTEGER of at most 64 bits.
pub(crate) fn unsigned(content: &[u8]) -> Option<u64> {
    let digits = magnitude(content).filter(|digits| digits.len() <= 8)?;
    Some(
        digits
            .iter()
            .fold(0, |value, octet| (value << 8) | u64::from(*octet)),
    )
}

/// An object identifier as dotted numbers. `?` stands for what is no minimal encoding of 32-bit arcs.
pub(crate) fn object_identifier_text(content: &[u8]) -> String {
    let mut arcs = Vec::new();
    let mut arc = Some(0u32);
    let mut starts = true;
    for octet in content {
        if starts && *octet == 0x80 {
            return "?".to_owned();
        }
        arc = arc
            .and_then(|arc| arc.checked_mul(0x80))
            .and_then(|arc| arc.checked_add(u32::from(octet & 0x7f)));
        starts = octet & 0x80 == 0;
        if starts {
            let Some(value) = arc.replace(0) else {
                return "?".to_owned();
            };
            if arcs.is_empty() {
                // Two arcs share the first number.
                let first = (value / 40).min(2);
                arcs.push(first.to_string());
                arcs.push(value.saturating_sub(first.saturating_mul(40)).to_string());
            } else {
                arcs.push(value.to_string());
            }
        }
    }
    if starts && !arcs.is_empty() {
        arcs.join(".")
    } else {
        "?".to_owned()
    }
}

/// UTCTime or GeneralizedTime in the one form that certificates may use: seconds, `Z`, no fraction.
/// Times before 1970 read as 0.
///
/// Source: RFC 5280 section 4.1.2.5.
pub(crate) fn time(tag: u8, content: &[u8]) -> Option<UnixTime> {
    let digits = content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = core::str::from_utf8(digits).ok()?;
    let (year, rest) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: u64 = year.parse().ok()?;
            (year.checked_add(if year < 50 { 2000 } else { 1900 })?, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let mut parts = [0u64; 5];
    for (part, at) in parts.iter_mut().zip((0usize..).step_by(2)) {
        *part = rest.get(at..at.checked_add(2)?)?.parse().ok()?;
    }
    let [month, day, hour, minute, second] = parts;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_of = |month: u64| match month {
        2 => 28u64.saturating_add(u64::from(is_leap)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let in_range = (1..=12).contains(&month)
        && (1..=days_of(month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    if year < 1970 {
        return Some(UnixTime::from_secs(0));
    }
    // Leap days of the years before this one, less those before 1970.
    let before = year.checked_sub(1)?;
    let leap_days = (before / 4)
        .checked_sub(before / 100)?
        .checked_add(before / 400)?
        .checked_sub(477)?;
    let days = year
        .checked_sub(1970)?
        .checked_mul(365)?
        .checked_add(leap_days)?
        .checked_add((1..month).map(days_of).sum())?
        .checked_add(day.checked_sub(1)?)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?;
    let seconds = minutes.checked_add(minute)?.checked_mul(60)?;
    seconds.checked_add(second).map(UnixTime::from_secs)
}

/// One element. Contents here are far below the limit of three length octets.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    let len = content.len().to_be_bytes();
    let significant = len.iter().position(|octet| *octet != 0);
    let short = significant
        .and_then(|start| len.get(start..))
        .unwrap_or(&[0]);
    match short {
        [octet] if *octet < 0x80 => der.push(*octet),
        octets => {
            // At most eight octets.
            der.push(0x80 | u8::try_from(octets.len()).unwrap_or(8));
            der.extend_from_slice(octets);
        }
    }
    der.extend_from_slice(content);
    der
}

/// A BIT STRING element of whole octets.
pub(crate) fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], octets].concat())
}

/// An INTEGER element.
pub(crate) fn unsigned_element(value: u64) -> Vec<u8> {
    unsigned_octets(&value.to_be_bytes())
}

/// An INTEGER element out of big-endian octets, leading zeros allowed.
pub(crate) fn unsigned_octets(octets: &[u8]) -> Vec<u8> {
    let significant = octets.iter().position(|octet| *octet != 0);
    let digits = significant
        .and_then(|start| octets.get(start..))
        .unwrap_or(&[0]);
    let mut content = Vec::new();
    if digits.first().is_some_and(|octet| *octet >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(digits);
    element(INTEGER, &content)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        GENERALIZED_TIME, Reader, SEQUENCE, UTC_TIME, element, object_identifier_text, only, time,
        unsigned, unsigned_element,
    };

    #[test]
    fn refuses_lengths_that_are_not_the_shortest() {
        for der in [
            &[0x30, 0x81, 0x01, 0x00][..],
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x80, 0x00, 0x00],
            &[0x30, 0x02, 0x00],
            &[0x30],
            &[0x3f, 0x21, 0x00],
            &[0x30, 0xff],
        ] {
            assert_eq!(Reader::new(der).next(), None, "{der:02x?}");
        }
        assert_eq!(only(&[0x30, 0x00, 0x00], SEQUENCE), None);
    }

    #[test]
    fn integers_are_minimal_and_not_negative() {
        assert_eq!(unsigned(&[0]), Some(0));
        assert_eq!(unsigned(&[0, 0x80]), Some(128));
        assert_eq!(unsigned(&[0, 0x7f]), None);
        assert_eq!(unsigned(&[0x80]), None);
        assert_eq!(unsigned(&[]), None);
        assert_eq!(unsigned(&[1; 9]), None);
        assert_eq!(unsigned(&[0, 0xff, 0, 0, 0, 0, 0, 0, 0]), Some(0xff << 56));
    }

    #[test]
    fn times_are_read_in_their_one_form() {
        let read = |tag, text: &str| time(tag, text.as_bytes()).map(|time| time.as_secs());
        assert_eq!(read(UTC_TIME, "261121120000Z"), Some(1_795_262_400));
        assert_eq!(
            read(GENERALIZED_TIME, "20261121120000Z"),
            Some(1_795_262_400)
        );
        assert_eq!(
            read(GENERALIZED_TIME, "20240229235959Z"),
            Some(1_709_251_199)
        );
        assert_eq!(read(GENERALIZED_TIME, "20000301000000Z"), Some(951_868_800));
        assert_eq!(
            read(GENERALIZED_TIME, "21000301000000Z"),
            Some(4_107_542_400)
        );
        assert_eq!(read(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(UTC_TIME, "500101000000Z"), Some(0));
        assert_eq!(read(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        for (tag, text) in [
            (UTC_TIME, "2611211200Z"),
            (UTC_TIME, "261121120000+0000"),
            (UTC_TIME, "20261121120000Z"),
            (GENERALIZED_TIME, "261121120000Z"),
            (GENERALIZED_TIME, "20261121120000.5Z"),
            (GENERALIZED_TIME, "20261121120000"),
            (GENERALIZED_TIME, "20261321120000Z"),
            (GENERALIZED_TIME, "20260229000000Z"),
            (GENERALIZED_TIME, "21000229000000Z"),
            (GENERALIZED_TIME, "20260431000000Z"),
            (GENERALIZED_TIME, "20261100120000Z"),
            (GENERALIZED_TIME, "20261121240000Z"),
            (GENERALIZED_TIME, "20261121126000Z"),
            (GENERALIZED_TIME, "20261121120060Z"),
            (GENERALIZED_TIME, "+0261121120000Z"),
            (0x16, "261121120000Z"),
            (UTC_TIME, ""),
        ] {
            assert_eq!(read(tag, text), None, "{text}");
        }
    }

    #[test]
    fn object_identifiers_are_shown_dotted() {
        assert_eq!(
            object_identifier_text(&[0x2b, 6, 1, 5, 5, 7, 1, 26]),
            "1.3.6.1.5.5.7.1.26"
        );
        assert_eq!(object_identifier_text(&[0x55, 4, 3]), "2.5.4.3");
        assert_eq!(object_identifier_text(&[0x88, 0x37, 3]), "2.999.3");
        for odd in [
            &[][..],
            &[0x2a, 0x80, 1],
            &[0x2a, 0x83],
            &[0x2a, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert_eq!(object_identifier_text(odd), "?");
        }
    }

    proptest! {
        #[test]
        fn times_never_panic(tag in 0x16u8..0x1a, text in "[0-9]{0,16}Z?") {
            let _ = time(tag, text.as_bytes());
        }

        #[test]
        fn elements_and_integers_come_back(value in any::<u64>(), len in 0usize..70_000) {
            let der = unsigned_element(value);
            prop_assert_eq!(only(&der, super::INTEGER).and_then(unsigned), Some(value));
            let der = element(SEQUENCE, &vec![7; len]);
            prop_assert_eq!(only(&der, SEQUENCE).map(<[u8]>::len), Some(len));
        }
    }
}
