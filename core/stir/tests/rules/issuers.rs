//! Which issuer is taken, and with what signature (CRT-35, CRT-51, CRT-70, CRT-75).

use std::sync::Mutex;

use p384::ecdsa::signature::hazmat::PrehashSigner as _;
use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{
    Certificate, KeyKind, PathRules, Profile, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::Counting;
use crate::issuing::{
    AUTHORITY_KEY_IDENTIFIER, Key, NOW, SUBJECT_KEY_IDENTIFIER, Template, der, ec_spki,
    ecdsa_with_sha256, es256, one, rsa_spki,
};
use crate::paths::{anchors, bag};

const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ECDSA_WITH_SHA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];

fn ca(subject: &'static str, own: Option<&[u8]>, authority: Option<&[u8]>) -> Template {
    Template::ca(subject, &[]).with_key_ids(own, authority)
}

fn leaf(authority: Option<&[u8]>) -> Template {
    Template::leaf(&[one("12025550143")]).with_key_ids(None, authority)
}

/// A path with the key identifiers of the CA and, as the leaf says, of its authority.
fn identified(own: Option<&[u8]>, authority: Option<&[u8]>) -> Result<VerifiedPath, Reason> {
    let (root_key, ca_key) = (Key::new(), Key::new());
    let root = ca("root", Some(b"root"), None).issue(&root_key.public, "root", &root_key);
    let ca = ca("ca", own, Some(b"root")).issue(&ca_key.public, "root", &root_key);
    let leaf = leaf(authority).issue(&Key::new().public, "ca", &ca_key);
    let (bag, anchors) = (bag(&[&leaf, &ca]), anchors(&[&root]));
    verify_path(&RustCrypto, &leaf, &bag, &anchors, NOW, Profile::Stir)
}

#[test]
fn a_key_identifier_that_is_there_twice_must_be_the_same() {
    let outcome = |own, authority| identified(own, authority).map(|_| ());
    assert_eq!(outcome(Some(b"ca"), Some(b"ca")), Ok(()));
    assert_eq!(outcome(None, Some(b"ca")), Ok(()));
    assert_eq!(outcome(Some(b"ca"), None), Ok(()));
    assert_eq!(outcome(None, None), Ok(()));
    let mismatch = Err(Reason::KeyIdentifierMismatch);
    assert_eq!(outcome(Some(b"ca"), Some(b"other")), mismatch);
    assert_eq!(outcome(Some(b"ca"), Some(b"c")), mismatch);
    assert_eq!(outcome(Some(b""), Some(b"ca")), mismatch);
}

#[test]
fn the_anchors_identifier_must_agree_too() {
    let (root_key, key) = (Key::new(), Key::new());
    let root = ca("root", Some(b"root"), None).issue(&root_key.public, "root", &root_key);
    let outcome = |authority: &[u8]| {
        let leaf = leaf(Some(authority)).issue(&key.public, "root", &root_key);
        let (bag, anchors) = (bag(&[&leaf]), anchors(&[&root]));
        verify_path(&RustCrypto, &leaf, &bag, &anchors, NOW, Profile::Delegate).map(|_| ())
    };
    assert_eq!(outcome(b"root"), Ok(()));
    assert_eq!(outcome(b"toor"), Err(Reason::KeyIdentifierMismatch));
}

#[test]
fn a_namesake_with_another_identifier_is_no_fault() {
    let (root_key, ca_key) = (Key::new(), Key::new());
    let root = ca("root", None, None).issue(&root_key.public, "root", &root_key);
    let namesake = ca("ca", Some(b"other"), None).issue(&Key::new().public, "root", &root_key);
    let right = ca("ca", Some(b"ca"), None).issue(&ca_key.public, "root", &root_key);
    let leaf = leaf(Some(b"ca")).issue(&Key::new().public, "ca", &ca_key);
    let outcome = |bag| {
        let anchors = anchors(&[&root]);
        verify_path(&RustCrypto, &leaf, &bag, &anchors, NOW, Profile::Stir).map(|_| ())
    };
    assert_eq!(outcome(bag(&[&leaf, &namesake, &right])), Ok(()));
    assert_eq!(
        outcome(bag(&[&leaf, &namesake])),
        Err(Reason::NoPathToAnchor)
    );
}

#[test]
fn refuses_key_identifiers_that_cannot_be_read() {
    let key = Key::new();
    for (oid, value) in [
        (SUBJECT_KEY_IDENTIFIER, vec![0x0c, 2, b'c', b'a']),
        (SUBJECT_KEY_IDENTIFIER, vec![0x04, 3, b'c', b'a']),
        (AUTHORITY_KEY_IDENTIFIER, vec![0x04, 2, b'c', b'a']),
        (AUTHORITY_KEY_IDENTIFIER, vec![0x30, 2, 0x80, 1]),
    ] {
        let der = Template::leaf(&[]).with_extension(oid, false, &value);
        let refused = Certificate::from_der(der.issue_der(&key.public, "ca", &key)).unwrap_err();
        assert_eq!(refused, Reason::MalformedCertificate, "{value:02x?}");
    }
}

