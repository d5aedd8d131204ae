//! `ringtrue number canonical`.

use ringtrue::Reason;
use ringtrue_stir::passport::Identity;
use ringtrue_stir::sip::uri::{UriPolicy, identity_of};
use ringtrue_stir::verification::Verdict;
use serde::Serialize;

use super::args::NumberArguments;
use super::country::Country;
use super::explain::Explanation;
use super::output::{VerdictReport, exit_of, print};
use crate::exit::{Exit, Failure};

/// The JSON: `tn` is `null` for what is no telephone number.
#[derive(Default, Serialize)]
struct NumberReport {
    verdict: &'static str,
    reasons: [&'static str; 0],
    tn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
}

/// The JSON of a refusal: that of every tool, and no number.
#[derive(Serialize)]
struct Refusal {
    #[serde(flatten)]
    verdict: VerdictReport,
    tn: Option<String>,
}

/// The canonical form of a number (RFC 8224 section 8.3), or the finding that it is a URI.
pub(crate) fn canonical(arguments: &NumberArguments) -> Result<Exit, Failure> {
    let context = arguments.country.as_ref().map(Country::context);
    let mut report = NumberReport {
        verdict: Verdict::Accept.name(),
        ..NumberReport::default()
    };
    match identity_of(&arguments.text, context, &UriPolicy::default()) {
        Ok(Identity::Tn(number)) => report.tn = Some(number.as_str().to_owned()),
        Ok(Identity::Uri(uri)) => report.uri = Some(uri),
        Err(reason) => return refuse(arguments.json, reason),
    }
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(Verdict::Accept, &[], &[]);
        if let Some(number) = &report.tn {
            explanation.field("number", number);
        }
        if let Some(uri) = &report.uri {
            explanation.field("uri", uri);
        }
        explanation
    })?;
    Ok(Exit::Good)
}

fn refuse(json: bool, reason: Reason) -> Result<Exit, Failure> {
    let report = Refusal {
        verdict: VerdictReport::of(Verdict::Refuse, &[reason], &[]),
        tn: None,
    };
    print(json, &report, || {
        Explanation::of(Verdict::Refuse, &[reason], &[])
    })?;
    Ok(exit_of(Verdict::Refuse))
}
