//! Which blobs of one suite of one number are alive: scheduled dummies, dummies that keep the floor,
//! and stored blobs, each of which takes the place of the next dummy to be born (W-6). At level D2 there
//! is no floor, and a stored blob waits for the epoch in which it takes the place of a dummy.
//!
//! The state that no store touched follows from the schedule alone ([`Chain::undisturbed`]). After a
//! store the chain is kept until it has met the undisturbed one again, and then forgotten.

use std::sync::Arc;

use ringtrue_oob::Blob;
use ringtrue_oob::http::route::ItemId;

use crate::constant::ConstantRate;
use crate::schedule::{DummySeed, LOOKBACK_SLOTS, Point, Schedule};

/// The fewest blobs alive per served suite.
pub(crate) const FLOOR: usize = 2;

/// A blob that a caller stored.
pub(crate) struct StoredBlob {
    pub(crate) id: ItemId,
    pub(crate) blob: Blob,
}

/// What a live blob is.
#[derive(Clone)]
pub(crate) enum Kind {
    Dummy {
        seed: DummySeed,
    },
    Stored {
        stored: Arc<StoredBlob>,
        /// Whether it has already taken the place of a birth of the schedule.
        placed: bool,
    },
}

#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) at_ms: u64,
    /// The first moment at which it is no longer there.
    pub(crate) end_ms: u64,
    pub(crate) kind: Kind,
}

impl Life {
    fn counts(&self) -> bool {
        !matches!(self.kind, Kind::Stored { placed: false, .. })
    }

    fn same_dummy(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Dummy { seed }, Kind::Dummy { seed: other_seed }) => {
                self.at_ms == other.at_ms && seed == other_seed
            }
            _ => false,
        }
    }
}

/// The live blobs of one suite, in order of birth, right after everything up to `cursor_ms` happened.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    cursor_ms: Option<u64>,
    lives: Vec<Life>,
    /// Stored blobs that nobody may see yet; level D2 only.
    waiting: Vec<Arc<StoredBlob>>,
}

impl Chain {
    /// The state at `now_ms` of a number for which nothing was ever stored.
    ///
    /// Three births `a`, `b`, `c` of the schedule with `c` not later than the death of `a` keep two
    /// alive from `b` to the death of `b` without help, whatever was before. So at the death of `b`
    /// everything alive is known; the latest such moment is where the computation starts, and every
    /// start gives the same result.
    pub(crate) fn undisturbed(schedule: &Schedule<'_>, now_ms: u64) -> Self {
        if let Some(rate) = schedule.constant {
            // Whatever was born before is dead.
            let first = rate.epoch_of(now_ms.saturating_sub(schedule.lifetime_ms));
            let mut chain = Self {
                cursor_ms: rate.start_of(first).checked_sub(1),
                ..Self::default()
            };
            chain.follow_rate(schedule, rate, now_ms);
            return chain;
        }
        let last_slot = schedule.slot_of(now_ms);
        let empty = schedule
            .timeline
            .last_empty(schedule.suite, schedule.lifetime_ms, now_ms);
        let mut slots = 3;
        loop {
            let first_slot = last_slot.saturating_sub(slots);
            let after = schedule.slot_start(first_slot).checked_sub(1);
            let points = schedule.births(after, now_ms);
            if let Some(chain) = Self::at_certain_moment(schedule, &points, now_ms) {
                return chain.followed(schedule, &points, now_ms);
            }
            if let Some(empty) = empty
                && after.is_none_or(|after| empty >= after)
            {
                let chain = Self {
                    cursor_ms: Some(empty),
                    ..Self::default()
                };
                return chain.followed(schedule, &points, now_ms);
            }
            if first_slot == 0 || slots >= LOOKBACK_SLOTS {
                // The beginning of time, or odds of 1e-40.
                let chain = Self {
                    cursor_ms: after,
                    ..Self::default()
                };
                return chain.followed(schedule, &points, now_ms);
            }
            slots = slots.saturating_mul(2).min(LOOKBACK_SLOTS);
        }
    }

