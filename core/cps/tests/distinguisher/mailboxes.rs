//! What is polled: a service at level D1 or D2, or the least that RFC 8816 asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use ringtrue_cps::{DummyLevel, PlacementLimits, PlacementStore, ServedKeys, ServiceSecret};
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::{Blob, Suite, dummy, filler_suites};
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use ringtrue_stir::{Reason, TelephoneNumber};

/// The platform's cryptography with randomness from a seed, so that each run gives the same figures.
pub(crate) struct Seeded(Mutex<ChaCha20Rng>);

impl Seeded {
    pub(crate) fn new(seed: u8) -> Self {
        Self(Mutex::new(ChaCha20Rng::from_seed([seed; 32])))
    }

    pub(crate) fn below(&self, limit: u64) -> u64 {
        self.0.lock().unwrap().next_u64() % limit
    }
}

impl CryptoProvider for Seeded {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        self.0.lock().unwrap().fill_bytes(out);
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}

/// How a service hides calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// One fresh dummy whenever there is nothing else: all that RFC 8816 section 6.2 asks for.
    D0,
    D1,
    D2,
}

impl Level {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::D0 => "D0",
            Self::D1 => "D1",
            Self::D2 => "D2",
        }
    }
}

/// How long every blob lives.
const LIFETIME: u64 = 30_000;

/// What one poll shows.
pub(crate) type Seen = HashMap<Suite, Vec<ItemId>>;

/// The mailboxes of a service.
pub(crate) struct Mailboxes {
    level: Level,
    keys: Vec<Suite>,
    blobs: HashMap<Suite, Blob>,
    random: Arc<Seeded>,
    store: PlacementStore,
    /// At level D0: what is stored, with its end.
    plain: HashMap<TelephoneNumber, Vec<(Suite, ItemId, u64)>>,
}

impl Mailboxes {
    pub(crate) fn new(level: Level, keys: &[Suite], seed: u8) -> Self {
        let random = Arc::new(Seeded::new(seed));
        let provider: Arc<dyn CryptoProvider> = Arc::clone(&random) as _;
        let limits = PlacementLimits {
            max_total_bytes: usize::MAX,
            dummies: match level {
                Level::D2 => DummyLevel::constant(),
                Level::D0 | Level::D1 => DummyLevel::D1,
            },
            ..PlacementLimits::default()
        };
        Self {
            level,
            keys: keys.to_vec(),
            blobs: Suite::SUPPORTED
                .iter()
                .copied()
                .map(|suite| (suite, dummy(&RustCrypto, suite).unwrap()))
                .collect(),
            random,
            store: PlacementStore::new(&limits, ServiceSecret::new([seed; 32]), provider),
            plain: HashMap::new(),
        }
    }

    pub(crate) fn random(&self) -> &Seeded {
        &self.random
    }

    /// The suites of the number's keys, each once.
    pub(crate) fn suites(&self) -> Vec<Suite> {
        let mut suites = self.keys.clone();
        suites.sort();
        suites.dedup();
        suites
    }

    /// The number publishes its keys.
    pub(crate) fn publish(&mut self, number: &TelephoneNumber, at: u64) {
        let known = [(0, ServedKeys::from_keys(self.keys.iter().copied()))];
        self.store.serve(number, &known, at);
    }

    /// The number is called: a copy for each key, and fillers.
    pub(crate) fn call(&mut self, number: &TelephoneNumber, at: u64) {
        let suites = [self.keys.clone(), filler_suites(&self.keys)].concat();
        if self.level == Level::D0 {
            let random = &self.random;
            let held = self.plain.entry(number.clone()).or_default();
            held.extend(
                suites
                    .iter()
                    .map(|suite| (*suite, fresh(random), at + LIFETIME)),
            );
            return;
        }
        let blobs = suites.iter().map(|suite| self.blobs[suite].clone());
        self.store.store(number, blobs.collect(), at).unwrap();
    }

    pub(crate) fn poll(&mut self, number: &TelephoneNumber, at: u64) -> Seen {
        let mut seen = Seen::new();
        if self.level == Level::D0 {
            let held = self.plain.entry(number.clone()).or_default();
            held.retain(|(_, _, end)| *end > at);
            for (suite, id, _) in held {
                seen.entry(*suite).or_default().push(*id);
            }
            for suite in self.suites() {
                let random = &self.random;
                seen.entry(suite).or_insert_with(|| vec![fresh(random)]);
            }
            return seen;
        }
        for live in self.store.view(number, at).unwrap().lives() {
            seen.entry(live.suite()).or_default().push(live.id());
        }
        seen
    }
}

fn fresh(random: &Seeded) -> ItemId {
    let mut octets = [0; 16];
    random.fill_random(&mut octets).unwrap();
    ItemId::from_octets(octets)
}
