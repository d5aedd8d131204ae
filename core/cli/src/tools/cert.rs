//! `ringtrue cert verify`.

use ringtrue::{Reason, TelephoneNumber};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{Authority, VerifiedPath, verify_path};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::verification::{ReportedAuthority, SpcPolicy, Verdict};

use super::args::CertVerifyArguments;
use super::explain::Explanation;
use super::input;
use super::output::{VerdictReport, exit_of, print};
use super::tn_auth_list::lines;
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// What was found about a chain.
struct Finding {
    verdict: Verdict,
    reasons: Vec<Reason>,
    authority: ReportedAuthority,
    path: Option<VerifiedPath>,
}

/// Checks a chain.
pub(crate) fn verify(arguments: &CertVerifyArguments) -> Result<Exit, Failure> {
    let finding = find(arguments)?;
    let mut report = VerdictReport::of(finding.verdict, &finding.reasons, &[]);
    report.authority = Some(authority_text(&finding.authority));
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(finding.verdict, &finding.reasons, &[]);
        explanation.field("authority", &authority_text(&finding.authority));
        let list = finding
            .path
            .as_ref()
            .and_then(|path| path.signer().tn_auth_list());
        for line in list.map(lines).unwrap_or_default() {
            explanation.field("scope", &line);
        }
        explanation
    });
    Ok(exit_of(finding.verdict))
}

fn find(arguments: &CertVerifyArguments) -> Result<Finding, Failure> {
    let refused = |reason| Finding {
        verdict: Verdict::Refuse,
        reasons: vec![reason],
        authority: ReportedAuthority::None,
        path: None,
    };
    let rules = &arguments.rules;
    let anchors = input::anchors(&arguments.anchors)?;
    let bag = match input::chain(&arguments.chain)? {
        Ok(bag) => bag,
        Err(reason) => return Ok(refused(reason)),
    };
    let Some(signer) = bag.certificates().first() else {
        return Ok(refused(Reason::MalformedCertificate));
    };
    let at = rules.at.unwrap_or_else(unix_now);
    let profile = rules.profile.into();
    let path = match verify_path(&AwsLcCrypto, signer, &bag, &anchors, at, profile) {
        Ok(path) => path,
        Err(reason) => return Ok(refused(reason)),
    };
    let (authority, fault) = judge(
        &path,
        arguments.number.as_ref(),
        &spc_policy(&rules.accept_spc),
    );
    Ok(Finding {
        verdict: match fault {
            None => Verdict::Accept,
            Some(Reason::AuthorityBySpc | Reason::EncompassUnknown | Reason::AuthorityUnknown) => {
                Verdict::Policy
            }
            Some(_) => Verdict::Refuse,
        },
        reasons: fault.into_iter().collect(),
        authority,
        path: Some(path),
    })
}

/// What the signer may say, about `number` or at all, and what stands against it.
fn judge(
    path: &VerifiedPath,
    number: Option<&TelephoneNumber>,
    accepted: &SpcPolicy,
) -> (ReportedAuthority, Option<Reason>) {
    let list = path.signer().tn_auth_list();
    let Some(asked) = number.or_else(|| list.and_then(first_number)) else {
        // A code alone is a scope too; that it holds a number is what nobody asked.
        return match list.and_then(TnAuthList::spc) {
            Some(spc) => (ReportedAuthority::BySpc(spc.to_owned()), None),
            None => (ReportedAuthority::None, Some(Reason::TnAuthListMissing)),
        };
    };
    match path.covers(asked) {
        Authority::Covered => (ReportedAuthority::Covered, None),
        Authority::BySpc(spc) => {
            let fault = (!accepted.accepts(&spc)).then_some(Reason::AuthorityBySpc);
            (ReportedAuthority::BySpc(spc), fault)
        }
        Authority::EncompassUnknown => (ReportedAuthority::Unknown, Some(Reason::EncompassUnknown)),
        _ => (ReportedAuthority::None, path.require_covered(asked).err()),
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
