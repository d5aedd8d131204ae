//! What a verification service does about its results: let the call go on and say why, or reject it.
//!
//! An endpoint lets the call go on and says nothing to anyone; that is the default here.
//!
//! Source: RFC 8224 section 6.2.2; RFC 9410 sections 3 to 9; RFC 8862 section 4.4.

use super::reason::{PpiForm, ReasonHeader};
use super::response::ResponseCode;
use super::verification::{CallReport, HeaderReport, Outcome};

/// What the verifier decided beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReactionPolicy {
    /// Whether a call needs an identity: without a usable one it is rejected with 428.
    pub require_identity: bool,
    /// Whether a call whose every identity is invalid is rejected.
    pub reject_invalid: bool,
    /// Whether the next hop is configured as one that is to hear of errors, and how much of a token it
    /// gets to see; `None` sends no Reason header (SIP-64).
    pub report_errors: Option<PpiForm>,
}

/// What to do about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Let it go on, with these Reason header values in the next provisional response but 100, or in the
    /// final one (SIP-61).
    Continue(Vec<ReasonHeader>),
    /// Respond with this code.
    Reject(ResponseCode),
}

/// Whether a response with this status may carry the Reason headers of [`Reaction::Continue`].
///
/// Source: RFC 9410 section 3 (SIP-61).
#[must_use]
pub const fn may_carry_reasons(status: u16) -> bool {
    matches!(status, 101..=699)
}

/// The code for a result of one header field; `None` for those that are no error.
///
/// Source: RFC 8224 section 6.2.2.
#[must_use]
pub const fn code_of(outcome: Outcome) -> Option<ResponseCode> {
    match outcome {
        Outcome::Valid | Outcome::Unsupported | Outcome::None => None,
        Outcome::Stale => Some(ResponseCode::StaleDate),
        Outcome::NoCredential => Some(ResponseCode::BadIdentityInfo),
        Outcome::Untrusted => Some(ResponseCode::UnsupportedCredential),
        Outcome::BadSignature
        | Outcome::Malformed
        | Outcome::MismatchDest
        | Outcome::MismatchOrig => Some(ResponseCode::InvalidIdentityHeader),
    }
}

/// Decides about a call.
///
/// A 4xx is sent only where the call does not go on (SIP-60), and a failed `msec` always ends it, as its
/// caller asked for (PPT-32). Otherwise every header field with an error gets one Reason (SIP-62).
///
/// Source: RFC 8224 section 6.2.2; RFC 8862 section 4.4; RFC 9410 sections 4 to 6 (SIP-60 to SIP-64).
#[must_use]
pub fn react(report: &CallReport, policy: &ReactionPolicy) -> Reaction {
    if let Some(code) = report.headers.iter().find_map(failed_msec) {
        return Reaction::Reject(code);
    }
    let is_missing = matches!(report.summary, Outcome::None | Outcome::Unsupported);
    if is_missing && policy.require_identity {
        return Reaction::Reject(ResponseCode::UseIdentityHeader);
    }
    let is_invalid = report.summary != Outcome::Valid && !is_missing;
    if is_invalid && (policy.reject_invalid || policy.require_identity) {
        return Reaction::Reject(code_for_all(report));
    }
    let Some(form) = policy.report_errors else {
        return Reaction::Continue(Vec::new());
    };
    let reasons = report.headers.iter().filter_map(|header| {
        code_of(header.outcome).map(|code| ReasonHeader::stir(code, header.header.as_ref(), form))
    });
    Reaction::Continue(reasons.collect())
}

/// The code for a call none of whose identities is valid: 437 for one credential that was there suffices,
/// 436 stands for all of them.
fn code_for_all(report: &CallReport) -> ResponseCode {
    let mut codes = report
        .headers
        .iter()
        .filter_map(|header| code_of(header.outcome));
    let has = |code| {
        report
            .headers
            .iter()
            .any(|header| code_of(header.outcome) == Some(code))
    };
    if has(ResponseCode::UnsupportedCredential) {
        ResponseCode::UnsupportedCredential
    } else if codes.all(|code| code == ResponseCode::BadIdentityInfo) {
        ResponseCode::BadIdentityInfo
    } else if has(ResponseCode::StaleDate) {
        ResponseCode::StaleDate
    } else {
        ResponseCode::InvalidIdentityHeader
    }
}

fn failed_msec(header: &HeaderReport) -> Option<ResponseCode> {
    let is_msec = header
        .header
        .as_ref()
        .is_some_and(|header| header.ppt() == Some("msec"));
    code_of(header.outcome).filter(|_| is_msec)
}
