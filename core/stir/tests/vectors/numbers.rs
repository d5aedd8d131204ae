//! `stir-syntax`: from what signalling carries to the canonical number, header values, and
//! references to certificates.

use ringtrue_stir::{Reason, TelephoneNumber, X5u};
use serde_json::Value;

use crate::Folder;
use crate::sip_headers::check_identity_parse;

#[test]
fn written_numbers_become_canonical_or_are_none() {
    let mut folder = Folder::open("stir-syntax");
    let file = folder.json("tn-canonical.json");
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let read = TelephoneNumber::from_text(case["uri"].as_str().unwrap());
        match case["tn"].as_str() {
            Some(tn) => assert_eq!(read.unwrap().as_str(), tn),
            None => assert_eq!(read, Err(Reason::MalformedNumber)),
        }
    }
    assert_eq!(cases.len(), 8);
    check_x5u_urls(&folder.json("x5u-urls.json"));
    check_identity_parse(&folder.json("identity-parse.json"));
    folder.assert_consumed();
}

fn check_x5u_urls(file: &Value) {
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let text = case["x5u"].as_str().unwrap();
        let outcome = X5u::parse(text).and_then(|x5u| {
            x5u.require_public_literal()?;
            Ok(x5u.has_dot_segments())
        });
        let expected = match outcome {
            Ok(false) => "accept",
            Ok(true) => "policy",
            Err(Reason::MalformedUrl | Reason::AddressNotAllowed) => "refuse",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(case["expect"], expected, "{text}");
    }
    assert_eq!(cases.len(), 12);
}
