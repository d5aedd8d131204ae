//! Waiting for the called side's connected identity, and for it to see the same call as the caller.

use std::collections::VecDeque;
use std::sync::Arc;

use core::time::Duration;

use ringtrue_oob::{CallPhase, CallState};
use ringtrue_stir::passport::VerifiedPassport;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::agreement::{OwnSide, Side, Standing};
use crate::evaluate::{Bag, Outcome, bag_of_content, evaluate_answer};
use crate::evidence::Evidence;
use crate::fetches::{Fetches, Sources, Waiting};
use crate::mailbox::{Mailboxes, Opened};
use crate::ring::jittered;
use crate::time::Monotonic;
use crate::verdict::add_reason;
use crate::{
    Action, AnswerExpectation, CallEvent, CallVerdict, CheckName, Context, Input, Now, Session,
    Step, Verdict,
};

/// The first look into the own mailbox (W-32).
const FIRST_POLL: Duration = Duration::from_millis(500);

/// The time between two looks (W-32).
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long to look for the called side's report after the own side saw the answer.
const AFTER_ANSWER: Duration = Duration::from_secs(10);

/// How long to look on after the own side gave the call up: an answer now is to another call.
const AFTER_END: Duration = Duration::from_secs(3);

/// How long a session that was asked to stay waits for the call's answer or end, at most. No network
/// lets a telephone ring longer (RFC 3261 timer C).
const MAX_STAY: Duration = Duration::from_secs(180);

/// The verdict on who answered.
#[derive(Clone, Debug)]
pub struct AnswerOutcome {
    /// The verdict; `orig` is the own number, `dest` the dialled one.
    pub verdict: CallVerdict,
    /// What the called side says of its call, and since when.
    pub state: Option<CallState>,
}

/// A verified answer, with what it says of the call.
#[derive(Clone)]
struct Answer {
    passport: VerifiedPassport,
    state: Option<CallState>,
}

impl AsRef<VerifiedPassport> for Answer {
    fn as_ref(&self) -> &VerifiedPassport {
        &self.passport
    }
}

/// Polls the caller's own mailbox until the called side has shown who it is, or the time is up.
///
/// One that stays ([`AwaitAnswerSession::staying`]) reports that, goes on, and reports again when the
/// verdict changes: to `confirmed` when both sides report the answer at the same time.
#[derive(Clone)]
pub struct AwaitAnswerSession {
    context: Arc<Context>,
    expected: AnswerExpectation,
    mailboxes: Mailboxes,
    next_poll: Monotonic,
    /// No poll after this, unless the call is answered.
    deadline: Monotonic,
    stay_until: Option<Monotonic>,
    own: OwnSide,
    reported: Option<(Verdict, Option<CallState>)>,
    opened: VecDeque<Opened>,
    fetches: Fetches,
    examined: usize,
    evidence: Evidence<Answer>,
}

impl AwaitAnswerSession {
    /// Begins to wait at `now`, until `deadline` at most.
    #[must_use]
    pub fn new(
        context: Arc<Context>,
        expected: AnswerExpectation,
        deadline: Monotonic,
        now: Now,
    ) -> Self {
        let orig = core::slice::from_ref(&expected.call.orig);
        let mailboxes = Mailboxes::new(Arc::clone(&context), orig);
        Self {
            next_poll: now.monotonic.plus(jittered(&context, FIRST_POLL)),
            fetches: Fetches::new(&context.policy),
            context,
            expected,
            mailboxes,
            deadline,
            stay_until: None,
            own: OwnSide::default(),
            reported: None,
            opened: VecDeque::new(),
            examined: 0,
            evidence: Evidence::new(),
        }
    }

    /// Lets the session go on after the first good answer, until both sides agree or the call is over.
    #[must_use]
    pub fn staying(mut self, now: Now) -> Self {
        self.stay_until = Some(now.monotonic.plus(MAX_STAY));
        self.own.follow();
        self
    }

    /// The called number that an answer has to speak for.
    #[must_use]
    pub fn dialled(&self) -> &TelephoneNumber {
        &self.expected.answer.dialled
    }

