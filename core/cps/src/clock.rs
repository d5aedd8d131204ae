//! Where a service takes the time from.

use std::fmt::Debug;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The clocks of a service. Tests supply their own and let time pass at will.
pub trait Clock: Debug + Send + Sync {
    /// Milliseconds since the Unix epoch, as the host believes; may jump. For the times in statements
    /// and certificates.
    fn wall_ms(&self) -> u64;

    /// Milliseconds of any origin that never run back. For the lifetime of blobs and for limits.
    fn steady_ms(&self) -> u64;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    start_wall_ms: u64,
}

impl SystemClock {
    /// Starts a steady clock at the present wall time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            start_wall_ms: wall_ms(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        wall_ms()
    }

    fn steady_ms(&self) -> u64 {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.start_wall_ms.saturating_add(passed)
    }
}

fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
