//! The checks, in the order of RFC 8224 section 6.2 and, for diversions, RFC 8946 section 4.2.

use std::collections::HashSet;

use super::credential::{Checker, MAX_SIGNER_CHECKS, Window};
use super::findings::Findings;
use super::{Evidence, ExpectedCall, Report, ReportedAuthority, Verdict, VerificationPolicy};
use crate::crypto::CryptoProvider;
use crate::passport::{DiversionChain, Passport, PassportType, VerifiedPassport};
use crate::rcd::{self, RichCallData};
use crate::{Reason, Strictness, UnixTime};

/// The most earlier tokens of a diversion that are verified, each once however often it came: five
/// diversions, and several tokens of each party before them.
const MAX_EARLIER_TOKENS: usize = 16;

/// Checks `token` in full as of `at` and reports everything that was found.
///
/// A fault does not end the verification: what can still be said is said. The token of an unsupported
/// type is [`Verdict::Ignore`](super::Verdict::Ignore), whatever else it is (PPT-14). Rich call data
/// that cannot be used are a warning and leave the verdict alone (PPT-77).
///
/// The signer's path is judged as of the token's own `iat` where that is fresh, so that a short-lived
/// certificate that ran out while the call was set up still counts, and as of `at` otherwise.
///
/// A diversion is checked with the tokens before it, those inside it and those of
/// [`Evidence::inner_tokens`]. With a bare key it is checked alone, and a warning says so.
///
/// Source: RFC 8224 section 6.2; RFC 8225 sections 4 to 10; RFC 8226 sections 8 and 9; RFC 8862
/// section 4.4; RFC 8946 sections 4.2 and 5.1; RFC 9027 section 4; RFC 9060 section 6; RFC 9118
/// section 3; RFC 9475 section 3.2; RFC 9795 section 8.
#[must_use]
pub fn verify(
    provider: &dyn CryptoProvider,
    token: &str,
    evidence: &Evidence<'_>,
    policy: &VerificationPolicy,
    call: &ExpectedCall<'_>,
    at: UnixTime,
) -> Report {
    let mut checker = Checker {
        provider,
        evidence,
        policy,
        at,
        findings: Findings::default(),
        authority: ReportedAuthority::None,
        checks_left: MAX_SIGNER_CHECKS,
    };
    let passport = examine(token, policy.strictness, &mut checker.findings);
    let mut checked = Checked::default();
    if let Some(passport) = &passport
        && passport.kind() != PassportType::Unsupported
    {
        checked = check(&mut checker, passport, call);
    }
    let authority = checker.authority;
    let (verdict, reasons, warnings) = checker.findings.conclude();
    Report {
        verdict,
        reasons,
        warnings,
        passport,
        verified: checked.verified,
        authority,
        diversions: checked.diversions,
        // What a refused token says of its caller is nobody's word.
        rcd: checked
            .rcd
            .filter(|_| matches!(verdict, Verdict::Accept | Verdict::Policy)),
    }
}

/// What came of the checks.
#[derive(Default)]
struct Checked {
    verified: Option<VerifiedPassport>,
    diversions: Option<DiversionChain>,
    rcd: Option<RichCallData>,
}

/// Reads a token and notes everything that is wrong with its form.
fn examine(token: &str, strictness: Strictness, findings: &mut Findings) -> Option<Passport> {
    let (passport, reasons) = Passport::examine(token, strictness);
    for reason in reasons {
        if reason == Reason::PptUnsupported {
            findings.ignore();
        } else {
            findings.fault(reason);
        }
    }
    passport
}

fn check(checker: &mut Checker<'_>, passport: &Passport, call: &ExpectedCall<'_>) -> Checked {
    if passport.kind() == PassportType::Rsp && !checker.policy.accept_rsp {
        checker.findings.fault(Reason::UnexpectedRsp);
    }
    check_parties(checker, passport, call);
    let verified = checker.verify(passport, Window::Outer);
    let mut checked = Checked {
        verified,
        ..Checked::default()
    };
    if passport.kind().is_diversion() {
        checked.diversions = check_diversions(checker, passport, checked.verified.as_ref(), call);
    }
    check_media(checker, passport, call);
    check_priority(checker, passport, call);
    check_body(checker, passport);
    checked.rcd = check_rcd(checker, passport);
    checked
}

/// Who calls and who is called, where the signalling says so (SIP-41, PPT-20, PPT-55, PPT-56).
fn check_parties(checker: &mut Checker<'_>, passport: &Passport, call: &ExpectedCall<'_>) {
    let claims = passport.claims();
    if let Some(orig) = call.orig
        && !orig.is_equivalent(claims.orig())
    {
        checker.findings.fault(Reason::OrigMismatch);
    }
    if let Some(dest) = call.dest {
        let named = claims.dest();
        let stands_in = call.provisioned.iter().any(|number| named.contains(number));
        if !named.includes(dest) && !stands_in {
            checker.findings.fault(Reason::DestMismatch);
        }
    }
}

