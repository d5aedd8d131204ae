//! What ringing costs when the answer is as full as it may be and one blob in it is real, beside one
//! bare key agreement per blob and key tried.
//!
//! `cargo bench -p ringtrue-session --features pq --bench full_answer`. Both sides use the same provider
//! (aws-lc) and are measured in turn; the ratio is what counts. Goal for S1 and S2: at most 1.5. The
//! agreement of S3 and S4 is that of their classical half, so that their figure shows what the hybrid
//! costs.
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
use ringtrue_oob::http::placement::{MAX_ANSWER_BLOBS, MAX_ANSWER_LEN};
use ringtrue_oob::{Blob, Suite};
use ringtrue_session::{
    LookupSession, Monotonic, PlaceSession, Placement, Policy, PublishMode, PublishSession,
    RingSession, Verdict,
};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve};
use ringtrue_stir::{TelephoneNumber, UnixTime};

use support::{CALLEE, CALLER, Phone, compare, json};

const ROUNDS: usize = 15;

const BATCH: u32 = 2;

/// The service gives the most: 256 blobs or as many as fit 1.5 MiB (W-22).
fn blobs_in_full_answer(suite: Suite) -> usize {
    let line = (suite.class().blob_len() * 4).div_ceil(3) + 1;
    MAX_ANSWER_BLOBS.min(MAX_ANSWER_LEN / line)
}

fn main() {
    println!(
        "warm, aws-lc, medians of {ROUNDS} rounds of {BATCH}; bare = one key agreement per blob"
    );
    for suite in Suite::SUPPORTED {
        measure(*suite);
    }
}

fn measure(suite: Suite) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let at = UnixTime::from_secs(now);
    let number = |text: &str| TelephoneNumber::from_canonical(text).unwrap();
    let (from, to) = (number(CALLER), number(CALLEE));
    let authority = Authority::for_numbers(&[from.clone(), to.clone()], at).unwrap();
    let phone = |text: &str| {
        let credential = authority.issue_number(&number(text), at).unwrap();
        let mut policy = Policy::default();
        policy.suites = vec![suite];
        Phone::new(text, &credential, &authority, now, policy)
    };
    let (mut caller, mut callee) = (phone(CALLER), phone(CALLEE));

    // The callee has published, the caller has looked it up and announces one call.
    let soon = Monotonic::from_ms(10_000);
    for phone in [&mut caller, &mut callee] {
        let session = PublishSession::new(Arc::clone(&phone.context), PublishMode::Publish, soon);
        phone.drive(session).expect("published").expect("published");
    }
    let statement = String::from_utf8(callee.sent.take().unwrap().body).unwrap();
    let statement = statement.trim();
    caller.answer = json(format!("{{\"statements\":[\"{statement}\"],\"pad\":\"\"}}"));
    let padding = 16_384 - caller.answer.body.len();
    caller.answer.body.extend(vec![b' '; padding]);
    let lookup = LookupSession::new(Arc::clone(&caller.context), to.clone(), true, soon);
    let known = caller.drive(lookup).expect("looked up").keys;
    caller.answer = HttpResponse {
        status: 201,
        ..json(format!("[\"/cps/{CALLEE}/ppts/AAAAAAAAAAAAAAAAAAAAAA\"]"))
    };
    let context = Arc::clone(&caller.context);
    let session = PlaceSession::new(context, from.clone(), to.clone(), known, true, false, soon);
    let placed = caller.drive(session.unwrap()).expect("placed");
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let real = String::from_utf8(caller.sent.take().unwrap().body).unwrap();

    // A full answer, the real blob in the middle.
    let count = blobs_in_full_answer(suite);
    let provider = AwsLcCrypto;
    let dummies: Vec<Blob> = (1..count)
        .map(|_| ringtrue_oob::dummy(&provider, suite).unwrap())
        .collect();
    let mut lines: Vec<String> = dummies.iter().map(Blob::to_text).collect();
    lines.insert(count / 2, real.trim().to_owned());
    let body = lines.join("\n").into_bytes();
    let headers = vec![("content-type".to_owned(), "application/passport".to_owned())];
    callee.answer = HttpResponse {
        status: 200,
        headers,
        body,
    };

    let (curve, share_len) = match suite {
        Suite::S1 | Suite::S4 => (Curve::P256, 65),
        _ => (Curve::X25519, 32),
    };
    let key = provider.generate(curve).unwrap();
    let real = Blob::from_text(real.trim()).unwrap();
    let shares: Vec<&[u8]> = dummies
        .iter()
        .chain([&real])
        .map(|blob| &blob.enc()[suite.enc_len() - share_len..])
        .collect();
    let (whole, bare, ratio) = compare(
        ROUNDS,
        BATCH,
        || {
            let (from, to) = (Some(from.clone()), Some(to.clone()));
            let context = Arc::clone(&callee.context);
            let session = RingSession::new(context, from, to, soon, callee.now).unwrap();
            let outcome = callee.drive(session).expect_err("a verdict is reported");
            assert_eq!(outcome.verdict.verdict, Verdict::Verified);
            assert_eq!(outcome.verdict.blobs.opened, 1);
        },
        || {
            for share in &shares {
                black_box(provider.agree(curve, &key.secret, share).unwrap());
            }
        },
    );
    println!(
        "{}: {count} blobs   whole {whole:>9.2?}   bare {bare:>9.2?}   ratio {ratio:.2}",
        suite.name()
    );
}