    fn at_certain_moment(schedule: &Schedule<'_>, points: &[Point], now_ms: u64) -> Option<Self> {
        let lifetime = schedule.lifetime_ms;
        let (born, moment) = points.windows(3).rev().find_map(|three| match three {
            [a, b, c] => {
                let moment = b.at_ms.saturating_add(lifetime);
                (c.at_ms <= a.at_ms.saturating_add(lifetime) && moment <= now_ms)
                    .then_some((b.at_ms, moment))
            }
            _ => None,
        })?;
        let lives = points
            .iter()
            .filter(|point| (born..moment).contains(&point.at_ms))
            .map(|point| dummy(point.at_ms, lifetime, point.seed.clone()))
            .collect();
        Some(Self {
            cursor_ms: moment.checked_sub(1),
            lives,
            waiting: Vec::new(),
        })
    }

    fn followed(mut self, schedule: &Schedule<'_>, points: &[Point], now_ms: u64) -> Self {
        self.follow(schedule, points, now_ms);
        self
    }

    /// Lets everything happen up to and including `now_ms`. Earlier times change nothing.
    pub(crate) fn advance(&mut self, schedule: &Schedule<'_>, now_ms: u64) {
        if let Some(rate) = schedule.constant {
            return self.follow_rate(schedule, rate, now_ms);
        }
        let points = schedule.births(self.cursor_ms, now_ms);
        self.follow(schedule, &points, now_ms);
    }

    /// Level D2: lets every epoch begin up to `now_ms`.
    fn follow_rate(&mut self, schedule: &Schedule<'_>, rate: ConstantRate, now_ms: u64) {
        let from = self.cursor_ms.map_or(0, |cursor| cursor.saturating_add(1));
        for epoch in rate.epoch_of(from)..=rate.epoch_of(now_ms) {
            let moment = rate.birth_moment(schedule, epoch);
            // What waits comes with the epoch, even if its suite is no longer served.
            let at_ms = moment.unwrap_or_else(|| rate.start_of(epoch));
            if !(from..=now_ms).contains(&at_ms) {
                continue;
            }
            let births = moment.map_or(0, |at_ms| rate.births(schedule, epoch, at_ms));
            let end_ms = at_ms.saturating_add(schedule.lifetime_ms);
            let arrived = self.waiting.len();
            self.lives.extend(self.waiting.drain(..).map(|stored| Life {
                at_ms,
                end_ms,
                kind: Kind::Stored {
                    stored,
                    placed: true,
                },
            }));
            let dummies = (arrived..births).filter_map(|place| rate.seed(schedule, epoch, place));
            self.lives
                .extend(dummies.map(|seed| dummy(at_ms, schedule.lifetime_ms, seed)));
        }
        self.lives.retain(|life| life.end_ms > now_ms);
        self.cursor_ms = self.cursor_ms.max(Some(now_ms));
    }

    fn follow(&mut self, schedule: &Schedule<'_>, points: &[Point], now_ms: u64) {
        let skip = points
            .partition_point(|point| self.cursor_ms.is_some_and(|cursor| point.at_ms <= cursor));
        let mut points = points.get(skip..).unwrap_or_default();
        // Where nothing is alive the floor has to be laid although nothing is born or dies; once.
        let from = self.cursor_ms.map_or(0, |cursor| cursor.saturating_add(1));
        let mut beginning = (self.lives.is_empty() && schedule.is_served(from)).then_some(from);
        loop {
            let next = [
                points.first().map(|point| point.at_ms),
                self.lives.iter().map(|life| life.end_ms).min(),
                self.cursor_ms
                    .and_then(|cursor| schedule.timeline.next_step(cursor)),
                beginning.take(),
            ]
            .into_iter()
            .flatten()
            .min();
            let Some(at_ms) = next.filter(|at_ms| *at_ms <= now_ms) else {
                break;
            };
            let born = points.partition_point(|point| point.at_ms <= at_ms);
            let (due, later) = points.split_at_checked(born).unwrap_or_default();
            points = later;
            self.step(schedule, due, at_ms);
        }
        self.cursor_ms = self.cursor_ms.max(Some(now_ms));
    }

