//! `protocol`: certificates, lists and PASSporTs of the project's own description, made by a program
//! that shares no code with this one. `core/oob/tests/vectors` reads the other files of that folder, and
//! checks that there is none that nobody reads.

use ringtrue_stir::certificate::{Certificate, CertificateBag, Profile, TrustAnchors, verify_path};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, RustCrypto, SecretKey};
use ringtrue_stir::passport::{Passport, PassportType};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, base64url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Folder, unhex};

/// The records of a list, every member of which is one that the caller looks at.
fn records<'a>(file: &'a Value, name: &str, members: &[&str]) -> &'a [Value] {
    let records = file[name].as_array().unwrap();
    assert!(!records.is_empty(), "{name}");
    for record in records {
        for member in record.as_object().unwrap().keys() {
            assert!(members.contains(&member.as_str()), "{name}: {member}");
        }
    }
    records
}

fn number(value: &Value) -> TelephoneNumber {
    TelephoneNumber::from_canonical(value.as_str().unwrap()).unwrap()
}

fn entry(value: &Value) -> Entry {
    match value.as_object().unwrap().iter().next().unwrap() {
        (name, spc) if name == "spc" => Entry::Spc(spc.as_str().unwrap().to_owned()),
        (name, one) if name == "one" => Entry::One(number(one)),
        (_, range) => Entry::Range {
            start: number(&range["start"]),
            count: range["count"].as_u64().unwrap(),
        },
    }
}

fn list(entries: &Value) -> TnAuthList {
    TnAuthList::new(entries.as_array().unwrap().iter().map(entry).collect()).unwrap()
}

#[test]
fn lists_encode_and_decode_both_ways_equal() {
    let file = Folder::open("protocol").json("tn-auth-lists.json");
    let members = ["entries", "der", "covers", "covers_not"];
    let records = records(&file, "lists", &members);
    assert_eq!(records.len(), 4);
    for record in records {
        let der = unhex(record["der"].as_str().unwrap());
        let list = list(&record["entries"]);
        assert_eq!(list.encode(), der);
        assert_eq!(TnAuthList::decode(&der).as_ref(), Ok(&list));
        for (member, covered) in [("covers", true), ("covers_not", false)] {
            for text in record[member].as_array().unwrap() {
                assert_eq!(list.covers(&number(text)), covered, "{text}");
            }
        }
    }
}

fn certificates(file: &Value) -> Vec<(String, Certificate)> {
    let records = file["certificates"].as_array().unwrap();
    let certificate = |record: &Value| {
        let bag = CertificateBag::from_base64_der(&[record["der"].as_str().unwrap()]).unwrap();
        let label = record["label"].as_str().unwrap().to_owned();
        (label, bag.certificates()[0].clone())
    };
    records.iter().map(certificate).collect()
}

#[test]
fn signing_keys_have_their_public_halves_and_digests() {
    let file = Folder::open("protocol").json("keys.json");
    let members = ["label", "curve", "secret", "public", "spki_sha256"];
    let records = records(&file, "signing", &members);
    assert_eq!(records.len(), 9);
    for record in records {
        assert_eq!(record["curve"], "P-256");
        let secret = SecretKey::from_slice(&unhex(record["secret"].as_str().unwrap())).unwrap();
        let public = RustCrypto.public_key(Curve::P256, &secret).unwrap();
        assert_eq!(public, unhex(record["public"].as_str().unwrap()));
    }
}

#[test]
fn certificates_say_what_is_stated_of_them() {
    let mut folder = Folder::open("protocol");
    let keys = folder.json("keys.json");
    let file = folder.json("certificates.json");
    let members = [
        "label",
        "issuer",
        "key",
        "der",
        "sha256",
        "not_before",
        "not_after",
        "ca",
        "tn_auth_list",
        "tn_auth_list_der",
        "spki_sha256",
    ];
    let records = records(&file, "certificates", &members);
    let all = certificates(&file);
    assert_eq!(all.len(), 24);
    for (record, (label, certificate)) in records.iter().zip(&all) {
        let digest = Sha256::digest(certificate.der()).to_vec();
        assert_eq!(digest, unhex(record["sha256"].as_str().unwrap()), "{label}");
        let mut signing = keys["signing"].as_array().unwrap().iter();
        let key = signing.find(|key| key["label"] == record["key"]).unwrap();
        assert_eq!(key["spki_sha256"], record["spki_sha256"], "{label}");
        let point = certificate.public_key().unwrap().as_sec1().to_vec();
        assert_eq!(point, unhex(key["public"].as_str().unwrap()), "{label}");
        let list_der = certificate.tn_auth_list().map(TnAuthList::encode);
        assert_eq!(list_der, record["tn_auth_list_der"].as_str().map(unhex));
        let time = |name: &str| UnixTime::from_secs(record[name].as_u64().unwrap());
        assert_eq!(certificate.not_before(), time("not_before"), "{label}");
        assert_eq!(certificate.not_after(), time("not_after"), "{label}");
        assert_eq!(Value::Bool(certificate.is_ca()), record["ca"], "{label}");
        let spki = unhex(record["spki_sha256"].as_str().unwrap());
        assert_eq!(certificate.spki_digest().to_vec(), spki, "{label}");
        let stated = record["tn_auth_list"]
            .as_array()
            .map(|_| list(&record["tn_auth_list"]));
        assert_eq!(certificate.tn_auth_list(), stated.as_ref(), "{label}");
        let issuer = all
            .iter()
            .find(|(label, _)| record["issuer"] == label.as_str());
        let key = issuer.unwrap().1.public_key().unwrap();
        assert_eq!(
            certificate.verify_signature(&RustCrypto, key),
            Ok(()),
            "{label}"
        );
    }
}

