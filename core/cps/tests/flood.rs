//! A flood at one number, in simulated time: what the price in tokens leaves of it (threat T15,
//! docs/adr/0010-price-in-storage-tokens.md). Exact, and without a network; the same over the network is
//! `tests/scenarios/flood.rs`.
//!
//! `cargo test -p ringtrue-cps --test flood -- --nocapture` prints the figures.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use std::sync::Arc;

use ringtrue_cps::{
    FREE_UNITS, MAX_STORED_PER_NUMBER, PlacementLimits, PlacementStore, ServiceSecret, price,
};
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::token::redemption::MAX_TOKENS;
use ringtrue_oob::{Blob, SizeClass, Suite, dummy};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::RustCrypto;

/// What ten credentials get in a day.
const HOSTILE_TOKENS: u32 = 10 * 200;

/// The lifetime of a blob, within which all of them are spent.
const FLOOD_MS: u64 = 30_000;

/// Tokens that a genuine caller has at hand: the least that a wallet refilled at half of 80 holds.
const WALLET: u32 = 40;

/// When a phone rings after its caller stored, at the earliest and at the latest, and when it looks.
const RINGS_AFTER_MS: [u64; 4] = [500, 1500, 3000, 8000];
const POLLS_MS: [u64; 3] = [0, 1000, 2500];

struct Number {
    store: PlacementStore,
    number: TelephoneNumber,
    /// One blob of each suite, used over and over: the store does not look into them.
    blobs: [Blob; 2],
    hostile: Blob,
    tokens_left: u32,
    peak: usize,
}

/// A genuine call that waits to be looked for.
struct Call {
    polls: Vec<u64>,
    ids: Vec<ItemId>,
}

#[derive(Default)]
struct Figures {
    calls: usize,
    verified: usize,
    dearest: u32,
}

impl Number {
    fn new(hostile: SizeClass) -> Self {
        let secret = ServiceSecret::new([7; 32]);
        let store = PlacementStore::new(&PlacementLimits::default(), secret, Arc::new(RustCrypto));
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        Self {
            store,
            number,
            blobs: [
                blob(Suite::S1, SizeClass::One),
                blob(Suite::S2, SizeClass::One),
            ],
            hostile: blob(Suite::S2, hostile),
            tokens_left: HOSTILE_TOKENS,
            peak: 0,
        }
    }

    fn load(&self, now_ms: u64) -> usize {
        self.store.load(&self.number, now_ms)
    }

    /// Stores hostile blobs one by one, eight at once while that is the price of one, as long as the
    /// load is below `up_to` and tokens last; at most `at_most` stores.
    fn flood(&mut self, now_ms: u64, up_to: usize, at_most: usize) {
        let units = self.hostile.as_octets().len() / 4096;
        for _ in 0..at_most {
            let load = self.load(now_ms);
            let count = (1..=8)
                .rev()
                .find(|count| price(load, count * units) == 1)
                .unwrap_or(1);
            let price = price(load, count * units);
            if load >= up_to || price > self.tokens_left {
                return;
            }
            self.tokens_left -= price;
            let blobs = vec![self.hostile.clone(); count];
            self.store.store(&self.number, blobs, now_ms).unwrap();
            self.peak = self.peak.max(self.load(now_ms));
        }
    }

    /// A genuine caller stores two copies if its wallet covers the price.
    fn call(&mut self, now_ms: u64, index: usize, figures: &mut Figures) -> Call {
        let price = price(self.load(now_ms), self.blobs.len());
        figures.calls += 1;
        figures.dearest = figures.dearest.max(price);
        let payable = WALLET.min(u32::try_from(MAX_TOKENS).unwrap());
        let ids = if price <= payable {
            self.store
                .store(&self.number, self.blobs.to_vec(), now_ms)
                .unwrap()
        } else {
            Vec::new()
        };
        self.peak = self.peak.max(self.load(now_ms));
        let rings = now_ms + RINGS_AFTER_MS[index % RINGS_AFTER_MS.len()];
        Call {
            polls: POLLS_MS.iter().map(|after| rings + after).collect(),
            ids,
        }
    }

    /// Whether an answer now holds one of the call's blobs.
    fn finds(&mut self, call: &Call, now_ms: u64) -> bool {
        let view = self.store.view(&self.number, now_ms).unwrap();
        view.ids().any(|id| call.ids.contains(&id))
    }
}

/// A blob of the suite and size class by form, which is all that a service looks at (W-19).
fn blob(suite: Suite, class: SizeClass) -> Blob {
    let mut octets = dummy(&RustCrypto, suite).unwrap().into_octets();
    octets.resize(class.blob_len(), 0);
    octets[7] = match class {
        SizeClass::One => 1,
        SizeClass::Two => 2,
        SizeClass::Three => 3,
    };
    Blob::from_octets(octets).unwrap()
}

/// How the attacker spends its tokens.
#[derive(Clone, Copy, Debug)]
enum Strategy {
    /// All at once at the start.
    Burst,
    /// Evenly over the time.
    Evenly,
    /// Right after each genuine store, as much as it has: it knows when.
    AfterEachCall,
    /// Up to the limit of the mailbox at once, and then each place as it becomes free.
    HoldFull,
    /// Just so many that the price is at its highest.
    HoldDear,
}

