//! The options of `passport verify`, and what a person sees of it.

use std::process::Command;

use serde_json::{Value, json};

use crate::chains::{AT, constructed};
use crate::{Ended, ringtrue, tool, vector_file};

/// A constructed token.
fn token(id: &str) -> String {
    let file = vector_file("stir-constructed", "passports.json");
    let record = file
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["id"] == id);
    record.unwrap()["token"].as_str().unwrap().to_owned()
}

/// The command for whatever `source` gives, signed under the chain `sp`.
fn verify(source: &[&str], more: &[&str]) -> Ended {
    let (chain, root) = (constructed("chains/sp.pem"), constructed("root.pem"));
    let mut command = vec!["passport", "verify", "--chain", &chain, "--anchor", &root];
    command.extend(source);
    command.extend(more);
    if !more.contains(&"--at") {
        command.extend(["--at", AT]);
    }
    tool(&command)
}

fn assert_refused(ended: &Ended, reason: &str) {
    assert_eq!(ended.verdict(), "refuse", "{}", ended.output);
    assert_eq!(ended.names("reasons"), [reason]);
}

#[test]
fn a_code_is_authority_only_where_it_is_accepted() {
    let good = token("shaken-good");
    let source = ["--token", good.as_str()];
    for more in [
        &[] as &[&str],
        &["--accept-spc", "709K"],
        &["--accept-spc", "709j"],
        &["--accept-spc", ""],
    ] {
        let ended = verify(&source, more);
        assert_eq!(ended.verdict(), "policy", "{more:?}");
        assert_eq!(ended.names("reasons"), ["authority_by_spc"]);
        assert_eq!(ended.json()["authority"], "spc:709J");
    }
    for more in [
        &["--accept-spc", "any"] as &[&str],
        &["--accept-spc", "x", "--accept-spc", "709J"],
    ] {
        let ended = verify(&source, more);
        assert_eq!(ended.verdict(), "accept", "{more:?}");
        let report = ended.json();
        assert_eq!(report["ppt"], "shaken");
        assert_eq!(report["claims"]["attest"], "A");
        assert_eq!(report["claims"]["orig"], json!({ "tn": "12155550121" }));
        assert_eq!(report["authority"], "spc:709J");
    }
}

#[test]
fn the_signalling_is_compared_where_it_is_given() {
    let good = token("shaken-good");
    let source = ["--token", good.as_str(), "--accept-spc", "709J"];
    for more in [
        ["--orig", "+1 (215) 555-0121"],
        ["--orig", "sip:+12155550121@example.com;user=phone"],
        ["--dest", "tel:+1-215-555-0131"],
    ] {
        assert_eq!(verify(&source, &more).verdict(), "accept", "{more:?}");
    }
    for (more, reason) in [
        (["--orig", "12155550122"], "orig_mismatch"),
        (["--orig", "2155550121"], "orig_mismatch"),
        (["--orig", "sip:alice@example.com"], "orig_mismatch"),
        (["--dest", "12155550121"], "dest_mismatch"),
        (["--dest", "sip:bob@example.com"], "dest_mismatch"),
    ] {
        assert_refused(&verify(&source, &more), reason);
    }
    for more in [
        ["--orig", "nobody"],
        ["--dest", ""],
        ["--freshness", "-1"],
        ["--at", "x"],
    ] {
        assert_eq!(verify(&source, &more).code, 2, "{more:?}");
    }
}

#[test]
fn freshness_is_what_is_stated() {
    let good = token("shaken-good");
    let source = ["--token", good.as_str(), "--accept-spc", "709J"];
    assert_refused(&verify(&source, &["--at", "1795262461"]), "iat_stale");
    assert_refused(&verify(&source, &["--at", "1795258800"]), "iat_in_future");
    let ended = verify(&source, &["--at", "1795262461", "--freshness", "61"]);
    assert_eq!(ended.verdict(), "accept");
    assert_refused(
        &verify(&source, &["--at", "1795262461", "--freshness", "0"]),
        "iat_stale",
    );
}

