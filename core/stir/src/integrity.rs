//! Integrity digests: the algorithm's name, a hyphen and the digest in base64.
//!
//! `rcdi` (rich call data) and `msgi` (messages) use them. What the digest is made over is the
//! business of each claim.

use core::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::Reason;

/// The longest text of a digest: `sha512-`, 86 characters and `==`.
pub const MAX_DIGEST_LEN: usize = 95;

/// Standard alphabet, padding already removed, one spelling only.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The hash functions that every reader supports; others are refused, as nothing could be checked.
///
/// Source: RFC 9795 section 6; RFC 9475 section 3.2 (PPT-73, PPT-95).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `sha256`, 32 octets.
    #[default]
    Sha256,
    /// `sha384`, 48 octets.
    Sha384,
    /// `sha512`, 64 octets.
    Sha512,
}

impl DigestAlgorithm {
    /// The name as it stands in a digest: lower case, no hyphen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// How many octets a digest has.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    fn hash(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(octets).to_vec(),
            Self::Sha384 => Sha384::digest(octets).to_vec(),
            Self::Sha512 => Sha512::digest(octets).to_vec(),
        }
    }
}

/// What some content must hash to. Two are equal when algorithm and digest are, however they were
/// written.
///
/// [`fmt::Debug`] hides the digest: that of a short name tells the name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IntegrityDigest {
    algorithm: DigestAlgorithm,
    /// [`DigestAlgorithm::digest_len`] octets.
    digest: Vec<u8>,
}

impl IntegrityDigest {
    /// Reads a digest. The `=` at the end may be there or not, since published examples disagree.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedDigest`]: another algorithm or spelling of its name, base64url, any other
    /// spelling of base64, or a length that is not the algorithm's.
    ///
    /// Source: RFC 9795 section 6; RFC 9475 section 3.2 (PPT-73, PPT-82, PPT-95, PPT-96).
    pub fn parse(text: &str) -> Result<Self, Reason> {
        read(text).ok_or(Reason::MalformedDigest)
    }

    /// The digest of `octets`.
    #[must_use]
    pub fn compute(algorithm: DigestAlgorithm, octets: &[u8]) -> Self {
        Self {
            algorithm,
            digest: algorithm.hash(octets),
        }
    }

    /// Whether this is the digest of `octets`. Nothing about it is secret, so time may vary.
    #[must_use]
    pub fn matches(&self, octets: &[u8]) -> bool {
        self.digest == self.algorithm.hash(octets)
    }

    /// The hash function.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The digest as text, without `=` as in the examples of RFC 9795.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}-{}", self.algorithm.name(), ENGINE.encode(&self.digest))
    }
}

fn read(text: &str) -> Option<IntegrityDigest> {
    if text.len() > MAX_DIGEST_LEN {
        return None;
    }
    let (name, base64) = text.split_once('-')?;
    let algorithm = DigestAlgorithm::from_name(name)?;
    let unpadded = base64.trim_end_matches('=');
    // All or none of the padding, so that no third spelling exists.
    if unpadded.len() != base64.len() && base64.len() % 4 != 0 {
        return None;
    }
    let digest = ENGINE.decode(unpadded).ok()?;
    // The padding of another length would be too much or too little.
    let fits = digest.len() == algorithm.digest_len()
        && base64.len() <= unpadded.len().next_multiple_of(4);
    fits.then_some(IntegrityDigest { algorithm, digest })
}

impl fmt::Debug for IntegrityDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DigestAlgorithm, IntegrityDigest, MAX_DIGEST_LEN};
    use crate::Reason;

    const ALL: [DigestAlgorithm; 3] = [
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ];

    /// RFC 9795 section 7.
    const NAM: &str = "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY";

    #[test]
    fn the_printed_digest_is_that_of_the_quoted_name() {
        let digest = IntegrityDigest::parse(NAM).unwrap();
        assert_eq!(digest.algorithm(), DigestAlgorithm::Sha256);
        assert!(digest.matches(b"\"Q Branch Spy Gadgets\""));
        assert!(!digest.matches(b"Q Branch Spy Gadgets"));
        assert_eq!(digest.to_text(), NAM);
        assert_eq!(
            IntegrityDigest::compute(DigestAlgorithm::Sha256, b"\"Q Branch Spy Gadgets\""),
            digest
        );
    }

    #[test]
    fn padding_may_be_complete_or_absent_and_nothing_between() {
        for algorithm in ALL {
            let digest = IntegrityDigest::compute(algorithm, b"x");
            let text = digest.to_text();
            let padding = (3 - algorithm.digest_len() % 3) % 3;
            for signs in 0..6 {
                let padded = format!("{text}{}", "=".repeat(signs));
                let expected = if signs == 0 || signs == padding {
                    Ok(digest.clone())
                } else {
                    Err(Reason::MalformedDigest)
                };
                assert_eq!(IntegrityDigest::parse(&padded), expected, "{padded}");
            }
        }
        let longest = IntegrityDigest::compute(DigestAlgorithm::Sha512, b"").to_text();
        assert_eq!(longest.len() + 2, MAX_DIGEST_LEN);
    }

    #[test]
    fn refuses_other_names_alphabets_and_lengths() {
        // The digest that RFC 9475 prints as sha256 has the length of sha384.
        let mislabelled = IntegrityDigest::compute(DigestAlgorithm::Sha384, b"x")
            .to_text()
            .replace("sha384", "sha256");
        for text in [
            "",
            "-",
            "sha256",
            "sha256-",
            "sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "SHA256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha-256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha1-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "md5-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha256-sM275lTgzCte-LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImZ",
            "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQIm",
            "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImYA",
            "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY\n",
            " sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha256-sM275lTgzCte LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha384-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha256-é",
            &mislabelled,
            &format!("{NAM}{}", "A".repeat(200)),
        ] {
            assert_eq!(
                IntegrityDigest::parse(text),
                Err(Reason::MalformedDigest),
                "{text:?}"
            );
        }
    }

    #[test]
    fn debug_output_hides_the_digest() {
        let digest = IntegrityDigest::parse(NAM).unwrap();
        assert_eq!(format!("{digest:?}"), "IntegrityDigest(..)");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            octets in prop::collection::vec(any::<u8>(), 0..80),
            other in prop::collection::vec(any::<u8>(), 0..80),
            at in 0_usize..3,
        ) {
            let digest = IntegrityDigest::compute(ALL[at], &octets);
            prop_assert_eq!(IntegrityDigest::parse(&digest.to_text()), Ok(digest.clone()));
            prop_assert!(digest.matches(&octets));
            prop_assert_eq!(digest.matches(&other), octets == other);
        }

        #[test]
        fn a_text_that_reads_has_two_spellings_at_most(
            text in "(sha256|sha384|sha512|sha-256)-[A-Za-z0-9+/]{42,43}[AEIMQUYcgkosw048]={0,2}",
        ) {
            if let Ok(digest) = IntegrityDigest::parse(&text) {
                prop_assert_eq!(digest.to_text(), text.trim_end_matches('='));
            }
        }

        #[test]
        fn parse_never_panics(text in "(sha256-|sha512-)?.{0,100}") {
            let _ = IntegrityDigest::parse(&text);
        }
    }
}
