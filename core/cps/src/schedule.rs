//! When dummies are born: a Poisson process per number, suite and key, computable for any time
//! without any state (level D1, W-6).
//!
//! Time is cut into slots as long as a blob lives. Births inside a slot come from the secret of the
//! slot's epoch alone, so that the schedule of a number that was never asked for exists just as that
//! of one that is polled every second. What keeps the floor of two alive is in `chain`.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use ringtrue_oob::Suite;
use ringtrue_stir::TelephoneNumber;
use zeroize::Zeroizing;

use crate::constant::ConstantRate;
use crate::secret::EpochSecrets;
use crate::served::{ServedTimeline, suite_index};

/// How many slots the schedule looks back for a moment at which the state is certain. Each slot gives
/// one with a probability of about 0.9, so that this many never fail in practice.
pub(crate) const LOOKBACK_SLOTS: u64 = 64;

/// Births per lifetime that the schedule of the first key of a suite adds. The floor adds the rest to
/// a mean of 4 alive (measured by the test of the mean in `chain`).
const FIRST_KEY_RATE: f64 = 3.595;

/// The same for the second key: with two keys or more the floor hardly ever acts, and the sum is 8.
const SECOND_KEY_RATE: f64 = 4.395;

/// The same for every further key.
const FURTHER_KEY_RATE: f64 = 4.0;

/// Bounds the loop of a slot. A Poisson variable of mean 4.4 exceeds it with probability 1e-40.
const MAX_BIRTHS_PER_SLOT: usize = 64;

/// What a dummy is made of: identifier and content follow from it. Secret while the dummy lives.
pub(crate) type DummySeed = Zeroizing<[u8; 32]>;

/// A scheduled birth.
#[derive(Clone)]
pub(crate) struct Point {
    pub(crate) at_ms: u64,
    pub(crate) seed: DummySeed,
}

/// The schedule of one suite of one number.
pub(crate) struct Schedule<'a> {
    pub(crate) secrets: &'a EpochSecrets,
    pub(crate) timeline: &'a ServedTimeline,
    pub(crate) number: &'a TelephoneNumber,
    pub(crate) suite: Suite,
    pub(crate) lifetime_ms: u64,
    /// At level D2; then there are no births but those of the rate.
    pub(crate) constant: Option<ConstantRate>,
}

impl Schedule<'_> {
    /// The label of the suite in what dummies come from.
    pub(crate) fn suite_octet(&self) -> [u8; 1] {
        [u8::try_from(suite_index(self.suite)).unwrap_or_default()]
    }

    pub(crate) fn slot_of(&self, at_ms: u64) -> u64 {
        at_ms.checked_div(self.lifetime_ms).unwrap_or_default()
    }

    pub(crate) fn slot_start(&self, slot: u64) -> u64 {
        slot.saturating_mul(self.lifetime_ms)
    }

    pub(crate) fn is_served(&self, at_ms: u64) -> bool {
        self.timeline.at(at_ms).keys(self.suite) > 0
    }

    /// The births after `after_ms` (`None`: from the beginning of time) up to and including `to_ms`,
    /// in order of time.
    pub(crate) fn births(&self, after_ms: Option<u64>, to_ms: u64) -> Vec<Point> {
        let from_ms = after_ms.map_or(0, |after| after.saturating_add(1));
        if from_ms > to_ms {
            return Vec::new();
        }
        let mut points = Vec::new();
        for key in 0..self.timeline.most_keys(self.suite, from_ms, to_ms) {
            for slot in self.slot_of(from_ms)..=self.slot_of(to_ms) {
                self.slot_births(key, slot, &mut points);
            }
        }
        points.retain(|point| (from_ms..=to_ms).contains(&point.at_ms));
        points.sort_by_key(|point| point.at_ms);
        points
    }

    fn slot_births(&self, key: u8, slot: u64, points: &mut Vec<Point>) {
        let start = self.slot_start(slot);
        let seed = self.secrets.derive(
            start,
            &[
                b"births",
                self.number.as_str().as_bytes(),
                &self.suite_octet(),
                &[key],
                &slot.to_be_bytes(),
            ],
        );
        let Some(seed) = seed else {
            return;
        };
        let mut rng = ChaCha20Rng::from_seed(*seed);
        let rate = match key {
            0 => FIRST_KEY_RATE,
            1 => SECOND_KEY_RATE,
            _ => FURTHER_KEY_RATE,
        };
        // Exponential gaps have no memory: starting anew at each slot is the same process.
        let mut lifetimes = 0.0;
        for _ in 0..MAX_BIRTHS_PER_SLOT {
            lifetimes += exponential(&mut rng) / rate;
            let mut seed = Zeroizing::new([0; 32]);
            rng.fill_bytes(seed.as_mut_slice());
            if lifetimes >= 1.0 {
                return;
            }
            let at_ms = start.saturating_add(part_of(self.lifetime_ms, lifetimes));
            if self.timeline.at(at_ms).keys(self.suite) > key {
                points.push(Point { at_ms, seed });
            }
        }
    }

    /// What the dummy is made of that is born at `at_ms` because fewer than two are alive;
    /// `ordinal` counts the births of that kind in the same millisecond.
    pub(crate) fn floor_seed(&self, at_ms: u64, ordinal: u8) -> Option<DummySeed> {
        self.secrets.derive(
            at_ms,
            &[
                b"floor",
                self.number.as_str().as_bytes(),
                &self.suite_octet(),
                &[ordinal],
                &at_ms.to_be_bytes(),
            ],
        )
    }
}

/// An exponentially distributed value of mean 1.
fn exponential(rng: &mut ChaCha20Rng) -> f64 {
    // 32 bits are finer than the millisecond; the half keeps the logarithm finite.
    let uniform = (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
    -uniform.ln()
}

/// `whole * part` for a part in 0..1, rounded down.
fn part_of(whole: u64, part: f64) -> u64 {
    // A lifetime has at most 60 000 ms, so that both conversions are exact.
    let whole = u32::try_from(whole).unwrap_or(u32::MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the product lies in 0..whole, which is a u32; cutting the fraction is meant"
    )]
    let at = (f64::from(whole) * part) as u32;
    u64::from(at)
}
