//! Tokens: `passport verify` over the vectors.

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::chains::constructed;
use crate::{Ended, tool, vector_file};

/// The command for a constructed token.
fn command(record: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let chain = text(&record["chain"]);
    let mut command: Vec<String> = ["passport", "verify", "--accept-spc", "709J", "--anchor"]
        .map(str::to_owned)
        .to_vec();
    command.push(constructed("root.pem"));
    command.extend(["--token".to_owned(), text(&record["token"])]);
    command.extend(["--at".to_owned(), record["evaluate_at"].to_string()]);
    let chain_file = |name: &str| {
        [
            "--chain".to_owned(),
            constructed(&format!("chains/{name}.pem")),
        ]
    };
    command.extend(chain_file(&chain));
    if chain != "sp" {
        command.extend(chain_file("sp"));
    }
    if let Some(inner) = record["inner"].as_str() {
        command.extend(["--inner-token".to_owned(), inner.to_owned()]);
    }
    command
}

fn run(record: &Value, more: &[&str]) -> Ended {
    let command = command(record);
    let mut command: Vec<&str> = command.iter().map(String::as_str).collect();
    command.extend(more);
    let body = record["body"].as_str().map(|body| {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), body).unwrap();
        file
    });
    if let Some(body) = &body {
        command.extend(["--body", body.path().to_str().unwrap()]);
    }
    tool(&command)
}

#[test]
fn every_constructed_token_has_its_verdict() {
    let mut wrong = Vec::new();
    for record in vector_file("stir-constructed", "passports.json")
        .as_array()
        .unwrap()
    {
        let expect = record["expect"].as_str().unwrap();
        let strict = run(record, &[]);
        let lenient = run(record, &["--lenient"]);
        let (expected, expected_lenient) = match expect {
            "refuse-strict" => ("refuse", "accept"),
            "refuse-freshness" | "refuse-policy" => ("refuse", "refuse"),
            "refuse-rcd" => ("accept", "accept"),
            other => (other, other),
        };
        let mut good = strict.verdict() == expected && lenient.verdict() == expected_lenient;
        match expect {
            "refuse-strict" => good &= !lenient.names("warnings").is_empty(),
            "refuse-rcd" => {
                good &= !strict.names("warnings").is_empty();
                good &= strict.json()["claims"].get("rcd").is_none();
            }
            _ => {}
        }
        if record["id"] == "rcd-good" {
            good &= strict.json()["claims"].get("rcd").is_some();
        }
        if !good {
            wrong.push(format!(
                "{}: {expect}: {} {}",
                record["id"], strict.output, lenient.output
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file with the public key of a record.
fn key_file(record: &Value) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), record["public_key_pem"].as_str().unwrap()).unwrap();
    file
}

/// Checks a record's token with its bare key, at the time that it names.
fn with_key(record: &Value, more: &[&str]) -> Ended {
    let key = key_file(record);
    let payload: Value = serde_json::from_str(record["payload_text"].as_str().unwrap()).unwrap();
    let at = payload["iat"].to_string();
    let at = at.trim_matches('"');
    let at = if at == "null" { "0" } else { at };
    let token = record["token"].as_str().unwrap();
    let key = key.path().to_str().unwrap();
    let mut command = vec!["passport", "verify", "--token", token, "--public-key", key];
    command.extend(["--at", at]);
    command.extend(more);
    tool(&command)
}

#[test]
fn every_printed_and_every_wild_token_has_its_verdict() {
    let mut seen = Vec::new();
    for set in ["stir-rfc-passports", "stir-libstirshaken"] {
        for record in vector_file(set, "passports.json").as_array().unwrap() {
            let id = record["id"].as_str().unwrap();
            let (verdict, reasons, lenient): (&str, &[&str], &str) = match id {
                "rfc8225-7.1" => ("refuse", &["iat_not_number"], "accept"),
                "rfc8225-A" => ("refuse", &["signature_invalid"], "refuse"),
                // The call that it diverts is not at hand, which a bare key lets pass.
                "rfc8946-4.1-div" => ("accept", &[], "accept"),
                "libstirshaken-00" => ("accept", &[], "accept"),
                "libstirshaken-02" => ("refuse", &["malformed_number"], "refuse"),
                "libstirshaken-03" => (
                    "refuse",
                    &[
                        "type_mismatch",
                        "iat_missing",
                        "malformed_orig",
                        "dest_missing",
                    ],
                    "refuse",
                ),
                "libstirshaken-05" | "libstirshaken-06" => (
                    "refuse",
                    &[
                        "malformed_url",
                        "malformed_orig",
                        "malformed_dest",
                        "malformed_origid",
                    ],
                    "refuse",
                ),
                other => panic!("{other} is not accounted for"),
            };
            let ended = with_key(record, &[]);
            seen.push(format!("{id}: {}", ended.output));
            assert_eq!(ended.verdict(), verdict, "{}", seen.join(""));
            assert_eq!(ended.names("reasons"), reasons, "{}", seen.join(""));
            let ended = with_key(record, &["--lenient"]);
            assert_eq!(ended.verdict(), lenient, "{id}: {}", ended.output);
        }
    }
}
