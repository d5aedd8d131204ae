//! PASSporTs: form, signature, and what the builder makes (PPT-1 to PPT-22, PPT-40, CRT-20 to CRT-25).

use proptest::prelude::*;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{
    Attestation, Destinations, Identity, MAX_PASSPORT_LEN, Passport, PassportBuilder, PassportType,
};
use ringtrue_stir::{Reason, UnixTime, X5u, base64url};
use serde_json::{Value, json};

use crate::issuing::{
    ENHANCED_JWT_CLAIM_CONSTRAINTS, JWT_CLAIM_CONSTRAINTS, NOT_AFTER, NOT_BEFORE, NOW, Template,
    one,
};
use crate::paths::bag;
use crate::signing::Caller;
use crate::{Counting, tn};

pub(crate) const HEADER: &str =
    r#"{"alg":"ES256","typ":"passport","x5u":"https://certs.example/a.pem"}"#;
pub(crate) const PAYLOAD: &str =
    r#"{"dest":{"tn":["12025550199"]},"iat":1780000000,"orig":{"tn":"12025550143"}}"#;
const SHAKEN_HEADER: &str =
    r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://certs.example/a.pem"}"#;
pub(crate) const ORIGID: &str = "123e4567-e89b-12d3-a456-426655440000";

pub(crate) fn x5u() -> X5u {
    X5u::parse("https://certs.example/a.pem").unwrap()
}

pub(crate) fn orig() -> Identity {
    Identity::Tn(tn("12025550143"))
}

pub(crate) fn dest() -> Destinations {
    Destinations::of(tn("12025550199"))
}

pub(crate) fn base() -> PassportBuilder {
    PassportBuilder::base(&orig(), dest(), NOW, &x5u())
}

/// The reason for which a token of these parts does not parse.
fn refusal(header: &str, payload: &str) -> Reason {
    let caller = Caller::new();
    Passport::parse(&caller.token(header, payload)).unwrap_err()
}

#[test]
fn what_is_built_parses_verifies_and_says_the_same() {
    let caller = Caller::new();
    let path = caller.path();
    let shaken =
        PassportBuilder::shaken(&orig(), dest(), NOW, &x5u(), Attestation::Gateway, ORIGID);
    let rsp = PassportBuilder::rsp(&orig(), dest(), NOW, &x5u());
    for (builder, kind, ppt) in [
        (base(), PassportType::Base, None),
        (shaken, PassportType::Shaken, Some("shaken")),
        (rsp, PassportType::Rsp, Some("rsp")),
    ] {
        let text = builder
            .build()
            .unwrap()
            .sign(&RustCrypto, &caller.key)
            .unwrap();
        let passport = Passport::parse(&text).unwrap();
        assert_eq!((passport.kind(), passport.ppt()), (kind, ppt));
        assert_eq!(passport.text(), text);
        assert_eq!(passport.x5u(), x5u().as_str());
        assert_eq!(passport.header_x5c(), Ok(None));
        let verified = passport.verify(&RustCrypto, &path).unwrap();
        let claims = verified.claims();
        assert_eq!(
            (claims.orig(), claims.dest(), claims.iat()),
            (&orig(), &dest(), NOW)
        );
        assert!(claims.dest().contains(&tn("12025550199")));
        assert!(!claims.dest().contains(&tn("12025550143")));
        let is_shaken = kind == PassportType::Shaken;
        assert_eq!(claims.attest(), is_shaken.then_some(Attestation::Gateway));
        assert_eq!(claims.origid(), is_shaken.then_some(ORIGID));
    }
    let text = base().build().unwrap().signing_input().to_owned();
    let printed = format!(
        "{}.{}",
        base64url::encode(HEADER.as_bytes()),
        base64url::encode(PAYLOAD.as_bytes())
    );
    assert_eq!(text, printed);
}