/// Two hundred roots of one name: identifiers lead to the right one with one check, and without them
/// the search ends.
#[test]
fn many_anchors_of_one_name_do_not_use_up_the_search() {
    let roots = |identified: bool| {
        let mut all = TrustAnchors::new();
        let mut last = None;
        for number in 0..200u8 {
            let key = Key::new();
            let id = [number];
            let id: Option<&[u8]> = identified.then_some(&id);
            all.add(ca("root", id, None).issue(&key.public, "root", &key))
                .unwrap();
            last = Some(key);
        }
        (all, last.unwrap())
    };
    for (identified, expected, checks) in
        [(true, Ok(()), 1), (false, Err(Reason::NoPathToAnchor), 32)]
    {
        let (anchors, key) = roots(identified);
        let leaf = leaf(identified.then_some(&[199])).issue(&Key::new().public, "root", &key);
        let counting = Counting::default();
        let bag = bag(&[&leaf]);
        let outcome = verify_path(&counting, &leaf, &bag, &anchors, NOW, Profile::Stir);
        assert_eq!(outcome.map(|_| ()), expected);
        assert_eq!(counting.checks(), checks);
    }
}

#[test]
fn the_signers_place_in_the_bag_is_known() {
    let key = Key::new();
    let root = ca("root", None, None).issue(&key.public, "root", &key);
    let leaf = leaf(None).issue(&Key::new().public, "root", &key);
    let in_order = bag(&[&leaf, &root]);
    assert!(in_order.first_is(&leaf) && !in_order.first_is(&root));
    assert!(!bag(&[&root, &leaf]).first_is(&leaf));
    let path = verify_path(
        &RustCrypto,
        &leaf,
        &in_order,
        &anchors(&[&root]),
        NOW,
        Profile::Stir,
    )
    .unwrap();
    assert_eq!(path.certificates(), [leaf, root]);
}

/// `ecdsa-with-SHA256`, `-SHA384` or `-SHA512`, perhaps followed by NULL.
fn ecdsa(bits: u16, null: bool) -> Vec<u8> {
    let last = match bits {
        256 => 2,
        384 => 3,
        _ => 4,
    };
    let null: &[u8] = if null { &[5, 0] } else { &[] };
    der(0x30, &[&der(0x06, &[&ECDSA_WITH_SHA, &[last]]), null])
}

fn hash(bits: u16, message: &[u8]) -> Vec<u8> {
    match bits {
        256 => Sha256::digest(message).to_vec(),
        384 => Sha384::digest(message).to_vec(),
        _ => Sha512::digest(message).to_vec(),
    }
}

/// A root with a P-384 (or P-521) key, and a leaf that it signed with SHA-2 of so many bits.
fn under_large_key(p521: bool, bits: u16, null: bool) -> [Certificate; 2] {
    let algorithms = [ecdsa(bits, null), ecdsa(bits, null)];
    let issue = |template: Template, spki: &[u8]| {
        let der = template.issue_signed(spki, "root", &algorithms, |tbs| {
            let hash = hash(bits, tbs);
            if p521 {
                let key = p521::ecdsa::SigningKey::from_slice(&[1; 66]).unwrap();
                let signature: p521::ecdsa::Signature = key.sign_prehash(&hash).unwrap();
                signature.to_der().as_bytes().to_vec()
            } else {
                let key = p384::ecdsa::SigningKey::from_slice(&[1; 48]).unwrap();
                let signature: p384::ecdsa::Signature = key.sign_prehash(&hash).unwrap();
                signature.to_der().as_bytes().to_vec()
            }
        });
        Certificate::from_der(der).unwrap()
    };
    let spki = if p521 {
        let key = p521::ecdsa::SigningKey::from_slice(&[1; 66]).unwrap();
        ec_spki(
            SECP521R1,
            key.verifying_key().to_sec1_point(false).as_bytes(),
        )
    } else {
        let key = p384::ecdsa::SigningKey::from_slice(&[1; 48]).unwrap();
        ec_spki(
            SECP384R1,
            key.verifying_key().to_sec1_point(false).as_bytes(),
        )
    };
    let leaf_spki = ec_spki(crate::issuing::PRIME256V1, Key::new().public.as_sec1());
    [
        issue(leaf(None), &leaf_spki),
        issue(ca("root", None, None), &spki),
    ]
}

fn outcome([leaf, root]: &[Certificate; 2], profile: Profile) -> Result<(), Reason> {
    let (bag, anchors) = (bag(&[leaf]), anchors(&[root]));
    verify_path(&RustCrypto, leaf, &bag, &anchors, NOW, profile).map(|_| ())
}

