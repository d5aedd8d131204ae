//! `ringtrue number canonical`.

use ringtrue::TelephoneNumber;
use ringtrue_stir::verification::Verdict;
use serde::Serialize;

use super::args::NumberArguments;
use super::explain::Explanation;
use super::output::print;
use crate::exit::Exit;

/// The JSON: `tn` is `null` for what is no telephone number.
#[derive(Serialize)]
struct NumberReport<'a> {
    verdict: &'static str,
    reasons: Vec<&'static str>,
    tn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
}

/// The canonical form of a number (RFC 8224 section 8.3), or the finding that it is a URI.
pub(crate) fn canonical(arguments: &NumberArguments) -> Exit {
    let text = arguments.text.as_str();
    let number = match &arguments.country {
        Some(country) => country.context().canonical(text),
        None => TelephoneNumber::from_text(text),
    };
    let (verdict, number, uri, reason) = match number {
        Ok(number) => (Verdict::Accept, Some(number), None, None),
        // What names a party and is no number stands in `uri` (RFC 8224 section 8.1).
        Err(_) if is_uri(text) => (Verdict::Accept, None, Some(text.trim()), None),
        Err(reason) => (Verdict::Refuse, None, None, Some(reason)),
    };
    let report = NumberReport {
        verdict: verdict.name(),
        reasons: reason.iter().map(|reason| reason.name()).collect(),
        tn: number.as_ref().map(TelephoneNumber::as_str),
        uri,
    };
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(verdict, reason.as_slice(), &[]);
        if let Some(number) = &number {
            explanation.line(&format!("telephone number {}", number.as_str()));
        }
        if uri.is_some() {
            explanation.line("a URI, not a telephone number");
        }
        explanation
    });
    super::output::exit_of(verdict)
}

/// Whether this is a SIP or SIPS URI in its outer form.
fn is_uri(text: &str) -> bool {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
    is_sip && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic())
}
