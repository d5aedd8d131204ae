//! Embedded signed certificate timestamps: RFC 6962 and the policy over it. Whole certificates of
//! another maker are in the vectors of the network crate, which can verify RSA.

use core::time::Duration;

use proptest::prelude::*;
use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::certificate::sct::{
    LogList, LogState, MAX_LOGS, MAX_SCT_LIST_LEN, MAX_SCTS, SctCache, SctList, SctMode,
    SctOutcome, SctPolicy, SignedCertificateTimestamp, TransparencyLog,
    precertificate_signing_input, verify_scts,
};
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};
use ringtrue_stir::{Reason, UnixTime};
use x509_parser::prelude::FromDer as _;

use crate::Counting;
use crate::issuing::{Key, NOT_AFTER, NOT_BEFORE, NOW, Template, der, one};

const SCT_LIST: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
const POISON: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3];

fn log(key: &Key, operator: &str) -> TransparencyLog {
    TransparencyLog::new(&key.public.to_spki_der(), operator).unwrap()
}

fn tbs_of(der: &[u8]) -> Vec<u8> {
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(der).unwrap();
    certificate.tbs_certificate.as_ref().to_vec()
}

/// An issuer and a signer's certificate with timestamps of these logs.
struct Issued {
    issuer: Certificate,
    signer: Certificate,
}

fn timestamp(
    log_key: &Key,
    tbs: &[u8],
    issuer: &Certificate,
    at: UnixTime,
) -> SignedCertificateTimestamp {
    let timestamp_ms = at.as_secs() * 1000;
    let signed =
        precertificate_signing_input(tbs, &issuer.spki_digest(), timestamp_ms, &[]).unwrap();
    let signature = RustCrypto.sign_es256(&log_key.secret, &signed).unwrap();
    SignedCertificateTimestamp::new(
        *log(log_key, "x").id(),
        timestamp_ms,
        &[],
        SignedCertificateTimestamp::ECDSA_SHA256,
        &signature.to_der(),
    )
    .unwrap()
}

fn issue(log_keys: &[&Key], template: &Template) -> Issued {
    let (root, key) = (Key::new(), Key::new());
    let issuer = Template::ca("root", &[]).issue(&root.public, "root", &root);
    let tbs = tbs_of(&template.issue_der(&key.public, "root", &root));
    let timestamps: Vec<_> = log_keys
        .iter()
        .map(|log_key| timestamp(log_key, &tbs, &issuer, NOT_BEFORE))
        .collect();
    let list = SctList::new(timestamps).unwrap();
    let signer = template
        .clone()
        .with_extension(SCT_LIST, false, &list.encode())
        .issue(&key.public, "root", &root);
    Issued { issuer, signer }
}

fn leaf() -> Template {
    Template::leaf(&[one("12025550143")])
}

fn with_mode(mode: SctMode) -> SctPolicy {
    SctPolicy {
        mode,
        ..SctPolicy::default()
    }
}

fn verify(issued: &Issued, logs: &LogList, policy: &SctPolicy) -> SctOutcome {
    verify_scts(
        &RustCrypto,
        &issued.signer,
        &issued.issuer,
        logs,
        policy,
        NOW,
    )
}

/// Two logs of two operators, and a certificate with the timestamps of both.
fn logged() -> (LogList, Issued) {
    let (a, b) = (Key::new(), Key::new());
    let logs = LogList::new(vec![log(&a, "A"), log(&b, "B")]).unwrap();
    (logs, issue(&[&a, &b], &leaf()))
}

#[test]
fn timestamps_of_known_logs_verify() {
    let (logs, issued) = logged();
    let policy = SctPolicy {
        min_valid: 2,
        min_distinct_operators: 2,
        mode: SctMode::Require,
    };
    let outcome = verify(&issued, &logs, &policy);
    assert!(outcome.is_verified());
    assert_eq!((outcome.valid_logs(), outcome.valid_operators()), (2, 2));
    assert_eq!(outcome.require(), Ok(()));
    assert_eq!(outcome.warnings(), []);
    assert_eq!(SctPolicy::required().mode, SctMode::Require);
    assert_eq!(SctPolicy::default().mode, SctMode::Warn);
    let list = SctList::of(&issued.signer).unwrap().unwrap();
    assert_eq!(list.timestamps().len(), 2);
    assert_eq!(SctList::of(&issued.issuer), Ok(None));
}