/// Verification as a session does it, in short: the last two steps are not this crate's.
fn verify(record: &Value, anchor: &Certificate) -> Result<(), Reason> {
    let passport = Passport::parse(record["token"].as_str().unwrap())?;
    if passport.kind() == PassportType::Unsupported {
        return Err(Reason::PptUnsupported);
    }
    let x5c: Vec<_> = record["x5c"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect();
    if x5c.is_empty() {
        return Err(Reason::CredentialUnavailable);
    }
    let bag = CertificateBag::from_base64_der(&x5c)?;
    let signer = passport
        .find_signer(&RustCrypto, &bag)
        .ok_or(Reason::SignatureInvalid)?;
    let mut anchors = TrustAnchors::new();
    anchors.add(anchor.clone())?;
    let profile = match record["profile"].as_str().unwrap() {
        "delegate" => Profile::Delegate,
        "shaken" => Profile::Shaken,
        "stir" => Profile::Stir,
        other => panic!("{other}"),
    };
    let now = record["now"].as_u64().unwrap();
    let at = UnixTime::from_secs(now);
    let path = verify_path(&RustCrypto, signer, &bag, &anchors, at, profile)?;
    let verified = passport.verify(&RustCrypto, &path)?;
    let claims = verified.claims();
    let vouched_for = if verified.kind() == PassportType::Rsp {
        "to"
    } else {
        "from"
    };
    let iat = claims.iat().as_secs();
    if iat + 60 < now {
        return Err(Reason::IatStale);
    }
    if iat > now + 10 {
        return Err(Reason::IatInFuture);
    }
    if claims.orig().tn() != Some(&number(&record["from"])) {
        return Err(Reason::OrigMismatch);
    }
    if !claims.dest().contains(&number(&record["to"])) {
        return Err(Reason::DestMismatch);
    }
    path.require_covered(&number(&record[vouched_for]))
}

/// The texts that are printed beside a good token are what is in it; bad ones may be cut.
fn assert_texts(record: &Value) {
    let parts: Vec<&str> = record["token"].as_str().unwrap().split('.').collect();
    for (at, name) in ["header_text", "payload_text"].into_iter().enumerate() {
        if let Some(text) = record[name].as_str() {
            let octets = base64url::decode(parts[at]).unwrap();
            assert_eq!(octets, text.as_bytes(), "{}", record["id"]);
        }
    }
}

#[test]
fn passports_verify_or_fail_for_a_stated_reason() {
    let mut folder = Folder::open("protocol");
    let certificates = certificates(&folder.json("certificates.json"));
    let file = folder.json("passports.json");
    // `ppt` names the kind of the example, and `what` is for people.
    let members = [
        "id",
        "token",
        "header_text",
        "payload_text",
        "x5c",
        "anchor",
        "profile",
        "now",
        "from",
        "to",
        "ppt",
        "accept",
        "reasons",
        "what",
    ];
    let records = records(&file, "passports", &members);
    let accepted = records.iter().filter(|record| record["accept"] == true);
    assert_eq!((accepted.count(), records.len()), (11, 66));
    for record in records {
        let id = record["id"].as_str().unwrap();
        if record["accept"] == true {
            assert_texts(record);
        }
        let anchor = certificates
            .iter()
            .find(|(label, _)| record["anchor"] == label.as_str());
        let outcome = verify(record, &anchor.unwrap().1);
        match outcome {
            Ok(()) => assert_eq!(record["accept"], true, "{id}"),
            Err(reason) => {
                assert_eq!(record["accept"], false, "{id}: {reason}");
                let stated = record["reasons"].as_array().unwrap();
                assert!(
                    stated.iter().any(|name| *name == reason.name()),
                    "{id}: {reason}"
                );
            }
        }
    }
}
