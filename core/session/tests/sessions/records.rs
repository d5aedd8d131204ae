//! What is written to state stores, octet by octet: a store outlives the program that wrote it.
//!
//! The fixed records are made from the keys and certificates of `tests/vectors/protocol`.

use std::path::PathBuf;
use std::sync::Arc;

use ringtrue_lab::Credential as LabCredential;
use ringtrue_oob::CallNonce;
use ringtrue_session::{Context, ContextBuilder, Credential, Policy, Services, Verdict, WallClock};
use ringtrue_stir::certificate::{Certificate, CertificateBag, TrustAnchors};
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::attacker::{Forged, answer_lookups, sealed};
use crate::phone::Phone;
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, START_MS, World, base, number};

/// The time of the vectors.
const NOW: u64 = 1_800_000_000;

const OWN_KEYS: &str = "keys.LmLTVxZFjyjIBVxgD5P-2OJahTm79G-5XkGOQ9WhPDI";
const CALLEES_STATEMENTS: &str = "statements.Qaa3buHjZJm7-NHuN2pQ-sVSAorqNEbyn_R2ThM_YlQ";

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn vectors(name: &str) -> Value {
    let path = folder("../../tests/vectors/protocol").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A record that is never written anew.
fn fixed(name: &str) -> Vec<u8> {
    let mut octets = std::fs::read(folder("tests/sessions/fixed").join(name)).unwrap();
    assert_eq!(octets.pop(), Some(b'\n'), "the file ends with a line feed");
    octets
}

fn find<'a>(list: &'a Value, label: &str) -> &'a Value {
    let mut records = list.as_array().unwrap().iter();
    records.find(|record| record["label"] == label).unwrap()
}

fn unhex(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap().as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.chunks(2).map(octet).collect()
}

fn certificate(label: &str) -> Certificate {
    let file = vectors("certificates.json");
    let der = find(&file["certificates"], label)["der"].as_str().unwrap();
    let bag = CertificateBag::from_base64_der(&[der]).unwrap();
    bag.certificates()[0].clone()
}

/// The platform's cryptography, except that every key it makes is the vectors'.
struct FixedKeys;

impl CryptoProvider for FixedKeys {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        out.fill(0x55);
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        let name = match curve {
            Curve::X25519 => "S2",
            _ => "S1",
        };
        let keys = vectors("keys.json");
        let mut keys = keys["encryption"].as_array().unwrap().iter();
        let of_callee = |key: &&Value| {
            key["suite"] == name && key["label"].as_str().unwrap().contains("callee")
        };
        let key = keys.find(of_callee).unwrap();
        Ok(GeneratedKey {
            secret: SecretKey::from_slice(&unhex(&key["secret"])).unwrap(),
            public: unhex(&key["public"]),
        })
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}

/// A telephone of the vectors' people, at the vectors' time.
fn phone(label: &str, of: &str) -> Phone {
    let mut anchors = TrustAnchors::new();
    anchors.add(certificate("root")).unwrap();
    let chain = vec![certificate(label), certificate("issuing")];
    let bag = CertificateBag::from_certificates(chain).unwrap();
    let keys = vectors("keys.json");
    let key = find(&keys["signing"], &format!("{label} signing"));
    let credential = LabCredential {
        chain_der: bag
            .certificates()
            .iter()
            .map(|c| c.der().to_vec())
            .collect(),
        chain_pem: String::new(),
        key_pem: Zeroizing::new(String::new()),
        secret: SecretKey::from_slice(&unhex(&key["secret"])).unwrap(),
    };
    let mut policy = Policy::default();
    policy.suites = vec![ringtrue_oob::Suite::S1, ringtrue_oob::Suite::S2];
    let x5u = format!("https://cert.example.org/{label}.pem");
    let context: Context = ContextBuilder {
        provider: Arc::new(FixedKeys),
        anchors,
        policy,
        numbers: vec![number(of)],
        services: Services {
            own: vec![base(CPS_CALLEE)],
            directory: base(crate::world::DIRECTORY),
            placement: None,
            mirror: None,
        },
        credential: Some(Credential::new(bag, &x5u).unwrap()),
        hardware_key: None,
    }
    .build(Some(UnixTime::from_secs(NOW)))
    .unwrap();
    let mut phone = Phone::new(Arc::new(context), credential);
    phone.clock = Box::new(|_| WallClock::UnixMs(NOW * 1000));
    phone
}

/// The world in which the vectors' anchors count.
fn world() -> World {
    let mut world = World::new();
    world.ms = NOW * 1000 - START_MS;
    let mut anchors = TrustAnchors::new();
    anchors.add(certificate("root")).unwrap();
    world.net.anchors = anchors;
    world
}

#[test]
fn own_keys_are_written_as_they_always_were() {
    let mut world = world();
    let mut callee = phone("callee", CALLEE);
    world.publish(&mut callee).unwrap();
    assert_eq!(callee.records.keys().collect::<Vec<_>>(), [OWN_KEYS]);
    let written = String::from_utf8(callee.records[OWN_KEYS].clone()).unwrap();
    let expected = String::from_utf8(fixed("own-keys-v1.json")).unwrap();
    assert_eq!(written, expected);
}

