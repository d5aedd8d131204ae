//! `protocol`: the project's own vectors, made by an independent implementation: contents, blobs, key statements,
//! directory answers and request bodies.

use std::collections::BTreeSet;

use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::Route;
use ringtrue_oob::http::{HttpResponse, directory, placement};
use ringtrue_oob::statement::{KeyStatement, StatementDraft, VerifiedStatement, VerifyStatement};
use ringtrue_oob::{
    Blob, Content, Destination, RecipientKey, Suite, open, open_with_shared_secret, seal_in_class,
};
use ringtrue_stir::certificate::{Certificate, CertificateBag, Profile, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto, SecretKey, SharedSecret};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, X5u, base64url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{FixedEphemeral, folder, hex_of, schedule, unhex};

fn file(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder("protocol").join(name)).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let elements = value.get(name).and_then(Value::as_array).unwrap();
    assert!(!elements.is_empty(), "{name}");
    elements
}

/// The records of a list, every member of which is one that the caller looks at.
fn records<'a>(value: &'a Value, name: &str, members: &[&str]) -> &'a [Value] {
    let records = list(value, name);
    for record in records {
        for member in record.as_object().unwrap().keys() {
            assert!(members.contains(&member.as_str()), "{name}: {member}");
        }
    }
    records
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap()
}

fn count(value: &Value, name: &str) -> usize {
    let number = value.get(name).and_then(Value::as_u64).unwrap();
    usize::try_from(number).unwrap()
}

fn number(value: &Value) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text(value, "number")).unwrap()
}

/// Whether `reason` is one of those that the vector calls right.
fn assert_right(reason: Reason, vector: &Value) {
    let right = list(vector, "reasons");
    assert!(
        right
            .iter()
            .any(|name| name.as_str() == Some(reason.name())),
        "{}: {} is none of {right:?}",
        text(vector, "id"),
        reason.name()
    );
}

fn encryption_key(label: &str) -> (SecretKey, RecipientKey) {
    let keys = file("keys.json");
    let key = list(&keys, "encryption")
        .iter()
        .find(|key| text(key, "label") == label)
        .unwrap();
    let suite = Suite::from_name(text(key, "suite")).unwrap();
    (
        SecretKey::from_slice(&unhex(text(key, "secret"))).unwrap(),
        RecipientKey::new(suite, &unhex(text(key, "public"))).unwrap(),
    )
}

