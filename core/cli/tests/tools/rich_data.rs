//! `stir-rcd`: digests over rich call data.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::{ringtrue, tool, vector_file};

/// A folder with one file.
fn file(content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.json");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn digest(content: &[u8], pointer: &str, more: &[&str]) -> crate::Ended {
    let (_folder, path) = file(content);
    let mut command = vec!["rcd", "digest", "--claims", path.to_str().unwrap()];
    command.extend(["--pointer", pointer]);
    command.extend(more);
    tool(&command)
}

#[test]
fn the_printed_digests_come_out() {
    let card = vector_file("stir-rcd", "jcd-6.1.3.json");
    let rcd = card["rcd"].to_string();
    let ended = digest(rcd.as_bytes(), card["pointer"].as_str().unwrap(), &[]);
    assert_eq!(ended.code, 0, "{}", ended.output);
    assert_eq!(ended.json()["digest"], card["digest"]);

    // A part that a URL gives cannot be told from the claims.
    for pointer in card["unverifiable"].as_object().unwrap().keys() {
        let ended = digest(rcd.as_bytes(), pointer, &[]);
        assert_eq!(ended.verdict(), "refuse", "{pointer}");
        assert_eq!(ended.names("reasons"), ["rcd_not_checked"], "{pointer}");
    }

    let mut compared = 0;
    for claims in vector_file("stir-rcd", "claims-8.3.json")["claims"]
        .as_array()
        .unwrap()
    {
        let expected = claims.get("rcdi").and_then(|digests| digests.get("/nam"));
        let ended = digest(claims.to_string().as_bytes(), "/nam", &[]);
        assert_eq!(ended.code, 0, "{}", ended.output);
        if let Some(expected) = expected {
            assert_eq!(&ended.json()["digest"], expected);
            compared += 1;
        }
        if claims["rcd"].get("icn").is_some() {
            let ended = digest(claims.to_string().as_bytes(), "/icn", &[]);
            assert_eq!(ended.names("reasons"), ["rcd_not_checked"]);
        }
    }
    assert_eq!(compared, 1);
}

#[test]
fn content_behind_a_url_is_given_as_a_file() {
    let claims = br#"{"rcd":{"nam":"A","icn":"https://c.example/i.png"}}"#;
    let (_folder, content) = file(b"octets of the image");
    let ended = digest(claims, "/icn", &["--content", content.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{}", ended.output);
    let text = ended.json()["digest"].as_str().unwrap().to_owned();
    assert!(text.starts_with("sha256-") && text.len() == 50, "{text}");
    // For a value it would be a second opinion.
    let ended = digest(claims, "/nam", &["--content", content.to_str().unwrap()]);
    assert_eq!(ended.verdict(), "refuse");
}

#[test]
fn claims_and_pointers_that_do_not_fit_are_refused() {
    let good = br#"{"rcd":{"nam":"A"}}"# as &[u8];
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    for (claims, pointer, reason) in [
        (good, "/jcd", "malformed_rcd"),
        (good, "nam", "malformed_rcd"),
        (good, "/nam/0", "malformed_rcd"),
        (br#"{"rcd":"A"}"#, "/nam", "malformed_rcd"),
        (b"[]", "/nam", "malformed_rcd"),
        (b"", "/nam", "malformed_json"),
        (b"\xff\xfe\0", "/nam", "malformed_json"),
        (b"{\"nam\":1", "/nam", "malformed_json"),
        (br#"{"nam":"A","nam":"B"}"#, "/nam", "duplicate_member"),
        (deep.as_bytes(), "/nam", "too_deep"),
    ] {
        let ended = digest(claims, pointer, &[]);
        assert_eq!(ended.verdict(), "refuse", "{pointer}");
        assert_eq!(ended.names("reasons"), [reason], "{pointer}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_failure_with_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.json");
    for path in [missing.as_path(), folder.path()] {
        let path = path.to_str().unwrap();
        let ended = tool(&["rcd", "digest", "--pointer", "/nam", "--claims", path]);
        assert_eq!(ended.code, 1, "{path}");
        assert_eq!(ended.json(), serde_json::json!({ "error": "file" }));
    }
    let large = folder.path().join("large.json");
    std::fs::write(&large, vec![b' '; (1 << 20) + 1]).unwrap();
    let ended = tool(&[
        "rcd",
        "digest",
        "--pointer",
        "/nam",
        "--claims",
        large.to_str().unwrap(),
    ]);
    assert_eq!(
        (ended.code, ended.json()),
        (1, serde_json::json!({ "error": "too_long" }))
    );
    assert_eq!(ended.json().get("digest"), None::<&Value>);
}

#[test]
fn a_digest_is_shown_to_people() {
    let (_folder, path) = file(br#"{"nam":"Q Branch Spy Gadgets"}"#);
    let path = path.to_str().unwrap();
    let ended = ringtrue(&["rcd", "digest", "--claims", path, "--pointer", "/nam"]);
    assert_eq!(
        ended.output,
        "accept\n  digest     sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY\n"
    );
}
