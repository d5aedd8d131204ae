//! Cover traffic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::optional::set;
use crate::{Endpoint, Reason, RingTrueError};

/// How much cover traffic an endpoint begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Enum)]
pub enum CoverProfile {
    /// For an installation that places many calls: in addition one cover store for every four real ones,
    /// at most 10 000 a day, whatever the power.
    Enterprise,
    /// For a handset: a store every 6 hours and polls every 4 hours on average, only while power is
    /// plentiful, at most 20 stores a day.
    #[default]
    Handset,
}

/// How much cover traffic is sent. Whatever is left out is as the profile has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct CoverPolicy {
    /// What is changed by the other members.
    pub profile: CoverProfile,
    /// The mean time between two cover stores; zero: none.
    #[uniffi(default)]
    pub store_interval_ms: Option<u64>,
    /// The mean time between two rounds of cover polls; zero: none.
    #[uniffi(default)]
    pub poll_interval_ms: Option<u64>,
    /// One cover store more for so many real ones, some minutes later; zero: none.
    #[uniffi(default)]
    pub real_per_cover: Option<u32>,
    /// Whether nothing is sent while power is scarce.
    #[uniffi(default)]
    pub only_on_power: Option<bool>,
    /// The most cover stores in 24 hours: the budget, in tokens at the ordinary price.
    #[uniffi(default)]
    pub stores_per_day: Option<u32>,
}

impl CoverPolicy {
    fn into_core(self) -> ringtrue::CoverPolicy {
        let mut policy = match self.profile {
            CoverProfile::Enterprise => ringtrue::CoverPolicy::enterprise(),
            CoverProfile::Handset => ringtrue::CoverPolicy::default(),
        };
        let interval = |ms| (ms > 0).then(|| Duration::from_millis(ms));
        set(&mut policy.stores, self.store_interval_ms, interval);
        set(&mut policy.polls, self.poll_interval_ms, interval);
        let share = |real| (real > 0).then_some(real);
        set(&mut policy.real_per_cover, self.real_per_cover, share);
        set(&mut policy.only_on_power, self.only_on_power, |only| only);
        set(&mut policy.stores_per_day, self.stores_per_day, |most| most);
        policy
    }
}

/// How the device is powered and connected, as far as cover traffic minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Power {
    /// Mains or the like, and a connection that is not charged by volume.
    Plenty,
    /// A battery, or a metered connection.
    Scarce,
}

/// What cover traffic came to since it began.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CoverCounts {
    /// Stores that went out.
    pub stores: u64,
    /// Rounds of polls that went out.
    pub polls: u64,
    /// What was due and left out, or failed.
    pub skipped: u64,
    /// Why something was left out last.
    pub last_reason: Option<Reason>,
}

impl From<ringtrue::CoverCounts> for CoverCounts {
    fn from(counts: ringtrue::CoverCounts) -> Self {
        Self {
            stores: counts.stores,
            polls: counts.polls,
            skipped: counts.skipped,
            last_reason: counts.last_reason.map(Reason::from),
        }
    }
}

/// Cover traffic in the background, until it is stopped, this object goes or the endpoint ends.
#[derive(uniffi::Object)]
pub struct CoverTraffic {
    /// None once it was stopped.
    traffic: Mutex<Option<ringtrue::CoverTraffic>>,
    has_power: Arc<AtomicBool>,
}

#[uniffi::export]
impl CoverTraffic {
    /// The device is powered and connected otherwise from now on.
    pub fn set_power(&self, power: Power) {
        self.has_power
            .store(power == Power::Plenty, Ordering::Relaxed);
    }

    /// What it came to so far; nothing once it was stopped.
    #[must_use]
    pub fn counts(&self) -> Option<CoverCounts> {
        let traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.as_ref().map(|traffic| traffic.counts().into())
    }

    /// Stops it at once, also what is under way. Repeating it does nothing.
    pub fn stop(&self) {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        drop(traffic.take());
    }
}

#[uniffi::export]
impl Endpoint {
    /// Sends stores and polls that mean nothing, at random times, so that real ones cannot be told by
    /// their being there. Begin it once, at start, and keep what is returned: its end is the end of the
    /// traffic. `power` is how the device is powered and connected now.
    ///
    /// Stores go to numbers whose keys are in memory, because they were called or looked up.
    ///
    /// # Errors
    ///
    /// `configuration_invalid` for a policy out of range; `randomness_unavailable`.
    #[uniffi::method(default(policy = None))]
    pub fn cover_traffic(
        &self,
        power: Power,
        policy: Option<CoverPolicy>,
    ) -> Result<Arc<CoverTraffic>, RingTrueError> {
        let has_power = Arc::new(AtomicBool::new(power == Power::Plenty));
        let asked = Arc::clone(&has_power);
        let power = move || match asked.load(Ordering::Relaxed) {
            true => ringtrue::Power::Plenty,
            false => ringtrue::Power::Scarce,
        };
        let threads = self.work().tasks.threads();
        let _threads = threads.enter();
        let policy = policy.unwrap_or_default().into_core();
        let traffic = self.core().cover_traffic(policy, power)?;
        Ok(Arc::new(CoverTraffic {
            traffic: Mutex::new(Some(traffic)),
            has_power,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CoverPolicy, CoverProfile};

    #[test]
    fn a_policy_without_members_is_the_profile_s() {
        let of = |profile| CoverPolicy {
            profile,
            ..CoverPolicy::default()
        };
        assert_eq!(
            of(CoverProfile::Handset).into_core(),
            ringtrue::CoverPolicy::default()
        );
        assert_eq!(
            of(CoverProfile::Enterprise).into_core(),
            ringtrue::CoverPolicy::enterprise()
        );
    }

    #[test]
    fn every_member_arrives_where_it_belongs_and_zero_is_none() {
        let policy = CoverPolicy {
            profile: CoverProfile::Enterprise,
            store_interval_ms: Some(1),
            poll_interval_ms: Some(0),
            real_per_cover: Some(0),
            only_on_power: Some(true),
            stores_per_day: Some(2),
        }
        .into_core();
        assert_eq!(policy.stores, Some(Duration::from_millis(1)));
        assert_eq!(policy.polls, None);
        assert_eq!(policy.real_per_cover, None);
        assert!(policy.only_on_power);
        assert_eq!(policy.stores_per_day, 2);
    }
}
