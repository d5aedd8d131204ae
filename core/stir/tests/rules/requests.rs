//! Certificate requests: RFC 2986 with the TNAuthList of RFC 8226.

use proptest::prelude::*;
use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{
    CertificateRequest, MAX_CERTIFICATE_REQUEST_LEN, RequestSubject, UnsignedCertificateRequest,
};
use ringtrue_stir::crypto::{
    CryptoProvider as _, DeviceSignature, Es256Signature, P256PublicKey, RustCrypto, Signer,
};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};

use crate::issuing::{Key, TN_AUTH_LIST, block, der, one, spc};

const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
const CHALLENGE_PASSWORD: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

fn list() -> TnAuthList {
    TnAuthList::new(vec![one("12025550143"), spc("709J")]).unwrap()
}

fn unsigned(key: &Key) -> UnsignedCertificateRequest {
    let subject = RequestSubject::common_name("Line one").unwrap();
    CertificateRequest::new(&key.public, &subject, &list()).unwrap()
}

fn read(der: &[u8]) -> Result<CertificateRequest, Reason> {
    CertificateRequest::from_der(&RustCrypto, der)
}

#[test]
fn a_signed_request_is_read_back_from_der_and_pem() {
    let key = Key::new();
    let request = unsigned(&key).sign(&RustCrypto, &key).unwrap();
    assert_eq!(request.public_key(), &key.public);
    assert_eq!(request.tn_auth_list(), &list());
    assert_eq!(read(request.der()), Ok(request.clone()));
    let pem = request.to_pem();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
    assert!(pem.ends_with("-----END CERTIFICATE REQUEST-----\n"));
    let text = format!("subject=Line one\n{pem}");
    let found = CertificateRequest::from_pem(&RustCrypto, &text);
    assert_eq!(found, Ok(request.clone()));
    assert_eq!(format!("{request:?}"), "CertificateRequest(..)");
    assert_eq!(
        format!("{:?}", unsigned(&key)),
        "UnsignedCertificateRequest(..)"
    );
}

/// A key store that gives what it was told to.
struct Store(
    P256PublicKey,
    fn(&Key, &[u8], &[u8; 32]) -> DeviceSignature,
    Key,
);

impl Signer for Store {
    fn public_key(&self) -> P256PublicKey {
        self.0
    }

    fn sign(&self, message: &[u8], digest: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        Ok((self.1)(&self.2, message, digest))
    }
}

fn raw(key: &Key, message: &[u8]) -> Es256Signature {
    RustCrypto.sign_es256(&key.secret, message).unwrap()
}

#[test]
fn a_key_store_may_answer_in_der_or_raw() {
    let key = Key::new();
    let der: fn(&Key, &[u8], &[u8; 32]) -> DeviceSignature =
        |key, message, _| DeviceSignature::Der(raw(key, message).to_der());
    let store = Store(key.public, der, key.clone());
    let request = unsigned(&key).sign(&RustCrypto, &store).unwrap();
    assert_eq!(
        request,
        unsigned(&key).sign(&RustCrypto, &key).unwrap(),
        "signatures of this provider are deterministic"
    );
}

#[test]
fn refuses_a_signature_that_is_not_by_the_key_over_the_request() {
    let (key, other) = (Key::new(), Key::new());
    let stores: [Store; 4] = [
        // Hashed twice.
        Store(
            key.public,
            |key, _, digest| DeviceSignature::Raw(raw(key, digest).as_raw().to_vec()),
            key.clone(),
        ),
        // Another key under the name of this one.
        Store(
            key.public,
            |key, message, _| DeviceSignature::Der(raw(key, message).to_der()),
            other.clone(),
        ),
        // No signature.
        Store(
            key.public,
            |_, _, _| DeviceSignature::Raw(vec![1; 63]),
            key.clone(),
        ),
        // The wrong form.
        Store(
            key.public,
            |key, message, _| DeviceSignature::Raw(raw(key, message).to_der()),
            key.clone(),
        ),
    ];
    for store in &stores {
        let refused = unsigned(&key).sign(&RustCrypto, store);
        assert_eq!(refused, Err(Reason::SignerFailed));
    }
    let refused = unsigned(&key).sign(&RustCrypto, &other);
    assert_eq!(refused, Err(Reason::SignerFailed));
    let signature = raw(&other, unsigned(&key).signing_input());
    let refused = unsigned(&key).complete(&RustCrypto, &signature);
    assert_eq!(refused, Err(Reason::SignerFailed));
}

