//! Diverted calls: which of the tokens that came are earlier ones of which diversion.
//!
//! Whether a diversion holds is the token verification's business; here the tokens are put together.

use super::received::Received;

/// Whether a token is a diversion that no other goes back to.
pub(super) fn is_last(token: &Received, received: &[Received]) -> bool {
    is_diversion(token) && !received.iter().any(|other| follows(other, token))
}

fn is_diversion(token: &Received) -> bool {
    let passport = token.passport.as_ref();
    passport.is_some_and(|passport| passport.claims().div().is_some())
}

/// Whether `later` tells of a diversion by a party that `token` is for, of the same caller.
fn follows(later: &Received, token: &Received) -> bool {
    let (Some(later), Some(token)) = (&later.passport, &token.passport) else {
        return false;
    };
    let (later, token) = (later.claims(), token.claims());
    later.orig().is_equivalent(token.orig())
        && later
            .div()
            .is_some_and(|div| token.dest().includes(div.identity()))
}

/// The indices of everything that a diversion goes back to, itself excepted.
pub(super) fn earlier_of(index: usize, token: &Received, received: &[Received]) -> Vec<usize> {
    let mut earlier: Vec<usize> = Vec::new();
    let mut last = vec![token];
    // Each round adds at least one of the few tokens, or is the last.
    while !last.is_empty() {
        let mut found = Vec::new();
        for (at, other) in received.iter().enumerate() {
            let is_new = at != index && !earlier.contains(&at);
            if is_new && last.iter().any(|later| follows(later, other)) {
                earlier.push(at);
                found.push(other);
            }
        }
        last = found;
    }
    earlier
}
