//! Sending connected identity back: only to whom it belongs, only where it may go (W-5).

use std::sync::Arc;

use ringtrue_lab::{Authority, Credential as LabCredential};
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::{CallPhase, RspRequest};
use ringtrue_session::{
    Action, AnswerSession, Answered, Input, Role, Verdict, VerifiedCall, WallClock,
};
use ringtrue_stir::crypto::DeviceSignature;
use ringtrue_stir::{Reason, UnixTime};

use crate::attacker::{Forged, fail_requests, leave, opened, report, statement};
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{
    CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, START_MS, STRANGER, World, base, number,
};

/// A verified call whose content asks for an answer like this.
fn call_with(
    world: &mut World,
    callee: &mut Phone,
    signer: &LabCredential,
    rsp: RspRequest,
) -> VerifiedCall {
    let forged = Forged::call(world, signer);
    let mut content = forged.content();
    content.rsp = Some(rsp);
    leave(world, &content);
    let outcome = world.ring(callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    world.net.sent.clear();
    outcome.call.unwrap()
}

/// A verified call of an ordinary caller.
fn call(world: &mut World, caller: &mut Phone, callee: &mut Phone) -> VerifiedCall {
    world.place_well(caller, CALLEE);
    let outcome = world.ring(callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    world.net.sent.clear();
    outcome.call.unwrap()
}

fn answer(world: &mut World, callee: &mut Phone, call: VerifiedCall) -> Answered {
    let context = Arc::clone(&callee.context);
    let deadline = world.in_ms(2500);
    let session = AnswerSession::new(context, call, CallPhase::Answered, deadline);
    run(world, callee, session.unwrap())
}

fn assert_not_sent(world: &World, answered: &Answered, reasons: &[Reason]) {
    assert!(!answered.sent);
    assert_eq!(answered.reasons, reasons);
    assert_eq!(world.net.count(Role::Store), 0);
}

#[test]
fn an_answer_goes_to_the_callers_service_sealed_to_the_caller() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let call = call(&mut world, &mut caller, &mut callee);
    let answered = answer(&mut world, &mut callee, call);
    assert!(answered.sent && !answered.caller_gone);
    assert_eq!(answered.reasons, []);
    let stores: Vec<_> = world
        .net
        .sent
        .iter()
        .filter(|s| s.role == Role::Store)
        .collect();
    assert_eq!(stores.len(), 1);
    assert_eq!(stores[0].authority(), CPS_CALLER);
    assert!(stores[0].request.url.contains(CALLER));
    let content = opened(&caller, CALLER, &stores[0].blobs()[0]).unwrap();
    assert_eq!(content.cps.as_deref(), Some(CPS_CALLER));
    assert_eq!(content.st.unwrap().s, CallPhase::Answered);
    // Since when, not until when: the look and the signature took time.
    let looked = world.net.sent.iter().find(|s| s.role == Role::Retrieve);
    assert_eq!(content.st.unwrap().t_ms, START_MS + looked.unwrap().ms);
    assert!(content.rsp.is_none());
    let rsp = ringtrue_stir::passport::Passport::parse(&content.ppts[0]).unwrap();
    assert_eq!(rsp.ppt(), Some("rsp"));
    // Not exchanged: as in the caller's own.
    assert_eq!(rsp.claims().orig().tn(), Some(&number(CALLER)));
    assert!(rsp.claims().dest().contains(&number(CALLEE)));
    // One last look, as at every answer.
    assert_eq!(world.net.count(Role::Retrieve), 1);
}

#[test]
fn only_a_call_that_asked_is_answered_and_not_with_the_callers_words() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let wanted = call(&mut world, &mut caller, &mut callee);
    let context = Arc::clone(&callee.context);
    let session = AnswerSession::new(context, wanted, CallPhase::Gone, world.in_ms(2500));
    assert_eq!(session.map(drop).unwrap_err(), Reason::ConfigurationInvalid);

    world.net.service(CPS_CALLEE).mailboxes.clear();
    for want in [None, Some(false)] {
        world.ms += 5_000;
        let mut content = Forged::call(&world, &caller.credential).content();
        content.rsp = want.map(|want| RspRequest {
            to: base(CPS_CALLER).as_str().into(),
            want,
            eks: "a.b.c".into(),
        });
        leave(&mut world, &content);
        let unwanted = world.ring(&mut callee, CALLER).call.unwrap();
        let context = Arc::clone(&callee.context);
        let session = AnswerSession::new(context, unwanted, CallPhase::Answered, world.in_ms(2500));
        assert_eq!(session.map(drop).unwrap_err(), Reason::RspNotRequested);
    }
}

