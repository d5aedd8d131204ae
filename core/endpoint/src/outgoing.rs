//! A call that was announced and is being made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    AnswerOutcome, AwaitAnswerSession, BlobCounts, CallEvent, CallVerdict, Monotonic, Placed,
    PlacedCall, Progress, StateReportSession, Verdict,
};
use ringtrue_stir::Reason;
use ringtrue_stir::passport::Mky;
use tokio::sync::watch;

use crate::Endpoint;
use crate::calls::{CallEntry, Calls};
use crate::driver::{drive, drive_call, note};
use crate::host::Host;

/// A call of one's own: what the called side shows of itself, and what it is told of the call.
///
/// Keep this value for as long as the call lasts, and say what becomes of the call: the called side
/// relies on it to tell this call from one that only pretends to be it. Everything is sent in the
/// background. Clones stand for the same call; dropping the last without [`OutgoingCall::ended`]
/// reports nothing.
#[derive(Clone)]
pub struct OutgoingCall {
    outcome: watch::Receiver<AnswerOutcome>,
    shared: Arc<Shared>,
}

struct Shared {
    host: Arc<Host>,
    entry: CallEntry,
    call: Option<PlacedCall>,
    /// None once the call ended: when whoever reports or waits is done, nothing changes any more.
    sender: Mutex<Option<Arc<watch::Sender<AnswerOutcome>>>>,
}

impl std::fmt::Debug for OutgoingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutgoingCall(..)")
    }
}

impl OutgoingCall {
    pub(crate) fn begin(endpoint: &Endpoint, placed: &Placed, wait: Option<Duration>) -> Self {
        let host = Arc::clone(endpoint.host());
        let now = host.now();
        let (entry, events) = endpoint.calls().dial(placed.orig.clone(), now.monotonic);
        let (sender, outcome) = watch::channel(nothing_yet(placed));
        let sender = Arc::new(sender);
        if let Some(expected) = placed.answer.clone() {
            let deadline = endpoint.deadline(wait, host.context().policy().await_answer);
            let session = AwaitAnswerSession::new(host.context(), expected, deadline, now);
            let (host, sender) = (Arc::clone(&host), Arc::clone(&sender));
            let (calls, id) = (Arc::clone(endpoint.calls()), entry.id());
            tokio::spawn(async move {
                let told = |mut outcome: AnswerOutcome, notices: &[Reason]| {
                    note(&mut outcome.verdict.reasons, notices.iter().copied());
                    tell(&sender, &calls, id, outcome);
                };
                let session = session.staying(now);
                let (mut last, notices) = drive_call(&host, session, events, told).await;
                note(&mut last.verdict.reasons, notices);
                tell(&sender, &calls, id, last);
            });
        }
        Self {
            outcome,
            shared: Arc::new(Shared {
                host,
                entry,
                call: placed.call.clone(),
                sender: Mutex::new(Some(sender)),
            }),
        }
    }

    /// What the called side has shown as of now.
    #[must_use]
    pub fn outcome(&self) -> AnswerOutcome {
        self.outcome.borrow().clone()
    }

    /// Waits until that changes; `None` when it no longer can, some seconds after
    /// [`OutgoingCall::ended`].
    pub async fn changed(&mut self) -> Option<AnswerOutcome> {
        self.outcome.changed().await.ok()?;
        Some(self.outcome.borrow_and_update().clone())
    }

    /// The called side answered: call it at that moment, and once. The called side is told, and
    /// `confirmed` follows when it says the same within 2 s.
    pub fn answered(&self) {
        let at = self.shared.host.now().monotonic;
        self.shared.entry.answered(at, true);
        self.report(CallPhase::Answered, at);
    }

    /// For a call whose media travel over IP: the key fingerprints of the other side's session description
    /// as negotiated ([`Mky::from_sdp`]). Compared with those that the answer names.
    pub fn media(&self, other: &Mky) {
        let event = CallEvent::Media(other.fingerprints().to_vec());
        self.shared.entry.tell(event);
    }

    /// The call ended: answered and over, busy, rejected, given up. If it was not answered, the called
    /// side is told that there is no call any more that its announcement could speak for (PRV-43).
    pub fn ended(&self) {
        let at = self.shared.host.now().monotonic;
        let was = self.shared.entry.ended();
        if was.is_some_and(|call| call.progress == Progress::Alerting) {
            self.report(CallPhase::Gone, at);
        }
        self.sender().take();
    }

    fn sender(&self) -> std::sync::MutexGuard<'_, Option<Arc<watch::Sender<AnswerOutcome>>>> {
        let sender = self.shared.sender.lock();
        sender.unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a report in the background, within the time for answers.
    fn report(&self, state: CallPhase, at: Monotonic) {
        let (Some(call), Some(sender)) = (self.shared.call.clone(), self.sender().clone()) else {
            return;
        };
        let host = Arc::clone(&self.shared.host);
        let deadline = at.plus(host.context().policy().answer_deadline);
        let session = StateReportSession::new(host.context(), call, state, at, deadline);
        let Ok(session) = session else { return };
        tokio::spawn(async move {
            let reported = drive(&host, session, |never| match never {}).await;
            if reported.reasons.is_empty() {
                return;
            }
            sender.send_modify(|outcome| {
                note(&mut outcome.verdict.reasons, reported.reasons);
            });
        });
    }
}

/// Hands on what was found. What could not be reported before stays known.
fn tell(
    sender: &watch::Sender<AnswerOutcome>,
    calls: &Calls,
    id: ringtrue_session::CallId,
    mut outcome: AnswerOutcome,
) {
    if outcome.verdict.verdict == Verdict::Confirmed {
        calls.confirmed(id);
    }
    let late = Reason::StateReportLate;
    sender.send_if_modified(|held| {
        if held.verdict.reasons.contains(&late) && !outcome.verdict.reasons.contains(&late) {
            outcome.verdict.reasons.push(late);
        }
        let news = held.verdict != outcome.verdict || held.state != outcome.state;
        *held = outcome;
        news
    });
}

/// Before the called side has shown anything: `no_record`, or `unavailable` where it was not asked or
/// cannot be.
fn nothing_yet(placed: &Placed) -> AnswerOutcome {
    AnswerOutcome {
        verdict: CallVerdict {
            verdict: if placed.answer.is_some() {
                Verdict::NoRecord
            } else {
                Verdict::Unavailable
            },
            reasons: placed.reasons.clone(),
            checks: Vec::new(),
            orig: Some(placed.orig.clone()),
            dest: Some(placed.dest.clone()),
            blobs: BlobCounts::default(),
        },
        state: None,
    }
}
