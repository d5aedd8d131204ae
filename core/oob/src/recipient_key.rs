//! The public key that a blob is sealed to.

use core::fmt;

use ringtrue_stir::crypto::P256PublicKey;
use ringtrue_stir::{Reason, base64url};
use sha2::{Digest as _, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::{Suite, hybrid_key};

/// A checked public encryption key with its suite.
///
/// S1: a point of P-256 other than the identity, 65 octets, uncompressed. S2: 32 octets that are not of
/// low order. S3 and S4: an ML-KEM-768 encapsulation key with reduced coefficients and one of the keys
/// above behind it, in every build.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecipientKey {
    suite: Suite,
    public: Vec<u8>,
}

impl RecipientKey {
    /// Checks and keeps the raw public key.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] for a wrong length, a point off the curve, a low-order X25519 key or an
    /// ML-KEM key that is not reduced (PRV-9, W-14).
    pub fn new(suite: Suite, public: &[u8]) -> Result<Self, Reason> {
        if public.len() != suite.public_key_len() {
            return Err(Reason::MalformedKey);
        }
        match suite {
            Suite::S1 => {
                P256PublicKey::from_sec1(public)?;
            }
            Suite::S2 => refuse_low_order(public)?,
            Suite::S3 | Suite::S4 => hybrid_key::check_public(suite, public)?,
        }
        Ok(Self {
            suite,
            public: public.to_vec(),
        })
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The raw public key.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.public
    }

    /// The key's short name in a key statement: base64url of the first eight octets of SHA-256 over the
    /// suite's name and the raw key. For caches; never checked, never on a blob (W-12, PRV-7).
    #[must_use]
    pub fn kid(&self) -> String {
        let digest: [u8; 32] = Sha256::new_with_prefix(self.suite.name())
            .chain_update(&self.public)
            .finalize()
            .into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        base64url::encode(&[a, b, c, d, e, f, g, h])
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientKey({}, ..)", self.suite.name())
    }
}

