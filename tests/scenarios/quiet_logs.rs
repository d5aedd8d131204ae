//! Nothing of a call in any log or error: numbers, tokens, call nonces, keys, blobs.

use std::sync::{Arc, Mutex};

use ringtrue::{
    CallPhase, CallVerdict, Endpoint, MemoryStore, Placement, Reason, Saved, StateStore, Verdict,
};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::{Content, Destination, RecipientKey, Suite, open};
use ringtrue_stir::crypto::SecretKey;
use zeroize::Zeroizing;

use crate::support::gateway::{Behaviour, Kind};
use crate::support::keys::{DeviceAgreement, DeviceSigner, Form, Temper};
use crate::support::logs::recorded;
use crate::support::secrets::Secrets;
use crate::support::world::{
    STATE_KEY, World, X5U, number, patiently, patiently_with_answer, place,
};
use crate::support::{BRIEF, PATIENT, ends};

/// A store that shows the test what it holds.
#[derive(Default)]
struct Glass {
    inner: MemoryStore,
    shown: Mutex<Vec<u8>>,
}

impl Glass {
    fn show(&self, name: &str, value: &[u8]) {
        let mut shown = self.shown.lock().unwrap();
        shown.extend_from_slice(name.as_bytes());
        shown.extend_from_slice(value);
        shown.push(b'\n');
    }
}

impl StateStore for Glass {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        self.show(name, b"");
        self.inner.load(name)
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        self.show(name, value);
        self.inner.save(name, expected, value)
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        self.show(name, b"");
        self.inner.claim(name, expires, now)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_logs_nor_values_show_anything_of_a_call() {
    let world = Arc::new(World::new().await);
    let stores = [Arc::new(Glass::default()), Arc::new(Glass::default())];
    let secrets = Secrets::new();
    let agreement = DeviceAgreement::new(Temper::Works);
    let credentials = [0, 1].map(|index| world.credential(&number(index)));
    let endpoint = |index: usize| {
        world
            .unsigned(&number(index))
            .credential(credentials[index].chain_pem.clone(), X5U)
            .signer(DeviceSigner::new(
                &credentials[index].secret,
                Form::Der,
                Temper::Works,
            ))
            .store(Arc::clone(&stores[index]) as Arc<dyn StateStore>)
            .provider(secrets.provider())
    };
    let caller = endpoint(0).build().unwrap();
    let callee = endpoint(1)
        .key_agreement(Arc::clone(&agreement) as Arc<_>)
        .build()
        .unwrap();
    let mut shown: Vec<String> = vec![format!("{caller:?} {callee:?}")];
    converse(&world, &caller, &callee, &mut shown).await;
    fail(&world, &caller, &callee, &mut shown).await;

    let public = ringtrue::KeyAgreement::public_key(agreement.as_ref());
    let key = RecipientKey::new(Suite::S1, public.as_sec1()).unwrap();
    let of_credentials = credentials.iter().map(|credential| &credential.secret);
    for secret in of_credentials.chain([&agreement.secret]) {
        secrets.octets(SecretKey::expose(secret));
    }
    secrets.octets(&STATE_KEY);
    let mut contents = 0;
    for exchange in world.gateway.exchanges() {
        secrets.exchange(&exchange);
        let bodies = [Some(exchange.body), exchange.answer.map(|(_, body)| body)];
        for body in bodies.into_iter().flatten() {
            for line in lines(&body) {
                let Ok(blob) = ringtrue_oob::Blob::from_text(&line) else {
                    continue;
                };
                let destination = Destination::TelephoneNumber(number(1));
                if let Ok(octets) = open(&AwsLcCrypto, &blob, &agreement.secret, &key, &destination)
                {
                    let content = Content::parse(&octets).unwrap();
                    secrets.octets(content.n.as_octets());
                    secrets.body(&octets);
                    contents += 1;
                }
            }
        }
    }
    assert!(contents >= 2, "tokens and nonces were seen");
    println!(
        "looking for {} secrets in {} octets of logs",
        secrets.len(),
        recorded().len()
    );

    let logged = recorded();
    assert!(
        logged.contains("service started"),
        "the logs of this process were recorded"
    );
    assert!(logged.contains("DEBUG"), "at debug level");
    secrets.assert_absent_from("the log", &logged);
    for shown in shown {
        secrets.assert_absent_from("a value", &shown);
    }
    for store in &stores {
        let shown = store.shown.lock().unwrap();
        secrets.assert_absent_from("a state store", &String::from_utf8_lossy(&shown));
    }
}

fn lines(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    text.split(|c: char| c.is_whitespace() || c == '"')
        .map(str::to_owned)
        .collect()
}

/// A whole conversation, and one that is refused.
async fn converse(world: &World, caller: &Endpoint, callee: &Endpoint, shown: &mut Vec<String>) {
    shown.push(format!("{:?}", caller.publish_keys(Some(PATIENT)).await));
    shown.push(format!("{:?}", callee.publish_keys(Some(PATIENT)).await));
    let placed = place(caller, 0, 1, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored);
    shown.push(format!("{placed:?}"));
    let mut outgoing = caller.outgoing(&placed, Some(PATIENT));
    let from = number(0);
    let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    shown.push(format!("{call:?} {:?}", call.verdict()));
    let answering = callee.answer(&call, CallPhase::Answered, Some(PATIENT));
    let (answered, ()) = tokio::join!(ends(answering), async { outgoing.answered() });
    shown.push(format!("{answered:?}"));
    // Confirmed, or as far as the clocks of a busy machine allow.
    let compared = |verdict: &CallVerdict| {
        verdict.verdict == Verdict::Confirmed || verdict.reasons == [Reason::ClockUncertain]
    };
    while !compared(&outgoing.outcome().verdict) {
        assert!(ends(outgoing.changed()).await.is_some());
    }
    shown.push(format!("{outgoing:?} {:?}", outgoing.outcome()));
    while !compared(&call.verdict()) {
        assert!(ends(call.changed()).await.is_some());
    }
    shown.push(format!("{call:?} {:?}", call.verdict()));
    outgoing.ended();
    call.ended();
    let again = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(again.verdict().verdict, Verdict::Refused);
    shown.push(format!("{again:?}"));
    shown.push(format!("{:?}", callee.rotate_keys(Some(PATIENT)).await));
    assert_eq!(world.statements(&number(1)).await.len(), 1);
}

/// Faults of every sort, and misuse.
async fn fail(world: &World, caller: &Endpoint, callee: &Endpoint, shown: &mut Vec<String>) {
    let html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\n<".to_vec();
    for behaviour in [
        Behaviour::Silent,
        Behaviour::Raw(html),
        Behaviour::Raw(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_vec()),
        Behaviour::Raw(b"not HTTP\r\n\r\n".to_vec()),
        Behaviour::Raw(Vec::new()),
    ] {
        world.gateway.set_all(&behaviour);
        one_of_each(caller, callee, shown).await;
        world.gateway.heal();
    }
    world.gateway.go_down().await;
    one_of_each(caller, callee, shown).await;
    world.gateway.come_up();
    world.gateway.speak_plainly(true).await;
    one_of_each(caller, callee, shown).await;
    world.gateway.speak_plainly(false).await;
    for to in ["12025550100x", "1202555010012025550100"] {
        let placed = caller.place(number(0).as_str(), to, patiently()).await;
        let reason = placed.err().unwrap();
        shown.push(format!("{reason:?} {reason}"));
    }
    assert!(world.gateway.count(Kind::Store) > 2);
}

async fn one_of_each(caller: &Endpoint, callee: &Endpoint, shown: &mut Vec<String>) {
    let options = patiently_with_answer().within(BRIEF);
    shown.push(format!("{:?}", place(caller, 0, 1, options.clone()).await));
    let fresh = options.with_fresh_keys();
    shown.push(format!("{:?}", place(caller, 0, 1, fresh).await));
    let from = number(0);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(BRIEF))).await;
    shown.push(format!("{call:?}"));
    let reason = ends(callee.rotate_keys(Some(BRIEF))).await.err().unwrap();
    shown.push(format!("{reason:?} {reason} {}", reason.describe()));
    let found = ends(caller.prefetch_keys(number(1).as_str(), Some(BRIEF))).await;
    shown.push(format!("{found:?}"));
}

