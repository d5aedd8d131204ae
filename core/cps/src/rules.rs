//! What all dummies of a service follow: its secret, the lifetime and the level.

use std::time::Duration;

use ringtrue_oob::Suite;
use ringtrue_stir::TelephoneNumber;

use crate::constant::ConstantRate;
use crate::level::DummyLevel;
use crate::mailbox::{MAX_LIFETIME, PlacementLimits};
use crate::schedule::Schedule;
use crate::secret::{EpochSecrets, ServiceSecret};
use crate::served::ServedTimeline;

/// What the dummies of all numbers follow.
pub(crate) struct Rules {
    pub(crate) secrets: EpochSecrets,
    pub(crate) lifetime_ms: u64,
    constant: Option<ConstantRate>,
}

impl Rules {
    pub(crate) fn new(limits: &PlacementLimits, secret: ServiceSecret) -> Self {
        let second = Duration::from_secs(1);
        let longest = match limits.dummies {
            DummyLevel::D1 => MAX_LIFETIME,
            // Waiting counts (PRV-18).
            DummyLevel::D2 { epoch, .. } => MAX_LIFETIME.saturating_sub(epoch).max(second),
        };
        let lifetime = limits.lifetime.clamp(second, longest).as_millis();
        let lifetime_ms = u64::try_from(lifetime).unwrap_or(u64::MAX);
        Self {
            secrets: EpochSecrets::new(secret, lifetime_ms),
            lifetime_ms,
            constant: ConstantRate::of(limits.dummies, lifetime_ms),
        }
    }

    pub(crate) fn schedule<'a>(
        &'a self,
        timeline: &'a ServedTimeline,
        number: &'a TelephoneNumber,
        suite: Suite,
    ) -> Schedule<'a> {
        Schedule {
            secrets: &self.secrets,
            timeline,
            number,
            suite,
            lifetime_ms: self.lifetime_ms,
            constant: self.constant,
        }
    }
}
