//! The claims of rich call data as a reader sees them: RFC 9795.

use proptest::prelude::*;
use ringtrue_stir::integrity::{DigestAlgorithm, IntegrityDigest};
use ringtrue_stir::rcd::{
    RichCallData, ThirdPartyPolicy, are_protected_by, digest_of, may_use, usable,
};
use ringtrue_stir::{Reason, json};
use serde_json::{Value, json as object};

use crate::issuing::{JWT_CLAIM_CONSTRAINTS, Key, Template, der, one};

pub(crate) const ICON: &str = "https://example.com/icon.png";

/// The beginning of an image, as far as it is looked at.
pub(crate) fn png(side: u32) -> Vec<u8> {
    let side = side.to_be_bytes();
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &side, &side].concat()
}

pub(crate) fn sha256(octets: &[u8]) -> String {
    IntegrityDigest::compute(DigestAlgorithm::Sha256, octets).to_text()
}

pub(crate) fn over(value: &Value) -> String {
    sha256(json::canonical(value).as_bytes())
}

pub(crate) fn read(claims: &Value) -> RichCallData {
    RichCallData::from_claims(claims).unwrap().unwrap()
}

pub(crate) fn refusal(claims: &Value) -> Reason {
    RichCallData::from_claims(claims).unwrap_err()
}

#[test]
fn claims_without_rich_call_data_have_none() {
    for claims in [object!({}), object!({"iat": 1, "attest": "A"})] {
        assert!(RichCallData::from_claims(&claims).unwrap().is_none());
        // PPT-79: a token of type rcd must have some.
        assert_eq!(
            RichCallData::of_rcd_passport(&claims).unwrap_err(),
            Reason::MalformedRcd
        );
    }
    assert_eq!(refusal(&object!([])), Reason::MalformedClaims);
    assert!(RichCallData::of_rcd_passport(&object!({"crn": "Delivery"})).is_ok());
    assert!(RichCallData::of_rcd_passport(&object!({"rcd": {"nam": ""}})).is_ok());
}

#[test]
fn rcd_is_an_object_with_nam_and_members_of_their_forms() {
    let card = object!(["vcard", [["fn", {}, "text", "Q"]]]);
    for (rcd, reason) in [
        (object!(null), Reason::MalformedRcd),
        (object!("Q"), Reason::MalformedRcd),
        (object!([{"nam": "Q"}]), Reason::MalformedRcd),
        (object!({}), Reason::MalformedRcd),
        (object!({"apn": "12025550143"}), Reason::MalformedRcd),
        (object!({"nam": null}), Reason::MalformedRcd),
        (object!({"nam": ["Q"]}), Reason::MalformedRcd),
        (
            object!({"nam": "Q", "apn": 12025550143_u64}),
            Reason::MalformedRcd,
        ),
        (
            object!({"nam": "Q", "apn": ["12025550143"]}),
            Reason::MalformedRcd,
        ),
        (
            object!({"nam": "Q", "apn": "+12025550143"}),
            Reason::MalformedNumber,
        ),
        (object!({"nam": "Q", "apn": ""}), Reason::MalformedNumber),
        (object!({"nam": "Q", "icn": 1}), Reason::MalformedRcd),
        (object!({"nam": "Q", "icn": ""}), Reason::MalformedRcd),
        (
            object!({"nam": "Q", "icn": "http://example.com/a.png"}),
            Reason::MalformedRcd,
        ),
        (
            object!({"nam": "Q", "icn": "file:///a.png"}),
            Reason::MalformedRcd,
        ),
        (
            object!({"nam": "Q", "icn": "javascript:alert(1)"}),
            Reason::MalformedRcd,
        ),
        (object!({"nam": "Q", "jcl": card}), Reason::MalformedRcd),
        (
            object!({"nam": "Q", "jcl": "http://example.com/q.json"}),
            Reason::MalformedRcd,
        ),
        (
            object!({"nam": "Q", "jcl": "data:application/json,[]"}),
            Reason::MalformedRcd,
        ),
        (
            object!({"nam": "Q", "jcd": "https://example.com/q.json"}),
            Reason::MalformedJcard,
        ),
        (
            object!({"nam": "Q", "jcd": ["vcard", []]}),
            Reason::MalformedJcard,
        ),
        (
            object!({"nam": "Q", "jcd": card, "jcl": "https://example.com/q.json"}),
            Reason::MalformedRcd,
        ),
        (object!({"nam": "a".repeat(1025)}), Reason::TooLong),
    ] {
        assert_eq!(refusal(&object!({"rcd": rcd})), reason, "{rcd}");
    }
    for crn in [object!(null), object!(1), object!(["Delivery"])] {
        assert_eq!(refusal(&object!({"crn": crn})), Reason::MalformedRcd);
    }
    assert_eq!(
        refusal(&object!({"crn": "a".repeat(1025)})),
        Reason::TooLong
    );
}

