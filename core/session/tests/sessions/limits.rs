//! Bounded work: what a lying service or a flooder can send, and what it costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{Blob, Suite};
use ringtrue_session::{Action, ContextBuilder, Input, Session as _, Step, Verdict};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};

use crate::attacker::{Forged, fresh_key, key_of, leave, leave_call, sealed};
use crate::phone::{Phone, Reply};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, World};

/// Answers every retrieval with this.
fn answer_with(phone: &mut Phone, answer: HttpResponse) {
    phone.on(move |action, _| match action {
        Action::Request { id, .. } => Some(Reply::With(Input::Response(*id, Ok(answer.clone())))),
        _ => None,
    });
}

fn blobs_answer(body: Vec<u8>) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: vec![("content-type".into(), "application/passport".into())],
        body,
    }
}

/// So many blobs that nobody can open, and as the last one a good one.
fn flood(world: &mut World, caller: &Phone, count: usize) {
    let nobody = fresh_key(Suite::S1);
    for _ in 0..count {
        let blob = sealed(&nobody, CALLEE, b"{}");
        let ms = world.ms;
        world.net.service(CPS_CALLEE).leave(CALLEE, blob, ms);
    }
    leave_call(world, &caller.credential);
}

/// The callee again, with changed settings and the same keys.
fn with_settings(world: &World, callee: Phone, change: impl FnOnce(&mut ContextBuilder)) -> Phone {
    let credential = callee.credential.clone();
    let mut phone = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, change);
    phone.records = callee.records;
    phone
}

#[test]
fn a_good_blob_is_found_as_the_last_of_256() {
    let (mut world, caller, mut callee) = World::with_phones();
    flood(&mut world, &caller, 255);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.blobs.received, 256);
    assert_eq!(outcome.verdict.blobs.opened, 1);
}

#[test]
fn an_answer_with_more_than_256_lines_is_none() {
    let (mut world, _, mut callee) = World::with_phones();
    answer_with(&mut callee, blobs_answer(b"x\n".repeat(257)));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::TooManyBlobs]);
    assert_eq!(outcome.verdict.blobs.received, 0);
}

#[test]
fn beyond_the_policys_own_limit_blobs_are_ignored_and_that_is_told() {
    let (mut world, caller, callee) = World::with_phones();
    let mut callee = with_settings(&world, callee, |builder| builder.policy.max_blobs = 10);
    flood(&mut world, &caller, 10);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::AnswerIncomplete]);
    assert_eq!(outcome.verdict.blobs.received, 10);
}

#[test]
fn the_hosts_limit_on_octets_is_the_policys() {
    let (mut world, _, callee) = World::with_phones();
    let mut callee = with_settings(&world, callee, |builder| {
        builder.policy.max_answer_octets = 1234;
    });
    callee.on(|action, _| {
        if let Action::Request {
            max_answer_octets, ..
        } = action
        {
            assert_eq!(*max_answer_octets, 1234);
        }
        None
    });
    world.ring(&mut callee, CALLER);
}

#[test]
fn an_answer_over_a_megabyte_and_a_half_is_none() {
    let (mut world, _, mut callee) = World::with_phones();
    answer_with(&mut callee, blobs_answer(vec![b'A'; 1_572_865]));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::AnswerTooLarge]);
}

#[test]
fn lines_that_are_no_blobs_are_skipped() {
    let (mut world, caller, mut callee) = World::with_phones();
    leave_call(&mut world, &caller.credential);
    let good = world.net.service(CPS_CALLEE).mailboxes[CALLEE][0]
        .1
        .to_text();
    let mut flipped = good.clone();
    flipped.replace_range(1..2, "B");
    for body in [
        format!("\n\nnot a blob\n{good}\n"),
        format!("{good}=\n{good}\r\n{good}"),
        format!("{}\n{flipped}\n{good}", &good[..5000]),
    ] {
        callee.claims.clear();
        answer_with(&mut callee, blobs_answer(body.into_bytes()));
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.verdict, Verdict::Verified);
        assert_eq!(outcome.verdict.blobs.received, 1);
    }
}

#[test]
fn answers_that_are_none_are_unavailable_and_the_next_call_works() {
    let with_type = |content_type: &str| HttpResponse {
        status: 200,
        headers: vec![("content-type".into(), content_type.into())],
        body: b"<html>".to_vec(),
    };
    let status = |status| HttpResponse {
        status,
        ..blobs_answer(Vec::new())
    };
    let cases = [
        (with_type("text/html"), Reason::UnsupportedMediaType),
        (with_type("application/json"), Reason::UnsupportedMediaType),
        (
            HttpResponse {
                headers: Vec::new(),
                ..blobs_answer(Vec::new())
            },
            Reason::UnsupportedMediaType,
        ),
        (blobs_answer(vec![0xff, 0xfe]), Reason::MalformedAnswer),
        (status(201), Reason::MalformedAnswer),
        (status(204), Reason::MalformedAnswer),
        (status(302), Reason::Redirected),
        (status(404), Reason::ServiceError),
        (status(500), Reason::ServiceError),
        (Problem::OverLimit.encode(), Reason::OverLimit),
        (Problem::MalformedNumber.encode(), Reason::ServiceError),
    ];
    for (answer, reason) in cases {
        let (mut world, caller, mut callee) = World::with_phones();
        answer_with(&mut callee, answer);
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
        assert_eq!(outcome.verdict.reasons, [reason]);
        callee.hook = None;
        leave_call(&mut world, &caller.credential);
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    }
}

