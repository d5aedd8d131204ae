//! When and what is asked while a call rings, and what comes of silence.

use std::sync::Arc;

use ringtrue_oob::CallPhase;
use ringtrue_session::{Action, Role, Verdict};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, RustCrypto};

use crate::attacker::{Forged, key_of, leave, leave_call, report, sealed};
use crate::jitter::FixedJitter;
use crate::net::Sent;
use crate::phone::{Phone, Reply};
use crate::sim::run_all;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_SPARE, STRANGER, World, first, number, told};

/// When polls were made, in milliseconds after `started`.
fn polls(sent: &[Sent], started: u64) -> Vec<u64> {
    let polls = sent.iter().filter(|sent| sent.role == Role::Retrieve);
    polls.map(|sent| sent.ms - started).collect()
}

/// The callee again, with other cryptography and the same keys.
fn with_provider(world: &World, callee: Phone, provider: impl CryptoProvider + 'static) -> Phone {
    let credential = callee.credential.clone();
    let mut phone = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.provider = Arc::new(provider);
    });
    phone.records = callee.records;
    phone
}

#[test]
fn polls_come_at_once_and_near_one_and_two_and_a_half_seconds() {
    let (mut world, _, callee) = World::with_phones();
    let mut callee = with_provider(&world, callee, RustCrypto);
    let (mut second, mut third) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        world.net.sent.clear();
        let started = world.ms;
        world.ring_all(&mut callee, CALLER);
        let [at_once, one, two_and_a_half] = polls(&world.net.sent, started)[..] else {
            panic!("three polls")
        };
        assert_eq!(at_once, 0);
        assert!((800..=1200).contains(&one), "{one}");
        assert!((2000..=3000).contains(&two_and_a_half), "{two_and_a_half}");
        second.push(one);
        third.push(two_and_a_half);
    }
    for (times, nominal) in [(second, 1000), (third, 2500)] {
        // Two hundred draws reach into the outer tenths of the range on both sides.
        let (low, high) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*low < nominal * 84 / 100 && *high > nominal * 116 / 100);
    }
}

#[test]
fn the_bounds_of_the_jitter_are_exact() {
    for (octet, expected) in [(0, [0, 800, 2000]), (255, [0, 1200, 3000])] {
        let (mut world, _, callee) = World::with_phones();
        let mut callee = with_provider(&world, callee, FixedJitter(octet));
        let started = world.ms;
        world.ring_all(&mut callee, CALLER);
        assert_eq!(polls(&world.net.sent, started), expected);
    }
}

/// Whoever watches the service learns nothing from how the telephone asks (PRV-8, PRV-48).
#[test]
fn the_same_requests_are_sent_at_the_same_times_whatever_is_found() {
    type Scene = fn(&mut World, &Forged);
    let scenes: [(Verdict, Scene); 7] = [
        (Verdict::NoRecord, |_, _| {}),
        (Verdict::Verified, |world, good| {
            leave(world, &good.content())
        }),
        (Verdict::Refused, |world, good| {
            leave(world, &good.clone().aged(61).content());
        }),
        (Verdict::Conflicting, |world, good| {
            leave(world, &good.content());
            leave(world, &report(good.nonce, CallPhase::Gone));
        }),
        (Verdict::NoRecord, |world, _| {
            let key = key_of(world, CALLEE);
            for _ in 0..100 {
                let blob = sealed(&key, STRANGER, b"{}");
                let ms = world.ms;
                world.net.service(CPS_CALLEE).leave(CALLEE, blob, ms);
            }
        }),
        (Verdict::Verified, |world, good| {
            let mut content = good.content();
            content.rsp = Some(ringtrue_oob::RspRequest {
                to: "https://cps.caller.example".into(),
                want: true,
                eks: "a.b.c".into(),
            });
            leave(world, &content);
        }),
        (Verdict::NoRecord, |world, good| {
            let mut content = good.content();
            content.ppts = vec!["x".into(); 8];
            leave(world, &content);
        }),
    ];
    let (mut world, caller, mut callee) = World::with_phones();
    let mut seen = Vec::new();
    for (expected, scene) in scenes {
        world.net.sent.clear();
        world.net.service(CPS_CALLEE).mailboxes.clear();
        callee.claims.clear();
        let good = Forged::call(&world, &caller.credential);
        scene(&mut world, &good);
        let started = world.ms;
        let rang = world.ring_all(&mut callee, CALLER);
        assert_eq!(first(rang).verdict.verdict, expected);
        let sent: Vec<_> = world
            .net
            .sent
            .iter()
            .map(|sent| (sent.ms - started, sent.seen()))
            .collect();
        assert_eq!(sent.len(), 3);
        seen.push(sent);
    }
    for other in &seen[1..] {
        assert_eq!(*other, seen[0]);
    }
}

