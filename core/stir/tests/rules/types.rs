//! The claims of each type beyond those of every PASSporT (PPT-30 to PPT-34, PPT-50, PPT-59, PPT-62,
//! PPT-79, PPT-90 to PPT-96), read and built.

use proptest::prelude::*;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{
    Diversion, Fingerprint, Mky, Passport, PassportBuilder, PassportType, ResourcePriorities,
};
use ringtrue_stir::{Reason, json};
use serde_json::{Value, json};

use crate::issuing::NOW;
use crate::signing::Caller;
use crate::tokens::{dest, orig, x5u};

/// Parses a token of this type with these claims beside the usual ones.
fn parse(ppt: Option<&str>, claims: &Value) -> Result<Passport, Reason> {
    let mut header = json!({"alg": "ES256", "typ": "passport", "x5u": x5u().as_str()});
    if let Some(ppt) = ppt {
        header["ppt"] = json!(ppt);
    }
    let mut payload = json!({"dest": {"tn": ["12025550199"]}, "iat": NOW.as_secs(), "orig": {"tn": "12025550143"}});
    for (name, value) in claims.as_object().unwrap() {
        payload[name] = value.clone();
    }
    let text = Caller::new().token(&json::canonical(&header), &json::canonical(&payload));
    Passport::parse(&text)
}

fn refused(ppt: &str, claims: &Value) -> Reason {
    parse(Some(ppt), claims).unwrap_err()
}

fn built(builder: PassportBuilder) -> Result<Passport, Reason> {
    let caller = Caller::new();
    let text = builder.build()?.sign(&RustCrypto, &caller.key)?;
    let passport = Passport::parse(&text)?;
    passport.verify(&RustCrypto, &caller.path())?;
    Ok(passport)
}

#[test]
fn div_names_one_party_and_perhaps_a_history_index() {
    let good = parse(Some("div"), &json!({"div": {"tn": "1", "hi": "1.12.1"}})).unwrap();
    assert_eq!(good.kind(), PassportType::Div);
    assert_eq!(good.claims().div().unwrap().history_index(), Some("1.12.1"));
    for div in [
        json!(null),
        json!("12025550150"),
        json!({}),
        json!({"hi": "1"}),
        json!({"tn": ["1"]}),
        json!({"tn": 1}),
        json!({"tn": "1", "uri": "sip:a@b"}),
        json!({"tn": "1", "x": "y"}),
        json!({"uri": "nothing"}),
        json!({"tn": "1", "hi": 1}),
        json!({"tn": "1", "hi": ""}),
        json!({"tn": "1", "hi": "1."}),
        json!({"tn": "1", "hi": "a"}),
        json!({"tn": "1", "hi": "1".repeat(65)}),
        json!([{"tn": "1"}]),
    ] {
        assert_eq!(
            refused("div", &json!({"div": div})),
            Reason::MalformedDiv,
            "{div}"
        );
    }
    assert_eq!(refused("div", &json!({})), Reason::MalformedDiv);
    let plus = json!({"div": {"tn": "+1"}});
    assert_eq!(refused("div", &plus), Reason::MalformedNumber);
    // Elsewhere it is a claim like any other.
    assert!(
        parse(None, &json!({"div": 7}))
            .unwrap()
            .claims()
            .div()
            .is_none()
    );
    let div = Diversion::of(orig());
    assert_eq!(div.with_history_index("1..1"), Err(Reason::MalformedDiv));
}

#[test]
fn opt_is_a_token_in_full_form() {
    let inner = parse(None, &json!({})).unwrap();
    let with = |opt: Value| json!({"div": {"tn": "1"}, "opt": opt});
    let good = parse(Some("div-o"), &with(json!(inner.text()))).unwrap();
    assert_eq!(good.claims().opt().unwrap().text(), inner.text());
    let signature = inner.text().rsplit('.').next().unwrap();
    for opt in [
        json!(null),
        json!({}),
        json!([inner.text()]),
        json!(""),
        json!("no token"),
        json!(format!("..{signature}")),
        json!(format!("{}=", inner.text())),
    ] {
        assert_eq!(refused("div-o", &with(opt)), Reason::MalformedOpt);
    }
    assert_eq!(
        refused("div-o", &json!({"div": {"tn": "1"}})),
        Reason::MalformedOpt
    );
    // In a div it is a claim like any other.
    let plain = parse(Some("div"), &with(json!(7))).unwrap();
    assert!(plain.claims().opt().is_none());
}

