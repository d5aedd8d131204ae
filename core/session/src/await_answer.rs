//! Waiting for the called side's connected identity.

use std::collections::VecDeque;
use std::sync::Arc;

use core::time::Duration;

use ringtrue_oob::CallState;
use ringtrue_stir::passport::VerifiedPassport;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::evaluate::{Bag, Outcome, bag_of_content, evaluate_answer};
use crate::evidence::Evidence;
use crate::fetches::{Fetches, Sources, Waiting};
use crate::mailbox::{Mailboxes, Opened};
use crate::ring::jittered;
use crate::time::Monotonic;
use crate::verdict::add_reason;
use crate::{
    Action, AnswerExpectation, CallVerdict, CheckName, Context, Input, Now, Session, Step, Verdict,
};

/// The first look into the own mailbox (W-32).
const FIRST_POLL: Duration = Duration::from_millis(500);

/// The time between two looks (W-32).
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The verdict on who answered.
#[derive(Clone, Debug)]
pub struct AnswerOutcome {
    /// The verdict; `orig` is the own number, `dest` the dialled one.
    pub verdict: CallVerdict,
    /// What the called side says of its call, and since when.
    pub state: Option<CallState>,
}

/// A verified answer, with what it says of the call.
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
pub struct AwaitAnswerSession {
    context: Arc<Context>,
    expected: AnswerExpectation,
    mailboxes: Mailboxes,
    next_poll: Monotonic,
    deadline: Monotonic,
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
        let mailboxes = Mailboxes::new(Arc::clone(&context), core::slice::from_ref(&expected.orig));
        Self {
            next_poll: now.monotonic.plus(jittered(&context, FIRST_POLL)),
            fetches: Fetches::new(&context.policy),
            context,
            expected,
            mailboxes,
            deadline,
            opened: VecDeque::new(),
            examined: 0,
            evidence: Evidence::new(),
        }
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
        if content.n != self.expected.nonce {
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

    fn outcome(&self, now: Now) -> AnswerOutcome {
        let (verdict, first, checks) = match (self.evidence.winner(), self.evidence.failed()) {
            (Some(winner), _) => {
                let mut checks = winner.checks.clone();
                checks.pass(CheckName::State);
                (Verdict::Verified, None, checks.complete())
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
                (Verdict::Unavailable, None, Vec::new())
            }
            (None, None) => (Verdict::NoRecord, None, Vec::new()),
        };
        let mut reasons: Vec<Reason> = first.into_iter().collect();
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
                orig: Some(self.expected.orig.clone()),
                dest: Some(self.expected.answer.dialled.clone()),
                blobs: self.mailboxes.counts(),
            },
            state: self.evidence.winner().and_then(|winner| winner.found.state),
        }
    }
}

impl Session for AwaitAnswerSession {
    type Output = AnswerOutcome;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<AnswerOutcome> {
        let decided = self.evidence.winner().is_some() || self.evidence.store_failed();
        if decided || now.monotonic >= self.deadline {
            if !decided {
                self.mailboxes.give_up(now);
            }
            return Step::Done(self.outcome(now));
        }
        if now.monotonic >= self.next_poll {
            self.next_poll = now.monotonic.plus(jittered(&self.context, POLL_INTERVAL));
            self.mailboxes.poll(self.deadline);
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
        self.evidence.claim_best(&self.context, |held| held.iat);
        if let Some(action) = self.action() {
            return Step::Act(action);
        }
        Step::Wait(self.next_poll.min(self.deadline))
    }

    fn input(&mut self, input: Input, _now: Now) {
        let other = match self.mailboxes.input(input) {
            Ok(()) => return,
            Err(other) => other,
        };
        if let Err(Input::Claimed(id, result)) = self.fetches.input(other) {
            self.evidence.claimed(id, result);
        }
    }
}
