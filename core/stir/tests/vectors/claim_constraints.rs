//! `stir-jwt-claim-constraints`: the certificate printed in RFC 9118.
//!
//! Its issuer is not printed, so no path can be built from it; how constraints are applied is tested
//! with constructed certificates of the same extension.

use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::tn_auth_list::TnAuthList;

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
    // 2021-07-15T21:52:15Z and a year later.
    assert_eq!(certificate.not_before().as_secs(), 1_626_385_935);
    assert_eq!(certificate.not_after().as_secs(), 1_657_921_935);
    assert!(!certificate.is_ca() && !certificate.is_self_issued());
    folder.assert_consumed();
}