#[test]
fn a_verdict_that_decides_is_told_on_the_poll_that_brought_it() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let started = world.ms;
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports[0].0, started + 20);
    // The polls go on all the same.
    assert_eq!(polls(&world.net.sent, started).len(), 3);
    assert!(rang.ended_ms.unwrap() >= started + 2000);
}

#[test]
fn no_record_is_told_only_after_the_last_poll_that_fits() {
    let (mut world, _, callee) = World::with_phones();
    let mut callee = with_provider(&world, callee, RustCrypto);
    for _ in 0..20 {
        world.net.sent.clear();
        let started = world.ms;
        let rang = world.ring_all(&mut callee, CALLER);
        let told = rang.reports[0].0 - started;
        let polls = polls(&world.net.sent, started);
        assert!(told <= 2500, "{told}");
        // What was not waited for had less than 200 ms to the deadline.
        for poll in polls {
            assert!(poll < told || poll + 200 > 2500, "{poll} {told}");
        }
        assert_eq!(rang.reports.len(), 1);
    }
}

#[test]
fn an_announcement_that_comes_late_is_found_by_a_later_poll() {
    let (mut world, caller, mut callee) = World::with_phones();
    let mut ringing = crate::sim::Running::new(world.ringing(&callee, CALLER));
    let soon = world.ms + 300;
    ringing.advance(&mut world, &mut callee, soon);
    assert!(ringing.reports.is_empty());
    leave_call(&mut world, &caller.credential);
    let end = world.ms + 60_000;
    ringing.advance(&mut world, &mut callee, end);
    assert_eq!(ringing.reports.len(), 1);
    assert_eq!(ringing.reports[0].1.verdict.verdict, Verdict::Verified);
}

#[test]
fn a_background_poll_turns_no_record_into_verified() {
    let (mut world, caller, mut callee) = World::with_phones();
    let context = Arc::clone(&callee.context);
    let session = ringtrue_session::RingSession::new(
        context,
        Some(number(CALLER)),
        Some(number(CALLEE)),
        world.in_ms(500),
        callee.now(world.ms),
    );
    let mut ringing = crate::sim::Running::new(session.unwrap());
    let soon = world.ms + 600;
    ringing.advance(&mut world, &mut callee, soon);
    assert_eq!(ringing.reports[0].1.verdict.verdict, Verdict::NoRecord);
    leave_call(&mut world, &caller.credential);
    let end = world.ms + 60_000;
    ringing.advance(&mut world, &mut callee, end);
    assert_eq!(ringing.reports.len(), 2);
    assert_eq!(ringing.reports[1].1.verdict.verdict, Verdict::Verified);
    assert_eq!(ringing.output.unwrap().verdict.verdict, Verdict::Verified);
}

#[test]
fn a_refusal_gives_way_to_a_good_passport_of_a_later_poll() {
    let (mut world, caller, mut callee) = World::with_phones();
    let good = Forged::call(&world, &caller.credential);
    leave(&mut world, &good.clone().aged(61).content());
    let mut ringing = crate::sim::Running::new(world.ringing(&callee, CALLER));
    let soon = world.ms + 300;
    ringing.advance(&mut world, &mut callee, soon);
    assert_eq!(ringing.reports[0].1.verdict.verdict, Verdict::Refused);
    leave(&mut world, &good.content());
    let end = world.ms + 60_000;
    ringing.advance(&mut world, &mut callee, end);
    assert_eq!(ringing.reports[1].1.verdict.verdict, Verdict::Verified);
}

