//! Trust bundles over time: versions, keys, limits. Their form is in the vectors.

use core::time::Duration;

use proptest::prelude::*;
use ringtrue_stir::certificate::sct::{LogList, LogState, SctMode, SctPolicy, TransparencyLog};
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider as _, P256PublicKey, RustCrypto};
use ringtrue_stir::jws::UnsignedJws;
use ringtrue_stir::trust_bundle::{
    BundleVersion, CrlIssuer, MAX_AHEAD, MAX_LIFE, MAX_TRUST_BUNDLE_LEN, TYP, TrustBundle,
    TrustBundleDraft, TrustData,
};
use ringtrue_stir::verification::{SpcPolicy, VerificationPolicy};
use ringtrue_stir::{Reason, UnixTime, X5u};
use serde_json::{Value, json};

use crate::issuing::{Key, NOW, Template};
use crate::paths::anchors;

const DAY: Duration = Duration::from_secs(86_400);

fn roots(count: usize) -> TrustAnchors {
    let key = Key::new();
    let root = |_| Template::ca("root", &[]).issue(&Key::new().public, "root", &key);
    let roots: Vec<_> = (0..count).map(root).collect();
    anchors(&roots.iter().collect::<Vec<_>>())
}

fn draft(version: u64) -> TrustBundleDraft {
    TrustBundleDraft {
        version,
        iat: NOW,
        exp: NOW.plus(DAY),
        data: TrustData::new(roots(1)),
    }
}

fn sign(draft: &TrustBundleDraft, key: &Key) -> String {
    draft.build().unwrap().sign(&RustCrypto, key).unwrap()
}

fn verify(
    text: &str,
    keys: &[P256PublicKey],
    previous: Option<&BundleVersion>,
) -> Result<BundleVersion, Reason> {
    verify_at(text, keys, NOW, previous)
}

fn verify_at(
    text: &str,
    keys: &[P256PublicKey],
    now: UnixTime,
    previous: Option<&BundleVersion>,
) -> Result<BundleVersion, Reason> {
    TrustBundle::verify(text, keys, &RustCrypto, now, previous).map(|bundle| *bundle.version())
}

#[test]
fn a_bundle_never_goes_back_to_an_older_version() {
    let key = Key::new();
    let keys = [key.public];
    let (six, seven) = (sign(&draft(6), &key), sign(&draft(7), &key));
    let accepted = verify(&seven, &keys, None).unwrap();
    assert_eq!(accepted.number(), 7);
    // The same again, and a newer one.
    assert_eq!(verify(&seven, &keys, Some(&accepted)), Ok(accepted));
    let eight = verify(&sign(&draft(8), &key), &keys, Some(&accepted)).unwrap();
    assert_eq!(eight.number(), 8);
    let refused = verify(&six, &keys, Some(&accepted));
    assert_eq!(refused, Err(Reason::BundleRollback));
    // Another content under the same number: whoever signed both said two things.
    let other = sign(&draft(7), &key);
    assert_ne!(other, seven);
    assert_eq!(
        verify(&other, &keys, Some(&accepted)),
        Err(Reason::BundleRollback)
    );
    assert!(verify(&other, &keys, None).is_ok());
}

#[test]
fn a_bundle_is_valid_from_a_minute_before_it_was_made_until_its_end() {
    let key = Key::new();
    let text = sign(&draft(1), &key);
    let second = Duration::from_secs(1);
    let at = |now| verify_at(&text, &[key.public], now, None).map(|version| version.number());
    assert_eq!(at(NOW.minus(MAX_AHEAD)), Ok(1));
    assert_eq!(at(NOW.plus(DAY).minus(second)), Ok(1));
    assert_eq!(
        at(NOW.minus(MAX_AHEAD).minus(second)),
        Err(Reason::IatInFuture)
    );
    assert_eq!(at(NOW.plus(DAY)), Err(Reason::BundleExpired));
    assert_eq!(
        at(UnixTime::from_secs(u64::MAX)),
        Err(Reason::BundleExpired)
    );
}

/// The keys of an endpoint change with its software: both are configured while they do.
#[test]
fn any_configured_key_may_sign_and_no_other() {
    let (old, new, other) = (Key::new(), Key::new(), Key::new());
    let keys = [old.public, new.public];
    for key in [&old, &new] {
        assert!(verify(&sign(&draft(1), key), &keys, None).is_ok());
    }
    let refused = verify(&sign(&draft(1), &other), &keys, None);
    assert_eq!(refused, Err(Reason::BundleUntrusted));
    let text = sign(&draft(1), &old);
    for keys in [&[][..], &[old.public; 9]] {
        let refused = verify(&text, keys, None);
        assert_eq!(refused, Err(Reason::ConfigurationInvalid));
    }
}

