use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::http::placement::{MAX_ANSWER_BLOBS, MAX_ANSWER_LEN};
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::{Blob, SizeClass, Suite, dummy};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, TelephoneNumber};

use super::{PlacementLimits, PlacementStore};
use crate::level::DummyLevel;
use crate::secret::ServiceSecret;
use crate::served::ServedKeys;

const LIFETIME: u64 = 30_000;
const START: u64 = 1_700_006_400_000;

fn store_with(limits: PlacementLimits) -> PlacementStore {
    PlacementStore::new(&limits, ServiceSecret::new([3; 32]), Arc::new(RustCrypto))
}

fn store() -> PlacementStore {
    store_with(PlacementLimits::default())
}

fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

fn blob(suite: Suite) -> Blob {
    dummy(&RustCrypto, suite).unwrap()
}

/// A blob of the large class: its form is all that a service looks at.
fn large_blob(suite: Suite) -> Blob {
    let mut octets = blob(suite).into_octets();
    octets[7] = SizeClass::Two.id();
    octets.resize(SizeClass::Two.blob_len(), 7);
    Blob::from_octets(octets).unwrap()
}

fn ids(store: &mut PlacementStore, number: &TelephoneNumber, now: u64) -> HashSet<ItemId> {
    store.view(number, now).unwrap().ids().collect()
}

#[test]
fn a_stored_blob_is_there_at_once_and_gone_exactly_one_lifetime_later() {
    let mut store = store();
    let n = number("12025550143");
    let blobs = vec![blob(Suite::S1), blob(Suite::S2)];
    let stored = store.store(&n, blobs.clone(), START).unwrap();
    assert_eq!(stored.len(), 2);
    for now in [START, START + LIFETIME - 1] {
        let items: HashMap<_, _> = store.retrieve(&n, now).unwrap().into_iter().collect();
        for (id, blob) in stored.iter().zip(&blobs) {
            assert!(items[id] == *blob);
            let live = store.item(&n, id, now).unwrap();
            assert!(live.blob(&RustCrypto).unwrap() == *blob);
        }
        assert!(
            store
                .item(&number("12025550144"), &stored[0], now)
                .is_none()
        );
    }
    assert!(ids(&mut store, &n, START + LIFETIME).is_disjoint(&stored.iter().copied().collect()));
    assert!(store.item(&n, &stored[0], START + LIFETIME).is_none());
}

#[test]
fn dummies_are_items_like_any_other_and_the_same_at_each_look() {
    let mut store = store();
    let n = number("12025550143");
    let first: HashMap<_, _> = store.retrieve(&n, START).unwrap().into_iter().collect();
    assert!(first.len() >= 4);
    for suite in [Suite::S1, Suite::S2] {
        assert!(first.values().filter(|blob| blob.suite() == suite).count() >= 2);
    }
    let second: HashMap<_, _> = store.retrieve(&n, START + 1).unwrap().into_iter().collect();
    let mut ended = 0;
    for (id, blob) in &first {
        assert_eq!(blob.class(), SizeClass::One);
        let live = store.item(&n, id, START + 1);
        assert_eq!(live.is_some(), second.contains_key(id));
        if let Some(live) = live {
            assert!(live.blob(&RustCrypto).unwrap() == *blob && second[id] == *blob);
        } else {
            ended += 1;
        }
    }
    assert!(ended <= 1);
    // All of them, and no other, are gone after a lifetime.
    assert!(
        first
            .keys()
            .all(|id| store.item(&n, id, START + 1 + LIFETIME).is_none())
    );
    let shares: HashSet<_> = first.values().map(Blob::enc).collect();
    assert_eq!(shares.len(), first.len());
}

#[test]
fn two_services_with_one_secret_agree_and_with_another_do_not() {
    let n = number("12025550143");
    let mut other = PlacementStore::new(
        &PlacementLimits::default(),
        ServiceSecret::new([4; 32]),
        Arc::new(RustCrypto),
    );
    let mine = ids(&mut store(), &n, START);
    assert_eq!(mine, ids(&mut store(), &n, START));
    assert!(mine.is_disjoint(&ids(&mut other, &n, START)));
}

#[test]
fn a_suite_that_is_not_served_is_refused_and_nothing_of_the_request_stays() {
    let mut store = store();
    let n = number("12025550143");
    store.serve(&n, &[(START, ServedKeys::from_keys([Suite::S1]))], START);
    let now = START + 10;
    let mixed = vec![blob(Suite::S1), blob(Suite::S2)];
    assert_eq!(store.store(&n, mixed, now), Err(Reason::MalformedBlob));
    assert_eq!(store.counts().live, 0);
    assert!(store.store(&n, vec![blob(Suite::S1)], now).is_ok());
    // Without statements both are served again, from the moment on at which the last one ends.
    let end = now + 5;
    let steps = [
        (now, ServedKeys::from_keys([Suite::S1])),
        (end, ServedKeys::default()),
    ];
    store.serve(&n, &steps, now);
    assert!(store.store(&n, vec![blob(Suite::S2)], end - 1).is_err());
    assert!(store.store(&n, vec![blob(Suite::S2)], end).is_ok());
}

