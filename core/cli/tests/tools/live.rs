//! `stir-shaken-pki-live` and `stir-libstirshaken`: certificates as they are found in the world.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Ended, tool, vector_file, vectors};

const LIVE: &str = "stir-shaken-pki-live";

/// A file of a set as an argument.
fn file(set: &str, name: &str) -> String {
    vectors(set).join(name).to_str().unwrap().to_owned()
}

/// The names of the files in a folder of the set.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(vectors(LIVE).join(folder)).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap())
    };
    entries.map(name).collect()
}

/// Seconds since 1970 of `2025-07-08T20:55:02+00:00`, fractions dropped.
fn unix(time: &str) -> String {
    let number = |range: std::ops::Range<usize>| time[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days from civil, with March as the first month.
    let year_of = if month <= 2 { year - 1 } else { year };
    let month_of = (month + 9) % 12;
    let days = 365 * year_of + year_of / 4 - year_of / 100
        + year_of / 400
        + (month_of * 306 + 5) / 10
        + day
        - 719_469;
    assert!(time.ends_with("+00:00"));
    (days * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19)).to_string()
}

/// Verifies a chain with its last certificate as the anchor.
fn verify(name: &str, at: &str, more: &[&str]) -> Ended {
    let chain = file(LIVE, name);
    let text = std::fs::read_to_string(&chain).unwrap();
    let root = text.rfind("-----BEGIN ").unwrap();
    let anchor = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(anchor.path(), &text[root..]).unwrap();
    let anchor = anchor.path().to_str().unwrap();
    let mut command = vec![
        "cert", "verify", "--chain", &chain, "--anchor", anchor, "--at", at,
    ];
    command.extend(more);
    tool(&command)
}

#[test]
fn every_live_chain_is_accepted_at_its_time_and_speaks_by_its_code() {
    assert_eq!(unix("2026-11-21T12:00:00+00:00"), "1795262400");
    let mut seen = BTreeSet::new();
    for record in vector_file(LIVE, "chains.json")["chains"]
        .as_array()
        .unwrap()
    {
        let name = record["file"].as_str().unwrap();
        seen.insert(name.to_owned());
        let at = unix(
            &record["evaluate_at"]
                .as_str()
                .unwrap()
                .replace(".500000", ""),
        );
        let authority = format!("spc:{}", record["leaf"]["spc"].as_str().unwrap());
        for profile in ["stir", "shaken"] {
            let ended = verify(name, &at, &["--profile", profile]);
            assert_eq!(
                ended.verdict(),
                "accept",
                "{name} {profile}: {}",
                ended.output
            );
            assert_eq!(ended.json()["authority"], authority, "{name}");
        }
        // Its code lists no number; and all of it has its time.
        let number = ["--number", "12155550121"];
        let ended = verify(name, &at, &number);
        assert_eq!(ended.verdict(), "policy", "{name}");
        assert_eq!(ended.names("reasons"), ["authority_by_spc"]);
        let ended = verify(name, &at, &[number[0], number[1], "--accept-spc", "any"]);
        assert_eq!(ended.verdict(), "accept", "{name}");
        let ended = verify(name, "0", &[]);
        assert_eq!(ended.verdict(), "refuse", "{name}");
        assert_eq!(ended.names("reasons"), ["certificate_not_yet_valid"]);
    }
    assert_eq!(seen, names("chains"));
}

#[test]
fn every_anomaly_is_shown_or_refused() {
    let mut seen = BTreeSet::new();
    for record in vector_file(LIVE, "anomalies.json")["items"]
        .as_array()
        .unwrap()
    {
        let name = record["file"].as_str().unwrap();
        seen.insert(name.to_owned());
        let ended = tool(&["cert", "inspect", &file(LIVE, name)]);
        let is_malformed =
            record["kind"] == "tnauthlist-untagged" || record.get("tnauthlist_note").is_some();
        if is_malformed {
            assert_eq!(ended.verdict(), "refuse", "{name}");
            assert_eq!(ended.names("reasons"), ["malformed_tn_auth_list"], "{name}");
            let der = record["tnauthlist_der_hex"].as_str().unwrap();
            assert_eq!(tool(&["tnauthlist", "decode", der]).verdict(), "refuse");
            continue;
        }
        assert_eq!(ended.verdict(), "accept", "{name}");
        let shown = ended.json()["certificates"][0].clone();
        let list = match record["tnauthlist_der_hex"].as_str() {
            Some(der) => tool(&["tnauthlist", "decode", der]).json()["entries"].clone(),
            None => Value::Null,
        };
        if record["kind"] != "ecdsa-null-params" {
            assert_eq!(shown["tn_auth_list"], list, "{name}");
            assert_eq!(
                shown["not_before"].to_string(),
                unix(record["not_before"].as_str().unwrap())
            );
            assert_eq!(
                shown["not_after"].to_string(),
                unix(record["not_after"].as_str().unwrap())
            );
        }
    }
    assert_eq!(seen, names("anomalies"));
}

#[test]
fn a_url_in_the_place_of_a_list_is_refused() {
    let checked = vector_file("stir-libstirshaken", "certificates.json");
    assert_eq!(checked["checked"]["sp.pem issued by ca.pem"], true);
    let [sp, ca] = ["sp.pem", "ca.pem"].map(|name| file("stir-libstirshaken", name));
    for command in [
        vec!["cert", "inspect", &sp],
        vec![
            "cert",
            "verify",
            "--chain",
            &sp,
            "--anchor",
            &ca,
            "--at",
            "1616442523",
        ],
    ] {
        let ended = tool(&command);
        assert_eq!(ended.verdict(), "refuse", "{}", ended.output);
        assert_eq!(ended.names("reasons"), ["malformed_tn_auth_list"]);
    }
    let list = checked["checked"]["sp.pem tnauthlist extnValue hex"]
        .as_str()
        .unwrap();
    assert_eq!(tool(&["tnauthlist", "decode", list]).verdict(), "refuse");
}
