//! When cover traffic goes out.

use std::sync::Arc;
use std::time::Duration;

use ringtrue_session::{CoverKind, CoverPolicy, CoverSchedule, CoverStep, Monotonic, Power};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::RustCrypto;

const HOUR: u64 = 3_600_000;

fn schedule(policy: CoverPolicy) -> CoverSchedule {
    CoverSchedule::new(policy, Arc::new(RustCrypto), Monotonic::from_ms(0)).unwrap()
}

/// What a host that wakes up exactly when it is told sees until `until_ms`.
fn follow(schedule: &mut CoverSchedule, until_ms: u64, power: Power) -> Vec<(u64, CoverStep)> {
    let mut now = 0;
    let mut seen = Vec::new();
    loop {
        match schedule.step(Monotonic::from_ms(now), power).unwrap() {
            CoverStep::Wait(until) if until.as_ms() > until_ms => return seen,
            CoverStep::Wait(until) => {
                assert!(until.as_ms() > now, "a schedule that spins");
                now = until.as_ms();
            }
            step => seen.push((now, step)),
        }
    }
}

fn count(seen: &[(u64, CoverStep)], step: CoverStep) -> usize {
    seen.iter().filter(|(_, other)| *other == step).count()
}

#[test]
fn stores_and_polls_come_at_their_mean_rates() {
    let mut schedule = schedule(CoverPolicy::default());
    let seen = follow(&mut schedule, 12_000 * HOUR, Power::Plenty);
    // Means of 2000 and 3000; five standard deviations.
    let stores = count(&seen, CoverStep::Send(CoverKind::Store));
    let polls = count(&seen, CoverStep::Send(CoverKind::Poll));
    assert!(stores.abs_diff(2000) < 224, "{stores}");
    assert!(polls.abs_diff(3000) < 274, "{polls}");
}

/// The largest distance between the distribution of the gaps and the exponential one stays below what
/// chance exceeds once in ten thousand times (Kolmogorov and Smirnov).
#[test]
fn the_gaps_are_exponential() {
    let mut policy = CoverPolicy::default();
    policy.polls = None;
    policy.stores_per_day = u32::MAX;
    let mean = 6.0 * 3_600_000.0;
    let mut schedule = schedule(policy);
    let seen = follow(&mut schedule, 12_000 * HOUR, Power::Plenty);
    let mut last = 0;
    let mut gaps = Vec::new();
    for (at, _) in &seen {
        gaps.push(f64::from(u32::try_from(at - last).unwrap()));
        last = *at;
    }
    gaps.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(gaps.len()).unwrap());
    let distance = gaps
        .iter()
        .zip(1_u32..)
        .map(|(gap, rank)| {
            let expected = 1.0 - (-gap / mean).exp();
            (f64::from(rank) / count - expected).abs()
        })
        .fold(0.0, f64::max);
    assert!(distance * count.sqrt() < 2.23, "{distance} of {count}");
}

#[test]
fn without_power_everything_is_skipped_and_the_times_go_on() {
    let mut schedule = schedule(CoverPolicy::default());
    let seen = follow(&mut schedule, 1000 * HOUR, Power::Scarce);
    assert_eq!(count(&seen, CoverStep::Send(CoverKind::Store)), 0);
    assert_eq!(count(&seen, CoverStep::Send(CoverKind::Poll)), 0);
    assert!(count(&seen, CoverStep::Skip(CoverKind::Store)) > 80);
    assert!(count(&seen, CoverStep::Skip(CoverKind::Poll)) > 130);
}

#[test]
fn who_does_not_mind_power_sends_on_a_battery() {
    let mut policy = CoverPolicy::default();
    policy.only_on_power = false;
    let seen = follow(&mut schedule(policy), 1000 * HOUR, Power::Scarce);
    assert!(count(&seen, CoverStep::Send(CoverKind::Store)) > 80);
    assert_eq!(count(&seen, CoverStep::Skip(CoverKind::Store)), 0);
}