/// The tokens before a diversion (PPT-54 to PPT-58, PPT-61).
fn check_diversions(
    checker: &mut Checker<'_>,
    passport: &Passport,
    verified: Option<&VerifiedPassport>,
    call: &ExpectedCall<'_>,
) -> Option<DiversionChain> {
    if checker.evidence.anchors.is_none() {
        checker.findings.warn(Reason::DivChainIncomplete);
        return None;
    }
    let mut earlier: Vec<Passport> = passport.nested().cloned().collect();
    let mut all_good = verified.is_some();
    for token in checker.evidence.inner_tokens {
        let (inner, reasons) = Passport::examine(token, checker.policy.strictness);
        for reason in reasons {
            all_good = false;
            // A token of an unsupported type voids the chain that starts with it (PPT-58).
            checker.findings.fault(if reason == Reason::PptUnsupported {
                Reason::DivChainIncomplete
            } else {
                reason
            });
        }
        earlier.extend(inner.iter().flat_map(Passport::nested).cloned());
        earlier.extend(inner);
    }
    // What came beside a token and again inside another is one.
    let mut seen = HashSet::new();
    earlier.retain(|inner| seen.insert(inner.text().to_owned()));
    if earlier.len() > MAX_EARLIER_TOKENS {
        checker.findings.fault(Reason::DivTooDeep);
        return None;
    }
    let mut chain = Vec::new();
    for inner in &earlier {
        // Nor does an answer announce a call: its signer speaks for whom it names as called.
        if matches!(inner.kind(), PassportType::Unsupported | PassportType::Rsp) {
            checker.findings.fault(Reason::DivChainIncomplete);
            all_good = false;
            continue;
        }
        match checker.verify(inner, Window::Inner) {
            Some(inner) => chain.push(inner),
            None => all_good = false,
        }
    }
    // What is missing here was reported above, with the reason why.
    if !all_good {
        return None;
    }
    chain.extend(verified.cloned());
    match DiversionChain::assemble(&chain) {
        Ok(chain) => {
            checker.findings.check(chain.check_call(call));
            Some(chain)
        }
        Err(reason) => {
            checker.findings.fault(reason);
            None
        }
    }
}

/// The keys of the media. Where the type is about them they decide; elsewhere another session's keys
/// say nothing against the caller's number (PPT-32, PPT-34).
fn check_media(checker: &mut Checker<'_>, passport: &Passport, call: &ExpectedCall<'_>) {
    if let (Some(mky), Some(fingerprints)) = (passport.claims().mky(), call.fingerprints)
        && !mky.matches(fingerprints)
    {
        if passport.kind() == PassportType::Msec {
            checker.findings.fault(Reason::MediaMismatch);
        } else {
            checker.findings.warn(Reason::MediaMismatch);
        }
    }
}

/// The priorities that the signalling asks for (PPT-90, PPT-92).
fn check_priority(checker: &mut Checker<'_>, passport: &Passport, call: &ExpectedCall<'_>) {
    if let (Some(rph), Some(signalled)) = (passport.claims().rph(), call.resource_priorities) {
        checker.findings.check(rph.require(signalled));
    }
    if let (Some(sph), Some(signalled)) = (passport.claims().sph(), call.priority)
        && !signalled.eq_ignore_ascii_case(sph)
    {
        checker.findings.fault(Reason::PriorityMismatch);
    }
}

/// The body of a message (PPT-95).
fn check_body(checker: &mut Checker<'_>, passport: &Passport) {
    let Some(msgi) = passport.claims().msgi() else {
        return;
    };
    match checker.evidence.body {
        Some(body) if msgi.matches(body) => {}
        Some(_) => checker.findings.fault(Reason::DigestMismatch),
        None => checker.findings.warn(Reason::BodyNotChecked),
    }
}

/// Rich call data, which are used or left out and never refuse (PPT-77, PPT-81).
fn check_rcd(checker: &mut Checker<'_>, passport: &Passport) -> Option<RichCallData> {
    let payload = passport.claims().payload();
    let is_first_party = checker.authority != ReportedAuthority::None;
    let may = rcd::may_use(
        payload,
        is_first_party,
        checker.evidence.is_vouched,
        checker.policy.third_party_rcd,
    );
    let (rcd, warnings) = rcd::usable(payload, may);
    for reason in warnings {
        checker.findings.warn(reason);
    }
    // A type that is about them, without any: the rest of the token stands (PPT-79).
    let claims = passport.claims();
    if passport.kind() == PassportType::Rcd && claims.rcd().or(claims.crn()).is_none() {
        checker.findings.warn(Reason::MalformedRcd);
    }
    rcd
}