/// What an attacker signed is not even read: with a key that is not configured, form does not matter.
#[test]
fn content_is_read_only_after_the_signature_holds() {
    let (key, other) = (Key::new(), Key::new());
    let text = UnsignedJws::new(&json!({ "typ": TYP }), &json!("no bundle"))
        .sign(&RustCrypto, &other)
        .unwrap();
    let refused = verify(&text, &[key.public], None);
    assert_eq!(refused, Err(Reason::BundleUntrusted));
    let refused = verify(&text, &[other.public], None);
    assert_eq!(refused, Err(Reason::MalformedTrustBundle));
}

#[test]
fn refuses_texts_that_are_no_bundle() {
    let key = Key::new();
    let text = sign(&draft(1), &key);
    let too_long = format!("{text}{}", "A".repeat(MAX_TRUST_BUNDLE_LEN));
    for wrong in [
        "",
        "..",
        "a.b.c",
        text.trim_end_matches(|_| true),
        &too_long,
    ] {
        let refused = verify(wrong, &[key.public], None);
        assert_eq!(refused, Err(Reason::MalformedTrustBundle));
    }
    for index in (0..text.len()).step_by(7) {
        let mut changed = text.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify(&changed, &[key.public], None).is_err(), "{index}");
    }
}

type Change = fn(&mut TrustBundleDraft);

#[test]
fn no_bundle_is_made_that_a_reader_would_refuse() {
    let changes: [Change; 8] = [
        |draft| draft.data.anchors = TrustAnchors::new(),
        |draft| draft.data.anchors = roots(65),
        |draft| draft.exp = draft.iat,
        |draft| draft.exp = draft.iat.plus(MAX_LIFE).plus(Duration::from_secs(1)),
        |draft| draft.data.spc_policy = SpcPolicy::Listed(vec!["70 9J".to_owned()]),
        |draft| draft.data.spc_policy = SpcPolicy::Listed(vec!["709J".to_owned(); 65]),
        |draft| draft.data.sct_policy.min_valid = 0,
        |draft| {
            let issuer = CrlIssuer {
                certificate: draft.data.anchors.certificates()[0].clone(),
                urls: vec![X5u::parse_with_any_port("https://localhost:9000/crl").unwrap()],
            };
            draft.data.crl_issuers = vec![issuer];
        },
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut draft = draft(1);
        change(&mut draft);
        let refused = draft.build().err();
        assert_eq!(refused, Some(Reason::MalformedTrustBundle), "{index}");
    }
}

#[test]
fn a_bundle_is_not_completed_with_a_signature_of_another_key() {
    let (key, other) = (Key::new(), Key::new());
    let unsigned = draft(1).build().unwrap();
    let signature = RustCrypto
        .sign_es256(&other.secret, unsigned.signing_input().as_bytes())
        .unwrap();
    let refused = unsigned.complete(&RustCrypto, &key.public, &signature);
    assert_eq!(refused, Err(Reason::SignerFailed));
    assert_eq!(
        format!("{:?}", draft(1).build().unwrap()),
        "UnsignedTrustBundle(..)"
    );
}