/// T2: what is left to an auditor was not verified.
#[test]
fn deferred_timestamps_never_count_as_verified() {
    let (logs, issued) = logged();
    let outcome = verify(&issued, &logs, &with_mode(SctMode::Defer));
    assert!(!outcome.is_verified());
    assert_eq!(outcome.refusal(), None);
    assert_eq!(outcome.warnings(), [Reason::SctDeferred]);
    assert_eq!(outcome.valid_logs(), 0);
    let bare = Issued {
        signer: issued.issuer.clone(),
        issuer: issued.issuer,
    };
    let outcome = verify(&bare, &logs, &with_mode(SctMode::Defer));
    assert_eq!(outcome.warnings(), [Reason::SctMissing]);
}

#[test]
fn ignoring_timestamps_reports_and_verifies_nothing() {
    let (logs, issued) = logged();
    let provider = Counting::default();
    let policy = with_mode(SctMode::Ignore);
    let (signer, issuer) = (&issued.signer, &issued.issuer);
    let outcome = verify_scts(&provider, signer, issuer, &logs, &policy, NOW);
    assert!(!outcome.is_verified() && outcome.warnings().is_empty());
    assert_eq!(outcome.refusal(), None);
    assert_eq!(provider.checks(), 0);
}

#[test]
fn a_certificate_without_timestamps_is_refused_only_if_they_are_required() {
    let (logs, issued) = logged();
    let bare = Issued {
        signer: issued.issuer.clone(),
        issuer: issued.issuer,
    };
    let outcome = verify(&bare, &logs, &SctPolicy::required());
    assert_eq!(outcome.require(), Err(Reason::SctMissing));
    let outcome = verify(&bare, &logs, &SctPolicy::default());
    assert_eq!(outcome.require(), Ok(()));
    assert_eq!(outcome.warnings(), [Reason::SctMissing]);
}

/// T1: unknown logs are no errors, and do not count.
#[test]
fn logs_that_are_not_configured_do_not_count() {
    let (_, issued) = logged();
    for logs in [
        LogList::default(),
        LogList::new(vec![log(&Key::new(), "A")]).unwrap(),
    ] {
        let outcome = verify(&issued, &logs, &SctPolicy::required());
        assert_eq!(outcome.require(), Err(Reason::SctMissing));
        assert_eq!(outcome.warnings(), [Reason::SctUnknownLog]);
    }
}

#[test]
fn a_log_counts_only_in_its_state_and_time() {
    let key = Key::new();
    let issued = issue(&[&key], &leaf());
    let second = Duration::from_secs(1);
    let cases = [
        (LogState::Usable, NOT_BEFORE, Ok(())),
        (LogState::Retired(NOT_BEFORE), NOT_BEFORE, Ok(())),
        (
            LogState::Usable,
            NOT_BEFORE.plus(second),
            Err(Reason::SctMissing),
        ),
        (
            LogState::Rejected,
            UnixTime::from_secs(0),
            Err(Reason::SctMissing),
        ),
        (
            LogState::Retired(NOT_BEFORE.minus(second)),
            UnixTime::from_secs(0),
            Err(Reason::SctMissing),
        ),
    ];
    for (state, since, expected) in cases {
        let log = log(&key, "A").with_state(state).with_since(since);
        assert_eq!((log.state(), log.since()), (state, since));
        let logs = LogList::new(vec![log]).unwrap();
        let outcome = verify(&issued, &logs, &SctPolicy::required());
        assert_eq!(outcome.require(), expected, "{state:?}");
    }
}

