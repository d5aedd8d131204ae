//! Unpadded base64url, in its one canonical spelling.
//!
//! Two texts never decode to the same octets: padding, unused bits that are set, line breaks and the
//! standard alphabet are refused.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Reason;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Writes octets as unpadded base64url.
///
/// Source: RFC 7515 section 2.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    ENGINE.encode(octets)
}

/// Reads unpadded base64url. The caller has bounded the length.
///
/// # Errors
///
/// [`Reason::MalformedToken`] for any other spelling.
///
/// Source: RFC 7515 section 2; RFC 4648 section 3.5 (PPT-1).
pub fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    ENGINE.decode(text).map_err(|_| Reason::MalformedToken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};
    use crate::Reason;

    #[test]
    fn refuses_every_other_spelling() {
        for text in [
            "QQ==", "QR", "QUJ", "+/+/", "QU I", "QUI\n", "Q", "QQ=", "é",
        ] {
            assert_eq!(decode(text), Err(Reason::MalformedToken), "{text:?}");
        }
        assert_eq!(decode("QQ"), Ok(b"A".to_vec()));
        assert_eq!(decode(""), Ok(Vec::new()));
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }

    proptest! {
        #[test]
        fn octets_come_back(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode(&encode(&octets)), Ok(octets));
        }

        #[test]
        fn a_text_that_decodes_is_the_only_one(text in "[A-Za-z0-9_=+/-]{0,12}") {
            if let Ok(octets) = decode(&text) {
                prop_assert_eq!(encode(&octets), text);
            }
        }
    }
}
