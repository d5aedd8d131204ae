//! The fast crypto provider, on the library that the TLS back end brings anyway.

use std::sync::Arc;

use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, IssuerCurve, IssuerDigest, IssuerEcdsa,
    P256PublicKey, PreparedKey, SecretKey, SharedSecret,
};
use zeroize::Zeroizing;

/// The provider on aws-lc-rs. Accepts and refuses exactly what
/// [`ringtrue_stir::crypto::RustCrypto`] does, several times faster; signatures are randomised.
///
/// Keys are parsed on each call, so that no cache of secrets is left behind, except where the caller
/// holds a prepared one.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLcCrypto;

/// An RFC 5915 `ECPrivateKey` of P-256 without its public key, around the 32 octets of the scalar:
/// with the public key absent the library derives it once, where its other entry derives it twice.
const EC_PRIVATE_KEY_HEAD: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const EC_PRIVATE_KEY_TAIL: [u8; 12] = [
    0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
];

fn algorithm(curve: Curve) -> Result<&'static agreement::Algorithm, Reason> {
    match curve {
        Curve::P256 => Ok(&ECDH_P256),
        Curve::X25519 => Ok(&X25519),
        // A curve that a later version of the seam knows and this provider does not.
        _ => Err(Reason::Internal),
    }
}

fn private_key(curve: Curve, secret: &SecretKey) -> Result<PrivateKey, Reason> {
    PrivateKey::from_private_key(algorithm(curve)?, secret.expose())
        .map_err(|_| Reason::MalformedKey)
}

fn parsed(curve: Curve, secret: &SecretKey) -> Result<ParsedKey, Reason> {
    Ok(ParsedKey {
        curve,
        algorithm: algorithm(curve)?,
        key: private_key(curve, secret)?,
    })
}

/// The library also reads compressed points and SubjectPublicKeyInfo; the suites have one encoding.
fn has_the_one_encoding(curve: Curve, peer: &[u8]) -> bool {
    match curve {
        Curve::P256 => peer.len() == 65 && peer.first() == Some(&4),
        Curve::X25519 => peer.len() == 32,
        _ => false,
    }
}

/// A key that is parsed once: that takes a third of an agreement's time.
struct ParsedKey {
    curve: Curve,
    algorithm: &'static agreement::Algorithm,
    key: PrivateKey,
}

impl PreparedKey for ParsedKey {
    fn agree(&self, peer: &[u8]) -> Result<SharedSecret, Reason> {
        if !has_the_one_encoding(self.curve, peer) {
            return Err(Reason::MalformedKey);
        }
        agreement::agree(
            &self.key,
            UnparsedPublicKey::new(self.algorithm, peer),
            Reason::MalformedKey,
            SharedSecret::from_slice,
        )
    }
}

impl CryptoProvider for AwsLcCrypto {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        rand::fill(out).map_err(|_| Reason::RandomnessUnavailable)
    }

    fn verify_es256(
        &self,
        key: &P256PublicKey,
        message: &[u8],
        signature: &Es256Signature,
    ) -> bool {
        signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_sec1())
            .verify(message, signature.as_raw())
            .is_ok()
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        // The exact capacity, so that the buffer is never moved and its one copy is overwritten.
        let mut der = Zeroizing::new(Vec::with_capacity(51));
        der.extend_from_slice(&EC_PRIVATE_KEY_HEAD);
        der.extend_from_slice(secret.expose());
        der.extend_from_slice(&EC_PRIVATE_KEY_TAIL);
        let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .map_err(|_| Reason::MalformedKey)?;
        let signature = key
            .sign(&SystemRandom::new(), message)
            .map_err(|_| Reason::SignerFailed)?;
        Es256Signature::from_raw(signature.as_ref())
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
        let public = private_key(curve, secret)?
            .compute_public_key()
            .map_err(|_| Reason::MalformedKey)?;
        Ok(public.as_ref().to_vec())
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        parsed(curve, secret)?.agree(peer)
    }

    fn prepare(&self, curve: Curve, secret: &SecretKey) -> Option<Arc<dyn PreparedKey>> {
        let key = parsed(curve, secret).ok()?;
        Some(Arc::new(key))
    }

    fn verify_issuer_ecdsa(
        &self,
        algorithm: IssuerEcdsa,
        point: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let (len, parameters) = match (algorithm.curve, algorithm.digest) {
            (IssuerCurve::P256, IssuerDigest::Sha256) => (65, &signature::ECDSA_P256_SHA256_ASN1),
            (IssuerCurve::P256, IssuerDigest::Sha384) => (65, &signature::ECDSA_P256_SHA384_ASN1),
            (IssuerCurve::P256, IssuerDigest::Sha512) => (65, &signature::ECDSA_P256_SHA512_ASN1),
            (IssuerCurve::P384, IssuerDigest::Sha256) => (97, &signature::ECDSA_P384_SHA256_ASN1),
            (IssuerCurve::P384, IssuerDigest::Sha384) => (97, &signature::ECDSA_P384_SHA384_ASN1),
            (IssuerCurve::P384, IssuerDigest::Sha512) => (97, &signature::ECDSA_P384_SHA512_ASN1),
            (IssuerCurve::P521, IssuerDigest::Sha256) => (133, &signature::ECDSA_P521_SHA256_ASN1),
            (IssuerCurve::P521, IssuerDigest::Sha384) => (133, &signature::ECDSA_P521_SHA384_ASN1),
            (IssuerCurve::P521, IssuerDigest::Sha512) => (133, &signature::ECDSA_P521_SHA512_ASN1),
        };
        // The library also reads compressed points; certificates here have one encoding.
        let is_uncompressed = point.len() == len && point.first() == Some(&4);
        let key = signature::UnparsedPublicKey::new(parameters, point);
        Some(is_uncompressed && key.verify(message, signature).is_ok())
    }

    fn verify_rs256(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let parameters = &signature::RSA_PKCS1_2048_8192_SHA256;
        let key = signature::UnparsedPublicKey::new(parameters, spki_der);
        Some(key.verify(message, signature).is_ok())
    }
}