/// A policy that asks for none must not verify a certificate that no log has seen.
#[test]
fn a_policy_of_zero_still_wants_one() {
    let policy = SctPolicy {
        min_valid: 0,
        min_distinct_operators: 0,
        mode: SctMode::Require,
    };
    let (_, issued) = logged();
    let outcome = verify(&issued, &LogList::default(), &policy);
    assert_eq!(outcome.require(), Err(Reason::SctMissing));
}

/// Every octet of the certificate but the timestamps is signed by the logs.
#[test]
fn a_certificate_that_differs_from_the_logged_one_is_invalid() {
    let key = Key::new();
    let logs = LogList::new(vec![log(&key, "A")]).unwrap();
    let (root, signer_key) = (Key::new(), Key::new());
    let issuer = Template::ca("root", &[]).issue(&root.public, "root", &root);
    let tbs = tbs_of(&leaf().issue_der(&signer_key.public, "root", &root));
    let sct = timestamp(&key, &tbs, &issuer, NOT_BEFORE);
    let list = SctList::new(vec![sct]).unwrap().encode();
    let changed = [
        Template::leaf(&[one("12025550144")]),
        Template::leaf(&[one("12025550143"), one("12025550144")]),
        leaf().with_extension(POISON, false, &[5, 0]),
        Template {
            key_usage: None,
            ..leaf()
        },
        Template {
            subject: "another",
            ..leaf()
        },
    ];
    for template in changed {
        let signer = template.with_extension(SCT_LIST, false, &list).issue(
            &signer_key.public,
            "root",
            &root,
        );
        let issued = Issued {
            issuer: issuer.clone(),
            signer,
        };
        let outcome = verify(&issued, &logs, &SctPolicy::required());
        assert_eq!(outcome.require(), Err(Reason::SctInvalid));
        let outcome = verify(&issued, &logs, &SctPolicy::default());
        assert_eq!(outcome.warnings(), [Reason::SctInvalid]);
    }
}

#[test]
fn a_damaged_list_refuses_only_if_timestamps_are_required() {
    let (root, key) = (Key::new(), Key::new());
    let issuer = Template::ca("root", &[]).issue(&root.public, "root", &root);
    let signer =
        leaf()
            .with_extension(SCT_LIST, false, &[4, 2, 0, 0])
            .issue(&key.public, "root", &root);
    let issued = Issued { issuer, signer };
    let logs = LogList::default();
    let outcome = verify(&issued, &logs, &SctPolicy::required());
    assert_eq!(outcome.require(), Err(Reason::MalformedSctList));
    for mode in [SctMode::Warn, SctMode::Defer] {
        let outcome = verify(&issued, &logs, &with_mode(mode));
        assert_eq!(outcome.refusal(), None);
        assert_eq!(outcome.warnings(), [Reason::MalformedSctList]);
    }
}

/// SCT-22: one check per log, then none until the certificate ends.
#[test]
fn verified_timestamps_are_remembered_until_the_certificate_ends() {
    let (logs, issued) = logged();
    let (provider, policy) = (Counting::default(), SctPolicy::required());
    let mut cache = SctCache::default();
    let mut verify = |issuer: &Certificate, at| {
        let outcome = cache.verify(&provider, &issued.signer, issuer, &logs, &policy, at);
        (outcome.is_verified(), provider.checks())
    };
    assert_eq!(verify(&issued.issuer, NOW), (true, 2));
    assert_eq!(verify(&issued.issuer, NOT_AFTER), (true, 2));
    // Another issuer is another certificate; what failed is checked again.
    let other = Template::ca("root", &[]).issue(&Key::new().public, "root", &Key::new());
    assert_eq!(verify(&other, NOW), (false, 4));
    assert_eq!(verify(&other, NOW), (false, 6));
    let ended = NOT_AFTER.plus(Duration::from_secs(1));
    assert_eq!(verify(&issued.issuer, ended), (true, 8));
    assert_eq!(verify(&issued.issuer, ended), (true, 10));
    assert_eq!(format!("{cache:?}"), "SctCache(0)");
}

