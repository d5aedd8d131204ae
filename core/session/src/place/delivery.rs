//! Which copies go where, when, and what came of them.

use std::sync::Arc;

use ringtrue_oob::http::placement;
use ringtrue_oob::{BaseUrl, Blob, Content, Destination, dummy, seal};
use ringtrue_stir::{Reason, UnixTime};

use super::{PlaceSession, Stage};
use crate::paid_store::{PaidStore, StoreEnd, issuer_of};
use crate::placed_call::{SealedCopy, StoredCopies};
use crate::service_clock::ServiceClock;
use crate::verdict::add_reason;
use crate::{Action, Monotonic, Now, PlacedCall, filler, jitter};

/// The most copies in one request (W-20), and so the most keys that are sealed to (W-17).
const MAX_COPIES: usize = placement::MAX_STORE_BLOBS;

/// The most services of one call: every copy may be for another.
const MAX_GROUPS: u32 = 8;

/// Copies that go to one service in one request.
pub(super) struct Group {
    pub(super) services: Vec<BaseUrl>,
    pub(super) attempt: usize,
    /// How many stores it took so far.
    pub(super) stores: u32,
    pub(super) copies: Vec<SealedCopy>,
    /// When to send it, while that is still to come.
    pub(super) due: Option<Monotonic>,
    /// How many blobs its request holds: copies and fillers.
    pub(super) blobs: usize,
    pub(super) store: PaidStore,
    pub(super) clock: ServiceClock,
    pub(super) result: Option<Result<(), Reason>>,
}

impl PlaceSession {
    /// Which copies go where: one per key, the newest eight, in one request per service (W-17). Of a
    /// party with hybrid keys those alone (PRV-19).
    pub(super) fn plan(&mut self, now: UnixTime) -> Vec<Group> {
        let copies: Vec<SealedCopy> = self
            .context
            .allowed_readers(&self.keys, now, &mut self.reasons)
            .flat_map(|statement| {
                (0..statement.recipients().len()).map(|key| SealedCopy {
                    statement: Arc::clone(statement),
                    key,
                })
            })
            .collect();
        if copies.len() > MAX_COPIES {
            add_reason(&mut self.reasons, Reason::KeysTruncated);
        }
        let mut statements = self.keys.live(now);
        if statements.any(|statement| statement.has_classical_beside_hybrid()) {
            add_reason(&mut self.reasons, Reason::ClassicalBesideHybrid);
        }
        let mut groups: Vec<(Vec<BaseUrl>, Vec<SealedCopy>)> = Vec::new();
        for copy in copies.into_iter().take(MAX_COPIES) {
            let services = match &self.context.services.placement {
                Some(provisioned) => vec![provisioned.clone()],
                None => copy.statement.cps().to_vec(),
            };
            match groups
                .iter_mut()
                .find(|(known, _)| known.first() == services.first())
            {
                Some((_, copies)) => copies.push(copy),
                None => groups.push((services, vec![copy])),
            }
        }
        (0_u32..)
            .zip(groups)
            .filter_map(|(index, (services, copies))| {
                let store = self.store_at(services.first()?, &copies, index);
                Some(Group {
                    services,
                    attempt: 0,
                    stores: 1,
                    copies,
                    due: None,
                    blobs: 0,
                    store,
                    clock: ServiceClock::default(),
                    result: None,
                })
            })
            .collect()
    }

    /// A store whose tokens are looked for from now on, while the PASSporT is still being signed.
    fn store_at(&self, service: &BaseUrl, copies: &[SealedCopy], index: u32) -> PaidStore {
        let store = PaidStore::new(
            Arc::clone(&self.context),
            service.clone(),
            copies.iter().find_map(|copy| issuer_of(&copy.statement)),
            self.orig.clone(),
            index,
            self.deadline,
        );
        if self.is_cover {
            store.paying_from_wallet_alone()
        } else {
            store
        }
    }

