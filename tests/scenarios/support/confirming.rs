//! Calls that both telephones see answered, and what they then show.

use std::time::Duration;

use ringtrue::{CallPhase, Endpoint, OutgoingCall, Placement, Reason, RingingCall, Verdict};

use super::world::{number, patiently_with_answer, place};
use super::{PATIENT, ends, next_second};

/// How long both sides look for each other's report, and some.
const AGREEMENT: Duration = Duration::from_secs(12);

/// How many calls to make until the clocks of a busy machine agree.
pub(crate) const CALLS_ON_A_BUSY_MACHINE: usize = 40;

/// Waits until a ringing call has this verdict, with this reason if any.
pub(crate) async fn becomes(call: &mut RingingCall, verdict: Verdict, reason: Option<Reason>) {
    let is = |found: &ringtrue::CallVerdict| {
        found.verdict == verdict && reason.is_none_or(|reason| found.reasons.contains(&reason))
    };
    let mut found = call.verdict();
    while !is(&found) {
        found = ends(call.changed()).await.expect("a change of the verdict");
    }
}

/// The same for an outgoing call.
pub(crate) async fn shows(call: &mut OutgoingCall, verdict: Verdict, reason: Option<Reason>) {
    let is = |found: &ringtrue::CallVerdict| {
        found.verdict == verdict && reason.is_none_or(|reason| found.reasons.contains(&reason))
    };
    let mut found = call.outcome().verdict;
    while !is(&found) {
        let changed = ends(call.changed()).await;
        found = changed.expect("a change of the verdict").verdict;
    }
}

/// The callee picks up, and shows who it is.
pub(crate) async fn answer(callee: &Endpoint, call: &RingingCall) {
    let answered = ends(callee.answer(call, CallPhase::Answered, Some(PATIENT)));
    let answered = answered.await.unwrap();
    assert!(answered.sent, "{:?}", answered.reasons);
}

/// Two endpoints, with the numbers of the block that are theirs: the caller's, and the callee's.
pub(crate) struct Pair<'a> {
    pub(crate) caller: &'a Endpoint,
    pub(crate) callee: &'a Endpoint,
    pub(crate) numbers: [usize; 2],
}

impl Pair<'_> {
    /// Both sides see their call answered in one moment, and tell each other.
    pub(crate) async fn both_answer(&self, outgoing: &OutgoingCall, ringing: &RingingCall) {
        // The answer counts from when it begins, not from when it was sent.
        let seen = async { outgoing.answered() };
        tokio::join!(answer(self.callee, ringing), seen);
    }

    /// A call that is confirmed on both sides, with what happens `meanwhile`, between its ringing and
    /// its answer.
    ///
    /// Where requests take long, the clocks leave too much open, and a call says so; then the next one
    /// has to do.
    pub(crate) async fn confirmed(&self, meanwhile: impl AsyncFn()) -> (OutgoingCall, RingingCall) {
        let [from, to] = self.numbers;
        let (calling, called) = (number(from), number(to));
        for _ in 0..CALLS_ON_A_BUSY_MACHINE {
            let placed = place(self.caller, from, to, patiently_with_answer()).await;
            assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
            let mut outgoing = self.caller.outgoing(&placed, Some(PATIENT));
            let ringing =
                self.callee
                    .ring(Some(calling.as_str()), Some(called.as_str()), Some(PATIENT));
            let mut ringing = ends(ringing).await.unwrap();
            let found = ringing.verdict();
            assert_eq!(found.verdict, Verdict::Verified, "{:?}", found.reasons);
            meanwhile().await;
            self.both_answer(&outgoing, &ringing).await;
            let agree = async {
                becomes(&mut ringing, Verdict::Confirmed, None).await;
                shows(&mut outgoing, Verdict::Confirmed, None).await;
            };
            if tokio::time::timeout(AGREEMENT, agree).await.is_ok() {
                return (outgoing, ringing);
            }
            for found in [ringing.verdict(), outgoing.outcome().verdict] {
                match found.verdict {
                    Verdict::Confirmed => assert_eq!(found.reasons, []),
                    Verdict::Verified => assert_eq!(found.reasons, [Reason::ClockUncertain]),
                    other => panic!("{other:?} {:?}", found.reasons),
                }
            }
            outgoing.ended();
            ringing.ended();
            next_second().await;
        }
        panic!("never confirmed");
    }
}
