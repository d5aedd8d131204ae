//! The form of a statement: members, header, JSON.

use proptest::prelude::*;
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};
use ringtrue_stir::{Reason, base64url};
use serde_json::{Value, json};

use super::super::{KeyStatement, TYP};
use super::{NOW, World};
use crate::{RecipientKey, Suite};

#[test]
fn claims_of_the_wrong_form_are_refused() {
    let world = World::new();
    let good = world.payload();
    assert_eq!(world.outcome(&world.sign_payload(&good)), Ok(()));
    let malformed = Reason::MalformedStatement;
    let s1 = good["keys"][0].clone();
    let url = "https://cps.example.com";
    let cases = [
        ("iat", json!("1800000000"), malformed),
        ("iat", json!(1.5), malformed),
        ("iat", json!(-1), malformed),
        ("exp", json!(1_800_000_000), malformed),
        ("exp", json!(1_799_999_999), malformed),
        ("exp", json!(1_800_604_801_u64), malformed),
        ("seq", json!(-1), malformed),
        ("seq", json!(1.0), malformed),
        ("seq", json!(null), malformed),
        ("sub", json!([]), malformed),
        ("sub", json!({}), malformed),
        ("sub", json!({"tn": []}), malformed),
        ("sub", json!({"tn": "12025550143"}), malformed),
        ("sub", json!({"tn": [1]}), malformed),
        (
            "sub",
            json!({"tn": ["+12025550143"]}),
            Reason::MalformedNumber,
        ),
        ("sub", json!({"tn": ["12025550143"], "uri": []}), malformed),
        (
            "sub",
            json!({"tn": ["12025550143"], "uri": [""]}),
            malformed,
        ),
        ("cps", json!([]), malformed),
        ("cps", json!(url), malformed),
        ("cps", json!([url, url, url, url, url]), malformed),
        ("cps", json!([1]), malformed),
        (
            "cps",
            json!(["http://cps.example.com"]),
            Reason::MalformedUrl,
        ),
        ("keys", json!([]), malformed),
        ("keys", json!({}), malformed),
        ("keys", json!([1]), malformed),
        ("keys", json!([{"suite": "S1"}]), malformed),
        ("keys", json!([{"pub": "AA"}]), malformed),
        ("keys", json!([{"suite": 1, "pub": "AA"}]), malformed),
        (
            "keys",
            json!([{"suite": "S1", "pub": "AA"}]),
            Reason::MalformedKey,
        ),
        (
            "keys",
            json!([{"suite": "S1", "pub": "!"}]),
            Reason::MalformedKey,
        ),
        (
            "keys",
            json!([{"suite": "S2", "pub": "A".repeat(43)}]),
            Reason::MalformedKey,
        ),
        (
            "keys",
            json!([{"suite": "S3", "pub": "AA"}]),
            Reason::MalformedKey,
        ),
        ("keys", json!([s1, s1]), Reason::MalformedKey),
        (
            "keys",
            Value::from(vec![json!({"suite": "S9"}); 9]),
            malformed,
        ),
        ("prev", json!("AAAA"), malformed),
        ("prev", json!(null), malformed),
        ("tok", json!(""), malformed),
        ("tok", json!("x".repeat(262)), malformed),
    ];
    for (name, value, reason) in cases {
        let mut payload = good.clone();
        payload[name] = value.clone();
        assert_eq!(
            world.outcome(&world.sign_payload(&payload)),
            Err(reason),
            "{name} {value}"
        );
    }
    for name in ["iat", "exp", "seq", "sub", "cps", "keys"] {
        let mut payload = good.clone();
        payload.as_object_mut().unwrap().remove(name);
        assert_eq!(
            world.outcome(&world.sign_payload(&payload)),
            Err(malformed),
            "{name}"
        );
    }
}