#[test]
fn only_a_token_that_carries_another_may_be_long() {
    let filler = |len: usize| json!({"zz": "y".repeat(len)});
    assert_eq!(parse(None, &filler(13_000)).unwrap_err(), Reason::TooLong);
    let div = json!({"div": {"tn": "1"}, "zz": "y".repeat(13_000)});
    assert_eq!(refused("div", &div), Reason::TooLong);
    let inner = parse(None, &filler(11_000)).unwrap();
    let nested = json!({"div": {"tn": "1"}, "opt": inner.text(), "zz": "y".repeat(9_000)});
    assert!(parse(Some("div-o"), &nested).is_ok());
    let nested = json!({"div": {"tn": "1"}, "opt": inner.text(), "zz": "y".repeat(35_000)});
    assert_eq!(refused("div-o", &nested), Reason::TooLong);
}

#[test]
fn resource_priorities_are_arrays_of_namespace_and_priority() {
    let good = parse(Some("rph"), &json!({"rph": {"auth": ["ets.0", "wps.0"]}})).unwrap();
    let rph = good.claims().rph().unwrap();
    assert_eq!(rph.values().collect::<Vec<_>>(), ["ets.0", "wps.0"]);
    assert!(rph.has_namespace("WPS") && !rph.has_namespace("esnet") && !rph.has_namespace("et"));
    assert_eq!(rph.require(&["ETS.0"]), Ok(()));
    assert_eq!(
        rph.require(&["ets.0", "ets.1"]),
        Err(Reason::PriorityMismatch)
    );
    for rph in [
        json!(null),
        json!({}),
        json!(["ets.0"]),
        json!("ets.0"),
        json!({"auth": "ets.0"}),
        json!({"auth": []}),
        json!({"auth": [0]}),
        json!({"auth": ["ets"]}),
        json!({"auth": ["ets."]}),
        json!({"auth": [".0"]}),
        json!({"auth": ["ets.0.1"]}),
        json!({"auth": ["ets .0"]}),
        json!({"": ["ets.0"]}),
        json!({"auth": ["ets.0"], "more": []}),
    ] {
        assert_eq!(
            refused("rph", &json!({"rph": rph})),
            Reason::MalformedRph,
            "{rph}"
        );
    }
    assert_eq!(refused("rph", &json!({})), Reason::MalformedRph);
    assert!(
        parse(None, &json!({"rph": 7}))
            .unwrap()
            .claims()
            .rph()
            .is_none()
    );
    assert_eq!(
        ResourcePriorities::new("auth", &[]),
        Err(Reason::MalformedRph)
    );
}

#[test]
fn sph_is_the_call_back_of_an_emergency_and_nothing_else() {
    let claims = |namespace: &str, sph: Value| json!({"rph": {"ESorig": [namespace]}, "sph": sph});
    let good = parse(Some("rph"), &claims("esnet.0", json!("psap-callback"))).unwrap();
    assert_eq!(good.claims().sph(), Some("psap-callback"));
    for (namespace, sph) in [
        ("ets.0", json!("psap-callback")),
        ("esnet.0", json!("emergency")),
        ("esnet.0", json!("PSAP-callback")),
        ("esnet.0", json!("")),
        ("esnet.0", json!(null)),
        ("esnet.0", json!(["psap-callback"])),
    ] {
        let reason = refused("rph", &claims(namespace, sph));
        assert_eq!(reason, Reason::SphNotAllowed, "{namespace}");
    }
    // Without the priority it goes with, in any type.
    let alone = json!({"sph": "psap-callback"});
    assert_eq!(parse(None, &alone).unwrap_err(), Reason::SphNotAllowed);
    assert_eq!(refused("msg", &alone), Reason::SphNotAllowed);
    let priorities = |value| ResourcePriorities::new("ESorig", &[value]).unwrap();
    let build = |value| {
        let builder = PassportBuilder::rph(&orig(), dest(), NOW, &x5u(), &priorities(value));
        built(builder.psap_callback())
    };
    assert!(build("esnet.1").is_ok());
    assert_eq!(build("ets.1").unwrap_err(), Reason::SphNotAllowed);
}

