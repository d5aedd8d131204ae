//! When cover traffic goes out: at random times that nothing a person does can be told from.

use core::time::Duration;
use std::sync::Arc;

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;

use crate::Monotonic;

/// The length of the day of [`CoverPolicy::stores_per_day`].
const DAY: Duration = Duration::from_secs(86_400);

/// How long after real stores the covers that they owe follow, on average.
const OWED_DELAY: Duration = Duration::from_secs(300);

/// The most covers that are owed at once; an endpoint with more real stores than that in some minutes
/// is hidden by its own traffic.
const MAX_OWED: usize = 64;

/// What is overdue by more than this is not made up for: the host slept, and the moment at which it
/// woke up is not random.
const TOO_LATE: Duration = Duration::from_secs(60);

/// What a piece of cover traffic looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoverKind {
    /// The announcement of a call.
    Store,
    /// The polls of a ringing call.
    Poll,
}

/// How the host is powered and connected, as far as cover traffic minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// Mains or the like, and a connection that is not charged by volume.
    Plenty,
    /// A battery, or a metered connection.
    Scarce,
}

/// How much cover traffic an endpoint sends (PRV-49).
///
/// Each store costs a storage token where the service asks for one, so that covers are bounded by the
/// issuer's quota too and cannot flood anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoverPolicy {
    /// The mean time between two cover stores, Poisson distributed; none if absent.
    pub stores: Option<Duration>,
    /// The mean time between two rounds of cover polls, Poisson distributed; none if absent.
    pub polls: Option<Duration>,
    /// One cover store more for so many real ones, some minutes later; none if absent.
    pub real_per_cover: Option<u32>,
    /// Whether nothing is sent while power is scarce.
    pub only_on_power: bool,
    /// The most cover stores in 24 hours: the budget, in tokens at the ordinary price.
    pub stores_per_day: u32,
}

impl Default for CoverPolicy {
    /// For a handset: a store every 6 hours and polls every 4 hours on average, only while power is
    /// plentiful, at most 20 stores a day.
    fn default() -> Self {
        Self {
            stores: Some(Duration::from_secs(6 * 3600)),
            polls: Some(Duration::from_secs(4 * 3600)),
            real_per_cover: None,
            only_on_power: true,
            stores_per_day: 20,
        }
    }
}

impl CoverPolicy {
    /// For an installation that places many calls: as a handset, and a cover store for every four real
    /// ones, at most 10 000 a day, whatever the power.
    #[must_use]
    pub fn enterprise() -> Self {
        Self {
            real_per_cover: Some(4),
            only_on_power: false,
            stores_per_day: 10_000,
            ..Self::default()
        }
    }

    /// No cover traffic.
    #[must_use]
    pub fn off() -> Self {
        Self {
            stores: None,
            polls: None,
            real_per_cover: None,
            ..Self::default()
        }
    }
}

/// What a schedule has to say now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverStep {
    /// Nothing until then.
    Wait(Monotonic),
    /// Send this now, then ask again.
    Send(CoverKind),
    /// This was due and is left out, for want of budget or power ([`Reason::CoverSkipped`]). Ask again.
    Skip(CoverKind),
}

/// When to send cover traffic. Pure: time and power are parameters, randomness is the provider's.
///
/// The gaps are exponential and do not depend on anything that happens: what was sent, found or left
/// out.
pub struct CoverSchedule {
    policy: CoverPolicy,
    provider: Arc<dyn CryptoProvider>,
    store: Option<Monotonic>,
    poll: Option<Monotonic>,
    owed: Vec<Monotonic>,
    real: u32,
    day: Monotonic,
    sent_today: u32,
}

