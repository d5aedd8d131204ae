//! `passport sign`, with the credentials of a laboratory.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Ended, ringtrue, tool};

const ALICE: &str = "12025550143";
const BOB: &str = "12025550177";
const CAROL: &str = "12025550199";
const X5U: &str = "https://lab.ringtrue.example/chain.pem";
const ORIGID: &str = "123e4567-e89b-12d3-a456-426655440000";
const CARD: &str = r#"{"rcd":{"nam":"Example"},"crn":"Delivery"}"#;
const SDP: &str = "v=0\r\na=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:\
                   19:E5:7C:AB:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1\r\n";

/// A laboratory with two numbers, and files to sign.
struct Lab(TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        let init = [
            "lab",
            "init",
            &lab.file("lab"),
            "--number",
            ALICE,
            "--number",
            BOB,
        ];
        assert_eq!(ringtrue(&init).code, 0);
        for (name, content) in [("card.json", CARD), ("call.sdp", SDP), ("body", "Hello")] {
            lab.write(name, content);
        }
        lab
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(Path::new(&self.file(name)), content).unwrap();
    }

    /// Signs with the credential of `signer`.
    fn sign(&self, signer: &str, more: &[&str]) -> Ended {
        self.sign_with(signer, signer, more)
    }

    fn sign_with(&self, key: &str, chain: &str, more: &[&str]) -> Ended {
        let [key, chain, root] = [
            format!("lab/{key}/key.pem"),
            format!("lab/{chain}/chain.pem"),
            "lab/root.pem".to_owned(),
        ]
        .map(|name| self.file(&name));
        let mut command = vec!["passport", "sign", "--key", &key, "--chain", &chain];
        command.extend(["--anchor", &root]);
        if !more.contains(&"--x5u") {
            command.extend(["--x5u", X5U]);
        }
        command.extend(more);
        tool(&command)
    }

    fn verify(&self, token: &str, more: &[&str]) -> Ended {
        let [alice, bob, root] = [
            format!("lab/{ALICE}/chain.pem"),
            format!("lab/{BOB}/chain.pem"),
            "lab/root.pem".to_owned(),
        ]
        .map(|name| self.file(&name));
        let mut command = vec![
            "passport",
            "verify",
            "--token",
            token,
            "--profile",
            "delegate",
        ];
        command.extend(["--chain", &alice, "--chain", &bob, "--anchor", &root]);
        command.extend(more);
        tool(&command)
    }
}

fn token(ended: &Ended) -> String {
    assert_eq!(ended.code, 0, "{} {}", ended.output, ended.errors);
    let report = ended.json();
    let token = report["token"].as_str().unwrap().to_owned();
    let identity = report["identity"].as_str().unwrap();
    assert!(identity.starts_with(&format!("{token};info=<{X5U}>;alg=ES256")));
    token
}

#[test]
fn a_token_of_every_type_is_signed_and_verifies() {
    let lab = Lab::new();
    let (card, sdp, body) = (
        lab.file("card.json"),
        lab.file("call.sdp"),
        lab.file("body"),
    );
    for (kind, more, name) in [
        ("base", vec![], json!(null)),
        (
            "shaken",
            vec!["--attest", "A", "--origid", ORIGID],
            json!("shaken"),
        ),
        ("rcd", vec!["--claims", &card], json!("rcd")),
        ("msg", vec!["--body", &body], json!("msg")),
        ("msec", vec!["--sdp", &sdp], json!("msec")),
        (
            "rph",
            vec!["--priority", "ets.0", "--priority", "wps.1"],
            json!("rph"),
        ),
    ] {
        let mut command = vec!["--type", kind, "--orig", ALICE, "--dest", BOB];
        command.extend(&more);
        let token = token(&lab.sign(ALICE, &command));
        let ended = lab.verify(&token, &["--orig", ALICE, "--dest", BOB, "--body", &body]);
        assert_eq!(ended.verdict(), "accept", "{kind}: {}", ended.output);
        let report = ended.json();
        assert_eq!(report["ppt"], name);
        assert_eq!(report["authority"], "covered");
        assert_eq!(report["claims"]["orig"], json!({ "tn": ALICE }));
    }
}

#[test]
fn an_answer_speaks_for_who_was_called() {
    let lab = Lab::new();
    let call = ["--type", "rsp", "--orig", ALICE, "--dest", BOB];
    let answer = token(&lab.sign(BOB, &call));
    let ended = lab.verify(&answer, &[]);
    assert_eq!(ended.verdict(), "policy", "{}", ended.output);
    assert_eq!(ended.names("reasons"), ["unexpected_rsp"]);
    let refused = lab.sign(ALICE, &call);
    assert_eq!(refused.verdict(), "refuse");
    assert_eq!(refused.names("reasons"), ["number_not_covered"]);
}

