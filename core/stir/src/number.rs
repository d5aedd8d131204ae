//! Telephone numbers: the canonical form, and the way to it from what people and networks write.

use core::fmt;

use crate::Reason;

/// The most characters a canonical number has (TNAuthList and E.164 agree on 15).
pub const MAX_NUMBER_LEN: usize = 15;

/// Longer texts are no telephone number whatever their separators; bounds the work.
const MAX_TEXT_LEN: usize = 256;

/// A telephone number in canonical form: 1 to 15 characters out of `0-9 * #`, no `+`, no separators.
///
/// [`fmt::Debug`] hides the number, so that logs cannot leak it; use [`TelephoneNumber::as_str`].
///
/// Source: RFC 8224 section 8.3; RFC 8226 section 9 (PPT-10, W-23).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TelephoneNumber(String);

impl TelephoneNumber {
    /// Takes a number that is canonical already; changes nothing.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`] for any character outside `0-9 * #` or a length outside 1 to 15.
    pub fn from_canonical(text: &str) -> Result<Self, Reason> {
        let well_formed = (1..=MAX_NUMBER_LEN).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Reason::MalformedNumber)
        }
    }

    /// Reads a number that is global already, however it is written: `+1 (202) 555-0143`,
    /// `tel:+1-202-555-0143`, `sip:+12025550143;tgrp=x@host;user=phone`, `12025550143`.
    ///
    /// Nothing is added: a national number stays one. Use [`NumberContext::canonical`] where numbers
    /// come from signalling or from a person.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`] if this is no telephone number.
    pub fn from_text(text: &str) -> Result<Self, Reason> {
        let (Digits(digits), _) = strip(text)?;
        Self::from_canonical(&digits)
    }

    /// Reads a number in a request path (W-23): one leading `+` and `.` and `-` anywhere are removed.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`] for anything else that is not canonical, blanks included.
    pub fn from_path(text: &str) -> Result<Self, Reason> {
        if text.len() > MAX_TEXT_LEN {
            return Err(Reason::MalformedNumber);
        }
        let text = text.strip_prefix('+').unwrap_or(text);
        let kept: String = text.chars().filter(|c| !matches!(c, '.' | '-')).collect();
        Self::from_canonical(&kept)
    }

    /// The canonical characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TelephoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TelephoneNumber(..)")
    }
}

/// How numbers are written where the application is. The application states it; it is never guessed.
///
/// Source: RFC 8224 section 8.3 (SIP-33, SIP-35).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberContext {
    country_code: String,
    trunk_prefix: String,
    international_prefix: String,
    bare_national_lengths: Vec<u8>,
}

impl NumberContext {
    /// Makes a context.
    ///
    /// * `country_code`: 1 to 3 digits, `1` or `44`.
    /// * `trunk_prefix`: what precedes a national number (`0`, `1`, or empty where there is none).
    /// * `international_prefix`: what precedes a country code when dialling abroad (`00`, `011`).
    /// * `bare_national_lengths`: the lengths, in digits, of national numbers that are written without
    ///   the trunk prefix (`[10]` in North America, `[8]` in Denmark; empty where that does not occur).
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] if a field holds something else than digits, the country code
    /// is not 1 to 3 digits, or the international prefix is empty.
    pub fn new(
        country_code: &str,
        trunk_prefix: &str,
        international_prefix: &str,
        bare_national_lengths: &[u8],
    ) -> Result<Self, Reason> {
        let digits = |text: &str| text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
        let well_formed = (1..=3).contains(&country_code.len())
            && digits(country_code)
            && !country_code.starts_with('0')
            && digits(trunk_prefix)
            && digits(international_prefix)
            && !international_prefix.is_empty();
        if !well_formed {
            return Err(Reason::ConfigurationInvalid);
        }
        Ok(Self {
            country_code: country_code.to_owned(),
            trunk_prefix: trunk_prefix.to_owned(),
            international_prefix: international_prefix.to_owned(),
            bare_national_lengths: bare_national_lengths.to_vec(),
        })
    }

    /// Reads a number as it is written here and gives the canonical, global one.
    ///
    /// In this order: a leading `+` means global already; a service code (with `*` or `#`) stays; the
    /// international prefix is removed; the trunk prefix is replaced by the country code; a bare
    /// national number of a stated length gets the country code; anything else (a short code such as
    /// 112, or a number that is global without `+`) stays as it is.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`] if this is no telephone number.
    pub fn canonical(&self, text: &str) -> Result<TelephoneNumber, Reason> {
        let (Digits(digits), global) = strip(text)?;
        if global || digits.contains(['*', '#']) {
            return TelephoneNumber::from_canonical(&digits);
        }
        let with_country = |national: &str| {
            TelephoneNumber::from_canonical(&format!("{}{national}", self.country_code))
        };
        // A bare national number may begin with the digits of a prefix, so its length speaks first.
        if self
            .bare_national_lengths
            .iter()
            .any(|len| usize::from(*len) == digits.len())
        {
            return with_country(&digits);
        }
        if let Some(rest) = digits.strip_prefix(&self.international_prefix)
            && rest.len() > 3
        {
            return TelephoneNumber::from_canonical(rest);
        }
        // 112 begins with a trunk prefix 1 and is still no national number.
        if !self.trunk_prefix.is_empty()
            && let Some(rest) = digits.strip_prefix(&self.trunk_prefix)
            && rest.len() > 3
        {
            return with_country(rest);
        }
        TelephoneNumber::from_canonical(&digits)
    }
}

/// The characters `0-9 * #` of a written number.
struct Digits(String);

