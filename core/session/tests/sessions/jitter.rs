//! Cryptography whose jitter is known, so that every time in a test is.

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};

/// The octet that moves no poll by more than a thousandth.
pub(crate) const NOMINAL: u8 = 128;

/// The platform's cryptography, except that every single random octet is the same.
pub(crate) struct FixedJitter(pub(crate) u8);

impl CryptoProvider for FixedJitter {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        match out {
            [octet] => *octet = self.0,
            _ => RustCrypto.fill_random(out)?,
        }
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}