#[test]
fn a_diversion_speaks_for_who_diverts() {
    let lab = Lab::new();
    let earlier = token(&lab.sign(ALICE, &["--orig", ALICE, "--dest", BOB]));
    let divert = |kind, div| {
        let more = [
            "--type",
            kind,
            "--inner-token",
            &earlier,
            "--div",
            div,
            "--dest",
            CAROL,
        ];
        lab.sign(BOB, &more)
    };
    let beside = token(&divert("div", BOB));
    let ended = lab.verify(&beside, &["--inner-token", &earlier, "--dest", CAROL]);
    assert_eq!(ended.verdict(), "accept", "{}", ended.output);
    let inside = token(&divert("div-o", BOB));
    let ended = lab.verify(&inside, &["--orig", ALICE, "--dest", CAROL]);
    assert_eq!(ended.verdict(), "accept", "{}", ended.output);
    let refused = divert("div", ALICE);
    assert_eq!(refused.verdict(), "refuse");
    assert_eq!(refused.names("reasons"), ["div_mismatch"]);
}

#[test]
fn what_a_verifier_would_refuse_is_not_signed() {
    let lab = Lab::new();
    lab.write("array.json", "[]");
    lab.write("orig.json", &json!({ "orig": { "tn": CAROL } }).to_string());
    lab.write("card-alone.json", r#"{"rcd":{"apn":"12025550143"}}"#);
    lab.write("none.sdp", "v=0\r\n");
    let file = |name: &str| lab.file(name);
    let call = ["--orig", ALICE, "--dest", BOB];
    for (more, reason) in [
        (vec!["--orig", CAROL], "number_not_covered"),
        (
            vec!["--orig", "sip:alice@example.com"],
            "number_not_covered",
        ),
        (vec!["--at", "1000000000"], "certificate_not_yet_valid"),
        (vec!["--at", "4000000000"], "certificate_expired"),
        (
            vec!["--x5u", "http://lab.ringtrue.example/chain.pem"],
            "malformed_url",
        ),
        (
            vec!["--x5u", "https://127.0.0.1/chain.pem"],
            "address_not_allowed",
        ),
        (
            vec!["--type", "shaken", "--attest", "A", "--origid", "no"],
            "malformed_origid",
        ),
        (vec!["--type", "rph", "--priority", "ets"], "malformed_rph"),
        (vec!["--claims", &file("array.json")], "malformed_claims"),
        (vec!["--claims", &file("orig.json")], "malformed_claims"),
        (vec!["--claims", &file("body")], "malformed_json"),
        (vec!["--claims", &file("card-alone.json")], "malformed_rcd"),
        (
            vec!["--type", "msec", "--sdp", &file("none.sdp")],
            "malformed_mky",
        ),
    ] {
        let mut command = call.to_vec();
        if more.contains(&"--orig") {
            command.drain(..2);
        }
        command.extend(&more);
        let ended = lab.sign(ALICE, &command);
        assert_eq!(ended.verdict(), "refuse", "{more:?} {}", ended.output);
        assert_eq!(ended.names("reasons"), [reason], "{more:?}");
        assert_eq!(ended.json().get("token"), None::<&Value>);
    }
    let ended = lab.sign_with(BOB, ALICE, &call);
    assert_eq!(ended.names("reasons"), ["key_mismatch"]);
}

#[test]
fn a_type_without_what_it_needs_is_wrong_usage() {
    let lab = Lab::new();
    for more in [
        &["--dest", BOB] as &[&str],
        &["--orig", ALICE],
        &["--orig", ALICE, "--dest", BOB, "--type", "shaken"],
        &[
            "--orig", ALICE, "--dest", BOB, "--type", "shaken", "--attest", "Z", "--origid", ORIGID,
        ],
        &["--orig", ALICE, "--dest", BOB, "--type", "div"],
        &["--orig", ALICE, "--dest", BOB, "--type", "rph"],
        &["--orig", ALICE, "--dest", BOB, "--type", "vesper"],
        &["--orig", "nobody", "--dest", BOB],
    ] {
        let ended = lab.sign(ALICE, more);
        assert_eq!(ended.code, 2, "{more:?}");
        assert_eq!(ended.output, "");
    }
}

#[test]
fn a_key_that_is_none_is_a_failure() {
    let lab = Lab::new();
    std::fs::copy(
        lab.file("lab/root.pem"),
        lab.file(&format!("lab/{BOB}/key.pem")),
    )
    .unwrap();
    let ended = lab.sign(BOB, &["--orig", BOB, "--dest", ALICE]);
    assert_eq!(
        (ended.code, ended.json()),
        (1, json!({ "error": "malformed_pem" }))
    );
    assert!(!ended.errors.contains(BOB), "{}", ended.errors);
}

#[test]
fn a_person_gets_the_token_alone() {
    let lab = Lab::new();
    let [key, chain, root] = [
        format!("lab/{ALICE}/key.pem"),
        format!("lab/{ALICE}/chain.pem"),
        "lab/root.pem".into(),
    ]
    .map(|name: String| lab.file(&name));
    let ended = ringtrue(&[
        "passport", "sign", "--key", &key, "--chain", &chain, "--anchor", &root, "--x5u", X5U,
        "--orig", ALICE, "--dest", BOB,
    ]);
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert_eq!(ended.output.trim_end().split('.').count(), 3);
    let inspected = tool(&["passport", "inspect", "--token", ended.output.trim_end()]);
    assert_eq!(inspected.code, 0);
    let report = inspected.json();
    assert_eq!(
        report["header"],
        json!({ "alg": "ES256", "typ": "passport", "x5u": X5U })
    );
    assert_eq!(report["payload"]["dest"], json!({ "tn": [BOB] }));
    assert_eq!(report["signature_octets"], 64);
}
