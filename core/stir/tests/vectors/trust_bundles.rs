//! `trust-bundle`: bundles of another maker.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringtrue_stir::certificate::Profile;
use ringtrue_stir::certificate::sct::{LogState, SctMode};
use ringtrue_stir::crypto::{CryptoProvider as _, P256PublicKey, RustCrypto, SecretKey};
use ringtrue_stir::trust_bundle::{TrustBundle, TrustBundleDraft};
use ringtrue_stir::verification::SpcPolicy;
use ringtrue_stir::{Reason, UnixTime};
use serde_json::Value;

use crate::{Folder, unhex};

fn octets(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn keys(document: &Value) -> [P256PublicKey; 2] {
    ["other_key", "key"].map(|name| P256PublicKey::from_spki_der(&octets(&document[name])).unwrap())
}

fn assert_says(bundle: &TrustBundle, payload: &Value, label: &str) {
    assert_eq!(payload["version"], bundle.version().number(), "{label}");
    assert_eq!(payload["iat"], bundle.issued_at().as_secs(), "{label}");
    assert_eq!(payload["exp"], bundle.expires_at().as_secs(), "{label}");
    let anchors = bundle.anchors().certificates();
    let expected = payload["anchors"].as_array().unwrap();
    assert_eq!(anchors.len(), expected.len(), "{label}");
    for (anchor, expected) in anchors.iter().zip(expected) {
        assert_eq!(anchor.der(), octets(expected), "{label}");
    }
    let expected = payload["crl_issuers"].as_array().unwrap();
    assert_eq!(bundle.crl_issuers().len(), expected.len(), "{label}");
    for (issuer, expected) in bundle.crl_issuers().iter().zip(expected) {
        assert_eq!(issuer.certificate.der(), octets(&expected["certificate"]));
        let urls: Vec<_> = issuer.urls.iter().map(|url| url.as_str()).collect();
        assert_eq!(expected["urls"], Value::from(urls), "{label}");
    }
    let expected = payload["logs"].as_array().unwrap();
    assert_eq!(bundle.logs().logs().len(), expected.len(), "{label}");
    for (log, expected) in bundle.logs().logs().iter().zip(expected) {
        assert_eq!(log.spki_der(), octets(&expected["key"]));
        assert_eq!(expected["operator"], log.operator());
        assert_eq!(expected["since"], log.since().as_secs());
        let state = match log.state() {
            LogState::Retired(until) => {
                assert_eq!(expected["until"], until.as_secs());
                "retired"
            }
            LogState::Rejected => "rejected",
            _ => "usable",
        };
        assert_eq!(expected["state"], state);
    }
    let sct = bundle.sct_policy();
    let mode = if sct.mode == SctMode::Require {
        "require"
    } else {
        "warn"
    };
    assert_eq!(payload["sct"]["mode"], mode, "{label}");
    assert_eq!(payload["sct"]["min_valid"], sct.min_valid, "{label}");
    let operators = sct.min_distinct_operators;
    assert_eq!(payload["sct"]["min_distinct_operators"], operators);
    let spc = match bundle.spc_policy() {
        SpcPolicy::None => Value::from("none"),
        SpcPolicy::Any => Value::from("any"),
        SpcPolicy::Listed(codes) => Value::from(codes.clone()),
    };
    assert_eq!(payload["spc"], spc, "{label}");
    let profile = if bundle.profile() == Profile::Shaken {
        "shaken"
    } else {
        "stir"
    };
    assert_eq!(payload["profile"], profile, "{label}");
    assert_eq!(payload["rsa_ca_links"], bundle.rsa_ca_links(), "{label}");
}

#[test]
fn trust_bundles_of_another_maker_verify_or_are_refused_as_stated() {
    let mut folder = Folder::open("trust-bundle");
    folder.text("generate.py");
    let document = folder.json("bundles.json");
    let keys = keys(&document);
    let secret = SecretKey::from_slice(&unhex(document["secret"].as_str().unwrap())).unwrap();
    let now = UnixTime::from_secs(document["now"].as_u64().unwrap());
    let verify =
        |text: &Value| TrustBundle::verify(text.as_str().unwrap(), &keys, &RustCrypto, now, None);
    let good = document["good"].as_array().unwrap();
    for record in good {
        let label = record["label"].as_str().unwrap();
        let bundle = verify(&record["text"]).unwrap();
        assert_says(&bundle, &record["payload"], label);
        let draft = TrustBundleDraft {
            version: bundle.version().number(),
            iat: bundle.issued_at(),
            exp: bundle.expires_at(),
            data: bundle.data().clone(),
        };
        let unsigned = draft.build().unwrap();
        let signature = RustCrypto
            .sign_es256(&secret, unsigned.signing_input().as_bytes())
            .unwrap();
        let written = unsigned.complete(&RustCrypto, &keys[1], &signature);
        let is_same = written.as_deref() == Ok(record["text"].as_str().unwrap());
        assert_eq!(record["is_canonical"], is_same, "{label}");
    }
    let bad = document["bad"].as_array().unwrap();
    for record in bad {
        let reason = Reason::from_name(record["reason"].as_str().unwrap()).unwrap();
        let refused = verify(&record["text"]).err();
        assert_eq!(refused, Some(reason), "{}", record["label"]);
    }
    assert_eq!((good.len(), bad.len()), (6, 69));
    folder.assert_consumed();
}