    /// One moment: deaths first, then scheduled births, then the floor.
    fn step(&mut self, schedule: &Schedule<'_>, due: &[Point], at_ms: u64) {
        self.lives.retain(|life| life.end_ms > at_ms);
        for point in due {
            if !self.place_next() {
                self.lives
                    .push(dummy(point.at_ms, schedule.lifetime_ms, point.seed.clone()));
            }
        }
        self.keep_floor(schedule, at_ms);
        self.cursor_ms = Some(at_ms);
    }

    /// Gives the oldest stored blob without a place the place of a birth; whether there was one.
    fn place_next(&mut self) -> bool {
        for life in &mut self.lives {
            if let Kind::Stored { placed, .. } = &mut life.kind
                && !*placed
            {
                *placed = true;
                return true;
            }
        }
        false
    }

    /// Births that are due because fewer than two would be alive. Stored blobs that wait for a place
    /// take these places first: they are then what keeps the floor.
    fn keep_floor(&mut self, schedule: &Schedule<'_>, at_ms: u64) {
        if !schedule.is_served(at_ms) {
            return;
        }
        let mut ordinal = 0_u8;
        while self.lives.iter().filter(|life| life.counts()).count() < FLOOR {
            if self.place_next() {
                continue;
            }
            let Some(seed) = schedule.floor_seed(at_ms, ordinal) else {
                return;
            };
            ordinal = ordinal.saturating_add(1);
            self.lives.push(dummy(at_ms, schedule.lifetime_ms, seed));
        }
    }

    /// Adds a stored blob: visible at once, at level D2 from the next epoch on. The chain must have been
    /// advanced to `now_ms`.
    pub(crate) fn store(&mut self, stored: Arc<StoredBlob>, schedule: &Schedule<'_>, now_ms: u64) {
        if schedule.constant.is_some() {
            return self.waiting.push(stored);
        }
        self.lives.push(Life {
            at_ms: now_ms,
            end_ms: now_ms.saturating_add(schedule.lifetime_ms),
            kind: Kind::Stored {
                stored,
                placed: false,
            },
        });
    }

    /// Takes a stored blob away before its time (W-22). The floor holds.
    pub(crate) fn evict(&mut self, schedule: &Schedule<'_>, id: &ItemId, now_ms: u64) {
        self.lives
            .retain(|life| !matches!(&life.kind, Kind::Stored { stored, .. } if stored.id == *id));
        self.waiting.retain(|stored| stored.id != *id);
        if schedule.constant.is_none() {
            self.keep_floor(schedule, now_ms);
        }
    }

    /// What can be seen now.
    pub(crate) fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// The stored blobs that are held, also those that nobody may see yet.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Arc<StoredBlob>> {
        let visible = self.lives.iter().filter_map(|life| match &life.kind {
            Kind::Stored { stored, .. } => Some(stored),
            Kind::Dummy { .. } => None,
        });
        visible.chain(&self.waiting)
    }

    /// Whether this chain and the undisturbed one are the same from here on.
    pub(crate) fn has_met(&self, undisturbed: &Self) -> bool {
        self.waiting.is_empty()
            && self.lives.len() == undisturbed.lives.len()
            && self
                .lives
                .iter()
                .zip(&undisturbed.lives)
                .all(|(mine, theirs)| mine.same_dummy(theirs))
    }
}

fn dummy(at_ms: u64, lifetime_ms: u64, seed: DummySeed) -> Life {
    Life {
        at_ms,
        end_ms: at_ms.saturating_add(lifetime_ms),
        kind: Kind::Dummy { seed },
    }
}

#[cfg(test)]
mod constant_tests;
#[cfg(test)]
mod tests;