/// The right request for an answer, as `change` changes it.
fn request(
    world: &World,
    signer: &LabCredential,
    change: impl FnOnce(&mut ringtrue_oob::statement::StatementDraft),
) -> RspRequest {
    let eks = statement(world, signer, |draft| {
        draft.numbers = vec![number(CALLER)];
        draft.cps = vec![base(CPS_CALLER)];
        change(draft);
    });
    RspRequest {
        to: base(CPS_CALLER).as_str().into(),
        want: true,
        eks: eks.inline,
    }
}

#[test]
fn an_answer_only_goes_to_a_service_that_the_callers_statement_names() {
    let (mut world, caller, mut callee) = World::with_phones();
    for to in [
        "https://attacker.example",
        "https://cps.caller.example.attacker.example",
        "https://cps.caller.example:8443",
        "https://cps.caller.example/elsewhere",
    ] {
        world.ms += 2000;
        let mut rsp = request(&world, &caller.credential, |_| {});
        rsp.to = to.into();
        let call = call_with(&mut world, &mut callee, &caller.credential, rsp);
        let answered = answer(&mut world, &mut callee, call);
        assert_not_sent(&world, &answered, &[Reason::RspServiceNotAllowed]);
    }
    for to in ["http://cps.caller.example", "cps.caller.example", "x"] {
        world.ms += 2000;
        let mut rsp = request(&world, &caller.credential, |_| {});
        rsp.to = to.into();
        let call = call_with(&mut world, &mut callee, &caller.credential, rsp);
        let answered = answer(&mut world, &mut callee, call);
        assert_not_sent(&world, &answered, &[Reason::MalformedUrl]);
    }
}

#[test]
fn services_are_compared_after_normalisation() {
    let (mut world, caller, mut callee) = World::with_phones();
    let mut rsp = request(&world, &caller.credential, |draft| {
        draft.cps.insert(0, base("first.example"));
    });
    rsp.to = "https://CPS.caller.example:443/".into();
    let call = call_with(&mut world, &mut callee, &caller.credential, rsp);
    assert!(answer(&mut world, &mut callee, call).sent);
}

#[test]
fn a_statement_that_does_not_hold_gets_no_answer() {
    let (mut world, caller, mut callee) = World::with_phones();
    let now = world.unix().as_secs();
    let elsewhere = Authority::for_numbers(&[number(CALLER)], world.unix()).unwrap();
    let elsewhere = elsewhere
        .issue_number(&number(CALLER), world.unix())
        .unwrap();
    let own = &caller.credential;
    let good = request(&world, own, |_| {});
    let cases: [(RspRequest, Reason); 6] = [
        (
            request(&world, own, |draft| {
                draft.iat = UnixTime::from_secs(now - 100);
                draft.exp = UnixTime::from_secs(now - 1);
            }),
            Reason::StatementExpired,
        ),
        (
            request(&world, own, |draft| {
                draft.iat = UnixTime::from_secs(now + 200)
            }),
            Reason::StatementNotYetValid,
        ),
        // By a key of which no certificate is in the bag.
        (
            request(&world, &elsewhere, |_| {}),
            Reason::SignatureInvalid,
        ),
        (
            RspRequest {
                eks: format!("{}x", good.eks),
                ..good.clone()
            },
            Reason::MalformedToken,
        ),
        // A PASSporT is no statement, though the same key signed it.
        (
            RspRequest {
                eks: Forged::call(&world, own).token(),
                ..good.clone()
            },
            Reason::TypeMismatch,
        ),
        (
            request(&world, own, |draft| draft.numbers = vec![number(STRANGER)]),
            Reason::StatementNumberMissing,
        ),
    ];
    for (rsp, reason) in cases {
        world.ms += 2000;
        let call = call_with(&mut world, &mut callee, own, rsp);
        let answered = answer(&mut world, &mut callee, call);
        assert_not_sent(&world, &answered, &[reason]);
    }
}

