//! The pure-Rust provider: `p256` and its sisters, `x25519-dalek` and the platform's generator.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, IssuerCurve, IssuerDigest, IssuerEcdsa,
    P256PublicKey, SecretKey, SharedSecret, signature_value,
};
use crate::Reason;

/// The default provider of the pure crates. Signatures are deterministic (RFC 6979). It supports all
/// of [`IssuerEcdsa`] and no RSA.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

fn p256_secret(secret: &SecretKey) -> Result<p256::SecretKey, Reason> {
    p256::SecretKey::from_slice(secret.expose()).map_err(|_| Reason::MalformedKey)
}

impl CryptoProvider for RustCrypto {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        getrandom::fill(out).map_err(|_| Reason::RandomnessUnavailable)
    }

    fn verify_es256(
        &self,
        key: &P256PublicKey,
        message: &[u8],
        signature: &Es256Signature,
    ) -> bool {
        let (Ok(key), Ok(signature)) = (
            p256::ecdsa::VerifyingKey::from_sec1_bytes(key.as_sec1()),
            p256::ecdsa::Signature::from_slice(signature.as_raw()),
        ) else {
            return false;
        };
        key.verify(message, &signature).is_ok()
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        let key = p256::ecdsa::SigningKey::from(p256_secret(secret)?);
        let signature: p256::ecdsa::Signature =
            key.try_sign(message).map_err(|_| Reason::SignerFailed)?;
        Es256Signature::from_raw(&signature.to_bytes())
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        loop {
            let mut secret = SecretKey::new([0; 32]);
            secret.fill_with(|octets| self.fill_random(octets))?;
            // A random string is outside the scalar range of P-256 with probability 2^-32.
            match self.public_key(curve, &secret) {
                Ok(public) => return Ok(GeneratedKey { secret, public }),
                Err(Reason::MalformedKey) => {}
                Err(other) => return Err(other),
            }
        }
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        match curve {
            Curve::P256 => {
                use p256::elliptic_curve::sec1::ToSec1Point as _;
                Ok(p256_secret(secret)?
                    .public_key()
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec())
            }
            Curve::X25519 => {
                let secret = StaticSecret::from(*secret.expose());
                Ok(PublicKey::from(&secret).as_bytes().to_vec())
            }
        }
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        match curve {
            Curve::P256 => {
                // Compressed points are valid, but not what any message carries.
                let peer = P256PublicKey::from_sec1(peer)?;
                let peer = p256::PublicKey::from_sec1_bytes(peer.as_sec1())
                    .map_err(|_| Reason::MalformedKey)?;
                let secret = p256_secret(secret)?;
                let shared =
                    p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), peer.as_affine());
                SharedSecret::from_slice(shared.raw_secret_bytes())
            }
            Curve::X25519 => {
                let peer: [u8; 32] = peer.try_into().map_err(|_| Reason::MalformedKey)?;
                let secret = StaticSecret::from(*secret.expose());
                let shared = secret.diffie_hellman(&PublicKey::from(peer));
                if !shared.was_contributory() {
                    return Err(Reason::MalformedKey);
                }
                SharedSecret::from_slice(shared.as_bytes())
            }
        }
    }

    fn verify_issuer_ecdsa(
        &self,
        algorithm: IssuerEcdsa,
        point: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let hash = match algorithm.digest {
            IssuerDigest::Sha256 => Sha256::digest(message).to_vec(),
            IssuerDigest::Sha384 => Sha384::digest(message).to_vec(),
            IssuerDigest::Sha512 => Sha512::digest(message).to_vec(),
        };
        macro_rules! verify {
            ($curve:ident, $width:literal) => {{
                let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point).ok();
                let signature = signature_value::read(signature, $width)
                    .and_then(|raw| $curve::ecdsa::Signature::from_slice(&raw).ok());
                let (Some(key), Some(signature)) = (key, signature) else {
                    return Some(false);
                };
                Some(key.verify_prehash(&hash, &signature).is_ok())
            }};
        }
        match algorithm.curve {
            IssuerCurve::P256 => verify!(p256, 32),
            IssuerCurve::P384 => verify!(p384, 48),
            IssuerCurve::P521 => verify!(p521, 66),
        }
    }
}
