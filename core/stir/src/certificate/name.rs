//! Distinguished names: as text for people, as attributes for a profile, folded for comparison.

use crate::der::{self, Reader};

/// The most characters of a name that are shown. Names in use have fewer than 150.
const MAX_TEXT_LEN: usize = 256;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const COUNTRY: &[u8] = &[0x55, 4, 6];
const ORGANISATION: &[u8] = &[0x55, 4, 10];

const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const BMP_STRING: u8 = 0x1e;

/// The attribute types that have a short name (RFC 4514 section 3).
const SHORT_NAMES: [(&[u8], &str); 9] = [
    (COMMON_NAME, "CN"),
    (COUNTRY, "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (ORGANISATION, "O"),
    (&[0x55, 4, 11], "OU"),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "UID",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "DC",
    ),
];

/// One attribute of a name.
struct Attribute<'a> {
    kind: &'a [u8],
    tag: u8,
    value: &'a [u8],
}

impl Attribute<'_> {
    /// The value as text, if it is of a string type and well formed.
    fn text(&self) -> Option<String> {
        match self.tag {
            der::UTF8_STRING | der::IA5_STRING | PRINTABLE_STRING => {
                core::str::from_utf8(self.value).ok().map(str::to_owned)
            }
            // In practice Latin-1.
            TELETEX_STRING => Some(self.value.iter().map(|octet| char::from(*octet)).collect()),
            BMP_STRING if self.value.len().is_multiple_of(2) => {
                let units = self.value.chunks_exact(2).map(|pair| {
                    pair.iter()
                        .fold(0u16, |unit, octet| (unit << 8) | u16::from(*octet))
                });
                char::decode_utf16(units).collect::<Result<_, _>>().ok()
            }
            _ => None,
        }
    }
}

/// The relative names of a DER Name in their order. `None`: it is not strict DER.
fn relative_names(name: &[u8]) -> Option<Vec<Vec<Attribute<'_>>>> {
    let mut sets = Reader::new(der::only(name, der::SEQUENCE)?);
    let mut names = Vec::new();
    while !sets.is_empty() {
        let mut elements = Reader::new(sets.expect(der::SET)?);
        let mut attributes = Vec::new();
        while !elements.is_empty() {
            let mut pair = Reader::new(elements.expect(der::SEQUENCE)?);
            let kind = pair.expect(der::OBJECT_IDENTIFIER)?;
            let (tag, value) = pair.next()?;
            if !pair.is_empty() {
                return None;
            }
            attributes.push(Attribute { kind, tag, value });
        }
        names.push(attributes);
    }
    Some(names)
}

/// Whether this is a Name in strict DER: sets of one attribute or more.
pub(super) fn is_well_formed(name: &[u8]) -> bool {
    relative_names(name).is_some_and(|names| names.iter().all(|attributes| !attributes.is_empty()))
}