#[test]
fn a_header_field_must_say_what_its_token_says() {
    let good = token("shaken-good");
    let with = |parameters: &str, more: &[&str]| {
        let mut options = vec!["--accept-spc", "709J"];
        options.extend(more);
        verify(&["--identity", &format!("{good};{parameters}")], &options)
    };
    let info = "info=<https://certs.example/sp.pem>";
    let ended = with(&format!("{info};alg=ES256;ppt=\"shaken\""), &[]);
    assert_eq!(ended.verdict(), "accept", "{}", ended.output);
    let other = "info=<https://certs.example/other.pem>;ppt=shaken";
    assert_refused(&with(other, &[]), "info_mismatch");
    let ended = with(other, &["--lenient"]);
    assert_eq!(ended.verdict(), "accept");
    assert!(
        ended
            .names("warnings")
            .contains(&"info_mismatch".to_owned())
    );
    for parameters in ["", ";ppt=rcd", ";ppt=shaken;alg=RS256"] {
        let ended = with(&format!("{info}{parameters}"), &["--lenient"]);
        assert_refused(&ended, "header_parameter_mismatch");
    }
    let bare = "info=https://certs.example/sp.pem;ppt=shaken";
    let ended = with(bare, &[]);
    assert_eq!(ended.verdict(), "policy");
    assert_eq!(ended.names("reasons"), ["info_not_bracketed"]);
    let ended = with(bare, &["--lenient"]);
    assert_eq!(ended.verdict(), "accept");
    assert!(
        ended
            .names("warnings")
            .contains(&"info_not_bracketed".to_owned())
    );
    assert_refused(&with("alg=ES256", &[]), "malformed_identity_header");
    let signature = good.rsplit('.').next().unwrap();
    let compact = format!("..{signature};{info};ppt=shaken");
    assert_refused(
        &verify(&["--identity", &compact], &[]),
        "compact_form_not_allowed",
    );
}

#[test]
fn a_type_nobody_supports_is_ignored_and_never_valid() {
    let encode = ringtrue_stir::base64url::encode;
    let header =
        br#"{"alg":"ES256","ppt":"vesper","typ":"passport","x5u":"https://certs.example/sp.pem"}"#;
    let payload =
        br#"{"dest":{"tn":["12155550131"]},"iat":1795262400,"orig":{"tn":"12155550121"}}"#;
    let signature = token("shaken-good").rsplit('.').next().unwrap().to_owned();
    let unknown = format!("{}.{}.{signature}", encode(header), encode(payload));
    for more in [&[] as &[&str], &["--lenient"], &["--accept-spc", "any"]] {
        let ended = verify(&["--token", &unknown], more);
        assert_eq!(ended.verdict(), "ignore");
        assert_eq!(ended.names("reasons"), ["ppt_unsupported"]);
        assert_eq!(ended.json()["ppt"], "vesper");
    }
}

#[test]
fn revocation_lists_count_for_tokens_too() {
    let good = token("shaken-good");
    let (list, issuer) = (
        constructed("indirect-crl.pem"),
        constructed("crl-issuer.pem"),
    );
    let root = constructed("root.pem");
    let source = ["--token", good.as_str(), "--accept-spc", "709J"];
    let ended = verify(&source, &["--crl", &list, "--crl-issuer", &issuer]);
    assert_eq!(ended.verdict(), "accept", "{}", ended.output);
    assert_refused(
        &verify(&source, &["--crl", &list, "--crl-issuer", &root]),
        "crl_untrusted",
    );
    assert_refused(
        &verify(&source, &["--crl", &issuer, "--crl-issuer", &issuer]),
        "malformed_pem",
    );
}

#[test]
fn a_token_comes_from_a_file_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let file = path.to_str().unwrap();
    let good = token("shaken-good");
    let source = ["--token-file", file, "--accept-spc", "709J"];
    std::fs::write(&path, format!("{good}\r\n")).unwrap();
    assert_eq!(verify(&source, &[]).verdict(), "accept");
    for (content, reason) in [
        (b"" as &[u8], "malformed_token"),
        (b"\n", "malformed_token"),
        (b"\xff\xfe\x00", "malformed_token"),
        (b"a.b.c.d", "malformed_token"),
        (&[0; 4096], "malformed_token"),
        (format!("{good}\0").as_bytes(), "malformed_token"),
        (&vec![b'A'; 900_000], "too_long"),
    ] {
        std::fs::write(&path, content).unwrap();
        let ended = verify(&source, &[]);
        assert_refused(&ended, reason);
        assert_eq!(ended.json()["claims"], Value::Null);
    }
    for content in [b"" as &[u8], b"a.b.c", &vec![b'A'; 900_000]] {
        std::fs::write(&path, content).unwrap();
        let inspected = tool(&["passport", "inspect", "--token-file", file]);
        assert_refused(&inspected, "malformed_token");
    }
    std::fs::write(&path, vec![b'A'; 2_000_000]).unwrap();
    let ended = verify(&source, &[]);
    assert_eq!(
        (ended.code, ended.json()),
        (1, json!({ "error": "too_long" }))
    );
    for missing in [folder.path().join("missing"), folder.path().to_owned()] {
        let ended = verify(&["--token-file", missing.to_str().unwrap()], &[]);
        assert_eq!((ended.code, ended.json()), (1, json!({ "error": "file" })));
    }
}