    fn examine(&mut self, opened: Opened, now: UnixTime) {
        let opened = Arc::new(opened);
        let content = &opened.content;
        // Other calls' answers, and calls to this number, are not this session's business.
        if content.n != self.expected.call.nonce {
            return;
        }
        let bag = bag_of_content(content);
        for token in 0..content.ppts.len() {
            if self.examined >= self.context.policy.max_passports {
                self.evidence.note(Reason::AnswerIncomplete);
                return;
            }
            self.examined = self.examined.saturating_add(1);
            self.judge(&opened, token, &bag, now);
        }
    }

    /// Looks at one token of a content that is about this call.
    fn judge(&mut self, opened: &Arc<Opened>, token: usize, bag: &Bag, now: UnixTime) {
        let Some(text) = opened.content.ppts.get(token) else {
            return;
        };
        let sources = Sources {
            content: bag,
            fetches: &self.fetches,
        };
        let evaluated = evaluate_answer(&self.context, text, sources, &self.expected.answer, now);
        if let Outcome::Wants(x5u) = &evaluated.outcome {
            let waiting = Waiting {
                opened: Arc::clone(opened),
                token,
            };
            self.fetches.wait(x5u, waiting, self.deadline);
        }
        let state = opened.content.st;
        self.evidence
            .take_in(evaluated.map(|passport| Answer { passport, state }));
    }

    /// Looks at one content, or at one token whose certificates were waited for.
    fn look(&mut self, now: UnixTime) {
        if let Some(waiting) = self.fetches.take_ready() {
            let bag = bag_of_content(&waiting.opened.content);
            self.judge(&waiting.opened, waiting.token, &bag, now);
        } else if let Some(opened) = self.opened.pop_front() {
            self.examine(opened, now);
        }
    }

    /// The next action to start, if any.
    fn action(&mut self) -> Option<Action> {
        self.evidence
            .action()
            .or_else(|| self.fetches.action())
            .or_else(|| self.mailboxes.action())
    }

    /// How the call stands, with everything that the called side has shown.
    fn standing(&self, now: Now) -> Standing {
        let winners = self.evidence.winners();
        // One of several telephones is answered: its media keys are the session's.
        let answering = winners.clone().filter(|held| {
            let state = held.found.state;
            state.is_some_and(|state| state.s == CallPhase::Answered)
        });
        self.own.judge(
            Side::Caller,
            winners.filter_map(|held| held.found.state.as_ref()),
            answering.filter_map(|held| held.found.passport.claims().mky()),
            now.monotonic,
            |at| {
                // The own mailbox may be at the service where the call was announced.
                let seen = |service: &_| self.mailboxes.clock(service);
                self.expected.call.moment(at, seen, &self.context, now)
            },
        )
    }

    fn outcome(&self, now: Now) -> AnswerOutcome {
        let mut more = Vec::new();
        let (verdict, first, checks) = match (self.evidence.winner(), self.evidence.failed()) {
            (Some(winner), _) => {
                let mut checks = winner.checks.clone();
                match self.standing(now) {
                    Standing::Conflicting(reasons) => {
                        let reason = reasons.first().copied().unwrap_or(Reason::StateMismatch);
                        let _ = checks.note::<()>(CheckName::State, Err(reason));
                        more = reasons;
                        (Verdict::Conflicting, None, checks.complete())
                    }
                    Standing::Verified(notices) => {
                        checks.pass(CheckName::State);
                        more = notices;
                        (Verdict::Verified, None, checks.complete())
                    }
                    Standing::Confirmed => {
                        checks.pass(CheckName::State);
                        (Verdict::Confirmed, None, checks.complete())
                    }
                }
            }
            (None, _) if now.unix(self.context.policy.earliest_time).is_none() => {
                (Verdict::ClockUnset, Some(Reason::ClockUnset), Vec::new())
            }
            (None, _) if self.evidence.is_claiming() || !self.fetches.is_idle() => {
                let first = Some(Reason::DeadlinePassed);
                (Verdict::Unavailable, first, Vec::new())
            }
            (None, _) if self.evidence.store_failed() => (Verdict::Unavailable, None, Vec::new()),
            // What fails is rejected, whatever else it may have been (RSP-23).
            (None, Some((checks, reason))) => (Verdict::Refused, Some(*reason), checks.complete()),
            (None, None) if self.mailboxes.answers() == 0 => {
                // A host that was held up has perhaps not looked once: then no look says why.
                let never_looked = self.mailboxes.reasons().is_empty();
                let first = never_looked.then_some(Reason::DeadlinePassed);
                (Verdict::Unavailable, first, Vec::new())
            }
            (None, None) => (Verdict::NoRecord, None, Vec::new()),
        };
        let mut reasons: Vec<Reason> = first.into_iter().chain(more).collect();
        for reason in self
            .evidence
            .reasons()
            .iter()
            .chain(self.fetches.reasons())
            .chain(self.mailboxes.reasons())
        {
            add_reason(&mut reasons, *reason);
        }
        AnswerOutcome {
            verdict: CallVerdict {
                verdict,
                reasons,
                checks,
                orig: Some(self.expected.call.orig.clone()),
                dest: Some(self.expected.answer.dialled.clone()),
                blobs: self.mailboxes.counts(),
            },
            state: self.state(),
        }
    }