#[test]
fn unknown_members_are_ignored_and_nothing_is_printed() {
    let data = read(&object!({"rcd": {"nam": "Q", "new": {"a": 1}}, "crn": "Delivery"}));
    assert_eq!(data.name(), Some("Q"));
    assert_eq!(data.call_reason(), Some("Delivery"));
    assert_eq!(data.warnings(), []);
    assert_eq!(format!("{data:?}"), "RichCallData(..)");
}

#[test]
fn names_and_reasons_are_shown_without_what_deceives() {
    let data = read(&object!({
        "rcd": {"nam": "\u{202E}\u{0}Your\u{200B}\n Bank"},
        "crn": "é".repeat(100),
    }));
    assert_eq!(data.shown_name().as_deref(), Some("Your Bank"));
    assert_eq!(data.shown_call_reason().unwrap().chars().count(), 64);
    let empty = read(&object!({"rcd": {"nam": "\u{2066}"}, "crn": " "}));
    assert_eq!(
        (empty.shown_name(), empty.shown_call_reason()),
        (None, None)
    );
}

#[test]
fn rcdi_is_an_object_of_pointers_and_digests() {
    let good = over(&object!("Q"));
    let url_alphabet = IntegrityDigest::compute(DigestAlgorithm::Sha512, b"\"Q\"")
        .to_text()
        .replace(['+', '/'], "_");
    for (rcdi, reason) in [
        (object!(null), Reason::MalformedRcd),
        (object!([]), Reason::MalformedRcd),
        (object!(good), Reason::MalformedRcd),
        (object!({"nam": good}), Reason::MalformedRcd),
        (object!({"": good}), Reason::MalformedRcd),
        (object!({"/nam~": good}), Reason::MalformedRcd),
        (object!({"/nam": 1}), Reason::MalformedDigest),
        (object!({"/nam": [good]}), Reason::MalformedDigest),
        (
            object!({"/nam": good.replace("sha256", "sha-256")}),
            Reason::MalformedDigest,
        ),
        (
            object!({"/nam": good.replace("sha256", "SHA256")}),
            Reason::MalformedDigest,
        ),
        (
            object!({"/nam": good.replace("sha256", "sha512")}),
            Reason::MalformedDigest,
        ),
        (object!({"/nam": url_alphabet}), Reason::MalformedDigest),
        // Digests of what is not there.
        (object!({"/nam": good, "/icn": good}), Reason::MalformedRcd),
        (object!({"/nam/0": good}), Reason::MalformedRcd),
        (object!({"/jcl/1/0/3": good}), Reason::MalformedRcd),
    ] {
        let claims = object!({"rcd": {"nam": "Q"}, "rcdi": rcdi});
        assert_eq!(refusal(&claims), reason, "{rcdi}");
    }
    let many: serde_json::Map<_, _> = (0..65)
        .map(|at| (format!("/{at}"), object!(good)))
        .collect();
    let claims = object!({"rcd": {"nam": "Q"}, "rcdi": many});
    assert_eq!(refusal(&claims), Reason::TooDeep);
    assert_eq!(
        refusal(&object!({"rcdi": {"/nam": good}})),
        Reason::MalformedRcd
    );
    assert_eq!(
        refusal(&object!({"rcdi": {}, "crn": "Delivery"})),
        Reason::MalformedRcd
    );
}