#[test]
fn msgi_counts_in_a_message_and_is_ignored_elsewhere() {
    let build = |body| built(PassportBuilder::msg(&orig(), dest(), NOW, &x5u(), body)).unwrap();
    let passport = build(Some(&b"Hello"[..]));
    let msgi = passport.claims().msgi().unwrap();
    assert!(msgi.matches(b"Hello") && !msgi.matches(b"Hello\n") && !msgi.matches(b""));
    assert!(build(None).claims().msgi().is_none());
    assert!(passport.notices().is_empty());
    for msgi in [
        json!(null),
        json!(7),
        json!(""),
        json!("sha256-"),
        json!("sha1-GF+NsyJx/iX1Yab8k4suJkMG7DBO"),
        json!("sha256-GF-NsyJx_iX1Yab8k4suJkMG7DBO2lGAB9F2SCY4GWk"),
        json!("sha512-GF+NsyJx/iX1Yab8k4suJkMG7DBO2lGAB9F2SCY4GWk="),
    ] {
        let reason = refused("msg", &json!({"msgi": msgi}));
        assert_eq!(reason, Reason::MalformedDigest, "{msgi}");
        let elsewhere = parse(None, &json!({"msgi": msgi})).unwrap();
        assert_eq!(elsewhere.notices(), [Reason::MsgiIgnored]);
        assert!(elsewhere.claims().msgi().is_none());
    }
}

const SHA1: &str = "0123456789ABCDEF0123456789ABCDEF01234567";

#[test]
fn mky_is_a_sorted_array_of_fingerprints() {
    let element = |alg: &str, dig: &str| json!({"alg": alg, "dig": dig});
    let (sha1, other) = (element("sha-1", SHA1), element("x", "00"));
    let good = parse(None, &json!({"mky": [sha1, other]})).unwrap();
    assert_eq!(good.claims().mky().unwrap().fingerprints().len(), 2);
    let lower = element("SHA-1", &SHA1.to_ascii_lowercase());
    let lower = parse(Some("msec"), &json!({"mky": [lower]})).unwrap();
    let session = [Fingerprint::new(
        "sha-1",
        good.claims().mky().unwrap().fingerprints()[0].digest(),
    )
    .unwrap()];
    assert!(lower.claims().mky().unwrap().matches(&session));
    for mky in [
        json!(null),
        json!({}),
        json!([]),
        json!(sha1),
        json!([other, sha1]),
        json!([sha1, sha1]),
        json!([sha1, []]),
        json!([element("sha-1", &SHA1[2..])]),
        json!([element("sha-256", SHA1)]),
        json!([element("x", "")]),
        json!([element("x", "0")]),
        json!([element("x", "0g")]),
        json!([element("x", "00:11")]),
        json!([element("", "00")]),
        json!([element("a b", "00")]),
        json!([element("x", &"00".repeat(129))]),
        json!([{"alg": "x"}]),
        json!([{"alg": "x", "dig": "00", "y": 1}]),
        json!([{"alg": "x", "dig": 7}]),
    ] {
        for ppt in [None, Some("shaken"), Some("msec")] {
            let claims = json!({"mky": mky, "attest": "A", "origid": crate::tokens::ORIGID});
            let reason = parse(ppt, &claims).unwrap_err();
            assert_eq!(reason, Reason::MalformedMky, "{mky}");
        }
    }
    // A promise about media keys without any is none.
    assert_eq!(refused("msec", &json!({})), Reason::MalformedMky);
}

#[test]
fn fingerprints_are_compared_as_octets_and_none_may_be_missing() {
    let line = |alg: &str, dig: &str| Fingerprint::from_sdp(&format!("a=fingerprint:{alg} {dig}"));
    let one = line(
        "sha-1",
        "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67",
    )
    .unwrap();
    let same = line(
        "SHA-1",
        "01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67",
    )
    .unwrap();
    let other = line("x", "00").unwrap();
    assert_eq!(one, same);
    let mky = Mky::new(vec![one.clone(), other.clone(), same.clone()]).unwrap();
    assert_eq!(mky.fingerprints().len(), 2);
    assert!(mky.matches(&[other.clone(), same]));
    assert!(!mky.matches(&[other]) && !mky.matches(&[one]) && !mky.matches(&[]));
    for text in [
        "", "sha-1", "sha-1 ", "x 0", "x 000", "x 0:0", "x 00:", "x 00 00", "x g0", "sha-1 00",
    ] {
        assert_eq!(
            Fingerprint::from_sdp(text),
            Err(Reason::MalformedMky),
            "{text}"
        );
    }
    assert_eq!(Mky::new(vec![]), Err(Reason::MalformedMky));
    assert_eq!(Mky::from_sdp("v=0\r\nb=fingerprint:x 00\r\n"), Ok(None));
    assert_eq!(Mky::from_sdp("a=fingerprint:x"), Err(Reason::MalformedMky));
    let many: String = (0..65)
        .map(|n| format!("a=fingerprint:x {n:02x}\n"))
        .collect();
    assert_eq!(Mky::from_sdp(&many), Err(Reason::MalformedMky));
}

