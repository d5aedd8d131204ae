//! What sessions find, as C reads it.

use core::ffi::c_char;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    AnswerOutcome, Answered, CallVerdict, CheckName, CheckResult, PeerKeys, Placed, Placement,
    Published, Refilled, Reported, RingOutcome,
};
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::code::verdict_number;
use crate::types::{self, Check, Outcome, RINGTRUE_MAX_REASONS, RINGTRUE_NUMBER_SIZE, Verdict};

/// What came of a session of any kind.
pub(crate) enum Found {
    Ring(Box<RingOutcome>),
    Answer(Box<AnswerOutcome>),
    Placed(Box<Placed>),
    Answered(Answered),
    Reported(Reported),
    Published(Result<Published, Reason>, Vec<Reason>),
    Keys(Keys),
    Gateway(Result<(), Reason>, Vec<Reason>),
    Refilled(Refilled),
}

/// The keys of a number that was looked up.
pub(crate) struct Keys {
    pub(crate) peer: PeerKeys,
    /// How many can read what is sealed for the number.
    pub(crate) readers: usize,
    /// What went wrong or is worth knowing.
    pub(crate) reasons: Vec<Reason>,
}

impl Found {
    /// As this, with what is worth knowing of how requests travelled.
    pub(crate) fn with(mut self, notices: &[Reason]) -> Self {
        let reasons = match &mut self {
            Self::Ring(ring) => &mut ring.verdict.reasons,
            Self::Answer(answer) => &mut answer.verdict.reasons,
            Self::Placed(placed) => &mut placed.reasons,
            Self::Answered(answered) => &mut answered.reasons,
            Self::Reported(reported) => &mut reported.reasons,
            Self::Published(_, reasons) | Self::Gateway(_, reasons) => reasons,
            Self::Keys(keys) => &mut keys.reasons,
            Self::Refilled(refilled) => &mut refilled.reasons,
        };
        for notice in notices {
            if !reasons.contains(notice) {
                reasons.push(*notice);
            }
        }
        self
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Ring(ring) => Some(Verdict {
                wants_answer: ring
                    .call
                    .as_ref()
                    .is_some_and(|call| call.wants_answer())
                    .into(),
                ..verdict(&ring.verdict)
            }),
            Self::Answer(answer) => Some(Verdict {
                other_state: answer.state.map_or(0, |state| phase_code(state.s)),
                ..verdict(&answer.verdict)
            }),
            _ => None,
        }
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let base = Outcome {
            done: 0,
            count: 0,
            caller_gone: 0,
            rotated: 0,
            expires_unix_s: 0,
            reasons_len: 0,
            reasons: [0; RINGTRUE_MAX_REASONS],
        };
        let (outcome, list): (Outcome, &[Reason]) = match self {
            Self::Ring(_) | Self::Answer(_) => return None,
            Self::Placed(placed) => (
                Outcome {
                    done: (placed.placement == Placement::Stored).into(),
                    count: count(placed.copies),
                    ..base
                },
                &placed.reasons,
            ),
            Self::Answered(answered) => (
                Outcome {
                    done: answered.sent.into(),
                    caller_gone: answered.caller_gone.into(),
                    ..base
                },
                &answered.reasons,
            ),
            Self::Reported(reported) => (
                Outcome {
                    done: (reported.services > 0).into(),
                    count: count(reported.services),
                    ..base
                },
                &reported.reasons,
            ),
            Self::Published(Ok(published), reasons) => (
                Outcome {
                    done: 1,
                    count: count(published.numbers.len()),
                    rotated: published.rotated.into(),
                    expires_unix_s: published.exp.as_secs(),
                    ..base
                },
                reasons,
            ),
            Self::Published(Err(_), reasons) => (base, reasons),
            Self::Keys(keys) => (
                Outcome {
                    done: (keys.readers > 0).into(),
                    count: count(keys.readers),
                    ..base
                },
                &keys.reasons,
            ),
            Self::Gateway(learned, reasons) => (
                Outcome {
                    done: learned.is_ok().into(),
                    count: learned.is_ok().into(),
                    ..base
                },
                reasons,
            ),
            Self::Refilled(refilled) => (
                Outcome {
                    done: refilled.reasons.is_empty().into(),
                    count: count(refilled.stock),
                    ..base
                },
                &refilled.reasons,
            ),
        };
        let (reasons_len, reasons) = numbers(list);
        Some(Outcome {
            reasons_len,
            reasons,
            ..outcome
        })
    }
}

