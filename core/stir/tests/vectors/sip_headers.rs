//! Header field values: `stir-syntax/identity-parse.json` and those of `stir-rfc-passports`.

use std::collections::BTreeMap;

use ringtrue_stir::base64url;
use ringtrue_stir::passport::Passport;
use ringtrue_stir::sip::identity_header::TokenForm;
use ringtrue_stir::sip::{IdentityHeader, ReasonHeader, ResponseCode};
use ringtrue_stir::{Reason, Strictness};
use serde_json::Value;

/// `identity-parse.json`.
pub(crate) fn check_identity_parse(file: &Value) {
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let value = case["value"].as_str().unwrap();
        let strict = IdentityHeader::parse(value, Strictness::Strict);
        let lenient = IdentityHeader::parse(value, Strictness::Lenient);
        match case["expect"].as_str().unwrap() {
            "ok" => {
                let header = strict.unwrap();
                assert!(header.warnings().is_empty());
                check_detail(&header, &case["detail"]);
                assert_eq!(lenient, Ok(header));
            }
            "refuse" => {
                assert_eq!(strict, Err(Reason::MalformedIdentityHeader), "{value}");
                assert_eq!(lenient, Err(Reason::MalformedIdentityHeader), "{value}");
            }
            "policy" => {
                assert_eq!(strict, Err(Reason::InfoNotBracketed), "{value}");
                let header = lenient.unwrap();
                assert_eq!(header.warnings(), [Reason::InfoNotBracketed]);
                assert_eq!(header.info(), "https://c.example/x");
            }
            other => panic!("{other} is not consumed"),
        }
    }
    assert_eq!(cases.len(), 10);
}

fn check_detail(header: &IdentityHeader, detail: &Value) {
    for (name, value) in detail.as_object().unwrap() {
        match name.as_str() {
            "info" => assert_eq!(header.info(), value),
            "alg" => assert_eq!(header.alg(), value),
            "ppt" => assert_eq!(header.ppt(), value.as_str()),
            "compact" => assert_eq!(header.form() == TokenForm::Compact, *value),
            "note" => {
                assert_eq!(value, "parameter names are case-insensitive");
                assert_eq!(header.info(), "https://c.example/x");
                assert_eq!(header.ppt(), Some("shaken"));
            }
            other => panic!("{other} is not consumed"),
        }
    }
}

/// `identity-headers.json`; `tokens` are those of `passports.json`.
pub(crate) fn check_identity_headers(file: &Value, tokens: &BTreeMap<String, String>) {
    let values = file["values"].as_object().unwrap();
    for (name, value) in values {
        let value = value.as_str().unwrap();
        let header = IdentityHeader::parse(value, Strictness::Strict).unwrap();
        assert_eq!(header.alg(), "ES256");
        match name.as_str() {
            "full" => {
                assert_eq!(header.digest(), tokens["rfc8225-7.1"]);
                assert_eq!(header.info(), "https://biloxi.example.org/biloxi.cert");
                assert_eq!(header.ppt(), None);
                // The token of the sample has a quoted iat, so nothing strict reads it; of its own
                // x5u a strict reader would say that info is another.
                let parsed = Passport::parse(header.digest());
                assert_eq!(parsed.unwrap_err(), Reason::IatNotNumber);
            }
            "compact" => {
                assert_eq!(header.form(), TokenForm::Compact);
                let full = &tokens["rfc8225-7.1"];
                assert_eq!(Some(header.signature_text()), full.rsplit('.').next());
                let parsed = Passport::parse(header.digest());
                assert_eq!(parsed.unwrap_err(), Reason::CompactFormNotAllowed);
            }
            "div_quoted_ppt" => {
                assert_eq!(header.digest(), tokens["rfc8946-4.1-div"]);
                assert_eq!(header.ppt(), Some("div"));
                let passport = Passport::parse(header.digest()).unwrap();
                assert_eq!(
                    header.check_agreement(&passport, Strictness::Strict),
                    Ok(None)
                );
                assert_eq!(
                    IdentityHeader::for_passport(&passport).unwrap().to_value(),
                    format!("{};alg=ES256;ppt=div", value.split_once(";ppt").unwrap().0)
                );
            }
            other => panic!("{other} is not consumed"),
        }
    }
    assert_eq!(values.len(), 3);
    assert_eq!(file["notes"].as_array().unwrap().len(), 4);
}

/// `reason-headers.json`; `tokens` are those of `passports.json`.
pub(crate) fn check_reason_headers(file: &Value, tokens: &BTreeMap<String, String>) {
    let values = file["values"].as_array().unwrap();
    let full = &tokens["rfc8225-7.1"];
    let sent = format!("{full};info=<https://cert.example.org/passport.cer>");
    let sent = IdentityHeader::parse(&sent, Strictness::Strict).unwrap();
    for value in values {
        let text = value["value"].as_str().unwrap();
        let reason = ReasonHeader::parse(text).unwrap();
        assert_eq!(reason.response_code(), Some(ResponseCode::BadIdentityInfo));
        assert_eq!(reason.to_value(), text);
        let Some(ppi) = reason.ppi() else {
            assert_eq!(value["ppi"], Value::Null);
            assert!(!reason.is_about(&sent));
            continue;
        };
        let signature = base64url::decode(ppi.rsplit('.').next().unwrap());
        let octets = value["ppi_signature_octets"].as_u64();
        // The printed compact sample lost characters and is about no token at all.
        let is_whole = octets == Some(64);
        match signature {
            Ok(signature) => assert_eq!(u64::try_from(signature.len()).ok(), octets),
            Err(_) => assert!(!is_whole),
        }
        assert_eq!(reason.is_about(&sent), is_whole);
        match value["ppi"].as_str().unwrap() {
            "full" => assert_eq!(ppi, full),
            "compact" => assert!(ppi.starts_with("..")),
            other => panic!("{other} is not consumed"),
        }
    }
    assert_eq!(values.len(), 4);
}
