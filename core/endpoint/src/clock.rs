//! The calendar clock of an endpoint.

use std::time::{SystemTime, UNIX_EPOCH};

use ringtrue_session::WallClock;

/// Tells the calendar time. The application supplies its own where it knows better than the operating
/// system: from the cellular network, or that the clock was never set.
pub trait Clock: Send + Sync {
    /// The time, or that it is not known.
    fn now(&self) -> WallClock;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> WallClock {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(WallClock::Unset, |since| {
                WallClock::UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            })
    }
}
