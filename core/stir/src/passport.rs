//! PASSporTs of every registered type.
//!
//! [`Passport`] was parsed, [`VerifiedPassport`] was verified; only [`Passport::verify`] and
//! [`Passport::verify_with`] make the latter. [`PassportBuilder`] makes new ones and cannot make an
//! invalid one. [`chain`] puts the tokens of a diverted call in order. Freshness, replay and the
//! comparison with the call are the session's business, not done here.

mod builder;
pub mod chain;
mod claims;
mod defects;
mod diversion;
mod identity;
mod kind;
mod media_keys;
mod priority;
mod read;
mod verified;

use core::fmt;
use std::sync::Arc;

pub use builder::{PassportBuilder, UnsignedPassport};
pub use chain::{DiversionChain, MAX_INNER_FRESHNESS};
pub use claims::{Attestation, Claims};
pub use diversion::Diversion;
pub use identity::{Destinations, Identity};
pub use kind::PassportType;
pub use media_keys::{Fingerprint, Mky};
pub use priority::ResourcePriorities;
pub use verified::VerifiedPassport;

use crate::certificate::{Certificate, CertificateBag, VerifiedPath};
use crate::crypto::{CryptoProvider, P256PublicKey};
use crate::jws::CompactJws;
use crate::{Reason, Strictness, X5u};
use defects::Defects;

/// The longest token that is read: room for a header `x5c` with a whole path (PPT-22).
pub const MAX_PASSPORT_LEN: usize = 16 * 1024;

/// The longest `div-o` token that is read, with everything inside (PPT-22, PPT-63).
pub const MAX_NESTED_LEN: usize = 64 * 1024;

/// How many diversions a call may have. More forwarding than this is a loop or an attack (PPT-63).
pub const MAX_DIVERSIONS: usize = 5;

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
    deviations: Vec<Reason>,
}

impl fmt::Debug for Passport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passport(..)")
    }
}

