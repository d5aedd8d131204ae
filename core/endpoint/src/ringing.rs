//! A ringing call after its first verdict.

use std::sync::{Arc, OnceLock};

use ringtrue_session::{CallEvent, CallVerdict, Monotonic, RingOutcome, VerifiedCall};
use ringtrue_stir::passport::Mky;
use tokio::sync::watch;

use crate::calls::CallEntry;
use crate::host::Host;

/// A call that rings, with the verdict on it.
///
/// Keep this value for as long as the call lasts, and say what becomes of the call: another call from the
/// same number, and what the caller reports, change the verdict until then. The mailbox is polled on
/// after the first verdict, and again when the call is answered, whatever was found (W-32). Clones
/// stand for the same call; dropping the last is the end of the call.
#[derive(Clone)]
pub struct RingingCall {
    outcome: watch::Receiver<RingOutcome>,
    /// What [`RingingCall::changed`] has told of last: what is read meanwhile does not count, or a change
    /// that came between reading and waiting would never be told.
    told: CallVerdict,
    shared: Arc<Shared>,
}

struct Shared {
    host: Arc<Host>,
    entry: CallEntry,
    answered: OnceLock<Monotonic>,
    own_media: OnceLock<Mky>,
}

impl std::fmt::Debug for RingingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RingingCall(..)")
    }
}

impl RingingCall {
    pub(crate) fn new(
        outcome: watch::Receiver<RingOutcome>,
        host: Arc<Host>,
        entry: CallEntry,
    ) -> Self {
        let told = outcome.borrow().verdict.clone();
        Self {
            outcome,
            told,
            shared: Arc::new(Shared {
                host,
                entry,
                answered: OnceLock::new(),
                own_media: OnceLock::new(),
            }),
        }
    }

    /// The verdict as of now.
    #[must_use]
    pub fn verdict(&self) -> CallVerdict {
        self.outcome.borrow().verdict.clone()
    }

    /// Waits until the verdict, or a reason for it, is another than this told of last, or than it was when
    /// the call rang; `None` when it no longer can be: some seconds after [`RingingCall::ended`], or after
    /// four minutes. Losing the future loses no change.
    pub async fn changed(&mut self) -> Option<CallVerdict> {
        loop {
            let verdict = self.outcome.borrow_and_update().verdict.clone();
            if verdict.verdict != self.told.verdict || verdict.reasons != self.told.reasons {
                self.told = verdict.clone();
                return Some(verdict);
            }
            self.outcome.changed().await.ok()?;
        }
    }

    /// The person picks up: call it at that moment, whatever the verdict, unless
    /// [`Endpoint::answer`](crate::Endpoint::answer) is called, which includes it.
    ///
    /// Looks for a caller that gave up meanwhile (`conflicting`, `caller_gone`) and for its report of
    /// the answer: `confirmed` if both sides see it within 2 s, `conflicting` if they do not.
    pub fn answered(&self) {
        self.answered_with(true);
    }

    /// As [`Self::answered`]; `look` unless somebody else looks into the mailbox now. Gives when the call
    /// was answered.
    pub(crate) fn answered_with(&self, look: bool) -> Monotonic {
        let shared = &self.shared;
        *shared.answered.get_or_init(|| {
            let at = shared.host.now().monotonic;
            shared.entry.answered(at, look);
            at
        })
    }

    /// The caller has given up, as an answer found.
    pub(crate) fn caller_gone(&self) {
        self.shared.entry.tell(CallEvent::CallerGone);
    }

    /// For a call whose media travel over IP: the key fingerprints of both sides' session descriptions as
    /// they were negotiated ([`Mky::from_sdp`]). The other side's are compared with those that its
    /// PASSporT names: `confirmed` if they are the same, else `conflicting`. The own ones are shown to the
    /// caller with the next answer.
    pub fn media(&self, own: Mky, other: &Mky) {
        let _ = self.shared.own_media.set(own);
        let event = CallEvent::Media(other.fingerprints().to_vec());
        self.shared.entry.tell(event);
    }

    /// The call ended, answered or not. It leaves the endpoint's call table: a call that comes now is not
    /// mistaken for it.
    pub fn ended(&self) {
        self.shared.entry.ended();
    }

    /// The call, if its verdict is good as of now.
    pub(crate) fn verified(&self) -> Option<VerifiedCall> {
        self.outcome.borrow().call.clone()
    }

    pub(crate) fn own_media(&self) -> Option<Mky> {
        self.shared.own_media.get().cloned()
    }
}
