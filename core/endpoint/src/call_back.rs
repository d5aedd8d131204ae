//! Calling people back without lending an announcement to whoever asked for it.

use std::sync::PoisonError;
use std::time::Duration;

use ringtrue_session::Placed;
use ringtrue_stir::Reason;

use crate::Endpoint;

impl Endpoint {
    /// For services that call people back: the holder of `number` has just shown that it has control of it,
    /// by a call from it with a good verdict or by a code that was sent to it. Good for one call-back
    /// within ten minutes.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`].
    pub fn prove_control(&self, number: &str) -> Result<(), Reason> {
        let number = self.read_number(number)?;
        let now = self.host().now().monotonic;
        let mut call_backs = self
            .call_backs()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        call_backs.prove(number, now);
        Ok(())
    }

    /// How long to wait before calling `number` back: 5 to 65 s, which nobody can know ahead. Whoever
    /// could choose the moment would know when a genuine announcement is pending.
    ///
    /// # Errors
    ///
    /// [`Reason::CallbackNotProved`] unless control of the number was proved
    /// ([`Endpoint::prove_control`]) and not used since; [`Reason::MalformedNumber`];
    /// [`Reason::RandomnessUnavailable`].
    pub fn call_back_after(&self, number: &str) -> Result<Duration, Reason> {
        let number = self.read_number(number)?;
        let now = self.host().now().monotonic;
        let context = self.host().context();
        let mut call_backs = self
            .call_backs()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = call_backs.schedule(&number, now, context.provider().as_ref())?;
        Ok(at.since(now))
    }

    /// Whether the call may still be dialled by this announcement: 2 s after [`Endpoint::place`] at the
    /// latest. Later, announce it anew: an announcement that waits is one that somebody else can use.
    #[must_use]
    pub fn may_be_dialled(&self, placed: &Placed) -> bool {
        let now = self.host().now().monotonic;
        placed
            .call
            .as_ref()
            .is_none_or(|call| call.may_be_dialled(now))
    }
}