#[test]
fn optional_and_unknown_members_do_not_matter() {
    let world = World::new();
    let mut payload = world.payload();
    payload.as_object_mut().unwrap().remove("prev");
    payload.as_object_mut().unwrap().remove("tok");
    payload["future"] = json!({"x": [1]});
    payload["keys"][0]["kid"] = json!(17);
    payload["keys"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"suite": "S9", "pub": 1}), json!({"suite": "S9"})]);
    // Reduced coefficients, and the point of another key behind them.
    let point = world.draft.keys[0].as_octets();
    let s4 = RecipientKey::new(Suite::S4, &[&[1; 1184], point].concat()).unwrap();
    let raw = base64url::encode(s4.as_octets());
    payload["keys"]
        .as_array_mut()
        .unwrap()
        .push(json!({"suite": "S4", "pub": raw}));
    let statement = world.verify_at(&world.sign_payload(&payload), NOW).unwrap();
    let mut usable = world.draft.keys.clone();
    let mut known_by_form = vec![s4];
    if Suite::S4.is_supported() {
        usable.append(&mut known_by_form);
    }
    assert_eq!(statement.keys(), usable);
    assert_eq!(statement.unsupported_keys(), known_by_form);
    assert_eq!((statement.prev(), statement.tok()), (None, None));
}

#[test]
fn a_statement_for_uris_alone_speaks_for_no_number() {
    let world = World::new();
    let mut payload = world.payload();
    payload["sub"] = json!({"uri": ["sip:alice@example.com"]});
    assert_eq!(
        world.outcome(&world.sign_payload(&payload)),
        Err(Reason::StatementNumberMissing)
    );
}

#[test]
fn headers_of_the_wrong_form_are_refused() {
    let world = World::new();
    let payload = world.payload();
    let x5c = world.bag.to_x5c();
    for (header, reason) in [
        (json!({"typ": "passport", "x5c": x5c}), Reason::TypeMismatch),
        (
            json!({"typ": "STIR-EKS+JWT", "x5c": x5c}),
            Reason::TypeMismatch,
        ),
        (json!({"x5c": x5c}), Reason::TypeMismatch),
        (json!({"typ": TYP}), Reason::MalformedStatement),
        (json!({"typ": TYP, "x5c": []}), Reason::MalformedCertificate),
        (
            json!({"typ": TYP, "x5c": "x"}),
            Reason::MalformedCertificate,
        ),
        (
            json!({"typ": TYP, "x5c": ["AAAA"]}),
            Reason::MalformedCertificate,
        ),
        (
            json!({"typ": TYP, "x5u": "http://x.example/"}),
            Reason::MalformedUrl,
        ),
        (
            json!({"typ": TYP, "x5c": x5c, "x5u": 1}),
            Reason::MalformedUrl,
        ),
        (
            json!({"typ": TYP, "x5c": x5c, "crit": ["b64"]}),
            Reason::MalformedToken,
        ),
    ] {
        assert_eq!(
            world.outcome(&world.sign_any(&header, &payload)),
            Err(reason)
        );
    }
    assert_eq!(
        KeyStatement::parse(&"a".repeat(16_385)).map(drop),
        Err(Reason::TooLong)
    );
    for text in ["", "a.b", "a.b.c", "....", "\u{0}"] {
        assert!(KeyStatement::parse(text).is_err());
    }
}

#[test]
fn repeated_members_are_refused_and_other_spellings_accepted() {
    let world = World::new();
    let payload = world.payload().to_string();
    let signed = |payload: &str| {
        let header = base64url::encode(
            json!({"typ": TYP, "alg": "ES256", "x5c": world.bag.to_x5c()})
                .to_string()
                .as_bytes(),
        );
        let input = format!("{header}.{}", base64url::encode(payload.as_bytes()));
        let signature = RustCrypto
            .sign_es256(&world.credential.secret, input.as_bytes())
            .unwrap();
        format!("{input}.{}", base64url::encode(signature.as_raw()))
    };
    let spaced = payload.replace(',', " ,\n ");
    assert_eq!(world.outcome(&signed(&spaced)), Ok(()));
    let doubled = payload.replacen('{', "{\"seq\":9,", 1);
    assert_eq!(
        world.outcome(&signed(&doubled)),
        Err(Reason::DuplicateMember)
    );
    assert_eq!(
        world.outcome(&signed("[]")),
        Err(Reason::MalformedStatement)
    );
    assert_eq!(world.outcome(&signed("{")), Err(Reason::MalformedJson));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,80}", parts in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = KeyStatement::parse(&text);
        let header = base64url::encode(br#"{"alg":"ES256","typ":"stir-eks+jwt","x5u":"https://x.example/"}"#);
        let signature = base64url::encode(&[1; 64]);
        let text = format!("{header}.{}.{signature}", base64url::encode(&parts));
        prop_assert!(KeyStatement::parse(&text).is_err());
    }
}