    /// The furthest that the called side says its call has come.
    fn state(&self) -> Option<CallState> {
        let states = self.evidence.winners().filter_map(|held| held.found.state);
        let answered = |state: &CallState| state.s == CallPhase::Answered;
        states
            .clone()
            .find(answered)
            .or_else(|| states.clone().next())
    }

    /// What to tell, if it is news.
    fn report(&mut self, now: Now) -> Option<AnswerOutcome> {
        // Nothing found is told once, when the time is up.
        if self.evidence.winner().is_none() && now.monotonic < self.deadline {
            return None;
        }
        let outcome = self.outcome(now);
        let told = Some((outcome.verdict.verdict, outcome.state));
        (told != self.reported).then(|| {
            self.reported = told;
            outcome
        })
    }

    /// Until when to wait for what happens to the call, beyond the last poll.
    fn stays(&self, now: Now) -> Option<Monotonic> {
        let open = self.own.answered().is_none() && !self.own.ended();
        self.stay_until
            .filter(|until| open && now.monotonic < *until)
    }

    /// Whether nothing more is to be learned.
    fn is_over(&self, now: Now) -> bool {
        if self.evidence.store_failed() {
            return true;
        }
        if self.stay_until.is_none() {
            return self.evidence.winner().is_some() || now.monotonic >= self.deadline;
        }
        let agreed = matches!(self.reported, Some((Verdict::Confirmed, _)));
        agreed || (now.monotonic >= self.deadline && self.stays(now).is_none())
    }
}

impl Session for AwaitAnswerSession {
    type Output = AnswerOutcome;
    type Report = AnswerOutcome;

    fn next(&mut self, now: Now) -> Step<AnswerOutcome, AnswerOutcome> {
        if self.stay_until.is_some()
            && let Some(outcome) = self.report(now)
        {
            return Step::Report(outcome);
        }
        if self.is_over(now) {
            if self.evidence.winner().is_none() && !self.evidence.store_failed() {
                self.mailboxes.give_up(now);
            }
            return Step::Done(self.outcome(now));
        }
        if now.monotonic >= self.next_poll && now.monotonic < self.deadline {
            self.next_poll = now.monotonic.plus(jittered(&self.context, POLL_INTERVAL));
            self.mailboxes.poll(self.deadline, now);
        }
        if let Some(action) = self.action() {
            return Step::Act(action);
        }
        let more_blobs = self.mailboxes.work();
        self.opened.extend(self.mailboxes.take_opened());
        match now.unix(self.context.policy.earliest_time) {
            Some(unix) => self.look(unix),
            None => {
                self.opened.clear();
                self.fetches.drop_ready();
            }
        }
        if more_blobs || !self.opened.is_empty() || self.fetches.has_ready() {
            return Step::Wait(now.monotonic);
        }
        self.evidence.claim_next(&self.context, |held| held.iat);
        if let Some(action) = self.action() {
            return Step::Act(action);
        }
        Step::Wait(if now.monotonic < self.deadline {
            self.next_poll.min(self.deadline)
        } else {
            self.stays(now).unwrap_or(now.monotonic)
        })
    }

    fn event(&mut self, event: CallEvent, now: Now) {
        if self.stay_until.is_some() && self.own.answered().is_none() && !self.own.ended() {
            match event {
                CallEvent::Answered { .. } => {
                    self.deadline = self.deadline.max(now.monotonic.plus(AFTER_ANSWER));
                    self.next_poll = self.next_poll.max(now.monotonic);
                }
                CallEvent::Ended => self.deadline = now.monotonic.plus(AFTER_END),
                CallEvent::CallerGone | CallEvent::Concurrent | CallEvent::Media(_) => {}
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