#[test]
fn authorities_with_larger_keys_count_in_all_but_the_endpoint_profile() {
    for (p521, bits) in [
        (false, 256),
        (false, 384),
        (false, 512),
        (true, 384),
        (true, 512),
    ] {
        let pair = under_large_key(p521, bits, false);
        let kind = if p521 { KeyKind::P521 } else { KeyKind::P384 };
        assert_eq!(pair[1].key_kind(), kind);
        for profile in [Profile::Shaken, Profile::Stir] {
            assert_eq!(outcome(&pair, profile), Ok(()), "{kind:?} {bits}");
        }
        let refused = outcome(&pair, Profile::Delegate);
        assert_eq!(refused, Err(Reason::UnsupportedCertificateKey));
    }
}

#[test]
fn another_large_key_of_the_same_name_is_refused() {
    let [leaf, _] = under_large_key(false, 384, false);
    let [_, root] = under_large_key(true, 512, false);
    assert_eq!(
        outcome(&[leaf, root], Profile::Stir),
        Err(Reason::NoPathToAnchor)
    );
}

#[test]
fn a_null_behind_other_algorithms_is_tolerated_nowhere() {
    for bits in [384, 512] {
        let pair = under_large_key(false, bits, true);
        for profile in [Profile::Delegate, Profile::Shaken, Profile::Stir] {
            let refused = outcome(&pair, profile);
            assert_eq!(refused, Err(Reason::UnsupportedCertificateKey), "{bits}");
        }
    }
}

#[test]
fn larger_keys_sign_no_tokens() {
    let key = Key::new();
    let root = ca("root", None, None).issue(&key.public, "root", &key);
    let point = p384::ecdsa::SigningKey::from_slice(&[1; 48]).unwrap();
    let spki = ec_spki(
        SECP384R1,
        point.verifying_key().to_sec1_point(false).as_bytes(),
    );
    let algorithms = [ecdsa_with_sha256(false), ecdsa_with_sha256(false)];
    let der = leaf(None).issue_signed(&spki, "root", &algorithms, |tbs| es256(&key, tbs));
    let leaf = Certificate::from_der(der).unwrap();
    let refused = outcome(&[leaf, root], Profile::Stir);
    assert_eq!(refused, Err(Reason::UnsupportedCertificateKey));
}

/// "Verifies" RSA: a signature is the digest of message and key.
#[derive(Default)]
struct PretendedRsa(Mutex<usize>);

fn pretended_signature(spki: &[u8], message: &[u8]) -> Vec<u8> {
    Sha256::digest([message, spki].concat()).to_vec()
}

impl CryptoProvider for PretendedRsa {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        RustCrypto.fill_random(out)
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }

    fn verify_rs256(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        *self.0.lock().unwrap() += 1;
        Some(pretended_signature(spki_der, message) == signature)
    }
}

/// An RSA root and a leaf of it, each signed as `algorithm` says.
fn under_rsa_root(algorithm: &[u8], damage: u8) -> [Certificate; 2] {
    let spki = rsa_spki(&[0x00, 0xc1, 0x02, 0x03]);
    let leaf_spki = ec_spki(crate::issuing::PRIME256V1, Key::new().public.as_sec1());
    let algorithms = [algorithm.to_vec(), algorithm.to_vec()];
    let issue = |template: Template, own: &[u8]| {
        let der = template.issue_signed(own, "root", &algorithms, |tbs| {
            let mut signature = pretended_signature(&spki, tbs);
            signature[0] ^= damage;
            signature
        });
        Certificate::from_der(der).unwrap()
    };
    [
        issue(leaf(None), &leaf_spki),
        issue(ca("root", None, None), &spki),
    ]
}

#[test]
fn rsa_signs_links_where_the_rules_say_so_and_the_provider_can() {
    let with_null = der(0x30, &[&der(0x06, &[SHA256_WITH_RSA]), &[5, 0]]);
    let without = der(0x30, &[&der(0x06, &[SHA256_WITH_RSA])]);
    let provider = PretendedRsa::default();
    let outcome = |provider: &dyn CryptoProvider, pair: &[Certificate; 2], on| {
        let mut rules = PathRules::new(Profile::Stir);
        rules.rsa_ca_links = on;
        let (bag, anchors) = (bag(&[&pair[0]]), anchors(&[&pair[1]]));
        verify_path(provider, &pair[0], &bag, &anchors, NOW, rules).map(|_| ())
    };
    let good = under_rsa_root(&with_null, 0);
    assert_eq!(good[1].key_kind(), KeyKind::Rsa(24));
    let unsupported = Err(Reason::UnsupportedCertificateKey);
    assert_eq!(outcome(&provider, &good, false), unsupported);
    assert_eq!(*provider.0.lock().unwrap(), 0);
    assert_eq!(outcome(&RustCrypto, &good, true), unsupported);
    assert_eq!(outcome(&provider, &good, true), Ok(()));
    let damaged = under_rsa_root(&with_null, 1);
    assert_eq!(
        outcome(&provider, &damaged, true),
        Err(Reason::NoPathToAnchor)
    );
    // RFC 4055 section 5: the NULL must be there.
    assert_eq!(
        outcome(&provider, &under_rsa_root(&without, 0), true),
        unsupported
    );
}
