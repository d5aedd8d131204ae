//! Contents with several tokens, several certificates, or odd members (W-1, W-27, W-34).

use ringtrue_session::{CheckName, Verdict};
use ringtrue_stir::Reason;
use serde_json::{Value, json};

use crate::attacker::{Forged, leave};
use crate::checks::{assert_failed, refused, ring_with};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, STRANGER, World};

#[test]
fn one_good_passport_in_a_content_is_enough_and_the_failure_is_reported() {
    let (mut world, caller, mut callee) = World::with_phones();
    let good = Forged::call(&world, &caller.credential);
    let mut content = good.content();
    content.ppts.insert(0, good.clone().aged(61).token());
    content.ppts.push("not a token".into());
    leave(&mut world, &content);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let reasons = [Reason::IatStale, Reason::MalformedToken];
    assert_eq!(outcome.verdict.reasons, reasons);
}

#[test]
fn of_several_failures_the_one_that_came_furthest_is_shown() {
    let (mut world, caller, mut callee) = World::with_phones();
    let good = Forged::call(&world, &caller.credential);
    let mut content = good.content();
    content.ppts = vec![
        good.clone().with(|f| drop(f.header.remove("x5u"))).token(),
        good.clone().with(|f| f.spoilt_signature = true).token(),
        good.clone().aged(61).token(),
    ];
    leave(&mut world, &content);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_failed(&outcome, CheckName::Signature, Reason::SignatureInvalid);
    assert_eq!(outcome.verdict.reasons[0], Reason::SignatureInvalid);
    assert_eq!(outcome.verdict.reasons.len(), 3);
}

#[test]
fn a_source_of_certificates_that_failed_is_not_replaced_by_the_next() {
    refused(
        |_, forged| drop(forged.header.insert("x5c".into(), json!(["AAAA"]))),
        CheckName::Credential,
        Reason::MalformedCertificate,
    );
}

#[test]
fn certificates_in_the_tokens_header_are_taken() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential).with(|forged| {
        let x5c = Value::from(core::mem::take(&mut forged.x5c));
        forged.header.insert("x5c".into(), x5c);
    });
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn the_signer_is_found_among_several_certificates_of_the_bag() {
    let (mut world, caller, mut callee) = World::with_phones();
    let other = world.credential(&[STRANGER]);
    let forged = Forged::call(&world, &caller.credential).with(|forged| {
        forged
            .x5c
            .insert(0, other.bag().unwrap().to_x5c()[0].clone());
    });
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn odd_content_is_reported_and_changes_no_verdict() {
    let (mut world, caller, mut callee) = World::with_phones();
    let mut content = Forged::call(&world, &caller.credential).content();
    content.cps = Some("elsewhere.example".into());
    content.ksd = Some(ringtrue_oob::StatementDigest::from_octets([9; 32]));
    leave(&mut world, &content);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let reasons = [Reason::CpsMismatch, Reason::KsdUnknown];
    assert_eq!(outcome.verdict.reasons, reasons);
}

#[test]
fn content_that_opens_and_does_not_parse_is_dropped() {
    let (mut world, caller, mut callee) = World::with_phones();
    let key = crate::attacker::key_of(&mut world, CALLEE);
    for text in [
        "",
        "{}",
        "[1]",
        r#"{"v":2,"ppts":["a"],"n":"AAAAAAAAAAAAAAAAAAAAAA"}"#,
    ] {
        let blob = crate::attacker::sealed(&key, CALLEE, text.as_bytes());
        let ms = world.ms;
        world.net.service(CPS_CALLEE).leave(CALLEE, blob, ms);
    }
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, [Reason::MalformedContent]);
    assert_eq!(outcome.verdict.blobs.opened, 4);
    // And the next call works.
    let forged = Forged::call(&world, &caller.credential);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}
