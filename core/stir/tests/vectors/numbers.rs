//! `stir-syntax`: from what signalling carries to the canonical number, header values, and
//! references to certificates.

use ringtrue_stir::passport::Identity;
use ringtrue_stir::sip::uri::{UriPolicy, identity_of};
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
        let uri = case["uri"].as_str().unwrap();
        let read = TelephoneNumber::from_text(uri);
        let identity = identity_of(uri, None, &UriPolicy::default());
        match case["tn"].as_str() {
            Some(tn) => {
                let read = read.unwrap();
                assert_eq!(read.as_str(), tn);
                assert_eq!(identity, Ok(Identity::Tn(read)));
            }
            None => {
                assert_eq!(read, Err(Reason::MalformedNumber));
                assert_eq!(identity, Ok(Identity::Uri(uri.to_owned())));
            }
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
