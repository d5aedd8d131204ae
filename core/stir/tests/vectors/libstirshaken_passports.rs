//! `stir-libstirshaken`: tokens of another project's tests. All signatures are good, most tokens are not.

use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::jws::CompactJws;
use ringtrue_stir::passport::{Attestation, MAX_PASSPORT_LEN, Passport, PassportType};
use ringtrue_stir::{Reason, Strictness, base64url};
use serde_json::Value;

use crate::public_key;

/// The reason for what was measured.
fn reason(measured: &str) -> Reason {
    match measured {
        "typ" => Reason::TypeMismatch,
        "iat-missing" => Reason::IatMissing,
        "orig-missing" | "orig-not-object" => Reason::MalformedOrig,
        "dest-missing" => Reason::DestMissing,
        "dest-not-object" => Reason::MalformedDest,
        "orig-tn-not-canonical" | "dest-tn-not-canonical" => Reason::MalformedNumber,
        "origid-not-uuid" => Reason::MalformedOrigid,
        other => panic!("{other} is not consumed"),
    }
}

pub(crate) fn check_passports(file: &Value) {
    let records = file.as_array().unwrap();
    for record in records {
        let id = record["id"].as_str().unwrap();
        let token = record["token"].as_str().unwrap();
        let jws = CompactJws::parse(token, MAX_PASSPORT_LEN).unwrap();
        let parts: Vec<_> = token.split('.').collect();
        for (part, text) in [(parts[0], "header_text"), (parts[1], "payload_text")] {
            let octets = base64url::decode(part).unwrap();
            assert_eq!(record[text].as_str().unwrap().as_bytes(), octets, "{id}");
        }
        let key = public_key(record["public_key_pem"].as_str().unwrap());
        assert_eq!(record["measured"]["signature_valid"], Value::Bool(true));
        assert_eq!(jws.verify(&RustCrypto, &key), Ok(()), "{id}");

        let measured = record["measured"]["strict_refusals"].as_array().unwrap();
        let mut expected: Vec<Reason> = Vec::new();
        for text in measured {
            let reason = reason(text.as_str().unwrap());
            if !expected.contains(&reason) {
                expected.push(reason);
            }
        }
        // Not measured there: two of them name their certificate by plain http.
        if matches!(id, "libstirshaken-05" | "libstirshaken-06") {
            expected.insert(0, Reason::MalformedUrl);
        }
        for strictness in [Strictness::Strict, Strictness::Lenient] {
            let (passport, reasons) = Passport::examine(token, strictness);
            assert_eq!(reasons, expected, "{id}");
            assert_eq!(passport.is_some(), expected.is_empty(), "{id}");
            let parsed = Passport::parse_with(token, strictness).map(|_| ());
            assert_eq!(parsed.err(), expected.first().copied(), "{id}");
        }
        match id {
            "libstirshaken-00" => {
                let passport = Passport::parse(token).unwrap();
                assert_eq!(passport.kind(), PassportType::Shaken);
                assert_eq!(passport.claims().attest(), Some(Attestation::Partial));
                let verified = passport.verify_with_key(&RustCrypto, &key, Strictness::Strict);
                assert_eq!(verified, Ok(&[][..]));
                assert_eq!(passport.check_x5u_form(), Ok(()));
            }
            "libstirshaken-02" | "libstirshaken-03" | "libstirshaken-05" | "libstirshaken-06" => {
                assert!(!expected.is_empty());
            }
            other => panic!("{other} is not consumed"),
        }
        assert!(record["signer"].as_str().unwrap().ends_with(".pem"));
    }
    assert_eq!(records.len(), 5);
}
