//! What came of placing, answering, waiting and publishing.

use std::sync::Arc;

use crate::reason::reasons;
use crate::show::show;
use crate::{CallVerdict, Reason};

/// Whether a call was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Placement {
    /// At least one copy is visible to the callee: dial.
    Stored,
    /// Nothing was announced. The call may still be dialled; the reasons say why.
    Unprotected,
}

impl From<ringtrue::Placement> for Placement {
    fn from(placement: ringtrue::Placement) -> Self {
        match placement {
            ringtrue::Placement::Stored => Self::Stored,
            ringtrue::Placement::Unprotected => Self::Unprotected,
        }
    }
}

/// What is needed to recognise the answer to a placed call. For `Endpoint.awaitAnswer`, nothing else.
#[derive(Debug, uniffi::Object)]
pub struct AnswerExpectation(pub(crate) ringtrue::AnswerExpectation);

/// A placed call as the endpoint knows it. For `Endpoint.outgoing`, nothing else.
#[derive(uniffi::Object)]
pub struct PlacedCall(pub(crate) ringtrue::Placed);

/// What came of placing a call. Its text shows whether it was announced only.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Placed {
    /// Whether the call was announced.
    pub placement: Placement,
    /// Why not, or what else is worth knowing.
    pub reasons: Vec<Reason>,
    /// The calling number, one of the endpoint's own.
    pub orig: String,
    /// The called number.
    pub dest: String,
    /// How many sealed copies are stored.
    pub copies: u32,
    /// What to wait for, if an answer was asked for.
    pub answer: Option<Arc<AnswerExpectation>>,
    /// The call, for `Endpoint.outgoing`, whether it was announced or not.
    pub call: Arc<PlacedCall>,
}

show!(Placed, |value, f| match value.placement {
    Placement::Stored => f.write_str("Placed(stored)"),
    Placement::Unprotected => f.write_str("Placed(unprotected)"),
});

impl From<ringtrue::Placed> for Placed {
    fn from(placed: ringtrue::Placed) -> Self {
        let answer = placed.answer.clone();
        Self {
            placement: placed.placement.into(),
            reasons: reasons(placed.reasons.clone()),
            orig: placed.orig.as_str().to_owned(),
            dest: placed.dest.as_str().to_owned(),
            copies: count(placed.copies),
            answer: answer.map(|expected| Arc::new(AnswerExpectation(expected))),
            call: Arc::new(PlacedCall(placed)),
        }
    }
}

/// A state of a call that one side tells the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CallPhase {
    /// The called telephone rings.
    Alerting,
    /// The call was answered.
    Answered,
    /// The caller gave up before an answer.
    Gone,
}

impl From<CallPhase> for ringtrue::CallPhase {
    fn from(phase: CallPhase) -> Self {
        match phase {
            CallPhase::Alerting => Self::Alerting,
            CallPhase::Answered => Self::Answered,
            CallPhase::Gone => Self::Gone,
        }
    }
}

impl From<ringtrue::CallPhase> for CallPhase {
    fn from(phase: ringtrue::CallPhase) -> Self {
        match phase {
            ringtrue::CallPhase::Alerting => Self::Alerting,
            ringtrue::CallPhase::Answered => Self::Answered,
            ringtrue::CallPhase::Gone => Self::Gone,
        }
    }
}

/// What the other side says of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CallState {
    /// The state.
    pub phase: CallPhase,
    /// Since when, in milliseconds since the Unix epoch: by the placement service's clock, or by the
    /// sender's own.
    pub since_unix_ms: u64,
}

impl From<ringtrue::CallState> for CallState {
    fn from(state: ringtrue::CallState) -> Self {
        Self {
            phase: state.s.into(),
            since_unix_ms: state.t_ms,
        }
    }
}

/// The verdict on who answered.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AnswerOutcome {
    /// The verdict; `orig` is the own number, `dest` the dialled one.
    pub verdict: CallVerdict,
    /// What the called side says of its call, and since when.
    pub state: Option<CallState>,
}

impl From<ringtrue::AnswerOutcome> for AnswerOutcome {
    fn from(outcome: ringtrue::AnswerOutcome) -> Self {
        Self {
            verdict: outcome.verdict.into(),
            state: outcome.state.map(CallState::from),
        }
    }
}

