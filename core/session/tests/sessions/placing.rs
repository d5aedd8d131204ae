//! Announcing a call: which copies go where, and what comes of faults.

use std::sync::Arc;

use ringtrue_lab::{CaSpec, Credential as LabCredential, LeafSpec};
use ringtrue_oob::Suite;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::{HttpResponse, placement};
use ringtrue_oob::statement::SignedStatement;
use ringtrue_session::{Action, Input, PeerKeys, Placed, Placement, Role, Verdict};
use ringtrue_stir::{Reason, UnixTime};

use crate::attacker::{answer_lookups, fail_requests, fresh_key, opened, statement};
use crate::net::Sent;
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{
    CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, CPS_SPARE, STRANGER, World, base, number, told,
};

pub(crate) fn assert_unprotected(placed: &Placed, reasons: &[Reason]) {
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(told(placed), reasons);
    assert_eq!(placed.copies, 0);
    assert!(placed.answer.is_none());
}

/// The stores that were sent, with how many blobs each.
pub(crate) fn stores(sent: &[Sent]) -> Vec<(&str, usize)> {
    let stores = sent.iter().filter(|sent| sent.role == Role::Store);
    stores
        .map(|sent| (sent.authority(), sent.blobs().len()))
        .collect()
}

/// Looks these statements up, so that the caller holds them in memory.
pub(crate) fn known(world: &mut World, caller: &mut Phone, held: &[&SignedStatement]) -> PeerKeys {
    let texts: Vec<&str> = held
        .iter()
        .map(|signed| signed.directory.as_str())
        .collect();
    answer_lookups(caller, &texts);
    let session = world.lookup(caller, CALLEE, true);
    let found = run(world, caller, session);
    assert_eq!(found.notices, []);
    caller.hook = None;
    found.keys
}

/// Places with these statements known.
fn place_to(world: &mut World, caller: &mut Phone, held: &[&SignedStatement]) -> Placed {
    let keys = known(world, caller, held);
    world.net.sent.clear();
    let session = world.placing_with(caller, CALLEE, keys, false);
    run(world, caller, session)
}

#[test]
fn one_copy_per_key_and_all_for_one_service_in_one_request() {
    let (mut world, mut caller, _) = World::with_phones();
    let two_keys = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.keys.push(fresh_key(Suite::S2));
    });
    let another = statement(&world, &world.credential(&[CALLEE]), |_| {});
    let placed = place_to(&mut world, &mut caller, &[&two_keys, &another]);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(placed.copies, 3);
    // And a filler (W-18).
    assert_eq!(stores(&world.net.sent), [(CPS_CALLEE, 4)]);
}

#[test]
fn copies_go_to_the_service_of_their_own_statement() {
    let (mut world, mut caller, _) = World::with_phones();
    let one = statement(&world, &world.credential(&[CALLEE]), |_| {});
    let other = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.cps = vec![base(CPS_SPARE)];
    });
    let placed = place_to(&mut world, &mut caller, &[&one, &other]);
    assert_eq!((placed.placement, placed.copies), (Placement::Stored, 2));
    let mut asked = stores(&world.net.sent);
    asked.sort_unstable();
    assert_eq!(asked, [(CPS_CALLEE, 1), (CPS_SPARE, 1)]);
}

#[test]
fn a_provisioned_service_replaces_those_of_the_statements() {
    let (mut world, caller, _) = World::with_phones();
    let credential = caller.credential.clone();
    let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.services.placement = Some(base("provisioned.example"));
    });
    world.net.service("provisioned.example");
    let one = statement(&world, &world.credential(&[CALLEE]), |_| {});
    let other = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.cps = vec![base(CPS_SPARE)];
    });
    let placed = place_to(&mut world, &mut caller, &[&one, &other]);
    assert_eq!((placed.placement, placed.copies), (Placement::Stored, 2));
    assert_eq!(stores(&world.net.sent), [("provisioned.example", 2)]);
}

#[test]
fn of_more_than_eight_keys_the_eight_newest_are_used() {
    let (mut world, mut caller, _) = World::with_phones();
    let keys = |count| (0..count).map(|_| fresh_key(Suite::S1)).collect::<Vec<_>>();
    let older = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.iat = UnixTime::from_secs(draft.iat.as_secs() - 100);
        draft.cps = vec![base(CPS_SPARE)];
        draft.keys = keys(5);
    });
    let newer = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.keys = keys(5)
    });
    let placed = place_to(&mut world, &mut caller, &[&older, &newer]);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(told(&placed), [Reason::KeysTruncated]);
    assert_eq!(placed.copies, 8);
    // Five copies and three, each request rounded up (W-18).
    assert_eq!(stores(&world.net.sent), [(CPS_CALLEE, 8), (CPS_SPARE, 4)]);
}