#[test]
fn a_silent_service_is_unavailable_at_the_deadline_and_not_later() {
    for host_tells in [false, true] {
        let (mut world, _, mut callee) = World::with_phones();
        callee.on(move |action, _| match action {
            Action::Request { .. } if host_tells => Some(Reply::TimesOut),
            Action::Request { .. } => Some(Reply::Never),
            _ => None,
        });
        let started = world.ms;
        let rang = world.ring_all(&mut callee, CALLER);
        assert_eq!(rang.reports[0].0, started + 2500);
        assert!(rang.ended_ms.unwrap() <= started + 3000 + 2000);
        let outcome = first(rang);
        assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
        assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
    }
}

#[test]
fn a_service_that_answered_once_and_fell_silent_gives_no_record_and_says_so() {
    let (mut world, _, mut callee) = World::with_phones();
    let mut asked = 0;
    callee.on(move |action, _| match action {
        Action::Request { .. } => {
            asked += 1;
            (asked > 1).then_some(Reply::Never)
        }
        _ => None,
    });
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
}

#[test]
fn a_service_that_cannot_be_reached_is_unavailable_for_its_reason() {
    for reason in [
        Reason::ServiceUnreachable,
        Reason::TlsFailed,
        Reason::Redirected,
        Reason::AddressNotAllowed,
        Reason::AnswerTooLarge,
    ] {
        let (mut world, mut caller, mut callee) = World::with_phones();
        world.place_well(&mut caller, CALLEE);
        crate::attacker::fail_requests(&mut callee, Role::Retrieve, reason);
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
        assert_eq!(outcome.verdict.reasons, [reason]);
        // Nothing was used up: the next call works.
        callee.hook = None;
        assert_eq!(
            world.ring(&mut callee, CALLER).verdict.verdict,
            Verdict::Verified
        );
    }
}

#[test]
fn an_answer_after_the_deadline_still_changes_the_verdict() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    callee.on(|action, _| matches!(action, Action::Request { .. }).then_some(Reply::After(2600)));
    let rang = world.ring_all(&mut callee, CALLER);
    let verdicts: Vec<_> = rang
        .reports
        .iter()
        .map(|(_, o)| o.verdict.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Unavailable, Verdict::Verified]);
}

#[test]
fn one_silent_service_of_two_does_not_hold_a_verdict_up() {
    let mut world = World::new();
    let caller = world.phone(&[CALLER], &[CPS_CALLEE]);
    let mut callee = world.phone(&[CALLEE], &[CPS_SPARE, CPS_CALLEE]);
    world.publish(&mut callee).unwrap();
    world.net.sent.clear();
    leave_call(&mut world, &caller.credential);
    callee.on(|action, _| match action {
        Action::Request { request, .. } if request.url.contains(CPS_SPARE) => Some(Reply::Never),
        _ => None,
    });
    let started = world.ms;
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports[0].0, started + 20);
    assert_eq!(first(rang).verdict.verdict, Verdict::Verified);
}

#[test]
fn every_own_service_is_asked_on_every_poll() {
    let mut world = World::new();
    let mut callee = world.phone(&[CALLEE], &[CPS_CALLEE, CPS_SPARE]);
    world.publish(&mut callee).unwrap();
    world.net.sent.clear();
    world.ring_all(&mut callee, CALLER);
    let mut asked: Vec<&str> = world.net.sent.iter().map(Sent::authority).collect();
    asked.sort_unstable();
    let (one, other) = (CPS_CALLEE, CPS_SPARE);
    assert_eq!(asked, [one, one, one, other, other, other]);
}

#[test]
fn a_withheld_number_has_no_record_at_once_and_is_polled_all_the_same() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    world.net.sent.clear();
    let started = world.ms;
    let session = world.ringing_with(&callee, None, Some(CALLEE));
    let rang = run_all(&mut world, &mut callee, session);
    assert_eq!(rang.reports.len(), 1);
    assert_eq!(rang.reports[0].0, started);
    assert_eq!(polls(&world.net.sent, started).len(), 3);
    let outcome = first(rang);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::CallerWithheld]);
    assert_eq!(outcome.verdict.orig, None);
    assert!(callee.claims.is_empty());
}

