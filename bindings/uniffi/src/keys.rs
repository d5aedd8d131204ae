//! Keys that the application holds, and one that it does not.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{HostError, RingTrueError};

/// A signature in the form the key store gives it.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DeviceSignature {
    /// A DER `ECDSA-Sig-Value`.
    Der {
        /// The DER.
        octets: Vec<u8>,
    },
    /// r then s, 32 octets each.
    Raw {
        /// The 64 octets.
        octets: Vec<u8>,
    },
}

impl From<DeviceSignature> for ringtrue::DeviceSignature {
    fn from(signature: DeviceSignature) -> Self {
        match signature {
            DeviceSignature::Der { octets } => Self::Der(octets),
            DeviceSignature::Raw { octets } => Self::Raw(octets),
        }
    }
}

impl From<ringtrue::DeviceSignature> for DeviceSignature {
    fn from(signature: ringtrue::DeviceSignature) -> Self {
        match signature {
            ringtrue::DeviceSignature::Der(octets) => Self::Der { octets },
            ringtrue::DeviceSignature::Raw(octets) => Self::Raw { octets },
        }
    }
}

/// The private key of the STIR credential, wherever it lives.
///
/// Called on a thread of the library that may block. Every signature is checked against the public
/// key before it is used, so that a key store which hashes twice is noticed. Whatever is thrown
/// becomes `signer_failed`.
#[uniffi::export(rust, foreign)]
pub trait Signer: Send + Sync {
    /// The public half of the key: an uncompressed P-256 point, 65 octets beginning with 4. Asked for
    /// once, when the endpoint is opened.
    ///
    /// # Errors
    ///
    /// `Failed` if the key store is locked, was cancelled or failed.
    fn public_key(&self) -> Result<Vec<u8>, HostError>;

    /// Signs. `message` is what the signature is over and `digest` its SHA-256: use whichever the key
    /// store's interface takes, and hash no further in the second case.
    ///
    /// # Errors
    ///
    /// `Failed` if the key store is locked, was cancelled or failed.
    fn sign(&self, message: Vec<u8>, digest: Vec<u8>) -> Result<DeviceSignature, HostError>;
}

/// A P-256 key-agreement key in hardware, for suite S1.
///
/// Called on a thread of the library that may block. Whatever is thrown becomes
/// `key_agreement_failed`.
#[uniffi::export(rust, foreign)]
pub trait KeyAgreement: Send + Sync {
    /// The public half of the key: an uncompressed P-256 point, 65 octets beginning with 4. Asked for
    /// once, when the endpoint is opened.
    ///
    /// # Errors
    ///
    /// `Failed` if the key store is locked, was cancelled or failed.
    fn public_key(&self) -> Result<Vec<u8>, HostError>;

    /// Plain ECDH with `peer` (an uncompressed point, already checked to be on the curve): the X
    /// coordinate, 32 octets, without any key derivation. Variants with a built-in KDF are wrong here.
    ///
    /// # Errors
    ///
    /// `Failed` if the key store is locked, was cancelled or failed.
    fn agree(&self, peer: Vec<u8>) -> Result<Vec<u8>, HostError>;
}

/// A credential key in memory, from an unencrypted PKCS#8 `PRIVATE KEY` PEM block. Prefer a hardware
/// key where there is one. The application overwrites its own copy of the text.
///
/// # Errors
///
/// `malformed_pem` unless it holds a P-256 key.
#[uniffi::export]
pub fn software_signer(pkcs8_pem: String) -> Result<Arc<dyn Signer>, RingTrueError> {
    let pem = Zeroizing::new(pkcs8_pem);
    Ok(Arc::new(SoftwareSigner(
        ringtrue::SoftwareSigner::from_pkcs8_pem(&pem)?,
    )))
}

struct SoftwareSigner(ringtrue::SoftwareSigner);

impl Signer for SoftwareSigner {
    fn public_key(&self) -> Result<Vec<u8>, HostError> {
        Ok(ringtrue::Signer::public_key(&self.0).as_sec1().to_vec())
    }

    fn sign(&self, message: Vec<u8>, digest: Vec<u8>) -> Result<DeviceSignature, HostError> {
        let digest = <[u8; 32]>::try_from(digest).map_err(|_| HostError::Failed)?;
        let signature = ringtrue::Signer::sign(&self.0, &message, &digest);
        signature
            .map(DeviceSignature::from)
            .map_err(|_| HostError::Failed)
    }
}

/// An encryption key in memory, from an unencrypted PKCS#8 `PRIVATE KEY` PEM block: for tests, and inside
/// a key agreement of the application's own. An endpoint without key agreement makes its own keys, and
/// changes them; prefer that. The application overwrites its own copy of the text.
///
/// # Errors
///
/// `malformed_pem` unless it holds a P-256 key.
#[uniffi::export]
pub fn software_key_agreement(pkcs8_pem: String) -> Result<Arc<dyn KeyAgreement>, RingTrueError> {
    let pem = Zeroizing::new(pkcs8_pem);
    Ok(Arc::new(SoftwareKeyAgreement(
        ringtrue::SoftwareKeyAgreement::from_pkcs8_pem(&pem)?,
    )))
}

