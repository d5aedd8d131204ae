//! Answers from a party that the call was diverted to.

use super::order;
use super::{Identity, PassportType, VerifiedPassport};
use crate::Reason;

/// Checks an answer by whoever was reached: `rsp` names the dialled party, or the whole chain of
/// `diversions` that came with it leads from the dialled party to the one it names.
///
/// The caller's own token is not among them: it stays with the caller, whose number is `orig`. Whether
/// the signer of `rsp` may speak for its `dest`, freshness and replay are checked apart.
///
/// # Errors
///
/// - [`Reason::UnexpectedRsp`]: `rsp` is of another type, or one of the diversions is none.
/// - [`Reason::OrigMismatch`]: `rsp` is for another caller; [`Reason::DivOrigMismatch`]: a diversion is.
/// - [`Reason::DestMismatch`]: another party answered, and no diversion says so (RSP-6), or the
///   diversions lead elsewhere.
/// - [`Reason::DivTooDeep`]: more than [`MAX_DIVERSIONS`](super::MAX_DIVERSIONS).
/// - [`Reason::DivMismatch`]: no diversion is by the dialled party.
/// - [`Reason::DivChainIncomplete`]: they form no chain.
///
/// Source: RFC 9970 sections 5 and 6 (RSP-5, RSP-6, RSP-8).
pub fn check_diverted_answer(
    orig: &Identity,
    dialled: &Identity,
    diversions: &[VerifiedPassport],
    rsp: &VerifiedPassport,
) -> Result<(), Reason> {
    if rsp.kind() != PassportType::Rsp {
        return Err(Reason::UnexpectedRsp);
    }
    if !rsp.claims().orig().is_equivalent(orig) {
        return Err(Reason::OrigMismatch);
    }
    let diversions = order::distinct(diversions);
    if !diversions.iter().all(|token| token.kind().is_diversion()) {
        return Err(Reason::UnexpectedRsp);
    }
    order::check_common(&diversions)?;
    if diversions.iter().any(|token| !order::same_orig(token, rsp)) {
        return Err(Reason::DivOrigMismatch);
    }
    let reached = rsp.claims().dest();
    if diversions.is_empty() {
        return holds(reached.includes(dialled), Reason::DestMismatch);
    }
    // The dialled party diverts first. What is inside a div-o then is the caller's own token.
    let starts = |first: &VerifiedPassport| {
        let claims = first.claims();
        let is_first = claims.opt().is_none_or(|opt| !opt.kind().is_diversion());
        is_first
            && claims
                .div()
                .is_some_and(|div| div.identity().is_equivalent(dialled))
    };
    if !diversions.iter().any(|token| starts(token)) {
        return Err(Reason::DivMismatch);
    }
    let order = order::in_order(&diversions, &starts)?;
    let last = order.last().ok_or(Reason::Internal)?.claims().dest();
    let leads_there = reached
        .identities()
        .all(|identity| last.includes(&identity));
    holds(leads_there, Reason::DestMismatch)
}

fn holds(holds: bool, reason: Reason) -> Result<(), Reason> {
    if holds { Ok(()) } else { Err(reason) }
}
