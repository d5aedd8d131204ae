//! `stir-rfc-passports`: the printed examples of the RFCs.

use std::collections::BTreeMap;

use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto, SecretKey};
use ringtrue_stir::jws::CompactJws;
use ringtrue_stir::passport::{
    Destinations, Fingerprint, Identity, MAX_PASSPORT_LEN, Mky, Passport, PassportBuilder,
    PassportType,
};
use ringtrue_stir::{Reason, Strictness, TelephoneNumber, UnixTime, X5u, base64url, json};
use serde_json::{Value, json as object};

use crate::sip_headers::{check_identity_headers, check_reason_headers};
use crate::{Folder, public_key};

fn jws(token: &str) -> CompactJws {
    CompactJws::parse(token, MAX_PASSPORT_LEN).unwrap()
}

/// The scalar of a private key: behind `04 20` in both PEM forms that occur.
fn public_half(pem_text: &str) -> P256PublicKey {
    let der = pem::parse(pem_text).unwrap().into_contents();
    let at = der
        .windows(2)
        .position(|pair| pair == [0x04, 0x20])
        .unwrap()
        + 2;
    let secret = SecretKey::from_slice(&der[at..at + 32]).unwrap();
    P256PublicKey::from_sec1(&RustCrypto.public_key(Curve::P256, &secret).unwrap()).unwrap()
}

#[test]
fn printed_examples_verify_and_are_refused_as_measured() {
    let mut folder = Folder::open("stir-rfc-passports");
    let records = folder.json("passports.json");
    let mut tokens = BTreeMap::new();
    for record in records.as_array().unwrap() {
        let id = record["id"].as_str().unwrap();
        let token = record["token"].as_str().unwrap();
        tokens.insert(id.to_owned(), token.to_owned());
        let jws = jws(token);
        let parts: Vec<_> = token.split('.').collect();
        for (part, text) in [(parts[0], "header_text"), (parts[1], "payload_text")] {
            let text = record[text].as_str().unwrap();
            assert_eq!(base64url::decode(part).unwrap(), text.as_bytes(), "{id}");
            let value = json::parse(text.as_bytes(), MAX_PASSPORT_LEN).unwrap();
            assert_eq!(json::canonical(&value), text, "{id}");
        }
        let key = public_key(record["public_key_pem"].as_str().unwrap());
        let valid = record["measured"]["signature_valid"].as_bool().unwrap();
        let expected = if valid {
            Ok(())
        } else {
            Err(Reason::SignatureInvalid)
        };
        assert_eq!(jws.verify(&RustCrypto, &key), expected, "{id}");
        assert_eq!(
            jws.require_canonical(&jws.payload_json().unwrap()),
            Ok(()),
            "{id}"
        );

        let refusals = &record["measured"]["strict_refusals"];
        let parsed = Passport::parse(token);
        match id {
            "rfc8225-7.1" => {
                assert_eq!(refusals, &object!(["iat-not-integer"]));
                assert_eq!(parsed.unwrap_err(), Reason::IatNotNumber);
                let lenient = Passport::parse_with(token, Strictness::Lenient).unwrap();
                assert_eq!(lenient.claims().iat(), UnixTime::from_secs(1_443_208_345));
                assert_eq!(
                    lenient.verify_with_key(&RustCrypto, &key, Strictness::Lenient),
                    Ok(&[Reason::IatNotNumber][..])
                );
                assert_eq!(
                    lenient.verify_with_key(&RustCrypto, &key, Strictness::Strict),
                    Err(Reason::IatNotNumber)
                );
                let pair = public_half(record["private_key_pem"].as_str().unwrap());
                assert_eq!(pair, key);
            }
            "rfc8225-A" => {
                assert_eq!(refusals, &object!([]));
                let passport = parsed.unwrap();
                assert_eq!(passport.kind(), PassportType::Base);
                assert_eq!(passport.claims().iat(), UnixTime::from_secs(1_471_375_418));
                let other = public_half(record["printed_private_key_pem"].as_str().unwrap());
                assert_eq!(
                    record["printed_a1_and_a2_are_a_pair"],
                    Value::Bool(other == key)
                );
                let valid = jws.verify(&RustCrypto, &other).is_ok();
                assert_eq!(
                    record["signature_valid_with_a1_public_half"],
                    Value::Bool(valid)
                );
                builder_makes_the_printed_octets(&jws);
            }
            "rfc8946-4.1-div" => {
                assert_eq!(refusals, &object!([]));
                let passport = parsed.unwrap();
                assert_eq!(passport.kind(), PassportType::Div);
                let div = passport.claims().div().unwrap();
                let printed = TelephoneNumber::from_canonical("121555551213").unwrap();
                assert_eq!(div.identity(), &Identity::Tn(printed));
                assert_eq!(
                    passport.verify_with_key(&RustCrypto, &key, Strictness::Strict),
                    Ok(&[][..])
                );
                let pair = public_half(record["private_key_pem"].as_str().unwrap());
                assert_eq!(pair, key);
            }
            other => panic!("{other} is not consumed"),
        }
    }
    assert_eq!(tokens.len(), 3);
    check_identity_headers(&folder.json("identity-headers.json"), &tokens);
    check_reason_headers(&folder.json("reason-headers.json"), &tokens);
    check_mky(&folder.json("mky.json"));
    folder.assert_consumed();
}

fn builder_makes_the_printed_octets(printed: &CompactJws) {
    let unsigned = PassportBuilder::base(
        &Identity::Tn(TelephoneNumber::from_canonical("12155551212").unwrap()),
        Destinations {
            tn: vec![],
            uri: vec!["sip:alice@example.com".to_owned()],
        },
        UnixTime::from_secs(1_471_375_418),
        &X5u::parse("https://cert.example.org/passport.cer").unwrap(),
    )
    .build()
    .unwrap();
    assert_eq!(unsigned.signing_input(), printed.signing_input());
}

fn check_mky(file: &Value) {
    let lines: Vec<&str> = file["sdp"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    let sdp = format!(
        "v=0\r\ns=-\r\n{}\r\nm=audio 9 UDP/TLS/RTP/SAVP 0\r\n",
        lines.join("\r\n")
    );
    let mky = Mky::from_sdp(&sdp).unwrap().unwrap();
    let fingerprints: Vec<_> = lines
        .iter()
        .map(|line| Fingerprint::from_sdp(line).unwrap())
        .collect();
    assert!(mky.matches(&fingerprints));
    assert!(fingerprints.iter().all(|one| one.digest().len() == 32));
    let unsigned = PassportBuilder::base(
        &Identity::Tn(TelephoneNumber::from_canonical("12155551212").unwrap()),
        Destinations {
            tn: vec![],
            uri: vec!["sip:alice@example.com".to_owned()],
        },
        UnixTime::from_secs(1_443_208_345),
        &X5u::parse("https://cert.example.org/passport.cer").unwrap(),
    )
    .mky(&mky)
    .build()
    .unwrap();
    let payload = unsigned.signing_input().split_once('.').unwrap().1;
    let payload = String::from_utf8(base64url::decode(payload).unwrap()).unwrap();
    assert_eq!(payload, file["payload_canonical"].as_str().unwrap());
    let printed: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(
        json::canonical(&printed["mky"]),
        file["mky_canonical"].as_str().unwrap()
    );
    assert_eq!(file["notes"].as_array().unwrap().len(), 2);
}