#[test]
fn rcd_is_built_with_rich_call_data_of_some_kind_and_read_without() {
    for claims in [
        json!({"rcd": {"nam": "x"}}),
        json!({"crn": "x"}),
        json!({"rcd": 7}),
        json!({}),
        json!({"rcdi": {}}),
    ] {
        let passport = parse(Some("rcd"), &claims).unwrap();
        assert_eq!(passport.claims().rcd(), claims.get("rcd"));
        assert_eq!(passport.claims().crn(), claims.get("crn"));
    }
    let build = |rcd, crn| built(PassportBuilder::rcd(&orig(), dest(), NOW, &x5u(), rcd, crn));
    assert_eq!(build(None, None).unwrap_err(), Reason::MalformedRcd);
    let passport = build(Some(json!({"nam": "x"})), Some("y")).unwrap();
    assert_eq!(passport.claims().crn(), Some(&json!("y")));
}

#[test]
fn a_type_that_is_not_supported_may_say_what_it_likes() {
    let claims = json!({"div": 1, "mky": 2, "msgi": 3, "opt": 4, "rph": 5, "sph": 6});
    let passport = parse(Some("other"), &claims).unwrap();
    assert_eq!(passport.kind(), PassportType::Unsupported);
    let claims = passport.claims();
    assert!(claims.div().is_none() && claims.mky().is_none() && claims.sph().is_none());
    assert_eq!(claims.get("sph"), Some(&json!(6)));
    assert_eq!(
        Passport::stated_kind(passport.text()),
        Some(PassportType::Unsupported)
    );
    assert_eq!(Passport::stated_kind("e30.x"), Some(PassportType::Base));
    for text in ["", ".", "e30", "W10.x.y", "!.x.y"] {
        assert_eq!(Passport::stated_kind(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_the_builders_write_is_read_again(
        values in prop::collection::vec("[a-z]{1,8}\\.[0-9]{1,2}", 1..6),
        digests in prop::collection::vec(prop::array::uniform32(any::<u8>()), 1..6),
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let priorities = ResourcePriorities::new("auth", &values).unwrap();
        let fingerprint = |digest: &[u8; 32]| Fingerprint::new("sha-256", digest).unwrap();
        let mky = Mky::new(digests.iter().map(fingerprint).collect()).unwrap();
        let rph = PassportBuilder::rph(&orig(), dest(), NOW, &x5u(), &priorities).mky(&mky);
        let rph = built(rph).unwrap();
        prop_assert_eq!(rph.claims().rph(), Some(&priorities));
        prop_assert_eq!(rph.claims().mky(), Some(&mky));
        let msec = built(PassportBuilder::msec(&orig(), dest(), NOW, &x5u(), &mky)).unwrap();
        prop_assert_eq!(msec.claims().mky(), Some(&mky));
        let msg = built(PassportBuilder::msg(&orig(), dest(), NOW, &x5u(), Some(&body))).unwrap();
        prop_assert!(msg.claims().msgi().unwrap().matches(&body));
        let from = Diversion::of(ringtrue_stir::passport::Identity::Tn(dest().tn[0].clone()));
        let div = PassportBuilder::div_o(&msg, &from, dest(), NOW, &x5u()).unwrap();
        let div = built(div).unwrap();
        prop_assert_eq!(div.claims().div(), Some(&from));
        prop_assert!(div.claims().opt().unwrap().says_the_same(&msg));
    }

    #[test]
    fn reading_session_descriptions_never_panics(
        lines in prop::collection::vec("(a=fingerprint:)?[a-z0-9-]{0,8} ?[0-9A-F:]{0,12}", 0..8),
    ) {
        let _ = Mky::from_sdp(&lines.join("\r\n"));
    }

    #[test]
    fn reading_claims_of_any_type_never_panics(
        ppt in "(div|div-o|msec|msg|rcd|rph|shaken)",
        name in "(div|opt|mky|msgi|rcd|rph|sph|attest)",
        value in r#"(\{|\[|")?("(tn|uri|hi|auth|alg|dig)":)?"[a-z0-9.]{0,6}"(\}|\]|")?"#,
    ) {
        let header = format!(
            r#"{{"alg":"ES256","ppt":"{ppt}","typ":"passport","x5u":"https://a.example"}}"#
        );
        let payload =
            format!(r#"{{"dest":{{"tn":["1"]}},"iat":1,"{name}":{value},"orig":{{"tn":"1"}}}}"#);
        let _ = Passport::parse(&Caller::new().token(&header, &payload));
    }
}