struct SoftwareKeyAgreement(ringtrue::SoftwareKeyAgreement);

impl KeyAgreement for SoftwareKeyAgreement {
    fn public_key(&self) -> Result<Vec<u8>, HostError> {
        let public = ringtrue::KeyAgreement::public_key(&self.0);
        Ok(public.as_sec1().to_vec())
    }

    fn agree(&self, peer: Vec<u8>) -> Result<Vec<u8>, HostError> {
        let peer = ringtrue::P256PublicKey::from_sec1(&peer).map_err(|_| HostError::Failed)?;
        ringtrue::KeyAgreement::agree(&self.0, &peer).map_err(|_| HostError::Failed)
    }
}

/// The application's signer as the core wants it, with the public key at hand.
pub(crate) struct HostSigner {
    signer: Arc<dyn Signer>,
    public: ringtrue::P256PublicKey,
}

impl HostSigner {
    /// Asks for the public key.
    pub(crate) fn new(signer: Arc<dyn Signer>) -> Result<Self, ringtrue::Reason> {
        let octets = signer
            .public_key()
            .map_err(|_| ringtrue::Reason::SignerFailed)?;
        Ok(Self {
            public: ringtrue::P256PublicKey::from_sec1(&octets)?,
            signer,
        })
    }
}

impl ringtrue::Signer for HostSigner {
    fn public_key(&self) -> ringtrue::P256PublicKey {
        self.public
    }

    fn sign(
        &self,
        message: &[u8],
        digest: &[u8; 32],
    ) -> Result<ringtrue::DeviceSignature, ringtrue::Reason> {
        let signature = self.signer.sign(message.to_vec(), digest.to_vec());
        signature
            .map(ringtrue::DeviceSignature::from)
            .map_err(|_| ringtrue::Reason::SignerFailed)
    }
}

/// The application's key agreement as the core wants it, with the public key at hand.
pub(crate) struct HostKeyAgreement {
    agreement: Arc<dyn KeyAgreement>,
    public: ringtrue::P256PublicKey,
}

impl HostKeyAgreement {
    /// Asks for the public key.
    pub(crate) fn new(agreement: Arc<dyn KeyAgreement>) -> Result<Self, ringtrue::Reason> {
        let octets = agreement
            .public_key()
            .map_err(|_| ringtrue::Reason::KeyAgreementFailed)?;
        Ok(Self {
            public: ringtrue::P256PublicKey::from_sec1(&octets)?,
            agreement,
        })
    }
}

impl ringtrue::KeyAgreement for HostKeyAgreement {
    fn public_key(&self) -> ringtrue::P256PublicKey {
        self.public
    }

    fn agree(&self, peer: &ringtrue::P256PublicKey) -> Result<Vec<u8>, ringtrue::Reason> {
        let shared = self.agreement.agree(peer.as_sec1().to_vec());
        shared.map_err(|_| ringtrue::Reason::KeyAgreementFailed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ringtrue::Signer as _;

    use super::{DeviceSignature, HostKeyAgreement, HostSigner, KeyAgreement, Signer};
    use crate::{HostError, RingTrueError, software_key_agreement, software_signer};

    /// RFC 6979 appendix A.2.5, as PKCS#8.
    const KEY_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCDJr6nYRbp1FmtcIVdn\n\
        sdaTTlDD2zbomxJ7imIrEg9nIQ==\n\
        -----END PRIVATE KEY-----\n";

    /// The encryption key "callee S1" of the protocol vectors.
    const OTHER_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCAX4Kl3PIls+4KUMRB8\n\
        n/FlB3szho8YkNdoo9EqAU/7Iw==\n\
        -----END PRIVATE KEY-----\n";

    /// Says one thing of its key and another with every call.
    struct Fake {
        public: Result<Vec<u8>, HostError>,
        result: Result<Vec<u8>, HostError>,
    }

    impl Signer for Fake {
        fn public_key(&self) -> Result<Vec<u8>, HostError> {
            self.public.clone()
        }

        fn sign(&self, _: Vec<u8>, digest: Vec<u8>) -> Result<DeviceSignature, HostError> {
            assert_eq!(digest, [7; 32]);
            self.result
                .clone()
                .map(|octets| DeviceSignature::Raw { octets })
        }
    }

    impl KeyAgreement for Fake {
        fn public_key(&self) -> Result<Vec<u8>, HostError> {
            self.public.clone()
        }

        fn agree(&self, peer: Vec<u8>) -> Result<Vec<u8>, HostError> {
            assert_eq!(Ok(peer), self.public);
            self.result.clone()
        }
    }

    fn point() -> Vec<u8> {
        software_signer(KEY_PEM.to_owned())
            .unwrap()
            .public_key()
            .unwrap()
    }

    #[test]
    fn a_software_signer_signs_for_its_public_key() {
        let signer = software_signer(KEY_PEM.to_owned()).unwrap();
        let point = signer.public_key().unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));
        assert_eq!(point[1..5], [0x60, 0xfe, 0xd4, 0xba]);
        let DeviceSignature::Raw { octets } = signer.sign(vec![1], vec![0; 32]).unwrap() else {
            panic!("not raw");
        };
        assert_eq!(octets.len(), 64);
        assert_eq!(
            signer.sign(vec![1], vec![0; 31]).err(),
            Some(HostError::Failed)
        );
    }

