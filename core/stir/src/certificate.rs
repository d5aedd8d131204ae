//! STIR certificates: parsing, bags, anchors, and paths with the authority over numbers along them.
//!
//! A [`Certificate`] was parsed, a [`VerifiedPath`] was checked; only [`verify_path`] makes the latter.
//! Nothing is fetched here: lists by reference and revocation lists come in through [`PathRules`].

mod anchors;
mod bag;
mod constraints;
mod crl;
mod inspect;
mod name;
mod parse;
mod path;
mod profile;
mod request;
mod rules;
mod scope;
pub mod sct;
mod search;
mod signature;
mod structure;

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

pub use anchors::TrustAnchors;
pub(crate) use bag::BASE64;
pub use bag::CertificateBag;
pub use constraints::ClaimConstraints;
pub use crl::{MAX_CRL_LEN, RevocationList, VerifiedRevocationList};
pub use inspect::{CrlDistributionPoint, ExtensionSummary, KeyKind};
pub use path::{Authority, VerifiedPath, verify_path};
pub use profile::Profile;
pub use request::{
    CertificateRequest, MAX_CERTIFICATE_REQUEST_LEN, RequestSubject, UnsignedCertificateRequest,
};
pub use rules::{PathRules, ReferencedLists, evaluation_time};
use signature::{IssuerKey, Signature, Tolerance};

use crate::crypto::{CryptoProvider, P256PublicKey};
use crate::tn_auth_list::TnAuthList;
use crate::{Reason, UnixTime, X5u};

/// The largest certificate that is read. Live ones have about 1 KiB; a long TNAuthList needs more.
pub const MAX_CERTIFICATE_LEN: usize = 16 * 1024;

/// The most certificates of a bag and of a path, anchor included (CRT-42, W-1).
pub const MAX_CERTIFICATES: usize = 8;

/// An X.509 certificate that was parsed, not verified. Cloning is cheap.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

/// What checks need, taken out of the DER once.
struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    /// 1 to 3.
    version: u32,
    /// The content of the INTEGER.
    serial: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    not_before: UnixTime,
    not_after: UnixTime,
    /// The DER SubjectPublicKeyInfo.
    spki: Vec<u8>,
    spki_digest: [u8; 32],
    /// `None` for a key that is not an uncompressed P-256 point.
    key: Option<P256PublicKey>,
    issuer_key: IssuerKey,
    signature: Signature,
    is_ca: bool,
    path_len: Option<u64>,
    key_usage: Option<KeyUsage>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    tn_auth_list: Option<TnAuthList>,
    /// A TNAuthList exists behind a URL (CRT-8, CRT-9).
    has_list_by_reference: bool,
    constraints: Option<ClaimConstraints>,
    /// A CA certificate has claim constraints, which say nothing there (CRT-25).
    has_ignored_constraints: bool,
    has_unknown_critical_extension: bool,
    /// All extensions in their order.
    extensions: Vec<Extension>,
}

/// An extension as it came.
struct Extension {
    /// The content of the object identifier.
    name: Vec<u8>,
    critical: bool,
    value: Vec<u8>,
}

/// The named bits of keyUsage, `digitalSignature` the highest of 16.
#[derive(Clone, Copy)]
struct KeyUsage {
    bits: u16,
    /// Whether the count of unused bits is the one DER wants (CRT-71).
    is_minimal: bool,
}

impl KeyUsage {
    const DIGITAL_SIGNATURE: u16 = 0x8000;
    const KEY_CERT_SIGN: u16 = 0x0400;
    const CRL_SIGN: u16 = 0x0200;

    const fn has(self, bit: u16) -> bool {
        self.bits & bit != 0
    }
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
    /// - [`Reason::MalformedCertificate`]: anything else that is no certificate in strict DER, a repeated
    ///   extension, one in a certificate of another version than 3, or both kinds of claim constraints
    ///   in one (CRT-25).
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

    /// The claims that the certificate lets its holder sign, if it says so. `None` also for a CA, whose
    /// constraints mean nothing (CRT-25).
    ///
    /// Source: RFC 8226 section 8; RFC 9118 section 3.
    #[must_use]
    pub fn claim_constraints(&self) -> Option<&ClaimConstraints> {
        self.0.constraints.as_ref()
    }

    /// The https URL of the TNAuthList that the certificate refers to, if it does (CRT-8). Whoever
    /// fetches it does so under the rules of `x5u`; other forms of URL read as none.
    ///
    /// Source: RFC 8226 section 10.1.
    #[must_use]
    pub fn tn_auth_list_url(&self) -> Option<X5u> {
        inspect::tn_auth_list_url(self)
    }

    /// Whether the certificate refers to a TNAuthList, whatever the URL.
    #[must_use]
    pub fn has_tn_auth_list_by_reference(&self) -> bool {
        self.0.has_list_by_reference
    }

    /// Whether `issuer`'s key made the ES256 signature on this certificate. Looks at nothing else.
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
            .es256()
            .ok_or(Reason::UnsupportedCertificateKey)?;
        if provider.verify_es256(issuer, self.signed_octets(), signature) {
            Ok(())
        } else {
            Err(Reason::SignatureInvalid)
        }
    }

    /// Whether the key of `issuer` made the signature, also with what `tolerance` lets pass.
    fn verify_issued_by(
        &self,
        provider: &dyn CryptoProvider,
        issuer: &Self,
        tolerance: Tolerance,
    ) -> Result<(), Reason> {
        let signed = self.signed_octets();
        self.0.signature.verify(provider, issuer, signed, tolerance)
    }

    /// The octets that the issuer signed: the DER TBSCertificate as it arrived.
    pub(crate) fn signed_octets(&self) -> &[u8] {
        self.0.der.get(self.0.tbs.clone()).unwrap_or_default()
    }

    /// The DER SubjectPublicKeyInfo as it arrived.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// The value of the extension whose object identifier has this content.
    pub(crate) fn extension(&self, name: &[u8]) -> Option<&[u8]> {
        let mut extensions = self.0.extensions.iter();
        let found = extensions.find(|extension| extension.name == name);
        found.map(|extension| extension.value.as_slice())
    }
}
