//! A ringing call.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::cancellation::until;
use crate::{CallVerdict, Cancellation, MediaKeys, RingTrueError};

/// A call that rings, with the verdict on it.
///
/// Keep this object for as long as the call lasts: what the caller reports, and another call from the same
/// number, change the verdict until then. Closing it is the end of the call; the polls that are due are
/// made all the same. It ends with its endpoint.
#[derive(uniffi::Object)]
pub struct RingingCall {
    call: ringtrue::RingingCall,
    /// Remembers which change was seen last.
    watched: Mutex<ringtrue::RingingCall>,
}

impl RingingCall {
    pub(crate) fn new(call: ringtrue::RingingCall) -> Self {
        Self {
            watched: Mutex::new(call.clone()),
            call,
        }
    }

    pub(crate) const fn core(&self) -> &ringtrue::RingingCall {
        &self.call
    }
}

#[uniffi::export]
impl RingingCall {
    /// The verdict as of now.
    #[must_use]
    pub fn verdict(&self) -> CallVerdict {
        self.call.verdict().into()
    }

    /// The person picks up: call it at that moment, whatever the verdict. Answering with the phase
    /// `ANSWERED` includes it.
    pub fn answered(&self) {
        self.call.answered();
    }

    /// For a call whose media travel over IP: the media keys of both sides as they were negotiated. The
    /// other side's are compared with those that it announced: `CONFIRMED` if they are the same, else
    /// `CONFLICTING`. The own ones are shown to the caller with the next answer.
    ///
    /// # Errors
    ///
    /// `malformed_mky`.
    pub fn media(&self, own: MediaKeys, other: MediaKeys) -> Result<(), RingTrueError> {
        self.call.media(own.to_core()?, &other.to_core()?);
        Ok(())
    }

    /// The call ended, answered or not: a call that comes now is not mistaken for it.
    pub fn ended(&self) {
        self.call.ended();
    }

    /// Waits until the verdict, or a reason for it, changes; nothing when it no longer can: some seconds
    /// after `ended`, or after four minutes. For one waiter at a time: several share the changes between
    /// them.
    ///
    /// `cancellation` ends the wait, and loses no change.
    #[uniffi::method(default(cancellation = None))]
    pub async fn changed(&self, cancellation: Option<Arc<Cancellation>>) -> Option<CallVerdict> {
        // Only waits, so it needs none of the endpoint's threads.
        let change = async { self.watched.lock().await.changed().await };
        until(cancellation, change).await.map(CallVerdict::from)
    }
}