/// A name as RFC 4514 writes it, with control characters and those that turn the direction of
/// writing escaped, cut at 256 characters. Empty for a name that cannot be read.
pub(super) fn text(name: &[u8]) -> String {
    let names = relative_names(name).unwrap_or_default();
    let relative = |attributes: &Vec<Attribute<'_>>| {
        let attribute = |attribute: &Attribute<'_>| {
            let kind = SHORT_NAMES
                .iter()
                .find(|(kind, _)| *kind == attribute.kind)
                .map_or_else(
                    || der::object_identifier_text(attribute.kind),
                    |(_, short)| (*short).to_owned(),
                );
            let value = attribute.text().map_or_else(
                || format!("#{}", base16ct::lower::encode_string(attribute.value)),
                |text| escape(&text),
            );
            format!("{kind}={value}")
        };
        attributes
            .iter()
            .map(attribute)
            .collect::<Vec<_>>()
            .join("+")
    };
    // The standard's order is from the last to the first.
    let text = names
        .iter()
        .rev()
        .map(relative)
        .collect::<Vec<_>>()
        .join(",");
    match text.char_indices().nth(MAX_TEXT_LEN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn escape(value: &str) -> String {
    let mut text = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let is_edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        if is_edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            text.push('\\');
            text.push(c);
        } else if is_unsafe_to_show(c) {
            let mut octets = [0; 4];
            for octet in c.encode_utf8(&mut octets).bytes() {
                text.push('\\');
                text.push_str(&base16ct::lower::encode_string(&[octet]));
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Whether a character could change what a terminal or a line of a log looks like.
pub(super) fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The attributes that profiles ask for: the last common name, whether there is a country of two
/// letters, whether there is an organisation.
pub(super) fn profile_attributes(name: &[u8]) -> (Option<String>, bool, bool) {
    let names = relative_names(name).unwrap_or_default();
    let text = |kind: &[u8]| {
        names
            .iter()
            .flatten()
            .rev()
            .find(|attribute| attribute.kind == kind)
            .and_then(Attribute::text)
    };
    let has_country = text(COUNTRY).is_some_and(|country| {
        country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase())
    });
    (text(COMMON_NAME), has_country, text(ORGANISATION).is_some())
}

/// A form in which two encodings of one name are the same octets: string types, letter case and
/// white space do not count. The octets themselves where the name cannot be read.
///
/// Paths compare encodings exactly. Revocation lists need this: another authority wrote the issuer's
/// name into them, and a name that is not recognised would let a revoked certificate pass.
///
/// Source: RFC 5280 section 7.1.
pub(super) fn folded(name: &[u8]) -> Vec<u8> {
    let Some(names) = relative_names(name) else {
        return name.to_vec();
    };
    let mut folded = Vec::new();
    for attributes in names {
        let mut parts: Vec<Vec<u8>> = attributes.iter().map(folded_attribute).collect();
        parts.sort_unstable();
        folded.extend(der::element(der::SET, &parts.concat()));
    }
    folded
}

fn folded_attribute(attribute: &Attribute<'_>) -> Vec<u8> {
    let value = match attribute.text() {
        Some(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            der::element(der::UTF8_STRING, words.join(" ").to_lowercase().as_bytes())
        }
        None => der::element(attribute.tag, attribute.value),
    };
    let mut pair = der::element(der::OBJECT_IDENTIFIER, attribute.kind);
    pair.extend(value);
    der::element(der::SEQUENCE, &pair)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_TEXT_LEN, folded, profile_attributes, text};
    use crate::der::{self, element};

    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let sets: Vec<u8> = attributes
            .iter()
            .flat_map(|(kind, tag, value)| {
                let pair = [element(der::OBJECT_IDENTIFIER, kind), element(*tag, value)].concat();
                element(der::SET, &element(der::SEQUENCE, &pair))
            })
            .collect();
        element(der::SEQUENCE, &sets)
    }

    #[test]
    fn text_is_escaped_and_cut() {
        let shown = |value: &str| text(&name(&[(&[0x55, 4, 3], 0x0c, value.as_bytes())]));
        assert_eq!(shown("SHAKEN 709J"), "CN=SHAKEN 709J");
        assert_eq!(shown("a, b+c"), "CN=a\\, b\\+c");
        assert_eq!(shown(" #x "), "CN=\\ #x\\ ");
        assert_eq!(shown("a\u{1b}[31m\n"), "CN=a\\1b[31m\\0a");
        assert_eq!(shown("a\u{202e}b"), "CN=a\\e2\\80\\aeb");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), MAX_TEXT_LEN + 1);
        let odd = name(&[(&[0x2a, 3], 0x02, &[5]), (&[0x55, 4, 6], 0x13, b"US")]);
        assert_eq!(text(&odd), "C=US,1.2.3=#05");
        assert_eq!(text(&[0x30, 1, 0]), "");
    }

    #[test]
    fn encodings_of_one_name_fold_to_the_same_and_others_do_not() {
        let one = name(&[
            (&[0x55, 4, 10], 0x13, b"STI-PA  Inc"),
            (&[0x55, 4, 3], 0x13, b"CRL"),
        ]);
        let same = name(&[
            (&[0x55, 4, 10], 0x0c, b" sti-pa inc "),
            (&[0x55, 4, 3], 0x0c, b"crl"),
        ]);
        let swapped = name(&[
            (&[0x55, 4, 3], 0x13, b"CRL"),
            (&[0x55, 4, 10], 0x13, b"STI-PA Inc"),
        ]);
        let shorter = name(&[(&[0x55, 4, 10], 0x13, b"STI-PA Inc")]);
        let other = name(&[
            (&[0x55, 4, 10], 0x13, b"STI-PA Inc"),
            (&[0x55, 4, 3], 0x13, b"CRL2"),
        ]);
        assert_eq!(folded(&one), folded(&same));
        for different in [swapped, shorter, other] {
            assert_ne!(folded(&one), folded(&different));
        }
    }

    #[test]
    fn profiles_see_the_last_common_name() {
        let both = name(&[(&[0x55, 4, 3], 0x0c, b"a"), (&[0x55, 4, 3], 0x0c, b"b")]);
        assert_eq!(
            profile_attributes(&both),
            (Some("b".to_owned()), false, false)
        );
        assert_eq!(profile_attributes(&[]), (None, false, false));
        let lower = name(&[(&[0x55, 4, 6], 0x13, b"us"), (&[0x55, 4, 10], 0x13, b"o")]);
        assert_eq!(profile_attributes(&lower), (None, false, true));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_unsafe_is_shown(octets in prop::collection::vec(any::<u8>(), 0..80), value in ".{0,40}") {
            let _ = (text(&octets), folded(&octets), profile_attributes(&octets));
            let shown = text(&name(&[(&[0x55, 4, 3], 0x0c, value.as_bytes())]));
            prop_assert!(!shown.chars().any(super::is_unsafe_to_show));
        }
    }
}