#[test]
fn beyond_two_hundred_blobs_a_random_one_goes_and_the_store_succeeds() {
    let mut store = store();
    let n = number("12025550143");
    let blob = blob(Suite::S1);
    let mut stored = Vec::new();
    for _ in 0..30 {
        let eight = vec![blob.clone(); 8];
        stored.extend(store.store(&n, eight, START).unwrap());
    }
    assert_eq!(store.counts().live, 200);
    assert_eq!(store.counts().evicted, 40);
    let left: Vec<bool> = stored
        .iter()
        .map(|id| store.item(&n, id, START).is_some())
        .collect();
    assert_eq!(left.iter().filter(|left| **left).count(), 200);
    // Neither the oldest nor the newest are the ones that went.
    let gone_of_first_half = left[..120].iter().filter(|left| !**left).count();
    assert!(
        (5..40).contains(&gone_of_first_half),
        "{gone_of_first_half}"
    );
    // Another number is not affected.
    assert!(store.store(&number("1"), vec![blob], START).is_ok());
}

#[test]
fn at_the_memory_bound_stores_are_refused_until_blobs_age_out() {
    let mut store = store_with(PlacementLimits {
        max_total_bytes: 100_000,
        ..PlacementLimits::default()
    });
    let blob = blob(Suite::S2);
    let accepted = (0..100)
        .take_while(|i| {
            store
                .store(&number(&format!("1{i}")), vec![blob.clone()], START)
                .is_ok()
        })
        .count();
    assert!((5..20).contains(&accepted), "{accepted}");
    let n = number("999");
    assert_eq!(
        store.store(&n, vec![blob.clone()], START),
        Err(Reason::OverLimit)
    );
    assert!(!ids(&mut store, &n, START).is_empty());
    let later = START + 20 * LIFETIME;
    while store.sweep(later, 8) {}
    let counts = store.counts();
    assert_eq!((counts.live, counts.bytes, counts.numbers), (0, 0, 0));
    assert!(store.store(&n, vec![blob], later).is_ok());
}

#[test]
fn memory_of_a_blob_is_freed_by_the_sweep_after_its_end() {
    let mut store = store();
    let n = number("12025550143");
    store.store(&n, vec![blob(Suite::S1)], START).unwrap();
    store.store(&n, vec![blob(Suite::S1)], START + 10).unwrap();
    store.sweep(START + LIFETIME - 1, 8);
    assert_eq!(store.counts().live, 2);
    store.sweep(START + LIFETIME, 8);
    assert_eq!(store.counts().live, 1);
    store.sweep(START + LIFETIME + 10, 8);
    assert_eq!(store.counts().live, 0);
}

#[test]
fn an_answer_keeps_both_limits_and_one_blob_of_each_suite() {
    let mut store = store();
    let n = number("12025550143");
    let large = large_blob(Suite::S1);
    for _ in 0..25 {
        store.store(&n, vec![large.clone(); 8], START).unwrap();
    }
    for _ in 0..20 {
        let view = store.view(&n, START).unwrap();
        let items = view.items(&RustCrypto).unwrap();
        let len: usize = items.iter().map(|(_, blob)| blob.to_text().len() + 1).sum();
        assert!(
            len <= MAX_ANSWER_LEN && items.len() <= MAX_ANSWER_BLOBS,
            "{len}"
        );
        assert!(len > MAX_ANSWER_LEN - 2 * 21_847);
        assert!(items.iter().any(|(_, blob)| blob.suite() == Suite::S2));
    }
}

#[test]
fn the_place_in_an_answer_says_nothing() {
    let mut store = store();
    let n = number("12025550143");
    let id = store.store(&n, vec![blob(Suite::S1)], START).unwrap()[0];
    let mut places = Vec::new();
    let count = ids(&mut store, &n, START).len();
    for _ in 0..4000 {
        let view = store.view(&n, START).unwrap();
        places.push(view.ids().position(|other| other == id).unwrap());
    }
    let expected = 4000 / count;
    for place in 0..count {
        let times = places.iter().filter(|p| **p == place).count();
        assert!(
            times.abs_diff(expected) < expected / 3,
            "{place}: {times} of {expected}"
        );
    }
}

#[test]
fn time_that_runs_back_brings_nothing_back() {
    let mut store = store();
    let n = number("12025550143");
    let id = store.store(&n, vec![blob(Suite::S1)], START).unwrap()[0];
    assert!(store.item(&n, &id, START + LIFETIME).is_none());
    assert!(store.item(&n, &id, START).is_none());
}

