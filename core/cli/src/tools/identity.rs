//! `ringtrue identity parse`.

use ringtrue::Reason;
use ringtrue_stir::Strictness;
use ringtrue_stir::sip::IdentityHeader;
use ringtrue_stir::sip::identity_header::TokenForm;
use ringtrue_stir::verification::Verdict;
use serde::Serialize;
use serde_json::{Map, Value};

use super::args::IdentityArguments;
use super::explain::Explanation;
use super::output::{decide, print};
use crate::exit::{Exit, Failure};
use crate::output::names;

/// The JSON of a value that reads.
#[derive(Serialize)]
struct IdentityReport<'a> {
    verdict: &'static str,
    reasons: [&'static str; 0],
    warnings: Vec<&'static str>,
    digest: &'a str,
    compact: bool,
    info: &'a str,
    alg: &'a str,
    ppt: Option<&'a str>,
    params: Map<String, Value>,
}

/// Takes a value apart.
pub(crate) fn parse(arguments: &IdentityArguments) -> Result<Exit, Failure> {
    let header = match IdentityHeader::parse(&arguments.value, Strictness::Strict) {
        Ok(header) => header,
        Err(reason) => return decide(arguments.json, verdict_of(reason), &[reason]),
    };
    let report = IdentityReport {
        verdict: Verdict::Accept.name(),
        reasons: [],
        warnings: names(header.warnings()),
        digest: header.digest(),
        compact: header.form() == TokenForm::Compact,
        info: header.info(),
        alg: header.alg(),
        ppt: header.ppt(),
        params: header
            .others()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect(),
    };
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(Verdict::Accept, &[], header.warnings());
        let form = if report.compact { "compact" } else { "full" };
        explanation.field("form", form);
        explanation.field("digest", header.digest());
        explanation.field("info", header.info());
        explanation.field("alg", header.alg());
        explanation.field("ppt", header.ppt().unwrap_or("none: a base token"));
        for (name, value) in header.others() {
            explanation.field(name, value.unwrap_or_default());
        }
        explanation
    })?;
    Ok(Exit::Good)
}

/// What a fault of the header means.
pub(crate) const fn verdict_of(reason: Reason) -> Verdict {
    match reason {
        Reason::InfoNotBracketed => Verdict::Policy,
        _ => Verdict::Refuse,
    }
}