#[test]
fn the_memory_for_verified_timestamps_is_bounded() {
    let key = Key::new();
    let logs = LogList::new(vec![log(&key, "A")]).unwrap();
    let mut cache = SctCache::default();
    let issued = issue(&[&key], &leaf());
    // The signature proves nothing about this issuer, so any provider that says yes will do.
    for _ in 0..260 {
        let issuer = Template::ca("root", &[]).issue(&Key::new().public, "root", &key);
        let policy = SctPolicy::required();
        let _ = cache.verify(&Credulous, &issued.signer, &issuer, &logs, &policy, NOW);
    }
    assert_eq!(format!("{cache:?}"), "SctCache(256)");
}

/// Believes every signature.
struct Credulous;

impl ringtrue_stir::crypto::CryptoProvider for Credulous {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        RustCrypto.fill_random(out)
    }

    fn verify_es256(
        &self,
        _: &ringtrue_stir::crypto::P256PublicKey,
        _: &[u8],
        _: &ringtrue_stir::crypto::Es256Signature,
    ) -> bool {
        true
    }

    fn sign_es256(
        &self,
        secret: &ringtrue_stir::crypto::SecretKey,
        message: &[u8],
    ) -> Result<ringtrue_stir::crypto::Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(
        &self,
        curve: ringtrue_stir::crypto::Curve,
    ) -> Result<ringtrue_stir::crypto::GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(
        &self,
        curve: ringtrue_stir::crypto::Curve,
        secret: &ringtrue_stir::crypto::SecretKey,
    ) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(
        &self,
        curve: ringtrue_stir::crypto::Curve,
        secret: &ringtrue_stir::crypto::SecretKey,
        peer: &[u8],
    ) -> Result<ringtrue_stir::crypto::SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}

fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let algorithm = der(0x30, &[&der(0x06, &[&oid]), &[5, 0]]);
    let key = der(0x30, &[&der(0x02, &[modulus]), &der(0x02, &[exponent])]);
    der(0x30, &[&algorithm, &der(0x03, &[&[0], &key])])
}

#[test]
fn a_log_key_is_p256_or_rsa_of_enough_bits() {
    let modulus = |octets: usize, first: u8| {
        let mut modulus = vec![0xff; octets];
        modulus[0] = first;
        if first >= 0x80 {
            modulus.insert(0, 0);
        }
        modulus
    };
    let e = [1, 0, 1];
    for right in [
        rsa_spki(&modulus(256, 0x80), &e),
        rsa_spki(&modulus(512, 0xff), &e),
        rsa_spki(&modulus(1024, 0x80), &e),
        rsa_spki(&modulus(257, 0x01), &e),
    ] {
        assert!(TransparencyLog::new(&right, "A").is_ok());
    }
    let p256 = Key::new().public.to_spki_der();
    let mut behind = rsa_spki(&modulus(256, 0x80), &e);
    behind.push(0);
    for wrong in [
        rsa_spki(&modulus(256, 0x7f), &e),
        rsa_spki(&modulus(128, 0x80), &e),
        rsa_spki(&modulus(1025, 0x01), &e),
        rsa_spki(&modulus(256, 0x80)[1..], &e),
        rsa_spki(&[&[0], modulus(257, 0x01).as_slice()].concat(), &e),
        rsa_spki(&[], &e),
        rsa_spki(&modulus(256, 0x80), &[]),
        behind,
        p256[..90].to_vec(),
        vec![],
    ] {
        let refused = TransparencyLog::new(&wrong, "A");
        assert_eq!(refused, Err(Reason::MalformedKey));
    }
    for operator in ["", &"o".repeat(129)] {
        let refused = TransparencyLog::new(&p256, operator);
        assert_eq!(refused, Err(Reason::ConfigurationInvalid));
    }
}

