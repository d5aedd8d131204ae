//! Between SIP and delivery apart from signalling: which tokens may pass, and in what form.
//!
//! A token passes unchanged or not at all, and into signalling only after it was verified.

use super::identity_header::IdentityHeader;
use super::verification::{HeaderReport, Outcome};
use crate::Reason;
use crate::passport::Passport;
use crate::verification::{Report, Verdict};

/// The token of an Identity header to publish: one in full form as it came; one in compact form rebuilt,
/// and only if the rebuilt one was found valid, as nobody else could check it.
///
/// # Errors
///
/// - [`Reason::CompactFormNotAllowed`]: in compact form and not valid; ask the signer for the full form.
/// - [`Reason::MalformedIdentityHeader`]: the header could not be read.
///
/// Source: RFC 8224 section 6.2; RFC 8946 section 5 (SIP-80, SIP-81).
pub fn token_to_publish(report: &HeaderReport) -> Result<&str, Reason> {
    use super::identity_header::TokenForm;

    let header = report.header.as_ref();
    let header = header.ok_or(Reason::MalformedIdentityHeader)?;
    match (header.form(), &report.token) {
        (TokenForm::Full, _) => Ok(header.digest()),
        (TokenForm::Compact, Some(token)) if report.outcome == Outcome::Valid => Ok(token),
        (TokenForm::Compact, _) => Err(Reason::CompactFormNotAllowed),
    }
}

/// Of several tokens of one call those to publish: what is inside a `div-o` travels in it.
///
/// Source: RFC 8946 section 5 (SIP-80, PPT-60).
#[must_use]
pub fn without_nested(tokens: &[Passport]) -> Vec<&Passport> {
    let is_nested = |token: &Passport| {
        tokens
            .iter()
            .flat_map(Passport::nested)
            .any(|inner| inner.says_the_same(token))
    };
    tokens.iter().filter(|token| !is_nested(token)).collect()
}

/// The header for a retrieved token, to insert into a request: `info` its `x5u`, the token unchanged.
/// `None` if the same token is there already.
///
/// # Errors
///
/// - [`Reason::NotVerified`]: the verification did not accept it; a gateway passes on no stale or
///   mismatching token.
/// - Those of [`IdentityHeader::for_passport`].
///
/// Source: SIP-82, SIP-83.
pub fn header_to_insert(
    report: &Report,
    present: &[Passport],
) -> Result<Option<IdentityHeader>, Reason> {
    if report.verdict != Verdict::Accept {
        return Err(Reason::NotVerified);
    }
    let verified = report.verified.as_ref().ok_or(Reason::NotVerified)?;
    let passport = verified.passport();
    if present.iter().any(|other| other.says_the_same(passport)) {
        return Ok(None);
    }
    IdentityHeader::for_passport(passport).map(Some)
}

/// The tokens of both ways, each once, in their order: equal are those of equal header and payload,
/// whatever their signatures. All of them are then verified.
///
/// Source: SIP-84, PPT-19.
#[must_use]
pub fn union(in_band: &[Passport], out_of_band: &[Passport]) -> Vec<Passport> {
    let mut all: Vec<Passport> = Vec::new();
    for token in in_band.iter().chain(out_of_band) {
        if !all.iter().any(|other| other.says_the_same(token)) {
            all.push(token.clone());
        }
    }
    all
}
