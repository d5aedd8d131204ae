//! Whether both sides of a call tell the same, and what else is known of it beside its PASSporT.
//!
//! Source: docs/protocol.md sections 12.3 and 13.4 to 13.6 (W-7, W-8, W-9; measures M2 to M6).

use core::time::Duration;

use ringtrue_oob::{CallPhase, CallState};
use ringtrue_stir::Reason;
use ringtrue_stir::passport::{Fingerprint, Mky};

use crate::service_clock::{DEVICE_CLOCK, Moment};
use crate::{CallEvent, Monotonic};

/// Two sides saw the same if the event was within this for both (W-8).
const TOLERANCE: Duration = Duration::from_secs(2);

/// What two times say of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    /// The same event: whatever the clocks leave open, within [`TOLERANCE`].
    Same,
    /// Not the same event, whatever the clocks.
    Different,
    /// The clocks do not allow to tell.
    Open,
}

/// Compares the own time of an event with the one that the other side tells.
///
/// Each side's time is an estimate of one clock, and both sides say by how much it may be off. Only what
/// holds for every true time that the estimates allow is told.
fn compare(own: Moment, other: &CallState) -> Comparison {
    let apart = Duration::from_millis(own.t_ms.abs_diff(other.t_ms));
    let own_slack = Duration::from_millis(own.u_ms);
    // A side that does not say how sure it is (W-8 does not ask it to) is taken at its word for what
    // speaks for the call, and for one with a device's clock for what speaks against it.
    let told = other.u_ms.map(Duration::from_millis);
    let least = own_slack.saturating_add(told.unwrap_or_default());
    let most = own_slack.saturating_add(told.unwrap_or(DEVICE_CLOCK));
    if apart.saturating_add(least) <= TOLERANCE {
        Comparison::Same
    } else if apart > TOLERANCE.saturating_add(most) {
        Comparison::Different
    } else {
        Comparison::Open
    }
}

/// What a verified call stands for, with all that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing speaks against it. These are worth knowing.
    Verified(Vec<Reason>),
    /// The other side's state and time, or its media key, agree.
    Confirmed,
    /// These speak against it, the most telling first.
    Conflicting(Vec<Reason>),
}

/// What the own side knows of a call beside the other side's word.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnSide {
    /// Whether the host tells what becomes of the call. That of a callee rings, in any case.
    followed: bool,
    answered: Option<Monotonic>,
    ended: bool,
    concurrent: bool,
    caller_gone: bool,
    media: Option<Vec<Fingerprint>>,
}

/// On which side of a call something is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Callee,
}

impl OwnSide {
    /// The host tells what becomes of the call.
    pub(crate) fn follow(&mut self) {
        self.followed = true;
    }

    /// Takes in what happened at `at`. The first answer counts; what ended stays so.
    pub(crate) fn event(&mut self, event: CallEvent) {
        match event {
            CallEvent::Answered { at, .. } => {
                if !self.ended && self.answered.is_none() {
                    self.answered = Some(at);
                }
            }
            CallEvent::Ended => self.ended = true,
            CallEvent::Concurrent => self.concurrent = true,
            CallEvent::CallerGone => self.caller_gone = true,
            CallEvent::Media(fingerprints) => self.media = Some(fingerprints),
        }
    }

    pub(crate) const fn answered(&self) -> Option<Monotonic> {
        self.answered
    }

    pub(crate) const fn ended(&self) -> bool {
        self.ended
    }

    pub(crate) const fn is_concurrent(&self) -> bool {
        self.concurrent
    }

    /// Judges a call that is verified. `reports` are the other side's states of this call, `keys` the media
    /// keys that its verified tokens name; `moment` tells a time on the clock that both sides have.
    ///
    /// The worst of several reports counts: whoever can add one can make a call look doubtful, never
    /// better than it is.
    pub(crate) fn judge<'a>(
        &self,
        side: Side,
        reports: impl Iterator<Item = &'a CallState> + Clone,
        keys: impl Iterator<Item = &'a Mky>,
        now: Monotonic,
        moment: impl Fn(Monotonic) -> Option<Moment>,
    ) -> Standing {
        let of = |phase| reports.clone().filter(move |report| report.s == phase);
        let gone = self.caller_gone || of(CallPhase::Gone).next().is_some();
        if side == Side::Callee && gone {
            return Standing::Conflicting(vec![Reason::CallerGone]);
        }
        if self.concurrent {
            return Standing::Conflicting(vec![Reason::ConcurrentCall]);
        }
        let mut media = None;
        for named in keys {
            media = match &self.media {
                Some(session) if named.matches(session) => Some(true),
                Some(_) => return Standing::Conflicting(vec![Reason::MediaMismatch]),
                None => Some(false),
            };
        }
        let different = || Standing::Conflicting(vec![Reason::StateMismatch, Reason::TimesDiffer]);
        let mut notices = Vec::new();
        let mut agreed = false;
        match self.answered {
            Some(answered) => {
                for report in of(CallPhase::Answered) {
                    match moment(answered).map(|own| compare(own, report)) {
                        Some(Comparison::Same) => agreed = true,
                        Some(Comparison::Different) => return different(),
                        Some(Comparison::Open) | None => notices = vec![Reason::ClockUncertain],
                    }
                }
            }
            // Given up before an answer: an answer that the other side saw is not to this call. A callee
            // that no longer rings has perhaps been answered on another of its telephones.
            None if self.ended => {
                if side == Side::Caller && of(CallPhase::Answered).next().is_some() {
                    return Standing::Conflicting(vec![Reason::StateMismatch]);
                }
            }
            // Nobody tells what this side sees of the call.
            None if side == Side::Caller && !self.followed => {}
            // Still alerting, though the other side has been answered: soon that is another call.
            None => {
                let late = |report: &CallState| {
                    moment(now).is_some_and(|own| {
                        report.t_ms < own.t_ms && compare(own, report) == Comparison::Different
                    })
                };
                if of(CallPhase::Answered).any(late) {
                    return Standing::Conflicting(vec![Reason::StateMismatch]);
                }
            }
        }
        if media == Some(false) {
            notices.push(Reason::MediaNotChecked);
        }
        // One report that agrees is not enough while another leaves it open.
        if media == Some(true) || (agreed && !notices.contains(&Reason::ClockUncertain)) {
            return Standing::Confirmed;
        }
        Standing::Verified(notices)
    }
}