#[test]
fn what_is_sealed_names_its_service_and_statement_and_the_callers_address() {
    let (mut world, mut caller, callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    let store = world
        .net
        .sent
        .iter()
        .find(|sent| sent.role == Role::Store)
        .unwrap();
    let content = opened(&callee, CALLEE, &store.blobs()[0]).unwrap();
    assert_eq!(content.cps.as_deref(), Some(CPS_CALLEE));
    assert_eq!(content.ppts.len(), 1);
    assert_eq!(content.x5c.len(), 2);
    assert!(content.st.is_none());
    let rsp = content.rsp.unwrap();
    assert!(rsp.want);
    assert_eq!(rsp.to, base(CPS_CALLER).as_str());
    let eks = ringtrue_oob::statement::KeyStatement::parse(&rsp.eks).unwrap();
    assert!(!eks.has_x5c(), "certificates travel once");
    let held = crate::attacker::statements(&mut world, CALLEE);
    assert_eq!(content.ksd.as_ref(), Some(held[0].digest()));
}

#[test]
fn copies_share_the_call_nonce_and_differ_between_calls() {
    let (mut world, mut caller, callee) = World::with_phones();
    let mut nonces = Vec::new();
    for _ in 0..2 {
        world.net.sent.clear();
        world.ms += 2000;
        world.place_well(&mut caller, CALLEE);
        let store = world
            .net
            .sent
            .iter()
            .find(|sent| sent.role == Role::Store)
            .unwrap();
        nonces.push(opened(&callee, CALLEE, &store.blobs()[0]).unwrap().n);
    }
    assert!(nonces[0] != nonces[1]);
}

// W-37: whoever watches the directory saw the call begin, and the result says so.
#[test]
fn a_call_that_had_to_look_keys_up_says_so_and_the_next_one_does_not() {
    let (mut world, mut caller, _) = World::with_phones();
    let first = world.place_well(&mut caller, CALLEE);
    assert_eq!(first.reasons, [Reason::KeysJustInTime]);
    // From the state record, and from memory.
    let second = world.place_well(&mut caller, CALLEE);
    assert_eq!(second.reasons, []);
    let session = world.placing_with(&caller, CALLEE, first.keys, true);
    let third = run(&mut world, &mut caller, session);
    assert_eq!(
        (third.placement, third.reasons),
        (Placement::Stored, vec![])
    );
    assert_eq!(world.net.count(Role::Lookup), 1);
    // Not finding any, too.
    let none = world.place(&mut caller, STRANGER);
    assert_eq!(none.reasons, [Reason::NoUsableKey, Reason::KeysJustInTime]);
}

#[test]
fn without_keys_nothing_is_signed_and_the_call_is_unprotected() {
    let (mut world, mut caller, _) = World::with_phones();
    caller.on(|action, _| {
        assert!(!matches!(action, Action::Sign { .. }));
        None
    });
    assert_unprotected(&world.place(&mut caller, STRANGER), &[Reason::NoUsableKey]);
}

#[test]
fn an_answer_is_not_awaited_without_own_keys_and_the_call_is_announced() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    caller.records.clear();
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(told(&placed), [Reason::KeysNotPublished]);
    assert!(placed.answer.is_none());
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    assert!(!call.wants_answer());
}

/// Nothing can be sealed to an expired statement: no answer is asked for, and none awaited.
#[test]
fn an_answer_is_not_awaited_with_an_expired_own_statement() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.ms += 86_400_000;
    world.publish(&mut callee).unwrap();
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(told(&placed), [Reason::KeysNotPublished]);
    assert!(placed.answer.is_none());
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    assert!(!call.wants_answer());
}

#[test]
fn an_answer_that_was_not_asked_for_is_not_awaited() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let session = world.placing_with(&caller, CALLEE, PeerKeys::default(), false);
    let placed = run(&mut world, &mut caller, session);
    assert_eq!(placed.placement, Placement::Stored);
    assert!(placed.answer.is_none());
    assert!(!world.ring(&mut callee, CALLER).call.unwrap().wants_answer());
}

#[test]
fn a_service_that_fails_gives_way_to_the_next_of_the_statement() {
    let mut world = World::new();
    let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let mut callee = world.phone(&[CALLEE], &["down.example", CPS_SPARE]);
    world.publish(&mut caller).unwrap();
    world.publish(&mut callee).unwrap();
    world.net.sent.clear();
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(told(&placed), [Reason::ServiceFailedOver]);
    assert_eq!(
        stores(&world.net.sent),
        [("down.example", 1), (CPS_SPARE, 1)]
    );
    // The copy says the service that it was left at in the end.
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert!(!outcome.verdict.reasons.contains(&Reason::CpsMismatch));
}