    #[test]
    fn a_software_signer_refuses_what_is_no_key() {
        for pem in [
            "",
            "key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            let error = software_signer(pem.to_owned()).err();
            let expected: RingTrueError = ringtrue::Reason::MalformedPem.into();
            assert_eq!(error, Some(expected));
        }
    }

    #[test]
    fn software_keys_agree_on_the_same_secret_and_refuse_what_is_no_point() {
        let one = software_key_agreement(KEY_PEM.to_owned()).unwrap();
        let other = software_key_agreement(OTHER_PEM.to_owned()).unwrap();
        assert_eq!(one.public_key(), Ok(point()));
        let shared = one.agree(other.public_key().unwrap()).unwrap();
        assert_eq!(other.agree(point()), Ok(shared.clone()));
        assert_eq!(shared.len(), 32);
        for wrong in [Vec::new(), vec![4; 65], point()[1..].to_vec()] {
            assert_eq!(one.agree(wrong), Err(HostError::Failed));
        }
        assert!(software_key_agreement("key".to_owned()).is_err());
    }

    #[test]
    fn a_signer_that_fails_is_named() {
        let failing = Fake {
            public: Err(HostError::Failed),
            result: Err(HostError::Failed),
        };
        let reason = HostSigner::new(Arc::new(failing)).err();
        assert_eq!(reason, Some(ringtrue::Reason::SignerFailed));
        let locked = Fake {
            public: Ok(point()),
            result: Err(HostError::Failed),
        };
        let signer = HostSigner::new(Arc::new(locked)).unwrap();
        assert_eq!(
            signer.sign(b"m", &[7; 32]).err(),
            Some(ringtrue::Reason::SignerFailed)
        );
    }

    #[test]
    fn a_signature_keeps_its_form() {
        let raw = Fake {
            public: Ok(point()),
            result: Ok(vec![1; 64]),
        };
        let signer = HostSigner::new(Arc::new(raw)).unwrap();
        let expected = ringtrue::DeviceSignature::Raw(vec![1; 64]);
        assert!(signer.sign(b"m", &[7; 32]) == Ok(expected));
        let der = DeviceSignature::Der { octets: vec![48] };
        assert!(ringtrue::DeviceSignature::from(der) == ringtrue::DeviceSignature::Der(vec![48]));
    }

    #[test]
    fn a_public_key_that_is_no_point_is_refused() {
        for octets in [Vec::new(), vec![4; 65], point()[1..].to_vec()] {
            let key = Fake {
                public: Ok(octets),
                result: Ok(Vec::new()),
            };
            let key = Arc::new(key);
            let reason = HostSigner::new(key.clone()).err();
            assert_eq!(reason, Some(ringtrue::Reason::MalformedKey));
            let reason = HostKeyAgreement::new(key).err();
            assert_eq!(reason, Some(ringtrue::Reason::MalformedKey));
        }
    }

    #[test]
    fn a_key_agreement_that_fails_is_named() {
        let failing = Fake {
            public: Err(HostError::Failed),
            result: Ok(Vec::new()),
        };
        let reason = HostKeyAgreement::new(Arc::new(failing)).err();
        assert_eq!(reason, Some(ringtrue::Reason::KeyAgreementFailed));
        let locked = Fake {
            public: Ok(point()),
            result: Err(HostError::Failed),
        };
        let agreement = HostKeyAgreement::new(Arc::new(locked)).unwrap();
        let peer = ringtrue::KeyAgreement::public_key(&agreement);
        let shared = ringtrue::KeyAgreement::agree(&agreement, &peer);
        assert_eq!(shared, Err(ringtrue::Reason::KeyAgreementFailed));
    }

    #[test]
    fn a_key_agreement_hands_the_point_over_and_the_secret_back() {
        let key = Fake {
            public: Ok(point()),
            result: Ok(vec![9; 32]),
        };
        let agreement = HostKeyAgreement::new(Arc::new(key)).unwrap();
        let peer = ringtrue::KeyAgreement::public_key(&agreement);
        assert_eq!(
            ringtrue::KeyAgreement::agree(&agreement, &peer),
            Ok(vec![9; 32])
        );
    }
}