/// What a request is made of, so that one part can be wrong.
struct Parts {
    version: Vec<u8>,
    subject: Vec<u8>,
    spki: Vec<u8>,
    attributes: Vec<u8>,
    algorithm: Vec<u8>,
    unused_bits: u8,
    behind_info: Vec<u8>,
}

fn extension(oid: &[u8], critical: &[u8], value: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x06, &[oid]), critical, &der(0x04, &[value])])
}

fn extension_request(extensions: &[&[u8]]) -> Vec<u8> {
    let set = der(0x31, &[&der(0x30, extensions)]);
    der(0x30, &[&der(0x06, &[EXTENSION_REQUEST]), &set])
}

impl Parts {
    fn right(key: &Key) -> Self {
        let listed = extension(TN_AUTH_LIST, &[], &list().encode());
        Self {
            version: vec![2, 1, 0],
            subject: vec![0x30, 0],
            spki: key.public.to_spki_der(),
            attributes: der(0xa0, &[&extension_request(&[&listed])]),
            algorithm: der(0x30, &[&der(0x06, &[ECDSA_WITH_SHA256])]),
            unused_bits: 0,
            behind_info: vec![],
        }
    }

    fn request(&self, key: &Key) -> Vec<u8> {
        let info = der(
            0x30,
            &[
                &self.version,
                &self.subject,
                &self.spki,
                &self.attributes,
                &self.behind_info,
            ],
        );
        let signature = raw(key, &info).to_der();
        let bits = der(0x03, &[&[self.unused_bits], &signature]);
        der(0x30, &[&info, &self.algorithm, &bits])
    }
}

type Change = fn(&mut Parts);

#[test]
fn refuses_what_is_no_request_for_a_tn_auth_list() {
    let key = Key::new();
    assert!(read(&Parts::right(&key).request(&key)).is_ok());
    let cases: [(&str, Change); 19] = [
        ("version 2", |parts| parts.version = vec![2, 1, 1]),
        ("long version", |parts| parts.version = vec![2, 2, 0, 0]),
        ("no version", |parts| parts.version.clear()),
        ("no subject", |parts| parts.subject.clear()),
        ("empty relative name", |parts| {
            parts.subject = vec![0x30, 2, 0x31, 0];
        }),
        ("name without a type", |parts| {
            parts.subject = vec![0x30, 6, 0x31, 4, 0x30, 2, 0x0c, 0];
        }),
        ("no attributes", |parts| parts.attributes.clear()),
        ("empty attributes", |parts| parts.attributes = vec![0xa0, 0]),
        ("another attribute only", |parts| {
            let value = der(0x31, &[&[0x0c, 1, b'x']]);
            let attribute = der(0x30, &[&der(0x06, &[CHALLENGE_PASSWORD]), &value]);
            parts.attributes = der(0xa0, &[&attribute]);
        }),
        ("attributes as a set", |parts| parts.attributes[0] = 0x31),
        ("no extension", |parts| {
            parts.attributes = der(0xa0, &[&extension_request(&[])]);
        }),
        ("another extension only", |parts| {
            let usage = extension(KEY_USAGE, &[1, 1, 0xff], &[3, 2, 7, 0x80]);
            parts.attributes = der(0xa0, &[&extension_request(&[&usage])]);
        }),
        ("critical list", |parts| {
            let listed = extension(TN_AUTH_LIST, &[1, 1, 0xff], &list().encode());
            parts.attributes = der(0xa0, &[&extension_request(&[&listed])]);
        }),
        ("explicit default", |parts| {
            let listed = extension(TN_AUTH_LIST, &[1, 1, 0], &list().encode());
            parts.attributes = der(0xa0, &[&extension_request(&[&listed])]);
        }),
        ("two lists", |parts| {
            let listed = extension(TN_AUTH_LIST, &[], &list().encode());
            parts.attributes = der(0xa0, &[&extension_request(&[&listed, &listed])]);
        }),
        ("two extension requests", |parts| {
            let listed = extension_request(&[&extension(TN_AUTH_LIST, &[], &list().encode())]);
            parts.attributes = der(0xa0, &[&listed, &listed]);
        }),
        ("two values of one attribute", |parts| {
            let listed = der(0x30, &[&extension(TN_AUTH_LIST, &[], &list().encode())]);
            let set = der(0x31, &[&listed, &listed]);
            let attribute = der(0x30, &[&der(0x06, &[EXTENSION_REQUEST]), &set]);
            parts.attributes = der(0xa0, &[&attribute]);
        }),
        ("unused bits", |parts| parts.unused_bits = 1),
        ("members behind", |parts| parts.behind_info = vec![5, 0]),
    ];
    for (what, change) in cases {
        let mut parts = Parts::right(&key);
        change(&mut parts);
        let refused = read(&parts.request(&key));
        assert_eq!(refused, Err(Reason::MalformedCertificateRequest), "{what}");
    }
}

