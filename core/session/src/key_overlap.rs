//! The change from classical to hybrid keys: for a while the statement names both.
//!
//! A service takes in only the suites that a number's statements name, so that callers who still hold
//! the statement before must find its suite named. Callers who hold the new one use the hybrid key
//! alone.
//!
//! Source: docs/protocol.md section 19.3 (PRV-19, PRV-20).

use core::time::Duration;

use ringtrue_oob::{RecipientKey, Suite};
use ringtrue_stir::UnixTime;

use crate::OwnKeys;
use crate::own_keys::OwnStatement;

/// The longest that a statement may name classical keys beside hybrid ones (PRV-20).
pub(crate) const MAX_OVERLAP: Duration = Duration::from_secs(86_400);

/// Marks, behind what a statement is about, one that names the classical keys of the one before.
const MARK: &str = " overlap";

/// What a statement with such keys is about.
pub(crate) fn marked(mut about: String) -> String {
    about.push_str(MARK);
    about
}

/// Whether a statement is still what should be published. It is renewed in the last third of its life;
/// one with an overlap in the last twelfth, when what it overlaps with has ended.
pub(crate) fn is_current(statement: &OwnStatement, about: &str, now: UnixTime) -> bool {
    let life = statement.exp.saturating_sub(statement.iat);
    let left = statement.exp.saturating_sub(now.as_secs());
    match statement.about.strip_suffix(MARK) {
        Some(held) => held == about && left > life / 12,
        None => statement.about == about && left > life / 3,
    }
}

/// The classical keys of the statement before, where all new keys are hybrid and callers may hold it
/// still; none if it was itself an overlap, which so ends with its statement.
pub(crate) fn classical_keys(
    before: Option<&OwnKeys>,
    suites: &[Suite],
    now: UnixTime,
) -> Vec<RecipientKey> {
    let Some(before) = before else {
        return Vec::new();
    };
    let was_classical = !before.current.iter().any(|key| is_hybrid(&key.recipient));
    let is_live = before.statement.exp > now.as_secs();
    if was_classical && is_live && suites.iter().all(|suite| suite.is_hybrid()) {
        let keys = before.current.iter();
        keys.map(|key| key.recipient.clone()).collect()
    } else {
        Vec::new()
    }
}

fn is_hybrid(key: &RecipientKey) -> bool {
    key.suite().is_hybrid()
}

/// Whether suites of both kinds are wanted at once, which is an overlap by configuration.
pub(crate) fn is_mixed(suites: &[Suite]) -> bool {
    let hybrid = suites.iter().filter(|suite| suite.is_hybrid()).count();
    hybrid > 0 && hybrid < suites.len()
}
