//! An encryption key in hardware: raw ECDH that may fail, hang or be written short (suite S1).

use std::sync::Arc;

use ringtrue_oob::{CallPhase, RspRequest};
use ringtrue_session::{Action, ActionId, AnswerSession, Input, RingOutcome, Verdict};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto, SecretKey};
use zeroize::Zeroizing;

use crate::attacker::{Forged, hardware_key, key_of, leave, sealed};
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, World, first};

/// A telephone with the callee's number and a key in hardware, and a caller's announcement.
fn announced() -> (World, Phone, Phone) {
    let mut world = World::new();
    let caller = world.phone(&[CALLER], &["cps.caller.example"]);
    let mut callee = phone_with_hardware(&world);
    world.publish(&mut callee).unwrap();
    let content = Forged::call(&world, &caller.credential).content();
    leave(&mut world, &content);
    (world, caller, callee)
}

fn phone_with_hardware(world: &World) -> Phone {
    let (secret, public) = hardware_key();
    let credential = world.credential(&[CALLEE]);
    let mut phone = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.hardware_key = Some(P256PublicKey::from_sec1(&public).unwrap());
    });
    phone.hardware = Some(secret);
    phone
}

/// Rings with a device that answers every agreement like this; `agreed` is the right result.
fn ring_with_device(
    answer: impl Fn(ActionId, Vec<u8>) -> Option<Input> + 'static,
) -> (RingOutcome, u64) {
    let (mut world, _, mut callee) = announced();
    let secret = callee.hardware.clone().unwrap();
    callee.on(move |action, _| match action {
        Action::Agree { id, peer } => {
            let agreed = RustCrypto.agree(Curve::P256, &secret, peer.as_sec1());
            let agreed = agreed.unwrap().expose().to_vec();
            Some(answer(*id, agreed).map_or(Reply::Never, Reply::With))
        }
        _ => None,
    });
    let started = world.ms;
    let rang = world.ring_all(&mut callee, CALLER);
    let told = rang.reports[0].0 - started;
    (first(rang), told)
}

#[test]
fn a_key_in_hardware_opens_and_its_secret_is_in_no_record() {
    let (mut world, _, mut callee) = announced();
    let record = callee.own_keys().unwrap();
    assert_eq!(record["current"].as_array().unwrap().len(), 1);
    assert!(record["current"][0].get("secret").is_none());
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.blobs.opened, 1);
}

#[test]
fn a_device_that_fails_is_told_and_opens_nothing() {
    let (outcome, told) =
        ring_with_device(|id, _| Some(Input::Agreement(id, Err(Reason::KeyAgreementFailed))));
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::KeyAgreementFailed]);
    assert!(told <= 2500);
}

#[test]
fn results_of_impossible_form_fail() {
    let wrong: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |_| Vec::new(),
        |_| vec![0; 32],
        |agreed| [agreed, vec![1]].concat(),
        |agreed| [vec![0], agreed].concat(),
    ];
    for make in wrong {
        let (outcome, _) = ring_with_device(move |id, agreed| {
            Some(Input::Agreement(id, Ok(Zeroizing::new(make(agreed)))))
        });
        assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
        assert_eq!(outcome.verdict.reasons, [Reason::KeyAgreementFailed]);
        assert_eq!(outcome.verdict.blobs.opened, 0);
    }
}

#[test]
fn a_wrong_result_of_right_form_opens_nothing() {
    let (outcome, _) = ring_with_device(|id, mut agreed| {
        agreed[0] ^= 1;
        Some(Input::Agreement(id, Ok(Zeroizing::new(agreed))))
    });
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, []);
}

