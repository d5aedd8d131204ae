//! STIR certificates: parsing, bags, anchors, and paths with the authority over numbers along them.
//!
//! A [`Certificate`] was parsed, a [`VerifiedPath`] was checked; only [`verify_path`] makes the latter.
//! Nothing is fetched here, and revocation is not checked.

mod anchors;
mod bag;
mod constraints;
mod parse;
mod path;
mod request;
pub mod sct;

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

pub use anchors::TrustAnchors;
pub use bag::CertificateBag;
pub(crate) use constraints::ClaimConstraints;
pub use path::{Authority, VerifiedPath, verify_path};
pub use request::{
    CertificateRequest, MAX_CERTIFICATE_REQUEST_LEN, RequestSubject, UnsignedCertificateRequest,
};

use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey};
use crate::tn_auth_list::TnAuthList;
use crate::{Reason, UnixTime};

/// The largest certificate that is read. Live ones have about 1 KiB; a long TNAuthList needs more.
pub const MAX_CERTIFICATE_LEN: usize = 16 * 1024;

/// The most certificates of a bag and of a path, anchor included (CRT-42, W-1).
pub const MAX_CERTIFICATES: usize = 8;

/// Which rules apply beyond those of RFC 8226.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Certificates of endpoints: every issuer below the anchor must state its scope (W-25).
    Delegate,
    /// Service-provider certificates as they are in use. The only one to accept an explicit NULL
    /// after the signature algorithm, as one large carrier writes it (CRT-70).
    Shaken,
    /// RFC 8226 and RFC 9060 as they stand.
    Stir,
}

/// An X.509 certificate that was parsed, not verified. Cloning is cheap.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

/// What checks need, taken out of the DER once.
struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    not_before: UnixTime,
    not_after: UnixTime,
    /// `None` for a key that is not an uncompressed P-256 point.
    key: Option<P256PublicKey>,
    spki_digest: [u8; 32],
    signature: Signature,
    is_ca: bool,
    path_len: Option<u64>,
    key_usage: Option<KeyUsage>,
    tn_auth_list: Option<TnAuthList>,
    /// A TNAuthList exists behind a URL that is never fetched here (CRT-8, CRT-9).
    has_list_by_reference: bool,
    constraints: Option<ClaimConstraints>,
    has_unknown_critical_extension: bool,
}

/// The issuer's signature.
struct Signature {
    /// `None` if it is not ecdsa-with-SHA256 or not a strict DER `ECDSA-Sig-Value`.
    value: Option<Es256Signature>,
    /// Whether an explicit NULL follows the algorithm (CRT-70).
    null_parameters: bool,
}

#[derive(Clone, Copy)]
struct KeyUsage {
    digital_signature: bool,
    key_cert_sign: bool,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(..)")
    }
}

/// The same octets.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Certificate {
    /// Parses one certificate of at most [`MAX_CERTIFICATE_LEN`] octets, nothing behind it.
    ///
    /// Certificates with keys other than P-256 parse; they just cannot sign anything that verifies.
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: above the limit.
    /// - [`Reason::MalformedTnAuthList`]: a TNAuthList is there and damaged (CRT-10).
    /// - [`Reason::MalformedCertificate`]: anything else that is no certificate, a repeated
    ///   extension, or both kinds of claim constraints in one (CRT-25).
    ///
    /// Source: RFC 5280 section 4; RFC 8226 sections 8 and 9.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, Reason> {
        parse::parse(der.into()).map(|parsed| Self(Arc::new(parsed)))
    }

    /// The certificate's octets.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The subject's public key, if it is a P-256 one.
    #[must_use]
    pub fn public_key(&self) -> Option<&P256PublicKey> {
        self.0.key.as_ref()
    }

    /// SHA-256 over the DER SubjectPublicKeyInfo: who a signer is, whatever certificate it has (W-11).
    #[must_use]
    pub fn spki_digest(&self) -> [u8; 32] {
        self.0.spki_digest
    }

    /// The first second of validity. Times before 1970 read as 0.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.0.not_before
    }

    /// The last second of validity.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.0.not_after
    }

    /// Whether `time` is within the validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, time: UnixTime) -> bool {
        (self.0.not_before..=self.0.not_after).contains(&time)
    }

    /// Whether basicConstraints says so. Such a certificate signs no tokens (CRT-37).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.is_ca
    }

    /// Whether issuer and subject have the same name, as a root's have.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.0.issuer == self.0.subject
    }

    /// The numbers and providers it speaks for, if it says so itself.
    #[must_use]
    pub fn tn_auth_list(&self) -> Option<&TnAuthList> {
        self.0.tn_auth_list.as_ref()
    }

    /// Whether `issuer`'s key made the signature on this certificate. Looks at nothing else.
    ///
    /// # Errors
    ///
    /// - [`Reason::UnsupportedCertificateKey`]: the algorithm or the issuer's key is not ES256's.
    /// - [`Reason::SignatureInvalid`]: another key made it.
    pub fn verify_signature(
        &self,
        provider: &dyn CryptoProvider,
        issuer: &P256PublicKey,
    ) -> Result<(), Reason> {
        let signature = self
            .0
            .signature
            .value
            .as_ref()
            .ok_or(Reason::UnsupportedCertificateKey)?;
        let signed = self.0.der.get(self.0.tbs.clone()).unwrap_or_default();
        if provider.verify_es256(issuer, signed, signature) {
            Ok(())
        } else {
            Err(Reason::SignatureInvalid)
        }
    }
}
