//! `ringtrue passport inspect` and `ringtrue passport verify`.

use ringtrue::{Profile, Reason, UnixTime};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::Strictness;
use ringtrue_stir::certificate::{CertificateBag, TrustAnchors};
use ringtrue_stir::passport::{MAX_NESTED_LEN, Passport};
use ringtrue_stir::sip::IdentityHeader;
use ringtrue_stir::sip::identity_header::TokenForm;
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, ReportedAuthority, Verdict, VerificationPolicy, verify as check,
};

use super::args::{PassportInspectArguments, PassportVerifyArguments, TokenSource};
use super::cert::{authority_text, spc_policy};
use super::explain::Explanation;
use super::found;
use super::identity::verdict_of;
use super::input;
use super::output::{VerdictReport, exit_of, inspected, print, refuse};
use super::token_text::TokenText;
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// Shows what a token says.
pub(crate) fn inspect(arguments: &PassportInspectArguments) -> Result<Exit, Failure> {
    let token = match token(&arguments.source, Strictness::Lenient)? {
        Ok(presented) => presented.token,
        Err(reason) => return refuse(arguments.json, &[reason]),
    };
    let text = TokenText::read(&token, MAX_NESTED_LEN);
    inspected(arguments.json, text, Reason::MalformedToken)
}

/// Checks a token in full.
pub(crate) fn verify(arguments: &PassportVerifyArguments) -> Result<Exit, Failure> {
    let strictness = strictness(arguments);
    let Presented { token, header } = match token(&arguments.source, strictness)? {
        Ok(presented) => presented,
        Err(reason) => return damaged(arguments.json, None, reason),
    };
    let text = TokenText::read(&token, MAX_NESTED_LEN);
    let Checked {
        mut report,
        chains,
        anchors,
        at,
    } = match check_with_evidence(arguments, &token)? {
        Ok(checked) => checked,
        Err(reason) => return damaged(arguments.json, text.as_ref(), reason),
    };
    if let Some(header) = &header {
        check_header(header, strictness, &mut report);
    }
    let parsed = text.as_ref().filter(|_| report.passport.is_some());
    let shown = VerdictReport {
        ppt: text.as_ref().and_then(TokenText::ppt),
        claims: parsed.map(|text| text.claims(report.rcd.is_some())),
        authority: Some(authority_text(&report.authority)),
        ..VerdictReport::of(report.verdict, &report.reasons, &report.warnings)
    };
    print(arguments.json, &shown, || {
        let policy = policy(arguments, Profile::Stir);
        let found = found::Token {
            token: &token,
            text: text.as_ref(),
            header: header.as_ref(),
            report: &report,
            orig: arguments.orig.as_ref(),
            dest: arguments.dest.as_ref(),
            freshness: policy.freshness,
            skew: policy.clock_skew,
            certificates: found::Certificates {
                chains: &chains,
                anchors: &anchors,
                at,
            },
        };
        explain(&found)
    })?;
    Ok(exit_of(report.verdict))
}

/// Reports that the token's header field, or a chain that came with it, does not read.
fn damaged(json: bool, text: Option<&TokenText>, reason: Reason) -> Result<Exit, Failure> {
    let verdict = verdict_of(reason);
    let report = VerdictReport {
        ppt: text.and_then(TokenText::ppt),
        authority: Some(authority_text(&ReportedAuthority::None)),
        ..VerdictReport::of(verdict, &[reason], &[])
    };
    print(json, &report, || Explanation::of(verdict, &[reason], &[]))?;
    Ok(exit_of(verdict))
}

/// What was found, and by which certificates.
struct Checked {
    report: Report,
    chains: Vec<CertificateBag>,
    anchors: TrustAnchors,
    at: UnixTime,
}

