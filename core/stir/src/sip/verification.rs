//! The verification service: what the Identity header fields of one request say about its caller.
//!
//! Each header field stands alone and gets a result of its own; one summary is drawn from them. The
//! caller to be shown is always the one of the signalling; a token's `orig` is only compared with it.
//! Nothing is fetched: certificates come from a [`CredentialLookup`].
//!
//! Source: RFC 8224 section 6.2; RFC 8946 section 4.2.

mod diversion;
mod outcome;
mod received;
mod request;

use core::fmt;

pub use outcome::Outcome;

use self::received::Received;
use super::call::CallDescription;
use super::identity_header::{IdentityHeader, MAX_IDENTITY_HEADERS};
use crate::certificate::CertificateBag;
use crate::crypto::CryptoProvider;
use crate::passport::{Identity, Passport};
use crate::verification::{Evidence, ExpectedCall, Report, VerificationPolicy, verify};
use crate::{Reason, UnixTime};

/// Certificates by the URL that names them: a cache, a store that was filled before, or what the
/// application has just fetched.
///
/// Source: RFC 8224 section 7.2 (SIP-42).
pub trait CredentialLookup {
    /// The certificates behind `info`, if they are at hand.
    fn certificates(&self, info: &str) -> Option<CertificateBag>;
}

impl<F: Fn(&str) -> Option<CertificateBag>> CredentialLookup for F {
    fn certificates(&self, info: &str) -> Option<CertificateBag> {
        self(info)
    }
}

/// Whether the keys that protect the media are those that the token vouches for.
///
/// Source: RFC 8224 section 4.1 (PPT-34).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MediaBinding {
    /// They are.
    Bound,
    /// They are not: someone may sit in the media. Says nothing about the number.
    Broken,
    /// The token says nothing of keys.
    #[default]
    NotClaimed,
}

/// What one Identity header field came to. [`fmt::Debug`] prints nothing of the call.
#[derive(Clone)]
#[non_exhaustive]
pub struct HeaderReport {
    /// The result.
    pub outcome: Outcome,
    /// Why it is not [`Outcome::Valid`], the first decisive one first.
    pub reasons: Vec<Reason>,
    /// What deviates without deciding.
    pub warnings: Vec<Reason>,
    /// The header field, if it could be parsed.
    pub header: Option<IdentityHeader>,
    /// The token in full form: as it came, or rebuilt from the message.
    pub token: Option<String>,
    /// The verification of the token, if it came to that.
    pub report: Option<Report>,
}

impl fmt::Debug for HeaderReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderReport")
            .field("outcome", &self.outcome)
            .field("reasons", &self.reasons)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// What all of them came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport {
    /// One result for each header field value, in their order. Values beyond
    /// [`MAX_IDENTITY_HEADERS`] are left out and make [`CallReport::is_cut`] true.
    pub headers: Vec<HeaderReport>,
    /// The summary: [`Outcome::Valid`] if one that speaks for the caller is (SIP-46).
    pub summary: Outcome,
    /// Whether there were more values than are read.
    pub is_cut: bool,
}

/// A verification service with what it was configured with.
#[derive(Clone, Copy)]
pub struct VerificationService<'a> {
    provider: &'a dyn CryptoProvider,
    known: Evidence<'a>,
    credentials: &'a dyn CredentialLookup,
    policy: &'a VerificationPolicy,
}

impl fmt::Debug for VerificationService<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerificationService(..)")
    }
}

impl<'a> VerificationService<'a> {
    /// A service that finds certificates in `credentials` and judges them by what is `known` beforehand:
    /// the anchors, and revocation lists, lists by reference and logs as far as there are any. What
    /// belongs to one call (chains, tokens, body) is not taken from there.
    #[must_use]
    pub const fn new(
        provider: &'a dyn CryptoProvider,
        known: Evidence<'a>,
        credentials: &'a dyn CredentialLookup,
        policy: &'a VerificationPolicy,
    ) -> Self {
        Self {
            provider,
            known,
            credentials,
            policy,
        }
    }

