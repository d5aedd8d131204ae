//! Single certificates, bags and anchors: what parses and what does not.

use proptest::prelude::*;
use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{
    Certificate, CertificateBag, MAX_CERTIFICATE_LEN, MAX_CERTIFICATES, TrustAnchors,
};
use ringtrue_stir::crypto::RustCrypto;

use crate::issuing::{
    ENHANCED_JWT_CLAIM_CONSTRAINTS, JWT_CLAIM_CONSTRAINTS, Key, TN_AUTH_LIST, Template, one, spc,
};

const MUST_INCLUDE_CRN: &[u8] = &[0x30, 9, 0xa0, 7, 0x30, 5, 0x16, 3, b'c', b'r', b'n'];

fn leaf_der(template: &Template) -> Vec<u8> {
    let key = Key::new();
    template.issue_der(&key.public, "ca", &key)
}

fn leaf() -> Certificate {
    Certificate::from_der(leaf_der(&Template::leaf(&[one("12025550143")]))).unwrap()
}

fn root() -> Certificate {
    let key = Key::new();
    Template::ca("root", &[]).issue(&key.public, "root", &key)
}

fn pem_of(certificate: &Certificate) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", certificate.der()))
}

#[test]
fn refuses_what_is_no_certificate() {
    let good = leaf_der(&Template::leaf(&[]));
    let malformed = |der: &[u8]| Certificate::from_der(der).unwrap_err();
    assert_eq!(malformed(&[]), Reason::MalformedCertificate);
    assert_eq!(malformed(b"-----BEGIN"), Reason::MalformedCertificate);
    assert_eq!(
        malformed(&good[..good.len() - 1]),
        Reason::MalformedCertificate
    );
    assert_eq!(
        malformed(&[&good[..], &[0]].concat()),
        Reason::MalformedCertificate
    );
    assert_eq!(
        malformed(&vec![0x30; MAX_CERTIFICATE_LEN + 1]),
        Reason::TooLong
    );
    assert!(Certificate::from_der(good).is_ok());
}

#[test]
fn refuses_a_repeated_extension_and_two_kinds_of_constraints() {
    let plain = Template::leaf(&[one("12025550143")]);
    let list = plain.list.as_ref().unwrap().encode();
    let twice = plain.clone().with_extension(TN_AUTH_LIST, false, &list);
    let both = plain
        .with_extension(JWT_CLAIM_CONSTRAINTS, false, MUST_INCLUDE_CRN)
        .with_extension(ENHANCED_JWT_CLAIM_CONSTRAINTS, false, MUST_INCLUDE_CRN);
    for template in [twice, both] {
        let refused = Certificate::from_der(leaf_der(&template)).unwrap_err();
        assert_eq!(refused, Reason::MalformedCertificate);
    }
}

#[test]
fn refuses_damaged_extensions_that_matter() {
    let bare = Template::leaf(&[]);
    let spc_untagged = [0x30, 6, 0x13, 4, b'6', b'2', b'2', b'K'];
    let list = bare
        .clone()
        .with_extension(TN_AUTH_LIST, false, &spc_untagged);
    let refused = Certificate::from_der(leaf_der(&list)).unwrap_err();
    assert_eq!(refused, Reason::MalformedTnAuthList);
    let constraints = bare
        .clone()
        .with_extension(JWT_CLAIM_CONSTRAINTS, false, &[0x30, 0]);
    let usage = Template {
        key_usage: Some(vec![]),
        ..bare.clone()
    };
    // A path length without cA, and TRUE that is not 0xff.
    let no_usage = Template {
        key_usage: None,
        ..bare
    };
    for template in [constraints, usage] {
        let refused = Certificate::from_der(leaf_der(&template)).unwrap_err();
        assert_eq!(refused, Reason::MalformedCertificate);
    }
    let mut der = leaf_der(&Template {
        ca: Some(None),
        ..no_usage
    });
    let at = der
        .windows(5)
        .position(|w| w == [0x30, 3, 1, 1, 0xff])
        .unwrap();
    der[at + 4] = 1;
    assert_eq!(
        Certificate::from_der(der).unwrap_err(),
        Reason::MalformedCertificate
    );
}

#[test]
fn refuses_algorithms_that_differ_inside_and_outside() {
    let template = Template {
        other_outer_algorithm: true,
        ..Template::leaf(&[])
    };
    let refused = Certificate::from_der(leaf_der(&template)).unwrap_err();
    assert_eq!(refused, Reason::MalformedCertificate);
}

#[test]
fn accessors_say_what_was_issued() {
    let key = Key::new();
    let template = Template::leaf(&[one("12025550143"), spc("709J")]);
    let certificate = template.issue(&key.public, "ca", &key);
    assert_eq!(certificate.public_key(), Some(&key.public));
    assert_eq!(certificate.tn_auth_list(), template.list.as_ref());
    assert!(!certificate.is_ca() && !certificate.is_self_issued());
    assert_eq!(
        certificate.verify_signature(&RustCrypto, &key.public),
        Ok(())
    );
    assert_eq!(
        certificate.verify_signature(&RustCrypto, &Key::new().public),
        Err(Reason::SignatureInvalid)
    );
    assert_eq!(format!("{certificate:?}"), "Certificate(..)");
    assert!(root().is_ca() && root().is_self_issued());
}