#[test]
fn refuses_what_is_not_three_parts_of_base64url() {
    let good = Caller::new().token(HEADER, PAYLOAD);
    let parts: Vec<&str> = good.split('.').collect();
    for text in [
        "",
        ".",
        "..",
        "...",
        parts[0],
        &parts[..2].join("."),
        &format!("{good}."),
        &format!(".{good}"),
        &format!("{good}.{}", parts[2]),
        &format!("{}..{}", parts[0], parts[2]),
        &format!(".{}.{}", parts[1], parts[2]),
        &format!("..{}.", parts[2]),
        &format!("{good}="),
        &format!("{good}\n"),
        &format!(" {good}"),
        &good.replace('.', ","),
    ] {
        assert_eq!(
            Passport::parse(text).unwrap_err(),
            Reason::MalformedToken,
            "{text}"
        );
    }
    let compact = format!("..{}", parts[2]);
    assert_eq!(
        Passport::parse(&compact).unwrap_err(),
        Reason::CompactFormNotAllowed
    );
    let long = format!("{good}{}", "A".repeat(MAX_PASSPORT_LEN));
    assert_eq!(Passport::parse(&long).unwrap_err(), Reason::TooLong);
}

#[test]
fn refuses_every_algorithm_but_es256_before_it_looks_at_the_signature() {
    for alg in [
        r#""none""#,
        r#""es256""#,
        r#""ES384""#,
        r#""HS256""#,
        "null",
        r#"["ES256"]"#,
    ] {
        let header = HEADER.replace(r#""ES256""#, alg);
        assert_eq!(
            refusal(&header, PAYLOAD),
            Reason::AlgorithmNotAllowed,
            "{alg}"
        );
    }
    let header = base64url::encode(HEADER.replace("ES256", "none").as_bytes());
    let unsigned = format!("{header}.{}.", base64url::encode(PAYLOAD.as_bytes()));
    assert_eq!(
        Passport::parse(&unsigned).unwrap_err(),
        Reason::AlgorithmNotAllowed
    );
}

#[test]
fn refuses_signatures_that_are_not_two_scalars() {
    let good = Caller::new().token(HEADER, PAYLOAD);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = base64url::decode(signature).unwrap();
    let der = [
        &[0x30, 0x44, 0x02, 0x20][..],
        &raw[..32],
        &[0x02, 0x20],
        &raw[32..],
    ]
    .concat();
    for octets in [
        vec![],
        der,
        raw[..63].to_vec(),
        [&raw[..], &[0]].concat(),
        vec![0; 64],
        vec![0xff; 64],
        [&[0; 32][..], &raw[32..]].concat(),
    ] {
        let text = format!("{input}.{}", base64url::encode(&octets));
        assert_eq!(
            Passport::parse(&text).unwrap_err(),
            Reason::MalformedSignature
        );
    }
}

#[test]
fn refuses_headers_of_another_kind() {
    for (header, reason) in [
        ("[]".to_owned(), Reason::MalformedToken),
        (
            HEADER.replace("{", r#"{"crit":["x"],"#),
            Reason::MalformedToken,
        ),
        ("{".to_owned(), Reason::MalformedJson),
        (
            HEADER.replace("{", r#"{"alg":"none","#),
            Reason::DuplicateMember,
        ),
        (HEADER.replace("passport", "Passport"), Reason::TypeMismatch),
        (
            HEADER.replace(r#""typ":"passport","#, ""),
            Reason::TypeMismatch,
        ),
        (HEADER.replace("x5u", "x5t"), Reason::X5uMissing),
        (HEADER.replace("https:", "http:"), Reason::MalformedUrl),
        (
            HEADER.replace(r#""https://certs.example/a.pem""#, "7"),
            Reason::MalformedUrl,
        ),
        (HEADER.replace("a.pem", "a pem"), Reason::MalformedUrl),
        (
            HEADER.replace("a.pem", &"a".repeat(2048)),
            Reason::MalformedUrl,
        ),
        (HEADER.replace("{", r#"{"ppt":7,"#), Reason::MalformedPpt),
        (HEADER.replace("{", r#"{"ppt":null,"#), Reason::MalformedPpt),
    ] {
        assert_eq!(refusal(&header, PAYLOAD), reason, "{header}");
    }
}

#[test]
fn refuses_claims_in_another_form() {
    use Reason::{
        DestMissing, IatMissing, IatNotNumber, MalformedDest, MalformedJson, MalformedNumber,
        MalformedOrig, TooDeep,
    };
    let iat = r#""iat":1780000000"#;
    let orig = r#""orig":{"tn":"12025550143"}"#;
    let dest = r#""dest":{"tn":["12025550199"]}"#;
    let many = format!(r#""dest":{{"tn":[{}]}}"#, vec![r#""1""#; 65].join(","));
    for (from, to, reason) in [
        (iat, r#""iat":"1780000000""#, IatNotNumber),
        (iat, r#""iat":1780000000.0"#, IatNotNumber),
        (iat, r#""iat":1.78e9"#, IatNotNumber),
        (iat, r#""iat":-1"#, IatNotNumber),
        (iat, r#""iat":null"#, IatNotNumber),
        (iat, r#""iat":99999999999999999999"#, IatNotNumber),
        (iat, r#""nbf":1"#, IatMissing),
        (orig, r#""orig":"12025550143""#, MalformedOrig),
        (orig, r#""orig":{"tn":["12025550143"]}"#, MalformedOrig),
        (orig, r#""orig":[{"tn":"12025550143"}]"#, MalformedOrig),
        (
            orig,
            r#""orig":{"tn":"12025550143","uri":"sip:a@b"}"#,
            MalformedOrig,
        ),
        (orig, r#""orig":{}"#, MalformedOrig),
        (orig, r#""orig":{"email":"a@b"}"#, MalformedOrig),
        (orig, r#""orig":{"tn":"+12025550143"}"#, MalformedNumber),
        (orig, r#""orig":{"tn":"1202-555-0143"}"#, MalformedNumber),
        (orig, r#""orig":{"tn":""}"#, MalformedNumber),
        (orig, r#""orig":{"tn":"1234567890123456"}"#, MalformedNumber),
        (orig, r#""orig":{"uri":"alice"}"#, MalformedOrig),
        (orig, r#""orig":{"uri":":x"}"#, MalformedOrig),
        (orig, r#""orig":{"uri":"sip:a b"}"#, MalformedOrig),
        (dest, r#""dest":{"tn":"12025550199"}"#, MalformedDest),
        (dest, r#""dest":{"tn":[]}"#, MalformedDest),
        (dest, r#""dest":{"tn":[12025550199]}"#, MalformedDest),
        (
            dest,
            r#""dest":{"tn":["12025550199"],"x":["y"]}"#,
            MalformedDest,
        ),
        (dest, r#""dest":{}"#, MalformedDest),
        (dest, r#""dest":["12025550199"]"#, MalformedDest),
        (dest, r#""dest":{"tn":["+12025550199"]}"#, MalformedNumber),
        (dest, r#""dest":{"uri":["x"]}"#, MalformedDest),
        (dest, &many, TooDeep),
        (orig, r#""from":1"#, MalformedOrig),
        (dest, r#""to":1"#, DestMissing),
        ("{", "[", MalformedJson),
    ] {
        assert_eq!(
            refusal(HEADER, &PAYLOAD.replacen(from, to, 1)),
            reason,
            "{to}"
        );
    }
    for payload in ["[]", "null", "7", r#""x""#] {
        assert_eq!(refusal(HEADER, payload), MalformedJson, "{payload}");
    }
}

#[test]
fn shaken_needs_attest_and_a_uuid_as_origid() {
    let payload = |attest: &str, origid: &str| {
        PAYLOAD
            .replacen('{', &format!(r#"{{"attest":{attest},"#), 1)
            .replace("\"}}", &format!("\"}},\"origid\":{origid}}}"))
    };
    let origid = format!("\"{ORIGID}\"");
    for attest in [r#""D""#, r#""a""#, r#""""#, "null", r#"["A"]"#] {
        let refused = refusal(SHAKEN_HEADER, &payload(attest, &origid));
        assert_eq!(refused, Reason::AttestNotAllowed, "{attest}");
    }
    for origid in [
        r#""ref""#,
        r#""123e4567e89b12d3a456426655440000""#,
        r#""123e4567-e89b-12d3-a456-42665544000g""#,
        r#""{123e4567-e89b-12d3-a456-426655440000}""#,
        "null",
    ] {
        let refused = refusal(SHAKEN_HEADER, &payload(r#""A""#, origid));
        assert_eq!(refused, Reason::MalformedOrigid, "{origid}");
    }
    assert_eq!(refusal(SHAKEN_HEADER, PAYLOAD), Reason::AttestNotAllowed);
    let caller = Caller::new();
    let text = caller.token(SHAKEN_HEADER, &payload(r#""A""#, &origid));
    assert!(
        Passport::parse(&text)
            .unwrap()
            .verify(&RustCrypto, &caller.path())
            .is_ok()
    );
    // Without ppt these are claims like any other.
    let passport = Passport::parse(&caller.token(HEADER, &payload(r#""D""#, "7"))).unwrap();
    assert_eq!(
        (passport.claims().attest(), passport.claims().origid()),
        (None, None)
    );
    assert_eq!(passport.claims().get("attest"), Some(&Value::from("D")));
}

#[test]
fn another_type_parses_and_never_verifies() {
    let caller = Caller::new();
    for ppt in ["divo", "DIV", "Shaken", ""] {
        let header = HEADER.replace(r#""typ""#, &format!(r#""ppt":"{ppt}","typ""#));
        let passport = Passport::parse(&caller.token(&header, PAYLOAD)).unwrap();
        assert_eq!(passport.kind(), PassportType::Unsupported);
        assert_eq!(passport.ppt(), Some(ppt));
        assert_eq!(passport.claims().orig(), &orig());
        let refused = passport.verify(&RustCrypto, &caller.path()).unwrap_err();
        assert_eq!(refused, Reason::PptUnsupported);
    }
}

#[test]
fn a_good_signature_over_other_json_is_not_canonical_and_a_bad_one_is_just_bad() {
    let (caller, other) = (Caller::new(), Caller::new());
    let spaced = PAYLOAD.replace(':', ": ");
    let escaped = PAYLOAD.replace("dest", r"d\u0065st");
    let reordered = r#"{"typ":"passport","alg":"ES256","x5u":"https://certs.example/a.pem"}"#;
    let claim = |claim: &str| PAYLOAD.replacen('}', &format!("}},{claim}"), 1);
    for (header, payload) in [
        (HEADER, spaced.as_str()),
        (HEADER, escaped.as_str()),
        (HEADER, &format!("{PAYLOAD}\n")),
        (HEADER, &claim(r#""f":1.50"#)),
        (HEADER, &claim(r#""f":-0"#)),
        (HEADER, &claim(r#""f":"\/""#)),
        (reordered, PAYLOAD),
    ] {
        let passport = Passport::parse(&caller.token(header, payload)).unwrap();
        let refused = passport.verify(&RustCrypto, &caller.path()).unwrap_err();
        assert_eq!(refused, Reason::NotCanonical, "{header} {payload}");
        let refused = passport.verify(&RustCrypto, &other.path()).unwrap_err();
        assert_eq!(refused, Reason::SignatureInvalid);
    }
}

#[test]
fn iat_must_lie_within_the_signers_validity_ends_included() {
    let caller = Caller::new();
    let verify = |iat: u64| {
        let payload = PAYLOAD.replace("1780000000", &iat.to_string());
        Passport::parse(&caller.token(HEADER, &payload))
            .unwrap()
            .verify(&RustCrypto, &caller.path())
            .map(|_| ())
    };
    let (first, last) = (NOT_BEFORE.as_secs(), NOT_AFTER.as_secs());
    assert_eq!((verify(first), verify(last)), (Ok(()), Ok(())));
    for iat in [0, first - 1, last + 1, u64::MAX] {
        assert_eq!(verify(iat), Err(Reason::IatOutsideCertificate), "{iat}");
    }
}

#[test]
fn the_signer_is_the_end_entity_whose_key_verifies() {
    let (caller, other) = (Caller::new(), Caller::new());
    let passport = Passport::parse(&caller.token(HEADER, PAYLOAD)).unwrap();
    let both = bag(&[&other.leaf, &caller.root, &caller.leaf]);
    assert_eq!(passport.find_signer(&RustCrypto, &both), Some(&caller.leaf));
    assert_eq!(
        passport.find_signer(&RustCrypto, &bag(&[&other.leaf])),
        None
    );
    // A CA certificate for the very key does not count.
    let key = &caller.key;
    let ca = Template::ca("x", &[one("12025550143")]).issue(&key.public, "x", key);
    assert_eq!(passport.find_signer(&RustCrypto, &bag(&[&ca])), None);
    let refused = passport.verify(&RustCrypto, &other.path()).unwrap_err();
    assert_eq!(refused, Reason::SignatureInvalid);
}

#[test]
fn finding_the_signer_and_verifying_costs_one_signature_check() {
    let caller = Caller::new();
    let path = caller.path();
    let counting = Counting::default();
    let passport = Passport::parse(&caller.token(HEADER, PAYLOAD)).unwrap();
    assert!(passport.find_signer(&counting, &caller.bag()).is_some());
    assert!(passport.verify(&counting, &path).is_ok());
    assert_eq!(counting.checks(), 1);
    // Another key is another question.
    assert!(passport.verify(&counting, &Caller::new().path()).is_err());
    assert_eq!(counting.checks(), 2);
}

#[test]
fn header_x5c_carries_the_path_without_its_root() {
    let caller = Caller::new();
    let unsigned = base().x5c(&caller.bag()).build().unwrap();
    let text = unsigned.sign(&RustCrypto, &caller.key).unwrap();
    let passport = Passport::parse(&text).unwrap();
    let bag = passport.header_x5c().unwrap().unwrap();
    assert_eq!(bag.certificates(), core::slice::from_ref(&caller.leaf));
    assert_eq!(passport.find_signer(&RustCrypto, &bag), Some(&caller.leaf));
    assert!(passport.verify(&RustCrypto, &caller.path()).is_ok());
    for (x5c, reason) in [
        (json!("x"), Reason::MalformedCertificate),
        (json!([]), Reason::MalformedCertificate),
        (json!([7]), Reason::MalformedCertificate),
        (json!(["AAAA"]), Reason::MalformedCertificate),
        (json!(vec!["AAAA"; 9]), Reason::TooManyCertificates),
    ] {
        let header = HEADER.replacen("\"typ\"", &format!("\"x5c\":{x5c},\"typ\""), 1);
        let passport = Passport::parse(&caller.token(&header, PAYLOAD)).unwrap();
        assert_eq!(passport.header_x5c(), Err(reason), "{x5c}");
    }
}

/// `{ [0] { "crn" } }` or, as the third member, an exclusion.
fn constraint(member: u8) -> [u8; 11] {
    [0x30, 9, member, 7, 0x30, 5, 0x16, 3, b'c', b'r', b'n']
}

#[test]
fn constraints_of_the_signer_bind_its_claims() {
    let leaf = || Template::leaf(&[one("12025550143")]);
    let verify = |template: &Template, claim: Option<&str>| {
        let caller = Caller::with(template);
        let builder = claim.map_or(base(), |claim| base().claim("crn", json!(claim)));
        let text = builder
            .build()
            .unwrap()
            .sign(&RustCrypto, &caller.key)
            .unwrap();
        let passport = Passport::parse(&text).unwrap();
        passport.verify(&RustCrypto, &caller.path()).map(|_| ())
    };
    let violated = Err(Reason::ClaimConstraintViolated);
    let include = leaf().with_extension(JWT_CLAIM_CONSTRAINTS, false, &constraint(0xa0));
    assert_eq!(verify(&include, Some("x")), Ok(()));
    assert_eq!(verify(&include, None), violated);
    let exclude = leaf().with_extension(ENHANCED_JWT_CLAIM_CONSTRAINTS, true, &constraint(0xa2));
    assert_eq!(verify(&exclude, Some("x")), violated);
    assert_eq!(verify(&exclude, None), Ok(()));
    // CRT-23: an extension that excludes a claim every PASSporT has is void.
    let mut void = constraint(0xa2);
    void[8..].copy_from_slice(b"iat");
    let void = leaf().with_extension(ENHANCED_JWT_CLAIM_CONSTRAINTS, false, &void);
    assert_eq!(verify(&void, Some("x")), Ok(()));
}

#[test]
fn debug_shows_nothing_of_a_call() {
    let caller = Caller::new();
    let passport = Passport::parse(&caller.token(HEADER, PAYLOAD)).unwrap();
    let verified = passport.verify(&RustCrypto, &caller.path()).unwrap();
    let claims = verified.claims();
    let text = format!(
        "{passport:?} {verified:?} {claims:?} {:?} {:?} {:?} {:?}",
        claims.orig(),
        claims.dest(),
        base(),
        base().build()
    );
    for secret in ["1202", "eyJ", "certs", "1780000000"] {
        assert!(!text.contains(secret), "{text}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,80}") {
        let _ = Passport::parse(&text);
    }

    #[test]
    fn parsing_json_never_panics(
        header in r#"\{("(alg|typ|x5u|x5c|ppt)":("ES256"|"passport"|\[\]|1|"https://a"),?){0,4}\}"#,
        payload in r#"\{("(iat|orig|dest|attest)":(\{"(tn|uri)":\["1"\]\}|1|"A"),?){0,4}\}"#,
    ) {
        let _ = Passport::parse(&Caller::new().token(&header, &payload));
    }

    #[test]
    fn any_call_comes_back(
        orig in "[0-9#*]{1,15}", dest in prop::collection::vec("[0-9]{1,15}", 1..5),
        iat in NOT_BEFORE.as_secs()..NOT_AFTER.as_secs(), extra in "\\PC{0,20}",
    ) {
        let caller = Caller::new();
        let dest = Destinations { tn: dest.iter().map(|text| tn(text)).collect(), uri: vec![] };
        let iat = UnixTime::from_secs(iat);
        let orig = Identity::Tn(tn(&orig));
        let text = PassportBuilder::base(&orig, dest.clone(), iat, &x5u())
            .claim("zz", json!({ "x": extra }))
            .build().unwrap().sign(&RustCrypto, &caller.key).unwrap();
        let verified = Passport::parse(&text).unwrap().verify(&RustCrypto, &caller.path()).unwrap();
        prop_assert_eq!(verified.claims().orig(), &orig);
        prop_assert_eq!(verified.claims().iat(), iat);
        prop_assert!(dest.tn.iter().all(|number| verified.claims().dest().contains(number)));
        prop_assert_eq!(&verified.claims().get("zz").unwrap()["x"], &json!(extra));
    }

    #[test]
    fn no_changed_character_verifies(at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
        let caller = Caller::new();
        let text = caller.token(HEADER, PAYLOAD);
        let at = at.index(text.len());
        let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        if changed != text && let Ok(passport) = Passport::parse(&changed) {
            prop_assert!(passport.verify(&RustCrypto, &caller.path()).is_err());
        }
    }
}
