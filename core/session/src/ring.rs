//! Verifying a ringing call.

mod verdict;

use std::collections::VecDeque;
use std::sync::Arc;

use core::time::Duration;

use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::agreement::OwnSide;
use crate::evaluate::{Bag, Outcome, bag_of_content, came_from, evaluate_call};
use crate::evidence::Evidence;
use crate::fetches::{Fetches, Sources, Waiting};
use crate::mailbox::{Mailboxes, Opened};
use crate::policy::POLL_SCHEDULE;
use crate::state_reports::StateReports;
use crate::time::Monotonic;
use crate::{Action, CallEvent, CallVerdict, Context, Input, Now, Session, Step, VerifiedCall};

/// How long a poll may take that is made after the verdict was due.
const LATE_POLL: Duration = Duration::from_secs(2);

/// A poll that cannot get at least this long before the deadline does not fit it.
const MIN_POLL_TIME: Duration = Duration::from_millis(200);

/// How long a session that was asked to stay waits for the end of the call: longer than any network lets
/// a telephone ring, and longer than another call can be mistaken for this one ([`crate::CallTable`]).
const MAX_STAY: Duration = Duration::from_secs(240);

/// A verdict on a ringing call, and the call itself if it is verified.
#[derive(Clone, Debug)]
pub struct RingOutcome {
    /// The verdict.
    pub verdict: CallVerdict,
    /// What an answer needs; only with a good verdict.
    pub call: Option<VerifiedCall>,
}

/// Retrieves, opens and checks what was left for a ringing call.
///
/// Reports the first verdict that decides (W-32), goes on polling on the fixed schedule whatever was
/// found, reports again if a later poll changes the verdict, and ends after the last poll.
#[derive(Clone)]
pub struct RingSession {
    context: Arc<Context>,
    from: Option<TelephoneNumber>,
    to: Vec<TelephoneNumber>,
    mailboxes: Mailboxes,
    deadline: Monotonic,
    schedule: Vec<Monotonic>,
    polls_made: usize,
    opened: VecDeque<Opened>,
    fetches: Fetches,
    examined: usize,
    evidence: Evidence<VerifiedCall>,
    reports: StateReports,
    own: OwnSide,
    stay_until: Option<Monotonic>,
    clock_unset: bool,
    reported: Option<CallVerdict>,
    done: bool,
}

impl RingSession {
    /// Begins when a call rings, at `now`, and owes a verdict by `deadline`.
    ///
    /// `from` is the calling number of signalling, `None` if it is withheld. `to` is the called
    /// number, `None` where the host cannot tell which of its own it was (dual SIM): then all are
    /// asked (W-38).
    ///
    /// # Errors
    ///
    /// [`Reason::NumberNotOwned`] if `to` is not one of the endpoint's own numbers.
    pub fn new(
        context: Arc<Context>,
        from: Option<TelephoneNumber>,
        to: Option<TelephoneNumber>,
        deadline: Monotonic,
        now: Now,
    ) -> Result<Self, Reason> {
        let to = match to {
            Some(number) if context.owns(&number) => vec![number],
            Some(_) => return Err(Reason::NumberNotOwned),
            None => context.numbers().to_vec(),
        };
        let schedule = POLL_SCHEDULE
            .iter()
            .map(|after| now.monotonic.plus(jittered(&context, *after)))
            .collect();
        let fetches = Fetches::new(&context.policy);
        let clock_unset = now.unix(context.policy.earliest_time).is_none();
        Ok(Self {
            mailboxes: Mailboxes::new(Arc::clone(&context), &to),
            context,
            from,
            to,
            deadline,
            schedule,
            polls_made: 0,
            opened: VecDeque::new(),
            fetches,
            examined: 0,
            evidence: Evidence::new(),
            reports: StateReports::default(),
            own: OwnSide::default(),
            stay_until: None,
            clock_unset,
            reported: None,
            done: false,
        })
    }

    /// Lets the session stay after its last poll, until it is told that the call ended
    /// ([`CallEvent::Ended`]): the call may still be answered, or turn out not to be the only one.
    #[must_use]
    pub fn staying(mut self, now: Now) -> Self {
        self.stay_until = Some(now.monotonic.plus(MAX_STAY));
        self
    }

    fn start_due_polls(&mut self, now: Now) {
        while let Some(at) = self.schedule.get(self.polls_made) {
            if *at > now.monotonic {
                return;
            }
            self.polls_made = self.polls_made.saturating_add(1);
            self.mailboxes.poll(self.until(now), now);
        }
    }

