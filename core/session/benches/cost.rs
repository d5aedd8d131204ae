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

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ringtrue_lab::{Authority, Credential as LabCredential};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::http::{HttpRequest, HttpResponse};
use ringtrue_oob::{BaseUrl, Blob, Destination, RecipientKey, Suite};
use ringtrue_session::{
    Action, Context, ContextBuilder, Credential, Input, LookupSession, Monotonic, Now, PeerKeys,
    PlaceSession, Placement, Policy, PublishMode, PublishSession, RingSession, Saved, Services,
    Session, Step, Verdict, WallClock,
};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, DeviceSignature, SecretKey};
use ringtrue_stir::{TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

const CALLER: &str = "12025550143";
const CALLEE: &str = "12025550199";
const SERVICE: &str = "https://cps.example.com";

/// Dummies of the callee's suite in an answer: the mean of level D1.
const DUMMIES: usize = 4;

/// One endpoint with everything its sessions ask for, answered at once and from memory.
struct Phone {
    context: Arc<Context>,
    secret: SecretKey,
    records: BTreeMap<String, Vec<u8>>,
    now: Now,
    /// The last request that was sent, and what it is answered with.
    sent: Option<HttpRequest>,
    answer: HttpResponse,
    claims: u32,
}

impl Phone {
    fn new(number: &str, credential: &LabCredential, authority: &Authority, now: u64) -> Self {
        let number = TelephoneNumber::from_canonical(number).unwrap();
        let service = BaseUrl::parse(SERVICE).unwrap();
        let x5u = format!("https://certs.example.com/{}.pem", number.as_str());
        let context = ContextBuilder {
            provider: Arc::new(AwsLcCrypto),
            anchors: authority.anchors().unwrap(),
            policy: Policy::default(),
            numbers: vec![number],
            services: Services {
                own: vec![service.clone()],
                directory: service,
                placement: None,
                mirror: None,
            },
            credential: Some(Credential::new(credential.bag().unwrap(), &x5u).unwrap()),
            hardware_key: None,
        };
        Self {
            context: Arc::new(context.build(Some(UnixTime::from_secs(now))).unwrap()),
            secret: credential.secret.clone(),
            records: BTreeMap::new(),
            now: Now {
                monotonic: Monotonic::from_ms(0),
                wall: WallClock::UnixMs(now * 1000),
            },
            sent: None,
            answer: HttpResponse {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            },
            claims: 0,
        }
    }

    fn perform(&mut self, action: Action) -> Input {
        match action {
            Action::Request { id, request, .. } => {
                self.sent = Some(request);
                Input::Response(id, Ok(self.answer.clone()))
            }
            Action::Sign { id, message } => {
                let signature = AwsLcCrypto.sign_es256(&self.secret, &message).unwrap();
                Input::Signature(id, Ok(DeviceSignature::Raw(signature.as_raw().to_vec())))
            }
            Action::Load { id, record } => {
                let value = self.records.get(record.as_str()).cloned();
                Input::Loaded(id, Ok(value.map(Zeroizing::new)))
            }
            Action::Save {
                id, record, value, ..
            } => {
                self.records
                    .insert(record.as_str().to_owned(), value.to_vec());
                Input::Saved(id, Ok(Saved::Written))
            }
            Action::Claim { id, .. } => {
                self.claims += 1;
                Input::Claimed(id, Ok(true))
            }
            other => panic!("not asked for here: {other:?}"),
        }
    }

    /// Drives a session to its end, or to its first report.
    fn drive<S: Session>(&mut self, mut session: S) -> Result<S::Output, S::Report> {
        loop {
            match session.next(self.now) {
                Step::Act(action) => {
                    let input = self.perform(action);
                    session.input(input, self.now);
                }
                Step::Done(output) => return Ok(output),
                Step::Report(report) => return Err(report),
                Step::Wait(_) => {}
                other => drop(other),
            }
        }
    }
}

/// Keeps the time each of two works takes per round, measured in turn.
fn compare(rounds: usize, mut a: impl FnMut(), mut b: impl FnMut()) -> (Duration, Duration, f64) {
    const BATCH: u32 = 16;
    let mut times = Vec::new();
    for round in 0..=rounds {
        let time = |work: &mut dyn FnMut()| {
            let started = Instant::now();
            for _ in 0..BATCH {
                work();
            }
            started.elapsed() / BATCH
        };
        let pair = (time(&mut a), time(&mut b));
        // The first round warms up.
        if round > 0 {
            times.push(pair);
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratio = median(
        times
            .iter()
            .map(|(a, b)| a.as_secs_f64() / b.as_secs_f64())
            .collect(),
    );
    let a = median(times.iter().map(|(a, _)| a.as_secs_f64()).collect());
    let b = median(times.iter().map(|(_, b)| b.as_secs_f64()).collect());
    (
        Duration::from_secs_f64(a),
        Duration::from_secs_f64(b),
        ratio,
    )
}

fn json(body: String) -> HttpResponse {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    HttpResponse {
        status: 200,
        headers,
        body: body.into_bytes(),
    }
}

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
    let mut caller = Phone::new(CALLER, &caller_credential, &authority, now);
    let callee_credential = authority.issue_number(&to, at).unwrap();
    let mut callee = Phone::new(CALLEE, &callee_credential, &authority, now);

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
