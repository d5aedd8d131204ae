//! How well two kinds of observation can be told apart: likelihood ratios, learned and then judged.
//!
//! The distinguishers learn the two distributions from one half of the trials and are judged on the
//! other half; the best one, at its best threshold, counts.

use std::collections::HashMap;

/// What was observed: groups of three counts. What they count is up to the observer.
pub(crate) type Features = Vec<(usize, usize, usize)>;

/// A part of what was observed that one table of frequencies is learned for.
type Part = fn(&Features) -> Vec<Features>;

/// Distinguishers: each learns one table per part and multiplies the ratios. The more a table
/// distinguishes, the fewer trials teach each of its cells, so that none of them is best everywhere.
const DISTINGUISHERS: [Part; 4] = [
    |seen| vec![seen.clone()],
    |seen| seen.iter().map(|group| vec![*group]).collect(),
    |seen| vec![seen.iter().map(|(first, ..)| (*first, 0, 0)).collect()],
    |seen| {
        let sum = |of: fn(&(usize, usize, usize)) -> usize| seen.iter().map(of).sum();
        vec![vec![(sum(|s| s.0), sum(|s| s.1), sum(|s| s.2))]]
    },
];

/// The largest difference between the rate of hits and the rate of false alarms, by the best
/// distinguisher.
pub(crate) fn advantage(without: &[Features], with: &[Features]) -> f64 {
    assert_eq!(without.len(), with.len());
    DISTINGUISHERS
        .iter()
        .map(|part| advantage_by(*part, without, with))
        .fold(0.0, f64::max)
}

/// What the best of all distinguishers reaches by chance alone with so many trials of each kind, less
/// than once in a million times.
///
/// The judged halves are samples of `n` each. If both have the same distribution, the largest distance
/// of two such samples exceeds `t` with a probability of at most `2 exp(-n t²)` (Smirnov; the bound
/// holds for every score that was fixed before the judging).
pub(crate) fn chance(trials: usize) -> f64 {
    let n = f64::from(u32::try_from(trials / 2).unwrap());
    let distinguishers = f64::from(u32::try_from(DISTINGUISHERS.len()).unwrap());
    ((2.0 * distinguishers * 1e6).ln() / n).sqrt()
}

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

fn advantage_by(part: Part, without: &[Features], with: &[Features]) -> f64 {
    let half = without.len() / 2;
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
    let trials = f64::from(u32::try_from(without.len() - half).unwrap());
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