/// What came of answering.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Answered {
    /// Whether the caller can now fetch who answered.
    pub sent: bool,
    /// Whether the caller has reported meanwhile that it ended its call: then this one is not its
    /// call, nothing was sent, and the verdict is conflicting.
    pub caller_gone: bool,
    /// Why nothing was sent, or what else is worth knowing.
    pub reasons: Vec<Reason>,
}

impl From<ringtrue::Answered> for Answered {
    fn from(answered: ringtrue::Answered) -> Self {
        Self {
            sent: answered.sent,
            caller_gone: answered.caller_gone,
            reasons: reasons(answered.reasons),
        }
    }
}

/// What came of publishing. Its text shows the count of numbers only.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Published {
    /// The numbers whose directory entry is now the current statement.
    pub numbers: Vec<String>,
    /// When the statement expires, in seconds since the Unix epoch. Publish again before.
    pub exp_unix_s: u64,
    /// Whether new keys were made.
    pub rotated: bool,
    /// What is worth knowing.
    pub notices: Vec<Reason>,
}

show!(Published, |value, f| write!(
    f,
    "Published({} numbers)",
    value.numbers.len()
));

impl From<ringtrue::Published> for Published {
    fn from(published: ringtrue::Published) -> Self {
        Self {
            numbers: published
                .numbers
                .iter()
                .map(|number| number.as_str().to_owned())
                .collect(),
            exp_unix_s: published.exp.as_secs(),
            rotated: published.rotated,
            notices: reasons(published.notices),
        }
    }
}

/// A count that is small by construction, in the width that crosses the border.
pub(crate) fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use ringtrue::{CallPhase as CorePhase, Reason as CoreReason, TelephoneNumber, UnixTime};

    use super::{Answered, CallPhase, CallState, Placed, Placement, Published};

    #[test]
    fn call_phases_convert_both_ways() {
        for phase in [CorePhase::Alerting, CorePhase::Answered, CorePhase::Gone] {
            assert_eq!(CorePhase::from(CallPhase::from(phase)), phase);
        }
        let state = CallState::from(ringtrue::CallState {
            s: CorePhase::Answered,
            t_ms: 5,
            u_ms: None,
        });
        assert_eq!(
            state,
            CallState {
                phase: CallPhase::Answered,
                since_unix_ms: 5
            }
        );
    }

    #[test]
    fn placements_convert() {
        assert_eq!(
            Placement::from(ringtrue::Placement::Stored),
            Placement::Stored
        );
        assert_eq!(
            Placement::from(ringtrue::Placement::Unprotected),
            Placement::Unprotected
        );
    }

    #[test]
    fn publications_keep_everything_and_their_text_holds_no_number() {
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        let published = Published::from(ringtrue::Published {
            numbers: vec![number],
            exp: UnixTime::from_secs(1_800_000_000),
            rotated: true,
            notices: vec![CoreReason::KeysTruncated],
        });
        assert_eq!(published.numbers, ["12025550143"]);
        assert_eq!(published.exp_unix_s, 1_800_000_000);
        assert!(published.rotated);
        assert_eq!(published.notices, [CoreReason::KeysTruncated.into()]);
        assert_eq!(published.to_string(), "Published(1 numbers)");
        assert_eq!(format!("{published:?}"), "Published(1 numbers)");
    }

    #[test]
    fn answers_keep_everything() {
        let answered = Answered::from(ringtrue::Answered {
            sent: false,
            caller_gone: true,
            reasons: vec![CoreReason::CallerGone],
            refill: None,
        });
        assert!(!answered.sent && answered.caller_gone);
        assert_eq!(answered.reasons, [CoreReason::CallerGone.into()]);
    }

    #[test]
    fn the_text_of_a_placed_call_holds_no_number() {
        let number = |text| TelephoneNumber::from_canonical(text).unwrap();
        let placed = Placed::from(ringtrue::Placed {
            placement: ringtrue::Placement::Unprotected,
            reasons: vec![CoreReason::NoUsableKey],
            orig: number("12025550143"),
            dest: number("12025550199"),
            copies: 0,
            keys: Default::default(),
            call: None,
            answer: None,
        });
        assert_eq!(placed.reasons, [CoreReason::NoUsableKey.into()]);
        assert_eq!(
            (&*placed.orig, &*placed.dest),
            ("12025550143", "12025550199")
        );
        assert_eq!(placed.call.0.orig, number("12025550143"));
        assert!(placed.answer.is_none());
        assert_eq!(placed.to_string(), "Placed(unprotected)");
        assert_eq!(format!("{placed:?}"), "Placed(unprotected)");
    }
}
