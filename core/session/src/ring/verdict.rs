//! The verdict on a ringing call, as things stand.

use ringtrue_stir::Reason;

use super::{RingOutcome, RingSession};
use crate::agreement::{Side, Standing};
use crate::verdict::add_reason;
use crate::{CallVerdict, Check, CheckName, Now, Verdict, VerifiedCall};

impl RingSession {
    /// How the call stands that `winner` is the evidence for.
    fn standing(&self, winner: &VerifiedCall, now: Now) -> Standing {
        let clock = self.mailboxes.clock(&winner.service);
        let earliest = self.context.policy.earliest_time;
        self.own.judge(
            Side::Callee,
            self.reports.of(&winner.nonce),
            winner.claims().mky().into_iter(),
            now.monotonic,
            |at| clock.moment(at, now, earliest),
        )
    }

    /// The verdict as things stand. `settled`: nothing more is coming that could change it in time.
    pub(super) fn verdict(&self, settled: bool, now: Now) -> Option<RingOutcome> {
        let outcome =
            |verdict, first: &[Reason], checks: Vec<Check>, call: Option<&VerifiedCall>| {
                let mut reasons = first.to_vec();
                let noted = self.evidence.reasons().iter();
                let noted = noted.chain(self.fetches.reasons());
                for reason in noted.chain(self.mailboxes.reasons()) {
                    add_reason(&mut reasons, *reason);
                }
                // Nothing found because nothing came of a request or of the encryption key in time is
                // not the same as nothing there.
                let nothing = matches!(verdict, Verdict::NoRecord | Verdict::Unavailable);
                if settled && nothing && !self.is_idle() {
                    add_reason(&mut reasons, Reason::DeadlinePassed);
                }
                let only_number = if self.to.len() == 1 {
                    self.to.first()
                } else {
                    None
                };
                Some(RingOutcome {
                    verdict: CallVerdict {
                        verdict,
                        reasons,
                        checks,
                        orig: self.from.clone(),
                        dest: call.map(VerifiedCall::dest).or(only_number).cloned(),
                        blobs: self.mailboxes.counts(),
                    },
                    call: call.map(|call| VerifiedCall {
                        clock: self.mailboxes.clock(&call.service),
                        ..call.clone()
                    }),
                })
            };
        if self.clock_unset {
            return outcome(Verdict::ClockUnset, &[Reason::ClockUnset], Vec::new(), None);
        }
        if self.from.is_none() {
            return outcome(
                Verdict::NoRecord,
                &[Reason::CallerWithheld],
                Vec::new(),
                None,
            );
        }
        if let Some(winner) = self.evidence.winner() {
            let mut checks = winner.checks.clone();
            let call = Some(&winner.found);
            return match self.standing(&winner.found, now) {
                Standing::Conflicting(reasons) => {
                    let reason = reasons.first().copied().unwrap_or(Reason::StateMismatch);
                    let _ = checks.note::<()>(CheckName::State, Err(reason));
                    outcome(Verdict::Conflicting, &reasons, checks.complete(), None)
                }
                Standing::Verified(notices) => {
                    checks.pass(CheckName::State);
                    outcome(Verdict::Verified, &notices, checks.complete(), call)
                }
                Standing::Confirmed => {
                    checks.pass(CheckName::State);
                    outcome(Verdict::Confirmed, &[], checks.complete(), call)
                }
            };
        }
        if !settled {
            return None;
        }
        let open = self.evidence.is_claiming() || !self.fetches.is_idle();
        if open || self.evidence.store_failed() {
            return outcome(Verdict::Unavailable, &[], Vec::new(), None);
        }
        if let Some((checks, reason)) = self.evidence.failed() {
            // The call that came at the same time was quicker to use what was announced; which of them
            // was meant is as open as if this one had been.
            if self.own.is_concurrent() && *reason == Reason::Replayed {
                let first = [Reason::ConcurrentCall, *reason];
                return outcome(Verdict::Conflicting, &first, checks.complete(), None);
            }
            return outcome(Verdict::Refused, &[*reason], checks.complete(), None);
        }
        if self.mailboxes.answers() == 0 {
            return outcome(Verdict::Unavailable, &[], Vec::new(), None);
        }
        outcome(Verdict::NoRecord, &[], Vec::new(), None)
    }
}