/// A bag may hold several certificates: that of the PASSporT does not speak for the statement.
#[test]
fn the_statements_signer_must_cover_the_calling_number() {
    let (mut world, caller, mut callee) = World::with_phones();
    let other = world.credential(&[STRANGER]);
    let elsewhere = Authority::for_numbers(&[number(CALLER)], world.unix()).unwrap();
    let elsewhere = elsewhere
        .issue_number(&number(CALLER), world.unix())
        .unwrap();
    for (signer, numbers, reason) in [
        (&other, vec![number(CALLER)], Reason::NumberNotCovered),
        (
            &other,
            vec![number(STRANGER)],
            Reason::StatementNumberMissing,
        ),
        (&elsewhere, vec![number(CALLER)], Reason::NoPathToAnchor),
    ] {
        world.ms += 2000;
        let rsp = request(&world, signer, |draft| draft.numbers = numbers);
        let forged = Forged::call(&world, &caller.credential);
        let mut content = forged.content();
        content.x5c.extend(signer.bag().unwrap().to_x5c());
        content.rsp = Some(rsp);
        leave(&mut world, &content);
        let outcome = world.ring(&mut callee, CALLER);
        world.net.sent.clear();
        let answered = answer(&mut world, &mut callee, outcome.call.unwrap());
        assert_not_sent(&world, &answered, &[reason]);
    }
}

#[test]
fn a_caller_that_is_gone_at_the_last_look_gets_no_answer() {
    let (mut world, caller, mut callee) = World::with_phones();
    let rsp = request(&world, &caller.credential, |_| {});
    let call = call_with(&mut world, &mut callee, &caller.credential, rsp);
    leave(&mut world, &report([7; 16], CallPhase::Gone));
    let answered = answer(&mut world, &mut callee, call);
    assert!(answered.caller_gone);
    assert_not_sent(&world, &answered, &[Reason::CallerGone]);
}

#[test]
fn reports_about_other_attempts_do_not_hold_an_answer_back() {
    let (mut world, caller, mut callee) = World::with_phones();
    let rsp = request(&world, &caller.credential, |_| {});
    let call = call_with(&mut world, &mut callee, &caller.credential, rsp);
    leave(&mut world, &report([8; 16], CallPhase::Gone));
    leave(&mut world, &report([7; 16], CallPhase::Answered));
    let answered = answer(&mut world, &mut callee, call);
    assert!(answered.sent && !answered.caller_gone);
}

#[test]
fn a_last_look_that_fails_or_takes_too_long_does_not_hold_the_answer_up() {
    for fails in [false, true] {
        let (mut world, mut caller, mut callee) = World::with_phones();
        let call = call(&mut world, &mut caller, &mut callee);
        callee.on(move |action, _| match action {
            Action::Request {
                id,
                role: Role::Retrieve,
                ..
            } => Some(if fails {
                Reply::With(Input::Response(*id, Err(Reason::ServiceUnreachable)))
            } else {
                Reply::TimesOut
            }),
            _ => None,
        });
        let started = world.ms;
        let answered = answer(&mut world, &mut callee, call);
        assert!(answered.sent);
        let reason = if fails {
            Reason::ServiceUnreachable
        } else {
            Reason::DeadlinePassed
        };
        assert_eq!(answered.reasons, [reason]);
        assert!(world.ms - started <= 1100, "{}", world.ms - started);
    }
}

