//! Level D2.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::{Suite, dummy};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::RustCrypto;

use super::{Chain, Kind, StoredBlob};
use crate::constant::ConstantRate;
use crate::item::random_id;
use crate::level::DummyLevel;
use crate::schedule::Schedule;
use crate::secret::{EpochSecrets, ServiceSecret};
use crate::served::{ServedKeys, ServedTimeline};

const LIFETIME: u64 = 30_000;
const EPOCH: u64 = 2000;
const START: u64 = 1_700_006_400_000;

struct World {
    secrets: EpochSecrets,
    timeline: ServedTimeline,
    number: TelephoneNumber,
    stores: u8,
}

impl World {
    fn new(keys: &[Suite], stores: u8) -> Self {
        let mut secrets = EpochSecrets::new(ServiceSecret::new([5; 32]), LIFETIME);
        secrets.rotate(START, &RustCrypto);
        let mut timeline = ServedTimeline::default();
        timeline.replace_from(0, &[(0, ServedKeys::from_keys(keys.iter().copied()))]);
        Self {
            secrets,
            timeline,
            number: TelephoneNumber::from_canonical("12025550143").unwrap(),
            stores,
        }
    }

    fn schedule(&self, suite: Suite) -> Schedule<'_> {
        let level = DummyLevel::D2 {
            epoch: Duration::from_millis(EPOCH),
            births: self.stores,
        };
        Schedule {
            secrets: &self.secrets,
            timeline: &self.timeline,
            number: &self.number,
            suite,
            lifetime_ms: LIFETIME,
            constant: ConstantRate::of(level, LIFETIME),
        }
    }
}

fn stored() -> Arc<StoredBlob> {
    Arc::new(StoredBlob {
        id: random_id(&RustCrypto).unwrap(),
        blob: dummy(&RustCrypto, Suite::S2).unwrap(),
    })
}

/// The times of births and deaths, which is all that somebody sees who looks all the time.
fn seen(chain: &Chain) -> Vec<(u64, u64)> {
    let mut seen: Vec<_> = chain
        .lives()
        .iter()
        .map(|life| (life.at_ms, life.end_ms))
        .collect();
    seen.sort_unstable();
    seen
}

fn visible_stored(chain: &Chain) -> usize {
    let is_stored = |kind: &Kind| matches!(kind, Kind::Stored { .. });
    chain
        .lives()
        .iter()
        .filter(|life| is_stored(&life.kind))
        .count()
}

#[test]
fn a_quiet_number_shows_the_same_count_at_every_moment() {
    for (keys, s1) in [
        (vec![], 15),
        (vec![Suite::S1], 15),
        // A caller's request has a filler.
        (vec![Suite::S1; 3], 60),
        (vec![Suite::S1, Suite::S2, Suite::S2], 30),
        (vec![Suite::S1; 8], 120),
    ] {
        let world = World::new(&keys, 1);
        let schedule = world.schedule(Suite::S1);
        for step in 0..200 {
            let now = START + step * 977;
            assert_eq!(Chain::undisturbed(&schedule, now).lives().len(), s1);
        }
    }
}

#[test]
fn every_start_of_the_computation_gives_the_same_state_and_every_dummy_lives_one_lifetime() {
    let world = World::new(&[Suite::S1, Suite::S1, Suite::S2], 1);
    let schedule = world.schedule(Suite::S1);
    let mut followed = Chain::undisturbed(&schedule, START);
    let mut now = START;
    let mut seeds = HashSet::new();
    for step in 0..500_u64 {
        now += 1 + (step * 7919) % 3000;
        followed.advance(&schedule, now);
        let anew = Chain::undisturbed(&schedule, now);
        assert!(followed.has_met(&anew), "{step}");
        for life in anew.lives() {
            assert_eq!(life.at_ms % EPOCH, 0);
            assert_eq!(life.end_ms, life.at_ms + LIFETIME);
            assert!(life.at_ms <= now && now < life.end_ms);
            if let Kind::Dummy { seed } = &life.kind {
                seeds.insert((life.at_ms, **seed));
            }
        }
    }
    let different: HashSet<_> = seeds.iter().map(|(_, seed)| *seed).collect();
    assert_eq!(different.len(), seeds.len(), "no dummy is made twice");
}

/// The whole point: with as many stores as the rate allows, what is seen at every moment is exactly
/// what is seen without.
#[test]
fn stores_within_the_rate_change_nothing_that_can_be_seen() {
    for stores_per_epoch in 1..=3_u8 {
        let world = World::new(&[Suite::S1], stores_per_epoch);
        let schedule = world.schedule(Suite::S1);
        let mut chain = Chain::undisturbed(&schedule, START);
        let mut longest_wait = 0;
        for step in 0..400_u64 {
            let now = START + step * 250;
            chain.advance(&schedule, now);
            assert_eq!(seen(&chain), seen(&Chain::undisturbed(&schedule, now)));
            // At other places in each epoch, up to the rate.
            if step % 8 < u64::from(stores_per_epoch) && step % 32 > 3 {
                let one = stored();
                let id = one.id;
                chain.store(one, &schedule, now);
                let shown = |chain: &Chain| {
                    chain.lives().iter().any(
                        |life| matches!(&life.kind, Kind::Stored { stored, .. } if stored.id == id),
                    )
                };
                assert!(!shown(&chain));
                let next = now - now % EPOCH + EPOCH;
                longest_wait = longest_wait.max(next - now);
                let mut later = chain.clone();
                later.advance(&schedule, next - 1);
                assert!(!shown(&later));
                later.advance(&schedule, next);
                assert!(shown(&later));
                later.advance(&schedule, next + LIFETIME - 1);
                assert!(shown(&later));
                later.advance(&schedule, next + LIFETIME);
                assert!(!shown(&later));
            }
        }
        assert!(longest_wait <= EPOCH);
    }
}

