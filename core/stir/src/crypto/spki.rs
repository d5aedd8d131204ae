//! P-256 public keys as certificates, requests and key files write them.

use super::P256PublicKey;
use crate::Reason;

/// Everything of a SubjectPublicKeyInfo before an uncompressed P-256 point: DER leaves no choice
/// (RFC 5480 section 2).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// RFC 7468 section 13.
const PEM_LABEL: &str = "PUBLIC KEY";

/// The largest PEM text that is read: a key has some 180 octets, the rest is what tools write around it.
const MAX_PEM_LEN: usize = 4 * 1024;

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

    /// The key as a PEM block labelled `PUBLIC KEY`, ended by LF.
    ///
    /// Source: RFC 7468 section 13.
    #[must_use]
    pub fn to_spki_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new(PEM_LABEL, self.to_spki_der()), config)
    }

    /// Reads a text with one PEM block labelled `PUBLIC KEY`; text around it is ignored.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`] above 4 KiB, [`Reason::MalformedPem`] for no block, several, or another
    /// label, and those of [`P256PublicKey::from_spki_der`].
    pub fn from_spki_pem(text: &str) -> Result<Self, Reason> {
        if text.len() > MAX_PEM_LEN {
            return Err(Reason::TooLong);
        }
        if text.matches("-----BEGIN ").count() != 1 {
            return Err(Reason::MalformedPem);
        }
        let block = pem::parse(text).map_err(|_| Reason::MalformedPem)?;
        if block.tag() != PEM_LABEL {
            return Err(Reason::MalformedPem);
        }
        Self::from_spki_der(block.contents())
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

    #[test]
    fn refuses_texts_without_exactly_one_public_key() {
        let pem = key([7; 32]).unwrap().to_spki_pem();
        let refused = |text: &str| P256PublicKey::from_spki_pem(text).err();
        for text in [
            String::new(),
            "key".to_owned(),
            pem.replace("PUBLIC KEY", "PRIVATE KEY"),
            pem.replace("PUBLIC KEY", "EC PUBLIC KEY"),
            [pem.as_str(), pem.as_str()].concat(),
            pem.replace("-----END", "----END"),
        ] {
            assert_eq!(refused(&text), Some(Reason::MalformedPem), "{text}");
        }
        let other = pem::encode(&pem::Pem::new("PUBLIC KEY", vec![0x30, 0x00]));
        assert_eq!(refused(&other), Some(Reason::MalformedKey));
        let long = [pem.as_str(), &" ".repeat(4096)].concat();
        assert_eq!(refused(&long), Some(Reason::TooLong));
    }

    proptest! {
        #[test]
        fn keys_come_back(secret in any::<[u8; 32]>()) {
            if let Some(key) = key(secret) {
                let pem = format!("a key\n{}", key.to_spki_pem());
                prop_assert_eq!(P256PublicKey::from_spki_pem(&pem), Ok(key));
                prop_assert_eq!(P256PublicKey::from_spki_der(&key.to_spki_der()), Ok(key));
            }
        }
    }
}