#[test]
fn a_mismatch_of_a_value_in_the_claims_voids_all_rich_data() {
    let rcd =
        object!({"nam": "Q", "apn": "12025550143", "jcd": ["vcard", [["fn", {}, "text", "Q"]]]});
    let good = object!({
        "/nam": over(&rcd["nam"]),
        "/apn": over(&rcd["apn"]),
        "/jcd": over(&rcd["jcd"]),
        "/jcd/1/0": over(&rcd["jcd"][1][0]),
    });
    assert_eq!(read(&object!({"rcd": rcd, "rcdi": good})).warnings(), []);
    for pointer in ["/nam", "/apn", "/jcd", "/jcd/1/0"] {
        let mut rcdi = good.clone();
        // Without the quotes, or of another value.
        for digest in [sha256(b"Q"), over(&object!("R"))] {
            rcdi[pointer] = Value::from(digest);
            let claims = object!({"rcd": rcd, "rcdi": rcdi});
            assert_eq!(refusal(&claims), Reason::DigestMismatch, "{pointer}");
        }
    }
}

#[test]
fn digests_are_compared_decoded_with_and_without_padding_in_all_algorithms() {
    for algorithm in [
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ] {
        let text = IntegrityDigest::compute(algorithm, b"\"Q\"").to_text();
        let base64_len = text.len() - 7;
        let padded = format!("{text}{}", "=".repeat((4 - base64_len % 4) % 4));
        for digest in [text, padded] {
            let claims = object!({"rcd": {"nam": "Q"}, "rcdi": {"/nam": digest}});
            assert_eq!(read(&claims).warnings(), [], "{digest}");
        }
    }
}

#[test]
fn compact_form_is_out_with_rcdi_jcd_or_jcl() {
    let card = object!(["vcard", [["fn", {}, "text", "Q"]]]);
    for (claims, allowed) in [
        (object!({"crn": "Delivery"}), true),
        (object!({"rcd": {"nam": "Q"}, "crn": "Delivery"}), true),
        (object!({"rcd": {"nam": "Q"}, "rcdi": {}}), false),
        (object!({"rcd": {"nam": "Q", "jcd": card}}), false),
        (
            object!({"rcd": {"nam": "Q", "jcl": "https://example.com/q"}}),
            false,
        ),
    ] {
        assert_eq!(read(&claims).allows_compact_form(), allowed, "{claims}");
    }
}

#[test]
fn third_party_data_are_used_only_with_a_first_party_that_vouches() {
    let own = object!({"rcd": {"nam": "Q"}});
    let other = object!({"rcd": {"nam": "Q"}, "iss": "Directory of Names"});
    let by_default = ThirdPartyPolicy::default();
    let never = ThirdPartyPolicy::Never;
    let refused = Err(Reason::ThirdPartyRcd);
    for (claims, first_party, vouched, policy, expected) in [
        (&own, true, false, by_default, Ok(())),
        (&own, true, false, never, Ok(())),
        (&own, false, false, by_default, refused),
        (&own, false, true, by_default, Ok(())),
        (&own, false, true, never, refused),
        (&other, true, false, by_default, refused),
        (&other, true, true, by_default, Ok(())),
        (&other, true, true, never, refused),
        (&other, false, false, by_default, refused),
    ] {
        assert_eq!(may_use(claims, first_party, vouched, policy), expected);
    }
    for issuer in [object!(null), object!(1), object!(["a"])] {
        let claims = object!({"rcd": {"nam": "Q"}, "iss": issuer});
        let used = may_use(&claims, true, true, by_default);
        assert_eq!(used, Err(Reason::MalformedRcd));
    }
}

#[test]
fn what_does_not_hold_is_reported_and_not_used() {
    let good = object!({"rcd": {"nam": "Q", "icn": ICON}, "crn": "Delivery"});
    let (data, warnings) = usable(&good, Ok(()));
    assert_eq!(data.unwrap().call_reason(), Some("Delivery"));
    assert_eq!(warnings, [Reason::RcdDigestMissing]);
    let (data, warnings) = usable(&good, Err(Reason::ThirdPartyRcd));
    assert_eq!(
        (data.is_none(), warnings),
        (true, vec![Reason::ThirdPartyRcd])
    );
    for may in [Ok(()), Err(Reason::ThirdPartyRcd)] {
        let (data, warnings) = usable(&object!({"rcd": {}}), may);
        assert_eq!(
            (data.is_none(), warnings),
            (true, vec![Reason::MalformedRcd])
        );
        let (data, warnings) = usable(&object!({"iat": 1}), may);
        assert_eq!((data.is_none(), warnings), (true, vec![]));
    }
}

