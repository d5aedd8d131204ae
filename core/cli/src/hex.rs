//! Octets as people write them: in hexadecimal.

/// An argument in hexadecimal.
#[derive(Clone)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

/// Reads hexadecimal digits, in pairs, of either case.
pub(crate) fn hex(text: &str) -> Result<Hex, String> {
    let wrong = || "not pairs of hexadecimal digits".to_owned();
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong());
    }
    pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?))
        .collect::<Option<_>>()
        .map(Hex)
        .ok_or_else(wrong)
}

/// Octets in hexadecimal, lower case.
pub(crate) fn text(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
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
