//! Finding the order of diversions.

use super::{MAX_DIVERSIONS, PassportType, VerifiedPassport};
use crate::Reason;

/// Each token once: those that say the same are one (SIP-84).
pub(super) fn distinct(tokens: &[VerifiedPassport]) -> Vec<&VerifiedPassport> {
    let mut distinct: Vec<&VerifiedPassport> = Vec::new();
    for token in tokens {
        if !distinct.iter().any(|known| is_same(known, token)) {
            distinct.push(token);
        }
    }
    distinct
}

fn is_same(one: &VerifiedPassport, other: &VerifiedPassport) -> bool {
    one.passport().says_the_same(other.passport())
}

pub(super) fn same_orig(one: &VerifiedPassport, other: &VerifiedPassport) -> bool {
    one.claims().orig().is_equivalent(other.claims().orig())
}

/// Whether `diversion` diverts what `earlier` announced: its `div` is among the destinations, and a
/// `div-o` has this very token inside (PPT-54, PPT-61).
pub(super) fn follows(diversion: &VerifiedPassport, earlier: &VerifiedPassport) -> bool {
    let claims = diversion.claims();
    let is_inside = match (diversion.kind(), claims.opt()) {
        (PassportType::DivO, Some(opt)) => opt.says_the_same(earlier.passport()),
        _ => true,
    };
    is_inside
        && claims
            .div()
            .is_some_and(|div| earlier.claims().dest().includes(div.identity()))
}

/// The diversions from the first to the last, starting at one of `originals`. All are distinct.
pub(super) fn from_originals<'a>(
    diversions: &[&'a VerifiedPassport],
    originals: &[&VerifiedPassport],
) -> Result<Vec<&'a VerifiedPassport>, Reason> {
    check_common(diversions)?;
    if originals.is_empty() {
        return Err(Reason::DivChainIncomplete);
    }
    for diversion in diversions {
        // What a div-o diverts is inside it, at hand or not.
        if let (Some(div), Some(opt)) = (diversion.claims().div(), diversion.claims().opt())
            && !opt.claims().dest().includes(div.identity())
        {
            return Err(Reason::DivMismatch);
        }
        let mut earlier = diversions
            .iter()
            .chain(originals)
            .filter(|token| !is_same(token, diversion) && follows(diversion, token))
            .peekable();
        if earlier.peek().is_none() {
            return Err(match diversion.kind() {
                PassportType::DivO => Reason::DivChainIncomplete,
                _ => Reason::DivMismatch,
            });
        }
        if !earlier.any(|token| same_orig(token, diversion)) {
            return Err(Reason::DivOrigMismatch);
        }
    }
    in_order(diversions, &|first| {
        originals
            .iter()
            .any(|original| follows(first, original) && same_orig(first, original))
    })
}

/// What every chain must be: not too long, and of one caller.
pub(super) fn check_common(diversions: &[&VerifiedPassport]) -> Result<(), Reason> {
    if diversions.len() > MAX_DIVERSIONS {
        return Err(Reason::DivTooDeep);
    }
    let mut pairs = diversions.iter().zip(diversions.iter().skip(1));
    if pairs.any(|(one, next)| !same_orig(one, next)) {
        return Err(Reason::DivOrigMismatch);
    }
    Ok(())
}

/// The one order in which each diversion follows the one before and `starts` holds for the first.
///
/// The last is the one that no other refers to (PPT-55). From there it goes backwards; where a number
/// diverted twice, more than one may come before, so what leads nowhere is taken back. Five diversions
/// have at most 24 orders that end alike.
pub(super) fn in_order<'a>(
    diversions: &[&'a VerifiedPassport],
    starts: &dyn Fn(&VerifiedPassport) -> bool,
) -> Result<Vec<&'a VerifiedPassport>, Reason> {
    if diversions.is_empty() {
        return Ok(Vec::new());
    }
    let mut outermost = diversions.iter().filter(|token| {
        !diversions
            .iter()
            .any(|other| !is_same(other, token) && follows(other, token))
    });
    let (Some(last), None) = (outermost.next(), outermost.next()) else {
        return Err(Reason::DivChainIncomplete);
    };
    let rest = without(diversions, last);
    let mut order = backwards(last, &rest, starts).ok_or(Reason::DivChainIncomplete)?;
    order.push(last);
    Ok(order)
}

/// An order of all of `rest` that ends before `last`.
fn backwards<'a>(
    last: &VerifiedPassport,
    rest: &[&'a VerifiedPassport],
    starts: &dyn Fn(&VerifiedPassport) -> bool,
) -> Option<Vec<&'a VerifiedPassport>> {
    if rest.is_empty() {
        return starts(last).then(Vec::new);
    }
    let mut before = rest.iter().filter(|token| follows(last, token));
    before.find_map(|token| {
        let mut order = backwards(token, &without(rest, token), starts)?;
        order.push(token);
        Some(order)
    })
}

fn without<'a>(
    tokens: &[&'a VerifiedPassport],
    gone: &VerifiedPassport,
) -> Vec<&'a VerifiedPassport> {
    let kept = tokens.iter().filter(|token| !is_same(token, gone));
    kept.copied().collect()
}
