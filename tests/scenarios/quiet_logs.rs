//! Nothing of a call in any log or error: numbers, tokens, call nonces, keys, blobs.

use std::sync::{Arc, Mutex};

use ringtrue::{CallPhase, Endpoint, MemoryStore, Placement, Reason, Saved, StateStore, Verdict};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::{Content, Destination, RecipientKey, Suite, open};
use ringtrue_stir::base64url;
use ringtrue_stir::crypto::SecretKey;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::support::gateway::{Behaviour, Kind};
use crate::support::keys::{DeviceAgreement, DeviceSigner, Form, Temper};
use crate::support::logs::recorded;
use crate::support::world::{World, X5U, number, patiently, patiently_with_answer, place};
use crate::support::{BRIEF, PATIENT, ends};

/// What every number of these tests begins with.
const PREFIX: &str = "1202555";

/// A store that shows the test what it holds.
#[derive(Default)]
struct Glass {
    inner: MemoryStore,
    values: Mutex<Vec<Vec<u8>>>,
}

impl StateStore for Glass {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        self.inner.load(name)
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        self.values.lock().unwrap().push(value.to_vec());
        self.inner.save(name, expected, value)
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        self.inner.claim(name, expires, now)
    }
}

/// Every text in a JSON document that is long enough to be a secret.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 20 => found.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// The parts of a compact JWS, and it itself.
fn parts(token: &str) -> impl Iterator<Item = String> {
    let whole = token.to_owned();
    token.split('.').map(str::to_owned).chain([whole])
}

/// The forms in which octets could be printed.
fn forms(octets: &[u8]) -> Vec<String> {
    use std::fmt::Write as _;

    let hex = octets.iter().fold(String::new(), |mut hex, octet| {
        write!(hex, "{octet:02x}").unwrap();
        hex
    });
    let list = format!("{octets:?}");
    let list = list.trim_matches(['[', ']']).to_owned();
    vec![base64url::encode(octets), hex.to_uppercase(), hex, list]
}

/// Beginning, middle and end of long texts: a log may cut or wrap them.
fn samples(secret: &str) -> Vec<&str> {
    let middle = secret.len() / 2;
    match secret.len() {
        0..20 => vec![],
        20..60 => vec![secret],
        _ => vec![
            &secret[..24],
            &secret[middle..middle + 24],
            &secret[secret.len() - 24..],
        ],
    }
}

struct Secrets(Vec<String>);

impl Secrets {
    fn assert_absent_from(&self, what: &str, text: &str) {
        assert!(
            !text.contains(PREFIX),
            "{what} shows a number: {}",
            around(text, PREFIX)
        );
        for secret in &self.0 {
            for sample in samples(secret) {
                assert!(
                    !text.contains(sample),
                    "{what} shows a secret: {}",
                    around(text, sample)
                );
            }
        }
    }
}

/// The line in which `what` stands.
fn around(text: &str, what: &str) -> String {
    let line = text.lines().find(|line| line.contains(what));
    line.unwrap_or_default().chars().take(300).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_logs_nor_values_show_anything_of_a_call() {
    let world = Arc::new(World::new().await);
    let stores = [Arc::new(Glass::default()), Arc::new(Glass::default())];
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
    };
    let caller = endpoint(0).build().unwrap();
    let callee = endpoint(1)
        .key_agreement(Arc::clone(&agreement) as Arc<_>)
        .build()
        .unwrap();
    let mut shown: Vec<String> = vec![format!("{caller:?} {callee:?}")];
    converse(&world, &caller, &callee, &mut shown).await;
    fail(&world, &caller, &callee, &mut shown).await;

    let mut secrets = Secrets(Vec::new());
    let public = ringtrue::KeyAgreement::public_key(agreement.as_ref());
    let key = RecipientKey::new(Suite::S1, public.as_sec1()).unwrap();
    for secret in credentials
        .iter()
        .map(|credential| &credential.secret)
        .chain([&agreement.secret])
    {
        secrets.0.extend(forms(SecretKey::expose(secret)));
    }
    for store in &stores {
        for value in store.values.lock().unwrap().iter() {
            let record: Value = serde_json::from_slice(value).unwrap();
            texts(&record, &mut secrets.0);
        }
    }
    let with_dots = secrets.0.clone();
    secrets.0.extend(
        with_dots
            .iter()
            .filter(|text| text.contains('.'))
            .flat_map(|text| parts(text)),
    );
    let mut contents = 0;
    for exchange in world.gateway.exchanges() {
        let bodies = [Some(exchange.body), exchange.answer.map(|(_, body)| body)];
        for line in bodies.into_iter().flatten().flat_map(|body| lines(&body)) {
            if let Ok(blob) = ringtrue_oob::Blob::from_text(&line) {
                let destination = Destination::TelephoneNumber(number(1));
                let opened = open(&AwsLcCrypto, &blob, &agreement.secret, &key, &destination);
                if let Ok(octets) = opened {
                    let content = Content::parse(&octets).unwrap();
                    secrets.0.extend(forms(content.n.as_octets()));
                    secrets
                        .0
                        .extend(content.ppts.iter().flat_map(|token| parts(token)));
                    contents += 1;
                }
            }
            secrets.0.push(line);
        }
    }
    assert!(contents >= 2, "tokens and nonces were seen");
    // The URL of the certificates and the media types are no secrets.
    secrets
        .0
        .retain(|secret| secret.len() >= 20 && !secret.contains("://") && !secret.contains(' '));
    println!(
        "looking for {} secrets in {} octets of logs",
        secrets.0.len(),
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
    let from = number(0);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    shown.push(format!("{call:?} {:?}", call.verdict()));
    let answered = ends(callee.answer(&call, CallPhase::Answered, Some(PATIENT))).await;
    shown.push(format!("{answered:?}"));
    let outcome = ends(caller.await_answer(placed.answer.unwrap(), Some(PATIENT))).await;
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    shown.push(format!("{outcome:?}"));
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
    shown.push(format!("{:?}", place(caller, 0, 1, options).await));
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
