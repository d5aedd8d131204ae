//! What a person sees of a refusal: the reason, where to look, and what was found there.

use crate::chains::{AT, constructed};
use crate::{ringtrue, vector_file};

/// A constructed token.
fn token(id: &str) -> String {
    let file = vector_file("stir-constructed", "passports.json");
    let mut records = file.as_array().unwrap().iter();
    let record = records.find(|record| record["id"] == id).unwrap();
    record["token"].as_str().unwrap().to_owned()
}

/// What is said about reasons: the lines before the authority.
fn said(command: &[&str]) -> String {
    let ended = ringtrue(command);
    assert_eq!(ended.code, 3, "{}", ended.errors);
    let (reasons, _) = ended.output.split_once("\n  authority  ").unwrap();
    reasons.to_owned()
}

fn verify(chain: &str, more: &[&str]) -> String {
    let (chain, root) = (constructed(chain), constructed("root.pem"));
    let mut command = vec!["passport", "verify", "--chain", &chain, "--anchor", &root];
    command.extend(more);
    if !more.contains(&"--at") {
        command.extend(["--at", AT]);
    }
    said(&command)
}

fn assert_found(id: &str, chain: &str, found: &str) {
    let token = token(id);
    let said = verify(chain, &["--accept-spc", "any", "--token", &token]);
    let last = said.lines().last().unwrap();
    assert_eq!(last, format!("           {found}"), "{id}");
}

#[test]
fn what_the_signalling_says_and_how_old_it_is_stands_beside_the_token_s_word() {
    let token = token("shaken-good");
    let said = verify(
        "chains/sp.pem",
        &[
            "--accept-spc",
            "any",
            "--token",
            &token,
            "--at",
            "1795263000",
            "--orig",
            "+1 215 555 0199",
            "--dest",
            "sip:bob@example.com",
        ],
    );
    assert_eq!(
        said,
        "refuse\n\
        \u{20} because  orig_mismatch: orig is not the calling number\n\
        \u{20}          look at orig in the payload\n\
        \u{20}          the token says 12155550121, the call 12155550199\n\
        \u{20} because  dest_mismatch: dest does not hold the called number\n\
        \u{20}          look at dest in the payload\n\
        \u{20}          the token says 12155550131, the call sip:bob@example.com\n\
        \u{20} because  iat_stale: iat is further back than the freshness window\n\
        \u{20}          look at iat in the payload\n\
        \u{20}          it is 600 s before the time of the check, 2026-11-21 12:10:00 UTC; 60 s are allowed"
    );
}

#[test]
fn the_part_and_the_place_of_a_fault_are_named() {
    for (id, found) in [
        ("header-order", "header: \"typ\" stands before \"alg\""),
        ("payload-order", "payload: \"orig\" stands before \"dest\""),
        (
            "payload-newline",
            "payload: there is white space at octet 76",
        ),
        ("payload-duplicate-member", "payload: \"orig\" stands twice"),
        (
            "dest-unsorted",
            "in tn, \"12155550132\" stands before \"12155550131\"",
        ),
        (
            "iat-future",
            "it is 120 s after the time of the check, 2026-11-21 12:00:00 UTC; 10 s are allowed",
        ),
        ("sig-der", "it has 71 octets instead of 64"),
        ("base64-padding", "payload: '=' at character 102"),
        (
            "sig-flipped",
            "tried with the key of CN=SHAKEN 709J,O=Example Test Only,C=US",
        ),
    ] {
        assert_found(id, "chains/sp.pem", found);
    }
    assert_found(
        "constraint-crn-missing",
        "chains/constrained.pem",
        "there is no crn",
    );
    assert_found(
        "constraint-excluded-rcd",
        "chains/excluded.pem",
        "there is rcd",
    );
}

#[test]
fn a_header_field_s_word_stands_beside_the_token_s() {
    let token = token("shaken-good");
    let of = |parameters: &str| {
        let value = format!("{token};{parameters}");
        let more = ["--accept-spc", "any", "--identity", &value];
        let said = verify("chains/sp.pem", &more);
        said.lines().last().unwrap().trim().to_owned()
    };
    assert_eq!(
        of("info=<https://certs.example/sp.pem>;ppt=div"),
        "the field says ES256 and div, the token ES256 and shaken"
    );
    assert_eq!(
        of("info=<https://other.example/x>;ppt=shaken"),
        "info is https://other.example/x, x5u is https://certs.example/sp.pem"
    );
}

#[test]
fn certificates_are_named_with_what_is_wrong_with_them() {
    let root = constructed("root.pem");
    for (chain, found) in [
        (
            "chains/expired.pem",
            "CN=SHAKEN 709J expired,O=Example Test Only,C=US ended 2026-10-22 12:00:00 UTC",
        ),
        (
            "chains/sp-no-intermediate.pem",
            "CN=SHAKEN 709J,O=Example Test Only,C=US names the issuer CN=TEST SHAKEN INTERMEDIATE,\
             O=Example Test Only,C=US; the anchors are CN=TEST SHAKEN ROOT,O=Example Test Only,C=US",
        ),
        (
            "chains/sp.pem",
            "CN=SHAKEN 709J,O=Example Test Only,C=US may speak for service provider code 709J",
        ),
        (
            "chains/one.pem",
            "CN=Example One Number,O=Example Test Only,C=US may speak for number 12125551824",
        ),
    ] {
        let chain = constructed(chain);
        let said = said(&[
            "cert",
            "verify",
            "--chain",
            &chain,
            "--anchor",
            &root,
            "--at",
            AT,
            "--number",
            "12155550121",
        ]);
        let last = said.lines().last().unwrap();
        assert_eq!(last, format!("           {found}"), "{chain}");
    }
}
