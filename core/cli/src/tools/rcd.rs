//! `ringtrue rcd digest`.

use ringtrue::Reason;
use ringtrue_stir::integrity::{DigestAlgorithm, IntegrityDigest};
use ringtrue_stir::rcd::digest_of;
use ringtrue_stir::verification::Verdict;
use serde_json::json;

use super::args::RcdArguments;
use super::explain::Explanation;
use super::input;
use super::output::{print, refuse};
use crate::exit::{Exit, Failure};

/// The digest of a part (RFC 9795 section 6.1). Nothing is fetched.
pub(crate) fn digest(arguments: &RcdArguments) -> Result<Exit, Failure> {
    let claims = input::octets(&arguments.claims)?;
    let content = match &arguments.content {
        Some(path) => Some(input::octets(path)?),
        None => None,
    };
    let found = ringtrue_stir::json::parse(&claims, input::MAX_FILE_OCTETS)
        .and_then(|claims| digest_of(&claims, &arguments.pointer));
    let digest = match (found, content) {
        (Ok(digest), None) => digest,
        // What stands there counts, whatever was brought along.
        (Ok(_), Some(_)) => return refuse(arguments.json, &[Reason::MalformedRcd]),
        (Err(Reason::RcdNotChecked), Some(content)) => {
            IntegrityDigest::compute(DigestAlgorithm::Sha256, &content)
        }
        (Err(reason), _) => return refuse(arguments.json, &[reason]),
    };
    let text = digest.to_text();
    print(arguments.json, &json!({ "digest": text }), || {
        let mut explanation = Explanation::of(Verdict::Accept, &[], &[]);
        explanation.field("digest", &text);
        explanation
    })?;
    Ok(Exit::Good)
}
