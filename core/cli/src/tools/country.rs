//! How numbers are written in a country, for `--country`.

use ringtrue::{NumberContext, Reason};

/// The dialling habits behind a country calling code.
#[derive(Clone)]
pub(crate) struct Country {
    context: NumberContext,
}

/// What differs from the prefixes that ITU-T recommends (E.164 and its operational bulletin): trunk
/// prefix, international prefix, and the lengths of national numbers written without a trunk prefix.
const HABITS: &[(&str, &str, &str, &[u8])] = &[
    // North America.
    ("1", "1", "011", &[10]),
    // Russia and Kazakhstan.
    ("7", "8", "810", &[10]),
    // Closed plans: numbers are dialled as they are, always in full.
    ("30", "", "00", &[10]),
    ("34", "", "00", &[9]),
    ("36", "06", "00", &[]),
    // Italy keeps the leading zero of a subscriber's number.
    ("39", "", "00", &[9, 10, 11]),
    ("45", "", "00", &[8]),
    ("47", "", "00", &[8]),
    ("48", "", "00", &[9]),
    ("52", "", "00", &[10]),
    ("61", "0", "0011", &[]),
    ("65", "", "000", &[8]),
    ("81", "0", "010", &[]),
    ("351", "", "00", &[9]),
    ("357", "", "00", &[8]),
    ("371", "", "00", &[8]),
    ("372", "", "00", &[7, 8]),
    ("420", "", "00", &[9]),
    ("852", "", "001", &[8]),
];

/// The trunk and international prefixes that ITU-T E.164 recommends.
const RECOMMENDED: (&str, &str) = ("0", "00");

impl Country {
    /// Reads a calling code: 1 to 3 digits, with or without `+`.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        let code = text.strip_prefix('+').unwrap_or(text);
        let known = HABITS.iter().find(|(known, ..)| *known == code);
        let (trunk, international, lengths) = match known {
            Some((_, trunk, international, lengths)) => (*trunk, *international, *lengths),
            None => (RECOMMENDED.0, RECOMMENDED.1, [].as_slice()),
        };
        NumberContext::new(code, trunk, international, lengths)
            .map(|context| Self { context })
            .map_err(|_: Reason| "not a country calling code such as 1 or 44".to_owned())
    }

    /// The habits.
    pub(crate) const fn context(&self) -> &NumberContext {
        &self.context
    }
}

#[cfg(test)]
mod tests {
    use super::{Country, HABITS};

    fn canonical(country: &str, text: &str) -> String {
        let country = Country::from_text(country).unwrap();
        let number = country.context().canonical(text).unwrap();
        number.as_str().to_owned()
    }

    #[test]
    fn national_numbers_get_the_country_code() {
        for (country, text, expected) in [
            ("1", "(202) 555-0143", "12025550143"),
            ("+1", "1-202-555-0143", "12025550143"),
            ("44", "020 7946 0018", "442079460018"),
            ("33", "01 99 00 12 34", "33199001234"),
            ("39", "06 1234 5678", "390612345678"),
            ("45", "32 12 34 56", "4532123456"),
            ("61", "0011 44 20 7946 0018", "442079460018"),
            ("49", "112", "112"),
            ("49", "+1 202 555 0143", "12025550143"),
        ] {
            assert_eq!(canonical(country, text), expected, "{country} {text}");
        }
    }

    #[test]
    fn what_is_no_calling_code_is_refused() {
        for text in ["", "0", "044", "1234", "US", "4x", "++1", "-1"] {
            assert!(Country::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_a_valid_context() {
        for (code, ..) in HABITS {
            assert!(Country::from_text(code).is_ok(), "{code}");
        }
    }
}
