//! What was found for one call: candidates, the one that counts, and the failure to show.
//!
//! Shared by ringing and by waiting for an answer, so that both use a PASSporT once and only once.

use ringtrue_stir::passport::VerifiedPassport;
use ringtrue_stir::{Reason, UnixTime};

use crate::checks::Checks;
use crate::evaluate::{Evaluated, Outcome, replay_mark};
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{Action, ActionId, CheckName, Context};

/// Claims and the mailboxes' actions draw ids from different ranges, as they may be outstanding together.
const OWN_IDS: u32 = 1 << 16;

/// A PASSporT that passed everything but, at first, the replay check.
#[derive(Clone)]
pub(crate) struct Candidate<T> {
    pub(crate) found: T,
    pub(crate) checks: Checks,
    pub(crate) iat: UnixTime,
}

/// The evidence for one call.
#[derive(Clone)]
pub(crate) struct Evidence<T> {
    good: Vec<Candidate<T>>,
    claiming: Option<(ActionId, Candidate<T>)>,
    outbox: Option<Action>,
    ids: Ids,
    winner: Option<Candidate<T>>,
    /// Good ones after the winner, where more than one counts.
    more: Vec<Candidate<T>>,
    failed: Option<(Checks, Reason)>,
    store_failed: bool,
    reasons: Vec<Reason>,
}

impl<T: AsRef<VerifiedPassport>> Evidence<T> {
    pub(crate) fn new() -> Self {
        Self {
            good: Vec::new(),
            claiming: None,
            outbox: None,
            ids: Ids::starting_at(OWN_IDS),
            winner: None,
            more: Vec::new(),
            failed: None,
            store_failed: false,
            reasons: Vec::new(),
        }
    }

    /// Takes in one evaluated PASSporT.
    pub(crate) fn take_in(&mut self, evaluated: Evaluated<T>) {
        let Evaluated {
            checks,
            outcome,
            iat,
            notices,
        } = evaluated;
        match outcome {
            Outcome::Good(found) => {
                for notice in notices {
                    self.note(notice);
                }
                self.good.push(Candidate { found, checks, iat });
            }
            Outcome::Failed(reason) => self.note_failure(checks, reason),
            // Somebody else's call: nothing to tell.
            Outcome::Dropped(Reason::OrigMismatch) => {}
            Outcome::Dropped(reason) => self.note(reason),
            // Who examines has let it wait; it comes back with another outcome.
            Outcome::Wants(_) => {}
        }
    }

    /// Adds a reason.
    pub(crate) fn note(&mut self, reason: Reason) {
        add_reason(&mut self.reasons, reason);
    }

    /// Keeps the failure that came furthest as the one to show, and the reasons of all.
    fn note_failure(&mut self, checks: Checks, reason: Reason) {
        self.note(reason);
        let further = self
            .failed
            .as_ref()
            .is_none_or(|(held, _)| checks.passed() > held.passed());
        if further {
            self.failed = Some((checks, reason));
        }
    }

    /// Asks for the mark of the best candidate by `rank`; whether it is the first use decides.
    pub(crate) fn claim_best<K: Ord>(
        &mut self,
        context: &Context,
        rank: impl Fn(&Candidate<T>) -> K,
    ) {
        if self.winner.is_none() {
            self.claim_next(context, rank);
        }
    }

    /// As [`Self::claim_best`], and goes on after the first that counts.
    pub(crate) fn claim_next<K: Ord>(
        &mut self,
        context: &Context,
        rank: impl Fn(&Candidate<T>) -> K,
    ) {
        if self.claiming.is_some() || self.store_failed {
            return;
        }
        let best = self
            .good
            .iter()
            .enumerate()
            .max_by_key(|(_, held)| rank(held))
            .map(|(at, _)| at);
        let Some(at) = best else { return };
        let candidate = self.good.swap_remove(at);
        let (record, expires) = replay_mark(context, candidate.found.as_ref());
        let id = self.ids.next();
        self.outbox = Some(Action::Claim {
            id,
            record,
            expires,
        });
        self.claiming = Some((id, candidate));
    }

    /// The next action to start, if any.
    pub(crate) fn action(&mut self) -> Option<Action> {
        self.outbox.take()
    }

    /// Takes in what came of a claim.
    pub(crate) fn claimed(&mut self, id: ActionId, result: Result<bool, Reason>) {
        let Some((_, mut candidate)) = self.claiming.take_if(|(awaited, _)| *awaited == id) else {
            return;
        };
        match result {
            Ok(true) => {
                candidate.checks.pass(CheckName::Replay);
                if self.winner.is_none() {
                    self.winner = Some(candidate);
                } else {
                    self.more.push(candidate);
                }
            }
            Ok(false) => {
                let mut checks = candidate.checks;
                let _ = checks.note::<()>(CheckName::Replay, Err(Reason::Replayed));
                self.note_failure(checks, Reason::Replayed);
            }
            Err(reason) => {
                // Without the mark the same PASSporT could be shown as good again.
                self.store_failed = true;
                self.note(reason);
            }
        }
    }

    /// The PASSporT that counts.
    pub(crate) const fn winner(&self) -> Option<&Candidate<T>> {
        self.winner.as_ref()
    }

    /// Every PASSporT that counts.
    pub(crate) fn winners(&self) -> impl Iterator<Item = &Candidate<T>> + Clone {
        self.winner.iter().chain(&self.more)
    }

    /// The failure that came furthest.
    pub(crate) const fn failed(&self) -> Option<&(Checks, Reason)> {
        self.failed.as_ref()
    }

    /// Whether a mark is being asked for.
    pub(crate) const fn is_claiming(&self) -> bool {
        self.claiming.is_some()
    }

    /// Whether the state store failed, so that nothing can be shown as good.
    pub(crate) const fn store_failed(&self) -> bool {
        self.store_failed
    }

    /// Whether nothing is left that could still turn out good.
    pub(crate) fn is_settled(&self) -> bool {
        let open = !self.good.is_empty() && self.winner.is_none() && !self.store_failed;
        !open && self.claiming.is_none() && self.outbox.is_none()
    }

    pub(crate) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}