#[test]
fn the_accepted_version_is_stored_in_forty_octets() {
    let key = Key::new();
    let version = verify(&sign(&draft(258), &key), &[key.public], None).unwrap();
    let octets = version.to_octets();
    assert_eq!(octets[..8], [0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(octets[8..], *version.digest());
    assert_eq!(BundleVersion::from_octets(&octets), Ok(version));
    for wrong in [&octets[..39], &[], &[0; 41]] {
        let refused = BundleVersion::from_octets(wrong);
        assert_eq!(refused, Err(Reason::MalformedRecord));
    }
}

#[test]
fn a_verifier_takes_its_policy_from_the_bundle_and_keeps_the_rest() {
    let key = Key::new();
    let mut draft = draft(1);
    draft.data.profile = Profile::Shaken;
    draft.data.spc_policy = SpcPolicy::Any;
    draft.data.rsa_ca_links = true;
    draft.data.sct_policy = SctPolicy::required();
    let bundle = TrustBundle::verify(&sign(&draft, &key), &[key.public], &RustCrypto, NOW, None);
    let mut policy = VerificationPolicy::default();
    policy.require_revocation = true;
    bundle.unwrap().apply_to(&mut policy);
    let mut expected = VerificationPolicy::default();
    expected.require_revocation = true;
    expected.profile = Profile::Shaken;
    expected.accept_spc = SpcPolicy::Any;
    expected.rsa_ca_links = true;
    expected.sct = SctPolicy::required();
    assert_eq!(policy, expected);
}

fn state() -> impl Strategy<Value = LogState> {
    prop_oneof![
        Just(LogState::Usable),
        Just(LogState::Rejected),
        any::<u64>().prop_map(|until| LogState::Retired(UnixTime::from_secs(until))),
    ]
}

fn spc_policy() -> impl Strategy<Value = SpcPolicy> {
    prop_oneof![
        Just(SpcPolicy::None),
        Just(SpcPolicy::Any),
        proptest::collection::vec("[!-~]{1,64}", 0..=64).prop_map(SpcPolicy::Listed),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bundles_come_back(
        version in any::<u64>(),
        life in 1u64..=400 * 86_400,
        anchor_count in 1usize..4,
        states in proptest::collection::vec((state(), any::<u64>(), "[ -~]{1,128}"), 0..4),
        spc in spc_policy(),
        min_valid in 1usize..=16,
        mode in prop_oneof![
            Just(SctMode::Defer), Just(SctMode::Ignore), Just(SctMode::Require), Just(SctMode::Warn)
        ],
        profile in prop_oneof![Just(Profile::Delegate), Just(Profile::Shaken), Just(Profile::Stir)],
        rsa in any::<bool>(),
        path in "[a-z]{0,20}",
    ) {
        let key = Key::new();
        let logs = states.into_iter().map(|(state, since, operator)| {
            TransparencyLog::new(&Key::new().public.to_spki_der(), &operator)
                .unwrap()
                .with_state(state)
                .with_since(UnixTime::from_secs(since))
        });
        let mut data = TrustData::new(roots(anchor_count));
        data.logs = LogList::new(logs.collect()).unwrap();
        data.crl_issuers = vec![CrlIssuer {
            certificate: data.anchors.certificates()[0].clone(),
            urls: vec![X5u::parse(&format!("https://crl.example/{path}")).unwrap()],
        }];
        data.sct_policy = SctPolicy { min_valid, min_distinct_operators: min_valid, mode };
        data.spc_policy = spc;
        data.profile = profile;
        data.rsa_ca_links = rsa;
        let draft = TrustBundleDraft {
            version, iat: NOW, exp: NOW.plus(Duration::from_secs(life)), data,
        };
        let text = sign(&draft, &key);
        let found = TrustBundle::verify(&text, &[key.public], &RustCrypto, NOW, None).unwrap();
        prop_assert_eq!(found.version().number(), version);
        prop_assert_eq!((found.issued_at(), found.expires_at()), (draft.iat, draft.exp));
        let anchors = draft.data.anchors.certificates();
        prop_assert_eq!(found.anchors().certificates(), anchors);
        prop_assert_eq!(found.crl_issuers(), &draft.data.crl_issuers);
        prop_assert_eq!(found.logs(), &draft.data.logs);
        prop_assert_eq!(found.sct_policy(), &draft.data.sct_policy);
        prop_assert_eq!(found.spc_policy(), &draft.data.spc_policy);
        prop_assert_eq!((found.profile(), found.rsa_ca_links()), (profile, rsa));
        let octets = found.version().to_octets();
        prop_assert_eq!(BundleVersion::from_octets(&octets), Ok(*found.version()));
    }

    #[test]
    fn reading_a_bundle_never_panics(
        payload in any_json(),
        member in 0usize..10,
        text in any::<String>(),
    ) {
        let key = Key::new();
        let keys = [key.public];
        let _ = verify(&text, &keys, None);
        // Signed nonsense, and a good bundle with one member of nonsense.
        let signed = |payload: &Value| {
            UnsignedJws::new(&json!({ "typ": TYP }), payload).sign(&RustCrypto, &key).unwrap()
        };
        let refused = verify(&signed(&payload), &keys, None);
        prop_assert_eq!(refused, Err(Reason::MalformedTrustBundle));
        let good = sign(&draft(1), &key);
        let octets = ringtrue_stir::base64url::decode(good.split('.').nth(1).unwrap()).unwrap();
        let mut bundle: Value = serde_json::from_slice(&octets).unwrap();
        let members = bundle.as_object_mut().unwrap();
        let name = members.keys().nth(member).unwrap().clone();
        members.insert(name, payload);
        let _ = verify(&signed(&bundle), &keys, None);
    }
}
