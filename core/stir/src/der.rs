//! The little strict DER that number lists and constraints need.
//!
//! Single-octet tags, definite lengths in their shortest form. Everything else is refused.

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
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const IA5_STRING: u8 = 0x16;
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

/// A minimally encoded, non-negative INTEGER of at most 64 bits.
pub(crate) fn unsigned(content: &[u8]) -> Option<u64> {
    let (first, rest) = content.split_first()?;
    let minimal = match (first, rest.first()) {
        (0x00, Some(second)) => *second >= 0x80,
        (first, _) => *first < 0x80,
    };
    let digits = if *first == 0 { rest } else { content };
    if !minimal || digits.len() > 8 {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |value, octet| (value << 8) | u64::from(*octet)),
    )
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

    use super::{Reader, SEQUENCE, element, only, unsigned, unsigned_element};

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

    proptest! {
        #[test]
        fn elements_and_integers_come_back(value in any::<u64>(), len in 0usize..70_000) {
            let der = unsigned_element(value);
            prop_assert_eq!(only(&der, super::INTEGER).and_then(unsigned), Some(value));
            let der = element(SEQUENCE, &vec![7; len]);
            prop_assert_eq!(only(&der, SEQUENCE).map(<[u8]>::len), Some(len));
        }
    }
}