/// What this crate does not read is read by `core/stir/tests/vectors`; what nobody reads is an error.
#[test]
fn every_file_of_the_folder_is_consumed() {
    let here = [
        "blobs.json",
        "contents.json",
        "directory.json",
        "keys.json",
        "placement.json",
        "statements.json",
    ];
    let in_stir = ["certificates.json", "passports.json", "tn-auth-lists.json"];
    let described = ["README.md", "generate.py"];
    let expected: BTreeSet<&str> = here.into_iter().chain(in_stir).chain(described).collect();
    let found: Vec<String> = std::fs::read_dir(folder("protocol"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        expected
    );
    for name in here {
        let lists: &[&str] = match name {
            "blobs.json" => &["note", "good", "bad", "forms"],
            "contents.json" => &["note", "contents"],
            "directory.json" => &["note", "answers"],
            "keys.json" => &["note", "signing", "encryption"],
            "placement.json" => &["note", "paths", "bodies", "repeated"],
            _ => &["note", "good", "bad"],
        };
        let file = file(name);
        let members: BTreeSet<&str> = file
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(members, lists.iter().copied().collect(), "{name}");
    }
}

#[test]
fn encryption_keys_have_their_public_halves_and_short_names() {
    let members = [
        "label",
        "suite",
        "curve",
        "secret",
        "public",
        "kid",
        "spki_sha256",
    ];
    let file = file("keys.json");
    let keys = records(&file, "encryption", &members);
    assert_eq!(keys.len(), 3);
    for key in keys {
        let (secret, public) = encryption_key(text(key, "label"));
        let curve = match public.suite() {
            Suite::S1 => "P-256",
            _ => "X25519",
        };
        assert_eq!(text(key, "curve"), curve);
        if public.suite() == Suite::S1 {
            // A SubjectPublicKeyInfo of P-256 is this and the point.
            let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
            let spki = [unhex(prefix), public.as_octets().to_vec()].concat();
            assert_eq!(hex_of(&Sha256::digest(spki)), text(key, "spki_sha256"));
        }
        let computed = RustCrypto.public_key(public.suite().curve().unwrap(), &secret);
        assert_eq!(computed.unwrap(), public.as_octets());
        assert_eq!(public.kid(), text(key, "kid"));
    }
}

#[test]
fn contents_are_accepted_written_and_refused_as_stated() {
    let (mut accepted, mut refused) = (0, 0);
    let file = file("contents.json");
    let members = ["id", "accept", "text", "octets", "length", "reasons"];
    for vector in records(&file, "contents", &members) {
        let octets = match vector.get("octets") {
            Some(octets) => unhex(octets.as_str().unwrap()),
            None => text(vector, "text").as_bytes().to_vec(),
        };
        let id = text(vector, "id");
        match Content::parse(&octets) {
            Ok(content) => {
                assert_eq!(vector.get("accept"), Some(&Value::Bool(true)), "{id}");
                assert_eq!(octets.len(), count(vector, "length"), "{id}");
                let written = content.to_octets().unwrap();
                if ["members-in-another-order", "unknown-member"].contains(&id) {
                    assert_eq!(Content::parse(&written), Ok(content), "{id}");
                } else {
                    assert_eq!(written.as_slice(), octets, "{id}");
                }
                accepted += 1;
            }
            Err(reason) => {
                assert_eq!(vector.get("accept"), Some(&Value::Bool(false)), "{id}");
                assert_right(reason, vector);
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (9, 19));
}

#[test]
fn good_blobs_open_and_are_sealed_to_the_same_octets() {
    let vectors = file("blobs.json");
    let members = [
        "id",
        "suite",
        "class",
        "recipient",
        "number",
        "content",
        "ephemeral_secret",
        "enc",
        "dh",
        "shared_secret",
        "key",
        "base_nonce",
        "info",
        "aad",
        "blob",
        "blob_sha256",
    ];
    assert_eq!(list(&vectors, "good").len(), 7);
    for vector in records(&vectors, "good", &members) {
        let id = text(vector, "id");
        let (secret, key) = encryption_key(text(vector, "recipient"));
        let destination = Destination::from(number(vector));
        assert_eq!(hex_of(&destination.info().unwrap()), text(vector, "info"));

        let blob = Blob::from_text(text(vector, "blob")).unwrap();
        assert_eq!(blob.suite().name(), text(vector, "suite"));
        assert_eq!(usize::from(blob.class().id()), count(vector, "class"));
        assert_eq!(hex_of(blob.enc()), text(vector, "enc"));
        assert_eq!(hex_of(&blob.as_octets()[..8]), text(vector, "aad"));
        let digest = Sha256::digest(blob.as_octets());
        assert_eq!(hex_of(&digest), text(vector, "blob_sha256"));

        let content = text(vector, "content").as_bytes();
        let opened = open(&RustCrypto, &blob, &secret, &key, &destination).unwrap();
        assert_eq!(opened.as_slice(), content, "{id}");
        let agreed = SharedSecret::from_device(&unhex(text(vector, "dh"))).unwrap();
        let info = destination.info().unwrap();
        let schedule = schedule::of(blob.suite(), &agreed, blob.enc(), key.as_octets(), &info);
        assert_eq!(
            hex_of(&schedule.shared_secret),
            text(vector, "shared_secret")
        );
        assert_eq!(hex_of(&schedule.key), text(vector, "key"));
        assert_eq!(hex_of(&schedule.base_nonce), text(vector, "base_nonce"));
        let opened = open_with_shared_secret(&blob, &agreed, &key, &destination).unwrap();
        assert_eq!(opened.as_slice(), content, "{id}");

        let ephemeral = SecretKey::from_slice(&unhex(text(vector, "ephemeral_secret"))).unwrap();
        let provider = FixedEphemeral(ephemeral);
        let sealed = seal_in_class(&provider, &key, &destination, content, blob.class());
        assert!(sealed.unwrap() == blob, "{id}");
    }
}

#[test]
fn bad_blobs_are_refused_or_do_not_open() {
    let vectors = file("blobs.json");
    let members = ["id", "recipient", "number", "blob", "reasons"];
    assert_eq!(list(&vectors, "bad").len(), 18);
    for vector in records(&vectors, "bad", &members) {
        let (secret, key) = encryption_key(text(vector, "recipient"));
        let destination = Destination::from(number(vector));
        let outcome = Blob::from_text(text(vector, "blob"))
            .and_then(|blob| open(&RustCrypto, &blob, &secret, &key, &destination))
            .and_then(|content| Content::parse(&content).map(drop));
        let reason = outcome.expect_err(text(vector, "id"));
        if vector
            .get("reasons")
            .and_then(Value::as_array)
            .unwrap()
            .is_empty()
        {
            assert!(
                matches!(reason, Reason::BlobNotOpened | Reason::MalformedKey),
                "{reason:?}"
            );
        } else {
            assert_right(reason, vector);
        }
    }
}

#[test]
fn forms_are_known_for_every_suite_and_class() {
    let file = file("blobs.json");
    let forms = records(&file, "forms", &["suite", "header", "length", "accept"]);
    assert_eq!(forms.len(), 12);
    for vector in forms {
        let mut octets = unhex(text(vector, "header"));
        octets.resize(count(vector, "length"), 0x5a);
        let accepted = Blob::from_octets(octets)
            .is_ok_and(|blob| blob.suite().name() == text(vector, "suite"));
        assert_eq!(
            vector.get("accept"),
            Some(&Value::Bool(accepted)),
            "{vector}"
        );
    }
}

fn anchors(label: &str) -> TrustAnchors {
    let vectors = file("certificates.json");
    let vector = list(&vectors, "certificates")
        .iter()
        .find(|vector| text(vector, "label") == label)
        .unwrap();
    let bag = CertificateBag::from_base64_der(&[text(vector, "der")]).unwrap();
    let mut anchors = TrustAnchors::new();
    let root = bag.certificates().first().map(Certificate::der).unwrap();
    anchors.add(Certificate::from_der(root).unwrap()).unwrap();
    anchors
}

fn verify(
    vector: &Value,
    token: &str,
    bag: Option<&CertificateBag>,
) -> Result<VerifiedStatement, Reason> {
    let profile = match text(vector, "profile") {
        "delegate" => Profile::Delegate,
        "shaken" => Profile::Shaken,
        _ => Profile::Stir,
    };
    KeyStatement::parse(token)?.verify(&VerifyStatement {
        provider: &RustCrypto,
        anchors: &anchors(text(vector, "anchor")),
        rules: profile.into(),
        number: &number(vector),
        bag,
        now: UnixTime::from_secs(vector.get("now").and_then(Value::as_u64).unwrap()),
    })
}

#[test]
fn good_statements_verify_in_both_encodings_and_are_written_alike() {
    let vectors = file("statements.json");
    let members = [
        "id",
        "number",
        "now",
        "anchor",
        "profile",
        "payload_text",
        "digest",
        "directory_form",
        "inline_form",
        "x5c",
        "signer_spki_sha256",
        "kids",
    ];
    assert_eq!(list(&vectors, "good").len(), 7);
    let mut spelled_otherwise = Vec::new();
    for vector in records(&vectors, "good", &members) {
        let id = text(vector, "id");
        let x5c: Vec<&str> = list(vector, "x5c")
            .iter()
            .map(|certificate| certificate.as_str().unwrap())
            .collect();
        let bag = CertificateBag::from_base64_der(&x5c).unwrap();
        let directory = verify(vector, text(vector, "directory_form"), None).unwrap();
        let inline = verify(vector, text(vector, "inline_form"), Some(&bag)).unwrap();
        // The file lists a name for every entry; those of unknown suites are skipped by a reader.
        let payload = text(vector, "payload_text");
        for form in ["directory_form", "inline_form"] {
            let part = text(vector, form).split('.').nth(1).unwrap();
            assert_eq!(base64url::decode(part).unwrap(), payload.as_bytes(), "{id}");
        }
        let payload: Value = serde_json::from_str(payload).unwrap();
        let expected_kids: Vec<Value> = list(&payload, "keys")
            .iter()
            .zip(list(vector, "kids"))
            .filter(|(entry, _)| Suite::from_name(text(entry, "suite")).is_some())
            .map(|(_, kid)| kid.clone())
            .collect();
        for statement in [&directory, &inline] {
            let digest = base64url::encode(statement.digest().as_octets());
            assert_eq!(digest, text(vector, "digest"), "{id}");
            assert_eq!(
                hex_of(statement.signer()),
                text(vector, "signer_spki_sha256")
            );
            let kids: Vec<Value> = statement
                .keys()
                .iter()
                .chain(statement.unsupported_keys())
                .map(|key| Value::from(key.kid()))
                .collect();
            assert_eq!(kids, expected_kids, "{id}");
        }
        assert_eq!(
            verify(vector, text(vector, "inline_form"), None).map(drop),
            Err(Reason::CredentialUnavailable)
        );

        // Written again from what was read. Two spell the payload otherwise on purpose.
        let draft = StatementDraft {
            iat: inline.iat(),
            exp: inline.exp(),
            seq: inline.seq(),
            numbers: inline.numbers().to_vec(),
            cps: inline.cps().to_vec(),
            keys: inline.keys().to_vec(),
            prev: inline.prev().copied(),
            tok: inline.tok().map(str::to_owned),
        };
        let x5u = X5u::parse(inline.x5u().unwrap()).unwrap();
        let unsigned = draft.build(&x5u, &bag).unwrap();
        if unsigned.digest() == inline.digest() {
            let input = text(vector, "inline_form").rsplit_once('.').unwrap().0;
            assert_eq!(unsigned.inline_signing_input(), input, "{id}");
        } else {
            spelled_otherwise.push(id);
        }
    }
    assert_eq!(
        spelled_otherwise,
        ["not-canonical-json", "unknown-suite-beside-a-known-one"]
    );
}

#[test]
fn bad_statements_are_refused_with_their_reason_and_status() {
    let vectors = file("statements.json");
    let members = [
        "id",
        "number",
        "now",
        "anchor",
        "profile",
        "token",
        "reasons",
        "put_status",
    ];
    assert_eq!(list(&vectors, "bad").len(), 41);
    for vector in records(&vectors, "bad", &members) {
        let id = text(vector, "id");
        let reason = verify(vector, text(vector, "token"), None).expect_err(id);
        assert_right(reason, vector);
        let status = usize::from(Problem::for_statement(reason).status());
        assert_eq!(status, count(vector, "put_status"), "{id}");
    }
}

#[test]
fn directory_answers_are_octet_by_octet_the_same() {
    let file = file("directory.json");
    let members = ["id", "newest_first", "listed", "length", "body", "sha256"];
    let answers = records(&file, "answers", &members);
    assert_eq!(answers.len(), 5);
    for vector in answers {
        let id = text(vector, "id");
        let newest_first: Vec<&str> = vector
            .get("newest_first")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .map(|statement| statement.as_str().unwrap())
            .collect();
        let answer = directory::encode_statements(&newest_first);
        assert_eq!(answer.body.len(), count(vector, "length"), "{id}");
        assert!(answer.body == text(vector, "body").as_bytes(), "{id}");
        assert_eq!(
            hex_of(&Sha256::digest(&answer.body)),
            text(vector, "sha256")
        );
        let listed = count(vector, "listed");
        assert_eq!(
            directory::decode_statements(&answer).unwrap(),
            newest_first[..listed]
        );
    }
}

#[test]
fn numbers_in_paths_are_read_as_stated() {
    let file = file("placement.json");
    let paths = records(&file, "paths", &["path", "number"]);
    assert_eq!(paths.len(), 24);
    for vector in paths {
        let route = Route::decode("", "GET", &format!("/cps/{}/ppts", text(vector, "path")));
        let expected = match vector.get("number").and_then(Value::as_str) {
            Some(number) => Ok(Route::Retrieve {
                number: TelephoneNumber::from_canonical(number).unwrap(),
            }),
            None => Err(Problem::MalformedNumber),
        };
        assert_eq!(route, expected, "{vector}");
    }
}

#[test]
fn store_bodies_are_read_as_stated() {
    let vectors = file("placement.json");
    let check = |vector: &Value, body: &str, blobs: Option<usize>| {
        let decoded = placement::decode_store(Some("application/passport"), body.as_bytes());
        match vector.get("problem").and_then(Value::as_str) {
            None => assert_eq!(decoded.map(|blobs| blobs.len()).ok(), blobs),
            Some(name) => assert_eq!(decoded.map_err(Problem::name).err(), Some(name)),
        }
    };
    let bodies = records(&vectors, "bodies", &["id", "body", "problem", "blobs"]);
    assert_eq!(bodies.len(), 12);
    for vector in bodies {
        check(vector, text(vector, "body"), Some(count(vector, "blobs")));
    }
    let vector = vectors.get("repeated").unwrap();
    assert_eq!(
        vector.as_object().unwrap().len(),
        4,
        "id, line, times, problem"
    );
    let line = format!("{}\n", text(vector, "line"));
    check(vector, &line.repeat(count(vector, "times")), None);
}

/// What a client reads is what a service wrote, also where the body is the vector's.
#[test]
fn good_store_bodies_are_good_answers_too() {
    for vector in list(&file("placement.json"), "bodies") {
        if vector.get("problem") == Some(&Value::Null) {
            let answer = HttpResponse {
                status: 200,
                headers: vec![("Content-Type".into(), "application/passport".into())],
                body: text(vector, "body").into(),
            };
            let retrieved = placement::decode_blobs(&answer).unwrap();
            assert_eq!(retrieved.blobs.len(), count(vector, "blobs"));
            assert_eq!(retrieved.skipped, 0);
        }
    }
}
