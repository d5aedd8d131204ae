//! Traffic that means nothing: it looks like what means something, and leaves no other trace.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::Suite;
use ringtrue_session::{
    Action, CoverKind, CoverSession, Covered, PeerKeys, Placement, Role, Verdict, WallClock,
};
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::attacker::{fail_requests, fresh_key, statement};
use crate::jitter::FixedJitter;
use crate::net::Sent;
use crate::phone::{Phone, Reply};
use crate::placing::known;
use crate::sim::{run, run_all};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, CPS_SPARE, World, base, number};

/// The callee and its keys: three, so that a filler is needed.
fn destination(world: &mut World, caller: &mut Phone) -> Vec<(TelephoneNumber, PeerKeys)> {
    let theirs = statement(world, &world.credential(&[CALLEE]), |draft| {
        draft.keys = vec![
            fresh_key(Suite::S1),
            fresh_key(Suite::S2),
            fresh_key(Suite::S2),
        ];
        draft.cps = vec![base(CPS_CALLEE), base(CPS_SPARE)];
    });
    let keys = known(world, caller, &[&theirs]);
    world.net.sent.clear();
    vec![(number(CALLEE), keys)]
}

fn cover(
    world: &mut World,
    caller: &mut Phone,
    destinations: &[(TelephoneNumber, PeerKeys)],
) -> Result<Covered, Reason> {
    let now = caller.now(world.ms);
    let deadline = world.in_ms(1500);
    let context = Arc::clone(&caller.context);
    let session = CoverSession::store(context, destinations, deadline, now)?;
    Ok(run(world, caller, session))
}

/// What anyone but the holder of a key sees of a request: everything except which octets a blob has.
fn shape(sent: &Sent, from: u64) -> String {
    let request = &sent.request;
    let mut suites: Vec<_> = sent
        .blobs()
        .iter()
        .map(|blob| (blob.suite(), blob.class()))
        .collect();
    suites.sort_unstable_by_key(|(suite, _)| *suite);
    format!(
        "{} {:?} {:?} {} {:?} {} {suites:?}",
        sent.ms - from,
        sent.role,
        request.method,
        request.url,
        request.headers,
        request.body.len(),
    )
}

#[test]
fn a_cover_store_is_a_real_store_in_everything_but_what_opens() {
    for octet in [0, 200] {
        let (mut world, caller, mut callee) = World::with_phones();
        let credential = caller.credential.clone();
        let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
            builder.policy.store_jitter = Duration::from_millis(400);
            builder.provider = Arc::new(FixedJitter(octet));
        });
        let destinations = destination(&mut world, &mut caller);
        let from = world.ms;
        let session = world.placing_with(&caller, CALLEE, destinations[0].1.clone(), false);
        let placed = run(&mut world, &mut caller, session);
        assert_eq!(placed.placement, Placement::Stored);
        let real: Vec<_> = world
            .net
            .sent
            .iter()
            .map(|sent| shape(sent, from))
            .collect();
        assert_eq!(real.len(), 1);

        world.net.sent.clear();
        let from = world.ms;
        let covered = cover(&mut world, &mut caller, &destinations).unwrap();
        assert_eq!(covered.kind, CoverKind::Store);
        assert!(covered.done);
        assert_eq!(covered.reasons, []);
        let covers: Vec<_> = world
            .net
            .sent
            .iter()
            .map(|sent| shape(sent, from))
            .collect();
        assert_eq!(covers, real);
        callee.claims.clear();
    }
}

#[test]
fn nobody_is_told_of_a_call_by_a_cover_store() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let session = world.lookup(&caller, CALLEE, false);
    let keys = run(&mut world, &mut caller, session).keys;
    let covered = cover(&mut world, &mut caller, &[(number(CALLEE), keys)]).unwrap();
    assert!(covered.done);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.blobs.received, 1);
    assert_eq!(outcome.verdict.blobs.opened, 0);
    assert_eq!(outcome.verdict.reasons, []);
}