/// Gathers the evidence and checks. The inner error is about evidence that came with the token.
fn check_with_evidence(
    arguments: &PassportVerifyArguments,
    token: &str,
) -> Result<Result<Checked, Reason>, Failure> {
    let mut chains = Vec::new();
    for path in &arguments.chains {
        match input::chain(path)? {
            Ok(chain) => chains.push(chain),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    let anchors = input::anchors(&arguments.anchors)?;
    let public_key = match &arguments.public_key {
        Some(path) => Some(input::public_key(path)?),
        None => None,
    };
    let body = match &arguments.body {
        Some(path) => Some(input::octets(path)?),
        None => None,
    };
    let at = arguments.rules.at.unwrap_or_else(unix_now);
    let rules = &arguments.rules;
    let revocation = match input::revocation_lists(&rules.crls, &rules.crl_issuers, at)? {
        Ok(lists) => lists,
        Err(reason) => return Ok(Err(reason)),
    };
    let inner_tokens: Vec<&str> = arguments.inner_tokens.iter().map(String::as_str).collect();

    let mut evidence = Evidence::default();
    evidence.chains = &chains;
    evidence.anchors = public_key.is_none().then_some(&anchors);
    evidence.public_key = public_key.as_ref();
    evidence.inner_tokens = &inner_tokens;
    evidence.body = body.as_ref().map(|body| body.as_slice());
    evidence.revocation = (!revocation.is_empty()).then_some(&revocation);
    let mut call = ExpectedCall::default();
    call.orig = arguments.orig.as_ref();
    call.dest = arguments.dest.as_ref();
    let judge = |profile| {
        let policy = policy(arguments, profile);
        check(&AwsLcCrypto, token, &evidence, &policy, &call, at)
    };
    let report = rules.profiles().into_iter().fold(None, |report, profile| {
        let is_open = report.as_ref().is_none_or(|report: &Report| {
            report.reasons.contains(&Reason::UnsupportedCertificateKey)
        });
        if is_open {
            Some(judge(profile))
        } else {
            report
        }
    });
    let checked = report.map(|report| {
        // Those that came in the token were looked at instead.
        let own = report.passport.as_ref().map(Passport::header_x5c);
        if let Some(Ok(Some(own))) = own {
            chains = vec![own];
        }
        Checked {
            report,
            chains,
            anchors,
            at,
        }
    });
    Ok(checked.ok_or(Reason::Internal))
}

/// The header field must say what its token says (SIP-4, SIP-7).
fn check_header(header: &IdentityHeader, strictness: Strictness, report: &mut Report) {
    report.warnings.extend(header.warnings());
    let Some(passport) = &report.passport else {
        return;
    };
    match header.check_agreement(passport, strictness) {
        Ok(warning) => report.warnings.extend(warning),
        // A token that is ignored is, whatever it came in.
        Err(_) if report.verdict == Verdict::Ignore => {}
        Err(reason) => {
            // Refusals come before what is left to policy.
            if report.verdict == Verdict::Refuse {
                report.reasons.push(reason);
            } else {
                report.reasons.insert(0, reason);
            }
            report.verdict = Verdict::Refuse;
        }
    }
}

const fn strictness(arguments: &PassportVerifyArguments) -> Strictness {
    if arguments.lenient {
        Strictness::Lenient
    } else {
        Strictness::Strict
    }
}

fn policy(arguments: &PassportVerifyArguments, profile: Profile) -> VerificationPolicy {
    let mut policy = VerificationPolicy::default();
    policy.strictness = strictness(arguments);
    if let Some(freshness) = arguments.freshness {
        policy.freshness = freshness;
        policy.inner_freshness = freshness;
    }
    policy.profile = profile;
    policy.accept_spc = spc_policy(&arguments.rules.accept_spc);
    policy
}

/// A token as it was given.
struct Presented {
    token: String,
    header: Option<IdentityHeader>,
}

/// The token's text, and the header field that it came in. The inner error is about that field.
fn token(
    source: &TokenSource,
    strictness: Strictness,
) -> Result<Result<Presented, Reason>, Failure> {
    if let Some(value) = &source.identity {
        let header = match IdentityHeader::parse(value, strictness) {
            Ok(header) => header,
            Err(reason) => return Ok(Err(reason)),
        };
        // What a compact form leaves out is in a SIP message, which is not at hand.
        if header.form() == TokenForm::Compact {
            return Ok(Err(Reason::CompactFormNotAllowed));
        }
        return Ok(Ok(Presented {
            token: header.digest().to_owned(),
            header: Some(header),
        }));
    }
    let token = match (&source.token, &source.token_file) {
        (Some(token), _) => token.clone(),
        (None, Some(path)) => input::token(path)?,
        // The command line asks for one of them.
        (None, None) => return Err(Failure::of("--token")(Reason::ConfigurationInvalid)),
    };
    Ok(Ok(Presented {
        token,
        header: None,
    }))
}

fn explain(found: &found::Token<'_>) -> Explanation {
    let report = found.report;
    let about = |reason| found.about(reason);
    let mut explanation =
        Explanation::with(report.verdict, &report.reasons, &report.warnings, about);
    explanation.field("authority", &authority_text(&report.authority));
    if let Some(text) = found.text {
        text.explain(&mut explanation);
    }
    explanation
}
