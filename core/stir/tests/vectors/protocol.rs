//! `protocol`: certificates, lists and PASSporTs of the project's own description, made by a program
//! that shares no code with this one. The other files of that folder belong to other crates.

use ringtrue_stir::certificate::{Certificate, CertificateBag, Profile, TrustAnchors, verify_path};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{Passport, PassportType};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use serde_json::Value;

use crate::{Folder, unhex};

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
    let records = file["lists"].as_array().unwrap();
    assert!(!records.is_empty());
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
fn certificates_say_what_is_stated_of_them() {
    let file = Folder::open("protocol").json("certificates.json");
    let all = certificates(&file);
    assert!(!all.is_empty());
    for (record, (label, certificate)) in file["certificates"].as_array().unwrap().iter().zip(&all)
    {
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

#[test]
fn passports_verify_or_fail_for_a_stated_reason() {
    let mut folder = Folder::open("protocol");
    let certificates = certificates(&folder.json("certificates.json"));
    let file = folder.json("passports.json");
    let records = file["passports"].as_array().unwrap();
    assert!(!records.is_empty());
    for record in records {
        let id = record["id"].as_str().unwrap();
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