#[test]
fn what_is_stored_beyond_the_rate_comes_with_the_next_epoch_all_the_same() {
    let world = World::new(&[Suite::S1], 1);
    let schedule = world.schedule(Suite::S1);
    let mut chain = Chain::undisturbed(&schedule, START);
    for _ in 0..5 {
        chain.store(stored(), &schedule, START);
    }
    assert_eq!(visible_stored(&chain), 0);
    assert_eq!(chain.stored().count(), 5);
    chain.advance(&schedule, START + EPOCH);
    assert_eq!(visible_stored(&chain), 5);
    assert_eq!(chain.lives().len(), 19);
    // And no later epoch pays for it.
    chain.advance(&schedule, START + EPOCH + LIFETIME);
    assert_eq!(chain.lives().len(), 15);
}

#[test]
fn after_a_store_the_undisturbed_state_comes_back_with_its_end() {
    let world = World::new(&[Suite::S1], 1);
    let schedule = world.schedule(Suite::S1);
    let mut chain = Chain::undisturbed(&schedule, START);
    chain.store(stored(), &schedule, START);
    for (after, met) in [
        (0, false),
        (EPOCH, false),
        (LIFETIME, false),
        (EPOCH + LIFETIME, true),
    ] {
        chain.advance(&schedule, START + after);
        let undisturbed = Chain::undisturbed(&schedule, START + after);
        assert_eq!(chain.has_met(&undisturbed), met, "{after}");
    }
}

#[test]
fn a_blob_that_waits_can_be_evicted_without_a_trace() {
    let world = World::new(&[Suite::S1], 1);
    let schedule = world.schedule(Suite::S1);
    let mut chain = Chain::undisturbed(&schedule, START);
    let one = stored();
    chain.store(Arc::clone(&one), &schedule, START);
    chain.evict(&schedule, &one.id, START);
    assert_eq!(chain.stored().count(), 0);
    chain.advance(&schedule, START + EPOCH);
    assert!(chain.has_met(&Chain::undisturbed(&schedule, START + EPOCH)));
}

#[test]
fn a_suite_served_from_now_on_has_its_first_blobs_at_once_and_no_second_birth_in_that_epoch() {
    let mut world = World::new(&[Suite::S1], 1);
    let on = START + 700;
    let off = START + 90_500;
    let both = ServedKeys::from_keys([Suite::S1, Suite::S2]);
    let s1 = ServedKeys::from_keys([Suite::S1]);
    world.timeline.replace_from(on, &[(on, both), (off, s1)]);
    let schedule = world.schedule(Suite::S2);
    let alive = |now| Chain::undisturbed(&schedule, now).lives().len();
    assert_eq!(alive(on - 1), 0);
    assert_eq!(alive(on), 1);
    assert_eq!(alive(START + EPOCH - 1), 1);
    assert_eq!(alive(START + EPOCH), 2);
    assert_eq!(alive(on + LIFETIME - 1), 16);
    assert_eq!(alive(on + LIFETIME), 15);
    // A call that waits when the last statement ends is born among dummies.
    let end = START + 92_000;
    let mut chain = Chain::undisturbed(&schedule, off - 1);
    chain.store(stored(), &schedule, off - 1);
    chain.advance(&schedule, end);
    assert_eq!(seen(&chain), seen(&Chain::undisturbed(&schedule, end)));
    assert_eq!(alive(end + EPOCH), 14);
    assert_eq!(alive(end + LIFETIME), 0);
}

#[test]
fn the_rate_leaves_room_in_an_answer_whatever_is_configured() {
    for (keys, stores, lifetime) in [
        (vec![Suite::S1; 8], 8, 30_000),
        (vec![Suite::S1; 8], 1, 32_000),
        (vec![Suite::S1; 5], 2, 32_000),
        (vec![Suite::S2], 8, 30_000),
    ] {
        let world = World::new(&keys, stores);
        let mut schedule = world.schedule(keys[0]);
        let level = DummyLevel::D2 {
            epoch: Duration::from_millis(EPOCH),
            births: stores,
        };
        schedule.lifetime_ms = lifetime;
        schedule.constant = ConstantRate::of(level, lifetime);
        let alive = Chain::undisturbed(&schedule, START).lives().len();
        assert!(alive <= 240, "{alive}");
        let text: usize = alive * 5463;
        assert!(text <= 1_474_560, "{text}");
        // Never less than one call.
        assert!(alive >= usize::try_from(lifetime / EPOCH).unwrap() * keys.len());
    }
}

#[test]
fn the_rate_runs_through_a_rotation_of_the_secret_and_the_beginning_of_time() {
    let mut world = World::new(&[Suite::S1], 1);
    let rotation = START + 86_400_000;
    let mut before = Chain::undisturbed(&world.schedule(Suite::S1), rotation - 1);
    world.secrets.rotate(rotation, &RustCrypto);
    for step in 0..200 {
        let now = rotation + step * 977;
        world.secrets.rotate(now, &RustCrypto);
        let schedule = world.schedule(Suite::S1);
        before.advance(&schedule, now);
        let anew = Chain::undisturbed(&schedule, now);
        assert_eq!(anew.lives().len(), 15);
        assert!(before.has_met(&anew), "{step}");
    }
    world.secrets = EpochSecrets::new(ServiceSecret::new([5; 32]), LIFETIME);
    world.secrets.rotate(0, &RustCrypto);
    for (now, alive) in [(0, 1), (1999, 1), (2000, 2), (100_000, 15)] {
        let chain = Chain::undisturbed(&world.schedule(Suite::S1), now);
        assert_eq!(chain.lives().len(), alive, "{now}");
    }
}