#[test]
fn no_day_costs_more_tokens_than_the_budget() {
    let mut policy = CoverPolicy::default();
    policy.stores = Some(Duration::from_secs(600));
    policy.polls = None;
    policy.stores_per_day = 10;
    let seen = follow(&mut schedule(policy), 240 * HOUR, Power::Plenty);
    let sent: Vec<u64> = seen
        .iter()
        .filter(|(_, step)| *step == CoverStep::Send(CoverKind::Store))
        .map(|(at, _)| *at)
        .collect();
    assert!((90..=100).contains(&sent.len()), "{}", sent.len());
    assert!(count(&seen, CoverStep::Skip(CoverKind::Store)) > 1000);
    for window in sent.windows(21) {
        assert!(window[20] - window[0] >= 24 * HOUR);
    }
}

#[test]
fn an_enterprise_sends_a_cover_for_every_four_real_stores_within_some_minutes() {
    let mut policy = CoverPolicy::enterprise();
    policy.stores = None;
    policy.polls = None;
    let mut schedule = schedule(policy);
    for _ in 0..203 {
        schedule.note_real_store(Monotonic::from_ms(0)).unwrap();
    }
    let seen = follow(&mut schedule, 24 * HOUR, Power::Scarce);
    assert_eq!(count(&seen, CoverStep::Send(CoverKind::Store)), 50);
    let sum: u64 = seen.iter().map(|(at, _)| at).sum();
    let mean = sum / 50;
    assert!((100_000..600_000).contains(&mean), "{mean}");
    // Not at the moment of the real ones, and not all together.
    let at_once = seen.iter().filter(|(at, _)| *at < 1000).count();
    assert!(at_once < 5, "{at_once}");
}

#[test]
fn what_is_owed_is_bounded_and_a_handset_owes_nothing() {
    let mut policy = CoverPolicy::enterprise();
    policy.stores = None;
    policy.polls = None;
    let mut flooded = schedule(policy);
    for _ in 0..100_000 {
        flooded.note_real_store(Monotonic::from_ms(0)).unwrap();
    }
    let seen = follow(&mut flooded, 24 * HOUR, Power::Plenty);
    assert_eq!(seen.len(), 64);

    let mut policy = CoverPolicy::default();
    policy.stores = None;
    policy.polls = None;
    let mut handset = schedule(policy);
    for _ in 0..100 {
        handset.note_real_store(Monotonic::from_ms(0)).unwrap();
    }
    assert!(follow(&mut handset, 240 * HOUR, Power::Plenty).is_empty());
}

#[test]
fn a_host_that_slept_makes_up_for_nothing_when_it_wakes() {
    let mut schedule = schedule(CoverPolicy::default());
    let mut now = 0;
    let mut sent = 0;
    for _ in 0..500 {
        // Asleep for a day, awake for a moment.
        now += 24 * HOUR;
        let step = schedule
            .step(Monotonic::from_ms(now), Power::Plenty)
            .unwrap();
        sent += usize::from(!matches!(step, CoverStep::Wait(_)));
    }
    // One in 20,000 wakings falls into the minute after a due time; making up would be 500 times.
    assert!(sent <= 3, "{sent}");
}

#[test]
fn off_is_off() {
    let mut schedule = schedule(CoverPolicy::off());
    schedule.note_real_store(Monotonic::from_ms(5)).unwrap();
    assert_eq!(
        schedule.step(Monotonic::from_ms(u64::MAX), Power::Plenty),
        Ok(CoverStep::Wait(Monotonic::from_ms(u64::MAX)))
    );
}

#[test]
fn means_below_a_second_and_a_cover_for_no_real_store_are_refused() {
    let changes: [fn(&mut CoverPolicy); 3] = [
        |policy| policy.stores = Some(Duration::from_millis(999)),
        |policy| policy.polls = Some(Duration::ZERO),
        |policy| policy.real_per_cover = Some(0),
    ];
    for change in changes {
        let mut policy = CoverPolicy::default();
        change(&mut policy);
        let refused = CoverSchedule::new(policy, Arc::new(RustCrypto), Monotonic::from_ms(0));
        assert_eq!(refused.err(), Some(Reason::ConfigurationInvalid));
    }
}
