//! The explicit NULL after a signature algorithm, as one large carrier's authorities write it.

use ringtrue::{DeviceSignature, Signer as _, SoftwareSigner};
use tempfile::TempDir;

use crate::{Ended, ringtrue, tool};

const NUMBER: &str = "12025550143";

/// ecdsa-with-SHA256 and NULL.
const ALGORITHM: &[u8] = b"\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00";

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut octets = vec![tag];
    match content.len() {
        len @ 0..0x80 => octets.push(u8::try_from(len).unwrap()),
        len @ 0x80..0x100 => octets.extend([0x81, u8::try_from(len).unwrap()]),
        len => {
            octets.push(0x82);
            octets.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    octets.extend(content);
    octets
}

/// The octets of tag and length, and the length.
fn header(octets: &[u8]) -> (usize, usize) {
    let first = usize::from(octets[1]);
    if first < 0x80 {
        return (2, first);
    }
    let end = 2 + (first & 0x7f);
    let len = octets[2..end]
        .iter()
        .fold(0, |len, octet| len * 256 + usize::from(*octet));
    (end, len)
}

/// The first element and what follows it.
fn split(octets: &[u8]) -> (&[u8], &[u8]) {
    let (header, len) = header(octets);
    octets.split_at(header + len)
}

fn content(element: &[u8]) -> &[u8] {
    &element[header(element).0..]
}

fn integer(octets: &[u8]) -> Vec<u8> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let mut value = octets[zeros..].to_vec();
    if value[0] >= 0x80 {
        value.insert(0, 0);
    }
    element(2, &value)
}

/// The same certificate with NULL parameters, signed anew.
fn with_null(certificate: &[u8], issuer: &SoftwareSigner) -> Vec<u8> {
    let (to_be_signed, _) = split(content(certificate));
    let (version, rest) = split(content(to_be_signed));
    let (serial, rest) = split(rest);
    let (_algorithm, rest) = split(rest);
    let to_be_signed = element(0x30, &[version, serial, ALGORITHM, rest].concat());
    // A key in memory signs the message and does not look at its digest.
    let DeviceSignature::Raw(raw) = issuer.sign(&to_be_signed, &[0; 32]).unwrap() else {
        panic!("not raw");
    };
    let signature = element(0x30, &[integer(&raw[..32]), integer(&raw[32..])].concat());
    let bits = element(3, &[&[0], signature.as_slice()].concat());
    element(0x30, &[&to_be_signed, ALGORITHM, &bits].concat())
}

/// A laboratory whose credential was issued with the NULL: its folder, and the chain.
fn lab() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(
        ringtrue(&["lab", "init", &file("lab"), "--number", NUMBER]).code,
        0
    );
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    let authority = SoftwareSigner::from_pkcs8_pem(&read("lab/ca.key")).unwrap();
    let mut chain = pem::parse_many(read(&format!("lab/{NUMBER}/chain.pem"))).unwrap();
    let changed = with_null(chain[0].contents(), &authority);
    chain[0] = pem::Pem::new("CERTIFICATE", changed);
    let name = file("null.pem");
    std::fs::write(&name, pem::encode_many(&chain)).unwrap();
    (folder, name)
}

fn assert_tolerated(ended: &Ended) {
    assert_eq!(ended.verdict(), "accept", "{}", ended.output);
    assert!(
        ended
            .names("warnings")
            .contains(&"null_parameters".to_owned()),
        "{}",
        ended.output
    );
    assert_eq!(ended.json()["authority"], "covered");
}

fn assert_refused(ended: &Ended) {
    assert_eq!(ended.verdict(), "refuse");
    assert_eq!(ended.names("reasons"), ["unsupported_certificate_key"]);
}

#[test]
fn a_null_after_the_algorithm_is_tolerated_unless_a_profile_says_otherwise() {
    let (folder, chain) = lab();
    let root = folder
        .path()
        .join("lab/root.pem")
        .to_str()
        .unwrap()
        .to_owned();
    let verify = |more: &[&str]| {
        let mut command = vec!["cert", "verify", "--chain", &chain, "--anchor", &root];
        command.extend(["--number", NUMBER]);
        command.extend(more);
        tool(&command)
    };
    assert_tolerated(&verify(&[]));
    assert_tolerated(&verify(&["--profile", "shaken"]));
    assert_refused(&verify(&["--profile", "stir"]));
    assert_refused(&verify(&["--profile", "delegate"]));
}

#[test]
fn so_it_is_for_tokens_and_never_for_signing() {
    let (folder, null_chain) = lab();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (root, key) = (file("lab/root.pem"), file(&format!("lab/{NUMBER}/key.pem")));
    let sign = |chain: &str| {
        tool(&[
            "passport",
            "sign",
            "--key",
            &key,
            "--chain",
            chain,
            "--anchor",
            &root,
            "--x5u",
            "https://lab.ringtrue.example/chain.pem",
            "--orig",
            NUMBER,
            "--dest",
            "12025550177",
        ])
    };
    assert_refused(&sign(&null_chain));
    let token = sign(&file(&format!("lab/{NUMBER}/chain.pem"))).json()["token"].clone();
    let verify = |more: &[&str]| {
        let mut command = vec!["passport", "verify", "--token", token.as_str().unwrap()];
        command.extend(["--chain", &null_chain, "--anchor", &root]);
        command.extend(more);
        tool(&command)
    };
    assert_tolerated(&verify(&[]));
    assert_refused(&verify(&["--profile", "stir"]));
}