#[test]
fn a_silent_service_leaves_time_for_the_next() {
    let mut world = World::new();
    let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let mut callee = world.phone(&[CALLEE], &[CPS_CALLEE, CPS_SPARE]);
    world.publish(&mut caller).unwrap();
    world.publish(&mut callee).unwrap();
    caller.on(|action, _| match action {
        Action::Request { request, .. } if request.url.contains(CPS_CALLEE) => {
            Some(Reply::TimesOut)
        }
        _ => None,
    });
    let started = world.ms;
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(told(&placed), [Reason::ServiceFailedOver]);
    assert!(world.ms <= started + 1500, "{}", world.ms - started);
}

#[test]
fn when_every_service_fails_the_call_is_unprotected() {
    for reason in [
        Reason::ServiceUnreachable,
        Reason::AddressNotAllowed,
        Reason::TlsFailed,
    ] {
        let (mut world, mut caller, _) = World::with_phones();
        fail_requests(&mut caller, Role::Store, reason);
        assert_unprotected(&world.place(&mut caller, CALLEE), &[reason]);
    }
}

#[test]
fn a_service_that_asks_to_try_later_is_not_evaded() {
    let mut world = World::new();
    let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let mut callee = world.phone(&[CALLEE], &[CPS_CALLEE, CPS_SPARE]);
    world.publish(&mut caller).unwrap();
    world.publish(&mut callee).unwrap();
    world.net.sent.clear();
    caller.on(|action, _| match action {
        Action::Request {
            id,
            role: Role::Store,
            ..
        } => Some(Reply::With(Input::Response(
            *id,
            Ok(Problem::OverLimit.encode()),
        ))),
        _ => None,
    });
    assert_unprotected(&world.place(&mut caller, CALLEE), &[Reason::OverLimit]);
}

#[test]
fn one_of_two_services_is_enough_and_the_other_is_told() {
    let (mut world, mut caller, _) = World::with_phones();
    let one = statement(&world, &world.credential(&[CALLEE]), |_| {});
    let other = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.cps = vec![base("down.example")];
    });
    let placed = place_to(&mut world, &mut caller, &[&one, &other]);
    assert_eq!((placed.placement, placed.copies), (Placement::Stored, 1));
    assert_eq!(told(&placed), [Reason::ServiceUnreachable]);
}

#[test]
fn what_is_stored_by_the_deadline_counts_and_the_rest_is_given_up() {
    let (mut world, mut caller, _) = World::with_phones();
    let one = statement(&world, &world.credential(&[CALLEE]), |_| {});
    let other = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.cps = vec![base(CPS_SPARE)];
    });
    let keys = known(&mut world, &mut caller, &[&one, &other]);
    caller.on(|action, _| match action {
        Action::Request { request, .. } if request.url.contains(CPS_SPARE) => Some(Reply::Never),
        _ => None,
    });
    let started = world.ms;
    let session = world.placing_with(&caller, CALLEE, keys, true);
    let placed = run(&mut world, &mut caller, session);
    assert_eq!(world.ms, started + 1500);
    assert_eq!((placed.placement, placed.copies), (Placement::Stored, 1));
    assert_eq!(told(&placed), [Reason::DeadlinePassed]);
    assert!(placed.answer.is_some());
}

/// Whatever hangs, the call can be dialled when the time is up (PRV-42).
#[test]
fn whatever_hangs_placing_ends_at_its_deadline() {
    type Hung = fn(&Action) -> bool;
    let hung: [Hung; 4] = [
        |action| matches!(action, Action::Load { .. }),
        |action| matches!(action, Action::Sign { .. }),
        |action| {
            matches!(
                action,
                Action::Request {
                    role: Role::Lookup,
                    ..
                }
            )
        },
        |action| {
            matches!(
                action,
                Action::Request {
                    role: Role::Store,
                    ..
                }
            )
        },
    ];
    for hangs in hung {
        let (mut world, mut caller, _) = World::with_phones();
        caller.on(move |action, _| hangs(action).then_some(Reply::Never));
        let started = world.ms;
        let placed = world.place(&mut caller, CALLEE);
        assert_eq!(world.ms, started + 1500);
        assert_eq!(placed.placement, Placement::Unprotected);
        assert!(placed.reasons.contains(&Reason::DeadlinePassed));
        assert!(placed.answer.is_none());
    }
}

