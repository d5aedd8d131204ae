//! How well a stranger who polls a number can tell whether a call was stored for it (W-6, T13), in
//! simulated time on the store itself.
//!
//! The distinguishers are likelihood ratios over what polls show: per suite how many blobs there are, how
//! many went and how many came until the second poll. They learn the two distributions from one half of
//! the trials and are judged on the other half; the best one counts.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use std::collections::HashMap;
use std::sync::Arc;

use ringtrue_cps::{PlacementLimits, PlacementStore, ServedKeys, ServiceSecret};
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::{Blob, Suite, dummy};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};

/// The bound of W-6 and of the project's goals.
const BOUND: f64 = 0.25;

const TRIALS: usize = 8_000;

/// What a pair of polls shows of one suite: seen first, gone since, new since.
type Features = Vec<(usize, usize, usize)>;

struct Simulation {
    store: PlacementStore,
    keys: Vec<Suite>,
    blobs: HashMap<Suite, Blob>,
    now: u64,
    numbers: u64,
}

#[derive(Clone, Copy)]
enum Call {
    None,
    /// Stored at a uniformly random time in the 25 s before the first poll.
    Before,
    /// Stored between the two polls.
    Between,
}

impl Simulation {
    fn new(keys: &[Suite]) -> Self {
        let store = PlacementStore::new(
            &PlacementLimits {
                max_total_bytes: usize::MAX,
                ..PlacementLimits::default()
            },
            ServiceSecret::random(&RustCrypto).unwrap(),
            Arc::new(RustCrypto),
        );
        Self {
            store,
            keys: keys.to_vec(),
            blobs: [Suite::S1, Suite::S2]
                .into_iter()
                .map(|suite| (suite, dummy(&RustCrypto, suite).unwrap()))
                .collect(),
            now: 1_700_000_000_000,
            numbers: 0,
        }
    }

    fn random(&self, below: u64) -> u64 {
        let mut octets = [0; 8];
        RustCrypto.fill_random(&mut octets).unwrap();
        u64::from_be_bytes(octets) % below
    }

    fn poll(&mut self, number: &TelephoneNumber, at: u64) -> HashMap<Suite, Vec<ItemId>> {
        let mut seen: HashMap<Suite, Vec<ItemId>> = HashMap::new();
        for live in self.store.view(number, at).unwrap().lives() {
            seen.entry(live.suite()).or_default().push(live.id());
        }
        seen
    }

    fn call(&mut self, number: &TelephoneNumber, at: u64) {
        let blobs = self.keys.iter().map(|suite| self.blobs[suite].clone());
        self.store.store(number, blobs.collect(), at).unwrap();
    }

    /// One trial on a number of its own.
    fn trial(&mut self, call: Call, second_after: Option<u64>) -> Features {
        self.numbers += 1;
        let number = TelephoneNumber::from_canonical(&format!("1{:010}", self.numbers)).unwrap();
        let known = [(0, ServedKeys::from_keys(self.keys.iter().copied()))];
        self.store.serve(&number, &known, self.now);
        // Long enough that nothing reminds of the moment at which the keys were published.
        self.now += 400_000 + self.random(1000);
        let first_at = self.now;
        if matches!(call, Call::Before) {
            let ago = self.random(25_000);
            self.call(&number, first_at - ago);
        }
        let first = self.poll(&number, first_at);
        let second = second_after.map(|after| {
            if matches!(call, Call::Between) {
                let later = self.random(after);
                self.call(&number, first_at + later);
            }
            self.poll(&number, first_at + after)
        });
        let mut suites = self.keys.clone();
        suites.sort();
        suites.dedup();
        suites
            .iter()
            .map(|suite| {
                let before = &first[suite];
                let Some(second) = &second else {
                    return (before.len(), 0, 0);
                };
                let after = &second[suite];
                let gone = before.iter().filter(|id| !after.contains(id)).count();
                let new = after.iter().filter(|id| !before.contains(id)).count();
                (before.len(), gone, new)
            })
            .collect()
    }

    fn trials(&mut self, call: Call, second_after: Option<u64>) -> Vec<Features> {
        (0..TRIALS)
            .map(|_| self.trial(call, second_after))
            .collect()
    }
}

/// A part of what was seen that one table of frequencies is learned for.
type Part = fn(&Features) -> Vec<Features>;

