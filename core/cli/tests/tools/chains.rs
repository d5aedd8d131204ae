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
            "self-signed" => (&["no_path_to_anchor"], "none"),
            "sp-no-intermediate" => (&["chain_incomplete"], "none"),
            _ => (&[], "covered"),
        };
        let report = ended.json();
        assert_eq!(ended.names("reasons"), reasons, "{id}");
        assert_eq!(report["authority"], authority, "{id}");
        assert!(report["ppt"].is_null() && report["claims"].is_null());
    }
}

fn verify(chain: &str, more: &[&str]) -> crate::Ended {
    let (chain, root) = (constructed(chain), constructed("root.pem"));
    let mut command = vec![
        "cert", "verify", "--chain", &chain, "--anchor", &root, "--at", AT,
    ];
    command.extend(more);
    tool(&command)
}

#[test]
fn the_indirect_revocation_list_revokes_one_chain_and_no_other() {
    let file = vector_file("stir-constructed", "chains.json");
    let list = constructed(file["crl"]["file"].as_str().unwrap());
    let issuer = constructed(file["crl"]["issuer"].as_str().unwrap());
    let lists = ["--crl", list.as_str(), "--crl-issuer", issuer.as_str()];
    let ended = verify("chains/one.pem", &lists);
    assert_eq!(ended.verdict(), "refuse");
    assert_eq!(ended.names("reasons"), ["certificate_revoked"]);
    for chain in [
        "chains/sp.pem",
        "chains/delegate.pem",
        "chains/inside-range-parent.pem",
    ] {
        assert_eq!(verify(chain, &lists).verdict(), "accept", "{chain}");
    }
    // Two days later it says nothing any more.
    let mut late = lists.to_vec();
    late.extend(["--at", "1795435200"]);
    let (chain, root) = (constructed("chains/sp.pem"), constructed("root.pem"));
    let mut command = vec!["cert", "verify", "--chain", &chain, "--anchor", &root];
    command.extend(late);
    let ended = tool(&command);
    assert_eq!(ended.verdict(), "policy");
    assert_eq!(ended.names("reasons"), ["crl_stale"]);
}

#[test]
fn a_revocation_list_by_somebody_else_or_no_list_at_all_is_refused() {
    let list = constructed("indirect-crl.pem");
    let root = constructed("root.pem");
    for (list, reason) in [(&list, "crl_untrusted"), (&root, "malformed_pem")] {
        let ended = verify("chains/sp.pem", &["--crl", list, "--crl-issuer", &root]);
        assert_eq!(ended.verdict(), "refuse");
        assert_eq!(ended.names("reasons"), [reason]);
    }
    // Neither goes without the other.
    for alone in [["--crl", &list], ["--crl-issuer", &root]] {
        assert_eq!(verify("chains/sp.pem", &alone).code, 2);
    }
}

#[test]
fn the_number_decides_where_one_is_asked_about() {
    for (chain, more, verdict, reasons, authority) in [
        (
            "delegate",
            &["12125551599"] as &[&str],
            "accept",
            &[] as &[&str],
            "covered",
        ),
        ("delegate", &["+1 (212) 555-1500"], "accept", &[], "covered"),
        (
            "delegate",
            &["12125551600"],
            "refuse",
            &["number_not_covered"],
            "none",
        ),
        (
            "one",
            &["12125551500"],
            "refuse",
            &["number_not_covered"],
            "none",
        ),
        (
            "sp",
            &["12125551500"],
            "policy",
            &["authority_by_spc"],
            "spc:709J",
        ),
        (
            "sp",
            &["12125551500", "--accept-spc", "709J"],
            "accept",
            &[],
            "spc:709J",
        ),
        (
            "sp",
            &["12125551500", "--accept-spc", "709j"],
            "policy",
            &["authority_by_spc"],
            "spc:709J",
        ),
        (
            "delegate",
            &["12125551600", "--accept-spc", "any"],
            "refuse",
            &["number_not_covered"],
            "none",
        ),
    ] {
        let mut number = vec!["--number"];
        number.extend(more);
        let ended = verify(&format!("chains/{chain}.pem"), &number);
        assert_eq!(ended.verdict(), verdict, "{chain} {more:?}");
        assert_eq!(ended.names("reasons"), reasons, "{chain} {more:?}");
        assert_eq!(ended.json()["authority"], authority, "{chain} {more:?}");
    }
}

