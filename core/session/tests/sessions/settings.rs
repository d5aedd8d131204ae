//! Settings: what makes no endpoint, and what makes a new key statement.

use ringtrue_oob::Suite;
use ringtrue_session::{ContextBuilder, Verdict};
use ringtrue_stir::Reason;

use crate::attacker::statements;
use crate::publishing::{current, publics, scene};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, CPS_SPARE, STRANGER, World, base};

#[test]
fn a_change_of_settings_makes_a_new_statement() {
    type Change = (&'static [&'static str], &'static [&'static str], Vec<Suite>);
    let changes: [Change; 4] = [
        (&[CALLEE], &[CPS_SPARE], vec![Suite::S1]),
        (&[CALLEE], &[CPS_CALLEE, CPS_SPARE], vec![Suite::S1]),
        (&[CALLEE, STRANGER], &[CPS_CALLEE], vec![Suite::S1]),
        (&[CALLEE], &[CPS_CALLEE], vec![Suite::S1, Suite::S2]),
    ];
    for (numbers, services, suites) in changes {
        let world = World::new();
        let credential = world.credential(&[CALLEE, STRANGER]);
        let mut world = world;
        let make = |world: &World, numbers: &[&str], services: &[&str], suites: Vec<Suite>| {
            world.phone_with(numbers, services, credential.clone(), |builder| {
                builder.policy.suites = suites;
            })
        };
        let mut phone = make(&world, &[CALLEE], &[CPS_CALLEE], vec![Suite::S1]);
        world.publish(&mut phone).unwrap();
        let old = current(&phone);
        let mut changed = make(&world, numbers, services, suites);
        changed.records = phone.records;
        world.ms += 1000;
        assert!(world.publish(&mut changed).unwrap().rotated);
        assert_eq!(publics(&changed.own_keys().unwrap()["previous"]), old);
        let held = statements(&mut world, CALLEE);
        assert_eq!(held[0].cps().len(), services.len());
        // And back again is another change; the same settings once more are none.
        assert!(!world.publish(&mut changed).unwrap().rotated);
    }
}

#[test]
fn another_credential_makes_a_new_statement() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let mut renewed = world.phone(&[CALLEE], &[CPS_CALLEE]);
    renewed.records = phone.records;
    world.ms += 1000;
    assert!(world.publish(&mut renewed).unwrap().rotated);
    assert_eq!(statements(&mut world, CALLEE).len(), 2, "a new signer");
}

#[test]
fn every_suite_of_the_policy_gets_one_key() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let mut world = world;
    let mut phone = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.policy.suites = vec![Suite::S1, Suite::S2];
    });
    world.publish(&mut phone).unwrap();
    let suites: Vec<Suite> = statements(&mut world, CALLEE)[0]
        .keys()
        .iter()
        .map(|key| key.suite())
        .collect();
    assert_eq!(suites, [Suite::S1, Suite::S2]);
    // Both open.
    let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.copies, 2);
    let outcome = world.ring(&mut phone, CALLER);
    assert_eq!(outcome.verdict.blobs.opened, 2);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[cfg(not(feature = "pq"))]
#[test]
fn a_suite_that_this_build_cannot_make_keys_for_is_refused() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let mut world = world;
    let mut phone = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.policy.suites = vec![Suite::S3];
    });
    assert_eq!(world.publish(&mut phone), Err(Reason::ConfigurationInvalid));
    assert!(phone.records.is_empty());
}

#[test]
fn settings_out_of_range_make_no_context() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    type Change = fn(&mut ContextBuilder);
    let changes: [Change; 9] = [
        |builder| builder.numbers.clear(),
        |builder| builder.numbers = vec![builder.numbers[0].clone(); 33],
        |builder| builder.services.own.clear(),
        |builder| builder.services.own = vec![base(CPS_CALLEE); 5],
        |builder| builder.policy.suites.clear(),
        |builder| builder.policy.statement_life = core::time::Duration::from_secs(604_801),
        |builder| builder.policy.statement_life = core::time::Duration::from_secs(59),
        |builder| builder.policy.max_blobs = 257,
        |builder| builder.policy.max_answer_octets = 1_572_865,
    ];
    for change in changes {
        let context = world.context(&[CALLEE], &[CPS_CALLEE], &credential, change);
        assert_eq!(context.map(drop), Err(Reason::ConfigurationInvalid));
    }
}

#[test]
fn a_credential_that_leads_to_no_anchor_makes_no_context() {
    let world = World::new();
    let elsewhere = World::new().credential(&[CALLEE]);
    let context = world.context(&[CALLEE], &[CPS_CALLEE], &elsewhere, |_| {});
    assert_eq!(context.map(drop), Err(Reason::NoPathToAnchor));
}
