//! `stir-syntax`: from what signalling carries to the canonical number, and header values.

use ringtrue_stir::{Reason, TelephoneNumber};

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
    check_identity_parse(&folder.json("identity-parse.json"));
    folder.assert_consumed();
}