#[test]
fn lifetimes_are_cut_to_a_minute() {
    let lifetime = |secs| {
        store_with(PlacementLimits {
            lifetime: Duration::from_secs(secs),
            ..PlacementLimits::default()
        })
        .lifetime()
        .as_secs()
    };
    assert_eq!((lifetime(0), lifetime(45), lifetime(3600)), (1, 45, 60));
}

/// What someone sees who never looks away, through stores, statements that come and end, and the
/// rotation of the secret: each item is there for one lifetime without a gap, once, and each served
/// suite shows at least two.
#[test]
fn seen_from_outside_every_item_lives_exactly_once_and_exactly_as_long() {
    const STEP: u64 = 250;
    let mut store = store();
    let n = number("12025550143");
    let day_end = START + 86_400_000;
    let from = day_end - 300_000;
    let mut seen: HashMap<ItemId, (u64, u64)> = HashMap::new();
    let mut suites = HashMap::new();
    let both = [Suite::S1, Suite::S1, Suite::S2];
    for step in 0..4000_u64 {
        let now = from + step * STEP;
        if step % 97 == 3 && step % 1000 < 600 {
            store.store(&n, vec![blob(Suite::S1)], now).unwrap();
        }
        if step % 1000 == 500 {
            let steps = [
                (now, ServedKeys::from_keys(both)),
                (now + 40_000, ServedKeys::from_keys([Suite::S1])),
            ];
            store.serve(&n, &steps, now);
        }
        let mut counts = HashMap::new();
        for live in store.view(&n, now).unwrap().lives() {
            let (_, last) = seen.entry(live.id()).or_insert((now, now));
            assert!(*last == now || *last == now - STEP, "came back");
            *last = now;
            *counts.entry(live.suite()).or_insert(0) += 1;
            assert_eq!(
                *suites.entry(live.id()).or_insert(live.suite()),
                live.suite()
            );
        }
        assert!(counts.get(&Suite::S1).is_some_and(|count| *count >= 2));
    }
    let end = from + 3999 * STEP;
    let mut whole = 0;
    for (first, last) in seen.values() {
        assert!(last - first < LIFETIME);
        if *first > from && *last < end {
            assert!(last - first >= LIFETIME - 2 * STEP, "{}", last - first);
            whole += 1;
        }
    }
    assert!(whole > 150, "{whole}");
}

fn constant_store() -> PlacementStore {
    store_with(PlacementLimits {
        dummies: DummyLevel::constant(),
        ..PlacementLimits::default()
    })
}

#[test]
fn at_a_constant_rate_a_stored_blob_comes_with_the_next_epoch_and_lives_one_lifetime() {
    let mut store = constant_store();
    let n = number("12025550143");
    let blobs = vec![blob(Suite::S1), blob(Suite::S2)];
    let quiet = ids(&mut store, &n, START + 1999).len();
    assert_eq!(quiet, 30);
    let stored = store.store(&n, blobs.clone(), START + 1).unwrap();
    for (at, there) in [
        (START + 1999, false),
        (START + 2000, true),
        (START + 31_999, true),
        (START + 32_000, false),
    ] {
        let items: HashMap<_, _> = store.retrieve(&n, at).unwrap().into_iter().collect();
        assert_eq!(items.len(), quiet);
        for (id, blob) in stored.iter().zip(&blobs) {
            assert_eq!(items.get(id) == Some(blob), there, "{at}");
            assert_eq!(store.item(&n, id, at).is_some(), there);
        }
    }
}

#[test]
fn at_a_constant_rate_memory_is_freed_after_the_end_and_counts_what_waits() {
    let mut store = constant_store();
    let n = number("12025550143");
    store.store(&n, vec![blob(Suite::S1)], START + 1).unwrap();
    assert_eq!(store.counts().live, 1);
    store.sweep(START + 31_999, 8);
    assert_eq!(store.counts().live, 1);
    while store.sweep(START + 90_000, 8) {}
    let counts = store.counts();
    assert_eq!((counts.live, counts.bytes, counts.numbers), (0, 0, 0));
}

#[test]
fn at_a_constant_rate_a_flood_is_bounded_and_every_suite_stays_in_the_answer() {
    let mut store = constant_store();
    let n = number("12025550143");
    for _ in 0..40 {
        store.store(&n, vec![blob(Suite::S1); 8], START).unwrap();
    }
    assert_eq!(store.counts().live, 200);
    let view = store.view(&n, START + 2000).unwrap();
    assert!(view.lives().len() <= MAX_ANSWER_BLOBS);
    assert!(view.lives().iter().any(|live| live.suite() == Suite::S2));
    assert!(view.lives().len() > 200);
}

#[test]
fn a_constant_rate_keeps_no_blob_longer_than_a_minute() {
    let store = store_with(PlacementLimits {
        lifetime: Duration::from_secs(60),
        dummies: DummyLevel::D2 {
            epoch: Duration::from_secs(4),
            births: 1,
        },
        ..PlacementLimits::default()
    });
    assert_eq!(store.lifetime().as_secs(), 56);
}