    /// Verifies the Identity header field values of a request as of `at`.
    ///
    /// Values of unsupported types are ignored, and so is `rsp`, which belongs into responses. A missing
    /// Date matters to the compact form alone; with a fresh `iat` a stale one is only reported. A
    /// request that came before with another token (a spiral) is verified like any other.
    ///
    /// Source: RFC 8224 section 6.2; RFC 8946 section 4.2; RFC 9970 section 9 (SIP-1, SIP-40 to SIP-49,
    /// RSP-2, PPT-92).
    #[must_use]
    pub fn verify_request(
        &self,
        values: &[&str],
        call: &CallDescription,
        at: UnixTime,
    ) -> CallReport {
        let received: Vec<_> = values
            .iter()
            .take(MAX_IDENTITY_HEADERS)
            .map(|value| self.receive(value, call))
            .collect();
        let request = Request {
            call,
            orig: call.orig(),
            target: call.target(),
        };
        let headers = request::verify_all(self, &received, &request, at);
        CallReport {
            summary: outcome::summary(&headers),
            headers,
            is_cut: values.len() > MAX_IDENTITY_HEADERS,
        }
    }

    /// The policy it was configured with.
    pub(super) const fn policy(&self) -> &VerificationPolicy {
        self.policy
    }

    /// Verifies one value of a response by itself.
    pub(super) fn verify_apart(
        &self,
        value: &str,
        expected: &ExpectedCall<'_>,
        policy: &VerificationPolicy,
        at: UnixTime,
    ) -> HeaderReport {
        let token = self.receive_answer(value);
        let case = Case {
            earlier: &[],
            body: None,
            is_vouched: false,
        };
        self.verify_one(&token, &case, expected, policy, at)
    }

    /// Verifies one token.
    fn verify_one(
        &self,
        token: &Received,
        case: &Case<'_>,
        expected: &ExpectedCall<'_>,
        policy: &VerificationPolicy,
        at: UnixTime,
    ) -> HeaderReport {
        let Some(text) = &token.token else {
            return HeaderReport::of(token, None);
        };
        // Without its own certificates no one else's can be of use.
        let chains: Vec<_> = core::iter::once(token)
            .chain(case.earlier.iter().copied())
            .take_while(|_| token.has_credential)
            .flat_map(|token| token.chains.iter().cloned())
            .collect();
        let inner: Vec<_> = case
            .earlier
            .iter()
            .filter_map(|token| token.token.as_deref())
            .collect();
        let evidence = Evidence {
            chains: &chains,
            inner_tokens: &inner,
            body: case.body,
            is_vouched: case.is_vouched,
            ..self.known
        };
        let report = verify(self.provider, text, &evidence, policy, expected, at);
        HeaderReport::of(token, Some(report))
    }
}

/// What belongs to one token of one call.
struct Case<'a> {
    /// Earlier tokens of a diverted call.
    earlier: &'a [&'a Received],
    /// The body of a message.
    body: Option<&'a [u8]>,
    /// Whether another token vouches for the caller (PPT-81).
    is_vouched: bool,
}

/// The request, with who calls and where it goes.
struct Request<'a> {
    call: &'a CallDescription,
    orig: Result<Identity, Reason>,
    target: Result<Identity, Reason>,
}

impl HeaderReport {
    /// What was found in reading the header, with what verification found after it.
    fn of(token: &Received, report: Option<Report>) -> Self {
        let mut reasons = token.reasons.clone();
        let mut warnings = token.warnings.clone();
        if let Some(report) = &report {
            reasons.extend(&report.reasons);
            warnings.extend(&report.warnings);
        }
        let mut header = Self {
            outcome: Outcome::Malformed,
            reasons,
            warnings,
            header: token.header.clone(),
            token: token.token.clone(),
            report,
        };
        header.outcome = outcome::of_header(&header);
        header
    }

    /// Whether the keys that protect the media of the request are those that the token vouches for.
    #[must_use]
    pub fn media(&self) -> MediaBinding {
        let has_mky = |passport: &Passport| passport.claims().mky().is_some();
        if !self.passport().is_some_and(has_mky) {
            return MediaBinding::NotClaimed;
        }
        let mut found = self.reasons.iter().chain(&self.warnings);
        if found.any(|reason| *reason == Reason::MediaMismatch) {
            MediaBinding::Broken
        } else {
            MediaBinding::Bound
        }
    }

    /// The token, if it could be read.
    #[must_use]
    pub fn passport(&self) -> Option<&Passport> {
        self.report
            .as_ref()
            .and_then(|report| report.passport.as_ref())
    }

    /// Adds a reason against it.
    pub(super) fn refuse(&mut self, reason: Reason) {
        self.reasons.push(reason);
        self.outcome = outcome::of_header(self);
    }

    /// Takes reasons back that do not count where it came from.
    pub(super) fn waive(&mut self, waived: &[Reason]) {
        self.reasons.retain(|reason| !waived.contains(reason));
        self.outcome = if self.reasons.is_empty() && self.token.is_some() {
            Outcome::Valid
        } else {
            outcome::of_header(self)
        };
    }
}
