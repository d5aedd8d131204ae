//! The sealed PASSporT ("blob") as a checked octet string: layout, form and text encoding.
//!
//! Not here: what is inside. [`crate::seal`] and [`crate::open`] do that.

use core::fmt;

use ringtrue_stir::crypto::P256PublicKey;
use ringtrue_stir::{Reason, base64url};

use crate::suite::{HEADER_LEN, TAG_LEN};
use crate::{SizeClass, Suite};

/// The only version.
const VERSION: u8 = 1;

/// A blob of the right form: length, version, suite and size class agree (W-19).
///
/// Whether the encapsulated key is valid and whether anything opens is not known: a dummy has the same
/// form. [`fmt::Debug`] shows suite and class only.
///
/// ```text
/// offset  size  field
/// 0       1     version 01
/// 1       6     KEM, KDF, AEAD identifier, big-endian
/// 7       1     size class: 01 = 4096 octets, 02 = 16384, 03 = 8192
/// 8       Nenc  encapsulated key
///         rest  ciphertext, then the 16 octets of the tag
/// ```
///
/// Source: docs/protocol.md section 6.1 (PRV-5, W-19, W-31).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Blob {
    suite: Suite,
    class: SizeClass,
    octets: Vec<u8>,
}

impl Blob {
    /// The most characters a blob has as text: class two.
    pub const MAX_TEXT_LEN: usize = text_len(SizeClass::Two.blob_len());

    /// Checks and takes over the octets.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedBlob`] for another version, an unknown suite, a class that does not belong
    /// to the suite or a length that is not the one of the class.
    pub fn from_octets(octets: Vec<u8>) -> Result<Self, Reason> {
        let Some(&[version, a, b, c, d, e, f, class]) = octets.first_chunk::<HEADER_LEN>() else {
            return Err(Reason::MalformedBlob);
        };
        let suite = Suite::from_id_bytes(&[a, b, c, d, e, f]).ok_or(Reason::MalformedBlob)?;
        let class = SizeClass::from_id(class).ok_or(Reason::MalformedBlob)?;
        if version == VERSION && suite.allows(class) && octets.len() == class.blob_len() {
            Ok(Self {
                suite,
                class,
                octets,
            })
        } else {
            Err(Reason::MalformedBlob)
        }
    }

    /// Reads a blob as it stands in a message: unpadded base64url.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedBlob`] for anything that is not strict base64url of a well-formed blob.
    pub fn from_text(text: &str) -> Result<Self, Reason> {
        // Nothing is decoded that cannot be a blob.
        if !SizeClass::ALL
            .iter()
            .any(|class| text_len(class.blob_len()) == text.len())
        {
            return Err(Reason::MalformedBlob);
        }
        base64url::decode(text)
            .map_err(|_| Reason::MalformedBlob)
            .and_then(Self::from_octets)
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The size class.
    #[must_use]
    pub const fn class(&self) -> SizeClass {
        self.class
    }

    /// All octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.octets
    }

    /// All octets, without a copy.
    #[must_use]
    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    /// The text form: unpadded base64url, 5462 characters in class one.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64url::encode(&self.octets)
    }

    /// The sender's encapsulated key, not validated.
    #[must_use]
    pub fn enc(&self) -> &[u8] {
        self.parts().map_or(&[], |parts| parts.enc)
    }

    /// The sender's ephemeral point, checked, for a device that does the ECDH (S1 only).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if it is no point of P-256 (PRV-9), [`Reason::SuiteUnsupported`] for
    /// a blob of another suite.
    pub fn peer_point(&self) -> Result<P256PublicKey, Reason> {
        match self.suite {
            Suite::S1 => P256PublicKey::from_sec1(self.enc()),
            _ => Err(Reason::SuiteUnsupported),
        }
    }

    pub(crate) fn parts(&self) -> Result<Parts<'_>, Reason> {
        let malformed = Reason::MalformedBlob;
        let (header, rest) = self.octets.split_at_checked(HEADER_LEN).ok_or(malformed)?;
        let (enc, rest) = rest
            .split_at_checked(self.suite.enc_len())
            .ok_or(malformed)?;
        let text_len = rest.len().checked_sub(TAG_LEN).ok_or(malformed)?;
        let (ciphertext, tag) = rest.split_at_checked(text_len).ok_or(malformed)?;
        Ok(Parts {
            header,
            enc,
            ciphertext,
            tag,
        })
    }

    /// The header of a blob, which is also the additional authenticated data.
    pub(crate) const fn header(suite: Suite, class: SizeClass) -> [u8; HEADER_LEN] {
        let [a, b, c, d, e, f] = suite.id_bytes();
        [VERSION, a, b, c, d, e, f, class.id()]
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {:?}, ..)", self.suite.name(), self.class)
    }
}

