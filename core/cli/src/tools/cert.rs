//! `ringtrue cert verify`.

use ringtrue::{Reason, TelephoneNumber, UnixTime};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{
    Authority, CertificateBag, PathRules, TrustAnchors, VerifiedPath, VerifiedRevocationList,
    verify_path,
};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::verification::{ReportedAuthority, SpcPolicy, Verdict};

use super::args::CertVerifyArguments;
use super::explain::Explanation;
use super::found::{self, scope_of};
use super::input;
use super::output::{VerdictReport, exit_of, print};
use super::tn_auth_list::lines;
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// What was found about a chain.
struct Finding {
    reasons: Vec<Reason>,
    authority: ReportedAuthority,
    path: Option<VerifiedPath>,
    /// What was found where a reason applies.
    found: Vec<(Reason, String)>,
}

impl Finding {
    const fn refused(reason: Vec<Reason>) -> Self {
        Self {
            reasons: reason,
            authority: ReportedAuthority::None,
            path: None,
            found: Vec::new(),
        }
    }
}

/// The worst of the reasons decides.
pub(super) fn verdict_of(reasons: &[Reason]) -> Verdict {
    if reasons.is_empty() {
        Verdict::Accept
    } else if reasons.iter().all(|reason| is_policy(*reason)) {
        Verdict::Policy
    } else {
        Verdict::Refuse
    }
}

/// What another policy, or more data, would let pass (CRT-9, CRT-11, CRT-33, CRT-61).
const fn is_policy(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AuthorityBySpc
            | Reason::AuthorityUnknown
            | Reason::CrlStale
            | Reason::CrlUnavailable
            | Reason::EncompassUnknown
    )
}

/// Checks a chain.
pub(crate) fn verify(arguments: &CertVerifyArguments) -> Result<Exit, Failure> {
    let finding = find(arguments)?;
    let verdict = verdict_of(&finding.reasons);
    let warnings = finding.path.as_ref().map(VerifiedPath::warnings);
    let warnings = warnings.unwrap_or_default();
    let report = VerdictReport {
        authority: Some(authority_text(&finding.authority)),
        ..VerdictReport::of(verdict, &finding.reasons, warnings)
    };
    print(arguments.json, &report, || {
        let found = |reason| {
            let mut found = finding.found.iter();
            let (_, found) = found.find(|(about, _)| *about == reason)?;
            Some(found.clone())
        };
        let mut explanation = Explanation::with(verdict, &finding.reasons, warnings, found);
        explanation.field("authority", &authority_text(&finding.authority));
        if let Some(path) = &finding.path {
            for certificate in path.certificates() {
                explanation.field("path", &certificate.subject_text());
            }
            for line in path.signer().tn_auth_list().map(lines).unwrap_or_default() {
                explanation.field("scope", &line);
            }
        }
        explanation
    })?;
    Ok(exit_of(verdict))
}

fn find(arguments: &CertVerifyArguments) -> Result<Finding, Failure> {
    let rules = &arguments.rules;
    let at = rules.at.unwrap_or_else(unix_now);
    let anchors = input::anchors(&arguments.anchors)?;
    let lists = match input::revocation_lists(&rules.crls, &rules.crl_issuers, at)? {
        Ok(lists) => lists,
        Err(reason) => return Ok(Finding::refused(vec![reason])),
    };
    let bag = match input::chain(&arguments.chain)? {
        Ok(bag) => bag,
        Err(reason) => return Ok(Finding::refused(vec![reason])),
    };
    let mut finding = check(arguments, &bag, &anchors, &lists, at);
    let certificates = found::Certificates {
        chains: std::slice::from_ref(&bag),
        anchors: &anchors,
        at,
    };
    let about = |reason: &Reason| match (reason, bag.certificates().first()) {
        (Reason::NumberNotCovered | Reason::AuthorityBySpc | Reason::EncompassUnknown, first) => {
            Some((*reason, scope_of(first?)))
        }
        _ => Some((*reason, certificates.about(*reason)?)),
    };
    finding.found = finding.reasons.iter().filter_map(about).collect();
    Ok(finding)
}

