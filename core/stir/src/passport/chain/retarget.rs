//! What a party that diverts a call has to sign.

use super::{Identity, Passport, PassportType};

/// Which of the tokens that came with a call need a diversion when `target`, to whom the call was going,
/// diverts it: those for `target`, and of several with the same `orig` and `dest` only one, as one
/// diversion speaks for all of them. Each result goes into
/// [`PassportBuilder::div`](super::super::PassportBuilder::div) with `target` as its `div`.
///
/// Tokens for an earlier target were diverted already. Answers and types that are not supported are left
/// out: neither can be the start of a chain.
///
/// Source: RFC 8946 section 4.1 (PPT-53).
#[must_use]
pub fn tokens_to_divert<'a>(tokens: &'a [Passport], target: &Identity) -> Vec<&'a Passport> {
    let mut chosen: Vec<&Passport> = Vec::new();
    for token in tokens {
        let claims = token.claims();
        let is_startable = !matches!(token.kind(), PassportType::Rsp | PassportType::Unsupported);
        let is_covered = chosen.iter().any(|other| {
            let other = other.claims();
            other.orig().is_equivalent(claims.orig()) && other.dest().is_equivalent(claims.dest())
        });
        if is_startable && claims.dest().includes(target) && !is_covered {
            chosen.push(token);
        }
    }
    chosen
}
