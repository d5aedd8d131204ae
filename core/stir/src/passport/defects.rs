//! Collecting what is wrong with a token.

use crate::Reason;

/// What was found, each once, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Defects {
    /// What every reader refuses.
    pub(super) refusals: Vec<Reason>,
    /// What a lenient reader lets pass.
    pub(super) deviations: Vec<Reason>,
    /// Whether `ppt` is one that is not supported.
    pub(super) is_unsupported: bool,
}

impl Defects {
    pub(super) fn refuse(&mut self, reason: Reason) {
        add(&mut self.refusals, reason);
    }

    pub(super) fn deviates(&mut self, reason: Reason) {
        add(&mut self.deviations, reason);
    }

    /// The value, or the reason why there is none among the refusals.
    pub(super) fn note<T>(&mut self, checked: Result<T, Reason>) -> Option<T> {
        checked.map_err(|reason| self.refuse(reason)).ok()
    }
}

/// Adds `reason` unless it is there.
pub(super) fn add(list: &mut Vec<Reason>, reason: Reason) {
    if !list.contains(&reason) {
        list.push(reason);
    }
}