#[test]
fn a_result_without_its_leading_zeros_opens() {
    let (mut world, caller, mut callee) = announced();
    world.net.service(CPS_CALLEE).mailboxes.clear();
    let secret: SecretKey = callee.hardware.clone().unwrap();
    let content = Forged::call(&world, &caller.credential).content();
    let content = content.to_octets().unwrap();
    let key = key_of(&mut world, CALLEE);
    // One of 256 agreements begins with a zero octet.
    let blob = (0..20_000)
        .map(|_| sealed(&key, CALLEE, &content))
        .find(|blob| {
            let agreed = RustCrypto.agree(Curve::P256, &secret, blob.enc());
            agreed.unwrap().expose()[0] == 0
        })
        .unwrap();
    let ms = world.ms;
    world.net.service(CPS_CALLEE).leave(CALLEE, blob, ms);
    callee.on(move |action, _| match action {
        Action::Agree { id, peer } => {
            let agreed = RustCrypto.agree(Curve::P256, &secret, peer.as_sec1());
            let short = agreed.unwrap().expose()[1..].to_vec();
            Some(Reply::With(Input::Agreement(
                *id,
                Ok(Zeroizing::new(short)),
            )))
        }
        _ => None,
    });
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn a_device_that_hangs_gives_a_verdict_at_the_deadline_and_says_so() {
    let (outcome, told) = ring_with_device(|_, _| None);
    assert_eq!(told, 2500);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
    assert_eq!(outcome.verdict.blobs.received, 1);
}

#[test]
fn a_slow_device_changes_the_verdict_when_it_answers() {
    let (mut world, _, mut callee) = announced();
    callee.on(|action, _| matches!(action, Action::Agree { .. }).then_some(Reply::After(2600)));
    let rang = world.ring_all(&mut callee, CALLER);
    let verdicts: Vec<_> = rang
        .reports
        .iter()
        .map(|(_, o)| o.verdict.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::NoRecord, Verdict::Verified]);
}

#[test]
fn keys_in_software_open_beside_the_one_in_hardware() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    // Announced to the key in software; then the telephone moves to one in hardware.
    world.place_well(&mut caller, CALLEE);
    let (secret, public) = hardware_key();
    let credential = callee.credential.clone();
    let mut moved = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.hardware_key = Some(P256PublicKey::from_sec1(&public).unwrap());
    });
    moved.hardware = Some(secret);
    core::mem::swap(&mut moved.records, &mut callee.records);
    let published = world.publish(&mut moved).unwrap();
    assert!(published.rotated);
    let outcome = world.ring(&mut moved, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn only_blobs_of_its_suite_are_shown_to_the_device() {
    let (mut world, _, mut callee) = announced();
    let x25519 = crate::attacker::fresh_key(ringtrue_oob::Suite::S2);
    let blob = sealed(&x25519, CALLEE, b"{}");
    let ms = world.ms;
    world.net.service(CPS_CALLEE).leave(CALLEE, blob, ms);
    let mut agreements = 0;
    let counted = std::rc::Rc::new(core::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&counted);
    callee.on(move |action, _| {
        if matches!(action, Action::Agree { .. }) {
            agreements += 1;
            seen.set(agreements);
        }
        None
    });
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.blobs.received, 2);
    assert_eq!(counted.get(), 1);
}

#[test]
fn a_telephone_with_its_key_in_hardware_answers() {
    let (mut world, mut caller, _) = World::with_phones();
    let mut callee = phone_with_hardware(&world);
    world.publish(&mut callee).unwrap();
    world.place_well(&mut caller, CALLEE);
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    let context = Arc::clone(&callee.context);
    let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
    let started = world.ms;
    let answered = run(&mut world, &mut callee, session.unwrap());
    assert!(answered.sent, "{:?}", answered.reasons);
    assert_eq!(answered.reasons, []);
    assert!(world.ms - started < 100, "{}", world.ms - started);
}

#[test]
fn a_device_that_hangs_holds_an_answer_up_for_a_second() {
    let (mut world, mut caller, _) = World::with_phones();
    let mut callee = phone_with_hardware(&world);
    world.publish(&mut callee).unwrap();
    world.place_well(&mut caller, CALLEE);
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    assert!(call.wants_answer());
    callee.on(|action, _| matches!(action, Action::Agree { .. }).then_some(Reply::Never));
    let session = AnswerSession::new(
        Arc::clone(&callee.context),
        call,
        CallPhase::Answered,
        world.in_ms(2500),
    );
    let started = world.ms;
    let answered = run(&mut world, &mut callee, session.unwrap());
    assert!(answered.sent);
    assert_eq!(answered.reasons, [Reason::DeadlinePassed]);
    assert_eq!(world.ms, started + 1020);
}

/// Nothing of a content is believed for having been opened by hardware.
#[test]
fn an_answer_address_of_a_stranger_is_refused_all_the_same() {
    let (mut world, caller, mut callee) = announced();
    world.net.service(CPS_CALLEE).mailboxes.clear();
    let mut content = Forged::call(&world, &caller.credential).content();
    content.rsp = Some(RspRequest {
        to: "https://attacker.example".into(),
        want: true,
        eks: "a.b.c".into(),
    });
    leave(&mut world, &content);
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    let context = Arc::clone(&callee.context);
    let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
    let answered = run(&mut world, &mut callee, session.unwrap());
    assert!(!answered.sent);
    assert_eq!(answered.reasons, [Reason::MalformedToken]);
}
