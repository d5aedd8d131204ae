//! The time as the host hands it in.

use core::time::Duration;

use ringtrue_stir::UnixTime;

/// Milliseconds on a clock that never goes back, from an origin of the host's choosing.
///
/// Deadlines and polls are counted on it, so that setting the device clock moves none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic(u64);

impl Monotonic {
    /// A point `ms` milliseconds after the origin.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the origin.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// The point `by` later, whole milliseconds; stops at the largest value.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// What the device's calendar clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WallClock {
    /// The host knows that the clock has not been set since the device started.
    Unset,
    /// Milliseconds since the Unix epoch, UTC.
    UnixMs(u64),
}

/// The time at which a session is asked or told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Now {
    /// For deadlines and schedules.
    pub monotonic: Monotonic,
    /// For `iat`, `exp` and certificate validity.
    pub wall: WallClock,
}

impl Now {
    /// The calendar time, unless the clock is unset or shows a time before `earliest`: a clock
    /// behind the build's own release date cannot judge freshness (W-35).
    #[must_use]
    pub fn unix_ms(&self, earliest: UnixTime) -> Option<u64> {
        match self.wall {
            WallClock::Unset => None,
            WallClock::UnixMs(ms) => (ms / 1000 >= earliest.as_secs()).then_some(ms),
        }
    }

    /// As [`Now::unix_ms`], in whole seconds.
    #[must_use]
    pub fn unix(&self, earliest: UnixTime) -> Option<UnixTime> {
        self.unix_ms(earliest)
            .map(|ms| UnixTime::from_secs(ms / 1000))
    }
}
