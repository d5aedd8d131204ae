//! The service secret that the dummies come from: one per day, derived keys only, destroyed when
//! nothing alive needs it, so that past dummies cannot be told from real blobs later
//! (docs/protocol.md section 10.1).

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::schedule::LOOKBACK_SLOTS;

/// How long one secret serves: a day, rounded up to whole schedule slots.
const EPOCH_MS: u64 = 86_400_000;

/// What the dummies of a service are derived from: 32 octets that never leave the process.
///
/// Anyone who has it can tell dummies from real blobs, so the usual way is [`ServiceSecret::random`]
/// at each start. It is replaced daily and the old one destroyed.
pub struct ServiceSecret(Zeroizing<[u8; 32]>);

impl ServiceSecret {
    /// Takes a secret that was drawn elsewhere. For tests, and for replicas that must agree.
    #[must_use]
    pub fn new(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// Draws a fresh secret.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the platform generator fails.
    pub fn random(provider: &dyn CryptoProvider) -> Result<Self, Reason> {
        let mut octets = Zeroizing::new([0; 32]);
        provider.fill_random(octets.as_mut_slice())?;
        Ok(Self(octets))
    }
}

impl fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceSecret(..)")
    }
}

/// The secrets of the day and, for as long as schedules look back that far, of the day before.
pub(crate) struct EpochSecrets {
    /// Length of an epoch: a whole number of slots, so that each slot has exactly one secret and no
    /// dummy is lost or born twice at a rotation.
    epoch_ms: u64,
    /// How long the secret of an epoch is needed after its end.
    overlap_ms: u64,
    initial: Option<ServiceSecret>,
    current: Option<(u64, Zeroizing<[u8; 32]>)>,
    previous: Option<(u64, Zeroizing<[u8; 32]>)>,
}

impl EpochSecrets {
    pub(crate) fn new(secret: ServiceSecret, slot_ms: u64) -> Self {
        let slot_ms = slot_ms.max(1);
        Self {
            epoch_ms: EPOCH_MS.div_ceil(slot_ms).saturating_mul(slot_ms),
            overlap_ms: slot_ms.saturating_mul(LOOKBACK_SLOTS.saturating_add(2)),
            initial: Some(secret),
            current: None,
            previous: None,
        }
    }

    fn epoch(&self, at_ms: u64) -> u64 {
        at_ms.checked_div(self.epoch_ms).unwrap_or_default()
    }

    /// Moves on to the epoch of `now_ms` and destroys what nothing alive needs any more.
    ///
    /// A new secret mixes the old one with fresh randomness, so that it is secret if either is. Time
    /// that stands still or runs back changes nothing.
    pub(crate) fn rotate(&mut self, now_ms: u64, provider: &dyn CryptoProvider) {
        let epoch = self.epoch(now_ms);
        if let Some(initial) = self.initial.take() {
            self.previous = epoch
                .checked_sub(1)
                .map(|before| (before, derive(&initial.0, &[b"epoch before the first"])));
            self.current = Some((epoch, initial.0));
        }
        let Some((current, _)) = &self.current else {
            return;
        };
        let current = *current;
        if epoch > current {
            let next = |old: &[u8; 32], provider: &dyn CryptoProvider| {
                let mut fresh = Zeroizing::new([0; 32]);
                // Without randomness the step is still one-way, which is all that destruction needs.
                let _ = provider.fill_random(fresh.as_mut_slice());
                derive(old, &[b"next epoch", fresh.as_slice()])
            };
            let old = self.current.take();
            if let Some((_, secret)) = &old {
                let mut newer = next(secret, provider);
                if epoch > current.saturating_add(1) {
                    self.previous = Some((epoch.saturating_sub(1), newer.clone()));
                    newer = next(&newer, provider);
                } else {
                    self.previous = old.as_ref().map(|(at, old)| (*at, old.clone()));
                }
                self.current = Some((epoch, newer));
            }
        }
        let start = epoch.saturating_mul(self.epoch_ms);
        if epoch >= current && now_ms.saturating_sub(start) > self.overlap_ms {
            self.previous = None;
        }
    }

