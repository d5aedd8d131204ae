//! PASSporTs: base, `shaken` and `rsp`.
//!
//! [`Passport`] was parsed, [`VerifiedPassport`] was verified; only [`Passport::verify`] makes the
//! latter. [`PassportBuilder`] makes new ones and cannot make an invalid one. Freshness, replay and
//! the comparison with the call are the session's business, not done here.

mod builder;
mod claims;

use core::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

pub use builder::{PassportBuilder, UnsignedPassport};
pub use claims::{Attestation, Claims, Destinations, Identity};

use crate::Reason;
use crate::certificate::{Certificate, CertificateBag, VerifiedPath};
use crate::crypto::CryptoProvider;
use crate::jws::CompactJws;

/// The longest token that is read: room for a header `x5c` with a whole path (PPT-22).
pub const MAX_PASSPORT_LEN: usize = 16 * 1024;

/// What kind of PASSporT the header's `ppt` says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PassportType {
    /// No `ppt`: RFC 8225 alone.
    Base,
    /// `rsp`: who was reached; its signature vouches for `dest` (RFC 9970).
    Rsp,
    /// `shaken`: a provider's attestation (RFC 8588).
    Shaken,
    /// Another `ppt`. Such a token can be told apart and never verifies (PPT-14, W-28).
    Unsupported,
}

impl PassportType {
    fn from_ppt(ppt: Option<&str>) -> Self {
        match ppt {
            None => Self::Base,
            Some("rsp") => Self::Rsp,
            Some("shaken") => Self::Shaken,
            Some(_) => Self::Unsupported,
        }
    }

    const fn ppt(self) -> Option<&'static str> {
        match self {
            Self::Rsp => Some("rsp"),
            Self::Shaken => Some("shaken"),
            Self::Base | Self::Unsupported => None,
        }
    }
}

/// A PASSporT in full form that was parsed, not verified. Cloning is cheap.
///
/// [`fmt::Debug`] prints nothing of it.
///
/// Source: RFC 8225 sections 4 to 9.
#[derive(Clone)]
pub struct Passport(Arc<Parsed>);

struct Parsed {
    jws: CompactJws,
    kind: PassportType,
    claims: Claims,
}

impl fmt::Debug for Passport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passport(..)")
    }
}

impl Passport {
    /// Parses a token and checks its form.
    ///
    /// A token of an unsupported type parses too, so that it can be reported as such.
    ///
    /// # Errors
    ///
    /// - Those of [`CompactJws::parse`] and, for the payload, [`crate::json::parse`].
    /// - [`Reason::TypeMismatch`]: `typ` is not `passport`.
    /// - [`Reason::X5uMissing`]: no `x5u`; [`Reason::MalformedUrl`]: one that is no https URL of at
    ///   most 2 KiB.
    /// - [`Reason::IatNotNumber`]: `iat` is there, but no integer number.
    /// - [`Reason::MalformedNumber`]: a `tn` that is not canonical.
    /// - [`Reason::MalformedClaims`]: any other required claim, or `ppt`, is missing or has the wrong
    ///   form.
    ///
    /// Source: RFC 8225 sections 4, 5 and 8; RFC 8588 sections 4 and 5 (PPT-1 to PPT-10, PPT-22, PPT-40).
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let jws = CompactJws::parse(text, MAX_PASSPORT_LEN)?;
        jws.require_typ("passport")?;
        if jws.x5u()?.is_none() {
            return Err(Reason::X5uMissing);
        }
        let ppt = match jws.header().get("ppt") {
            None => None,
            Some(ppt) => Some(ppt.as_str().ok_or(Reason::MalformedClaims)?),
        };
        let kind = PassportType::from_ppt(ppt);
        let claims = Claims::from_payload(kind, jws.payload_json()?)?;
        Ok(Self(Arc::new(Parsed { jws, kind, claims })))
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> PassportType {
        self.0.kind
    }

    /// The header's `ppt` as it stands, also of an unsupported type.
    #[must_use]
    pub fn ppt(&self) -> Option<&str> {
        self.0.jws.header().get("ppt").and_then(|ppt| ppt.as_str())
    }

    /// The claims. Nothing of them is proven yet.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// The header's `x5u`: an https URL, not necessarily one that may be fetched.
    #[must_use]
    pub fn x5u(&self) -> &str {
        self.0.jws.x5u().ok().flatten().unwrap_or_default()
    }