#[test]
fn a_cover_store_asks_no_directory_signs_nothing_and_writes_nothing() {
    let (mut world, mut caller, _) = World::with_phones();
    let destinations = destination(&mut world, &mut caller);
    let others = Rc::new(Cell::new(0));
    let count = Rc::clone(&others);
    caller.on(move |action, _| {
        let is_store = matches!(
            action,
            Action::Request {
                role: Role::Store,
                ..
            }
        );
        count.set(count.get() + u32::from(!is_store));
        None
    });
    assert!(cover(&mut world, &mut caller, &destinations).unwrap().done);
    assert_eq!(others.get(), 0);
    assert_eq!(world.net.sent.len(), 1);
}

#[test]
fn a_cover_store_turns_to_another_service_like_a_real_one() {
    let (mut world, mut caller, _) = World::with_phones();
    let destinations = destination(&mut world, &mut caller);
    caller.on(|action, _| match action {
        Action::Request { request, .. } if request.url.contains(CPS_CALLEE) => {
            Some(Reply::TimesOut)
        }
        _ => None,
    });
    let covered = cover(&mut world, &mut caller, &destinations).unwrap();
    assert!(covered.done);
    assert_eq!(covered.reasons, [Reason::ServiceFailedOver]);
    fail_requests(&mut caller, Role::Store, Reason::TlsFailed);
    let covered = cover(&mut world, &mut caller, &destinations).unwrap();
    assert!(!covered.done);
    assert!(covered.reasons.contains(&Reason::TlsFailed));
}

#[test]
fn without_live_keys_at_hand_a_cover_store_is_skipped_and_nobody_asked() {
    let (mut world, mut caller, _) = World::with_phones();
    assert_eq!(
        cover(&mut world, &mut caller, &[]),
        Err(Reason::CoverSkipped)
    );
    let nothing = [(number(CALLEE), PeerKeys::default())];
    assert_eq!(
        cover(&mut world, &mut caller, &nothing),
        Err(Reason::CoverSkipped)
    );
    let destinations = destination(&mut world, &mut caller);
    world.ms += 8 * 86_400_000;
    assert_eq!(
        cover(&mut world, &mut caller, &destinations),
        Err(Reason::CoverSkipped)
    );
    caller.clock = Box::new(|_| WallClock::Unset);
    assert_eq!(
        cover(&mut world, &mut caller, &destinations),
        Err(Reason::ClockUnset)
    );
    assert!(world.net.sent.is_empty());
}

#[test]
fn every_destination_at_hand_is_drawn() {
    let (mut world, mut caller, _) = World::with_phones();
    let theirs = destination(&mut world, &mut caller).remove(0).1;
    let many: Vec<_> = (0..4)
        .map(|last| (number(&format!("1202555012{last}")), theirs.clone()))
        .collect();
    for _ in 0..80 {
        assert!(cover(&mut world, &mut caller, &many).unwrap().done);
    }
    for (number, _) in &many {
        let path = format!("/cps/{}/ppts", number.as_str());
        let times = world
            .net
            .sent
            .iter()
            .filter(|sent| sent.request.url.contains(&path));
        assert!(times.count() > 3);
    }
}

#[test]
fn cover_polls_are_the_polls_of_a_ringing_call() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let mut seen = Vec::new();
    for is_cover in [false, true] {
        world.net.sent.clear();
        let from = world.ms;
        if is_cover {
            let context = Arc::clone(&callee.context);
            let session = CoverSession::poll(context, callee.now(from)).unwrap();
            let covered = run(&mut world, &mut callee, session);
            assert_eq!(covered.kind, CoverKind::Poll);
            assert!(covered.done);
        } else {
            let session = world.ringing(&callee, CALLER);
            run_all(&mut world, &mut callee, session);
            // What is used up must not be used up by a cover.
            assert_eq!(callee.claims.len(), 1);
        }
        let sent = world.net.sent.iter();
        let sent: Vec<_> = sent.map(|sent| (sent.ms - from, sent.seen())).collect();
        assert_eq!(sent.len(), 3);
        seen.push(sent);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(callee.claims.len(), 1);
}
