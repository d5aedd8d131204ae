//! `stir-jwt-claim-constraints`: the certificate printed in RFC 9118.
//!
//! Its issuer is not printed, so no path can be built from it; how constraints are applied is tested
//! with constructed certificates of the same extension.

use ringtrue_stir::Reason;
use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::tn_auth_list::TnAuthList;
use serde_json::json;

use crate::{Folder, unhex};

#[test]
fn the_printed_certificate_parses_with_its_extensions() {
    let mut folder = Folder::open("stir-jwt-claim-constraints");
    let record = folder.json("rfc9118-figure1.json");
    let pem = pem::parse(folder.text("rfc9118-figure1.pem")).unwrap();
    let certificate = Certificate::from_der(pem.contents()).unwrap();
    let list = unhex(record["tnauthlist_der_hex"].as_str().unwrap());
    assert_eq!(
        certificate.tn_auth_list(),
        TnAuthList::decode(&list).as_ref().ok()
    );
    let extension = unhex(record["extension_der_hex"].as_str().unwrap());
    assert!(
        pem.contents()
            .windows(extension.len())
            .any(|window| window == extension)
    );
    let constraints = certificate.claim_constraints().unwrap();
    assert_eq!(json!(constraints.must_include()), record["mustInclude"]);
    assert_eq!(json!(constraints.must_exclude()), record["mustExclude"]);
    let (name, values) = &constraints.permitted_values()[0];
    assert_eq!(json!({ name: values }), record["permittedValues"]);
    assert_eq!(constraints.permitted_values().len(), 1);
    for case in record["claim_cases"].as_array().unwrap() {
        let expected = if case["ok"].as_bool().unwrap() {
            Ok(())
        } else {
            Err(Reason::ClaimConstraintViolated)
        };
        assert_eq!(constraints.check(&case["claims"]), expected, "{case}");
    }
    assert_eq!(
        certificate.issuer_text(),
        record["issuer"].as_str().unwrap()
    );
    // 2021-07-15T21:52:15Z and a year later.
    assert_eq!(certificate.not_before().as_secs(), 1_626_385_935);
    assert_eq!(certificate.not_after().as_secs(), 1_657_921_935);
    assert!(!certificate.is_ca() && !certificate.is_self_issued());
    folder.assert_consumed();
}
