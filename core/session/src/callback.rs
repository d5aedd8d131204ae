//! For services that call people back.
//!
//! Whoever can make a service call a number at a moment of their choosing can wait beside that number's
//! telephone with a call of their own, and borrow the service's announcement. So a number is only called
//! back after it proved that its holder asks (a verified call from it, a code sent to it), not often, and
//! not at a moment that whoever asked can know.
//!
//! Source: docs/protocol.md section 13.7 (measure M8 of the substitution race).

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::Monotonic;

/// The most numbers that are remembered: some hundred kilobytes. The one whose proof ends first makes room.
pub const MAX_PROVED: usize = 4096;

/// When numbers may be called back. Pure: time and randomness are parameters.
pub struct CallBacks {
    proof_life: Duration,
    least_delay: Duration,
    jitter: Duration,
    proved: BTreeMap<TelephoneNumber, Proof>,
}

struct Proof {
    until: Monotonic,
    used: bool,
}

impl fmt::Debug for CallBacks {
    /// Shows how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBacks")
            .field("proved", &self.proved.len())
            .finish_non_exhaustive()
    }
}

impl Default for CallBacks {
    /// A proof lasts ten minutes and is good for one call, which is made after 5 to 65 s: the whole life
    /// of an announcement passes in between.
    fn default() -> Self {
        Self::new(
            Duration::from_secs(600),
            Duration::from_secs(5),
            Duration::from_secs(60),
        )
    }
}

impl CallBacks {
    /// With how long a proof lasts, how soon a call is made at the least, and by how much that varies.
    #[must_use]
    pub const fn new(proof_life: Duration, least_delay: Duration, jitter: Duration) -> Self {
        Self {
            proof_life,
            least_delay,
            jitter,
            proved: BTreeMap::new(),
        }
    }

    /// The holder of `number` has shown at `now` that it has control of it: by a call from it with a good
    /// verdict, or by a code that was sent to it.
    pub fn prove(&mut self, number: TelephoneNumber, now: Monotonic) {
        self.proved.retain(|_, proof| proof.until > now);
        if self.proved.len() >= MAX_PROVED && !self.proved.contains_key(&number) {
            let first = self.proved.iter().min_by_key(|(_, proof)| proof.until);
            if let Some(first) = first.map(|(number, _)| number.clone()) {
                self.proved.remove(&first);
            }
        }
        let until = now.plus(self.proof_life);
        self.proved.insert(number, Proof { until, used: false });
    }

    /// When to call `number` back. Uses the proof up.
    ///
    /// # Errors
    ///
    /// [`Reason::CallbackNotProved`] without a proof that lasts and was not used;
    /// [`Reason::RandomnessUnavailable`], which uses nothing up.
    pub fn schedule(
        &mut self,
        number: &TelephoneNumber,
        now: Monotonic,
        provider: &dyn CryptoProvider,
    ) -> Result<Monotonic, Reason> {
        let proof = self
            .proved
            .get_mut(number)
            .filter(|proof| proof.until > now && !proof.used)
            .ok_or(Reason::CallbackNotProved)?;
        let mut octets = [0; 4];
        provider.fill_random(&mut octets)?;
        proof.used = true;
        let part = f64::from(u32::from_be_bytes(octets)) / f64::from(u32::MAX);
        Ok(now.plus(self.least_delay).plus(self.jitter.mul_f64(part)))
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::collections::BTreeSet;

    use ringtrue_stir::crypto::RustCrypto;
    use ringtrue_stir::{Reason, TelephoneNumber};

    use super::{CallBacks, MAX_PROVED};
    use crate::Monotonic;

    fn number(index: usize) -> TelephoneNumber {
        TelephoneNumber::from_canonical(&format!("1202555{index:04}")).unwrap()
    }

    fn at(secs: u64) -> Monotonic {
        Monotonic::from_ms(secs.saturating_mul(1000))
    }

    #[test]
    fn only_a_number_that_proved_control_is_called_back_once_and_in_time() {
        let mut calls = CallBacks::default();
        let not_proved = Err(Reason::CallbackNotProved);
        assert_eq!(calls.schedule(&number(1), at(0), &RustCrypto), not_proved);
        calls.prove(number(1), at(0));
        assert_eq!(calls.schedule(&number(2), at(1), &RustCrypto), not_proved);
        assert_eq!(calls.schedule(&number(1), at(600), &RustCrypto), not_proved);
        assert!(calls.schedule(&number(1), at(599), &RustCrypto).is_ok());
        assert_eq!(calls.schedule(&number(1), at(599), &RustCrypto), not_proved);
        calls.prove(number(1), at(700));
        assert!(calls.schedule(&number(1), at(701), &RustCrypto).is_ok());
    }

    #[test]
    fn whoever_asks_cannot_know_when_the_call_comes() {
        let mut calls = CallBacks::default();
        let mut times = BTreeSet::new();
        for _ in 0..200 {
            calls.prove(number(1), at(0));
            let time = calls.schedule(&number(1), at(0), &RustCrypto).unwrap();
            assert!((at(5)..=at(65)).contains(&time));
            times.insert(time);
        }
        assert!(times.len() > 100);
        let quarter = |from: u64| at(from)..at(from + 15);
        for from in [5, 20, 35, 50] {
            let inside = times.iter().filter(|time| quarter(from).contains(time));
            assert!(inside.count() > 10, "{from}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgets_the_oldest() {
        let mut calls = CallBacks::new(Duration::from_secs(600), Duration::ZERO, Duration::ZERO);
        for index in 0..=MAX_PROVED {
            calls.prove(number(index), Monotonic::from_ms(index as u64));
        }
        assert_eq!(calls.proved.len(), MAX_PROVED);
        let first = calls.schedule(&number(0), at(10), &RustCrypto);
        assert_eq!(first, Err(Reason::CallbackNotProved));
        assert!(calls.schedule(&number(1), at(10), &RustCrypto).is_ok());
        calls.prove(number(9999), at(700));
        assert_eq!(calls.proved.len(), 1);
    }
}
