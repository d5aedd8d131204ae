//! The dummy levels that an operator can choose between.

use std::time::Duration;

use ringtrue_stir::Reason;

use crate::mailbox::MAX_LIFETIME;

/// The most epochs in a lifetime at level D2. With it eight keys of the largest suite still leave room
/// in an answer of 1.5 MiB (W-22) for stores beyond the constant rate.
pub(crate) const MAX_EPOCHS: u64 = 16;

/// The shortest epoch. Shorter ones hide less and cost more.
const MIN_EPOCH: Duration = Duration::from_millis(100);

/// The most stores per epoch that can be hidden. More is cut to what an answer has room for anyway.
const MAX_BIRTHS: u8 = 8;

/// How dummies are born, and so what somebody learns who polls a number.
///
/// Source: docs/protocol.md sections 10.1 and 10.4 (PRV-16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DummyLevel {
    /// A pseudo-random schedule per number; a store is visible at once (W-6). Whoever polls all the
    /// time and has a suspicion about a second can check it.
    #[default]
    D1,
    /// A constant rate: so many blobs are born at the beginning of each epoch, and a store takes the
    /// place of dummies in the next one. Nothing is learned from polling as long as no more than
    /// `births` calls are announced to a number in one epoch.
    D2 {
        /// The length of an epoch: 2 s. A store becomes visible at most this much later.
        epoch: Duration,
        /// How many calls per epoch are hidden: 1.
        births: u8,
    },
}

impl DummyLevel {
    /// Level D2 as the protocol recommends it: epochs of 2 s, one call.
    #[must_use]
    pub const fn constant() -> Self {
        Self::D2 {
            epoch: Duration::from_secs(2),
            births: 1,
        }
    }

    /// Whether this level can be kept for blobs that live so long.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] at level D2 for an epoch below 100 ms, above half a lifetime or
    /// below a sixteenth of it; for births other than 1 to 8; and if a blob could be held more than
    /// 60 s, waiting included (PRV-18).
    pub fn check(self, lifetime: Duration) -> Result<(), Reason> {
        let Self::D2 { epoch, births } = self else {
            return Ok(());
        };
        let parts = lifetime.as_millis().div_ceil(epoch.as_millis().max(1));
        let good = epoch >= MIN_EPOCH
            && (2..=u128::from(MAX_EPOCHS)).contains(&parts)
            && (1..=MAX_BIRTHS).contains(&births)
            && lifetime.saturating_add(epoch) <= MAX_LIFETIME;
        good.then_some(()).ok_or(Reason::ConfigurationInvalid)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue_stir::Reason;

    use super::DummyLevel;

    const LIFETIME: Duration = Duration::from_secs(30);

    fn d2(epoch_ms: u64, births: u8) -> DummyLevel {
        DummyLevel::D2 {
            epoch: Duration::from_millis(epoch_ms),
            births,
        }
    }

    #[test]
    fn what_is_recommended_holds_for_the_default_lifetime() {
        assert_eq!(DummyLevel::default().check(LIFETIME), Ok(()));
        assert_eq!(DummyLevel::constant().check(LIFETIME), Ok(()));
        assert_eq!(DummyLevel::D1.check(Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn a_constant_rate_that_cannot_be_kept_is_refused() {
        let minute = Duration::from_secs(60);
        let bad = [
            (d2(0, 1), LIFETIME),
            (d2(99, 1), Duration::from_secs(1)),
            (d2(1874, 1), LIFETIME),
            (d2(30_000, 1), LIFETIME),
            (d2(2000, 0), LIFETIME),
            (d2(2000, 9), LIFETIME),
            (d2(4000, 1), minute),
            (d2(u64::MAX, 1), LIFETIME),
        ];
        for (level, lifetime) in bad {
            assert_eq!(level.check(lifetime), Err(Reason::ConfigurationInvalid));
        }
        for (level, lifetime) in [
            (d2(1875, 8), LIFETIME),
            (d2(15_000, 1), LIFETIME),
            (d2(100, 1), Duration::from_secs(1)),
            (d2(4000, 1), Duration::from_secs(56)),
        ] {
            assert_eq!(level.check(lifetime), Ok(()));
        }
    }
}
