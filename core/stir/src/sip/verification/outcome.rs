//! The results of a verification service, and how reasons become them.

use super::HeaderReport;
use crate::passport::PassportType;
use crate::verification::Verdict;
use crate::{Kind, Reason};

/// The result for one header field, and for all of them.
///
/// Source: RFC 8224 section 6.2 (SIP-47).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything holds.
    Valid,
    /// `iat` or Date is outside the freshness window.
    Stale,
    /// The token is of another caller.
    MismatchOrig,
    /// The token is for another called party, or its diversions do not lead here.
    MismatchDest,
    /// The signature is not over this token, or not over this message.
    BadSignature,
    /// The certificates are there, and do not entitle the signer, or not by the policy stated.
    Untrusted,
    /// No certificate of the signer is at hand.
    NoCredential,
    /// Not in the form it must have, or it contradicts itself.
    Malformed,
    /// Of a type that is not read here; to be ignored.
    Unsupported,
    /// There is no header field that says who calls.
    None,
}

impl Outcome {
    /// The name, lower case with hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Stale => "stale",
            Self::MismatchOrig => "mismatch-orig",
            Self::MismatchDest => "mismatch-dest",
            Self::BadSignature => "bad-signature",
            Self::Untrusted => "untrusted",
            Self::NoCredential => "no-credential",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::None => "none",
        }
    }
}

/// The order in which a verification service checks: what fails first makes the result, as what follows
/// means nothing without it. Claims count only once the signer is known.
const ORDER: [Outcome; 8] = [
    Outcome::Unsupported,
    Outcome::Malformed,
    Outcome::NoCredential,
    Outcome::Untrusted,
    Outcome::Stale,
    Outcome::BadSignature,
    Outcome::MismatchOrig,
    Outcome::MismatchDest,
];

/// The result of a header field by its reasons.
pub(super) fn of_header(header: &HeaderReport) -> Outcome {
    let found: Vec<_> = header.reasons.iter().map(|reason| of(*reason)).collect();
    let first = ORDER.into_iter().find(|outcome| found.contains(outcome));
    match (first, &header.report) {
        (Some(outcome), _) => outcome,
        (None, Some(report)) => match report.verdict {
            Verdict::Accept => Outcome::Valid,
            Verdict::Ignore => Outcome::Unsupported,
            Verdict::Policy | Verdict::Refuse => Outcome::Untrusted,
        },
        (None, None) => Outcome::Malformed,
    }
}

/// The result that a reason makes by itself.
const fn of(reason: Reason) -> Outcome {
    match reason {
        Reason::PptUnsupported | Reason::UnexpectedRsp => Outcome::Unsupported,
        // A reference that nobody may follow is no credential either (CRT-48).
        Reason::CredentialUnavailable | Reason::MalformedUrl => Outcome::NoCredential,
        // Of revocation: the certificates are there, and are not to be trusted without it.
        Reason::AlgorithmNotAllowed | Reason::CrlStale | Reason::CrlUnavailable => {
            Outcome::Untrusted
        }
        Reason::SignatureInvalid | Reason::MediaMismatch | Reason::DigestMismatch => {
            Outcome::BadSignature
        }
        Reason::OrigMismatch | Reason::DivOrigMismatch => Outcome::MismatchOrig,
        Reason::DestMismatch
        | Reason::DivMismatch
        | Reason::DivChainIncomplete
        | Reason::DivTooDeep => Outcome::MismatchDest,
        other => match other.kind() {
            Kind::Stale => Outcome::Stale,
            Kind::Untrusted => Outcome::Untrusted,
            Kind::Unavailable => Outcome::NoCredential,
            _ => Outcome::Malformed,
        },
    }
}

/// One valid header field that speaks for the caller suffices; else the one that came furthest; else
/// that there was none, or none that is supported (SIP-46).
pub(super) fn summary(headers: &[HeaderReport]) -> Outcome {
    let speaking = || headers.iter().filter(|header| speaks_for_caller(header));
    if speaking().any(|header| header.outcome == Outcome::Valid) {
        return Outcome::Valid;
    }
    ORDER
        .into_iter()
        .rev()
        .find(|outcome| speaking().any(|header| header.outcome == *outcome))
        .unwrap_or(Outcome::None)
}

/// A priority says what a call is, not who calls.
fn speaks_for_caller(header: &HeaderReport) -> bool {
    header
        .passport()
        .is_none_or(|passport| passport.kind() != PassportType::Rph)
}
