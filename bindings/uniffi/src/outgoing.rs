//! A call that was announced and is being made.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::Placed;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::cancellation::until;
use crate::{AnswerOutcome, Cancellation, MediaKeys, RingTrueError};

/// A call of one's own: what the called side shows of itself, and what it is told of the call.
///
/// Keep this object for as long as the call lasts, and say what becomes of the call: the called side
/// relies on it to tell this call from one that only pretends to be it. Closing it without `ended`
/// reports nothing. It ends with its endpoint.
#[derive(uniffi::Object)]
pub struct OutgoingCall {
    call: ringtrue::OutgoingCall,
    /// Remembers which change was seen last.
    watched: Mutex<ringtrue::OutgoingCall>,
    /// The endpoint's threads, which send what is reported.
    threads: Handle,
}

impl OutgoingCall {
    pub(crate) fn begin(
        endpoint: &ringtrue::Endpoint,
        placed: &Placed,
        wait: Option<Duration>,
        threads: Handle,
    ) -> Self {
        let call = {
            let _threads = threads.enter();
            endpoint.outgoing(placed, wait)
        };
        Self {
            watched: Mutex::new(call.clone()),
            call,
            threads,
        }
    }
}

#[uniffi::export]
impl OutgoingCall {
    /// What the called side has shown as of now.
    #[must_use]
    pub fn outcome(&self) -> AnswerOutcome {
        self.call.outcome().into()
    }

    /// The called side answered: call it at that moment, and once. The called side is told, and
    /// `CONFIRMED` follows when it says the same within 2 s.
    pub fn answered(&self) {
        let _threads = self.threads.enter();
        self.call.answered();
    }

    /// For a call whose media travel over IP: the other side's media keys as they were negotiated. Compared
    /// with those that its answer names.
    ///
    /// # Errors
    ///
    /// `malformed_mky`.
    pub fn media(&self, other: MediaKeys) -> Result<(), RingTrueError> {
        self.call.media(&other.to_core()?);
        Ok(())
    }

    /// The call ended: answered and over, busy, rejected, given up. If it was not answered, the called
    /// side is told that there is no call any more that its announcement could speak for.
    pub fn ended(&self) {
        let _threads = self.threads.enter();
        self.call.ended();
    }

    /// Waits until the outcome changes; nothing when it no longer can, some seconds after `ended`. For
    /// one waiter at a time: several share the changes between them.
    ///
    /// `cancellation` ends the wait, and loses no change.
    #[uniffi::method(default(cancellation = None))]
    pub async fn changed(&self, cancellation: Option<Arc<Cancellation>>) -> Option<AnswerOutcome> {
        // Only waits, so it needs none of the endpoint's threads.
        let change = async { self.watched.lock().await.changed().await };
        until(cancellation, change).await.map(AnswerOutcome::from)
    }
}