/// RFC 9795 section 6.3.
#[test]
fn constraints_protect_rich_data_only_all_together() {
    let names = |names: &[&str]| {
        let names: Vec<_> = names
            .iter()
            .map(|name| der(0x16, &[name.as_bytes()]))
            .collect();
        der(0x30, &[&names.concat()])
    };
    let include = |all: &[&str]| der(0xa0, &[&names(all)]);
    let permit = |name: &str| {
        let values = der(0x30, &[&der(0x0c, &[b"{}"])]);
        let pair = der(0x30, &[&der(0x16, &[name.as_bytes()]), &values]);
        der(0xa1, &[&der(0x30, &[&pair])])
    };
    let key = Key::new();
    for (parts, expected) in [
        (vec![include(&["rcd", "rcdi"]), permit("rcdi")], true),
        (vec![include(&["rcdi", "crn", "rcd"]), permit("rcdi")], true),
        (vec![include(&["rcd", "rcdi"])], false),
        (vec![permit("rcdi")], false),
        (vec![include(&["rcd"]), permit("rcdi")], false),
        (vec![include(&["rcdi"]), permit("rcdi")], false),
        (vec![include(&["rcd", "rcdi"]), permit("rcd")], false),
    ] {
        let value = der(0x30, &[&parts.concat()]);
        let template = Template::leaf(&[one("12025550143")]).with_extension(
            JWT_CLAIM_CONSTRAINTS,
            false,
            &value,
        );
        let certificate = template.issue(&key.public, "root", &key);
        let constraints = certificate.claim_constraints().unwrap();
        assert_eq!(are_protected_by(constraints), expected);
    }
}

/// Claims that are close to rich call data.
fn any_claims() -> impl Strategy<Value = Value> {
    let digest = prop_oneof![
        Just(over(&object!("Q"))),
        Just(sha256(&png(1))),
        "sha256-.{0,8}"
    ];
    let pointer = "/(nam|apn|icn|jcd|jcl|x)(/[0-3~]){0,4}";
    let text = prop_oneof![
        Just("Q".to_owned()),
        Just(ICON.to_owned()),
        "(data:image/png;base64,|https://|tel:)?[A-Za-z0-9+/]{0,8}",
    ];
    let property = (
        "(fn|photo|logo|url|version)",
        "(uri|text)",
        prop::collection::vec(text.clone(), 0..3),
    )
        .prop_map(|(name, kind, values)| {
            let mut property = vec![object!(name), object!({}), object!(kind)];
            property.extend(values.into_iter().map(Value::from));
            Value::from(property)
        });
    let card = prop::collection::vec(property, 0..4).prop_map(|all| object!(["vcard", all]));
    let value = prop_oneof![text.prop_map(Value::from), card, Just(Value::Null)];
    let rcd = prop::collection::btree_map("(nam|nam|apn|icn|jcd|jcl|x)", value.clone(), 0..5);
    let rcdi = prop::collection::btree_map(pointer, digest, 0..4);
    (rcd, prop::option::of(rcdi), prop::option::of(value)).prop_map(|(rcd, rcdi, crn)| {
        let mut claims = object!({"rcd": rcd});
        if let Some(rcdi) = rcdi {
            claims["rcdi"] = object!(rcdi);
        }
        if let Some(crn) = crn {
            claims["crn"] = crn;
        }
        claims
    })
}

proptest! {
    #[test]
    fn reading_and_fetching_never_panic(
        claims in any_claims(),
        pointer in "/(icn|jcl|jcd/1/0/3)",
        octets in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        if let Ok(Some(mut data)) = RichCallData::from_claims(&claims) {
            let _ = (data.shown_name(), data.shown_call_reason(), data.warnings());
            let _ = data.accept_fetched(&pointer, &octets);
            let _ = data.accept_fetched(&pointer, &png(1));
            let _ = data.check_for_signing();
        }
        let _ = digest_of(&claims, &pointer);
    }

    #[test]
    fn what_may_be_signed_has_a_digest_for_every_fetch(claims in any_claims()) {
        if let Ok(Some(data)) = RichCallData::from_claims(&claims)
            && data.check_for_signing().is_ok()
        {
            for fetch in data.wanted_fetches() {
                let stated = claims["rcdi"][&fetch.pointer].as_str().unwrap();
                prop_assert_eq!(IntegrityDigest::parse(stated).unwrap(), fetch.digest);
            }
        }
    }
}
