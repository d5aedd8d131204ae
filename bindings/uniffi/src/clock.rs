//! The application's clock.

use std::sync::Arc;

use crate::HostError;

/// Tells the calendar time, where the application knows better than the operating system: from the
/// cellular network, or that the clock was never set.
///
/// Called on a thread of the library, often: it returns at once.
#[uniffi::export(foreign)]
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch, UTC; nothing if the time is not known. Throwing means the
    /// same.
    ///
    /// # Errors
    ///
    /// `Failed` counts as a clock that is not set.
    fn now_unix_ms(&self) -> Result<Option<u64>, HostError>;
}

/// The application's clock as the core wants it.
pub(crate) struct HostClock(pub(crate) Arc<dyn Clock>);

impl ringtrue::Clock for HostClock {
    fn now(&self) -> ringtrue::WallClock {
        match self.0.now_unix_ms() {
            Ok(Some(ms)) => ringtrue::WallClock::UnixMs(ms),
            Ok(None) | Err(HostError::Failed) => ringtrue::WallClock::Unset,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ringtrue::{Clock as _, WallClock};

    use super::{Clock, HostClock};
    use crate::HostError;

    struct Fake(Result<Option<u64>, HostError>);

    impl Clock for Fake {
        fn now_unix_ms(&self) -> Result<Option<u64>, HostError> {
            self.0
        }
    }

    #[test]
    fn a_clock_that_knows_nothing_or_fails_is_unset() {
        let now = |says| HostClock(Arc::new(Fake(says))).now();
        assert_eq!(now(Ok(Some(5))), WallClock::UnixMs(5));
        assert_eq!(now(Ok(None)), WallClock::Unset);
        assert_eq!(now(Err(HostError::Failed)), WallClock::Unset);
    }
}