/// Checks a chain that was read.
fn check(
    arguments: &CertVerifyArguments,
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    lists: &[VerifiedRevocationList],
    at: UnixTime,
) -> Finding {
    let rules = &arguments.rules;
    let Some(signer) = bag.certificates().first() else {
        return Finding::refused(vec![Reason::MalformedCertificate]);
    };
    let mut found = Err(Reason::UnsupportedCertificateKey);
    for profile in rules.profiles() {
        let mut path_rules = PathRules::new(profile);
        path_rules.revocation = (!lists.is_empty()).then_some(lists);
        if found.as_ref().err() == Some(&Reason::UnsupportedCertificateKey) {
            found = verify_path(&AwsLcCrypto, signer, bag, anchors, at, path_rules);
        }
    }
    let path = match found {
        Ok(path) => path,
        // A file that begins with a CA may still hold a signer (CRT-36).
        Err(Reason::SignerIsCa) if bag.end_entities().next().is_some() => {
            return Finding::refused(vec![Reason::SignerNotFirst]);
        }
        Err(reason) => return Finding::refused(vec![reason]),
    };
    let accepted = spc_policy(&rules.accept_spc);
    let (authority, fault) = judge(&path, arguments.number.as_ref(), &accepted);
    let mut reasons: Vec<_> = fault.into_iter().collect();
    // Whoever brings lists wants to know that they speak of the chain.
    if !lists.is_empty() {
        reasons.extend(path.revocation().err());
    }
    Finding {
        reasons,
        authority,
        path: Some(path),
        found: Vec::new(),
    }
}

/// What the signer may say, about `number` or at all, and what stands against it.
pub(super) fn judge(
    path: &VerifiedPath,
    number: Option<&TelephoneNumber>,
    accepted: &SpcPolicy,
) -> (ReportedAuthority, Option<Reason>) {
    let signer = path.signer();
    let list = signer.tn_auth_list();
    let Some(asked) = number.or_else(|| list.and_then(first_number)) else {
        // A code alone is a scope too; whether it holds some number is what nobody asked.
        return match (path.provider_code(), list) {
            (Some(spc), _) => (ReportedAuthority::BySpc(spc.to_owned()), None),
            (None, None) if !signer.has_tn_auth_list_by_reference() => {
                (ReportedAuthority::None, Some(Reason::TnAuthListMissing))
            }
            // A list is not at hand: the signer's own, or one above that its code may not be in.
            (None, _) => (ReportedAuthority::Unknown, Some(Reason::AuthorityUnknown)),
        };
    };
    let fault = path.require_covered(asked).err();
    match path.covers(asked) {
        Authority::Covered => (ReportedAuthority::Covered, None),
        Authority::BySpc(spc) => {
            let fault = fault.filter(|_| !accepted.accepts(&spc));
            (ReportedAuthority::BySpc(spc), fault)
        }
        Authority::EncompassUnknown | Authority::Unknown => (ReportedAuthority::Unknown, fault),
        _ => (ReportedAuthority::None, fault),
    }
}

/// A number of the list, to ask about the lists above it: they hold all of them or none.
fn first_number(list: &TnAuthList) -> Option<&TelephoneNumber> {
    list.entries().iter().find_map(|entry| match entry {
        Entry::One(one) => Some(one),
        Entry::Range { start, .. } => Some(start),
        _ => None,
    })
}

/// `--accept-spc`.
pub(crate) fn spc_policy(codes: &[String]) -> SpcPolicy {
    if codes.iter().any(|code| code == "any") {
        SpcPolicy::Any
    } else if codes.is_empty() {
        SpcPolicy::None
    } else {
        SpcPolicy::Listed(codes.to_vec())
    }
}

/// `covered`, `spc:CODE`, `unknown` or `none`.
pub(crate) fn authority_text(authority: &ReportedAuthority) -> String {
    match authority {
        ReportedAuthority::Covered => "covered".to_owned(),
        ReportedAuthority::BySpc(spc) => format!("spc:{spc}"),
        ReportedAuthority::None => "none".to_owned(),
        _ => "unknown".to_owned(),
    }
}