#[test]
fn a_chain_that_does_not_begin_with_a_signer_is_refused() {
    let text = std::fs::read_to_string(constructed("chains/delegate.pem")).unwrap();
    let (signer, rest) = text.split_at(text[1..].find("-----BEGIN ").unwrap() + 1);
    let folder = tempfile::tempdir().unwrap();
    for (content, reason) in [
        (format!("{rest}{signer}"), "signer_not_first"),
        (rest.to_owned(), "signer_is_ca"),
        (signer.replace("BEGIN CERT", "BEGIN KERT"), "malformed_pem"),
        (signer.replacen('M', "N", 1), "malformed_certificate"),
        (signer.repeat(9), "too_many_certificates"),
        (String::new(), "malformed_pem"),
        ("0".to_owned(), "malformed_pem"),
    ] {
        let chain = folder.path().join("chain.pem");
        std::fs::write(&chain, content).unwrap();
        let (chain, root) = (chain.to_str().unwrap(), constructed("root.pem"));
        let command = [
            "cert", "verify", "--chain", chain, "--anchor", &root, "--at", AT,
        ];
        let ended = tool(&command);
        assert_eq!(ended.verdict(), "refuse", "{reason}");
        assert_eq!(ended.names("reasons"), [reason]);
    }
}

#[test]
fn an_anchor_that_is_no_root_is_a_failure() {
    let chain = constructed("chains/delegate.pem");
    for (anchor, code) in [
        (constructed("chains/delegate.pem"), "configuration_invalid"),
        (constructed("chains.json"), "malformed_pem"),
        (constructed("chains"), "file"),
        (constructed("missing.pem"), "file"),
    ] {
        let command = [
            "cert", "verify", "--chain", &chain, "--anchor", &anchor, "--at", AT,
        ];
        let ended = tool(&command);
        assert_eq!(ended.code, 1, "{anchor}");
        assert_eq!(
            ended.json(),
            serde_json::json!({ "error": code }),
            "{anchor}"
        );
    }
    for at in ["", "-1", "now", "1e9", "99999999999999999999"] {
        let root = constructed("root.pem");
        let command = [
            "cert", "verify", "--chain", &chain, "--anchor", &root, "--at", at,
        ];
        assert_eq!(tool(&command).code, 2, "{at}");
    }
}

#[test]
fn certificates_are_shown_with_their_stir_extensions() {
    let shown = tool(&["cert", "inspect", &constructed("chains/constrained.pem")]);
    assert_eq!(shown.verdict(), "accept");
    let certificates = shown.json()["certificates"].clone();
    let list = serde_json::json!([{ "range": { "start": "12125551500", "count": 100 } }]);
    assert_eq!(certificates[0]["tn_auth_list"], list);
    assert_eq!(certificates[0]["ca"], false);
    assert_eq!(certificates[0]["key"], "P-256");
    assert_eq!(
        certificates[0]["key_usage"],
        serde_json::json!(["digitalSignature"])
    );
    assert_eq!(
        certificates[0]["claim_constraints"],
        serde_json::json!({
            "must_include": ["crn"],
            "permitted_values": [{ "claim": "crn", "values": ["Delivery", "Appointment"] }],
            "must_exclude": [],
        })
    );
    assert_eq!(certificates[1]["ca"], true);
    assert_eq!(certificates[0]["issuer"], certificates[1]["subject"]);
    assert_eq!(
        certificates[0]["authority_key_id"],
        certificates[1]["subject_key_id"]
    );
}

#[test]
fn the_certificate_of_rfc_9118_shows_its_constraints() {
    let path = vectors("stir-jwt-claim-constraints").join("rfc9118-figure1.pem");
    let record = vector_file("stir-jwt-claim-constraints", "rfc9118-figure1.json");
    let shown = tool(&["cert", "inspect", path.to_str().unwrap()]);
    let certificate = shown.json()["certificates"][0].clone();
    assert_eq!(certificate["tn_auth_list"], record["tnauthlist"]);
    let constraints = &certificate["claim_constraints"];
    assert_eq!(constraints["must_include"], record["mustInclude"]);
    assert_eq!(constraints["must_exclude"], record["mustExclude"]);
    let permitted = &constraints["permitted_values"][0];
    let claim = permitted["claim"].as_str().unwrap();
    assert_eq!(permitted["values"], record["permittedValues"][claim]);
}

#[test]
fn a_certificate_that_cannot_be_read_hides_no_other() {
    let good = std::fs::read_to_string(constructed("chains/one.pem")).unwrap();
    let bad = vectors("stir-shaken-pki-live").join("anomalies/tnauthlist-untagged-00.pem");
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("both.pem");
    std::fs::write(
        &both,
        format!("{}{good}", std::fs::read_to_string(bad).unwrap()),
    )
    .unwrap();
    let ended = tool(&["cert", "inspect", both.to_str().unwrap()]);
    assert_eq!(ended.verdict(), "refuse");
    let certificates = ended.json()["certificates"].clone();
    assert_eq!(
        certificates[0],
        serde_json::json!({ "error": "malformed_tn_auth_list" })
    );
    assert_eq!(certificates[1]["ca"], false);
    for content in [
        "",
        "-----BEGIN CERTIFICATE-----\n",
        "\u{0}",
        "-----BEGIN X-----\n-----END X-----\n",
    ] {
        std::fs::write(&both, content).unwrap();
        let ended = tool(&["cert", "inspect", both.to_str().unwrap()]);
        assert_eq!(ended.verdict(), "refuse");
        assert_eq!(ended.names("reasons"), ["malformed_pem"]);
    }
}
