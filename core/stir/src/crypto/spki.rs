//! P-256 public keys as certificates, requests and key files write them.

use super::P256PublicKey;
use crate::Reason;

/// Everything of a SubjectPublicKeyInfo before an uncompressed P-256 point: DER leaves no choice
/// (RFC 5480 section 2).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl P256PublicKey {
    /// The key as DER SubjectPublicKeyInfo, 91 octets.
    ///
    /// Source: RFC 5480 section 2.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        [PREFIX.as_slice(), self.as_sec1()].concat()
    }

    /// Reads a DER SubjectPublicKeyInfo with a named curve and an uncompressed point.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] for anything else: another algorithm or curve, a compressed point, a
    /// point that is not on the curve, octets after it.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Reason> {
        der.strip_prefix(&PREFIX)
            .ok_or(Reason::MalformedKey)
            .and_then(Self::from_sec1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::Reason;
    use crate::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto, SecretKey};

    fn key(secret: [u8; 32]) -> Option<P256PublicKey> {
        let secret = SecretKey::new(secret);
        let sec1 = RustCrypto.public_key(Curve::P256, &secret).ok()?;
        P256PublicKey::from_sec1(&sec1).ok()
    }

    #[test]
    fn refuses_other_octets_than_those_of_a_p256_key() {
        let der = key([7; 32]).unwrap().to_spki_der();
        assert_eq!(der.len(), 91);
        let mut longer = der.clone();
        longer.push(0);
        for wrong in [&der[..90], &der[26..], &longer, &[]] {
            let refused = P256PublicKey::from_spki_der(wrong);
            assert_eq!(refused, Err(Reason::MalformedKey));
        }
        for index in 0..der.len() {
            let mut changed = der.clone();
            changed[index] ^= 1;
            assert!(P256PublicKey::from_spki_der(&changed).is_err(), "{index}");
        }
    }

    proptest! {
        #[test]
        fn keys_come_back(secret in any::<[u8; 32]>()) {
            if let Some(key) = key(secret) {
                prop_assert_eq!(P256PublicKey::from_spki_der(&key.to_spki_der()), Ok(key));
            }
        }
    }
}
