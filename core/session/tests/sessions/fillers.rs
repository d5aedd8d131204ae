//! What a store looks like whatever it holds: how many blobs, and when it goes out.

use std::sync::Arc;
use std::time::Duration;

use ringtrue_lab::Credential as LabCredential;
use ringtrue_oob::Suite;
use ringtrue_session::{Placement, Role};
use ringtrue_stir::Reason;

use crate::attacker::{fresh_key, opened, statement};
use crate::jitter::FixedJitter;
use crate::phone::{Phone, Reply};
use crate::placing::{known, stores};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, World};

/// A caller whose random delay is this part of 255 of 400 ms.
fn hesitant(world: &World, credential: LabCredential, octet: u8) -> Phone {
    world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.policy.store_jitter = Duration::from_millis(400);
        builder.provider = Arc::new(FixedJitter(octet));
    })
}

/// When the store goes out, counted from the dialling, with keys at hand and so much time.
fn store_after(octet: u8, deadline_ms: u64) -> Option<u64> {
    let (mut world, caller, _) = World::with_phones();
    let mut caller = hesitant(&world, caller.credential, octet);
    let theirs = statement(&world, &world.credential(&[CALLEE]), |_| {});
    let keys = known(&mut world, &mut caller, &[&theirs]);
    world.net.sent.clear();
    let from = world.ms;
    let session = ringtrue_session::PlaceSession::new(
        Arc::clone(&caller.context),
        crate::world::number(CALLER),
        crate::world::number(CALLEE),
        keys,
        false,
        false,
        world.in_ms(deadline_ms),
    );
    run(&mut world, &mut caller, session.unwrap());
    let store = world.net.sent.iter().find(|sent| sent.role == Role::Store);
    store.map(|store| store.ms - from)
}

#[test]
fn a_store_for_one_to_eight_keys_holds_one_two_four_or_eight_blobs_of_their_suites() {
    for (keys, rounded) in (1..=8).zip([1, 2, 4, 4, 8, 8, 8, 8]) {
        for suites in [vec![Suite::S1], vec![Suite::S2], vec![Suite::S1, Suite::S2]] {
            let (mut world, mut caller, _) = World::with_phones();
            let theirs = statement(&world, &world.credential(&[CALLEE]), |draft| {
                draft.keys = suites
                    .iter()
                    .cycle()
                    .take(keys)
                    .map(|s| fresh_key(*s))
                    .collect();
            });
            let held = known(&mut world, &mut caller, &[&theirs]);
            world.net.sent.clear();
            let session = world.placing_with(&caller, CALLEE, held, false);
            let placed = run(&mut world, &mut caller, session);
            assert_eq!((placed.placement, placed.copies), (Placement::Stored, keys));
            assert_eq!(stores(&world.net.sent), [(CPS_CALLEE, rounded)]);
            let blobs = world.net.sent[0].blobs();
            assert!(blobs.iter().all(|blob| suites.contains(&blob.suite())));
            assert!(
                blobs
                    .iter()
                    .all(|blob| blob.class() == blob.suite().class())
            );
        }
    }
}

#[test]
fn the_fillers_of_a_store_open_for_nobody_and_the_copy_still_does() {
    let (mut world, mut caller, callee) = World::with_phones();
    let theirs = crate::attacker::key_of(&mut world, CALLEE);
    let with_others = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.keys = vec![fresh_key(Suite::S1), theirs, fresh_key(Suite::S1)];
    });
    let held = known(&mut world, &mut caller, &[&with_others]);
    world.net.sent.clear();
    let session = world.placing_with(&caller, CALLEE, held, false);
    run(&mut world, &mut caller, session);
    let blobs = world.net.sent[0].blobs();
    let open = blobs
        .iter()
        .filter(|blob| opened(&callee, CALLEE, blob).is_some());
    assert_eq!((blobs.len(), open.count()), (4, 1));
}

#[test]
fn a_store_waits_for_a_random_part_of_the_jitter() {
    assert_eq!(store_after(0, 1500), Some(0));
    assert_eq!(store_after(51, 1500), Some(80));
    assert_eq!(store_after(255, 1500), Some(400));
}

#[test]
fn waiting_takes_at_most_a_third_of_the_time_that_is_left() {
    assert_eq!(store_after(255, 600), Some(200));
    assert_eq!(store_after(255, 3), Some(1));
    assert_eq!(store_after(255, 0), None);
}

#[test]
fn with_the_longest_delay_and_a_slow_signer_the_call_is_announced_in_time() {
    let (mut world, caller, _) = World::with_phones();
    let mut caller = hesitant(&world, caller.credential, 255);
    caller.on(|action, _| {
        matches!(action, ringtrue_session::Action::Sign { .. }).then_some(Reply::After(900))
    });
    let from = world.ms;
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Stored);
    assert!(world.ms - from <= 1500, "{}", world.ms - from);
    assert!(!placed.reasons.contains(&Reason::DeadlinePassed));
}

#[test]
fn a_host_that_slept_through_the_delay_and_the_deadline_sends_nothing_any_more() {
    let (mut world, caller, _) = World::with_phones();
    let mut caller = hesitant(&world, caller.credential, 255);
    let mut placing = crate::sim::Running::new(world.placing(&caller, CALLEE));
    let soon = world.ms + 100;
    placing.advance(&mut world, &mut caller, soon);
    assert_eq!(world.net.count(Role::Store), 0);
    world.ms += 3_600_000;
    let end = world.ms + 1000;
    placing.advance(&mut world, &mut caller, end);
    assert_eq!(world.net.count(Role::Store), 0);
    let placed = placing.output.unwrap();
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::DeadlinePassed));
}