    /// A value for one purpose, from the secret of the epoch that `at_ms` lies in; `None` once that
    /// secret is destroyed.
    pub(crate) fn derive(&self, at_ms: u64, parts: &[&[u8]]) -> Option<Zeroizing<[u8; 32]>> {
        let epoch = self.epoch(at_ms);
        [&self.current, &self.previous]
            .into_iter()
            .flatten()
            .find(|(at, _)| *at == epoch)
            .map(|(_, secret)| derive(secret, parts))
    }
}

/// HMAC-SHA-256 over length-prefixed parts, so that no two lists of parts collide.
pub(crate) fn derive(secret: &[u8; 32], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // HMAC takes keys of every length; a failure cannot happen and would only give a fixed value.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
        for part in parts {
            mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            mac.update(part);
        }
        out.copy_from_slice(&mac.finalize().into_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::crypto::RustCrypto;

    use super::{EPOCH_MS, EpochSecrets, ServiceSecret};

    const SLOT: u64 = 30_000;

    fn secrets_at(now: u64) -> EpochSecrets {
        let mut secrets = EpochSecrets::new(ServiceSecret::new([7; 32]), SLOT);
        secrets.rotate(now, &RustCrypto);
        secrets
    }

    #[test]
    fn the_same_secret_gives_the_same_values_and_another_one_does_not() {
        let at = 5 * EPOCH_MS + 17;
        let first = secrets_at(at).derive(at, &[b"a"]).unwrap();
        assert_eq!(*first, *secrets_at(at).derive(at, &[b"a"]).unwrap());
        let mut other = EpochSecrets::new(ServiceSecret::new([8; 32]), SLOT);
        other.rotate(at, &RustCrypto);
        assert_ne!(*first, *other.derive(at, &[b"a"]).unwrap());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let secrets = secrets_at(0);
        assert_ne!(
            *secrets.derive(0, &[b"ab", b"c"]).unwrap(),
            *secrets.derive(0, &[b"a", b"bc"]).unwrap()
        );
    }

    #[test]
    fn the_old_secret_lives_through_the_overlap_and_is_then_destroyed() {
        let mut secrets = secrets_at(5 * EPOCH_MS + 100);
        let last_of_day = 6 * EPOCH_MS - 1;
        let before = secrets.derive(last_of_day, &[b"x"]).unwrap();
        secrets.rotate(6 * EPOCH_MS, &RustCrypto);
        assert_eq!(*secrets.derive(last_of_day, &[b"x"]).unwrap(), *before);
        assert_ne!(*secrets.derive(6 * EPOCH_MS, &[b"x"]).unwrap(), *before);
        secrets.rotate(6 * EPOCH_MS + 70 * SLOT, &RustCrypto);
        assert_eq!(secrets.derive(last_of_day, &[b"x"]), None);
    }

    #[test]
    fn each_rotation_draws_fresh_randomness() {
        let next_day = |mut secrets: EpochSecrets| {
            secrets.rotate(6 * EPOCH_MS, &RustCrypto);
            *secrets.derive(6 * EPOCH_MS, &[b"x"]).unwrap()
        };
        let at = 5 * EPOCH_MS;
        assert_ne!(next_day(secrets_at(at)), next_day(secrets_at(at)));
    }

    #[test]
    fn a_service_that_slept_for_days_has_secrets_for_now_and_the_day_before() {
        let mut secrets = secrets_at(5 * EPOCH_MS);
        let old = secrets.derive(5 * EPOCH_MS, &[b"x"]).unwrap();
        secrets.rotate(9 * EPOCH_MS + 5, &RustCrypto);
        assert_eq!(secrets.derive(5 * EPOCH_MS, &[b"x"]), None);
        assert_ne!(*secrets.derive(9 * EPOCH_MS, &[b"x"]).unwrap(), *old);
        assert!(secrets.derive(9 * EPOCH_MS - 1, &[b"x"]).is_some());
    }

    #[test]
    fn time_that_runs_back_draws_no_new_secret() {
        let mut secrets = secrets_at(5 * EPOCH_MS);
        let now = secrets.derive(5 * EPOCH_MS, &[b"x"]).unwrap();
        secrets.rotate(2 * EPOCH_MS, &RustCrypto);
        assert_eq!(*secrets.derive(5 * EPOCH_MS, &[b"x"]).unwrap(), *now);
    }
}
