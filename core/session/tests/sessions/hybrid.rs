//! The hybrid suites S3 and S4: calls with them, and the change from classical keys.

use std::sync::Arc;

use ringtrue_oob::http::placement;
use ringtrue_oob::{CallPhase, Suite};
use ringtrue_session::{AnswerSession, Placement, PublishMode, Role, Verdict};
use ringtrue_stir::Reason;

use crate::attacker::{answer_lookups, fresh_key, opened, statement, statements};
use crate::phone::Phone;
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, World, base};

/// A telephone with keys of these suites, published.
fn phone(world: &mut World, of: &str, service: &str, suites: &[Suite]) -> Phone {
    let credential = world.credential(&[of]);
    let mut phone = world.phone_with(&[of], &[service], credential, |builder| {
        builder.policy.suites = suites.to_vec();
    });
    world.publish(&mut phone).unwrap();
    phone
}

fn scene(suite: Suite) -> (World, Phone, Phone) {
    let mut world = World::new();
    let caller = phone(&mut world, CALLER, CPS_CALLER, &[suite]);
    let callee = phone(&mut world, CALLEE, CPS_CALLEE, &[suite]);
    (world, caller, callee)
}

/// The suites in the last store that was sent.
fn stored_suites(world: &World) -> Vec<Suite> {
    let store = world.net.sent.iter().rfind(|sent| sent.role == Role::Store);
    let body = &store.unwrap().request.body;
    let blobs = placement::decode_store(Some("application/passport"), body).unwrap();
    blobs.iter().map(|blob| blob.suite()).collect()
}

#[test]
fn a_call_and_its_answer_are_sealed_to_hybrid_keys_alone() {
    for suite in [Suite::S3, Suite::S4] {
        let (mut world, mut caller, mut callee) = scene(suite);
        let placed = world.place_well(&mut caller, CALLEE);
        assert_eq!(
            (placed.copies, placed.reasons.as_slice()),
            (1, [Reason::KeysJustInTime].as_slice())
        );
        assert_eq!(stored_suites(&world), [suite]);
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.verdict, Verdict::Verified);
        let answering = AnswerSession::new(
            Arc::clone(&callee.context),
            outcome.call.unwrap(),
            CallPhase::Answered,
            world.in_ms(2500),
        );
        let answered = run(&mut world, &mut callee, answering.unwrap());
        assert!(answered.sent, "{:?}", answered.reasons);
        assert_eq!(stored_suites(&world), [suite]);
    }
}

/// W-31: a chain of two certificates and an inline statement with a hybrid key fit class three.
#[test]
fn a_call_that_wants_an_answer_fits_with_a_chain_of_two_certificates() {
    for suite in [Suite::S3, Suite::S4] {
        let (mut world, mut caller, callee) = scene(suite);
        let placed = world.place_well(&mut caller, CALLEE);
        assert!(placed.answer.is_some());
        let store = world.net.sent.iter().rfind(|sent| sent.role == Role::Store);
        let body = &store.unwrap().request.body;
        let blobs = placement::decode_store(Some("application/passport"), body).unwrap();
        assert_eq!(blobs[0].as_octets().len(), 8192);
        let content = opened(&callee, CALLEE, &blobs[0]).unwrap();
        assert_eq!(content.x5c.len(), 2);
        assert!(
            content
                .rsp
                .is_some_and(|rsp| rsp.want && rsp.eks.len() > 1216)
        );
        let content = opened(&callee, CALLEE, &blobs[0]).unwrap();
        let len = content.to_octets().unwrap().len();
        let max = suite.max_content_len();
        println!(
            "{}: a content of {len} octets of at most {max}",
            suite.name()
        );
        assert!(len <= max);
    }
}

/// PRV-19: a copy for the classical key would undo what the hybrid one is for.
#[test]
fn of_a_party_with_both_kinds_of_key_only_the_hybrid_one_is_sealed_to() {
    let (mut world, mut caller, _) = scene(Suite::S3);
    let held = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.keys = vec![
            fresh_key(Suite::S1),
            fresh_key(Suite::S3),
            fresh_key(Suite::S2),
        ];
    });
    let classical = statement(&world, &world.credential(&[CALLEE]), |_| {});
    answer_lookups(&mut caller, &[held.directory.as_str()]);
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(placed.copies, 1);
    assert!(placed.reasons.contains(&Reason::ClassicalBesideHybrid));
    assert_eq!(stored_suites(&world), [Suite::S3]);
    // Another party's key is its own: each gets what it can open.
    let texts = [held.directory.as_str(), classical.directory.as_str()];
    caller.records.clear();
    answer_lookups(&mut caller, &texts);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!((placed.placement, placed.copies), (Placement::Stored, 2));
    let mut suites = stored_suites(&world);
    suites.sort();
    assert_eq!(suites, [Suite::S1, Suite::S3]);
}