impl CoverSchedule {
    /// Begins at `now`.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a mean below one second or a `real_per_cover` of 0;
    /// [`Reason::RandomnessUnavailable`].
    pub fn new(
        policy: CoverPolicy,
        provider: Arc<dyn CryptoProvider>,
        now: Monotonic,
    ) -> Result<Self, Reason> {
        let too_often = [policy.stores, policy.polls]
            .into_iter()
            .flatten()
            .any(|mean| mean < Duration::from_secs(1));
        if too_often || policy.real_per_cover == Some(0) {
            return Err(Reason::ConfigurationInvalid);
        }
        let mut schedule = Self {
            policy,
            provider,
            store: None,
            poll: None,
            owed: Vec::new(),
            real: 0,
            day: now,
            sent_today: 0,
        };
        schedule.store = schedule.after(schedule.policy.stores, now)?;
        schedule.poll = schedule.after(schedule.policy.polls, now)?;
        Ok(schedule)
    }

    /// A call was announced for real at `now`.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub fn note_real_store(&mut self, now: Monotonic) -> Result<(), Reason> {
        let Some(per_cover) = self.policy.real_per_cover else {
            return Ok(());
        };
        self.real = self.real.saturating_add(1);
        if self.real >= per_cover {
            self.real = 0;
            if self.owed.len() < MAX_OWED {
                let at = self.after(Some(OWED_DELAY), now)?;
                self.owed.extend(at);
            }
        }
        Ok(())
    }

    /// What to do at `now`. `power` is asked for with each piece of traffic.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`]: without it there are no random times, and so no covers.
    pub fn step(&mut self, now: Monotonic, power: Power) -> Result<CoverStep, Reason> {
        if let Some(at) = self.store.filter(|at| *at <= now) {
            self.store = self.after(self.policy.stores, now)?;
            if let Some(step) = self.decide(CoverKind::Store, at, now, power) {
                return Ok(step);
            }
        }
        if let Some(position) = self.owed.iter().position(|at| *at <= now) {
            let at = self.owed.swap_remove(position);
            // An hour late is as random as five minutes, and what is owed is owed.
            if let Some(step) = self.decide(CoverKind::Store, at.max(now), now, power) {
                return Ok(step);
            }
        }
        if let Some(at) = self.poll.filter(|at| *at <= now) {
            self.poll = self.after(self.policy.polls, now)?;
            if let Some(step) = self.decide(CoverKind::Poll, at, now, power) {
                return Ok(step);
            }
        }
        let next = self
            .owed
            .iter()
            .copied()
            .chain(self.store)
            .chain(self.poll)
            .min();
        Ok(CoverStep::Wait(
            next.unwrap_or(Monotonic::from_ms(u64::MAX)),
        ))
    }

    /// Whether what was due `at` is sent at `now`; `None` if it is not even worth a report.
    fn decide(
        &mut self,
        kind: CoverKind,
        at: Monotonic,
        now: Monotonic,
        power: Power,
    ) -> Option<CoverStep> {
        if now.since(at) > TOO_LATE {
            return None;
        }
        if self.policy.only_on_power && power == Power::Scarce {
            return Some(CoverStep::Skip(kind));
        }
        if kind == CoverKind::Store {
            if now.since(self.day) >= DAY {
                self.day = now;
                self.sent_today = 0;
            }
            if self.sent_today >= self.policy.stores_per_day {
                return Some(CoverStep::Skip(kind));
            }
            self.sent_today = self.sent_today.saturating_add(1);
        }
        Some(CoverStep::Send(kind))
    }

    /// A time after `now`, exponentially distributed around `mean`.
    fn after(&self, mean: Option<Duration>, now: Monotonic) -> Result<Option<Monotonic>, Reason> {
        let Some(mean) = mean else {
            return Ok(None);
        };
        let mut octets = [0_u8; 4];
        self.provider.fill_random(&mut octets)?;
        // The half keeps the logarithm finite: the longest gap is 23 times the mean.
        let uniform = (f64::from(u32::from_be_bytes(octets)) + 0.5) / 4_294_967_296.0;
        Ok(Some(now.plus(mean.mul_f64(-libm::log(uniform)))))
    }
}