impl Passport {
    /// Parses a token strictly: [`Passport::parse_with`] and [`Strictness::Strict`].
    ///
    /// # Errors
    ///
    /// Those of [`Passport::parse_with`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        Self::parse_with(text, Strictness::Strict)
    }

    /// Parses a token and checks its form.
    ///
    /// A token of an unsupported type parses too, so that it can be reported as such. What only the
    /// serialisation shows ([`Reason::NotCanonical`], [`Reason::DestNotSorted`]) is refused when the
    /// token is verified, after the signature holds (PPT-13).
    ///
    /// # Errors
    ///
    /// The first defect, in this order:
    ///
    /// - [`Reason::CompactFormNotAllowed`]: header and payload are empty (PPT-17).
    /// - Those of [`CompactJws::parse`].
    /// - [`Reason::TypeMismatch`]: `typ` is not `passport`.
    /// - [`Reason::X5uMissing`]: no `x5u`; [`Reason::MalformedUrl`]: one that is no https URL of at
    ///   most 2 KiB.
    /// - [`Reason::MalformedPpt`]: `ppt` is no string.
    /// - Those of [`crate::json::parse`] for the payload; [`Reason::MalformedJson`] also if it is no
    ///   object.
    /// - [`Reason::IatMissing`]; [`Reason::IatNotNumber`]: no integer number. Text of 1 to 20 digits is
    ///   refused in strict reading only.
    /// - [`Reason::MalformedOrig`], [`Reason::DestMissing`], [`Reason::MalformedDest`];
    ///   [`Reason::MalformedNumber`]: a `tn` that is not canonical.
    /// - By type: [`Reason::AttestNotAllowed`], [`Reason::MalformedOrigid`] (`shaken`);
    ///   [`Reason::MalformedDiv`] (`div`, `div-o`); [`Reason::MalformedOpt`] and
    ///   [`Reason::DivTooDeep`] (`div-o`); [`Reason::MalformedRph`] (`rph`); [`Reason::MalformedDigest`] (`msg`).
    /// - [`Reason::MalformedMky`] and [`Reason::SphNotAllowed`] in every supported type.
    ///
    /// Source: RFC 8225 sections 4, 5 and 8; RFC 8443 section 3; RFC 8588 sections 4 and 5; RFC 8946
    /// sections 3 to 5; RFC 9027 section 4; RFC 9475 section 3.2; RFC 9795 section 8 (PPT-1 to PPT-10,
    /// PPT-22, PPT-31, PPT-40, PPT-50, PPT-59, PPT-79, PPT-90, PPT-92, PPT-95).
    pub fn parse_with(text: &str, strictness: Strictness) -> Result<Self, Reason> {
        let mut defects = Defects::default();
        let passport = read::read(text, 0, &mut defects);
        if let Some(reason) = defects.refusals.first() {
            return Err(*reason);
        }
        let passport = passport.ok_or(Reason::Internal)?;
        let is_readable = || {
            core::iter::once(&passport)
                .chain(passport.nested())
                .all(|token| !token.deviations().contains(&Reason::IatNotNumber))
        };
        if strictness == Strictness::Strict && !is_readable() {
            return Err(Reason::IatNotNumber);
        }
        Ok(passport)
    }

    /// Looks for everything that is wrong with a token's form: what a reader of this strictness refuses,
    /// and [`Reason::PptUnsupported`] for a type that is not supported. The token comes along if any
    /// reader could read it; what a lenient one lets pass is then in [`Passport::deviations`].
    ///
    /// For reports; whoever only wants to know whether a token is good parses and verifies it.
    #[must_use]
    pub fn examine(text: &str, strictness: Strictness) -> (Option<Self>, Vec<Reason>) {
        let mut defects = Defects::default();
        let passport = read::read(text, 0, &mut defects);
        let mut reasons = Vec::new();
        if defects.is_unsupported {
            reasons.push(Reason::PptUnsupported);
        }
        reasons.append(&mut defects.refusals);
        if strictness == Strictness::Strict {
            let nested = passport.iter().flat_map(Self::nested);
            let nested = nested.flat_map(|token| token.deviations());
            for reason in defects.deviations.iter().chain(nested) {
                defects::add(&mut reasons, *reason);
            }
        }
        (passport, reasons)
    }

    /// The type that a token states, whether or not the rest of it is of that type's form; `None` if
    /// the header cannot be read. For those who set other types aside without judging them.
    #[must_use]
    pub fn stated_kind(text: &str) -> Option<PassportType> {
        read::stated_kind(text)
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

    /// What is not as the standards want it, but has one meaning only: [`Reason::IatNotNumber`] (text of
    /// digits), [`Reason::DestNotSorted`] (PPT-9), [`Reason::NotCanonical`] (PPT-13). Strict
    /// verification refuses a token with any; lenient verification reports them. Those of a token inside
    /// (`opt`) are its own.
    #[must_use]
    pub fn deviations(&self) -> &[Reason] {
        &self.0.deviations
    }

    /// What is worth reporting and decides nothing: [`Reason::MsgiIgnored`] for a `msgi` outside of
    /// `msg` (PPT-94).
    #[must_use]
    pub fn notices(&self) -> &'static [Reason] {
        let ignored = self.kind() != PassportType::Msg && self.claims().get("msgi").is_some();
        if ignored { &[Reason::MsgiIgnored] } else { &[] }
    }

    /// The tokens inside this one, the nearest first: `opt`, its `opt` and so on. At most
    /// [`MAX_DIVERSIONS`].
    pub fn nested(&self) -> impl Iterator<Item = &Self> {
        core::iter::successors(self.claims().opt(), |inner| inner.claims().opt())
    }

    /// The header's `x5u`: an https URL, not necessarily one that may be fetched.
    #[must_use]
    pub fn x5u(&self) -> &str {
        self.0.jws.x5u().ok().flatten().unwrap_or_default()
    }

    /// Requires the `x5u` to be one that could be fetched. Where the certificates travel along nothing
    /// is fetched and parsing asks less (W-1); a verifier of signalling asks this as well.
    ///
    /// # Errors
    ///
    /// - [`Reason::MalformedUrl`]: not of the form of [`X5u::parse`].
    /// - [`Reason::AddressNotAllowed`]: its host is the literal of an address that is not public, or a
    ///   name that always means this machine.
    ///
    /// Source: RFC 8226 section 7 (CRT-40, CRT-41).
    pub fn check_x5u_form(&self) -> Result<(), Reason> {
        X5u::parse(self.x5u())?.require_public_literal()
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

    /// Whether both say the same, octet for octet. Signatures are not compared: of one text there are
    /// many good ones (PPT-19).
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.0.jws.signing_input() == other.0.jws.signing_input()
    }

    /// For whom the signer has to be entitled to speak: of a diversion who diverted (PPT-51), of an
    /// `rsp` everyone it names as reached (RSP-3), of any other who calls.
    #[must_use]
    pub fn spoken_for(&self) -> Vec<Identity> {
        let claims = self.claims();
        match (self.kind(), claims.div()) {
            (PassportType::Rsp, _) => claims.dest().identities().collect(),
            (_, Some(div)) => vec![div.identity().clone()],
            _ => vec![claims.orig().clone()],
        }
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

    /// Verifies the token strictly: [`Passport::verify_with`] and [`Strictness::Strict`].
    ///
    /// # Errors
    ///
    /// Those of [`Passport::verify_with`].
    pub fn verify(
        &self,
        provider: &dyn CryptoProvider,
        path: &VerifiedPath,
    ) -> Result<VerifiedPassport, Reason> {
        self.verify_with(provider, path, Strictness::Strict)
    }

    /// Verifies the token with the signer of `path`: signature over the received octets, `iat` within
    /// the certificate's validity, deviations, claim constraints of the certificate.
    ///
    /// Whether the signer may speak for [`Passport::spoken_for`] is [`VerifiedPath::covers`]. A token
    /// inside (`opt`) has its own signer and is verified apart.
    ///
    /// # Errors
    ///
    /// - [`Reason::PptUnsupported`]: of a type that is not supported.
    /// - [`Reason::SignatureInvalid`]: not by this signer.
    /// - [`Reason::IatOutsideCertificate`]: dated outside the certificate's validity.
    /// - Strict only, the first of [`Passport::deviations`]: the signature is good, the form is not.
    /// - [`Reason::ClaimConstraintViolated`]: the certificate forbids these claims.
    ///
    /// Source: RFC 8224 section 6.2; RFC 8225 sections 6 to 9; RFC 8226 section 8; RFC 9118 section 3
    /// (PPT-12 to PPT-14, PPT-18, CRT-20).
    pub fn verify_with(
        &self,
        provider: &dyn CryptoProvider,
        path: &VerifiedPath,
        strictness: Strictness,
    ) -> Result<VerifiedPassport, Reason> {
        self.verify_signature(provider, path.public_key())?;
        if !path.signer().is_valid_at(self.claims().iat()) {
            return Err(Reason::IatOutsideCertificate);
        }
        self.require_form(strictness)?;
        if let Some(constraints) = path.constraints() {
            constraints.check(self.claims().payload())?;
        }
        Ok(VerifiedPassport {
            passport: self.clone(),
            path: path.clone(),
        })
    }

    /// Verifies the token with a bare key and gives what lenient verification let pass. It says nothing
    /// about whose key that is, so it makes no [`VerifiedPassport`].
    ///
    /// # Errors
    ///
    /// [`Reason::PptUnsupported`], [`Reason::SignatureInvalid`] and, strict only, the first of
    /// [`Passport::deviations`].
    pub fn verify_with_key(
        &self,
        provider: &dyn CryptoProvider,
        key: &P256PublicKey,
        strictness: Strictness,
    ) -> Result<&[Reason], Reason> {
        self.verify_signature(provider, key)?;
        self.require_form(strictness)?;
        Ok(self.deviations())
    }

    fn verify_signature(
        &self,
        provider: &dyn CryptoProvider,
        key: &P256PublicKey,
    ) -> Result<(), Reason> {
        if self.kind() == PassportType::Unsupported {
            return Err(Reason::PptUnsupported);
        }
        self.0.jws.verify(provider, key)
    }

    fn require_form(&self, strictness: Strictness) -> Result<(), Reason> {
        match (strictness, self.deviations().first()) {
            (Strictness::Strict, Some(reason)) => Err(*reason),
            _ => Ok(()),
        }
    }
}
