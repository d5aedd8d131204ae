//! Publishing that dies at any step: no key that a directory can hand out is ever lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use ringtrue_session::{Placement, PublishMode, PublishSession, Session as _, Step, Verdict};
use ringtrue_stir::base64url;

use crate::attacker::statements;
use crate::phone::Phone;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, CPS_SPARE, World};

/// The public keys that callers can find in the directory.
fn listed(world: &mut World) -> BTreeSet<String> {
    let held = statements(world, CALLEE);
    let keys = held.iter().flat_map(|statement| statement.keys());
    keys.map(|key| base64url::encode(key.as_octets())).collect()
}

/// The public keys whose secret half is in the record.
fn kept(phone: &Phone) -> BTreeSet<String> {
    let Some(record) = phone.own_keys() else {
        return BTreeSet::new();
    };
    ["current", "previous"]
        .iter()
        .flat_map(|name| record[name].as_array().unwrap().clone())
        .map(|key| key["public"].as_str().unwrap().to_owned())
        .collect()
}

fn assert_nothing_lost(world: &mut World, phone: &Phone) {
    let (listed, kept) = (listed(world), kept(phone));
    assert!(listed.is_subset(&kept), "a key that callers find is lost");
}

/// Runs a publication until its process dies at action number `dies_at`, with or without that action
/// having its effect. True if it came to its end before.
fn run_until_death(
    world: &mut World,
    phone: &mut Phone,
    mode: PublishMode,
    dies_at: usize,
    with_effect: bool,
) -> bool {
    let context = Arc::clone(&phone.context);
    let mut session = PublishSession::new(context, mode, world.in_ms(10_000));
    let mut actions = 0;
    let mut inputs = Vec::new();
    loop {
        match session.next(phone.now(world.ms)) {
            Step::Act(action) => {
                let dies = actions == dies_at;
                actions += 1;
                if dies && !with_effect {
                    return false;
                }
                inputs.push(phone.effect(&mut world.net, action, world.ms));
                assert_nothing_lost(world, phone);
                if dies {
                    return false;
                }
            }
            Step::Done(outcome) => {
                outcome.unwrap();
                return true;
            }
            Step::Wait(_) => session.input(inputs.remove(0), phone.now(world.ms)),
            _ => {}
        }
    }
}

/// The telephone after its settings changed.
fn changed(world: &World, phone: Phone, service: &str) -> Phone {
    let credential = phone.credential.clone();
    let mut changed = world.phone_with(&[CALLEE], &[service], credential, |_| {});
    changed.records = phone.records;
    changed
}

/// A caller that looks up what is there now gets through.
fn assert_reachable(world: &mut World, phone: &mut Phone, service: &str) {
    world.ms += 1000;
    let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let moved = world.net.service(CPS_CALLEE).mailboxes.remove(CALLEE);
    if let Some(blobs) = moved {
        world
            .net
            .service(service)
            .mailboxes
            .insert(CALLEE.to_owned(), blobs);
    }
    assert_eq!(world.ring(phone, CALLER).verdict.verdict, Verdict::Verified);
}

#[test]
fn a_publication_that_dies_anywhere_loses_no_key_and_completes_the_next_time() {
    for mode in [PublishMode::Publish, PublishMode::Rotate] {
        for before in [false, true] {
            for with_effect in [false, true] {
                for dies_at in 0.. {
                    let mut world = World::new();
                    let mut phone = world.phone(&[CALLEE], &[CPS_CALLEE]);
                    if before {
                        world.publish(&mut phone).unwrap();
                        world.ms += 1000;
                    }
                    if run_until_death(&mut world, &mut phone, mode, dies_at, with_effect) {
                        assert!(dies_at >= 2);
                        break;
                    }
                    assert_nothing_lost(&mut world, &phone);
                    // The process starts again and does the same.
                    let saved = kept(&phone);
                    world.ms += 1000;
                    world.publish_as(&mut phone, mode).unwrap();
                    assert_nothing_lost(&mut world, &phone);
                    assert!(phone.own_keys().unwrap()["published"].as_bool().unwrap());
                    if !saved.is_empty() {
                        assert!(!saved.is_disjoint(&kept(&phone)));
                    }
                    assert_reachable(&mut world, &mut phone, CPS_CALLEE);
                }
            }
        }
    }
}

/// A rotation whose keys were saved and not acknowledged is completed, not begun again.
#[test]
fn an_interrupted_rotation_is_completed_with_the_same_keys() {
    for with_effect in [false, true] {
        let mut world = World::new();
        let mut phone = world.phone(&[CALLEE], &[CPS_CALLEE]);
        world.publish(&mut phone).unwrap();
        world.ms += 1000;
        // Load, two signatures, save; dies at the request.
        let ended = run_until_death(&mut world, &mut phone, PublishMode::Rotate, 4, with_effect);
        assert!(!ended);
        let before = phone.own_keys().unwrap();
        assert_eq!(before["published"], false);
        for mode in [PublishMode::Publish, PublishMode::Rotate] {
            let mut again = Phone::new(Arc::clone(&phone.context), phone.credential.clone());
            again.records = phone.records.clone();
            let published = world.publish_as(&mut again, mode).unwrap();
            assert!(!published.rotated);
            assert_eq!(again.own_keys().unwrap()["directory"], before["directory"]);
        }
    }
}

/// The directory may be away for long, while settings change again and again: what it hands out in
/// the end must still open.
#[test]
fn keys_last_acknowledged_survive_any_few_changes_that_are_not() {
    let mut world = World::new();
    let mut phone = world.phone(&[CALLEE], &[CPS_CALLEE]);
    world.publish(&mut phone).unwrap();
    let acknowledged = listed(&mut world);
    for service in [CPS_SPARE, CPS_CALLEE, CPS_SPARE, CPS_CALLEE, CPS_SPARE] {
        world.ms += 1000;
        phone = changed(&world, phone, service);
        let ended = run_until_death(&mut world, &mut phone, PublishMode::Publish, 4, false);
        assert!(!ended);
        assert!(acknowledged.is_subset(&kept(&phone)));
    }
    assert_eq!(
        kept(&phone).len(),
        2,
        "what nobody acknowledged is named again"
    );
    world.publish(&mut phone).unwrap();
    assert_nothing_lost(&mut world, &phone);
    world.ms += 1000;
    world.publish_as(&mut phone, PublishMode::Rotate).unwrap();
    assert_eq!(kept(&phone).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any history of publications, rotations, changes of settings and deaths.
    #[test]
    fn no_history_of_deaths_loses_a_key_that_callers_find(
        history in prop::collection::vec((0_usize..3, 0_usize..9, any::<bool>()), 1..7)
    ) {
        let mut world = World::new();
        let mut phone = world.phone(&[CALLEE], &[CPS_CALLEE]);
        let mut service = CPS_CALLEE;
        for (what, dies_at, with_effect) in history {
            world.ms += 1000;
            if what == 2 {
                service = if service == CPS_CALLEE { CPS_SPARE } else { CPS_CALLEE };
                phone = changed(&world, phone, service);
            }
            let mode = if what == 1 { PublishMode::Rotate } else { PublishMode::Publish };
            run_until_death(&mut world, &mut phone, mode, dies_at, with_effect);
            assert_nothing_lost(&mut world, &phone);
        }
        world.ms += 1000;
        world.publish(&mut phone).unwrap();
        assert_nothing_lost(&mut world, &phone);
        assert_reachable(&mut world, &mut phone, service);
    }
}
