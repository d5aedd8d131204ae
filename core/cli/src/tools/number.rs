//! `ringtrue number canonical`.

use ringtrue_stir::passport::Identity;
use ringtrue_stir::sip::uri::{UriPolicy, identity_of};
use ringtrue_stir::verification::Verdict;
use serde::Serialize;

use super::args::NumberArguments;
use super::country::Country;
use super::explain::Explanation;
use super::output::{exit_of, print};
use crate::exit::{Exit, Failure};

/// The JSON: `tn` is `null` for what is no telephone number.
#[derive(Default, Serialize)]
struct NumberReport {
    verdict: &'static str,
    reasons: Vec<&'static str>,
    tn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
}

/// The canonical form of a number (RFC 8224 section 8.3), or the finding that it is a URI.
pub(crate) fn canonical(arguments: &NumberArguments) -> Result<Exit, Failure> {
    let context = arguments.country.as_ref().map(Country::context);
    let mut report = NumberReport::default();
    let (verdict, reason) = match identity_of(&arguments.text, context, &UriPolicy::default()) {
        Ok(Identity::Tn(number)) => {
            report.tn = Some(number.as_str().to_owned());
            (Verdict::Accept, None)
        }
        Ok(Identity::Uri(uri)) => {
            report.uri = Some(uri);
            (Verdict::Accept, None)
        }
        Err(reason) => (Verdict::Refuse, Some(reason)),
    };
    report.verdict = verdict.name();
    report.reasons = reason.iter().map(|reason| reason.name()).collect();
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(verdict, reason.as_slice(), &[]);
        if let Some(number) = &report.tn {
            explanation.field("number", number);
        }
        if let Some(uri) = &report.uri {
            explanation.field("uri", uri);
        }
        explanation
    })?;
    Ok(exit_of(verdict))
}
