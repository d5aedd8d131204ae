//! Octets as people write them: in hexadecimal.

/// An argument in hexadecimal.
#[derive(Clone)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

/// Reads hexadecimal digits, in pairs, of either case.
pub(crate) fn hex(text: &str) -> Result<Hex, String> {
    base16ct::mixed::decode_vec(text)
        .map(Hex)
        .map_err(|_| "not pairs of hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn hexadecimal_is_read_in_pairs_of_either_case() {
        assert_eq!(hex("00fFa0").unwrap().0, [0, 0xff, 0xa0]);
        assert!(hex("").unwrap().0.is_empty());
        for text in ["0", "0g", "0x00", "00 00", "é0", "+1"] {
            assert!(hex(text).is_err(), "{text}");
        }
    }
}
