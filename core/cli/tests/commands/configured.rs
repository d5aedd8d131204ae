//! What a configuration file of an endpoint may say.

use std::fs;

use serde_json::Value;

use super::calls::{assert_verified, call};
use super::processes::{ALICE, BOB, IN_TIME, Laboratory, Server, code, json, run};

#[test]
fn an_endpoint_may_be_configured_by_a_file() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let config = lab.file("endpoint.toml");
    let settings = format!(
        "chain = \"{BOB}/chain.pem\"\n\
         key = \"{BOB}/key.pem\"\n\
         x5u = \"https://lab.ringtrue.example/{BOB}.pem\"\n\
         anchors = [\"root.pem\"]\n\
         base_url = \"{}\"\n\
         tls_root = \"tls-root.pem\"\n\
         state = \"{BOB}/state\"\n\
         allow_loopback = true\n\
         allow_direct = true\n\
         profile = \"delegate\"\n",
        server.base()
    );
    fs::write(&config, &settings).unwrap();
    let ring = [
        "ring", "--config", &config, "--from", ALICE, "--to", BOB, "--answer", "--json",
        IN_TIME[0], IN_TIME[1],
    ];
    let (placed, rung) = call(&lab, &server, &ring);
    // A process that begins with the call knows no keys yet.
    assert_verified(&placed, &["keys_just_in_time"]);
    assert_verified(&rung, &[]);

    for wrong in [
        settings.replace("allow_loopback = true", "allow_loopback = 1"),
        format!("{settings}colour = \"red\"\n"),
        settings.replace("root.pem", "nowhere.pem"),
        settings.replace(&format!("{BOB}/key.pem"), &format!("{ALICE}/key.pem")),
    ] {
        fs::write(&config, wrong).unwrap();
        assert_eq!(code(&run(&ring)), Some(1));
    }
    // A service on this machine is not one that a telephone would use.
    fs::write(
        &config,
        settings.replace("allow_loopback = true", "allow_loopback = false"),
    )
    .unwrap();
    let refused = run(&ring);
    assert_eq!(code(&refused), Some(3));
    assert_eq!(json(&refused)["verdict"], "unavailable");
    let reasons = json(&refused)["reasons"].clone();
    assert_eq!(reasons, serde_json::json!(["address_not_allowed"]));
}

/// Alice's configuration file, with these lines added.
fn configured(lab: &Laboratory, server: &Server, added: &str) -> String {
    let config = lab.file("alice.toml");
    let settings = format!(
        "chain = \"{ALICE}/chain.pem\"\n\
         key = \"{ALICE}/key.pem\"\n\
         x5u = \"https://lab.ringtrue.example/{ALICE}.pem\"\n\
         anchors = [\"root.pem\"]\n\
         base_url = \"{}\"\n\
         tls_root = \"tls-root.pem\"\n\
         state = \"{ALICE}/state\"\n\
         allow_loopback = true\n\
         allow_direct = true\n\
         profile = \"delegate\"\n\
         {added}\n",
        server.base()
    );
    fs::write(&config, settings).unwrap();
    config
}

/// What comes of announcing a call from Alice to Bob.
fn announced(config: &str) -> (Option<i32>, Value) {
    let placed = run(&[
        "place", "--config", config, "--from", ALICE, "--to", BOB, "--json", IN_TIME[0], IN_TIME[1],
    ]);
    let report = match code(&placed) {
        Some(0 | 3) => json(&placed),
        _ => Value::Null,
    };
    (code(&placed), report)
}

#[test]
fn a_file_may_say_whose_statements_alone_are_sealed_to() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let listed = lab.run(&server, &["keys", "readers", "--number", BOB]);
    let signer = json(&listed)["readers"][0]["signer"].clone();
    let signer = signer.as_str().unwrap();
    let others = "0".repeat(64);
    let line = |signers: &[&str]| format!("reader_signers = {signers:?}");

    for allowed in [vec![signer], vec![&others, signer], vec![]] {
        let config = configured(&lab, &server, &line(&allowed));
        let (status, report) = announced(&config);
        assert_eq!(status, Some(0), "{report}");
    }
    let config = configured(&lab, &server, &line(&[&others]));
    let (status, report) = announced(&config);
    assert_eq!(status, Some(3));
    assert_eq!(report["verdict"], "unprotected");
    let reasons = report["reasons"].to_string();
    assert!(reasons.contains("reader_not_allowed"), "{reasons}");

    let (short, long) = (&signer[1..], format!("{signer}00"));
    let no_digit = format!("g{short}");
    let wrong = ["", "00", short, &long, &no_digit];
    for wrong in wrong {
        let config = configured(&lab, &server, &line(&[wrong]));
        assert_eq!(announced(&config).0, Some(1), "{wrong}");
    }
}

#[test]
fn a_file_may_name_a_second_directory_that_has_to_show_the_same() {
    let lab = Laboratory::new();
    let (server, other) = (lab.serve(), lab.serve());
    lab.publish(&server);
    let mirror = format!("mirror_directory = \"{}\"", other.base());
    let config = configured(&lab, &server, &mirror);
    let (status, report) = announced(&config);
    assert_eq!(status, Some(0), "{report}");
    let reasons = report["reasons"].to_string();
    assert!(reasons.contains("directory_inconsistent"), "{reasons}");

    // Nobody is a check on himself.
    let same = format!("mirror_directory = \"{}\"", server.base());
    for (wrong, status) in [
        (same.as_str(), 1),
        ("mirror_directory = \"http://keys.example\"", 2),
    ] {
        let config = configured(&lab, &server, wrong);
        assert_eq!(announced(&config).0, Some(status), "{wrong}");
    }
}

#[test]
fn the_readers_of_a_number_are_listed_and_the_own_one_is_no_news() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let listed = lab.run(&server, &["keys", "readers", "--number", BOB]);
    assert_eq!(code(&listed), Some(0), "{}", json(&listed));
    let report = json(&listed);
    assert_eq!(report["reasons"], serde_json::json!([]));
    let reader = &report["readers"][0];
    assert_eq!(reader["own"], true);
    assert_eq!(reader["new"], false);
    assert_eq!(reader["suites"], serde_json::json!(["S3"]));
    assert_eq!(reader["signer"].as_str().unwrap().len(), 64);
    assert!(reader["since"].as_u64().unwrap() < reader["expires"].as_u64().unwrap());
}