/// Refuses an X25519 key that is not 32 octets or is of low order.
///
/// X25519 scalars are multiples of the cofactor, so that any of them takes exactly the low-order points
/// to the all-zero result. The scalar is no secret.
pub(crate) fn refuse_low_order(public: &[u8]) -> Result<(), Reason> {
    let public: [u8; 32] = public.try_into().map_err(|_| Reason::MalformedKey)?;
    let product = StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(public));
    if product.was_contributory() {
        Ok(())
    } else {
        Err(Reason::MalformedKey)
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::Reason;
    use ringtrue_stir::crypto::{CryptoProvider as _, Curve, RustCrypto};

    use super::RecipientKey;
    use crate::Suite;

    /// Every encoding of a point of order 1, 2, 4 or 8 of Curve25519 and its twist, with and without
    /// the ignored top bit.
    fn low_order_keys() -> Vec<[u8; 32]> {
        let mut p = [0xff; 32];
        p[0] = 0xed;
        p[31] = 0x7f;
        let near_p = |first: u8| {
            let mut key = p;
            key[0] = first;
            key
        };
        let mut one = [0; 32];
        one[0] = 1;
        let order_8 = [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ]
        .map(|hex| {
            let mut key = [0; 32];
            for (octet, pair) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
                *octet = u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
            }
            key
        });
        let mut keys = vec![[0; 32], one, near_p(0xec), p, near_p(0xee)];
        keys.extend(order_8);
        for index in 0..keys.len() {
            let mut key = keys[index];
            key[31] |= 0x80;
            keys.push(key);
        }
        keys
    }

    #[test]
    fn s2_refuses_every_low_order_key() {
        for key in low_order_keys() {
            assert_eq!(
                RecipientKey::new(Suite::S2, &key),
                Err(Reason::MalformedKey)
            );
        }
    }

    #[test]
    fn s1_refuses_compressed_identity_and_points_off_the_curve() {
        let good = RustCrypto.generate(Curve::P256).unwrap().public;
        assert!(RecipientKey::new(Suite::S1, &good).is_ok());
        let mut off = good.clone();
        off[64] ^= 1;
        let mut hybrid = good.clone();
        hybrid[0] = 6;
        let mut compressed = good[..33].to_vec();
        compressed[0] = 2;
        let mut identity = vec![0; 65];
        identity[0] = 4;
        for key in [
            off,
            hybrid,
            compressed,
            identity,
            vec![0; 65],
            vec![0],
            vec![],
        ] {
            assert_eq!(
                RecipientKey::new(Suite::S1, &key),
                Err(Reason::MalformedKey)
            );
        }
    }

    #[test]
    fn a_key_of_another_suite_or_length_is_refused() {
        let p256 = RustCrypto.generate(Curve::P256).unwrap().public;
        let x25519 = RustCrypto.generate(Curve::X25519).unwrap().public;
        for (suite, key) in [
            (Suite::S1, x25519.as_slice()),
            (Suite::S2, p256.as_slice()),
            (Suite::S2, &x25519[..31]),
            (Suite::S3, p256.as_slice()),
            (Suite::S4, &[0; 1216]),
        ] {
            assert_eq!(RecipientKey::new(suite, key), Err(Reason::MalformedKey));
        }
    }

    /// A key of S3 or S4 whose lattice half is these octets over and over.
    fn hybrid(suite: Suite, lattice: [u8; 3], classical: &[u8]) -> Result<RecipientKey, Reason> {
        let mut public: Vec<u8> = lattice.iter().copied().cycle().take(1152).collect();
        public.extend([7; 32]);
        public.extend(classical);
        RecipientKey::new(suite, &public)
    }

    #[test]
    fn a_hybrid_key_is_refused_for_either_half_in_every_build() {
        let p256 = RustCrypto.generate(Curve::P256).unwrap().public;
        let x25519 = RustCrypto.generate(Curve::X25519).unwrap().public;
        let malformed = Err(Reason::MalformedKey);
        for (suite, good) in [(Suite::S3, &x25519), (Suite::S4, &p256)] {
            // Coefficients 0, 3328 in either place, and one of 3329 or 4095 (FIPS 203 section 7.2).
            for reduced in [[0, 0, 0], [0x00, 0x0d, 0x00], [0x00, 0x00, 0xd0]] {
                assert!(hybrid(suite, reduced, good).is_ok());
            }
            for not_reduced in [
                [0x01, 0x0d, 0x00],
                [0x00, 0x10, 0xd0],
                [0xff, 0x0f, 0x00],
                [0x00, 0xf0, 0xff],
                [0xff; 3],
            ] {
                assert_eq!(hybrid(suite, not_reduced, good), malformed);
            }
        }
        for key in low_order_keys() {
            assert_eq!(hybrid(Suite::S3, [0; 3], &key), malformed);
        }
        let mut off = p256.clone();
        off[64] ^= 1;
        let mut identity = vec![0; 65];
        identity[0] = 4;
        for key in [off, identity, vec![0; 65]] {
            assert_eq!(hybrid(Suite::S4, [0; 3], &key), malformed);
        }
        // One octet more or less, and the other suite's length.
        assert_eq!(hybrid(Suite::S3, [0; 3], &x25519[1..]), malformed);
        assert_eq!(hybrid(Suite::S4, [0; 3], &p256[1..]), malformed);
        assert_eq!(hybrid(Suite::S3, [0; 3], &p256), malformed);
        assert_eq!(hybrid(Suite::S4, [0; 3], &x25519), malformed);
    }

    #[test]
    fn kid_names_suite_and_key() {
        // SHA-256 of "S2" and the octets 09 00 … 00, first eight octets.
        let mut base = [0; 32];
        base[0] = 9;
        let key = RecipientKey::new(Suite::S2, &base).unwrap();
        assert_eq!(key.kid().len(), 11);
        let other = RustCrypto.generate(Curve::X25519).unwrap().public;
        assert_ne!(
            key.kid(),
            RecipientKey::new(Suite::S2, &other).unwrap().kid()
        );
        assert!(!format!("{key:?}").contains('9'));
    }
}
