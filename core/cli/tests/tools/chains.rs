//! Chains: `cert verify` over the vectors.

use crate::{tool, vector_file, vectors};

/// 2026-11-21T12:00:00Z.
pub(crate) const AT: &str = "1795262400";

/// A file of the constructed vectors as an argument.
pub(crate) fn constructed(file: &str) -> String {
    let path = vectors("stir-constructed").join(file);
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_constructed_chain_has_its_verdict() {
    let file = vector_file("stir-constructed", "chains.json");
    assert_eq!(file["evaluate_at"], "2026-11-21T12:00:00+00:00");
    let root = constructed(file["trust_anchor"].as_str().unwrap());
    for record in file["chains"].as_array().unwrap() {
        let chain = constructed(record["file"].as_str().unwrap());
        let ended = tool(&[
            "cert", "verify", "--chain", &chain, "--anchor", &root, "--at", AT,
        ]);
        let id = record["id"].as_str().unwrap();
        assert_eq!(ended.verdict(), record["expect"].as_str().unwrap(), "{id}");
        let (reasons, authority): (&[&str], _) = match id {
            "sp" => (&[], "spc:709J"),
            "outside" => (&["scope_not_encompassed"], "none"),
            "spc-parent-number-child" => (&["encompass_unknown"], "unknown"),
            "expired" => (&["certificate_expired"], "none"),
            "self-signed" | "sp-no-intermediate" => (&["no_path_to_anchor"], "none"),
            _ => (&[], "covered"),
        };
        let report = ended.json();
        assert_eq!(ended.names("reasons"), reasons, "{id}");
        assert_eq!(report["authority"], authority, "{id}");
        assert!(report["ppt"].is_null() && report["claims"].is_null());
    }
}
