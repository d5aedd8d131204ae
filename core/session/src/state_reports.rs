//! What callers said about the state of their calls.

use ringtrue_oob::{CallNonce, CallPhase, CallState};

/// The most reports that are remembered for one call. Whoever knows the public key can leave reports
/// about calls that never were: this is more than fits the looks of one call, so that they cannot push a
/// true one out.
const MAX_REPORTS: usize = 2048;

/// The reports that lay in the own mailboxes, by call attempt.
#[derive(Clone, Default)]
pub(crate) struct StateReports(Vec<(CallNonce, CallState)>);

impl StateReports {
    /// Takes in a report. All reports of one attempt are kept.
    pub(crate) fn take_in(&mut self, nonce: CallNonce, state: CallState) {
        if self.0.len() < MAX_REPORTS {
            self.0.push((nonce, state));
        }
    }

    /// What was said about one attempt.
    pub(crate) fn of(&self, nonce: &CallNonce) -> impl Iterator<Item = &CallState> + Clone {
        let nonce = *nonce;
        self.0
            .iter()
            .filter(move |(of, _)| *of == nonce)
            .map(|(_, state)| state)
    }

    /// Whether the caller said that this attempt ended.
    pub(crate) fn is_gone(&self, nonce: &CallNonce) -> bool {
        self.of(nonce).any(|state| state.s == CallPhase::Gone)
    }
}
