//! Signatures of authorities on certificates and revocation lists.

use std::sync::OnceLock;

use super::Certificate;
use crate::Reason;
use crate::crypto::{CryptoProvider, Es256Signature, IssuerCurve, IssuerDigest, IssuerEcdsa};
use crate::der::{self, Reader};

/// The contents of object identifiers.
mod oid {
    pub(super) const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    pub(super) const ECDSA_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
    pub(super) const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
    pub(super) const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Ecdsa(IssuerDigest),
    RsaSha256,
    Other,
}

/// The key of a certificate, as far as it can verify what an authority signed.
pub(super) enum IssuerKey {
    /// An uncompressed point.
    Ec(IssuerCurve, Vec<u8>),
    /// The length of the modulus in bits.
    Rsa(usize),
    Other,
}

/// Which signatures a link may have beyond ES256.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    /// An explicit NULL after an ECDSA algorithm (CRT-70).
    pub(super) null_parameters: bool,
    /// ECDSA with other curves or digests.
    pub(super) other_ecdsa: bool,
    /// RSA with SHA-256 (CRT-75).
    pub(super) rsa: bool,
}

/// An authority's signature as it was read; nothing is verified.
pub(super) struct Signature {
    algorithm: Algorithm,
    null_parameters: bool,
    octets: Vec<u8>,
    /// The value where the algorithm is ecdsa-with-SHA256 and the octets one of P-256.
    es256: Option<Es256Signature>,
    /// The SHA-256 of the SubjectPublicKeyInfo under which it was found good. What was signed never
    /// changes, so a chain that is kept costs its signature checks once (CRT-44).
    verified_with: OnceLock<[u8; 32]>,
}

impl Signature {
    /// `algorithm` is the content of an AlgorithmIdentifier, `bits` that of a BIT STRING.
    ///
    /// An algorithm that is not known, with unknown parameters too, reads as one that never verifies.
    pub(super) fn read(algorithm: &[u8], bits: &[u8]) -> Option<Self> {
        let mut members = Reader::new(algorithm);
        let name = members.expect(der::OBJECT_IDENTIFIER)?;
        let no_parameters = members.is_empty();
        let null_parameters = members.expect(der::NULL) == Some(&[]) && members.is_empty();
        let ecdsa = |digest| {
            // The tolerance is for exactly one algorithm (CRT-70).
            if no_parameters || (null_parameters && digest == IssuerDigest::Sha256) {
                Algorithm::Ecdsa(digest)
            } else {
                Algorithm::Other
            }
        };
        let (unused, octets) = bits.split_first()?;
        let algorithm = match name {
            _ if *unused != 0 => Algorithm::Other,
            oid::ECDSA_WITH_SHA256 => ecdsa(IssuerDigest::Sha256),
            oid::ECDSA_WITH_SHA384 => ecdsa(IssuerDigest::Sha384),
            oid::ECDSA_WITH_SHA512 => ecdsa(IssuerDigest::Sha512),
            // For RSA the NULL is the rule (RFC 4055 section 5).
            oid::SHA256_WITH_RSA if null_parameters => Algorithm::RsaSha256,
            _ => Algorithm::Other,
        };
        let es256 = (algorithm == Algorithm::Ecdsa(IssuerDigest::Sha256))
            .then(|| Es256Signature::from_der(octets).ok())
            .flatten();
        Some(Self {
            algorithm,
            null_parameters: null_parameters && matches!(algorithm, Algorithm::Ecdsa(_)),
            octets: octets.to_vec(),
            es256,
            verified_with: OnceLock::new(),
        })
    }

    /// The value, if it is one of ES256.
    pub(super) const fn es256(&self) -> Option<&Es256Signature> {
        self.es256.as_ref()
    }

    /// Whether an explicit NULL follows an ECDSA algorithm (CRT-70).
    pub(super) const fn has_null_parameters(&self) -> bool {
        self.null_parameters
    }

    /// Whether it is ecdsa-with-SHA256, whatever the curve.
    pub(super) fn is_ecdsa_with_sha256(&self) -> bool {
        self.algorithm == Algorithm::Ecdsa(IssuerDigest::Sha256)
    }

    /// Whether the key of `issuer` made it over `signed`, the octets as they arrived: always those of
    /// the certificate or list that this is the signature of.
    ///
    /// [`Reason::UnsupportedCertificateKey`] if the combination is not supported or not tolerated,
    /// [`Reason::SignatureInvalid`] if another key made it.
    pub(super) fn verify(
        &self,
        provider: &dyn CryptoProvider,
        issuer: &Certificate,
        signed: &[u8],
        tolerance: Tolerance,
    ) -> Result<(), Reason> {
        if self.null_parameters && !tolerance.null_parameters {
            return Err(Reason::UnsupportedCertificateKey);
        }
        if let (Some(key), Some(signature)) = (issuer.public_key(), &self.es256) {
            return verdict(self.once(issuer, || {
                Some(provider.verify_es256(key, signed, signature))
            }));
        }
        let verified = match (self.algorithm, &issuer.0.issuer_key) {
            // Above, unless the octets are no strict DER.
            (Algorithm::Ecdsa(IssuerDigest::Sha256), IssuerKey::Ec(IssuerCurve::P256, _)) => None,
            (Algorithm::Ecdsa(digest), IssuerKey::Ec(curve, point)) if tolerance.other_ecdsa => {
                let algorithm = IssuerEcdsa {
                    curve: *curve,
                    digest,
                };
                self.once(issuer, || {
                    provider.verify_issuer_ecdsa(algorithm, point, signed, &self.octets)
                })
            }
            (Algorithm::RsaSha256, IssuerKey::Rsa(_)) if tolerance.rsa => self.once(issuer, || {
                provider.verify_rs256(issuer.spki(), signed, &self.octets)
            }),
            _ => None,
        };
        verdict(verified)
    }

    /// Does `check` unless it was done for this issuer's key, and held.
    fn once(&self, issuer: &Certificate, check: impl FnOnce() -> Option<bool>) -> Option<bool> {
        let key = issuer.spki_digest();
        if self.verified_with.get() == Some(&key) {
            return Some(true);
        }
        let verified = check();
        if verified == Some(true) {
            // Two keys for one signature exist only by construction; the first stays remembered then.
            let _ = self.verified_with.set(key);
        }
        verified
    }
}

fn verdict(verified: Option<bool>) -> Result<(), Reason> {
    match verified {
        Some(true) => Ok(()),
        Some(false) => Err(Reason::SignatureInvalid),
        None => Err(Reason::UnsupportedCertificateKey),
    }
}