#[test]
fn an_empty_answer_is_an_answer() {
    let (mut world, _, mut callee) = World::with_phones();
    answer_with(&mut callee, blobs_answer(Vec::new()));
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, []);
}

/// Whoever has the public key can seal as much as it likes; checking tokens is bounded.
#[test]
fn at_most_the_policys_number_of_passports_is_checked() {
    let (mut world, caller, callee) = World::with_phones();
    let mut callee = with_settings(&world, callee, |builder| builder.policy.max_passports = 12);
    let stale = Forged::call(&world, &caller.credential).aged(61);
    for round in 0..2 {
        let mut content = stale.content();
        content.ppts = vec![stale.token(); 8];
        content.cps = Some(format!("{round}.example"));
        leave(&mut world, &content);
    }
    leave_call(&mut world, &caller.credential);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(
        outcome.verdict.reasons,
        [Reason::IatStale, Reason::AnswerIncomplete]
    );
}

#[test]
fn eight_tokens_in_every_one_of_many_blobs_are_looked_at() {
    let (mut world, caller, mut callee) = World::with_phones();
    let good = Forged::call(&world, &caller.credential);
    for age in 0..15 {
        let mut content = good.clone().aged(61 + age).content();
        content.ppts = (0..8)
            .map(|more| good.clone().aged(61 + more).token())
            .collect();
        content.cps = Some(format!("{age}.example"));
        leave(&mut world, &content);
    }
    leave(&mut world, &good.content());
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.blobs.opened, 16);
    assert_eq!(outcome.verdict.reasons, [Reason::IatStale]);
}

#[test]
fn more_reports_of_ended_calls_than_are_remembered_do_no_harm() {
    let (mut world, caller, mut callee) = World::with_phones();
    for other in 0..100 {
        let gone = crate::attacker::report([other; 16], ringtrue_oob::CallPhase::Gone);
        if other != 7 {
            leave(&mut world, &gone);
        }
    }
    leave_call(&mut world, &caller.credential);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

/// The platform's cryptography, counting the agreements.
#[derive(Default)]
struct Counting(AtomicUsize);

impl CryptoProvider for Counting {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        RustCrypto.fill_random(out)
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        self.0.fetch_add(1, Ordering::Relaxed);
        RustCrypto.agree(curve, secret, peer)
    }
}

#[test]
fn a_step_tries_a_few_blobs_only_and_a_blob_is_tried_once() {
    let (mut world, _, callee) = World::with_phones();
    let counting = Arc::new(Counting::default());
    let provider = Arc::clone(&counting);
    let mut callee = with_settings(&world, callee, |builder| builder.provider = provider);
    let nobody = fresh_key(Suite::S1);
    let blobs: Vec<String> = (0..64)
        .map(|_| sealed(&nobody, CALLEE, b"{}").to_text())
        .collect();
    answer_with(&mut callee, blobs_answer(blobs.join("\n").into_bytes()));
    let mut session = world.ringing(&callee, CALLER);
    let mut inputs = Vec::new();
    let mut steps = 0;
    while steps < 1000 {
        steps += 1;
        let before = counting.0.load(Ordering::Relaxed);
        let step = session.next(callee.now(world.ms));
        assert!(counting.0.load(Ordering::Relaxed) - before <= 16);
        match step {
            Step::Act(action) => {
                let ms = world.ms;
                inputs.extend(callee.perform(&mut world.net, action, ms));
            }
            Step::Wait(until) => match inputs.pop() {
                Some((_, input)) => session.input(input, callee.now(world.ms)),
                None => world.ms = world.ms.max(until.as_ms()),
            },
            Step::Done(_) => break,
            _ => {}
        }
    }
    // Three polls brought each of them; it was tried on the first.
    assert_eq!(counting.0.load(Ordering::Relaxed), 64);
}

#[test]
fn a_copy_in_another_mailbox_does_not_keep_the_right_one_from_opening() {
    let mut world = World::new();
    let caller = world.phone(&[CALLER], &[CPS_CALLEE]);
    let mut callee = world.phone(&[crate::world::STRANGER, CALLEE], &[CPS_CALLEE]);
    world.publish(&mut callee).unwrap();
    let content = Forged::call(&world, &caller.credential).content();
    let key = key_of(&mut world, CALLEE);
    let blob: Blob = sealed(&key, CALLEE, &content.to_octets().unwrap());
    let ms = world.ms;
    let service = world.net.service(CPS_CALLEE);
    for number in [crate::world::STRANGER, CALLEE] {
        service.leave(number, blob.clone(), ms);
    }
    let session = world.ringing_with(&callee, Some(CALLER), None);
    let rang = crate::sim::run_all(&mut world, &mut callee, session);
    let outcome = crate::world::first(rang);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}
