//! Cryptography as terms: exact about who can make and read what, and cheap.
//!
//! A key agreement is a function of the two public halves that only the holder of a secret half is
//! given; a signature is a function of the public key and the message that only the holder of the
//! private key is given. Nobody in the model computes either without the secret, so nothing can be
//! forged, and nothing else than holding a key opens or signs (the rules of Dolev and Yao). The
//! certificates are real; signatures on them are verified once each and remembered. What is between
//! agreement and blob (HKDF, AEAD, padding) is the real code.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use sha2::{Digest, Sha256};

/// The single random octet that sessions draw to spread their polls and stores: this one does not hold
/// up stores, and makes polls come a fifth early, which is when a step of time has been rounded up to.
const NO_JITTER: u8 = 0;

/// Whose randomness is drawn at present. A session's randomness is a function of which session it is,
/// so that the same session in the same circumstances does the same.
#[derive(Default)]
struct Stream {
    label: Vec<u8>,
    drawn: u64,
}

/// The provider of every party.
#[derive(Default)]
pub(crate) struct SymbolicCrypto {
    stream: Mutex<Stream>,
    publics: Mutex<HashMap<[u8; 32], P256PublicKey>>,
    real: Mutex<HashMap<[u8; 32], bool>>,
    /// A mutation: every signature holds.
    pub(crate) believes_anything: AtomicBool,
}

pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u32::try_from(part.len()).unwrap().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl SymbolicCrypto {
    /// Randomness is drawn from the stream `label` from now on, from its beginning.
    pub(crate) fn draw_from(&self, label: &[u8]) {
        *self.stream.lock().unwrap() = Stream {
            label: label.to_vec(),
            drawn: 0,
        };
    }

    /// The signature of the holder of `key`: r and s are hashes, made small enough for the field.
    pub(crate) fn signature_by(key: &P256PublicKey, message: &[u8]) -> Es256Signature {
        let mut raw = [0; 64];
        for (half, name) in raw.chunks_exact_mut(32).zip([b"r", b"s"]) {
            half.copy_from_slice(&digest(&[name, key.as_sec1(), message]));
            half[0] = 0;
        }
        Es256Signature::from_raw(&raw).unwrap()
    }

    fn public_of(&self, secret: &SecretKey) -> Result<P256PublicKey, Reason> {
        if let Some(known) = self.publics.lock().unwrap().get(secret.expose()) {
            return Ok(*known);
        }
        let octets = RustCrypto.public_key(Curve::P256, secret)?;
        let public = P256PublicKey::from_sec1(&octets)?;
        let mut publics = self.publics.lock().unwrap();
        publics.insert(*secret.expose(), public);
        Ok(public)
    }
}

fn point_of(secret: &SecretKey) -> [u8; 32] {
    digest(&[b"point", secret.expose()])
}

impl CryptoProvider for SymbolicCrypto {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        if let [octet] = out {
            *octet = NO_JITTER;
            return Ok(());
        }
        let mut stream = self.stream.lock().unwrap();
        for block in out.chunks_mut(32) {
            stream.drawn += 1;
            let fresh = digest(&[b"random", &stream.label, &stream.drawn.to_be_bytes()]);
            block.copy_from_slice(&fresh[..block.len()]);
        }
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        if self.believes_anything.load(Ordering::Relaxed) {
            return true;
        }
        if Self::signature_by(key, message) == *sig {
            return true;
        }
        // A certificate's, or nobody's.
        let about = digest(&[key.as_sec1(), message, sig.as_raw()]);
        if let Some(known) = self.real.lock().unwrap().get(&about) {
            return *known;
        }
        let holds = RustCrypto.verify_es256(key, message, sig);
        self.real.lock().unwrap().insert(about, holds);
        holds
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        Ok(Self::signature_by(&self.public_of(secret)?, message))
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        let mut octets = [0; 32];
        self.fill_random(&mut octets)?;
        let secret = SecretKey::new(octets);
        let public = self.public_key(curve, &secret)?;
        Ok(GeneratedKey { secret, public })
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        match curve {
            Curve::X25519 => Ok(point_of(secret).to_vec()),
            _ => Ok(self.public_of(secret)?.as_sec1().to_vec()),
        }
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        if curve != Curve::X25519 {
            return Err(Reason::KeyAgreementFailed);
        }
        let own = point_of(secret);
        let (low, high) = if own.as_slice() < peer {
            (own.as_slice(), peer)
        } else {
            (peer, own.as_slice())
        };
        Ok(SharedSecret::new(digest(&[b"agreed", low, high])))
    }
}