/// A statement with a hybrid key and a chain do not fit class one together: better no answer than no
/// announcement.
#[test]
fn a_hybrid_caller_announces_to_a_classical_callee_without_asking_for_an_answer() {
    let mut world = World::new();
    let mut caller = phone(&mut world, CALLER, CPS_CALLER, &[Suite::S3]);
    let mut callee = phone(&mut world, CALLEE, CPS_CALLEE, &[Suite::S2]);
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(
        placed.reasons,
        [Reason::ContentTooLong, Reason::KeysJustInTime]
    );
    assert_eq!(stored_suites(&world), [Suite::S2]);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

/// PRV-20: while callers may hold the statement before, the service must go on serving its suite.
#[test]
fn after_a_change_to_hybrid_keys_the_classical_key_is_named_for_one_statement() {
    let (mut world, mut caller, callee) = scene(Suite::S1);
    let early = world.place_well(&mut caller, CALLEE).keys;
    let mut changed = world.phone_with(
        &[CALLEE],
        &[CPS_CALLEE],
        callee.credential.clone(),
        |builder| builder.policy.suites = vec![Suite::S3],
    );
    changed.records = callee.records;
    world.ms += 60_000;
    assert!(world.publish(&mut changed).unwrap().rotated);
    let suites = |world: &mut World| -> Vec<Suite> {
        let held = statements(world, CALLEE);
        assert_eq!(held.len(), 1);
        assert!(held[0].exp() <= held[0].iat().plus(core::time::Duration::from_secs(86_400)));
        held[0].keys().iter().map(|key| key.suite()).collect()
    };
    assert_eq!(suites(&mut world), [Suite::S3, Suite::S1]);
    // It is no change of settings that would make another statement at once.
    assert!(!world.publish(&mut changed).unwrap().rotated);

    // Who holds the old statement is heard, who looks again uses the hybrid key.
    let old = world.placing_with(&caller, CALLEE, early, false);
    assert_eq!(
        run(&mut world, &mut caller, old).placement,
        Placement::Stored
    );
    assert_eq!(stored_suites(&world), [Suite::S1]);
    let outcome = world.ring(&mut changed, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    world.ms += 120_000;
    let mut other = phone(&mut world, CALLER, CPS_CALLER, &[Suite::S1]);
    world.place_well(&mut other, CALLEE);
    assert_eq!(stored_suites(&world), [Suite::S3]);
    let outcome = world.ring(&mut changed, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);

    // The next statement names the hybrid key alone.
    world.ms += 86_400_000;
    assert!(world.publish(&mut changed).unwrap().rotated);
    assert_eq!(suites(&mut world), [Suite::S3]);
}

#[test]
fn a_rotation_of_hybrid_keys_names_the_new_one_alone() {
    let (mut world, _, mut callee) = scene(Suite::S3);
    world.ms += 1000;
    world.publish_as(&mut callee, PublishMode::Rotate).unwrap();
    let held = statements(&mut world, CALLEE);
    assert_eq!(held[0].keys().len(), 1);
    // The one before still opens what is sealed to it.
    let previous = callee.own_keys().unwrap()["previous"].clone();
    assert_eq!(previous.as_array().unwrap().len(), 1);
}

#[test]
fn both_kinds_at_once_are_for_a_day_at_most_and_told() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let context = |life: u64, suites: &[Suite]| {
        world.context(&[CALLEE], &[CPS_CALLEE], &credential, |builder| {
            builder.policy.suites = suites.to_vec();
            builder.policy.statement_life = core::time::Duration::from_secs(life);
        })
    };
    let refused = context(86_401, &[Suite::S1, Suite::S3]);
    assert_eq!(refused.map(drop), Err(Reason::ConfigurationInvalid));
    assert!(context(604_800, &[Suite::S3, Suite::S4]).is_ok());
    assert!(context(604_800, &[Suite::S1, Suite::S2]).is_ok());
    let mut phone = Phone::new(
        context(86_400, &[Suite::S1, Suite::S3]).unwrap(),
        credential,
    );
    let mut world = world;
    let published = world.publish(&mut phone).unwrap();
    assert_eq!(published.notices, [Reason::ClassicalBesideHybrid]);
}

/// W-16: eight statements with hybrid keys need the longer answer, and what does not fit is left out.
#[test]
fn a_directory_answer_with_hybrid_keys_has_one_of_the_two_sizes() {
    let world = World::new();
    let texts: Vec<String> = (0..8)
        .map(|_| {
            let credential = world.credential(&[CALLEE]);
            statement(&world, &credential, |draft| {
                draft.keys = vec![fresh_key(Suite::S3)];
                draft.cps = vec![base(CPS_CALLEE)];
            })
            .directory
        })
        .collect();
    for (count, size) in [(1, 8192), (2, 16_384), (8, 16_384)] {
        let texts: Vec<&str> = texts.iter().take(count).map(String::as_str).collect();
        let answer = ringtrue_oob::http::directory::encode_statements(&texts);
        assert_eq!(answer.body.len(), size, "{count}");
        let read = ringtrue_oob::http::directory::decode_statements(&answer).unwrap();
        println!(
            "{} of {count} statements with a chain and a hybrid key fit",
            read.len()
        );
        assert!(read.len() >= count.min(3));
    }
}
