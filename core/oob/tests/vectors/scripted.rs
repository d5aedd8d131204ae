//! Cryptography whose randomness is the vector's.
use std::sync::Mutex;

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};

/// The platform's cryptography, except that random octets are the given ones, in their order.
pub(crate) struct Scripted(Mutex<Vec<Vec<u8>>>);

impl Scripted {
    pub(crate) fn new<const N: usize>(draws: [Vec<u8>; N]) -> Self {
        Self(Mutex::new(draws.into_iter().rev().collect()))
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

impl CryptoProvider for Scripted {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        let draw = self.0.lock().unwrap().pop();
        out.copy_from_slice(&draw.ok_or(Reason::RandomnessUnavailable)?);
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