/// A blob cut at its boundaries.
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) enc: &'a [u8],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) tag: &'a [u8],
}

/// Characters of unpadded base64url for that many octets.
const fn text_len(octets: usize) -> usize {
    octets.saturating_mul(4).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_stir::Reason;

    use super::Blob;
    use crate::{SizeClass, Suite};

    fn well_formed(suite: Suite, class: SizeClass) -> Vec<u8> {
        let mut octets = Blob::header(suite, class).to_vec();
        octets.resize(class.blob_len(), 0x5a);
        octets
    }

    #[test]
    fn every_suite_is_known_by_form_in_its_classes_only() {
        for suite in Suite::ALL {
            for class in SizeClass::ALL {
                let blob = Blob::from_octets(well_formed(*suite, *class));
                if suite.allows(*class) {
                    let blob = blob.unwrap();
                    assert_eq!((blob.suite(), blob.class()), (*suite, *class));
                    assert_eq!(blob.enc().len(), suite.enc_len());
                    assert_eq!(Blob::from_text(&blob.to_text()), Ok(blob));
                } else {
                    assert_eq!(blob, Err(Reason::MalformedBlob));
                }
            }
        }
    }

    #[test]
    fn refuses_any_change_of_the_header_that_leaves_the_table() {
        let good = well_formed(Suite::S1, SizeClass::One);
        for index in 0..8 {
            for value in 0..=255 {
                let mut octets = good.clone();
                octets[index] = value;
                let known = octets[0] == 1
                    && Suite::from_id_bytes(&octets[1..7]).is_some_and(|s| s.class().id() == 1)
                    && octets[7] == 1;
                assert_eq!(Blob::from_octets(octets).is_ok(), known);
            }
        }
    }

    #[test]
    fn refuses_every_other_length() {
        let good = well_formed(Suite::S2, SizeClass::One);
        for len in [0, 1, 7, 8, 40, 4095] {
            assert_eq!(
                Blob::from_octets(good[..len].to_vec()),
                Err(Reason::MalformedBlob)
            );
        }
        for len in [4097, 8192, 16384] {
            let mut longer = good.clone();
            longer.resize(len, 0);
            assert_eq!(Blob::from_octets(longer), Err(Reason::MalformedBlob));
        }
    }

    #[test]
    fn text_is_strict_base64url() {
        let text = Blob::from_octets(well_formed(Suite::S1, SizeClass::One))
            .unwrap()
            .to_text();
        assert_eq!(text.len(), 5462);
        let last = &text[5461..];
        assert_eq!(last, "g", "the two unused bits are zero");
        for bad in [
            format!("{text}="),
            format!("{text}=="),
            format!("{}h", &text[..5461]),
            format!("{} ", &text[..5461]),
            format!("{}\n", &text[..5461]),
            format!("{}+{}", &text[..99], &text[100..]),
            text[..5461].to_owned(),
            String::new(),
            "A".repeat(100_000_000),
        ] {
            assert_eq!(Blob::from_text(&bad), Err(Reason::MalformedBlob));
        }
    }

    #[test]
    fn the_longest_text_is_that_of_class_two() {
        let blob = Blob::from_octets(well_formed(Suite::S1, SizeClass::Two)).unwrap();
        assert_eq!(blob.to_text().len(), Blob::MAX_TEXT_LEN);
    }

    #[test]
    fn debug_shows_no_content() {
        let blob = Blob::from_octets(well_formed(Suite::S1, SizeClass::One)).unwrap();
        assert_eq!(format!("{blob:?}"), "Blob(S1, One, ..)");
    }

    #[test]
    fn only_s1_has_a_point_and_only_one_on_the_curve() {
        let s1 = Blob::from_octets(well_formed(Suite::S1, SizeClass::One)).unwrap();
        assert_eq!(s1.peer_point(), Err(Reason::MalformedKey));
        let s2 = Blob::from_octets(well_formed(Suite::S2, SizeClass::One)).unwrap();
        assert_eq!(s2.peer_point(), Err(Reason::SuiteUnsupported));
    }

    proptest! {
        #[test]
        fn reading_never_panics(octets in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            prop_assert!(Blob::from_octets(octets).is_err());
            prop_assert!(Blob::from_text(&text).is_err());
        }
    }
}
