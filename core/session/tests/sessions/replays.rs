//! One PASSporT, one call: replays, races for a claim, and calls that are gone.

use ringtrue_oob::CallPhase;
use ringtrue_session::{Action, CheckName, CheckResult, Input, RingOutcome, Verdict};
use ringtrue_stir::Reason;

use crate::attacker::{Forged, leave, leave_at, report};
use crate::phone::Reply;
use crate::sim::Running;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_SPARE, World, first};

fn result_of(outcome: &RingOutcome, name: CheckName) -> CheckResult {
    let made = outcome
        .verdict
        .checks
        .iter()
        .find(|made| made.check == name);
    made.unwrap().result
}

fn assert_replayed(outcome: &RingOutcome) {
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(outcome.verdict.reasons[0], Reason::Replayed);
    let replayed = CheckResult::Failed(Reason::Replayed);
    assert_eq!(result_of(outcome, CheckName::Replay), replayed);
    assert_eq!(result_of(outcome, CheckName::Dest), CheckResult::Passed);
    assert_eq!(
        result_of(outcome, CheckName::State),
        CheckResult::NotReached
    );
    assert!(outcome.call.is_none());
}

#[test]
fn the_same_passport_in_a_later_poll_of_the_same_call_is_no_replay() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let rang = world.ring_all(&mut callee, CALLER);
    // Three polls brought the same blob; there was one verdict and it stayed.
    assert_eq!(rang.reports.len(), 1);
    assert_eq!(rang.reports[0].1.verdict.verdict, Verdict::Verified);
    assert_eq!(rang.output.unwrap().verdict.verdict, Verdict::Verified);
    assert_eq!(callee.claims.len(), 1);
}

#[test]
fn a_second_call_with_the_same_passport_is_a_replay() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    assert_replayed(&world.ring(&mut callee, CALLER));
}

#[test]
fn a_passport_resealed_under_another_call_nonce_is_a_replay() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential);
    leave(&mut world, &forged.content());
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    world.net.service(CPS_CALLEE).mailboxes.clear();
    leave(&mut world, &forged.with(|f| f.nonce = [8; 16]).content());
    assert_replayed(&world.ring(&mut callee, CALLER));
}

#[test]
fn a_passport_signed_again_for_the_same_call_is_a_replay() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential);
    leave(&mut world, &forged.content());
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    world.net.service(CPS_CALLEE).mailboxes.clear();
    // Another token text, the same (orig, dest, iat, signer).
    let again = forged.with(|forged| {
        forged.payload.insert("extra".into(), serde_json::json!(1));
    });
    leave(&mut world, &again.content());
    assert_replayed(&world.ring(&mut callee, CALLER));
}

#[test]
fn a_new_announcement_after_a_used_one_is_taken() {
    let (mut world, caller, mut callee) = World::with_phones();
    let old = Forged::call(&world, &caller.credential);
    leave(&mut world, &old.content());
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    world.ms += 2000;
    let new = Forged::call(&world, &caller.credential);
    leave(&mut world, &new.content());
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(
        outcome.call.unwrap().claims().iat().as_secs(),
        new.payload["iat"]
    );
}

#[test]
fn the_newest_passport_counts() {
    let (mut world, caller, mut callee) = World::with_phones();
    let newest = Forged::call(&world, &caller.credential);
    for age in [20, 0, 40] {
        leave(&mut world, &newest.clone().aged(age).content());
    }
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let iat = outcome.call.unwrap().claims().iat().as_secs();
    assert_eq!(iat, newest.payload["iat"]);
    assert_eq!(callee.claims.len(), 1, "older ones are not used up");
}

#[test]
fn an_older_passport_counts_where_the_newest_was_used() {
    let (mut world, caller, mut callee) = World::with_phones();
    let newest = Forged::call(&world, &caller.credential);
    leave(&mut world, &newest.content());
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    leave(&mut world, &newest.clone().aged(5).content());
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, [Reason::Replayed]);
}

/// Two processes of one telephone, or two calls at once: exactly one may show the call as verified.
#[test]
fn of_two_sessions_that_race_for_one_passport_exactly_one_wins() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    callee.on(|action, _| matches!(action, Action::Claim { .. }).then_some(Reply::After(50)));
    let mut racers = [CALLER, CALLER].map(|from| Running::new(world.ringing(&callee, from)));
    for _ in 0..600 {
        let until = world.ms + 10;
        for racer in &mut racers {
            racer.advance(&mut world, &mut callee, until);
        }
    }
    let [one, other] = racers.map(first);
    assert_eq!(one.verdict.verdict, Verdict::Verified);
    assert_replayed(&other);
}

