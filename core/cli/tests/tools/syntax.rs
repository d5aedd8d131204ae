//! `stir-syntax` and `stir-tnauthlist`: numbers, URLs and lists.

use serde_json::json;

use crate::{ringtrue, tool, vector_file};

#[test]
fn every_uri_of_the_vectors_has_its_canonical_number_or_none() {
    let file = vector_file("stir-syntax", "tn-canonical.json");
    for case in file["cases"].as_array().unwrap() {
        let uri = case["uri"].as_str().unwrap();
        let ended = tool(&["number", "canonical", uri]);
        assert_eq!(ended.verdict(), "accept", "{uri}");
        let report = ended.json();
        assert_eq!(report["tn"], case["tn"], "{uri}");
        assert_eq!(report.get("uri").is_some(), case["tn"].is_null(), "{uri}");
    }
}

#[test]
fn a_number_gets_a_country_code_only_where_the_country_is_stated() {
    for (arguments, expected) in [
        (&["020 7946 0018"] as &[&str], "02079460018"),
        (&["020 7946 0018", "--country", "44"], "442079460018"),
        (&["(202) 555-0143", "--country", "1"], "12025550143"),
        (&["tel:911", "--country", "1"], "911"),
        (&["+44 20 7946 0018", "--country", "1"], "442079460018"),
        (&["-202-555-0143", "--country", "1"], "12025550143"),
    ] {
        let mut command = vec!["number", "canonical"];
        command.extend(arguments);
        assert_eq!(tool(&command).json()["tn"], expected, "{arguments:?}");
    }
}

#[test]
fn what_is_neither_number_nor_uri_is_refused() {
    for text in ["", "alice", "+", "1234567890123456", "sip:", "1 2 x"] {
        let ended = tool(&["number", "canonical", text]);
        assert_eq!(ended.verdict(), "refuse", "{text}");
        assert_eq!(ended.json()["tn"], json!(null), "{text}");
        assert_eq!(ended.names("reasons"), ["malformed_uri"], "{text}");
    }
}

#[test]
fn a_uri_that_is_no_number_stands_in_its_canonical_form() {
    for (text, uri) in [
        ("sip:alice@EXAMPLE.com", "sip:alice@example.com"),
        ("urn:service:sos", "urn:service:sos"),
        ("tel:alice", "tel:alice"),
    ] {
        let report = tool(&["number", "canonical", text]).json();
        assert_eq!(report["tn"], json!(null), "{text}");
        assert_eq!(report["uri"], uri, "{text}");
    }
}

#[test]
fn a_country_that_is_no_calling_code_is_wrong_usage() {
    for country in ["US", "0", "", "1234", "4 4"] {
        let ended = tool(&["number", "canonical", "911", "--country", country]);
        assert_eq!(ended.code, 2, "{country}");
        assert_eq!(ended.output, "");
    }
}

#[test]
fn every_url_of_the_vectors_has_its_verdict() {
    let file = vector_file("stir-syntax", "x5u-urls.json");
    for case in file["cases"].as_array().unwrap() {
        let url = case["x5u"].as_str().unwrap();
        let ended = tool(&["url", "check-x5u", url]);
        assert_eq!(ended.verdict(), case["expect"].as_str().unwrap(), "{url}");
        assert_eq!(ended.names("reasons").is_empty(), ended.code == 0, "{url}");
    }
}

#[test]
fn every_list_of_the_vectors_decodes_or_is_refused() {
    for name in ["good.json", "odd.json"] {
        for record in vector_file("stir-tnauthlist", name).as_array().unwrap() {
            let ended = tool(&["tnauthlist", "decode", record["der_hex"].as_str().unwrap()]);
            assert_eq!(ended.code, 0, "{}", record["id"]);
            assert_eq!(ended.json(), json!({ "entries": record["entries"] }));
        }
    }
    for record in vector_file("stir-tnauthlist", "bad.json")
        .as_array()
        .unwrap()
    {
        let ended = tool(&["tnauthlist", "decode", record["der_hex"].as_str().unwrap()]);
        assert_eq!(ended.verdict(), "refuse", "{}", record["id"]);
        assert_eq!(ended.names("reasons"), ["malformed_tn_auth_list"]);
        assert_eq!(ended.json().get("entries"), None);
    }
}

#[test]
fn a_list_is_shown_to_people_without_colours_where_no_terminal_is() {
    let list = "3025a006160431303031a1143012160331313102020080160332323202020100a2051603333333";
    let ended = ringtrue(&["tnauthlist", "decode", list]);
    assert_eq!(ended.code, 0);
    assert_eq!(
        ended.output,
        "accept\n  \
         service provider code 1001\n  \
         128 numbers from 111 (with unknown additions, which grant nothing)\n  \
         number 333\n"
    );
    let ended = ringtrue(&["tnauthlist", "decode", "3000"]);
    assert_eq!(ended.code, 3);
    assert_eq!(
        ended.output,
        "refuse\n  because  malformed_tn_auth_list: the TNAuthList is not strict DER of the expected form\n"
    );
}

#[test]
fn a_url_is_explained_to_people() {
    let ended = ringtrue(&["url", "check-x5u", "https://10.1.2.3/sp.pem"]);
    assert_eq!(ended.code, 3);
    assert_eq!(
        ended.output,
        "refuse\n  because  address_not_allowed: the address is not a public one\n           \
         look at the URL: x5u in a token's header\n"
    );
    assert_eq!(
        ringtrue(&["url", "check-x5u", "https://certs.example/sp.pem"]).output,
        "accept\n"
    );
}
