//! The little DER that the certificate library does not write.

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag of a constructed, context-specific element `[number]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element out of the parts of its content.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    let len = content.len().to_be_bytes();
    let start = len.iter().position(|octet| *octet != 0).unwrap_or(7);
    let len = len.get(start..).unwrap_or_default();
    match len {
        [octet @ ..=0x7f] => der.push(*octet),
        octets => {
            // At most eight octets.
            der.push(0x80 | u8::try_from(octets.len()).unwrap_or(8));
            der.extend_from_slice(octets);
        }
    }
    der.extend(content);
    der
}

/// A SEQUENCE of elements.
pub(crate) fn sequence_of(elements: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &[&elements.concat()])
}

/// An OBJECT IDENTIFIER with at least two components.
pub(crate) fn object_identifier(components: &[u64]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut put = |value: u64| {
        let groups = value.checked_ilog2().unwrap_or(0) / 7;
        for group in (0..=groups).rev() {
            let bits = u8::try_from((value >> group.saturating_mul(7)) & 0x7f).unwrap_or(0);
            content.push(if group > 0 { bits | 0x80 } else { bits });
        }
    };
    if let [first, second, rest @ ..] = components {
        put(first.saturating_mul(40).saturating_add(*second));
        rest.iter().copied().for_each(put);
    }
    element(OBJECT_IDENTIFIER, &[&content])
}

#[cfg(test)]
mod tests {
    use super::{SEQUENCE, element, object_identifier};

    #[test]
    fn lengths_and_identifiers_are_in_their_shortest_form() {
        assert_eq!(element(SEQUENCE, &[]), [0x30, 0]);
        assert_eq!(element(SEQUENCE, &[&[7; 127]])[..2], [0x30, 127]);
        assert_eq!(element(SEQUENCE, &[&[7; 128]])[..3], [0x30, 0x81, 128]);
        assert_eq!(element(SEQUENCE, &[&[7; 300]])[..4], [0x30, 0x82, 1, 44]);
        assert_eq!(
            object_identifier(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2]),
            [6, 10, 0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2]
        );
        assert_eq!(
            object_identifier(&[2, 16, 840, 1, 114_569, 1, 1, 3]),
            [6, 10, 0x60, 0x86, 0x48, 1, 0x86, 0xff, 9, 1, 1, 3]
        );
        assert_eq!(object_identifier(&[2, 5, 29, 0]), [6, 3, 0x55, 0x1d, 0]);
    }
}