// Whoever looks for leaks has to find one: in each form, whole and cut, and through the real log.
#[tokio::test]
async fn a_planted_leak_is_found_in_every_form() {
    let secrets = Secrets::new();
    let key: Vec<u8> = (100..132).collect();
    secrets.octets(&key);
    let token = format!("{}.{}.{}", "h".repeat(30), "p".repeat(90), "s".repeat(86));
    secrets.text(&token);
    let hex: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
    let cut = |text: &str| text[..40].to_owned();
    let leaks = [
        format!("key={}", ringtrue_stir::base64url::encode(&key)),
        format!("key {hex}"),
        format!("key {}", hex.to_uppercase()),
        format!("key {key:?}"),
        format!("token \"{token}\""),
        format!("token {}…", cut(&token)),
        format!("signature {}", cut(token.rsplit('.').next().unwrap())),
        "to=12025550199".to_owned(),
        "GET /cps/+12025550199/ppts".to_owned(),
    ];
    for leak in &leaks {
        let log = format!("INFO a line before\nWARN {leak} and more\nINFO a line after\n");
        let found = secrets.found_in(&log);
        assert!(found.is_some_and(|found| found.contains(leak)), "{leak}");
    }
    assert_eq!(
        secrets.found_in("INFO request served status=201 route=/cps/{number}/ppts"),
        None
    );

    // Nobody else looks for this one.
    let _world = World::new().await;
    let planted = ringtrue_stir::base64url::encode(&[0xa7; 32]);
    secrets.text(&planted);
    tracing::debug!(%planted, "planted by a test");
    assert!(secrets.found_in(&recorded()).is_some());
}

// PRV-51: what a developer is shown, and what a service tells everybody.
#[test]
fn no_reason_has_room_for_anything_of_a_call() {
    for reason in Reason::ALL {
        for text in [
            reason.name(),
            reason.describe(),
            &format!("{reason} {reason:?}"),
        ] {
            let longest = text
                .split(|c: char| !c.is_ascii_digit())
                .map(str::len)
                .max();
            assert!(longest < Some(4), "{text}");
        }
    }
}
