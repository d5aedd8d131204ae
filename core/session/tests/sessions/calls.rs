//! Whole calls: both telephones, both directions.

use std::sync::Arc;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    AnswerSession, AwaitAnswerSession, BlobCounts, CheckResult, Monotonic, Placement, Role, Verdict,
};
use ringtrue_stir::Reason;
use serde_json::Value;

use crate::attacker::{Forged, leave};
use crate::sim::{Running, run, run_all};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, STRANGER, World, number, told};

/// Places a call, lets it ring and answers it: while the one side waits, the other works.
#[test]
fn a_two_way_call_verifies_both_sides() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(told(&placed), []);
    assert_eq!(placed.copies, 1);
    let expected = placed.answer.expect("an answer was asked for");
    let started = world.ms;

    let mut waiting = Running::new(AwaitAnswerSession::new(
        Arc::clone(&caller.context),
        expected,
        world.in_ms(30_000),
        caller.now(world.ms),
    ));
    let mut ringing = Running::new(world.ringing(&callee, CALLER));
    let mut answering: Option<Running<AnswerSession>> = None;
    while waiting.output.is_none() {
        let until = world.ms + 10;
        ringing.advance(&mut world, &mut callee, until);
        waiting.advance(&mut world, &mut caller, until);
        if answering.is_none()
            && let Some((_, outcome)) = ringing.reports.first()
        {
            let call = outcome.call.clone().expect("a verified call");
            let session = AnswerSession::new(
                Arc::clone(&callee.context),
                call,
                CallPhase::Alerting,
                world.in_ms(2500),
            );
            answering = Some(Running::new(session.unwrap()));
        }
        if let Some(answering) = &mut answering {
            answering.advance(&mut world, &mut callee, until);
        }
        world.ms = until;
    }

    let rang = &ringing.reports[0].1;
    assert_eq!(rang.verdict.verdict, Verdict::Verified);
    assert_eq!(rang.verdict.reasons, []);
    assert!(
        rang.verdict
            .checks
            .iter()
            .all(|c| c.result == CheckResult::Passed)
    );
    assert_eq!(rang.verdict.orig, Some(number(CALLER)));
    assert_eq!(rang.verdict.dest, Some(number(CALLEE)));
    let one = BlobCounts {
        received: 1,
        opened: 1,
    };
    assert_eq!(rang.verdict.blobs, one);

    let answered = answering.unwrap().output.unwrap();
    assert!(
        answered.sent && !answered.caller_gone,
        "{:?}",
        answered.reasons
    );

    let outcome = waiting.output.unwrap();
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, []);
    assert_eq!(outcome.verdict.checks.len(), 9);
    assert!(
        outcome
            .verdict
            .checks
            .iter()
            .all(|c| c.result == CheckResult::Passed)
    );
    assert_eq!(outcome.verdict.orig, Some(number(CALLER)));
    assert_eq!(outcome.verdict.dest, Some(number(CALLEE)));
    assert_eq!(outcome.state.unwrap().s, CallPhase::Alerting);
    assert!(world.ms - started < 2_000, "{}", world.ms - started);

    // One blob each way, each at the service of the one who is to read it.
    let stores: Vec<&str> = world
        .net
        .sent
        .iter()
        .filter(|sent| sent.role == Role::Store)
        .map(|sent| sent.authority())
        .collect();
    assert_eq!(stores, [CPS_CALLEE, CPS_CALLER]);
}

#[test]
fn warm_placing_and_ringing_to_the_verdict_take_one_request_each() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let known = world.place_well(&mut caller, CALLEE).keys;
    world.net.sent.clear();
    world.ms += 5_000;
    let session = world.placing_with(&caller, CALLEE, known, true);
    assert_eq!(
        run(&mut world, &mut caller, session).placement,
        Placement::Stored
    );
    assert_eq!(world.net.sent.len(), 1);
    let mut ringing = Running::new(world.ringing(&callee, CALLER));
    let soon = world.ms + 100;
    ringing.advance(&mut world, &mut callee, soon);
    assert_eq!(ringing.reports[0].1.verdict.verdict, Verdict::Verified);
    assert_eq!(world.net.sent.len(), 2);
}

#[test]
fn a_call_that_nobody_announced_has_no_record() {
    let (mut world, _, mut callee) = World::with_phones();
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, []);
    assert_eq!(outcome.verdict.checks, []);
    assert!(outcome.call.is_none());
}

#[test]
fn an_announcement_for_another_caller_has_no_record_here() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let outcome = world.ring(&mut callee, STRANGER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.orig, Some(number(STRANGER)));
    // It is not used up by that: the right call still finds it.
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
}

#[test]
fn a_blob_for_another_number_does_not_open() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    // The same key under another number: what opens is bound to the mailbox it was stored in.
    let numbers = [STRANGER];
    let credential = world.credential(&numbers);
    let mut moved = world.phone_with(&numbers, &[CPS_CALLEE], credential, |_| {});
    moved.records = callee.records.clone();
    let service = world.net.service(CPS_CALLEE);
    let blobs = service.mailboxes[CALLEE].clone();
    service.mailboxes.insert(STRANGER.to_owned(), blobs);
    let outcome = world.ring(&mut moved, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(
        (outcome.verdict.blobs.received, outcome.verdict.blobs.opened),
        (1, 0)
    );
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
}

#[test]
fn a_shaken_passport_counts_and_shows_its_attestation() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential).with(|forged| {
        forged.header.insert("ppt".into(), Value::from("shaken"));
        forged.payload.insert("attest".into(), Value::from("A"));
        let origid = "123e4567-e89b-12d3-a456-426655440000";
        forged.payload.insert("origid".into(), Value::from(origid));
    });
    leave(&mut world, &forged.content());
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let call = outcome.call.unwrap();
    assert_eq!(
        call.claims().origid(),
        Some("123e4567-e89b-12d3-a456-426655440000")
    );
    assert!(!call.wants_answer());
    assert_eq!(
        (call.orig(), call.dest()),
        (&number(CALLER), &number(CALLEE))
    );
}

#[test]
fn the_number_shown_is_that_of_signalling_whatever_the_token_says() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential);
    leave(&mut world, &forged.content());
    let rang = world.ring_all(&mut callee, STRANGER);
    for (_, outcome) in &rang.reports {
        assert_eq!(outcome.verdict.orig, Some(number(STRANGER)));
    }
}

#[test]
fn debug_output_of_results_shows_no_number() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let placed = world.place_well(&mut caller, CALLEE);
    let session = world.ringing(&callee, CALLER);
    let rang = run_all(&mut world, &mut callee, session);
    let text = format!("{placed:?} {:?} {:?}", rang.reports, callee.context);
    for number in [CALLER, CALLEE] {
        assert!(!text.contains(number), "{text}");
    }
}

#[test]
fn a_number_that_is_not_owned_is_refused_before_anything_is_asked() {
    let (world, caller, callee) = World::with_phones();
    let session = ringtrue_session::RingSession::new(
        Arc::clone(&callee.context),
        Some(number(CALLER)),
        Some(number(STRANGER)),
        Monotonic::from_ms(9_000),
        callee.now(world.ms),
    );
    assert_eq!(session.map(drop).unwrap_err(), Reason::NumberNotOwned);
    let session = ringtrue_session::PlaceSession::new(
        Arc::clone(&caller.context),
        number(STRANGER),
        number(CALLEE),
        ringtrue_session::PeerKeys::default(),
        true,
        false,
        Monotonic::from_ms(9_000),
    );
    assert_eq!(session.map(drop).unwrap_err(), Reason::NumberNotOwned);
}