#[test]
fn answers_to_a_store_that_are_none_leave_the_call_unprotected() {
    let json = "application/json";
    let item = format!("/cps/{CALLEE}/ppts/AAAAAAAAAAAAAAAAAAAAAA");
    let cases: [(u16, &str, String, Reason); 9] = [
        (200, json, format!(r#"["{item}"]"#), Reason::MalformedAnswer),
        (
            201,
            "text/html",
            "<html>".into(),
            Reason::UnsupportedMediaType,
        ),
        (201, json, "[".into(), Reason::MalformedAnswer),
        (201, json, "[]".into(), Reason::MalformedAnswer),
        (
            201,
            json,
            format!(r#"["{item}","{item}"]"#),
            Reason::MalformedAnswer,
        ),
        (
            201,
            json,
            r#"["https://elsewhere.example/x"]"#.into(),
            Reason::MalformedAnswer,
        ),
        (201, json, " ".repeat(16_385), Reason::AnswerTooLarge),
        (302, json, String::new(), Reason::Redirected),
        (500, json, String::new(), Reason::ServiceError),
    ];
    for (status, content_type, body, reason) in cases {
        let (mut world, mut caller, _) = World::with_phones();
        let answer = HttpResponse {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into_bytes(),
        };
        caller.on(move |action, _| match action {
            Action::Request {
                id,
                role: Role::Store,
                ..
            } => Some(Reply::With(Input::Response(*id, Ok(answer.clone())))),
            _ => None,
        });
        let placed = world.place(&mut caller, CALLEE);
        assert_unprotected(&placed, &[reason]);
    }
}

#[test]
fn problems_of_the_service_are_told_by_their_names() {
    for (problem, reason) in [
        (Problem::TokenRequired, Reason::TokenRequired),
        (Problem::TokenRejected, Reason::TokenRejected),
        (Problem::OverLimit, Reason::OverLimit),
        (Problem::Unavailable, Reason::ServiceError),
    ] {
        let (mut world, mut caller, _) = World::with_phones();
        caller.on(move |action, _| match action {
            Action::Request {
                id,
                role: Role::Store,
                ..
            } => Some(Reply::With(Input::Response(*id, Ok(problem.encode())))),
            _ => None,
        });
        let placed = world.place(&mut caller, CALLEE);
        assert_eq!(placed.placement, Placement::Unprotected);
        assert_eq!(told(&placed), [reason], "{}", problem.name());
    }
}

/// A credential of the caller's whose chain has so many certificates.
fn long_chain(world: &World, certificates: usize) -> LabCredential {
    let at = world.unix();
    let spec = |name: usize| CaSpec {
        name: format!("an authority with quite a long name, number {name}"),
        path_len: None,
        ..CaSpec::new(None, at)
    };
    let mut ca = world.authority.root.subordinate(&spec(0)).unwrap();
    for name in 1..certificates - 1 {
        ca = ca.subordinate(&spec(name)).unwrap();
    }
    let credential = ca
        .issue(&LeafSpec::for_number(&number(CALLER), at))
        .unwrap();
    assert_eq!(credential.chain_der.len(), certificates);
    credential
}

/// A larger class would show that the blob is real.
#[test]
fn a_content_that_does_not_fit_leaves_the_call_unprotected() {
    let (mut world, _, _) = World::with_phones();
    let credential = long_chain(&world, 7);
    let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |_| {});
    let session = world.placing_with(&caller, CALLEE, PeerKeys::default(), false);
    let placed = run(&mut world, &mut caller, session);
    assert_unprotected(&placed, &[Reason::ContentTooLong]);
    assert_eq!(world.net.count(Role::Store), 0);
}

/// Better no answer than no announcement.
#[test]
fn a_request_for_an_answer_that_does_not_fit_is_left_out() {
    let (mut world, _, mut callee) = World::with_phones();
    let credential = long_chain(&world, 5);
    let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |_| {});
    world.publish(&mut caller).unwrap();
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(told(&placed), [Reason::ContentTooLong]);
    assert!(placed.answer.is_none());
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert!(!outcome.call.unwrap().wants_answer());
}

#[test]
fn the_requests_limits_and_deadline_are_told_to_the_host() {
    let (mut world, mut caller, _) = World::with_phones();
    let started = world.ms;
    caller.on(move |action, _| {
        if let Action::Request {
            role,
            max_answer_octets,
            deadline,
            ..
        } = action
        {
            assert!(deadline.as_ms() <= started + 1500);
            let limit = match role {
                Role::Store => placement::MAX_STORE_ANSWER_LEN,
                _ => 16_384,
            };
            assert_eq!(*max_answer_octets, limit);
        }
        None
    });
    world.place_well(&mut caller, CALLEE);
}

#[test]
fn contexts_share_one_endpoint_between_many_sessions() {
    let (mut world, mut caller, _) = World::with_phones();
    let known = world.place_well(&mut caller, CALLEE).keys;
    let clones: Vec<_> = (0..4).map(|_| Arc::clone(&caller.context)).collect();
    for _ in &clones {
        let session = world.placing_with(&caller, CALLEE, known.clone(), true);
        assert_eq!(
            run(&mut world, &mut caller, session).placement,
            Placement::Stored
        );
    }
    assert_eq!(world.net.service(CPS_CALLEE).mailboxes[CALLEE].len(), 5);
}
