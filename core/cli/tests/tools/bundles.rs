//! `bundle sign`, `bundle verify` and `bundle inspect`.

use ringtrue::{Signer as _, SoftwareSigner};
use serde_json::json;
use tempfile::TempDir;

use crate::chains::{AT, constructed};
use crate::{Ended, ringtrue, tool};

const NUMBER: &str = "12025550143";

/// A folder with a key for bundles and its public half.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        assert_eq!(
            ringtrue(&["lab", "init", &desk.file("lab"), "--number", NUMBER]).code,
            0
        );
        let key = std::fs::read_to_string(desk.file(&format!("lab/{NUMBER}/key.pem"))).unwrap();
        let signer = SoftwareSigner::from_pkcs8_pem(&key).unwrap();
        std::fs::write(desk.file("key.pem"), &key).unwrap();
        std::fs::write(desk.file("public.der"), signer.public_key().to_spki_der()).unwrap();
        desk
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn sign(&self, more: &[&str]) -> Ended {
        let (key, root) = (self.file("key.pem"), constructed("root.pem"));
        let mut command = vec!["bundle", "sign", "--key", &key, "--at", AT];
        if !more.contains(&"--anchor") {
            command.extend(["--anchor", &root]);
        }
        command.extend(more);
        tool(&command)
    }

    /// Signs a bundle and keeps it as a file.
    fn bundle(&self, name: &str, more: &[&str]) -> String {
        let ended = self.sign(more);
        assert_eq!(ended.code, 0, "{} {}", ended.output, ended.errors);
        let file = self.file(name);
        std::fs::write(&file, ended.json()["bundle"].as_str().unwrap()).unwrap();
        file
    }

    fn verify(&self, file: &str, more: &[&str]) -> Ended {
        let public = self.file("public.der");
        let mut command = vec!["bundle", "verify", file, "--public-key", &public];
        command.extend(more);
        if !more.contains(&"--at") {
            command.extend(["--at", AT]);
        }
        tool(&command)
    }
}

#[test]
fn a_bundle_that_is_signed_is_accepted() {
    let desk = Desk::new();
    let (issuer, public) = (constructed("crl-issuer.pem"), desk.file("public.der"));
    let log = format!("Example={public}");
    let file = desk.bundle(
        "bundle",
        &[
            "--number",
            "7",
            "--days",
            "10",
            "--crl-issuer",
            &issuer,
            "--crl-url",
            "https://sti-pa.example/crl",
            "--log-key",
            &log,
            "--sct",
            "require",
            "--accept-spc",
            "709J",
            "--profile",
            "shaken",
            "--rsa-ca-links",
        ],
    );
    let ended = desk.verify(&file, &[]);
    assert_eq!(ended.verdict(), "accept", "{}", ended.output);
    let report = ended.json();
    assert_eq!(report["number"], 7);
    assert_eq!(report["iat"], 1_795_262_400);
    assert_eq!(report["exp"], 1_795_262_400 + 864_000);
    assert_eq!(report["logs"], json!(["Example"]));
    assert_eq!(report["anchors"].as_array().unwrap().len(), 1);
    assert_eq!(report["crl_issuers"].as_array().unwrap().len(), 1);
    let payload = tool(&["bundle", "inspect", &file]).json()["payload"].clone();
    assert_eq!(payload["spc"], json!(["709J"]));
    assert_eq!(payload["profile"], "shaken");
    assert_eq!(payload["sct"]["mode"], "require");
    assert_eq!(payload["rsa_ca_links"], true);
    assert_eq!(
        payload["crl_issuers"][0]["urls"],
        json!(["https://sti-pa.example/crl"])
    );
}

#[test]
fn an_older_bundle_is_not_taken_back() {
    let desk = Desk::new();
    let (old, new) = (
        desk.bundle("old", &["--number", "1"]),
        desk.bundle("new", &["--number", "2"]),
    );
    let state = |file: &str| {
        desk.verify(file, &[]).json()["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (old_state, new_state) = (state(&old), state(&new));
    assert_eq!(old_state.len(), 80);
    for (file, previous) in [(&new, &old_state), (&new, &new_state), (&old, &old_state)] {
        assert_eq!(
            desk.verify(file, &["--previous", previous]).verdict(),
            "accept"
        );
    }
    let ended = desk.verify(&old, &["--previous", &new_state]);
    assert_eq!(ended.verdict(), "refuse");
    assert_eq!(ended.names("reasons"), ["bundle_rollback"]);
    let twin = desk.bundle("twin", &["--number", "2", "--days", "31"]);
    let ended = desk.verify(&twin, &["--previous", &new_state]);
    assert_eq!(ended.names("reasons"), ["bundle_rollback"]);
    for wrong in ["", "00", "zz", &new_state[2..]] {
        assert_eq!(desk.verify(&new, &["--previous", wrong]).code, 2, "{wrong}");
    }
}

#[test]
fn bundles_by_others_out_of_time_or_damaged_are_refused() {
    let desk = Desk::new();
    let file = desk.bundle("bundle", &["--number", "1", "--days", "1"]);
    for (at, reason) in [
        ("1795348800", "bundle_expired"),
        ("1795262000", "iat_in_future"),
    ] {
        let ended = desk.verify(&file, &["--at", at]);
        assert_eq!(ended.verdict(), "refuse");
        assert_eq!(ended.names("reasons"), [reason]);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let (rest, signature) = text.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for (content, reason) in [
        (
            format!("{rest}.{flipped}{}", &signature[1..]),
            "bundle_untrusted",
        ),
        (String::new(), "malformed_trust_bundle"),
        ("a.b.c".to_owned(), "malformed_trust_bundle"),
        ("\u{0}".repeat(100), "malformed_trust_bundle"),
        ("A".repeat(600_000), "malformed_trust_bundle"),
    ] {
        std::fs::write(&file, content).unwrap();
        let ended = desk.verify(&file, &[]);
        assert_eq!(ended.verdict(), "refuse");
        assert_eq!(ended.names("reasons"), [reason]);
    }
    std::fs::write(&file, "a.b.c").unwrap();
    assert_eq!(tool(&["bundle", "inspect", &file]).verdict(), "refuse");
    assert_eq!(desk.verify(&desk.file("missing"), &[]).code, 1);
}

#[test]
fn a_bundle_that_readers_would_refuse_is_not_made() {
    let desk = Desk::new();
    let public = desk.file("public.der");
    let (leaf, crl) = (constructed("chains/one.pem"), constructed("crl-issuer.pem"));
    let nameless = format!("={public}");
    for (more, code) in [
        (vec!["--anchor", &leaf], "configuration_invalid"),
        (
            vec![
                "--crl-issuer",
                &crl,
                "--crl-url",
                "http://sti-pa.example/crl",
            ],
            "malformed_url",
        ),
        (vec!["--log-key", &nameless], "configuration_invalid"),
    ] {
        let mut command = vec!["--number", "1"];
        command.extend(&more);
        let ended = desk.sign(&command);
        assert!([1, 2].contains(&ended.code), "{more:?}");
        assert_eq!(ended.json(), json!({ "error": code }), "{more:?}");
    }
    for more in [
        &["--number", "-1"] as &[&str],
        &[],
        &["--number", "1", "--days", "401"],
        &["--number", "1", "--log-key", "x"],
    ] {
        assert_eq!(desk.sign(more).code, 2, "{more:?}");
    }
}
