use std::sync::Arc;

use ringtrue_oob::{Suite, dummy};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::RustCrypto;

use super::{Chain, FLOOR, Kind, Life, StoredBlob};
use crate::item::random_id;
use crate::schedule::Schedule;
use crate::secret::{EpochSecrets, ServiceSecret};
use crate::served::{ServedKeys, ServedTimeline};

const LIFETIME: u64 = 30_000;
/// The beginning of a day, so that no test but the one of the rotation meets one.
const START: u64 = 1_700_006_400_000;

struct World {
    secrets: EpochSecrets,
    timeline: ServedTimeline,
    number: TelephoneNumber,
}

impl World {
    fn new(number: &str, keys: &[Suite]) -> Self {
        let mut secrets = EpochSecrets::new(ServiceSecret::new([5; 32]), LIFETIME);
        secrets.rotate(START, &RustCrypto);
        let mut timeline = ServedTimeline::default();
        timeline.replace_from(0, &[(0, ServedKeys::from_keys(keys.iter().copied()))]);
        Self {
            secrets,
            timeline,
            number: TelephoneNumber::from_canonical(number).unwrap(),
        }
    }

    fn schedule(&self, suite: Suite) -> Schedule<'_> {
        Schedule {
            secrets: &self.secrets,
            timeline: &self.timeline,
            number: &self.number,
            suite,
            lifetime_ms: LIFETIME,
            constant: None,
        }
    }

    fn undisturbed(&self, suite: Suite, now: u64) -> Chain {
        Chain::undisturbed(&self.schedule(suite), now)
    }
}

fn stored() -> Arc<StoredBlob> {
    Arc::new(StoredBlob {
        id: random_id(&RustCrypto).unwrap(),
        blob: dummy(&RustCrypto, Suite::S2).unwrap(),
    })
}

fn dummies(chain: &Chain) -> Vec<(u64, [u8; 32])> {
    chain
        .lives()
        .iter()
        .filter_map(|life| match &life.kind {
            Kind::Dummy { seed } => Some((life.at_ms, **seed)),
            Kind::Stored { .. } => None,
        })
        .collect()
}

#[test]
fn mean_is_four_per_key_and_the_floor_is_two() {
    for (keys, mean) in [
        (vec![Suite::S1], 4.0),
        (vec![Suite::S1; 2], 8.0),
        (vec![Suite::S1; 5], 20.0),
    ] {
        let mut sum = 0_usize;
        let trials = 6000_u32;
        for trial in 0..trials {
            let world = World::new(&format!("1202{trial:06}"), &keys);
            let alive = world
                .undisturbed(Suite::S1, START + u64::from(trial) * 7919)
                .lives()
                .len();
            assert!(alive >= FLOOR);
            sum += alive;
        }
        let measured = f64::from(u32::try_from(sum).unwrap()) / f64::from(trials);
        println!("keys {}: mean alive {measured:.3}", keys.len());
        assert!((measured - mean).abs() < mean * 0.025, "{measured}");
    }
}

#[test]
fn every_start_of_the_computation_gives_the_same_state() {
    let world = World::new("12025550143", &[Suite::S1]);
    let schedule = world.schedule(Suite::S1);
    let mut followed = Chain::undisturbed(&schedule, START);
    let mut now = START;
    for step in 0..4000_u64 {
        now += 1 + (step * 7919) % 9000;
        followed.advance(&schedule, now);
        assert_eq!(
            dummies(&followed),
            dummies(&Chain::undisturbed(&schedule, now))
        );
    }
}

#[test]
fn a_dummy_lives_exactly_one_lifetime_and_only_for_its_number_and_suite() {
    let world = World::new("12025550143", &[]);
    let other = World::new("12025550144", &[]);
    for step in 0..500 {
        let now = START + step * 3001;
        let first = world.undisturbed(Suite::S1, now);
        for Life { at_ms, end_ms, .. } in first.lives() {
            assert_eq!(end_ms - at_ms, LIFETIME);
            assert!(*at_ms <= now && now < *end_ms);
        }
        let mine = dummies(&first);
        for foreign in [
            dummies(&world.undisturbed(Suite::S2, now)),
            dummies(&other.undisturbed(Suite::S1, now)),
        ] {
            assert!(
                mine.iter()
                    .all(|(_, seed)| foreign.iter().all(|(_, s)| s != seed))
            );
        }
        assert!(world.undisturbed(Suite::S3, now).lives().is_empty());
    }
}

#[test]
fn a_store_is_visible_at_once_and_takes_the_place_of_the_next_birth() {
    let world = World::new("12025550143", &[Suite::S1]);
    let schedule = world.schedule(Suite::S1);
    let mut cancelled = 0;
    for step in 0..300 {
        let now = START + step * 100_003;
        let mut chain = Chain::undisturbed(&schedule, now);
        let before = chain.lives().len();
        chain.store(stored(), &schedule, now);
        assert_eq!(chain.lives().len(), before + 1);
        let next = schedule.births(Some(now), now + LIFETIME);
        let Some(next) = next.first() else { continue };
        chain.advance(&schedule, next.at_ms);
        let undisturbed = world.undisturbed(Suite::S1, next.at_ms);
        assert_eq!(chain.lives().len(), undisturbed.lives().len());
        assert!(
            dummies(&chain).iter().all(|(_, seed)| *seed != *next.seed)
            // Unless the floor needed a birth before: then that one was cancelled.
            || undisturbed.lives().iter().any(|life| life.at_ms > now && life.at_ms < next.at_ms)
        );
        cancelled += 1;
    }
    assert!(cancelled > 200);
}

