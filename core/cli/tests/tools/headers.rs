//! Identity header fields: `identity parse` over the vectors, and `passport verify --identity`.

use serde_json::json;

use crate::{ringtrue, tool, vector_file};

#[test]
fn every_header_of_the_vectors_reads_or_is_refused() {
    let file = vector_file("stir-syntax", "identity-parse.json");
    for case in file["cases"].as_array().unwrap() {
        let value = case["value"].as_str().unwrap();
        let ended = tool(&["identity", "parse", value]);
        let expected = case["expect"].as_str().unwrap().replace("ok", "accept");
        assert_eq!(ended.verdict(), expected, "{value}");
        let report = ended.json();
        for (name, detail) in case["detail"].as_object().unwrap() {
            if name != "note" {
                assert_eq!(&report[name], detail, "{value}: {name}");
            }
        }
    }
}

#[test]
fn every_printed_header_reads() {
    let file = vector_file("stir-rfc-passports", "identity-headers.json");
    for (name, value) in file["values"].as_object().unwrap() {
        let value = value.as_str().unwrap();
        let ended = tool(&["identity", "parse", value]);
        assert_eq!(ended.verdict(), "accept", "{name}");
        let report = ended.json();
        assert_eq!(report["alg"], "ES256");
        assert_eq!(report["compact"], name == "compact");
        assert_eq!(report["digest"], value.split(';').next().unwrap());
        let ppt = if name == "div_quoted_ppt" {
            json!("div")
        } else {
            json!(null)
        };
        assert_eq!(report["ppt"], ppt, "{name}");
    }
}

#[test]
fn parameters_nobody_knows_are_shown() {
    let value = "A.B.C;info=<https://c.example/x>;flag;x=1;y=\"a b\"";
    let report = tool(&["identity", "parse", value]).json();
    assert_eq!(
        report["params"],
        json!({ "flag": null, "x": "1", "y": "a b" })
    );
}

#[test]
fn headers_that_do_not_read_are_refused() {
    let long = format!("A.B.C;info=<https://c.example/{}>", "x".repeat(100_000));
    for (value, reason) in [
        ("", "malformed_identity_header"),
        ("A.B.C", "malformed_identity_header"),
        ("A.B.C;info", "malformed_identity_header"),
        (
            "A..C;info=<https://c.example/x>",
            "malformed_identity_header",
        ),
        (
            "A.B.C;info=<https://c.example/x>;alg=",
            "malformed_identity_header",
        ),
        (
            "A.B.C;info=<https://c.example/\u{e9}>",
            "malformed_identity_header",
        ),
        ("-----", "malformed_identity_header"),
        (&long, "too_long"),
    ] {
        let ended = tool(&["identity", "parse", value]);
        assert_eq!(ended.verdict(), "refuse", "{value:.60}");
        assert_eq!(ended.names("reasons"), [reason], "{value:.60}");
    }
}

#[test]
fn a_header_is_explained_to_people() {
    let value = "AAAA.BBBB.CCCC;info=<https://c.example/x>;alg=ES256;ppt=shaken";
    assert_eq!(
        ringtrue(&["identity", "parse", value]).output,
        "accept\n  \
         form       full\n  \
         digest     AAAA.BBBB.CCCC\n  \
         info       https://c.example/x\n  \
         alg        ES256\n  \
         ppt        shaken\n"
    );
    assert_eq!(
        ringtrue(&["identity", "parse", "A.B.C;info=https://c.example/x"]).output,
        "policy\n  because  info_not_bracketed: the URI of the header's info is not in angle brackets\n           \
         look at the field's value: TOKEN;info=<URL>;alg=ES256;ppt=TYPE\n"
    );
}