/// Takes the user part of a `tel:`, `sip:` or `sips:` URI or a plain text, cuts parameters, decodes
/// percent signs and drops separators. Also says whether a `+` led.
///
/// Source: RFC 8224 sections 8.1 and 8.3 (SIP-30 to SIP-32).
fn strip(text: &str) -> Result<(Digits, bool), Reason> {
    if text.len() > MAX_TEXT_LEN {
        return Err(Reason::MalformedNumber);
    }
    let text = text.trim_matches(' ');
    let scheme = |name: &str| {
        text.get(..name.len())
            .filter(|prefix| prefix.eq_ignore_ascii_case(name))
            .and_then(|_| text.get(name.len()..))
    };
    let user = if let Some(rest) = scheme("tel:") {
        rest
    } else if let Some(rest) = scheme("sips:").or_else(|| scheme("sip:")) {
        rest.split_once('@').ok_or(Reason::MalformedNumber)?.0
    } else {
        text
    };
    let user = user.split(';').next().unwrap_or_default();
    let user = percent_decoded(user)?;
    let (global, rest) = match user.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, user.as_str()),
    };
    let mut digits = String::new();
    for c in rest.chars() {
        match c {
            '0'..='9' | '*' | '#' => digits.push(c),
            '-' | '.' | '(' | ')' | ' ' => {}
            _ => return Err(Reason::MalformedNumber),
        }
    }
    Ok((Digits(digits), global))
}

fn percent_decoded(text: &str) -> Result<String, Reason> {
    let mut decoded = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            decoded.push(c);
            continue;
        }
        let digit = |c: Option<char>| {
            c.and_then(|c| c.to_digit(16))
                .ok_or(Reason::MalformedNumber)
        };
        let high = digit(rest.next())?;
        let low = digit(rest.next())?;
        // Both are below 16.
        let octet = char::from_u32((high << 4) | low).filter(char::is_ascii);
        decoded.push(octet.ok_or(Reason::MalformedNumber)?);
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NumberContext, TelephoneNumber};
    use crate::Reason;

    fn text(text: &str) -> Option<String> {
        TelephoneNumber::from_text(text)
            .ok()
            .map(|number| number.as_str().to_owned())
    }

    #[test]
    fn from_text_reads_uris_and_separators() {
        for written in [
            "12025550143",
            "+1 (202) 555-0143",
            "tel:+1-202-555-0143",
            "TEL:+1.202.555.0143;ext=7",
            "sip:+12025550143;tgrp=t1@10.0.0.1;user=phone",
            "sips:%2B12025550143@example.com",
        ] {
            assert_eq!(text(written).as_deref(), Some("12025550143"), "{written}");
        }
        assert_eq!(text("*67").as_deref(), Some("*67"));
    }

    #[test]
    fn from_text_refuses_what_is_no_number() {
        for written in [
            "",
            "+",
            "alice",
            "sip:alice@example.com",
            "sip:12025550143",
            "1202555014312345",
            "1202\u{0665}550143",
            "12025550143\n",
            "++12025550143",
            "1%2",
            "%zz",
            "1%80",
        ] {
            assert_eq!(
                TelephoneNumber::from_text(written),
                Err(Reason::MalformedNumber),
                "{written:?}"
            );
        }
        assert_eq!(text(&"-".repeat(300)), None);
    }

    #[test]
    fn from_path_takes_one_plus_dots_and_dashes_only() {
        for written in [
            "12025550143",
            "+12025550143",
            "1.202.555.0143",
            "+1-202-555-0143",
        ] {
            assert_eq!(
                TelephoneNumber::from_path(written).unwrap().as_str(),
                "12025550143"
            );
        }
        for written in [
            "",
            "++1202",
            "1 202",
            "(202)",
            "1202%35",
            "1+202",
            "1234567890123456",
        ] {
            assert!(TelephoneNumber::from_path(written).is_err(), "{written}");
        }
    }

    #[test]
    fn context_converts_national_numbers_and_leaves_the_rest() {
        let uk = NumberContext::new("44", "0", "00", &[]).unwrap();
        let america = NumberContext::new("1", "1", "011", &[10]).unwrap();
        let denmark = NumberContext::new("45", "", "00", &[8]).unwrap();
        for (context, written, canonical) in [
            (&uk, "020 7946 0018", "442079460018"),
            (&uk, "0044 20 7946 0018", "442079460018"),
            (&uk, "+44 20 7946 0018", "442079460018"),
            (&uk, "999", "999"),
            (&america, "(202) 555-0143", "12025550143"),
            (&america, "1-202-555-0143", "12025550143"),
            (&america, "011 44 20 7946 0018", "442079460018"),
            (&america, "911", "911"),
            (&america, "112", "112"),
            (&america, "*67", "*67"),
            (&denmark, "32 12 34 56", "4532123456"),
            (&denmark, "0045 32 12 34 56", "4532123456"),
        ] {
            assert_eq!(
                context.canonical(written).unwrap().as_str(),
                canonical,
                "{written}"
            );
        }
    }

    #[test]
    fn context_refuses_fields_that_are_not_prefixes() {
        for (country, trunk, international) in [
            ("", "0", "00"),
            ("1234", "0", "00"),
            ("0", "0", "00"),
            ("44", "x", "00"),
            ("44", "0", ""),
        ] {
            assert_eq!(
                NumberContext::new(country, trunk, international, &[]),
                Err(Reason::ConfigurationInvalid)
            );
        }
    }

    #[test]
    fn debug_hides_the_number() {
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        assert!(!format!("{number:?}").contains("2025"));
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_is_idempotent(written in ".{0,40}") {
            if let Ok(number) = TelephoneNumber::from_text(&written) {
                prop_assert_eq!(TelephoneNumber::from_text(number.as_str()), Ok(number.clone()));
                prop_assert_eq!(TelephoneNumber::from_canonical(number.as_str()), Ok(number));
            }
            let _ = TelephoneNumber::from_path(&written);
        }
    }
}
