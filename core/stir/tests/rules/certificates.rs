//! Single certificates, bags and anchors: what parses and what does not.

use proptest::prelude::*;
use ringtrue_stir::certificate::{
    Certificate, CertificateBag, MAX_CERTIFICATE_LEN, MAX_CERTIFICATES, TrustAnchors,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, UnixTime};

use crate::issuing::{
    ENHANCED_JWT_CLAIM_CONSTRAINTS, JWT_CLAIM_CONSTRAINTS, Key, PRIME256V1, TN_AUTH_LIST, Template,
    der, ec_spki, ecdsa_with_sha256, es256, name, one, spc,
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

/// A certificate of these members of its signed part after `change`: version, serial number, algorithm,
/// issuer, validity, subject, key, extensions. Its signature is well formed and nobody's.
fn changed(change: impl FnOnce(&mut [Vec<u8>; 8])) -> Result<Certificate, Reason> {
    let key = Key::new();
    let mut members = [
        vec![0xa0, 3, 2, 1, 2],
        vec![2, 1, 7],
        ecdsa_with_sha256(false),
        name("ca"),
        validity(b"260101000000Z", b"270101000000Z"),
        name("leaf"),
        ec_spki(PRIME256V1, key.public.as_sec1()),
        extensions(&[&extension(&[])]),
    ];
    change(&mut members);
    let tbs = der(0x30, &members.each_ref().map(Vec::as_slice));
    let signature = der(0x03, &[&[0], &es256(&key, &tbs)]);
    Certificate::from_der(der(0x30, &[&tbs, &ecdsa_with_sha256(false), &signature]))
}

/// UTCTime where it has 13 octets, GeneralizedTime otherwise.
fn validity(from: &[u8], to: &[u8]) -> Vec<u8> {
    let time = |text: &[u8]| der(if text.len() == 13 { 0x17 } else { 0x18 }, &[text]);
    der(0x30, &[&time(from), &time(to)])
}

/// One that nobody knows, with something between its name and its value.
fn extension(between: &[u8]) -> Vec<u8> {
    der(0x30, &[&[6, 2, 0x2a, 3], between, &[4, 1, 0]])
}

fn extensions(all: &[&[u8]]) -> Vec<u8> {
    der(0xa3, &[&der(0x30, all)])
}

#[test]
fn the_structure_is_strict_der_and_every_octet_is_in_its_place() {
    const NULL: [u8; 2] = [5, 0];
    assert!(changed(|_| {}).is_ok());
    let refused = |change: &dyn Fn(&mut [Vec<u8>; 8])| {
        assert_eq!(changed(change).err(), Some(Reason::MalformedCertificate));
    };
    // Extensions belong to version 3; the first version is not written, and there is no fourth.
    for version in [
        &[][..],
        &[0xa0, 3, 2, 1, 0],
        &[0xa0, 3, 2, 1, 1],
        &[0xa0, 3, 2, 1, 3],
    ] {
        refused(&|members| members[0] = version.to_vec());
    }
    for serial in [&[2, 0][..], &[2, 2, 0, 7], &[2, 2, 0xff, 0x80], &[10, 1, 7]] {
        refused(&|members| members[1] = serial.to_vec());
    }
    for empty_name in [&[0x30, 2, 0x31, 0][..], &[0x30, 2, 5, 0], &[0x31, 0]] {
        refused(&|members| members[3] = empty_name.to_vec());
        refused(&|members| members[5] = empty_name.to_vec());
    }
    let good: &[u8] = b"270101000000Z";
    for time in [
        &b"2601010000Z"[..],
        b"260101000000+0000",
        b"20260101000000.5Z",
        b"20260101000000",
        b"20260101000000+0100",
    ] {
        // A short UTCTime is written as one all the same.
        let element = der(if time.starts_with(b"20") { 0x18 } else { 0x17 }, &[time]);
        refused(&|members| members[4] = der(0x30, &[&element, &der(0x17, &[good])]));
    }
    refused(&|members| {
        let times = der(0x17, &[good]);
        members[4] = der(0x30, &[&times, &times, &NULL]);
    });
    refused(&|members| members[4].splice(1..1, [0x81]).for_each(drop));
    refused(&|members| members[6] = der(0x30, &[&members[6][2..], &NULL]));
    refused(&|members| members[7].extend(NULL));
    refused(&|members| members[7] = extensions(&[]));
    refused(&|members| members[7][1] = 1);
    refused(&|members| members[7][0] = 0x63);
    refused(&|members| members[7] = members[7].repeat(2));
    for between in [&[1, 1, 1][..], &[1, 0], &[1, 2, 0, 0], &NULL] {
        refused(&|members| members[7] = extensions(&[&extension(between)]));
    }
    refused(&|members| {
        let longer = der(0x30, &[&extension(&[])[2..], &NULL]);
        members[7] = extensions(&[&longer]);
    });
}

#[test]
fn what_the_standard_asks_readers_to_bear_with_is_accepted() {
    for serial in [
        &[2, 1, 0][..],
        &[2, 1, 0x80],
        &[&[2, 25][..], &[1; 25]].concat(),
    ] {
        assert!(changed(|members| members[1] = serial.to_vec()).is_ok());
    }
    // Extensions that say that they are not critical, identifiers nobody uses, no names, no end.
    for flag in [0, 0xff] {
        let stated = extensions(&[&extension(&[1, 1, flag])]);
        let critical = changed(|members| members[7] = stated).unwrap();
        assert_eq!(critical.extensions()[0].is_critical, flag == 0xff);
    }
    assert!(changed(|members| members[6].extend([0x81, 2, 0, 1, 0x82, 2, 0, 1])).is_ok());
    assert!(changed(|members| members[5] = vec![0x30, 0]).is_ok());
    let endless = validity(b"19500101000000Z", b"99991231235959Z");
    let endless = changed(|members| members[4] = endless).unwrap();
    assert_eq!(endless.not_before(), UnixTime::from_secs(0));
    assert_eq!(endless.not_after(), UnixTime::from_secs(253_402_300_799));
    let first = changed(|members| (members[0], members[7]) = (vec![], vec![])).unwrap();
    assert_eq!(first.version(), 1);
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