#[test]
fn without_a_durable_mark_nothing_is_verified() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    callee.on(|action, _| match action {
        Action::Claim { id, .. } => Some(Reply::With(Input::Claimed(
            *id,
            Err(Reason::StateUnavailable),
        ))),
        _ => None,
    });
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports.len(), 1);
    let outcome = &rang.reports[0].1;
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::StateUnavailable]);
    assert!(outcome.call.is_none());
    // The mark was not made, so the call can still be verified.
    callee.hook = None;
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
}

#[test]
fn a_mark_that_hangs_is_no_verdict_but_the_deadlines() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    callee.on(|action, _| matches!(action, Action::Claim { .. }).then_some(Reply::Never));
    let started = world.ms;
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports[0].0, started + 2500);
    let outcome = first(rang);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
}

#[test]
fn the_mark_is_kept_longer_than_the_passport_is_fresh() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let iat = world.unix().as_secs();
    world.ring(&mut callee, CALLER);
    let expires = *callee.claims.values().next().unwrap();
    assert!(expires >= iat + 60 + 10 + 3599, "{expires}");
    assert!(expires <= iat + 86_400, "{expires}");
}

#[test]
fn a_caller_that_was_gone_before_the_verdict_conflicts() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential);
    leave(&mut world, &forged.content());
    leave(&mut world, &report(forged.nonce, CallPhase::Gone));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Conflicting);
    assert_eq!(outcome.verdict.reasons, [Reason::CallerGone]);
    let gone = CheckResult::Failed(Reason::CallerGone);
    assert_eq!(result_of(&outcome, CheckName::State), gone);
    assert_eq!(result_of(&outcome, CheckName::Replay), CheckResult::Passed);
    assert!(outcome.call.is_none());
}

#[test]
fn a_caller_that_is_gone_after_the_verdict_changes_it() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential);
    leave(&mut world, &forged.content());
    let mut ringing = Running::new(world.ringing(&callee, CALLER));
    let soon = world.ms + 500;
    ringing.advance(&mut world, &mut callee, soon);
    assert_eq!(ringing.reports[0].1.verdict.verdict, Verdict::Verified);
    leave(&mut world, &report(forged.nonce, CallPhase::Gone));
    let end = world.ms + 10_000;
    ringing.advance(&mut world, &mut callee, end);
    assert_eq!(ringing.reports.len(), 2);
    assert_eq!(ringing.reports[1].1.verdict.verdict, Verdict::Conflicting);
    assert_eq!(
        ringing.output.unwrap().verdict.verdict,
        Verdict::Conflicting
    );
}

#[test]
fn a_report_about_another_attempt_or_of_another_state_changes_nothing() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential);
    leave(&mut world, &forged.content());
    leave(&mut world, &report([1; 16], CallPhase::Gone));
    leave(&mut world, &report(forged.nonce, CallPhase::Answered));
    leave(&mut world, &report(forged.nonce, CallPhase::Alerting));
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports.len(), 1);
    assert_eq!(rang.reports[0].1.verdict.verdict, Verdict::Verified);
}

#[test]
fn a_report_alone_is_no_record() {
    let (mut world, _, mut callee) = World::with_phones();
    leave(&mut world, &report([7; 16], CallPhase::Gone));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.blobs.opened, 1);
}

/// The caller gave up and called again: the first attempt is over, the second one rings.
#[test]
fn an_attempt_that_is_gone_gives_way_to_the_one_that_is_not() {
    let (mut world, caller, mut callee) = World::with_phones();
    let ended = Forged::call(&world, &caller.credential);
    let alerting = ended.clone().aged(5).with(|forged| forged.nonce = [8; 16]);
    leave(&mut world, &ended.content());
    leave(&mut world, &alerting.content());
    leave(&mut world, &report(ended.nonce, CallPhase::Gone));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let iat = outcome.call.unwrap().claims().iat().as_secs();
    assert_eq!(iat, alerting.payload["iat"]);
}

#[test]
fn the_same_passport_at_two_services_is_one_call() {
    let mut world = World::new();
    let caller = world.phone(&[CALLER], &[CPS_CALLEE]);
    let mut callee = world.phone(&[CALLEE], &[CPS_CALLEE, CPS_SPARE]);
    world.publish(&mut callee).unwrap();
    let content = Forged::call(&world, &caller.credential).content();
    leave_at(&mut world, CPS_CALLEE, CALLEE, &content);
    leave_at(&mut world, CPS_SPARE, CALLEE, &content);
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports.len(), 1);
    assert_eq!(rang.reports[0].1.verdict.verdict, Verdict::Verified);
    assert_eq!(callee.claims.len(), 1);
}
