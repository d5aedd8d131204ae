//! Every token that others published, checked with the bare key that comes with it.

use ringtrue_stir::Strictness::{Lenient, Strict};
use ringtrue_stir::verification::{ReportedAuthority, Verdict};
use ringtrue_stir::{Reason, UnixTime};

use crate::support::{json, outcome, public_key, verify_with_key};

#[test]
fn a_published_token_is_good_only_where_signature_and_form_are() {
    let mut seen = 0;
    for file in [
        "stir-rfc-passports/passports.json",
        "stir-libstirshaken/passports.json",
        "stir-constructed/passports.json",
    ] {
        for record in json(file).as_array().unwrap() {
            let id = record["id"].as_str().unwrap();
            let Some(key) = record["public_key_pem"].as_str() else {
                panic!("{id} has no key");
            };
            let iat = record["payload_text"]
                .as_str()
                .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
                .and_then(|payload| payload["iat"].as_u64());
            let at = iat.unwrap_or(1_795_262_400);
            let token = record["token"].as_str().unwrap();
            let report = verify_with_key(token, &public_key(key), Strict, at);
            let clean = record["measured"]["signature_valid"] == true
                && record["measured"]["strict_refusals"] == serde_json::json!([]);
            // What a bare reader of the form cannot see: the rules of types and of references.
            let further = matches!(
                report.reasons.first(),
                Some(
                    Reason::MalformedUrl
                        | Reason::AddressNotAllowed
                        | Reason::MalformedDigest
                        | Reason::UnexpectedRsp
                )
            );
            let accepted = report.verdict == Verdict::Accept;
            assert_eq!(accepted, clean && !further, "{id}: {report:?}");
            assert!(
                clean || report.verdict == Verdict::Refuse,
                "{id}: {report:?}"
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_quoted_iat_is_refused_and_under_the_lenient_reader_reported() {
    let file = json("stir-rfc-passports/passports.json");
    let record = file
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["id"].as_str().unwrap().contains("7.1"))
        .unwrap();
    let key = public_key(record["public_key_pem"].as_str().unwrap());
    let token = record["token"].as_str().unwrap();
    let at = UnixTime::from_secs(1_443_208_345).as_secs();
    let strict = verify_with_key(token, &key, Strict, at);
    assert_eq!(
        outcome(&strict),
        (Verdict::Refuse, Some(Reason::IatNotNumber))
    );
    let lenient = verify_with_key(token, &key, Lenient, at);
    assert_eq!(outcome(&lenient), (Verdict::Accept, None));
    assert_eq!(lenient.warnings, [Reason::IatNotNumber]);
    assert_eq!(lenient.authority, ReportedAuthority::Unknown);
}
