//! A ringing call after its first verdict.

use ringtrue_session::{CallVerdict, RingOutcome, VerifiedCall};
use tokio::sync::watch;

/// A call that rings, with the verdict on it.
///
/// The mailbox is polled on after the first verdict (W-32), whether this value is kept or dropped; a
/// later poll may change the verdict. Clones stand for the same call.
#[derive(Clone, Debug)]
pub struct RingingCall {
    outcome: watch::Receiver<RingOutcome>,
}

impl RingingCall {
    pub(crate) const fn new(outcome: watch::Receiver<RingOutcome>) -> Self {
        Self { outcome }
    }

    /// The verdict as of now.
    #[must_use]
    pub fn verdict(&self) -> CallVerdict {
        self.outcome.borrow().verdict.clone()
    }

    /// Waits until the verdict changes; `None` when it no longer can.
    pub async fn changed(&mut self) -> Option<CallVerdict> {
        self.outcome.changed().await.ok()?;
        Some(self.outcome.borrow_and_update().verdict.clone())
    }

    /// The call, if its verdict is good as of now.
    pub(crate) fn verified(&self) -> Option<VerifiedCall> {
        self.outcome.borrow().call.clone()
    }
}