    /// When to give up what is asked for now: at the deadline, or shortly after now if that is over.
    fn until(&self, now: Now) -> Monotonic {
        if now.monotonic < self.deadline {
            self.deadline
        } else {
            now.monotonic.plus(LATE_POLL)
        }
    }

    /// Looks at one opened content.
    fn examine(&mut self, opened: Opened, unix: UnixTime, now: Now) {
        let opened = Arc::new(opened);
        let content = &opened.content;
        if let Some(report) = content.st {
            self.reports.take_in(content.n, report);
        }
        if self.from.is_none() {
            return;
        }
        let bag = bag_of_content(content);
        for token in 0..content.ppts.len() {
            if self.examined >= self.context.policy.max_passports {
                self.evidence.note(Reason::AnswerIncomplete);
                return;
            }
            self.examined = self.examined.saturating_add(1);
            self.judge(&opened, token, &bag, unix, now);
        }
    }

    /// Looks at one token of an opened content.
    fn judge(&mut self, opened: &Arc<Opened>, token: usize, bag: &Bag, unix: UnixTime, now: Now) {
        let content = &opened.content;
        let (Some(from), Some(text)) = (&self.from, content.ppts.get(token)) else {
            return;
        };
        let sources = Sources {
            content: bag,
            fetches: &self.fetches,
        };
        let evaluated = evaluate_call(&self.context, text, opened, sources, from, unix);
        match &evaluated.outcome {
            Outcome::Good(_) => {
                if !came_from(content, &opened.service) {
                    self.evidence.note(Reason::CpsMismatch);
                }
                let known = content.ksd.as_ref().is_none_or(|digest| {
                    self.mailboxes
                        .keys()
                        .is_some_and(|keys| keys.knows_statement(digest.as_octets()))
                });
                if !known {
                    self.evidence.note(Reason::KsdUnknown);
                }
            }
            Outcome::Wants(x5u) => {
                let waiting = Waiting {
                    opened: Arc::clone(opened),
                    token,
                };
                let until = self.until(now);
                self.fetches.wait(x5u, waiting, until);
            }
            Outcome::Failed(_) | Outcome::Dropped(_) => {}
        }
        self.evidence.take_in(evaluated);
    }

    /// Marks the newest good candidate as used. A call that ended is no evidence for this one while
    /// there is a better candidate (W-7).
    fn claim_newest(&mut self) {
        let reports = &self.reports;
        self.evidence.claim_best(&self.context, |held| {
            (!reports.is_gone(&held.found.nonce), held.iat)
        });
    }

    /// Whether every poll that was made has been answered, opened and judged.
    fn is_idle(&self) -> bool {
        self.mailboxes.is_idle()
            && self.opened.is_empty()
            && self.fetches.is_idle()
            && self.evidence.is_settled()
    }

    /// Whether the verdict can wait no longer, or need not.
    fn is_settled(&self, now: Now) -> bool {
        if now.monotonic >= self.deadline {
            return true;
        }
        if !self.is_idle() || self.polls_made == 0 {
            return false;
        }
        // A failure decides at once; nothing at all only after the last poll that fits.
        let more_to_come = self
            .schedule
            .get(self.polls_made)
            .is_some_and(|next| next.plus(MIN_POLL_TIME) <= self.deadline);
        self.evidence.failed().is_some() || self.evidence.store_failed() || !more_to_come
    }

    /// Until when to wait for what happens to the call, if for that at all.
    fn stays(&self, now: Now) -> Option<Monotonic> {
        self.stay_until
            .filter(|until| !self.own.ended() && now.monotonic < *until)
    }

    /// Looks at one content, or at one token whose certificates were waited for.
    fn look(&mut self, unix: UnixTime, now: Now) {
        if let Some(waiting) = self.fetches.take_ready() {
            let bag = bag_of_content(&waiting.opened.content);
            self.judge(&waiting.opened, waiting.token, &bag, unix, now);
        } else if let Some(opened) = self.opened.pop_front() {
            self.examine(opened, unix, now);
        }
    }

    /// The next action to start, if any.
    fn action(&mut self) -> Option<Action> {
        self.evidence
            .action()
            .or_else(|| self.fetches.action())
            .or_else(|| self.mailboxes.action())
    }

