//! What placing and ringing cost beside the bare cryptography they need, warm, in one run.
//!
//! `cargo bench -p ringtrue-session`. Both sides use the same provider (aws-lc) and are measured in
//! turn, batch by batch, so that a noisy machine disturbs both alike; the ratio is what counts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may stop"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "fixed inputs"
)]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ringtrue_lab::Authority;
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::{Blob, Destination, RecipientKey, Suite};
use ringtrue_session::{
    LookupSession, Monotonic, PeerKeys, PlaceSession, Placement, Policy, PublishMode,
    PublishSession, RingSession, Session as _, Step, Verdict,
};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve};
use ringtrue_stir::{TelephoneNumber, UnixTime};

use support::{CALLEE, CALLER, Phone, compare, json};

/// Dummies of the callee's suite in an answer: the mean of level D1.
const DUMMIES: usize = 4;

fn main() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let number = |text: &str| TelephoneNumber::from_canonical(text).unwrap();
    let (from, to) = (number(CALLER), number(CALLEE));
    let at = UnixTime::from_secs(now);
    let authority = Authority::for_numbers(&[from.clone(), to.clone()], at).unwrap();
    let caller_credential = authority.issue_number(&from, at).unwrap();
    let mut caller = Phone::new(
        CALLER,
        &caller_credential,
        &authority,
        now,
        Policy::default(),
    );
    let callee_credential = authority.issue_number(&to, at).unwrap();
    let mut callee = Phone::new(
        CALLEE,
        &callee_credential,
        &authority,
        now,
        Policy::default(),
    );

    // Both have published; the caller has looked the callee up.
    let soon = Monotonic::from_ms(10_000);
    for phone in [&mut caller, &mut callee] {
        let session = PublishSession::new(Arc::clone(&phone.context), PublishMode::Publish, soon);
        phone.drive(session).expect("published").expect("published");
    }
    let statement = String::from_utf8(callee.sent.take().unwrap().body).unwrap();
    caller.answer = json(format!(
        "{{\"statements\":[\"{}\"],\"pad\":\"\"}}",
        statement.trim()
    ));
    caller
        .answer
        .body
        .extend(vec![b' '; 8192 - caller.answer.body.len()]);
    let lookup = LookupSession::new(Arc::clone(&caller.context), to.clone(), true, soon);
    let known: PeerKeys = caller.drive(lookup).expect("looked up").keys;
    assert!(known.has_live(at));

    // Placing: one signature, checked before use, and one seal.
    let stored = format!("[\"/cps/{CALLEE}/ppts/AAAAAAAAAAAAAAAAAAAAAA\"]");
    caller.answer = HttpResponse {
        status: 201,
        ..json(stored)
    };
    let place = |phone: &mut Phone| {
        let context = Arc::clone(&phone.context);
        let (from, to) = (from.clone(), to.clone());
        PlaceSession::new(context, from, to, known.clone(), true, false, soon).unwrap()
    };
    let session = place(&mut caller);
    let placed = caller.drive(session).expect("placed");
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let text = String::from_utf8(caller.sent.take().unwrap().body).unwrap();
    let blob = Blob::from_text(text.trim()).unwrap();

    let provider = AwsLcCrypto;
    let key = provider.generate(Curve::P256).unwrap();
    let recipient = RecipientKey::new(Suite::S1, &key.public).unwrap();
    let destination = Destination::TelephoneNumber(to.clone());
    let message = vec![b'm'; 300];
    let signing_key = caller_credential.bag().unwrap().certificates()[0]
        .public_key()
        .copied();
    let signing_key = signing_key.unwrap();
    let signature = provider
        .sign_es256(&caller_credential.secret, &message)
        .unwrap();
    let content = vec![b'c'; Suite::S1.max_content_len()];
    let bare_place = || {
        let signature = provider
            .sign_es256(&caller_credential.secret, &message)
            .unwrap();
        assert!(provider.verify_es256(&signing_key, &message, &signature));
        black_box(ringtrue_oob::seal(&provider, &recipient, &destination, &content).unwrap());
    };
    let placing = compare(
        60,
        16,
        || {
            let session = place(&mut caller);
            black_box(caller.drive(session).expect("placed"));
        },
        bare_place,
    );

    // Ringing up to the verdict: every blob is tried, the path has two links, one token is verified.
    let dummies: Vec<Blob> = (0..DUMMIES)
        .map(|_| ringtrue_oob::dummy(&provider, Suite::S1).unwrap())
        .collect();
    let mut lines: Vec<String> = dummies.iter().map(Blob::to_text).collect();
    lines.insert(2, blob.to_text());
    let body = lines.join("\n").into_bytes();
    let headers = vec![("content-type".to_owned(), "application/passport".to_owned())];
    callee.answer = HttpResponse {
        status: 200,
        headers,
        body,
    };
    let ring = |phone: &Phone| {
        let (from, to) = (Some(from.clone()), Some(to.clone()));
        RingSession::new(Arc::clone(&phone.context), from, to, soon, phone.now).unwrap()
    };
    let bare_open = || {
        for blob in dummies.iter().chain([&blob]) {
            let opened = ringtrue_oob::open(&provider, blob, &key.secret, &recipient, &destination);
            black_box(opened.is_ok());
        }
    };
    let bare_ring = || {
        bare_open();
        for _ in 0..3 {
            assert!(provider.verify_es256(&signing_key, &message, &signature));
        }
    };
    let ringing = compare(
        60,
        16,
        || {
            let session = ring(&callee);
            let outcome = callee.drive(session).expect_err("a verdict is reported");
            assert_eq!(
                outcome.verdict.verdict,
                Verdict::Verified,
                "{:?}",
                outcome.verdict
            );
        },
        bare_ring,
    );
    // A call that fails: the same answer, another calling number.
    let other = number("12025550100");
    let failing = compare(
        60,
        16,
        || {
            let from = Some(other.clone());
            let context = Arc::clone(&callee.context);
            let mut session =
                RingSession::new(context, from, Some(to.clone()), soon, callee.now).unwrap();
            // Nothing decides before the last poll: the work of one poll is what is measured.
            loop {
                match session.next(callee.now) {
                    Step::Act(action) => {
                        let input = callee.perform(action);
                        session.input(input, callee.now);
                    }
                    Step::Wait(until) if until <= callee.now.monotonic => {}
                    _ => break,
                }
            }
        },
        bare_open,
    );

    println!("warm, aws-lc, medians of 60 rounds of 16; bare = the cryptographic operations alone");
    for (name, needs, (whole, bare, ratio)) in [
        ("placing", "sign, check it, seal once", placing),
        (
            "ringing, verified",
            "open 5 blobs, verify 3 signatures",
            ringing,
        ),
        ("ringing, other caller", "open 5 blobs", failing),
    ] {
        println!("{name:<22} {whole:>10.1?}   bare {bare:>10.1?}   ratio {ratio:.2}   ({needs})");
    }
}