    /// Everything is ready: what is left is to send it, each service's part at its own time.
    pub(super) fn begin_storing(&mut self, now: Now) {
        self.stage = Stage::Storing;
        for group in &mut self.groups {
            group.due = Some(jitter::store_at(&self.context, now, self.deadline));
        }
    }

    pub(super) fn send_what_is_due(&mut self, now: Now) {
        for index in 0..self.groups.len() {
            let due = self
                .groups
                .get_mut(index)
                .and_then(|group| group.due.take_if(|due| *due <= now.monotonic));
            if due.is_some() {
                self.send(index, now);
            }
        }
    }

    /// Seals the copies of a group for the service that is its turn, and sends them.
    fn send(&mut self, index: usize, now: Now) {
        let deadline = self.deadline;
        let mut sealed = self
            .groups
            .get(index)
            .map(|group| self.seal_group(group, now));
        if let Some(Err(Reason::ContentTooLong)) = sealed
            && self.answer_to.take().is_some()
        {
            // A long chain and an inline statement may not fit together: better no answer than no
            // announcement.
            add_reason(&mut self.reasons, Reason::ContentTooLong);
            sealed = self
                .groups
                .get(index)
                .map(|group| self.seal_group(group, now));
        }
        let Some(group) = self.groups.get_mut(index) else {
            return;
        };
        let sealed = sealed.map(|sealed| filler::round_up(self.context.provider.as_ref(), sealed?));
        match sealed {
            Some(Ok(blobs)) => {
                group.blobs = blobs.len();
                // With another service to fall back on, none may use up all the time.
                let others = group.services.len().saturating_sub(group.attempt).max(1);
                let left = deadline.since(now.monotonic);
                let share = left
                    .checked_div(u32::try_from(others).unwrap_or(1))
                    .unwrap_or(left);
                let deadline = now.monotonic.plus(share);
                group.store.send(&self.dest, blobs, deadline);
            }
            Some(Err(reason)) => {
                add_reason(&mut self.reasons, reason);
                group.result = Some(Err(reason));
            }
            None => {}
        }
    }

    fn seal_group(&self, group: &Group, now: Now) -> Result<Vec<Blob>, Reason> {
        if self.is_cover {
            return self.dummies(group);
        }
        let service = group
            .services
            .get(group.attempt)
            .ok_or(Reason::NoPlacementService)?;
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let token = self.token.as_ref().ok_or(Reason::Internal)?;
        let signer = self.context.signer_for(&self.orig, unix)?;
        let destination = Destination::TelephoneNumber(self.dest.clone());
        let certificates = signer.bag().to_x5c();
        group
            .copies
            .iter()
            .map(|copy| {
                let key = copy
                    .statement
                    .recipients()
                    .get(copy.key)
                    .ok_or(Reason::Internal)?;
                let content = Content {
                    ppts: vec![token.clone()],
                    x5c: certificates.clone(),
                    cps: Some(service.authority().to_owned()),
                    ksd: Some(*copy.statement.digest()),
                    rsp: self.answer_to.clone(),
                    ..Content::new(self.nonce)
                };
                let content = content.to_octets()?;
                seal(self.context.provider.as_ref(), key, &destination, &content)
            })
            .collect()
    }

    /// What looks like the copies of a group and opens for nobody.
    fn dummies(&self, group: &Group) -> Result<Vec<Blob>, Reason> {
        let provider = self.context.provider.as_ref();
        let keys = group
            .copies
            .iter()
            .filter_map(|copy| copy.statement.recipients().get(copy.key));
        keys.map(|key| dummy(provider, key.suite())).collect()
    }

