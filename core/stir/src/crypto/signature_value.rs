//! The DER form of ECDSA signatures, as certificates and most key stores write them.

use crate::der::{self, Reader};

/// r then s, `width` octets each, out of one strict DER `ECDSA-Sig-Value`; `None` if it is not one or a
/// number is longer. Whether they are in the curve's range is left to the curve.
///
/// Source: RFC 3279 section 2.2.3.
pub(super) fn read(der: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut numbers = Reader::new(der::only(der, der::SEQUENCE)?);
    let mut raw = Vec::with_capacity(width.saturating_mul(2));
    for end in [width, width.saturating_mul(2)] {
        let digits = der::magnitude(numbers.expect(der::INTEGER)?)?;
        raw.resize(end.checked_sub(digits.len())?.max(raw.len()), 0);
        raw.extend_from_slice(digits);
        if raw.len() != end {
            return None;
        }
    }
    numbers.is_empty().then_some(raw)
}

/// The DER form of r then s, each half of `raw`.
pub(super) fn write(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let numbers = [der::unsigned_octets(r), der::unsigned_octets(s)];
    der::element(der::SEQUENCE, &numbers.concat())
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn numbers_are_as_wide_as_was_asked_for() {
        for raw in [
            [0, 1, 0, 2],
            [0x80, 0, 0, 0x80],
            [0xff, 0xff, 0x7f, 0xff],
            [0, 0, 0, 1],
        ] {
            assert_eq!(read(&write(&raw), 2), Some(raw.to_vec()));
        }
        assert_eq!(read(&write(&[1, 0x80]), 3), Some(vec![0, 0, 1, 0, 0, 0x80]));
    }

    #[test]
    fn refuses_everything_but_two_strict_numbers() {
        for der in [
            &[][..],
            &[0x30, 0],
            &[0x30, 3, 2, 1, 1],
            &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 3, 1, 1, 2, 1, 1],
            // Negative, not minimal, empty, too wide.
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 5, 2, 0, 2, 1, 1],
            &[0x30, 8, 2, 3, 1, 0, 0, 2, 1, 1],
            &[0x30, 8, 2, 1, 1, 2, 3, 1, 0, 0],
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
        ] {
            assert_eq!(read(der, 2), None, "{der:02x?}");
        }
    }
}
