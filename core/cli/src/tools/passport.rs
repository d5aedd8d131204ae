//! `ringtrue passport verify`.

use ringtrue::Reason;
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::Strictness;
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, ReportedAuthority, Verdict, VerificationPolicy, verify as check,
};

use super::args::{PassportVerifyArguments, TokenSource};
use super::cert::{authority_text, spc_policy};
use super::explain::Explanation;
use super::input;
use super::output::{VerdictReport, exit_of, print};
use super::token_text::TokenText;
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// Checks a token in full.
pub(crate) fn verify(arguments: &PassportVerifyArguments) -> Result<Exit, Failure> {
    let token = token(&arguments.source)?;
    let report = match report(arguments, &token)? {
        Ok(report) => report,
        // The chain that came with the token is damaged.
        Err(reason) => {
            let text = TokenText::read(&token);
            let mut report = VerdictReport::of(Verdict::Refuse, &[reason], &[]);
            report.ppt = text.as_ref().and_then(TokenText::ppt);
            report.authority = Some(authority_text(&ReportedAuthority::None));
            print(arguments.json, &report, || {
                Explanation::of(Verdict::Refuse, &[reason], &[])
            });
            return Ok(Exit::OtherVerdict);
        }
    };
    let text = TokenText::read(&token);
    let parsed = text.as_ref().filter(|_| report.passport.is_some());
    let shown = VerdictReport {
        ppt: text.as_ref().and_then(TokenText::ppt),
        claims: parsed.map(|text| text.claims(report.has_rcd)),
        authority: Some(authority_text(&report.authority)),
        ..VerdictReport::of(report.verdict, &report.reasons, &report.warnings)
    };
    print(arguments.json, &shown, || explain(&report, text.as_ref()));
    Ok(exit_of(report.verdict))
}

/// Gathers the evidence and checks. The inner error is about evidence that came with the token.
fn report(
    arguments: &PassportVerifyArguments,
    token: &str,
) -> Result<Result<Report, Reason>, Failure> {
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
    let inner_tokens: Vec<&str> = arguments.inner_tokens.iter().map(String::as_str).collect();

    let mut evidence = Evidence::default();
    evidence.chains = &chains;
    evidence.anchors = public_key.is_none().then_some(&anchors);
    evidence.public_key = public_key.as_ref();
    evidence.inner_tokens = &inner_tokens;
    evidence.body = body.as_ref().map(|body| body.as_slice());
    let mut call = ExpectedCall::default();
    call.orig = arguments.orig.as_ref();
    call.dest = arguments.dest.as_ref();
    let at = arguments.rules.at.unwrap_or_else(unix_now);
    Ok(Ok(check(
        &AwsLcCrypto,
        token,
        &evidence,
        &policy(arguments),
        &call,
        at,
    )))
}

fn policy(arguments: &PassportVerifyArguments) -> VerificationPolicy {
    let mut policy = VerificationPolicy::default();
    if arguments.lenient {
        policy.strictness = Strictness::Lenient;
    }
    if let Some(freshness) = arguments.freshness {
        policy.freshness = freshness;
        policy.inner_freshness = freshness;
    }
    policy.profile = arguments.rules.profile.into();
    policy.accept_spc = spc_policy(&arguments.rules.accept_spc);
    policy
}

/// The token's text.
fn token(source: &TokenSource) -> Result<String, Failure> {
    match (&source.token, &source.token_file) {
        (Some(token), _) => Ok(token.clone()),
        (None, Some(path)) => input::token(path),
        // The command line asks for one of them.
        (None, None) => Err(Failure::of("--token")(Reason::ConfigurationInvalid)),
    }
}

fn explain(report: &Report, text: Option<&TokenText>) -> Explanation {
    let mut explanation = Explanation::of(report.verdict, &report.reasons, &report.warnings);
    explanation.field("authority", &authority_text(&report.authority));
    if let Some(text) = text {
        text.explain(&mut explanation);
    }
    explanation
}
