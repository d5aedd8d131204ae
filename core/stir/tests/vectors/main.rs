//! Runs the vectors of `tests/vectors/` that this crate answers for, every record of them.
//!
//! A test fails when a file of its folder, or a record of a file, was not looked at.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

mod claim_constraints;
mod constructed;
mod libstirshaken_certificates;
mod libstirshaken_passports;
mod live;
mod numbers;
mod protocol;
mod revocation;
mod rfc_passports;
mod rich_call_data;
mod sip_headers;
mod tn_auth_lists;
mod trust_bundles;

use std::collections::BTreeSet;
use std::path::PathBuf;

use ringtrue_stir::crypto::P256PublicKey;
use serde_json::Value;

/// One folder of vectors and what was read of it.
struct Folder {
    path: PathBuf,
    read: BTreeSet<String>,
}

impl Folder {
    fn open(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/vectors")
            .join(name);
        Self {
            path,
            read: BTreeSet::from(["README.md".to_owned()]),
        }
    }

    fn text(&mut self, file: &str) -> String {
        self.read.insert(file.to_owned());
        std::fs::read_to_string(self.path.join(file)).unwrap()
    }

    fn json(&mut self, file: &str) -> Value {
        serde_json::from_str(&self.text(file)).unwrap()
    }

    fn assert_consumed(self) {
        let mut there = BTreeSet::new();
        let mut folders = vec![(self.path.clone(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                if entry.file_type().unwrap().is_dir() {
                    folders.push((entry.path(), format!("{name}/")));
                } else {
                    there.insert(name);
                }
            }
        }
        assert_eq!(there, self.read, "a file was not consumed");
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The P-256 point that a DER SubjectPublicKeyInfo ends with.
fn public_key(pem_text: &str) -> P256PublicKey {
    let der = pem::parse(pem_text).unwrap().into_contents();
    P256PublicKey::from_sec1(&der[der.len() - 65..]).unwrap()
}
