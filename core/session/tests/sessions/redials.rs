//! Several honest calls between the same two numbers within one second.

use std::sync::Arc;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    Action, AnswerSession, AwaitAnswerSession, Input, Placement, Role, Verdict,
};
use ringtrue_stir::Reason;

use crate::phone::{Reply, id_of};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, World};

#[test]
fn calls_announced_within_one_second_are_each_verified() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let second = world.unix();
    for _ in 0..4 {
        world.place_well(&mut caller, CALLEE);
    }
    assert_eq!(world.unix(), second, "the calls were not within one second");
    for _ in 0..4 {
        let rang = world.ring(&mut callee, CALLER);
        assert_eq!(
            rang.verdict.verdict,
            Verdict::Verified,
            "{:?}",
            rang.verdict
        );
    }
    // There was one PASSporT for each call, and not one more.
    let rang = world.ring(&mut callee, CALLER).verdict;
    assert_eq!(rang.verdict, Verdict::Refused);
    assert_eq!(rang.reasons, [Reason::Replayed]);
}

#[test]
fn answers_sent_within_one_second_are_each_verified() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let mut calls = Vec::new();
    for _ in 0..2 {
        let expected = world.place_well(&mut caller, CALLEE).answer.unwrap();
        let rang = world.ring(&mut callee, CALLER);
        calls.push((expected, rang.call.expect("a verified call")));
    }
    let second = world.unix();
    for (_, call) in &calls {
        let context = Arc::clone(&callee.context);
        let until = world.in_ms(2500);
        let session = AnswerSession::new(context, call.clone(), CallPhase::Answered, until);
        assert!(run(&mut world, &mut callee, session.unwrap()).sent);
    }
    assert_eq!(
        world.unix(),
        second,
        "the answers were not within one second"
    );
    for (expected, _) in calls {
        let context = Arc::clone(&caller.context);
        let until = world.in_ms(10_000);
        let now = caller.now(world.ms);
        let session = AwaitAnswerSession::new(context, expected, until, now);
        let outcome = run(&mut world, &mut caller, session);
        assert_eq!(
            outcome.verdict.verdict,
            Verdict::Verified,
            "{:?}",
            outcome.verdict
        );
    }
}

#[test]
fn a_store_that_does_not_mark_dates_keeps_no_call_from_being_announced() {
    for fails in [false, true] {
        let (mut world, mut caller, _) = World::with_phones();
        caller.on(move |action, _| match action {
            Action::Claim { .. } if fails => {
                let failed = Err(Reason::StateUnavailable);
                Some(Reply::With(Input::Claimed(id_of(action), failed)))
            }
            Action::Claim { .. } => Some(Reply::Never),
            _ => None,
        });
        let started = world.ms;
        let placed = world.place(&mut caller, CALLEE);
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        assert!(world.ms - started < 1000, "{}", world.ms - started);
    }
}

/// The simulation fails a session that asks to be woken again and again at the same time.
#[test]
fn waits_quietly_for_slow_keys_when_the_store_does_not_mark_dates() {
    let (mut world, mut caller, _) = World::with_phones();
    caller.on(|action, _| match action {
        Action::Claim { .. } => Some(Reply::Never),
        Action::Request {
            role: Role::Lookup, ..
        } => Some(Reply::After(700)),
        _ => None,
    });
    let started = world.ms;
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    assert!(world.ms - started >= 700);
}

#[test]
fn a_date_is_never_moved_out_of_what_readers_allow() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    caller.on(|action, _| match action {
        // Every date seems taken.
        Action::Claim { .. } => Some(Reply::With(Input::Claimed(id_of(action), Ok(false)))),
        _ => None,
    });
    world.place_well(&mut caller, CALLEE);
    let rang = world.ring(&mut callee, CALLER);
    assert_eq!(
        rang.verdict.verdict,
        Verdict::Verified,
        "{:?}",
        rang.verdict
    );
    let ahead = rang.call.unwrap().claims().iat().since(world.unix());
    assert!(ahead.as_secs() <= 5, "{ahead:?}");
}
