//! Cover traffic in the background.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringtrue_session::{CoverKind, CoverPolicy, CoverSchedule, CoverSession, CoverStep, Power};
use ringtrue_stir::Reason;
use tokio::task::AbortHandle;

use crate::Endpoint;
use crate::driver::drive;

/// How often real announcements are counted, for the covers that they owe.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// What cover traffic came to since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoverCounts {
    /// Stores that went out.
    pub stores: u64,
    /// Rounds of polls that went out.
    pub polls: u64,
    /// What was due and left out, or failed.
    pub skipped: u64,
    /// Why something was left out last: [`Reason::CoverSkipped`] for want of power, budget, tokens or a
    /// number whose keys are at hand, or a reason of the network.
    pub last_reason: Option<Reason>,
}

/// Cover traffic that goes on in the background until this value is dropped.
#[derive(Debug)]
pub struct CoverTraffic {
    task: AbortHandle,
    counts: Arc<Mutex<CoverCounts>>,
}

impl CoverTraffic {
    /// What it came to so far.
    #[must_use]
    pub fn counts(&self) -> CoverCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops it at once, also what is under way.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for CoverTraffic {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Endpoint {
    /// Sends stores and polls that mean nothing, at random times, so that real ones cannot be told by
    /// their being there (PRV-49). Begin it once, at start.
    ///
    /// Stores go to numbers whose keys are in memory, because they were called or looked up. `power` is
    /// asked before each piece of traffic; it must not block.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a `policy` out of range; [`Reason::RandomnessUnavailable`].
    pub fn cover_traffic(
        &self,
        policy: CoverPolicy,
        power: impl Fn() -> Power + Send + Sync + 'static,
    ) -> Result<CoverTraffic, Reason> {
        let host = self.host();
        let provider = Arc::clone(host.context().provider());
        let schedule = CoverSchedule::new(policy, provider, host.now().monotonic)?;
        let counts = Arc::new(Mutex::new(CoverCounts::default()));
        let task = tokio::spawn(cover(self.clone(), schedule, power, Arc::clone(&counts)));
        Ok(CoverTraffic {
            task: task.abort_handle(),
            counts,
        })
    }

    /// One piece of cover traffic.
    async fn cover_once(&self, kind: CoverKind) -> Result<(), Reason> {
        let host = self.host();
        let context = host.context();
        let now = host.now();
        let session = match kind {
            CoverKind::Store => {
                let deadline = now.monotonic.plus(context.policy().place_deadline);
                CoverSession::store(context, &self.all_known(), deadline, now)?
            }
            CoverKind::Poll => CoverSession::poll(context, now)?,
        };
        let covered = drive(host, session, |never| match never {}).await;
        if kind == CoverKind::Store {
            // A token is gone, as after a call. Which wallet it was in is not worth telling apart: only
            // those that are half empty are filled.
            for (_, keys) in self.all_known() {
                self.plan_refills_for(&keys);
            }
        }
        if covered.done {
            Ok(())
        } else {
            let first = covered.reasons.first().copied();
            Err(first.unwrap_or(Reason::CoverSkipped))
        }
    }
}

/// Follows the schedule until it is stopped, or there is no randomness any more.
async fn cover(
    endpoint: Endpoint,
    mut schedule: CoverSchedule,
    power: impl Fn() -> Power + Send + Sync,
    counts: Arc<Mutex<CoverCounts>>,
) {
    let mut announced = endpoint.announced();
    let count = |change: fn(&mut CoverCounts, Option<Reason>), reason| {
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts, reason);
    };
    let skipped = |counts: &mut CoverCounts, reason| {
        counts.skipped = counts.skipped.saturating_add(1);
        counts.last_reason = reason;
    };
    loop {
        let now = endpoint.host().now().monotonic;
        let before = announced;
        announced = endpoint.announced();
        for _ in before..announced {
            if schedule.note_real_store(now).is_err() {
                return;
            }
        }
        match schedule.step(now, power()) {
            Ok(CoverStep::Wait(until)) => {
                let look = now.plus(LOOK_INTERVAL);
                let until = endpoint.host().instant(until.min(look));
                tokio::time::sleep_until(until).await;
            }
            Ok(CoverStep::Skip(_)) => count(skipped, Some(Reason::CoverSkipped)),
            Ok(CoverStep::Send(kind)) => match (endpoint.cover_once(kind).await, kind) {
                (Ok(()), CoverKind::Store) => count(
                    |counts, _| counts.stores = counts.stores.saturating_add(1),
                    None,
                ),
                (Ok(()), CoverKind::Poll) => count(
                    |counts, _| counts.polls = counts.polls.saturating_add(1),
                    None,
                ),
                (Err(reason), _) => count(skipped, Some(reason)),
            },
            Err(_) => return,
        }
    }
}