    /// The certificates in the header, if it has any. Parses them on each call.
    ///
    /// # Errors
    ///
    /// Those of [`CompactJws::x5c`].
    pub fn header_x5c(&self) -> Result<Option<CertificateBag>, Reason> {
        self.0.jws.x5c()
    }

    /// The token as it arrived.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.jws.text()
    }

    /// The end-entity certificate of `bag` whose key verifies this token (W-1).
    #[must_use]
    pub fn find_signer<'bag>(
        &self,
        provider: &dyn CryptoProvider,
        bag: &'bag CertificateBag,
    ) -> Option<&'bag Certificate> {
        self.0.jws.find_signer(provider, bag)
    }

    /// Verifies the token with the signer of `path`: signature over the received octets, `iat` within
    /// the certificate's validity, deterministic JSON, claim constraints of the certificate.
    ///
    /// Whether the signer may speak for the number is [`VerifiedPath::covers`], for `orig` or, of an
    /// `rsp`, for `dest`.
    ///
    /// # Errors
    ///
    /// - [`Reason::PptUnsupported`]: of a type that is not supported.
    /// - [`Reason::SignatureInvalid`]: not by this signer.
    /// - [`Reason::IatOutsideCertificate`]: dated outside the certificate's validity.
    /// - [`Reason::NotCanonical`]: the signature is good, the serialisation, or the order
    ///   inside `dest`, is not (PPT-9, PPT-13).
    /// - [`Reason::ClaimConstraintViolated`]: the certificate forbids these claims.
    ///
    /// Source: RFC 8224 section 6.2; RFC 8225 sections 6 to 9; RFC 8226 section 8; RFC 9118 section 3
    /// (PPT-12 to PPT-14, PPT-18, CRT-20).
    pub fn verify(
        &self,
        provider: &dyn CryptoProvider,
        path: &VerifiedPath,
    ) -> Result<VerifiedPassport, Reason> {
        if self.kind() == PassportType::Unsupported {
            return Err(Reason::PptUnsupported);
        }
        let Parsed { jws, claims, .. } = &*self.0;
        jws.verify(provider, path.public_key())?;
        if !path.signer().is_valid_at(claims.iat()) {
            return Err(Reason::IatOutsideCertificate);
        }
        jws.require_canonical(claims.payload())?;
        if !claims.dest().is_sorted() {
            return Err(Reason::NotCanonical);
        }
        if let Some(constraints) = path.constraints() {
            constraints.check(claims.payload())?;
        }
        Ok(VerifiedPassport {
            passport: self.clone(),
            path: path.clone(),
        })
    }
}

/// A PASSporT whose signature, form and signer's path hold. Cloning is cheap.
///
/// Not yet checked: that the signer may speak for the number, freshness, replay, and the call.
#[derive(Clone, Debug)]
pub struct VerifiedPassport {
    passport: Passport,
    path: VerifiedPath,
}

impl VerifiedPassport {
    /// The token.
    #[must_use]
    pub const fn passport(&self) -> &Passport {
        &self.passport
    }

    /// The type; never [`PassportType::Unsupported`].
    #[must_use]
    pub fn kind(&self) -> PassportType {
        self.passport.kind()
    }

    /// The claims, as the signer made them.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.passport.claims()
    }

    /// The signer and its path.
    #[must_use]
    pub const fn path(&self) -> &VerifiedPath {
        &self.path
    }

    /// What a replay cache remembers: SHA-256 over `orig`, `dest`, `iat` and the signer's key. Never
    /// over the signature, which can be changed without the key, and not over the type: one call that
    /// a signer announced in two types is still one call (PPT-19, W-7).
    #[must_use]
    pub fn replay_digest(&self) -> [u8; 32] {
        let claims = self.claims();
        let mut hash = Sha256::new();
        // Every part with its length, so that no two different inputs read the same.
        let mut part = |octets: &[u8]| {
            hash.update(
                u64::try_from(octets.len())
                    .unwrap_or(u64::MAX)
                    .to_be_bytes(),
            );
            hash.update(octets);
        };
        match claims.orig() {
            Identity::Tn(number) => {
                part(b"tn");
                part(number.as_str().as_bytes());
            }
            Identity::Uri(uri) => {
                part(b"uri");
                part(uri.as_bytes());
            }
        }
        let dest = claims.dest().clone().sorted();
        for number in &dest.tn {
            part(b"tn");
            part(number.as_str().as_bytes());
        }
        for uri in &dest.uri {
            part(b"uri");
            part(uri.as_bytes());
        }
        part(&claims.iat().as_secs().to_be_bytes());
        part(&self.path.spki_digest());
        hash.finalize().into()
    }
}