#[test]
fn the_floor_holds_and_nothing_vanishes_early_whatever_is_stored() {
    for seed in 0..6_u64 {
        let world = World::new(&format!("1202555{seed:04}"), &[Suite::S1]);
        let schedule = world.schedule(Suite::S1);
        let mut chain = Chain::undisturbed(&schedule, START);
        let mut now = START;
        for step in 0..400_u64 {
            let random = (seed * 1_000_003 + step * 7919) % 10_007;
            let before: Vec<Life> = chain.lives().to_vec();
            now += random % 3000;
            chain.advance(&schedule, now);
            for life in &before {
                let there = chain.lives().iter().any(|other| {
                    other.at_ms == life.at_ms
                        && match (&other.kind, &life.kind) {
                            (Kind::Dummy { seed: a }, Kind::Dummy { seed: b }) => a == b,
                            (Kind::Stored { stored: a, .. }, Kind::Stored { stored: b, .. }) => {
                                a.id == b.id
                            }
                            _ => false,
                        }
                });
                assert_eq!(there, life.end_ms > now);
            }
            assert!(chain.lives().len() >= FLOOR);
            // Quiet, busy and flooded stretches.
            for _ in 0..[0, 0, 1, 12][usize::try_from(step / 100).unwrap()] {
                chain.store(stored(), &schedule, now);
            }
        }
    }
}

#[test]
fn after_a_store_the_undisturbed_state_comes_back() {
    let mut lifetimes = Vec::new();
    for seed in 0..200_u64 {
        let world = World::new(&format!("1202555{seed:04}"), &[Suite::S1]);
        let schedule = world.schedule(Suite::S1);
        let mut chain = Chain::undisturbed(&schedule, START);
        chain.store(stored(), &schedule, START);
        let met = (1..200)
            .find(|half| {
                let now = START + half * LIFETIME / 2;
                chain.advance(&schedule, now);
                chain.has_met(&world.undisturbed(Suite::S1, now))
            })
            .unwrap();
        lifetimes.push(met);
        // And stays.
        let later = START + 300 * LIFETIME;
        chain.advance(&schedule, later);
        assert!(chain.has_met(&world.undisturbed(Suite::S1, later)));
    }
    lifetimes.sort_unstable();
    println!(
        "half lifetimes until the disturbance is over: median {}, longest {}",
        lifetimes[100], lifetimes[199]
    );
}

#[test]
fn an_evicted_blob_leaves_the_floor_intact() {
    let world = World::new("12025550143", &[Suite::S1]);
    let schedule = world.schedule(Suite::S1);
    let mut chain = Chain::undisturbed(&schedule, START);
    let blobs: Vec<_> = (0..10).map(|_| stored()).collect();
    for blob in &blobs {
        chain.store(Arc::clone(blob), &schedule, START);
    }
    let now = START + LIFETIME - 1;
    chain.advance(&schedule, now);
    for blob in &blobs {
        chain.evict(&schedule, &blob.id, now);
        assert!(chain.lives().len() >= FLOOR);
    }
    assert_eq!(chain.stored().count(), 0);
}

#[test]
fn a_suite_served_from_now_on_has_its_floor_at_once_and_keeps_its_last_dummies() {
    let mut world = World::new("12025550143", &[Suite::S1]);
    assert!(world.undisturbed(Suite::S2, START).lives().is_empty());
    let on = START + 100;
    let off = on + 10 * LIFETIME;
    let s2 = ServedKeys::from_keys([Suite::S2]);
    let s1 = ServedKeys::from_keys([Suite::S1]);
    world.timeline.replace_from(on, &[(on, s2), (off, s1)]);
    assert!(world.undisturbed(Suite::S2, on - 1).lives().is_empty());
    assert_eq!(world.undisturbed(Suite::S2, on).lives().len(), FLOOR);
    let last = dummies(&world.undisturbed(Suite::S2, off - 1));
    assert!(last.len() >= FLOOR);
    for (at, seed) in &last {
        let there = |now| dummies(&world.undisturbed(Suite::S2, now)).contains(&(*at, *seed));
        assert!(there(at + LIFETIME - 1));
        assert!(!there(at + LIFETIME));
    }
    assert!(
        world
            .undisturbed(Suite::S2, off + LIFETIME)
            .lives()
            .is_empty()
    );
    assert!(world.undisturbed(Suite::S1, off).lives().len() >= FLOOR);
}

#[test]
fn the_schedule_runs_through_a_rotation_of_the_secret() {
    let mut world = World::new("12025550143", &[Suite::S1]);
    let rotation = START + 86_400_000;
    let mut before = world.undisturbed(Suite::S1, rotation - 1);
    world.secrets.rotate(rotation, &RustCrypto);
    for step in 0..2000 {
        let now = rotation + step * 977;
        world.secrets.rotate(now, &RustCrypto);
        before.advance(&world.schedule(Suite::S1), now);
        assert_eq!(
            dummies(&before),
            dummies(&world.undisturbed(Suite::S1, now)),
            "{step}"
        );
    }
}

#[test]
fn the_beginning_of_time_is_served_as_well() {
    let world = {
        let mut world = World::new("1", &[Suite::S1]);
        world.secrets = EpochSecrets::new(ServiceSecret::new([5; 32]), LIFETIME);
        world.secrets.rotate(0, &RustCrypto);
        world
    };
    for now in [0, 1, 29_999, 30_000, 100_000] {
        assert!(
            world.undisturbed(Suite::S1, now).lives().len() >= FLOOR,
            "{now}"
        );
    }
}