/// One flood with a genuine call every `every_ms`, from before it to its end.
fn run(strategy: Strategy, hostile: SizeClass, every_ms: u64) -> (Number, Figures) {
    let mut number = Number::new(hostile);
    let (mut figures, mut waiting) = (Figures::default(), Vec::new());
    let (start, step) = (100_000_u64, 50_u64);
    let flood = start + 5000;
    let mut index = 0;
    for now in (start..flood + FLOOD_MS + 15_000).step_by(usize::try_from(step).unwrap()) {
        let flooding = (flood..flood + FLOOD_MS).contains(&now);
        let mut called = false;
        if now < flood + FLOOD_MS && (now - start).is_multiple_of(every_ms) {
            waiting.push(number.call(now, index, &mut figures));
            index += 1;
            called = true;
        }
        match strategy {
            _ if !flooding => {}
            Strategy::Burst => number.flood(now, usize::MAX, usize::MAX),
            Strategy::Evenly => {
                let passed = u32::try_from(now - flood + step).unwrap();
                let due = HOSTILE_TOKENS * passed / u32::try_from(FLOOD_MS).unwrap();
                while HOSTILE_TOKENS - number.tokens_left < due {
                    let before = number.tokens_left;
                    number.flood(now, usize::MAX, 1);
                    if number.tokens_left == before {
                        break;
                    }
                }
            }
            Strategy::AfterEachCall if called => number.flood(now, usize::MAX, 40),
            Strategy::AfterEachCall => {}
            Strategy::HoldFull => number.flood(now, MAX_STORED_PER_NUMBER, usize::MAX),
            Strategy::HoldDear => number.flood(now, FREE_UNITS + 32, usize::MAX),
        }
        waiting.retain_mut(|call: &mut Call| {
            let due = call.polls.iter().filter(|at| **at <= now).count();
            if due == 0 {
                return true;
            }
            call.polls.drain(..due);
            let found = number.finds(call, now);
            figures.verified += usize::from(found);
            !found && !call.polls.is_empty()
        });
    }
    (number, figures)
}

fn all_strategies(hostile: SizeClass, every_ms: u64) -> (usize, usize) {
    let (mut calls, mut verified) = (0, 0);
    for strategy in [
        Strategy::Burst,
        Strategy::Evenly,
        Strategy::AfterEachCall,
        Strategy::HoldFull,
        Strategy::HoldDear,
    ] {
        let (number, figures) = run(strategy, hostile, every_ms);
        let counts = number.store.counts();
        println!(
            "{strategy:?} of class {hostile:?} every {every_ms} ms: {} of {} calls verified, dearest store {}, \
             {} of {HOSTILE_TOKENS} hostile tokens spent, most units {}, {} evicted",
            figures.verified,
            figures.calls,
            figures.dearest,
            HOSTILE_TOKENS - number.tokens_left,
            number.peak,
            counts.evicted,
        );
        assert!(figures.verified * 100 >= figures.calls * 95, "{strategy:?}");
        assert!(figures.dearest <= u32::try_from(MAX_TOKENS).unwrap());
        calls += figures.calls;
        verified += figures.verified;
    }
    (calls, verified)
}

#[test]
fn ten_hostile_quotas_leave_calls_every_three_seconds_untouched() {
    let (calls, verified) = all_strategies(SizeClass::One, 3000);
    assert!(calls >= 55, "{calls}");
    assert_eq!(verified, calls);
}

#[test]
fn ten_hostile_quotas_leave_ninety_five_in_a_hundred_calls_every_second() {
    let (calls, verified) = all_strategies(SizeClass::One, 1000);
    assert!(calls >= 175, "{calls}");
    assert!(verified * 100 >= calls * 95);
}

#[test]
fn large_blobs_do_no_more_than_small_ones() {
    let (calls, verified) = all_strategies(SizeClass::Two, 3000);
    assert_eq!(verified, calls);
}

#[test]
fn an_ordinary_numbers_calls_cost_one_token_each() {
    let mut number = Number::new(SizeClass::One);
    let mut figures = Figures::default();
    // A call every two seconds, two copies each, for five minutes.
    for index in 0..150 {
        let now = 100_000 + 2000 * u64::try_from(index).unwrap();
        number.call(now, index, &mut figures);
    }
    assert_eq!(figures.dearest, 1);
    assert!(number.peak <= FREE_UNITS);
}

#[test]
fn without_a_price_the_same_flood_would_drown_the_calls() {
    // The control: one token a store, eight blobs each, as W-22 alone would have it.
    let mut number = Number::new(SizeClass::One);
    let mut figures = Figures::default();
    let mut verified = 0;
    for second in 0..30 {
        let now = 100_000 + 1000 * second;
        let call = number.call(now, 0, &mut figures);
        for _ in 0..HOSTILE_TOKENS / 30 {
            let blobs = vec![number.hostile.clone(); 8];
            number.store.store(&number.number, blobs, now).unwrap();
        }
        verified += usize::from(number.finds(&call, now + 500));
    }
    println!("without a price: {verified} of 30 calls verified");
    assert!(verified < 15, "{verified}");
}