    /// One group's store has ended.
    fn stored(&mut self, index: usize, end: StoreEnd, now: Now) {
        let Some(group) = self.groups.get_mut(index) else {
            return;
        };
        // It may have ended before it was due, for want of a token.
        group.due = None;
        if let Some(price) = end.price
            && drop_copies(group, price, self.context.policy.max_price)
        {
            add_reason(&mut self.reasons, Reason::CopiesDropped);
            return self.send_anew(index, now);
        }
        for reason in group.store.reasons() {
            add_reason(&mut self.reasons, *reason);
        }
        let result = end.answer.and_then(|answer| {
            group.clock = ServiceClock::default();
            group.clock.learn(end.sent, now.monotonic, &answer);
            let service = group.services.get(group.attempt).ok_or(Reason::Internal)?;
            placement::decode_stored(service, &answer, group.blobs)
        });
        match result {
            Ok(_) => group.result = Some(Ok(())),
            Err(reason) => {
                let next = group.attempt.saturating_add(1);
                let try_next = next < group.services.len()
                    && now.monotonic < self.deadline
                    && !matches!(reason, Reason::OverLimit | Reason::PriceTooHigh);
                if try_next {
                    group.attempt = next;
                    add_reason(&mut self.reasons, Reason::ServiceFailedOver);
                    self.send_anew(index, now);
                } else {
                    group.result = Some(Err(reason));
                    add_reason(&mut self.reasons, reason);
                }
            }
        }
    }

    /// Sends a group's copies, sealed anew, to the service that is its turn now.
    fn send_anew(&mut self, index: usize, now: Now) {
        let Some(group) = self.groups.get_mut(index) else {
            return;
        };
        let Some(service) = group.services.get(group.attempt).cloned() else {
            return;
        };
        // Stores are few; each has action ids of its own.
        let store_index = group
            .stores
            .saturating_mul(MAX_GROUPS)
            .saturating_add(u32::try_from(index).unwrap_or_default());
        group.stores = group.stores.saturating_add(1);
        let copies = group.copies.clone();
        let store = self.store_at(&service, &copies, store_index);
        if let Some(group) = self.groups.get_mut(index) {
            group.store = store;
        }
        self.send(index, now);
    }

    /// The next action of any store; takes in those that have ended.
    pub(super) fn store_action(&mut self, now: Now) -> Option<Action> {
        for index in 0..self.groups.len() {
            let group = self.groups.get_mut(index)?;
            if let Some(action) = group.store.action(now) {
                return Some(action);
            }
            if matches!(self.stage, Stage::Storing)
                && let Some(end) = group.store.take_end()
            {
                self.stored(index, end, now);
                return self.store_action(now);
            }
        }
        None
    }

    /// What is needed to say more about the call later, if it was announced.
    pub(super) fn placed_call(&self, now: Now) -> Option<PlacedCall> {
        let stored: Arc<[StoredCopies]> = self
            .groups
            .iter()
            // A service that did not answer in time may have taken them all the same.
            .filter(|group| match group.result {
                Some(result) => matches!(result, Ok(()) | Err(Reason::DeadlinePassed)),
                None => group.store.is_sent(),
            })
            .filter_map(|group| {
                Some(StoredCopies {
                    service: group.services.get(group.attempt)?.clone(),
                    copies: group.copies.clone(),
                    clock: group.clock,
                })
            })
            .collect();
        (!stored.is_empty()).then(|| PlacedCall {
            nonce: self.nonce,
            orig: self.orig.clone(),
            dest: self.dest.clone(),
            stored,
            at: now.monotonic,
        })
    }
}

/// Keeps of a group as many copies as `most` tokens pay for where all its blobs cost `price`; false if that
/// is none, or all. What a store costs grows with its blobs, and never faster where the number is
/// flooded already, which is where it costs that much.
fn drop_copies(group: &mut Group, price: usize, most: usize) -> bool {
    let affordable = group
        .blobs
        .saturating_mul(most)
        .checked_div(price)
        .unwrap_or_default();
    // A request holds 1, 2, 4 or 8 blobs.
    let kept = affordable
        .checked_ilog2()
        .map_or(0, |log| 1_usize << log.min(3));
    // The newest come first.
    let fewer = (1..group.copies.len()).contains(&kept);
    if fewer {
        group.copies.truncate(kept);
    }
    fewer
}
