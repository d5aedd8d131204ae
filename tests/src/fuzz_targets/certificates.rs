//! Certificates, bags of them, and paths built from a hostile bag.

use ringtrue_stir::certificate::{Certificate, CertificateBag, Profile, TrustAnchors};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::TnAuthList;

use super::text;

pub(super) fn certificate(octets: &[u8]) {
    let Ok(certificate) = Certificate::from_der(octets) else {
        return;
    };
    assert_eq!(
        certificate.der(),
        octets,
        "a certificate is kept as received"
    );
    if let Some(list) = certificate.tn_auth_list() {
        tn_auth_list(&list.encode());
    }
}

pub(super) fn certificate_bag(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    if let Ok(bag) = CertificateBag::from_pem(text) {
        // Roots are left out, so nothing may be left.
        for certificate in CertificateBag::from_base64_der(&bag.to_x5c())
            .iter()
            .flat_map(CertificateBag::certificates)
        {
            assert!(
                bag.certificates().contains(certificate),
                "x5c holds nothing else"
            );
        }
    }
    // The form of a token's header: one line for each certificate.
    let lines: Vec<&str> = text.lines().collect();
    if let Ok(bag) = CertificateBag::from_base64_der(&lines) {
        assert_eq!(
            bag.certificates().len(),
            lines.len(),
            "nothing is dropped in silence"
        );
    }
}

pub(super) fn tn_auth_list(octets: &[u8]) {
    let Ok(list) = TnAuthList::decode(octets) else {
        return;
    };
    // Undefined members of a range are counted and not written, so only the entries are the same.
    let again = TnAuthList::decode(&list.encode());
    assert!(
        again.is_ok_and(|again| again.entries() == list.entries()),
        "entries are kept"
    );
}

/// Every signer in a bag against the roots in the same bag: names, constraints and loops as an
/// attacker likes them.
pub(super) fn verify_path(octets: &[u8]) {
    let Some(bag) = text(octets).and_then(|text| CertificateBag::from_pem(text).ok()) else {
        return;
    };
    let mut anchors = TrustAnchors::new();
    for certificate in bag.certificates() {
        let _ = anchors.add(certificate.clone());
    }
    for signer in bag.end_entities() {
        for profile in [Profile::Stir, Profile::Shaken, Profile::Delegate] {
            let at = signer.not_before();
            let path = ringtrue_stir::certificate::verify_path(
                &RustCrypto,
                signer,
                &bag,
                &anchors,
                at,
                profile,
            );
            if let Ok(path) = path {
                assert_eq!(
                    path.spki_digest(),
                    signer.spki_digest(),
                    "the path is the signer's"
                );
                assert!(
                    path.valid_from() <= path.valid_until(),
                    "a path is valid at some time"
                );
            }
        }
    }
}
