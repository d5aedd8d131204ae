//! Telling the called side what became of a call that was announced.

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_oob::http::placement;
use ringtrue_oob::{Blob, CallPhase, Content, Destination, seal};
use ringtrue_stir::Reason;

use crate::placed_call::StoredCopies;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, Input, Monotonic, Now, PlacedCall, Role, Session, Step, filler,
    jitter,
};

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
    request: Option<ActionId>,
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
    ids: Ids,
    outbox: VecDeque<Action>,
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
        let copies = call
            .stored
            .iter()
            .map(|stored| Copies {
                stored: stored.clone(),
                due: None,
                blobs: 0,
                request: None,
                taken: None,
            })
            .collect();
        Ok(Self {
            context,
            call,
            state,
            since,
            deadline,
            ids: Ids::default(),
            outbox: VecDeque::new(),
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
            let id = self.ids.next();
            let Some(copies) = self.copies.get_mut(index) else {
                continue;
            };
            let service = &copies.stored.service;
            let provider = self.context.provider.as_ref();
            let request = blobs.and_then(|blobs| {
                let blobs = filler::round_up(provider, blobs)?;
                copies.blobs = blobs.len();
                placement::encode_store(service, &self.call.dest, &blobs)
            });
            match request {
                Ok(request) => {
                    copies.request = Some(id);
                    self.outbox.push_back(Action::Request {
                        id,
                        role: Role::Store,
                        request,
                        max_answer_octets: placement::MAX_STORE_ANSWER_LEN,
                        deadline: self.deadline,
                    });
                }
                Err(reason) => {
                    copies.taken = Some(false);
                    add_reason(&mut self.reasons, reason);
                }
            }
        }
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
                let keys = copy.statement.keys();
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
        if let Some(action) = self.outbox.pop_front() {
            return Step::Act(action);
        }
        let open = self.copies.iter().any(|copies| copies.taken.is_none());
        if open && now.monotonic < self.deadline {
            let next = self.copies.iter().filter_map(|copies| copies.due).min();
            return Step::Wait(next.map_or(self.deadline, |due| due.min(self.deadline)));
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

    fn input(&mut self, input: Input, _now: Now) {
        let Input::Response(id, result) = input else {
            return;
        };
        let asked = self
            .copies
            .iter_mut()
            .find(|copies| copies.request == Some(id));
        let Some(copies) = asked else { return };
        copies.request = None;
        let stored = &copies.stored;
        let count = copies.blobs;
        let result =
            result.and_then(|answer| placement::decode_stored(&stored.service, &answer, count));
        copies.taken = Some(result.is_ok());
        if let Err(reason) = result {
            add_reason(&mut self.reasons, reason);
        }
    }
}