/// A published statement's reasons are its notices; a failure is the first reason.
pub(crate) fn published(result: Result<Published, Reason>) -> Found {
    let reasons = match &result {
        Ok(published) => published.notices.clone(),
        Err(reason) => vec![*reason],
    };
    Found::Published(result, reasons)
}

fn verdict(call: &CallVerdict) -> Verdict {
    let (reasons_len, reasons) = numbers(&call.reasons);
    let mut checks = [Check {
        check: 0,
        result: 0,
        reason: 0,
    }; types::RINGTRUE_MAX_CHECKS];
    for (place, made) in checks.iter_mut().zip(&call.checks) {
        let (result, reason) = match made.result {
            CheckResult::Passed => (types::RINGTRUE_CHECK_PASSED, 0),
            CheckResult::Failed(reason) => (types::RINGTRUE_CHECK_FAILED, reason.number()),
            _ => (types::RINGTRUE_CHECK_NOT_REACHED, 0),
        };
        *place = Check {
            check: check_code(made.check),
            result,
            reason,
        };
    }
    Verdict {
        verdict: verdict_number(call.verdict),
        is_good: call.verdict.is_good().into(),
        reasons_len,
        reasons,
        checks_len: count(call.checks.len().min(checks.len())),
        checks,
        orig: digits(call.orig.as_ref()),
        dest: digits(call.dest.as_ref()),
        blobs_received: call.blobs.received,
        blobs_opened: call.blobs.opened,
        wants_answer: 0,
        other_state: 0,
    }
}

const fn check_code(check: CheckName) -> u32 {
    match check {
        CheckName::Ppt => types::RINGTRUE_CHECK_PPT,
        CheckName::Orig => types::RINGTRUE_CHECK_ORIG,
        CheckName::Credential => types::RINGTRUE_CHECK_CREDENTIAL,
        CheckName::Authority => types::RINGTRUE_CHECK_AUTHORITY,
        CheckName::Freshness => types::RINGTRUE_CHECK_FRESHNESS,
        CheckName::Signature => types::RINGTRUE_CHECK_SIGNATURE,
        CheckName::Dest => types::RINGTRUE_CHECK_DEST,
        CheckName::Replay => types::RINGTRUE_CHECK_REPLAY,
        CheckName::State => types::RINGTRUE_CHECK_STATE,
        _ => 0,
    }
}

pub(crate) const fn phase_code(phase: CallPhase) -> u32 {
    match phase {
        CallPhase::Alerting => types::RINGTRUE_CALL_ALERTING,
        CallPhase::Answered => types::RINGTRUE_CALL_ANSWERED,
        CallPhase::Gone => types::RINGTRUE_CALL_ENDED,
    }
}

fn numbers(reasons: &[Reason]) -> (u32, [u32; RINGTRUE_MAX_REASONS]) {
    let mut numbers = [0; RINGTRUE_MAX_REASONS];
    for (place, reason) in numbers.iter_mut().zip(reasons) {
        *place = reason.number();
    }
    (count(reasons.len().min(RINGTRUE_MAX_REASONS)), numbers)
}

/// The digits and zeros to the end: a number has at most 15.
fn digits(number: Option<&TelephoneNumber>) -> [c_char; RINGTRUE_NUMBER_SIZE] {
    let mut octets = [0; RINGTRUE_NUMBER_SIZE];
    if let Some(number) = number {
        let digits = number.as_str().bytes().take(RINGTRUE_NUMBER_SIZE - 1);
        for (place, digit) in octets.iter_mut().zip(digits) {
            // Digits are ASCII: `char` of either sign holds them.
            *place = c_char::try_from(digit).unwrap_or(0);
        }
    }
    octets
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
