//! Telling the called side what became of a call that was announced.

use std::sync::Arc;

use ringtrue_oob::http::placement;
use ringtrue_oob::{Blob, CallPhase, Content, Destination, seal};
use ringtrue_stir::Reason;

use crate::paid_store::{PaidStore, issuer_of};
use crate::placed_call::StoredCopies;
use crate::verdict::add_reason;
use crate::{Action, Context, Input, Monotonic, Now, PlacedCall, Session, Step, filler, jitter};

/// What came of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// How many services hold it now. The callee asks all of its own.
    pub services: usize,
    /// What could not be done. [`Reason::StateReportLate`] if a service did not take it in time.
    pub reasons: Vec<Reason>,
}

/// The report for one service.
struct Copies {
    stored: StoredCopies,
    /// When to send it, while that is still to come.
    due: Option<Monotonic>,
    /// How many blobs its request holds: copies and fillers.
    blobs: usize,
    store: PaidStore,
    taken: Option<bool>,
}

/// Reports the caller's state of a call: that it was answered, or that it ended before
/// ([`CallPhase::Gone`], PRV-43).
///
/// Sealed to every key that got the PASSporT, and left where that was left, so that to the service it is
/// a store like any other. It carries no PASSporT: who knows `n` placed the call or could read it.
///
/// Source: docs/protocol.md section 13.4 (W-8).
pub struct StateReportSession {
    context: Arc<Context>,
    call: PlacedCall,
    state: CallPhase,
    since: Monotonic,
    deadline: Monotonic,
    copies: Vec<Copies>,
    started: bool,
    reasons: Vec<Reason>,
}

impl StateReportSession {
    /// Begins to report that `call` is in `state` since `since`, to be done by `deadline`.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for [`CallPhase::Alerting`], which the caller cannot see.
    pub fn new(
        context: Arc<Context>,
        call: PlacedCall,
        state: CallPhase,
        since: Monotonic,
        deadline: Monotonic,
    ) -> Result<Self, Reason> {
        if state == CallPhase::Alerting {
            return Err(Reason::ConfigurationInvalid);
        }
        let copies = (0_u32..)
            .zip(call.stored.iter())
            .map(|(index, stored)| {
                let mut statements = stored.copies.iter().map(|copy| &copy.statement);
                Copies {
                    due: None,
                    blobs: 0,
                    store: PaidStore::new(
                        Arc::clone(&context),
                        stored.service.clone(),
                        statements.find_map(|statement| issuer_of(statement)),
                        call.orig.clone(),
                        index,
                        deadline,
                    ),
                    stored: stored.clone(),
                    taken: None,
                }
            })
            .collect();
        Ok(Self {
            context,
            call,
            state,
            since,
            deadline,
            copies,
            started: false,
            reasons: Vec::new(),
        })
    }

    /// Each service's part goes out at a time of its own.
    fn start(&mut self, now: Now) {
        self.started = true;
        for copies in &mut self.copies {
            copies.due = Some(jitter::store_at(&self.context, now, self.deadline));
        }
    }

    fn send_what_is_due(&mut self, now: Now) {
        for index in 0..self.copies.len() {
            let due = self
                .copies
                .get_mut(index)
                .and_then(|copies| copies.due.take_if(|due| *due <= now.monotonic));
            if due.is_none() {
                continue;
            }
            let blobs = match self.copies.get(index) {
                Some(copies) => self.seal(&copies.stored, now),
                None => Err(Reason::Internal),
            };
            let Some(copies) = self.copies.get_mut(index) else {
                continue;
            };
            let provider = self.context.provider.as_ref();
            match blobs.and_then(|blobs| filler::round_up(provider, blobs)) {
                Ok(blobs) => {
                    copies.blobs = blobs.len();
                    copies.store.send(&self.call.dest, blobs, self.deadline);
                }
                Err(reason) => {
                    copies.taken = Some(false);
                    add_reason(&mut self.reasons, reason);
                }
            }
        }
    }

    /// The next action of any store; takes in those that have ended.
    fn store_action(&mut self, now: Now) -> Option<Action> {
        for copies in self
            .copies
            .iter_mut()
            .filter(|copies| copies.taken.is_none())
        {
            if let Some(action) = copies.store.action(now) {
                return Some(action);
            }
            let Some(end) = copies.store.take_end() else {
                continue;
            };
            copies.due = None;
            for reason in copies.store.reasons() {
                add_reason(&mut self.reasons, *reason);
            }
            let service = &copies.stored.service;
            let result = end
                .answer
                .and_then(|answer| placement::decode_stored(service, &answer, copies.blobs));
            copies.taken = Some(result.is_ok());
            if let Err(reason) = result {
                add_reason(&mut self.reasons, reason);
            }
        }
        None
    }

    fn seal(&self, stored: &StoredCopies, now: Now) -> Result<Vec<Blob>, Reason> {
        let earliest = self.context.policy.earliest_time;
        let moment = stored.clock.moment(self.since, now, earliest);
        let state = moment.ok_or(Reason::ClockUnset)?.state(self.state);
        let destination = Destination::TelephoneNumber(self.call.dest.clone());
        stored
            .copies
            .iter()
            .map(|copy| {
                let keys = copy.statement.recipients();
                let key = keys.get(copy.key).ok_or(Reason::Internal)?;
                let content = Content {
                    cps: Some(stored.service.authority().to_owned()),
                    ksd: Some(*copy.statement.digest()),
                    st: Some(state),
                    ..Content::new(self.call.nonce)
                };
                let content = content.to_octets()?;
                seal(self.context.provider.as_ref(), key, &destination, &content)
            })
            .collect()
    }
}

impl Session for StateReportSession {
    type Output = Reported;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Reported> {
        if !self.started {
            self.start(now);
        }
        if now.monotonic < self.deadline {
            self.send_what_is_due(now);
        }
        if let Some(action) = self.store_action(now) {
            return Step::Act(action);
        }
        let open = self.copies.iter().any(|copies| copies.taken.is_none());
        if open && now.monotonic < self.deadline {
            let next = self.copies.iter().filter_map(|copies| copies.due).min();
            return Step::Wait(next.map_or(self.deadline, |due| due.min(self.deadline)));
        }
        let mut late = self.copies.iter().filter(|copies| copies.taken.is_none());
        if late.any(|copies| copies.store.is_paying()) {
            add_reason(&mut self.reasons, Reason::WalletEmpty);
        }
        if open {
            add_reason(&mut self.reasons, Reason::DeadlinePassed);
        }
        let taken = |copies: &&Copies| copies.taken == Some(true);
        let services = self.copies.iter().filter(taken).count();
        if services < self.copies.len() {
            add_reason(&mut self.reasons, Reason::StateReportLate);
        }
        Step::Done(Reported {
            services,
            reasons: core::mem::take(&mut self.reasons),
        })
    }

    fn input(&mut self, input: Input, now: Now) {
        let mut input = Some(input);
        for copies in &mut self.copies {
            input = input.and_then(|input| copies.store.input(input, now));
        }
    }
}