#[test]
fn refuses_lists_of_logs_with_a_key_twice_or_too_many() {
    let key = Key::new();
    let twice = vec![log(&key, "A"), log(&key, "B")];
    assert_eq!(LogList::new(twice), Err(Reason::ConfigurationInvalid));
    let many: Vec<_> = (0..=MAX_LOGS).map(|_| log(&Key::new(), "A")).collect();
    assert_eq!(
        LogList::new(many.clone()),
        Err(Reason::ConfigurationInvalid)
    );
    let most = many[..MAX_LOGS].to_vec();
    assert_eq!(LogList::new(most.clone()).unwrap().logs(), most);
}

fn arbitrary_timestamp() -> impl Strategy<Value = SignedCertificateTimestamp> {
    (
        any::<[u8; 32]>(),
        any::<u64>(),
        proptest::collection::vec(any::<u8>(), 0..40),
        any::<[u8; 2]>(),
        proptest::collection::vec(any::<u8>(), 0..300),
    )
        .prop_map(|(id, at, extensions, algorithm, signature)| {
            SignedCertificateTimestamp::new(id, at, &extensions, algorithm, &signature).unwrap()
        })
}

#[test]
fn refuses_lists_of_timestamps_beyond_the_limits() {
    let small = SignedCertificateTimestamp::new([0; 32], 0, &[], [4, 3], &[1]).unwrap();
    let made = |sct: &SignedCertificateTimestamp, count| SctList::new(vec![sct.clone(); count]);
    assert!(made(&small, MAX_SCTS).is_ok());
    assert_eq!(made(&small, 0), Err(Reason::MalformedSctList));
    assert_eq!(made(&small, MAX_SCTS + 1), Err(Reason::MalformedSctList));
    let large = vec![0; MAX_SCT_LIST_LEN];
    let large = SignedCertificateTimestamp::new([0; 32], 0, &large, [4, 3], &[1]).unwrap();
    assert_eq!(made(&large, 1), Err(Reason::MalformedSctList));
    let too_large = vec![0; 65_536];
    for (extensions, signature) in [(&too_large[..], &[][..]), (&[], &too_large)] {
        let refused = SignedCertificateTimestamp::new([0; 32], 0, extensions, [4, 3], signature);
        assert_eq!(refused, Err(Reason::MalformedSctList));
    }
    let tbs = vec![0; 1 << 24];
    let refused = precertificate_signing_input(&tbs, &[0; 32], 0, &[]);
    assert_eq!(refused, Err(Reason::MalformedSctList));
    let refused = precertificate_signing_input(&[], &[0; 32], 0, &too_large);
    assert_eq!(refused, Err(Reason::MalformedSctList));
}

proptest! {
    #[test]
    fn lists_of_timestamps_come_back(
        timestamps in proptest::collection::vec(arbitrary_timestamp(), 1..=MAX_SCTS),
    ) {
        let list = SctList::new(timestamps).unwrap();
        prop_assert_eq!(SctList::decode(&list.encode()), Ok(list));
    }

    #[test]
    fn no_shortened_list_is_read(
        timestamps in proptest::collection::vec(arbitrary_timestamp(), 1..4),
        cut in 1usize..2000,
    ) {
        let encoded = SctList::new(timestamps).unwrap().encode();
        let len = encoded.len() - cut.min(encoded.len());
        prop_assert_eq!(SctList::decode(&encoded[..len]), Err(Reason::MalformedSctList));
    }

    #[test]
    fn reading_a_list_never_panics(
        octets in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0usize..300,
    ) {
        let _ = SctList::decode(&octets);
        let _ = SctList::decode(&der(4, &[&octets]));
        let sct = SignedCertificateTimestamp::new([7; 32], 1, &[2; 30], [4, 3], &[3; 70]).unwrap();
        let mut encoded = SctList::new(vec![sct.clone(), sct]).unwrap().encode();
        let end = at.saturating_add(octets.len()).min(encoded.len());
        let start = at.min(end);
        encoded.splice(start..end, octets.iter().copied());
        let _ = SctList::decode(&encoded);
        let _ = TransparencyLog::new(&octets, "A");
    }
}