#[test]
fn refuses_other_keys_algorithms_lists_and_signers_by_their_reason() {
    let (key, other) = (Key::new(), Key::new());
    let cases: [(Change, Reason); 5] = [
        (
            |parts| {
                let oid = der(0x06, &[ECDSA_WITH_SHA384]);
                parts.algorithm = der(0x30, &[&oid]);
            },
            Reason::UnsupportedCertificateKey,
        ),
        (
            |parts| {
                let oid = der(0x06, &[ECDSA_WITH_SHA256]);
                parts.algorithm = der(0x30, &[&oid, &[5, 0]]);
            },
            Reason::UnsupportedCertificateKey,
        ),
        (
            // secp384r1's name with a point of P-256.
            |parts| {
                let last = parts.spki.iter().rposition(|octet| *octet == 7).unwrap();
                parts.spki[last] = 6;
            },
            Reason::UnsupportedCertificateKey,
        ),
        (
            // Off the curve.
            |parts| parts.spki[90] ^= 1,
            Reason::UnsupportedCertificateKey,
        ),
        (
            |parts| {
                let listed = extension(TN_AUTH_LIST, &[], &[0x30, 0]);
                parts.attributes = der(0xa0, &[&extension_request(&[&listed])]);
            },
            Reason::MalformedTnAuthList,
        ),
    ];
    for (change, reason) in cases {
        let mut parts = Parts::right(&key);
        change(&mut parts);
        assert_eq!(read(&parts.request(&key)), Err(reason));
    }
    let signed_by_another = Parts::right(&key).request(&other);
    assert_eq!(read(&signed_by_another), Err(Reason::SignatureInvalid));
}

#[test]
fn other_wishes_of_a_request_are_ignored() {
    let key = Key::new();
    let mut parts = Parts::right(&key);
    let listed = extension(TN_AUTH_LIST, &[], &list().encode());
    let usage = extension(KEY_USAGE, &[1, 1, 0xff], &[3, 2, 7, 0x80]);
    let value = der(0x31, &[&[0x0c, 1, b'x']]);
    let password = der(0x30, &[&der(0x06, &[CHALLENGE_PASSWORD]), &value]);
    parts.attributes = der(0xa0, &[&password, &extension_request(&[&usage, &listed])]);
    let request = read(&parts.request(&key)).unwrap();
    assert_eq!(request.tn_auth_list(), &list());
}

#[test]
fn refuses_every_shortened_or_changed_request() {
    let key = Key::new();
    let request = unsigned(&key).sign(&RustCrypto, &key).unwrap();
    let der = request.der();
    for len in 0..der.len() {
        let refused = read(&der[..len]);
        assert_eq!(refused, Err(Reason::MalformedCertificateRequest), "{len}");
    }
    for index in 0..der.len() {
        let mut changed = der.to_vec();
        changed[index] ^= 0x01;
        assert!(read(&changed).is_err(), "octet {index}");
    }
    let behind = [der, &[0]].concat();
    assert_eq!(
        read(&behind),
        Err(Reason::MalformedCertificateRequest),
        "an octet behind"
    );
}

