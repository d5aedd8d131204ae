//! Level D2: how many blobs of one suite of one number are born when, at a constant rate.
//!
//! Time is cut into epochs. At the beginning of each the same number is born, whatever happened: what
//! was stored in the epoch before takes the place of as many dummies, and all live equally long. Who
//! looks all the time sees no difference, until more is stored in one epoch than is born.
//!
//! Nobody waits longer than for the next epoch, even then: dropping or delaying what is too much would
//! let anyone with storage tokens delay the calls of others, and hide nothing, because he would see his
//! own blobs delayed.

use ringtrue_oob::http::placement::{MAX_ANSWER_BLOBS, MAX_ANSWER_LEN};
use ringtrue_oob::{Suite, rounded_copies};

use crate::level::{DummyLevel, MAX_EPOCHS};
use crate::schedule::{DummySeed, Schedule};
use crate::served::{ServedKeys, ServedTimeline};

/// The part of an answer that the constant rate may fill; the rest is for what is stored beyond it.
const SHARE_NUMERATOR: usize = 15;
const SHARE_DENOMINATOR: usize = 16;

/// The rate of level D2, the same for all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConstantRate {
    epoch_ms: u64,
    /// How many stores per epoch are hidden, where an answer has room.
    stores: usize,
    /// How many epochs a blob lives through.
    epochs_alive: usize,
}

impl ConstantRate {
    /// The rate of `level` for blobs that live so long; `None` at level D1. Brings what
    /// [`DummyLevel::check`] would refuse into its limits.
    pub(crate) fn of(level: DummyLevel, lifetime_ms: u64) -> Option<Self> {
        let DummyLevel::D2 { epoch, births } = level else {
            return None;
        };
        let shortest = lifetime_ms.div_ceil(MAX_EPOCHS).max(1);
        let epoch_ms = u64::try_from(epoch.as_millis())
            .unwrap_or(u64::MAX)
            .clamp(shortest, lifetime_ms.max(shortest));
        let alive = lifetime_ms.div_ceil(epoch_ms.max(1));
        Some(Self {
            epoch_ms,
            stores: usize::from(births.clamp(1, 8)),
            epochs_alive: usize::try_from(alive).unwrap_or(1).max(1),
        })
    }

    pub(crate) fn epoch_of(self, at_ms: u64) -> u64 {
        at_ms.checked_div(self.epoch_ms).unwrap_or_default()
    }

    pub(crate) fn start_of(self, epoch: u64) -> u64 {
        epoch.saturating_mul(self.epoch_ms)
    }

    /// For how many keys a number counts as served at the beginning of `epoch`: also a key whose
    /// statement ended in the epoch before, because a call to it may be waiting.
    fn keys(self, timeline: &ServedTimeline, epoch: u64) -> ServedKeys {
        let start = self.start_of(epoch);
        timeline.widest(start.saturating_sub(self.epoch_ms), start)
    }

    /// When blobs of a suite are born in `epoch`, if the number is served in it: at the beginning; a
    /// suite that comes in the midst of an epoch has its first ones then.
    pub(crate) fn birth_moment(self, schedule: &Schedule<'_>, epoch: u64) -> Option<u64> {
        let start = self.start_of(epoch);
        if self.keys(schedule.timeline, epoch).keys(schedule.suite) > 0 {
            return Some(start);
        }
        let end = self.start_of(epoch.saturating_add(1));
        let mut at = start;
        while let Some(step) = schedule.timeline.next_step(at) {
            if step >= end {
                break;
            }
            if schedule.is_served(step) {
                return Some(step);
            }
            at = step;
        }
        None
    }

    /// How many blobs of a suite are born in `epoch` if nothing is stored: for each call that is to be
    /// hidden as many as a caller leaves, copies and fillers (W-18).
    pub(crate) fn births(self, schedule: &Schedule<'_>, epoch: u64, at_ms: u64) -> usize {
        let mut keys = self.keys(schedule.timeline, epoch);
        if keys.keys(schedule.suite) == 0 {
            keys = schedule.timeline.at(at_ms);
        }
        let suites: Vec<Suite> = keys.to_suites();
        let copies = |suite| rounded_copies(&suites, suite);
        let (blobs, octets) =
            Suite::ALL
                .iter()
                .fold((0_usize, 0_usize), |(blobs, octets), suite| {
                    let more = copies(*suite);
                    let text = text_len(*suite).saturating_mul(more);
                    (blobs.saturating_add(more), octets.saturating_add(text))
                });
        // The same for all suites of the number: a call is hidden in all of them or in none.
        let room = |limit: usize, per_epoch: usize| {
            limit
                .saturating_mul(SHARE_NUMERATOR)
                .checked_div(SHARE_DENOMINATOR.saturating_mul(per_epoch))
                .and_then(|epochs| epochs.checked_div(self.epochs_alive))
                .unwrap_or_default()
        };
        let stores = self
            .stores
            .min(room(MAX_ANSWER_BLOBS, blobs))
            .min(room(MAX_ANSWER_LEN, octets))
            .max(1);
        copies(schedule.suite).saturating_mul(stores)
    }

    /// What the dummy in this place is made of; `None` once the secret of that day is destroyed.
    pub(crate) fn seed(
        self,
        schedule: &Schedule<'_>,
        epoch: u64,
        place: usize,
    ) -> Option<DummySeed> {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        schedule.secrets.derive(
            self.start_of(epoch),
            &[
                b"constant",
                schedule.number.as_str().as_bytes(),
                &schedule.suite_octet(),
                &epoch.to_be_bytes(),
                &place.to_be_bytes(),
            ],
        )
    }
}

/// Octets of a dummy of this suite in an answer: its text and the end of the line.
fn text_len(suite: Suite) -> usize {
    let octets = suite.class().blob_len();
    octets.saturating_mul(4).div_ceil(3).saturating_add(1)
}
