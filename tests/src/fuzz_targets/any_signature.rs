//! A provider to which every signature is good, so that what comes behind the signature is reached.

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, SecretKey, SharedSecret,
};

/// Two small scalars, base64url: a signature in form.
pub(super) const SIGNATURE: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ";

/// The generator of P-256, uncompressed.
pub(super) const POINT: [u8; 65] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
    0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
    0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
    0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
    0xf5,
];

/// Some key.
#[expect(clippy::expect_used, reason = "a fixed point")]
pub(super) fn a_key() -> P256PublicKey {
    P256PublicKey::from_sec1(&POINT).expect("the generator")
}

pub(super) struct AnySignature;

impl CryptoProvider for AnySignature {
    fn fill_random(&self, _: &mut [u8]) -> Result<(), Reason> {
        Err(Reason::RandomnessUnavailable)
    }

    fn verify_es256(&self, _: &P256PublicKey, _: &[u8], _: &Es256Signature) -> bool {
        true
    }

    fn sign_es256(&self, _: &SecretKey, _: &[u8]) -> Result<Es256Signature, Reason> {
        Err(Reason::SignerFailed)
    }

    fn generate(&self, _: Curve) -> Result<GeneratedKey, Reason> {
        Err(Reason::RandomnessUnavailable)
    }

    fn public_key(&self, _: Curve, _: &SecretKey) -> Result<Vec<u8>, Reason> {
        Err(Reason::MalformedKey)
    }

    fn agree(&self, _: Curve, _: &SecretKey, _: &[u8]) -> Result<SharedSecret, Reason> {
        Err(Reason::MalformedKey)
    }
}
