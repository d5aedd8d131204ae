//! When a call may be dialled, and when somebody may be called back.

use crate::{Endpoint, PlacedCall, RingTrueError};

#[uniffi::export]
impl Endpoint {
    /// Whether the call may still be dialled by its announcement: 2 s after it was placed at the latest.
    /// Later, announce it anew: an announcement that waits is one that somebody else can use.
    #[must_use]
    pub fn may_be_dialled(&self, call: &PlacedCall) -> bool {
        self.core().may_be_dialled(&call.0)
    }

    /// For services that call people back: the holder of `number` has just shown that it has control of
    /// it, by a call from it with a good verdict or by a code that was sent to it. Good for one call-back
    /// within ten minutes.
    ///
    /// # Errors
    ///
    /// `malformed_number`.
    pub fn prove_control(&self, number: String) -> Result<(), RingTrueError> {
        Ok(self.core().prove_control(&number)?)
    }

    /// How long to wait before calling `number` back: 5 to 65 s, which nobody can know ahead. Whoever
    /// could choose the moment would know when a genuine announcement is pending.
    ///
    /// # Errors
    ///
    /// `callback_not_proved` unless control of the number was proved and not used since;
    /// `malformed_number`; `randomness_unavailable`.
    pub fn call_back_after_ms(&self, number: String) -> Result<u64, RingTrueError> {
        let after = self.core().call_back_after(&number)?;
        Ok(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
    }
}
