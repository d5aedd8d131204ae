//! The endpoint's own certificate and whom it believes, by the command alone.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]
#![expect(dead_code, reason = "other tests use more of what they share")]

#[path = "support/processes.rs"]
mod processes;

use std::fs;

use ringtrue::{Signer as _, SoftwareSigner};
use serde_json::json;

use processes::{ALICE, BOB, Laboratory, code, json, run};

/// The configuration of an endpoint for Bob that has a key and no certificate yet.
fn configured(lab: &Laboratory, more: &str) -> String {
    let config = lab.file("endpoint.toml");
    let settings = format!(
        "key = \"{BOB}/key.pem\"\n\
         anchors = [\"root.pem\"]\n\
         base_url = \"https://localhost:8443\"\n\
         tls_root = \"tls-root.pem\"\n\
         state = \"own\"\n\
         allow_loopback = true\n\
         allow_direct = true\n\
         profile = \"delegate\"\n\
         {more}"
    );
    fs::write(&config, settings).unwrap();
    config
}

fn own<'a>(command: &[&'a str], config: &'a str) -> Vec<&'a str> {
    let mut arguments = command.to_vec();
    arguments.extend(["--config", config, "--number", BOB, "--json"]);
    arguments
}

/// Makes a request for Bob and gives its path.
fn request(lab: &Laboratory, config: &str) -> String {
    let csr = lab.file("bob.csr");
    let mut arguments = own(&["credential", "request"], config);
    arguments.extend(["--out", &csr, "--name", "Front desk"]);
    let made = run(&arguments);
    assert_eq!(code(&made), Some(0));
    let written = fs::read_to_string(&csr).unwrap();
    assert_eq!(json(&made), json!({ "request": written }));
    csr
}

#[test]
fn a_key_gets_its_certificate_from_the_lab_and_is_used_with_it() {
    let lab = Laboratory::new();
    let config = configured(&lab, "");
    let missing = run(&own(&["credential", "status"], &config));
    assert_eq!(code(&missing), Some(3));
    assert_eq!(json(&missing)["state"], "missing");
    assert_eq!(json(&missing)["reason"], "credential_missing");

    let csr = request(&lab, &config);
    let chain = lab.file("bob.pem");
    let issued = run(&[
        "lab",
        "issue",
        lab.dir(),
        "--csr",
        &csr,
        "--out",
        &chain,
        "--json",
    ]);
    assert_eq!(code(&issued), Some(0));
    let issued = json(&issued);
    assert_eq!(issued["chain"], fs::read_to_string(&chain).unwrap());
    let x5u = issued["x5u"].as_str().unwrap();
    assert_eq!(x5u, format!("https://lab.ringtrue.example/{BOB}.pem"));

    let mut install = own(&["credential", "install"], &config);
    install.extend(["--chain", &chain, "--x5u", x5u]);
    let installed = run(&install);
    assert_eq!(code(&installed), Some(0));
    assert_eq!(json(&installed)["state"], "valid");
    assert_eq!(json(&installed)["reason"], json!(null));
    assert_eq!(json(&installed)["expires"], issued["expires"]);
    let status = run(&own(&["credential", "status"], &config));
    assert_eq!((code(&status), json(&status)), (Some(0), json(&installed)));

    // It verifies like any other of the lab, for this number and no other.
    let anchor = lab.file("root.pem");
    let verify = [
        "cert", "verify", "--chain", &chain, "--anchor", &anchor, "--json",
    ];
    let verify = |number| run(&[verify.as_slice(), &["--number", number]].concat());
    assert_eq!(json(&verify(BOB))["authority"], "covered");
    assert_eq!(code(&verify(ALICE)), Some(3));
}

#[test]
fn the_lab_prints_a_chain_for_requests_in_pem_and_der() {
    let lab = Laboratory::new();
    let config = configured(&lab, "");
    let csr = request(&lab, &config);
    let text = fs::read_to_string(&csr).unwrap();
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let der = lab.file("bob.der");
    fs::write(&der, base64(&body)).unwrap();
    for file in [&csr, &der] {
        let issued = run(&["lab", "issue", lab.dir(), "--csr", file]);
        assert_eq!(code(&issued), Some(0));
        let chain = String::from_utf8(issued.stdout).unwrap();
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
        assert!(chain.starts_with("-----BEGIN"));
    }
}