/// Distinguishers: each learns one table per part and multiplies the ratios. The more a table
/// distinguishes, the fewer trials teach each of its cells, so that none of them is best everywhere.
const DISTINGUISHERS: [(&str, Part); 4] = [
    ("everything", |seen| vec![seen.clone()]),
    ("each suite", |seen| {
        seen.iter().map(|suite| vec![*suite]).collect()
    }),
    ("first poll", |seen| {
        vec![seen.iter().map(|(count, ..)| (*count, 0, 0)).collect()]
    }),
    ("sums", |seen| {
        let sum = |of: fn(&(usize, usize, usize)) -> usize| seen.iter().map(of).sum();
        vec![vec![(sum(|s| s.0), sum(|s| s.1), sum(|s| s.2))]]
    }),
];

/// How often each value of each part was seen.
fn learn(trials: &[Features], part: Part) -> Vec<HashMap<Features, f64>> {
    let mut tables: Vec<HashMap<Features, f64>> = Vec::new();
    for features in trials {
        for (index, value) in part(features).into_iter().enumerate() {
            if index == tables.len() {
                tables.push(HashMap::new());
            }
            *tables[index].entry(value).or_insert(0.0) += 1.0;
        }
    }
    tables
}

/// The largest difference between the rate of hits and the rate of false alarms, by the best
/// distinguisher.
fn advantage(without: &[Features], with: &[Features]) -> f64 {
    DISTINGUISHERS
        .iter()
        .map(|(_, part)| advantage_by(*part, without, with))
        .fold(0.0, f64::max)
}

fn advantage_by(part: Part, without: &[Features], with: &[Features]) -> f64 {
    let half = TRIALS / 2;
    let (h0, h1) = (learn(&without[..half], part), learn(&with[..half], part));
    // What was never seen in training says nothing: both get half a count.
    let ratio = |features: &Features| -> f64 {
        let count = |tables: &[HashMap<Features, f64>], index: usize, value: &Features| {
            let table = tables.get(index);
            0.5 + table.and_then(|table| table.get(value)).unwrap_or(&0.0)
        };
        part(features)
            .iter()
            .enumerate()
            .map(|(index, value)| count(&h1, index, value) / count(&h0, index, value))
            .product()
    };
    let mut judged: Vec<(f64, f64)> = with[half..]
        .iter()
        .map(|features| (ratio(features), 1.0))
        .chain(without[half..].iter().map(|f| (ratio(f), -1.0)))
        .collect();
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let trials = f64::from(u32::try_from(half).unwrap());
    let mut best: f64 = 0.0;
    let mut sum = 0.0;
    for (position, (score, sign)) in judged.iter().enumerate() {
        sum += sign / trials;
        // Only between different scores can a threshold lie.
        if judged.get(position + 1).is_none_or(|next| next.0 < *score) {
            best = best.max(sum);
        }
    }
    best
}

fn measure(name: &str, keys: &[Suite]) {
    let mut simulation = Simulation::new(keys);
    let once = advantage(
        &simulation.trials(Call::None, None),
        &simulation.trials(Call::Before, None),
    );
    let quiet = simulation.trials(Call::None, Some(1000));
    let twice = advantage(&quiet, &simulation.trials(Call::Before, Some(1000)));
    let between = advantage(&quiet, &simulation.trials(Call::Between, Some(1000)));
    println!(
        "{name}: advantage polling once {once:.3}, twice {twice:.3} (bound {BOUND}); \
         store between the polls {between:.3} (not bounded)"
    );
    assert!(once <= BOUND, "{name}, once: {once}");
    assert!(twice <= BOUND, "{name}, twice: {twice}");
}

#[test]
fn a_stranger_hardly_sees_a_call_to_one_s1_key() {
    measure("S1", &[Suite::S1]);
}

#[test]
fn a_stranger_hardly_sees_a_call_to_an_s1_and_an_s2_key() {
    measure("S1+S2", &[Suite::S1, Suite::S2]);
}

#[test]
fn a_stranger_hardly_sees_a_call_to_two_s1_keys() {
    measure("2×S1", &[Suite::S1, Suite::S1]);
}

#[test]
fn a_stranger_hardly_sees_a_call_to_eight_keys() {
    measure(
        "5×S1+3×S2",
        &[[Suite::S1; 5].as_slice(), &[Suite::S2; 3]].concat(),
    );
}
