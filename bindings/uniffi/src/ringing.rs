//! A ringing call.

use tokio::sync::Mutex;

use crate::CallVerdict;

/// A call that rings, with the verdict on it.
///
/// The mailbox is polled on after the first verdict, whether this object is kept or closed; a later
/// poll may change the verdict. It ends with its endpoint.
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

    /// Waits until the verdict changes; nothing when it no longer can. For one waiter at a time:
    /// several share the changes between them.
    pub async fn changed(&self) -> Option<CallVerdict> {
        // Only waits, so it needs none of the endpoint's threads.
        self.watched
            .lock()
            .await
            .changed()
            .await
            .map(CallVerdict::from)
    }
}
