//! `stir-libstirshaken`: test certificates of another project, one with a URL for a TNAuthList.

use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{Certificate, KeyKind, TrustAnchors};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::TnAuthList;
use serde_json::Value;

use crate::libstirshaken_passports::check_passports;
use crate::{Folder, unhex};

#[test]
fn a_url_in_place_of_the_list_is_refused_and_the_authorities_are_read() {
    let mut folder = Folder::open("stir-libstirshaken");
    let file = folder.json("certificates.json");
    let checked = file["checked"].as_object().unwrap();
    assert_eq!(checked.len(), 2);
    assert_eq!(checked["sp.pem issued by ca.pem"], Value::Bool(true));
    let list = unhex(checked["sp.pem tnauthlist extnValue hex"].as_str().unwrap());
    let malformed = Reason::MalformedTnAuthList;
    assert_eq!(TnAuthList::decode(&list), Err(malformed));
    let pem = pem::parse(folder.text("sp.pem")).unwrap();
    assert!(
        pem.contents()
            .windows(list.len())
            .any(|window| window == list)
    );
    assert_eq!(
        Certificate::from_der(pem.contents()).unwrap_err(),
        malformed
    );
    for (name, subject) in [
        ("ca.pem", "CN=SignalWire STI-CA Test,C=US"),
        ("pa.pem", "CN=SignalWire STI-PA Test,C=US"),
    ] {
        let anchors = TrustAnchors::from_pem(&folder.text(name)).unwrap();
        let root = &anchors.certificates()[0];
        assert_eq!(root.subject_text(), subject);
        assert_eq!(root.key_kind(), KeyKind::P256);
        assert_eq!(root.authority_key_id(), root.subject_key_id());
        let key = root.public_key().unwrap();
        assert_eq!(root.verify_signature(&RustCrypto, key), Ok(()));
    }
    check_passports(&folder.json("passports.json"));
    folder.assert_consumed();
}
