//! What the tools print: one JSON object for programs, an explanation for people.

use std::io::Write as _;

use ringtrue::Reason;
use ringtrue_stir::verification::Verdict;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::explain::Explanation;
use super::token_text::TokenText;
use crate::exit::{Exit, Failure};
use crate::output::names;

/// The verdict object of `passport verify`, `cert verify` and every refusal. Members are only ever
/// added.
#[derive(Serialize)]
pub(crate) struct VerdictReport {
    /// `accept`, `refuse`, `ignore` or `policy`.
    pub(crate) verdict: &'static str,
    /// Stable names, the first decisive one first.
    pub(crate) reasons: Vec<&'static str>,
    /// Stable names of what deviates without deciding.
    pub(crate) warnings: Vec<&'static str>,
    /// The token's type, `null` for a base token and where there is no token.
    pub(crate) ppt: Option<String>,
    /// The payload, where a token could be read. Rich call data that does not hold is left out.
    pub(crate) claims: Option<Map<String, Value>>,
    /// `covered`, `spc:CODE`, `unknown` or `none`.
    pub(crate) authority: Option<String>,
}

impl VerdictReport {
    pub(crate) fn of(verdict: Verdict, reasons: &[Reason], warnings: &[Reason]) -> Self {
        Self {
            verdict: verdict.name(),
            reasons: names(reasons),
            warnings: names(warnings),
            ppt: None,
            claims: None,
            authority: None,
        }
    }
}

/// The exit status that belongs to a verdict.
pub(crate) const fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Accept => Exit::Good,
        _ => Exit::OtherVerdict,
    }
}

/// Prints `report` as JSON, or else the explanation. A reader that went away is a failure like any other.
pub(crate) fn print(
    json: bool,
    report: &impl Serialize,
    explain: impl FnOnce() -> Explanation,
) -> Result<(), Failure> {
    let text = if json {
        // Reports are made of texts, numbers and values that were JSON before: they serialise.
        let mut line = serde_json::to_string(report).unwrap_or_default();
        line.push('\n');
        line
    } else {
        explain().text().to_owned()
    };
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| Failure::System {
            what: "standard output",
            error,
        })
}

/// Prints what a signed text says, without checking it, or the refusal if it does not read.
pub(crate) fn inspected(
    json: bool,
    text: Option<TokenText>,
    otherwise: Reason,
) -> Result<Exit, Failure> {
    let Some(text) = text else {
        return refuse(json, &[otherwise]);
    };
    let report = json!({
        "header": text.header,
        "payload": text.payload,
        "signature_octets": text.signature_octets,
    });
    print(json, &report, || {
        let mut explanation = Explanation::empty();
        explanation.heading("not checked");
        text.explain(&mut explanation);
        explanation
    })?;
    Ok(Exit::Good)
}

/// Prints a refusal that has nothing but reasons.
pub(crate) fn refuse(json: bool, reasons: &[Reason]) -> Result<Exit, Failure> {
    decide(json, Verdict::Refuse, reasons)
}

/// Prints a verdict that has nothing but reasons.
pub(crate) fn decide(json: bool, verdict: Verdict, reasons: &[Reason]) -> Result<Exit, Failure> {
    print(json, &VerdictReport::of(verdict, reasons, &[]), || {
        Explanation::of(verdict, reasons, &[])
    })?;
    Ok(exit_of(verdict))
}