fn base64(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter(|digit| *digit != b'=').map(|digit| {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let at = alphabet.iter().position(|known| *known == digit);
        u32::try_from(at.unwrap()).unwrap()
    });
    let (mut octets, mut bits, mut held) = (Vec::new(), 0, 0);
    for digit in digits {
        held = (held << 6) | digit;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    octets
}

#[test]
fn the_lab_refuses_what_is_outside_its_blocks_and_what_is_no_request() {
    let (lab, other) = (Laboratory::new(), Laboratory::new());
    let far = "4930123456";
    assert_eq!(
        code(&run(&["lab", "init", other.dir(), "--number", far])),
        Some(0)
    );
    let outside = lab.file("far.csr");
    let request = run(&[
        "credential",
        "request",
        "--lab",
        other.dir(),
        "--number",
        far,
        "--out",
        &outside,
    ]);
    assert_eq!(code(&request), Some(0));
    let spoilt = lab.file("spoilt.csr");
    let text = fs::read_to_string(&outside).unwrap();
    fs::write(&spoilt, text.replacen("-----\nMI", "-----\nMA", 1)).unwrap();
    let anchor = lab.file("root.pem");
    let empty = lab.file("empty");
    fs::write(&empty, "").unwrap();
    for (file, reason) in [
        (&outside, "scope_not_encompassed"),
        (&spoilt, "malformed_certificate_request"),
        (&anchor, "malformed_pem"),
        (&empty, "malformed_pem"),
    ] {
        let refused = run(&["lab", "issue", lab.dir(), "--csr", file, "--json"]);
        assert_eq!(code(&refused), Some(3), "{reason}");
        assert_eq!(json(&refused)["verdict"], "refuse");
        assert_eq!(json(&refused)["reasons"], json!([reason]));
    }
    let nowhere = lab.file("nowhere");
    let missing = run(&["lab", "issue", lab.dir(), "--csr", &nowhere]);
    assert_eq!(code(&missing), Some(1));
    let missing = run(&["lab", "issue", &nowhere, "--csr", &outside]);
    assert_eq!(code(&missing), Some(1));
    assert_eq!(code(&run(&["lab", "issue", lab.dir()])), Some(2));
}

#[test]
fn installs_no_certificate_of_another_key_and_keeps_none() {
    let lab = Laboratory::new();
    let config = configured(&lab, "");
    let other = lab.file(&format!("{ALICE}/chain.pem"));
    let mut install = own(&["credential", "install"], &config);
    install.extend(["--chain", &other, "--x5u", "https://certs.example/c.pem"]);
    let refused = run(&install);
    assert_eq!(code(&refused), Some(1));
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert!(errors.contains("key_mismatch"), "{errors}");
    let status = run(&own(&["credential", "status"], &config));
    assert_eq!(json(&status)["state"], "missing");
    let mut named = own(&["credential", "request"], &config);
    named.extend(["--name", "+1 202 555 0100"]);
    assert_eq!(code(&run(&named)), Some(1), "numbers stand in no name");
}

#[test]
fn a_shipped_trust_bundle_is_what_counts() {
    let lab = Laboratory::new();
    let status = run(&[
        "trust",
        "status",
        "--lab",
        lab.dir(),
        "--number",
        BOB,
        "--json",
    ]);
    assert_eq!(json(&status)["version"], json!(null));
    let update = run(&["trust", "update", "--lab", lab.dir(), "--number", BOB]);
    assert_eq!(code(&update), Some(1), "a lab has no bundle");

    let (anchor, key) = (lab.file("root.pem"), lab.file("ca.key"));
    let signed = run(&[
        "bundle",
        "sign",
        "--number",
        "7",
        "--anchor",
        &anchor,
        "--key",
        &key,
        "--profile",
        "delegate",
        "--json",
    ]);
    let bundle = json(&signed)["bundle"].as_str().unwrap().to_owned();
    fs::write(lab.path("bundle.jwt"), &bundle).unwrap();
    let key = fs::read_to_string(&key).unwrap();
    let key = SoftwareSigner::from_pkcs8_pem(&key).unwrap().public_key();
    fs::write(lab.path("bundle.pem"), key.to_spki_pem()).unwrap();
    // Nobody is there.
    let section = "[trust]\n\
                   url = \"https://127.0.0.1:1/bundle.jwt\"\n\
                   keys = [\"bundle.pem\"]\n\
                   shipped = \"bundle.jwt\"\n";
    let config = configured(&lab, section);
    let status = run(&own(&["trust", "status"], &config));
    assert_eq!(code(&status), Some(0));
    assert_eq!(json(&status)["version"], 7);
    assert_eq!(json(&status)["revocation_lists"], 0);
    let update = run(&own(&["trust", "update"], &config));
    assert_eq!(code(&update), Some(1));
    let errors = String::from_utf8(update.stderr).unwrap();
    assert!(errors.contains("service_unreachable"), "{errors}");

    for wrong in [
        section.replace("bundle.pem", "root.pem"),
        section.replace("bundle.pem", "nowhere.pem"),
        section.replace("keys", "key"),
        section.replace("[\"bundle.pem\"]", "[]"),
    ] {
        let config = configured(&lab, &wrong);
        let refused = run(&own(&["trust", "status"], &config));
        assert_eq!(code(&refused), Some(1), "{wrong}");
    }
}