#[test]
fn a_damaged_chain_refuses_and_a_damaged_key_fails() {
    let good = token("shaken-good");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pem");
    let file = path.to_str().unwrap();
    std::fs::write(
        &path,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let ended = verify(&["--token", &good], &["--chain", file]);
    assert_refused(&ended, "malformed_certificate");
    assert_eq!(ended.json()["ppt"], "shaken");
    assert_eq!(ended.json()["authority"], "none");
    for content in [
        "",
        "\u{0}",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ] {
        std::fs::write(&path, content).unwrap();
        let ended = tool(&["passport", "verify", "--token", &good, "--public-key", file]);
        assert_eq!(ended.code, 1, "{}", ended.output);
        let error = ended.json()["error"].as_str().unwrap().to_owned();
        assert!(
            ["malformed_key", "malformed_pem"].contains(&error.as_str()),
            "{error}"
        );
    }
}

#[test]
fn what_the_command_needs_is_asked_for() {
    let good = token("shaken-good");
    let (chain, root) = (constructed("chains/sp.pem"), constructed("root.pem"));
    let token = ["--token", good.as_str()];
    for more in [
        &[] as &[&str],
        &token,
        &["--chain", &chain, "--anchor", &root],
        &["--token", &good, "--chain", &chain],
        &["--token", &good, "--token-file", &chain, "--anchor", &root],
        &["--token", &good, "--anchor", &root, "--public-key", &root],
        &["--token", &good, "--anchor", &root, "--profile", "web"],
    ] {
        let mut command = vec!["passport", "verify"];
        command.extend(more);
        let ended = tool(&command);
        assert_eq!(ended.code, 2, "{more:?}");
        assert_eq!(ended.output, "");
    }
    // Without its chain a token has no signer.
    let ended = tool(&[
        "passport", "verify", "--token", &good, "--anchor", &root, "--at", AT,
    ]);
    assert_refused(&ended, "credential_unavailable");
}

#[test]
fn a_person_sees_what_is_wrong_and_where() {
    let (chain, root) = (constructed("chains/sp.pem"), constructed("root.pem"));
    let stale = token("iat-future");
    let command = [
        "passport",
        "verify",
        "--token",
        &stale,
        "--chain",
        &chain,
        "--anchor",
        &root,
        "--at",
        AT,
        "--accept-spc",
        "any",
    ];
    let ended = ringtrue(&command);
    assert_eq!(ended.code, 3);
    assert_eq!(
        ended.output,
        "refuse\n  \
         because  iat_in_future: iat is further ahead than the allowed clock skew\n           \
         look at iat in the payload\n           \
         it is 120 s after the time of the check, 2026-11-21 12:00:00 UTC; 10 s are allowed\n  \
         authority  spc:709J\n\
         header\n  \
         alg        \"ES256\"\n  \
         typ        \"passport\"\n  \
         x5u        \"https://certs.example/sp.pem\"\n\
         payload\n  \
         dest       {\"tn\":[\"12155550131\"]}\n  \
         iat        1795262520, 2026-11-21 12:02:00 UTC\n  \
         orig       {\"tn\":\"12155550121\"}\n"
    );
}

#[test]
fn a_person_sees_what_was_tolerated() {
    let (chain, root) = (constructed("chains/sp.pem"), constructed("root.pem"));
    let unsorted = token("dest-unsorted");
    let command = [
        "passport",
        "verify",
        "--token",
        &unsorted,
        "--chain",
        &chain,
        "--anchor",
        &root,
        "--at",
        AT,
        "--accept-spc",
        "any",
        "--lenient",
    ];
    let ended = ringtrue(&command);
    assert_eq!(ended.code, 0);
    let expected = "accept\n  \
         warning  dest_not_sorted: the values of a dest array are not in lexicographic order\n           \
         look at dest in the payload\n           \
         in tn, \"12155550132\" stands before \"12155550131\"\n  \
         authority  spc:709J\nheader\n";
    assert!(ended.output.starts_with(expected), "{}", ended.output);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let run = |name: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
            .args(["url", "check-x5u", "http://certs.example/sp.pem"])
            .env(name, value)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().contains('\u{1b}')
    };
    assert!(run("CLICOLOR_FORCE", "1"));
    assert!(!run("NO_COLOR", "1"));
    assert!(!run("TERM", "xterm-256color"));
}
