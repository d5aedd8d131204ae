//! Waiting for the called side's connected identity.

use std::collections::VecDeque;
use std::sync::Arc;

use core::time::Duration;

use ringtrue_oob::CallState;
use ringtrue_stir::passport::VerifiedPassport;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::evaluate::{bag_of_content, evaluate_answer};
use crate::evidence::Evidence;
use crate::mailbox::{Mailboxes, Opened};
use crate::ring::jittered;
use crate::time::Monotonic;
use crate::verdict::add_reason;
use crate::{
    AnswerExpectation, CallVerdict, CheckName, Context, Input, Now, Session, Step, Verdict,
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

    fn examine(&mut self, opened: &Opened, now: UnixTime) {
        let content = &opened.content;
        // Other calls' answers, and calls to this number, are not this session's business.
        if content.n != self.expected.nonce {
            return;
        }
        let bag = bag_of_content(content);
        for token in &content.ppts {
            if self.examined >= self.context.policy.max_passports {
                self.evidence.note(Reason::AnswerIncomplete);
                return;
            }
            self.examined = self.examined.saturating_add(1);
            let evaluated = evaluate_answer(&self.context, token, &bag, &self.expected.answer, now);
            let state = content.st;
            self.evidence
                .take_in(evaluated.map(|passport| Answer { passport, state }));
        }
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
            (None, _) if self.evidence.is_claiming() => {
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
        if let Some(action) = self.evidence.action().or_else(|| self.mailboxes.action()) {
            return Step::Act(action);
        }
        let more_blobs = self.mailboxes.work();
        self.opened.extend(self.mailboxes.take_opened());
        if let Some(opened) = self.opened.pop_front()
            && let Some(unix) = now.unix(self.context.policy.earliest_time)
        {
            self.examine(&opened, unix);
        }
        if more_blobs || !self.opened.is_empty() {
            return Step::Wait(now.monotonic);
        }
        self.evidence.claim_best(&self.context, |held| held.iat);
        if let Some(action) = self.evidence.action().or_else(|| self.mailboxes.action()) {
            return Step::Act(action);
        }
        Step::Wait(self.next_poll.min(self.deadline))
    }

    fn input(&mut self, input: Input, _now: Now) {
        if let Err(Input::Claimed(id, result)) = self.mailboxes.input(input) {
            self.evidence.claimed(id, result);
        }
    }
}
