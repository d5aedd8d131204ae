//! A calendar clock that is not set, or jumps (W-35). Deadlines and polls are counted on the other one.

use std::sync::Arc;

use ringtrue_session::{
    Action, AwaitAnswerSession, Placement, PublishMode, PublishSession, RELEASE_DATE, Role,
    Verdict, WallClock,
};
use ringtrue_stir::Reason;

use crate::attacker::leave_call;
use crate::phone::{Phone, Reply};
use crate::sim::{Running, run};
use crate::world::{CALLEE, CALLER, START_MS, World, first, told};

/// Clocks that count as unset.
fn unset(phone: &mut Phone, case: usize) {
    let before_release = RELEASE_DATE.as_secs() * 1000 - 1;
    phone.clock = match case {
        0 => Box::new(|_| WallClock::Unset),
        1 => Box::new(|_| WallClock::UnixMs(0)),
        _ => Box::new(move |_| WallClock::UnixMs(before_release)),
    };
}

#[test]
fn an_unset_clock_never_verifies_and_nobody_is_asked() {
    for case in 0..3 {
        let (mut world, mut caller, mut callee) = World::with_phones();
        world.place_well(&mut caller, CALLEE);
        world.net.sent.clear();
        unset(&mut callee, case);
        let rang = world.ring_all(&mut callee, CALLER);
        assert_eq!(rang.reports.len(), 1);
        let outcome = first(rang);
        assert_eq!(outcome.verdict.verdict, Verdict::ClockUnset);
        assert_eq!(outcome.verdict.reasons, [Reason::ClockUnset]);
        assert!(outcome.call.is_none());
        assert_eq!(world.net.sent.len(), 0);
        assert!(callee.claims.is_empty());
    }
}

#[test]
fn a_clock_that_shows_the_release_date_counts_as_set() {
    let (mut world, _, mut callee) = World::with_phones();
    let release = RELEASE_DATE.as_secs() * 1000;
    callee.clock = Box::new(move |_| WallClock::UnixMs(release));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
}

#[test]
fn an_unset_clock_announces_nothing() {
    for case in 0..3 {
        let (mut world, mut caller, _) = World::with_phones();
        unset(&mut caller, case);
        let placed = world.place(&mut caller, CALLEE);
        assert_eq!(placed.placement, Placement::Unprotected);
        assert_eq!(told(&placed), [Reason::ClockUnset]);
        assert!(placed.answer.is_none());
        assert_eq!(world.net.count(Role::Store), 0);
    }
}

#[test]
fn an_unset_clock_publishes_nothing_and_looks_nothing_up() {
    for case in 0..3 {
        let mut world = World::new();
        let mut phone = world.phone(&[CALLER], &["cps.caller.example"]);
        unset(&mut phone, case);
        assert_eq!(world.publish(&mut phone), Err(Reason::ClockUnset));
        let session = world.lookup(&phone, CALLEE, true);
        let found = run(&mut world, &mut phone, session);
        assert_eq!(found.notices, [Reason::ClockUnset]);
        assert!(phone.records.is_empty());
        assert_eq!(world.net.sent.len(), 0);
    }
}

#[test]
fn an_unset_clock_verifies_no_answer() {
    let (mut world, mut caller, _) = World::with_phones();
    let expected = world.place_well(&mut caller, CALLEE).answer.unwrap();
    unset(&mut caller, 0);
    let session = AwaitAnswerSession::new(
        Arc::clone(&caller.context),
        expected,
        world.in_ms(3000),
        caller.now(world.ms),
    );
    let outcome = run(&mut world, &mut caller, session);
    assert_eq!(outcome.verdict.verdict, Verdict::ClockUnset);
    assert_eq!(outcome.verdict.reasons, [Reason::ClockUnset]);
}

#[test]
fn a_clock_that_is_lost_while_the_call_rings_never_verifies() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let started = world.ms;
    callee.clock = Box::new(move |ms| {
        if ms == started {
            WallClock::UnixMs(START_MS + ms)
        } else {
            WallClock::Unset
        }
    });
    let rang = world.ring_all(&mut callee, CALLER);
    for (_, outcome) in &rang.reports {
        assert_eq!(outcome.verdict.verdict, Verdict::ClockUnset);
        assert_eq!(outcome.verdict.reasons, [Reason::ClockUnset]);
    }
    assert!(!rang.reports.is_empty());
    assert!(callee.claims.is_empty());
}

#[test]
fn a_clock_put_forward_or_back_makes_stale_or_future_what_is_judged_then() {
    for (jump, reason) in [
        (3_600_000_i64, Reason::IatStale),
        (-3_600_000, Reason::IatInFuture),
    ] {
        let (mut world, mut caller, mut callee) = World::with_phones();
        world.place_well(&mut caller, CALLEE);
        let started = world.ms;
        callee.clock = Box::new(move |ms| {
            let shown = (START_MS + ms).checked_add_signed(if ms > started { jump } else { 0 });
            WallClock::UnixMs(shown.unwrap())
        });
        let rang = world.ring_all(&mut callee, CALLER);
        // No poll moved.
        assert_eq!(rang.reports[0].0, started + 20);
        let outcome = first(rang);
        assert_eq!(outcome.verdict.verdict, Verdict::Refused);
        assert_eq!(outcome.verdict.reasons, [reason]);
    }
}

#[test]
fn a_clock_put_back_after_the_verdict_lets_nothing_through_twice() {
    let (mut world, caller, mut callee) = World::with_phones();
    leave_call(&mut world, &caller.credential);
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    callee.clock = Box::new(|ms| WallClock::UnixMs(START_MS + ms - 5_000));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(outcome.verdict.reasons, [Reason::Replayed]);
}

#[test]
fn a_clock_lost_between_signature_and_use_ends_every_session_in_that_reason() {
    let (mut world, mut caller, _) = World::with_phones();
    let lost = |phone: &mut Phone, from: u64| {
        phone.on(|action, _| matches!(action, Action::Sign { .. }).then_some(Reply::After(100)));
        phone.clock = Box::new(move |ms| {
            if ms < from + 90 {
                WallClock::UnixMs(START_MS + ms)
            } else {
                WallClock::Unset
            }
        });
    };
    lost(&mut caller, world.ms);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(told(&placed), [Reason::ClockUnset]);

    let mut phone = world.phone(&[CALLER], &["cps.caller.example"]);
    lost(&mut phone, world.ms);
    assert_eq!(world.publish(&mut phone), Err(Reason::ClockUnset));
    assert!(phone.records.is_empty());
}

#[test]
fn a_session_that_began_without_a_clock_ends_at_once() {
    let (mut world, _, mut callee) = World::with_phones();
    unset(&mut callee, 0);
    let session = PublishSession::new(
        Arc::clone(&callee.context),
        PublishMode::Rotate,
        world.in_ms(10_000),
    );
    let mut running = Running::new(session);
    let now = world.ms;
    running.advance(&mut world, &mut callee, now);
    assert_eq!(running.output, Some(Err(Reason::ClockUnset)));
}