#[test]
fn bags_hold_one_to_eight() {
    let leaf = leaf();
    let bag = |count| CertificateBag::from_certificates(vec![leaf.clone(); count]).map(|_| ());
    assert_eq!(bag(0), Err(Reason::MalformedCertificate));
    assert_eq!(bag(MAX_CERTIFICATES), Ok(()));
    assert_eq!(bag(MAX_CERTIFICATES + 1), Err(Reason::TooManyCertificates));
    let nothing: [&str; 0] = [];
    assert_eq!(
        CertificateBag::from_base64_der(&nothing),
        Err(Reason::MalformedCertificate)
    );
    assert_eq!(
        CertificateBag::from_base64_der(&["!"; 9]),
        Err(Reason::TooManyCertificates)
    );
    assert_eq!(
        CertificateBag::from_pem(&pem_of(&leaf).repeat(9)),
        Err(Reason::TooManyCertificates)
    );
}

#[test]
fn x5c_leaves_the_root_out_and_reads_back_in_its_one_spelling() {
    let leaf = leaf();
    let bag = CertificateBag::from_certificates(vec![leaf.clone(), root()]).unwrap();
    let x5c = bag.to_x5c();
    assert_eq!(x5c.len(), 1);
    let read = CertificateBag::from_base64_der(&x5c).unwrap();
    assert_eq!(read.certificates(), [leaf]);
    let text = &x5c[0];
    for damaged in [
        text.replace(['+', '/'], "-"),
        format!("{text}\n"),
        format!(" {text}"),
        format!("{text}===="),
        text[..text.len() - 4].to_owned(),
    ] {
        if damaged != *text {
            assert_eq!(
                CertificateBag::from_base64_der(&[damaged]),
                Err(Reason::MalformedCertificate)
            );
        }
    }
    assert_eq!(
        CertificateBag::from_base64_der(&["A".repeat(30_000)]),
        Err(Reason::TooLong)
    );
}

#[test]
fn pem_may_have_text_between_blocks_but_nothing_else() {
    let (leaf, root) = (leaf(), root());
    let (one, two) = (pem_of(&leaf), pem_of(&root));
    let bag = CertificateBag::from_pem(&format!("the signer\n{one}\nits root\n{two}")).unwrap();
    assert_eq!(bag.certificates(), [leaf.clone(), root]);
    assert_eq!(bag.end_entities().collect::<Vec<_>>(), [&leaf]);
    let key = pem::encode(&pem::Pem::new("PRIVATE KEY", [1, 2, 3]));
    let malformed = |text: &str| CertificateBag::from_pem(text).unwrap_err();
    for text in [
        String::new(),
        "text".to_owned(),
        key.clone(),
        format!("{one}{key}"),
        format!("{one}{}", &two[..two.len() / 2]),
        one.replace("END CERTIFICATE", "END"),
        one.replace("-----END", "!!!-----END"),
    ] {
        assert_eq!(malformed(&text), Reason::MalformedPem, "{text}");
    }
    assert_eq!(malformed(&" ".repeat(65 * 1024)), Reason::TooLong);
}

#[test]
fn anchors_are_self_issued_cas_each_once() {
    let root = root();
    let mut anchors = TrustAnchors::from_pem(&pem_of(&root).repeat(2)).unwrap();
    assert_eq!(anchors.certificates(), [root]);
    assert_eq!(anchors.add(leaf()), Err(Reason::ConfigurationInvalid));
    let key = Key::new();
    let intermediate = Template::ca("ca", &[]).issue(&key.public, "root", &key);
    assert_eq!(anchors.add(intermediate), Err(Reason::ConfigurationInvalid));
    assert_eq!(
        TrustAnchors::from_pem(&pem_of(&leaf())).unwrap_err(),
        Reason::ConfigurationInvalid
    );
    assert!(TrustAnchors::new().is_empty() && !anchors.is_empty());
}

proptest! {
    #[test]
    fn parsing_octets_never_panics(der in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Certificate::from_der(der);
    }

    #[test]
    fn parsing_text_never_panics(text in "(-----BEGIN CERTIFICATE-----)?.{0,60}(-----END)?.{0,20}") {
        let _ = CertificateBag::from_pem(&text);
        let _ = CertificateBag::from_base64_der(&[text]);
    }
}

/// Every octet, not a sample: what is not signed must not be free to change either.
#[test]
fn no_changed_octet_passes_for_the_original() {
    let key = Key::new();
    let template = Template::leaf(&[one("12025550143")]).with_extension(
        ENHANCED_JWT_CLAIM_CONSTRAINTS,
        false,
        MUST_INCLUDE_CRN,
    );
    let good = template.issue_der(&key.public, "ca", &key);
    for at in 0..good.len() {
        for with in [0x01, 0x02, 0x08, 0x1b, 0x20, 0x40, 0x80, 0xff] {
            let mut der = good.clone();
            der[at] ^= with;
            let verified = Certificate::from_der(der)
                .and_then(|certificate| certificate.verify_signature(&RustCrypto, &key.public));
            assert!(verified.is_err(), "octet {at} changed by {with:02x}");
        }
    }
}