#[test]
fn a_store_that_fails_is_told() {
    for reason in [
        Reason::ServiceUnreachable,
        Reason::AddressNotAllowed,
        Reason::TlsFailed,
    ] {
        let (mut world, mut caller, mut callee) = World::with_phones();
        let call = call(&mut world, &mut caller, &mut callee);
        fail_requests(&mut callee, Role::Store, reason);
        let answered = answer(&mut world, &mut callee, call);
        assert!(!answered.sent);
        assert_eq!(answered.reasons, [reason]);
    }
    let (mut world, mut caller, mut callee) = World::with_phones();
    let call = call(&mut world, &mut caller, &mut callee);
    callee.on(|action, _| match action {
        Action::Request {
            id,
            role: Role::Store,
            ..
        } => {
            let answer = HttpResponse {
                status: 201,
                headers: vec![("content-type".into(), "application/json".into())],
                body: b"[]".to_vec(),
            };
            Some(Reply::With(Input::Response(*id, Ok(answer))))
        }
        _ => None,
    });
    let answered = answer(&mut world, &mut callee, call);
    assert!(!answered.sent);
    assert_eq!(answered.reasons, [Reason::MalformedAnswer]);
}

#[test]
fn a_last_look_that_hangs_holds_the_answer_up_for_a_second() {
    type Hung = fn(&Action) -> bool;
    let hung: [Hung; 2] = [
        |action| matches!(action, Action::Load { .. }),
        |action| {
            matches!(
                action,
                Action::Request {
                    role: Role::Retrieve,
                    ..
                }
            )
        },
    ];
    for hangs in hung {
        let (mut world, mut caller, mut callee) = World::with_phones();
        let call = call(&mut world, &mut caller, &mut callee);
        callee.on(move |action, _| hangs(action).then_some(Reply::Never));
        let started = world.ms;
        let answered = answer(&mut world, &mut callee, call);
        assert!(answered.sent);
        assert_eq!(answered.reasons, [Reason::DeadlinePassed]);
        assert_eq!(world.ms, started + 1020);
    }
}

#[test]
fn a_signer_or_a_store_that_hangs_ends_the_answer_at_its_deadline() {
    type Hung = fn(&Action) -> bool;
    let hung: [Hung; 2] = [
        |action| matches!(action, Action::Sign { .. }),
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
        let (mut world, mut caller, mut callee) = World::with_phones();
        let call = call(&mut world, &mut caller, &mut callee);
        callee.on(move |action, _| hangs(action).then_some(Reply::Never));
        let started = world.ms;
        let answered = answer(&mut world, &mut callee, call);
        assert!(!answered.sent);
        assert_eq!(answered.reasons, [Reason::DeadlinePassed]);
        assert_eq!(world.ms, started + 2500);
    }
}

#[test]
fn signatures_are_checked_before_anything_is_stored() {
    let cases = [
        (Err(Reason::SignerFailed), Reason::SignerFailed),
        (Ok(vec![0; 64]), Reason::MalformedSignature),
        (Ok(vec![1; 64]), Reason::SignerFailed),
    ];
    for (signature, reason) in cases {
        let (mut world, mut caller, mut callee) = World::with_phones();
        let call = call(&mut world, &mut caller, &mut callee);
        callee.on(move |action, _| match action {
            Action::Sign { id, .. } => {
                let signature = signature.clone().map(DeviceSignature::Raw);
                Some(Reply::With(Input::Signature(*id, signature)))
            }
            _ => None,
        });
        let answered = answer(&mut world, &mut callee, call);
        assert_not_sent(&world, &answered, &[reason]);
    }
}

#[test]
fn a_clock_that_is_lost_before_the_answer_sends_nothing() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let call = call(&mut world, &mut caller, &mut callee);
    callee.clock = Box::new(|_| WallClock::Unset);
    let answered = answer(&mut world, &mut callee, call);
    assert_not_sent(&world, &answered, &[Reason::ClockUnset]);
}

#[test]
fn a_credential_that_no_longer_covers_the_called_number_answers_nothing() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let call = call(&mut world, &mut caller, &mut callee);
    let credential = world.credential(&[STRANGER]);
    let mut changed = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |_| {});
    changed.records = callee.records.clone();
    let answered = answer(&mut world, &mut changed, call);
    assert_not_sent(&world, &answered, &[Reason::NumberNotCovered]);
}