#[test]
fn refuses_requests_above_the_limit_on_both_sides() {
    let too_long = vec![0x30; MAX_CERTIFICATE_REQUEST_LEN + 1];
    assert_eq!(read(&too_long), Err(Reason::TooLong));
    let key = Key::new();
    let empty = RequestSubject::empty();
    // An entry takes 15 octets; the list alone stays below its own limit.
    let entries = |count: usize| vec![one("12025550143"); count];
    let long = TnAuthList::new(entries(1085)).unwrap();
    let refused = CertificateRequest::new(&key.public, &empty, &long);
    assert_eq!(refused.err(), Some(Reason::TooLong));
    let fits = TnAuthList::new(entries(1060)).unwrap();
    let unsigned = CertificateRequest::new(&key.public, &empty, &fits).unwrap();
    let request = unsigned.sign(&RustCrypto, &key).unwrap();
    assert_eq!(read(request.der()), Ok(request));
}

#[test]
fn refuses_pem_that_is_not_one_request() {
    let key = Key::new();
    let pem = unsigned(&key).sign(&RustCrypto, &key).unwrap().to_pem();
    let read = |text: &str| CertificateRequest::from_pem(&RustCrypto, text);
    let wrong = [
        String::new(),
        "request".to_owned(),
        pem.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        pem.replace("CERTIFICATE REQUEST", "EC PRIVATE KEY"),
        format!("{pem}{pem}"),
        pem.replace("-----END", "-----"),
        pem.replacen('M', "!", 1),
    ];
    for text in &wrong {
        assert_eq!(read(text), Err(Reason::MalformedPem), "{text}");
    }
    assert_eq!(read(&"\n".repeat(32 * 1024 + 1)), Err(Reason::TooLong));
    let inner = pem::Pem::new("CERTIFICATE REQUEST", vec![0x30, 0]).to_string();
    assert_eq!(read(&inner), Err(Reason::MalformedCertificateRequest));
}

#[test]
fn a_name_carries_a_number_only_if_asked() {
    for name in [
        "12025550143",
        "+1 202 555 0143",
        "Line 1-202-555-0143",
        "Line (202) 555 0143",
        "555.01.43",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}",
    ] {
        let refused = RequestSubject::common_name(name);
        assert_eq!(refused, Err(Reason::ConfigurationInvalid), "{name}");
        assert!(RequestSubject::common_name_with_number(name).is_ok());
    }
    for name in ["", "line\none", "\u{7f}", &"n".repeat(65)] {
        let refused = RequestSubject::common_name(name);
        assert_eq!(refused, Err(Reason::ConfigurationInvalid), "{name}");
        let refused = RequestSubject::common_name_with_number(name);
        assert_eq!(refused, Err(Reason::ConfigurationInvalid), "{name}");
    }
    for name in ["SHAKEN 709J", "B\u{fc}ro 2026", &"\u{e4}".repeat(64)] {
        assert!(RequestSubject::common_name(name).is_ok(), "{name}");
    }
    let subject = RequestSubject::common_name_with_number("12025550143").unwrap();
    assert_eq!(format!("{subject:?}"), "RequestSubject(..)");
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        "[0-9*#]{1,15}".prop_map(|number| one(&number)),
        ("1[0-9]{6,13}", 2u64..100).prop_map(|(start, count)| block(&start, count)),
        "[0-9A-Z]{1,8}".prop_map(|code| spc(&code)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn requests_come_back(
        entries in proptest::collection::vec(entry(), 1..20),
        name in "[a-z \u{e4}]{0,64}",
    ) {
        let key = Key::new();
        // A range may leave its number of digits.
        if let Ok(list) = TnAuthList::new(entries) {
            let subject = RequestSubject::common_name(&name).unwrap_or(RequestSubject::empty());
            let request = CertificateRequest::new(&key.public, &subject, &list)
                .and_then(|unsigned| unsigned.sign(&RustCrypto, &key))
                .unwrap();
            prop_assert_eq!(request.tn_auth_list(), &list);
            prop_assert_eq!(read(request.der()), Ok(request.clone()));
            let pem = CertificateRequest::from_pem(&RustCrypto, &request.to_pem());
            prop_assert_eq!(pem, Ok(request));
        }
    }

    #[test]
    fn reading_never_panics(
        octets in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0usize..250,
        text in any::<String>(),
    ) {
        let _ = read(&octets);
        let _ = CertificateRequest::from_pem(&RustCrypto, &text);
        let key = Key::new();
        let mut der = Parts::right(&key).request(&key);
        let end = at.saturating_add(octets.len()).min(der.len());
        let start = at.min(end);
        der.splice(start..end, octets);
        let _ = read(&der);
    }
}