#[test]
fn without_a_called_number_every_own_one_is_asked_and_the_right_one_named() {
    let mut world = World::new();
    let mut caller = world.phone(&[CALLER], &[CPS_CALLEE]);
    let mut callee = world.phone(&[STRANGER, CALLEE], &[CPS_CALLEE]);
    world.publish(&mut callee).unwrap();
    world.publish(&mut caller).unwrap();
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(told(&placed), []);
    world.net.sent.clear();
    let session = world.ringing_with(&callee, Some(CALLER), None);
    let rang = run_all(&mut world, &mut callee, session);
    assert_eq!(world.net.count(Role::Retrieve), 6);
    let outcome = first(rang);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.dest, Some(number(CALLEE)));
    assert_eq!(outcome.call.unwrap().dest(), &number(CALLEE));
}

#[test]
fn without_a_called_number_and_a_record_none_is_named() {
    let mut world = World::new();
    let mut callee = world.phone(&[STRANGER, CALLEE], &[CPS_CALLEE]);
    world.publish(&mut callee).unwrap();
    let session = world.ringing_with(&callee, Some(CALLER), None);
    let outcome = first(run_all(&mut world, &mut callee, session));
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.dest, None);
}

#[test]
fn an_announcement_for_one_own_number_is_none_for_the_other() {
    let mut world = World::new();
    let caller = world.phone(&[CALLER], &[CPS_CALLEE]);
    let mut callee = world.phone(&[STRANGER, CALLEE], &[CPS_CALLEE]);
    world.publish(&mut callee).unwrap();
    // For the one number, but left in the mailbox of the other by somebody who holds a key.
    let forged = Forged::call(&world, &caller.credential);
    crate::attacker::leave_at(&mut world, CPS_CALLEE, STRANGER, &forged.content());
    let session = world.ringing_with(&callee, Some(CALLER), None);
    let outcome = first(run_all(&mut world, &mut callee, session));
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(outcome.verdict.reasons, [Reason::DestMismatch]);
}

#[test]
fn an_endpoint_without_keys_polls_and_says_why_nothing_opens() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    world.net.sent.clear();
    callee.records.clear();
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::KeysNotPublished]);
    assert_eq!(world.net.count(Role::Retrieve), 3);
}

#[test]
fn own_keys_that_cannot_be_read_are_told() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    for record in callee.records.values_mut() {
        record.truncate(100);
    }
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::MalformedRecord]);
}

#[test]
fn own_keys_that_never_load_give_a_verdict_at_the_deadline_and_say_so() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    callee.on(|action, _| matches!(action, Action::Load { .. }).then_some(Reply::Never));
    let started = world.ms;
    let rang = world.ring_all(&mut callee, CALLER);
    assert_eq!(rang.reports[0].0, started + 2500);
    let outcome = first(rang);
    assert!(!outcome.verdict.verdict.is_good());
    assert!(outcome.verdict.reasons.contains(&Reason::DeadlinePassed));
}

#[test]
fn a_telephone_that_slept_through_the_call_ends_without_hanging() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let mut ringing = crate::sim::Running::new(world.ringing(&callee, CALLER));
    callee.on(|action, _| matches!(action, Action::Request { .. }).then_some(Reply::Never));
    let now = world.ms;
    ringing.advance(&mut world, &mut callee, now);
    world.ms += 3_600_000;
    let end = world.ms + 10_000;
    ringing.advance(&mut world, &mut callee, end);
    assert_eq!(ringing.reports[0].1.verdict.verdict, Verdict::Unavailable);
    assert!(ringing.output.is_some());
}

/// A host may keep what is outstanding by its id.
#[test]
fn claims_and_requests_that_are_outstanding_together_have_different_ids() {
    let mut world = World::new();
    let caller = world.phone(&[CALLER], &[CPS_CALLEE]);
    let mut callee = world.phone(&[CALLEE], &[CPS_SPARE, CPS_CALLEE]);
    world.publish(&mut callee).unwrap();
    let newest = leave_call(&mut world, &caller.credential);
    assert_eq!(
        world.ring(&mut callee, CALLER).verdict.verdict,
        Verdict::Verified
    );
    leave(&mut world, &newest.aged(5).content());
    // Two claims, one after the other, while the first service is silent.
    callee.on(|action, _| match action {
        Action::Request { request, .. } if request.url.contains(CPS_SPARE) => Some(Reply::Never),
        _ => None,
    });
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, [Reason::Replayed]);
}