    fn report(&mut self, now: Now) -> Option<RingOutcome> {
        // After the first verdict there is time: what is still being looked at is no news yet.
        let settled = match &self.reported {
            None => self.is_settled(now),
            Some(_) => self.is_idle(),
        };
        let outcome = self.verdict(settled, now)?;
        let news = match &self.reported {
            None => true,
            // A later poll may turn nothing into something and something into a conflict.
            Some(before) => {
                let told = |reason: &Reason| before.reasons.contains(reason);
                before.verdict != outcome.verdict.verdict
                    || (outcome.verdict.reasons.contains(&Reason::ClockUncertain)
                        && !told(&Reason::ClockUncertain))
            }
        };
        news.then(|| {
            self.reported = Some(outcome.verdict.clone());
            outcome
        })
    }
}

impl Session for RingSession {
    type Output = RingOutcome;
    type Report = RingOutcome;

    fn next(&mut self, now: Now) -> Step<RingOutcome, RingOutcome> {
        if self.done {
            return Step::Wait(Monotonic::from_ms(u64::MAX));
        }
        if self.clock_unset {
            // Nothing could be judged, and TLS would not work either: nobody is asked.
            if let Some(outcome) = self.report(now) {
                return Step::Report(outcome);
            }
        } else {
            self.start_due_polls(now);
            if let Some(action) = self.action() {
                return Step::Act(action);
            }
            if let Some(outcome) = self.report(now) {
                return Step::Report(outcome);
            }
            let more_blobs = self.mailboxes.work();
            self.opened.extend(self.mailboxes.take_opened());
            if !self.opened.is_empty() || self.fetches.has_ready() {
                match now.unix(self.context.policy.earliest_time) {
                    Some(unix) => self.look(unix, now),
                    // The clock was lost since the call began to ring: what is there cannot be judged.
                    None if self.reported.is_none() && self.evidence.winner().is_none() => {
                        self.clock_unset = true;
                        return Step::Wait(now.monotonic);
                    }
                    None => {
                        self.opened.clear();
                        self.fetches.drop_ready();
                        self.evidence.note(Reason::ClockUnset);
                    }
                }
            }
            if more_blobs || !self.opened.is_empty() || self.fetches.has_ready() {
                return Step::Wait(now.monotonic);
            }
            self.claim_newest();
            if let Some(action) = self.action() {
                return Step::Act(action);
            }
            if let Some(outcome) = self.report(now) {
                return Step::Report(outcome);
            }
            if let Some(next) = self.schedule.get(self.polls_made) {
                let due = if now.monotonic < self.deadline {
                    (*next).min(self.deadline)
                } else {
                    *next
                };
                return Step::Wait(due);
            }
            let last = self.schedule.last().copied().unwrap_or_default();
            let end = self.deadline.max(last.plus(LATE_POLL));
            let polled = self.is_idle() && self.reported.is_some();
            if (polled || now.monotonic >= end)
                && let Some(until) = self.stays(now)
            {
                self.mailboxes.give_up(now);
                return Step::Wait(until);
            }
            if now.monotonic < end && !polled {
                let due = if now.monotonic < self.deadline {
                    self.deadline
                } else {
                    end
                };
                return Step::Wait(due);
            }
        }
        self.done = true;
        self.mailboxes.give_up(now);
        self.verdict(true, now)
            .map_or(Step::Wait(Monotonic::from_ms(u64::MAX)), Step::Done)
    }

    fn event(&mut self, event: CallEvent, now: Now) {
        if let CallEvent::Answered { look, .. } = event
            && self.own.answered().is_none()
            && !self.own.ended()
            && !self.clock_unset
        {
            // The same looks as when it began to ring, whatever was found then (W-32, PRV-48).
            let after = POLL_SCHEDULE
                .iter()
                .filter(|after| look || !after.is_zero());
            for after in after {
                let at = now.monotonic.plus(jittered(&self.context, *after));
                self.schedule.push(at);
            }
            let made = self.polls_made.min(self.schedule.len());
            if let Some(to_come) = self.schedule.get_mut(made..) {
                to_come.sort_unstable();
            }
        }
        self.own.event(event);
    }

    fn input(&mut self, input: Input, now: Now) {
        let other = match self.mailboxes.input(input, now) {
            Ok(()) => return,
            Err(other) => other,
        };
        if let Err(Input::Claimed(id, result)) = self.fetches.input(other) {
            self.evidence.claimed(id, result);
        }
    }
}

/// `after`, moved by up to 20 % either way (W-32).
pub(crate) fn jittered(context: &Context, after: Duration) -> Duration {
    let mut octet = [0_u8; 1];
    // Without randomness the schedule is merely regular.
    if context.provider.fill_random(&mut octet).is_err() {
        return after;
    }
    let [octet] = octet;
    // 0..=255 becomes 80 % to 120 %.
    after.mul_f64(0.8 + 0.4 * f64::from(octet) / 255.0)
}