#[test]
fn own_keys_that_were_written_long_ago_still_open_and_are_published_on() {
    let mut world = world();
    let mut callee = phone("callee", CALLEE);
    callee
        .records
        .insert(OWN_KEYS.to_owned(), fixed("own-keys-v1.json"));
    let record = callee.own_keys().unwrap();
    for key in record["current"].as_array().unwrap() {
        let suite = ringtrue_oob::Suite::from_name(key["suite"].as_str().unwrap()).unwrap();
        let public = base64url::decode(key["public"].as_str().unwrap()).unwrap();
        let recipient = ringtrue_oob::RecipientKey::new(suite, &public).unwrap();
        let caller = phone("caller", CALLER);
        let forged = Forged::call(&world, &World::new().credential(&[CALLER]));
        let mut content = forged.content();
        content.n = CallNonce::from_octets([3; 16]);
        let mut signed = forged;
        signed.signer = caller.credential.clone();
        content.ppts = vec![signed.token()];
        content.x5c = vec![x5c("caller"), x5c("issuing")];
        let blob = sealed(&recipient, CALLEE, &content.to_octets().unwrap());
        callee.claims.clear();
        let ms = world.ms;
        let service = world.net.service(CPS_CALLEE);
        service.mailboxes.clear();
        service.leave(CALLEE, blob, ms);
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.blobs.opened, 1, "{}", suite.name());
        assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    }
    world.net.sent.clear();
    let published = world.publish(&mut callee).unwrap();
    assert!(!published.rotated);
    let statement = record["directory"].as_str().unwrap();
    assert_eq!(world.net.sent[0].request.body, statement.as_bytes());
    assert_eq!(callee.records[OWN_KEYS], fixed("own-keys-v1.json"));
}

fn x5c(label: &str) -> String {
    let file = vectors("certificates.json");
    find(&file["certificates"], label)["der"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The directory encoding of a statement of the vectors.
fn good_statement(id: &str) -> String {
    let file = vectors("statements.json");
    let mut good = file["good"].as_array().unwrap().iter();
    let found = good.find(|statement| statement["id"] == id).unwrap();
    found["directory_form"].as_str().unwrap().to_owned()
}

#[test]
fn statements_of_others_are_written_as_they_always_were() {
    let mut world = world();
    let mut caller = phone("caller", CALLER);
    let text = good_statement("callee");
    answer_lookups(&mut caller, &[&text]);
    let session = world.lookup(&caller, CALLEE, false);
    assert_eq!(run(&mut world, &mut caller, session).notices, []);
    assert_eq!(
        caller.records.keys().collect::<Vec<_>>(),
        [CALLEES_STATEMENTS]
    );
    let written = String::from_utf8(caller.records[CALLEES_STATEMENTS].clone()).unwrap();
    let expected = String::from_utf8(fixed("peer-keys-v1.json")).unwrap();
    assert_eq!(written, expected);
}

#[test]
fn statements_that_were_written_long_ago_count_without_asking_and_forbid_older_ones() {
    let mut world = world();
    let mut caller = phone("caller", CALLER);
    caller
        .records
        .insert(CALLEES_STATEMENTS.to_owned(), fixed("peer-keys-v1.json"));
    let session = world.lookup(&caller, CALLEE, false);
    let found = run(&mut world, &mut caller, session);
    assert_eq!(found.notices, []);
    assert_eq!(found.keys.readers(UnixTime::from_secs(NOW)), 1);
    assert_eq!(world.net.sent.len(), 0);

    // The next one is known; then the one of the record is the older one.
    let (older, newer) = (good_statement("callee"), good_statement("callee-next"));
    answer_lookups(&mut caller, &[&newer]);
    let session = world.lookup(&caller, CALLEE, true);
    assert_eq!(run(&mut world, &mut caller, session).notices, []);
    answer_lookups(&mut caller, &[&older]);
    let session = world.lookup(&caller, CALLEE, true);
    let found = run(&mut world, &mut caller, session);
    assert_eq!(found.notices, [Reason::SequenceRollback]);
}

#[test]
fn a_record_of_a_later_version_or_over_its_limit_is_not_read() {
    let text = String::from_utf8(fixed("own-keys-v1.json")).unwrap();
    let long = format!("{}{text}", " ".repeat(65_536));
    for damaged in [
        text.replacen("\"v\":1", "\"v\":2", 1),
        long,
        text.replacen("S1", "S9", 1),
    ] {
        let mut world = world();
        let mut callee = phone("callee", CALLEE);
        callee
            .records
            .insert(OWN_KEYS.to_owned(), damaged.into_bytes());
        assert_eq!(world.publish(&mut callee), Err(Reason::MalformedRecord));
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.reasons, [Reason::MalformedRecord]);
    }
}
