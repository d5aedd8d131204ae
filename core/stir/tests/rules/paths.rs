//! Paths to an anchor: RFC 5280 section 6.1 as far as it applies (CRT-30, CRT-32, CRT-37).

use std::time::Duration;

use ringtrue_stir::certificate::{
    Authority, Certificate, CertificateBag, Profile, TrustAnchors, VerifiedPath, evaluation_time,
    verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, UnixTime};

use crate::issuing::{Key, NOT_AFTER, NOT_BEFORE, NOW, Template, block, one};
use crate::{Counting, tn};

const UNKNOWN: &[u8] = &[0x2a, 0x03, 0x04];

pub(crate) fn anchors(roots: &[&Certificate]) -> TrustAnchors {
    let mut anchors = TrustAnchors::new();
    for root in roots {
        anchors.add((*root).clone()).unwrap();
    }
    anchors
}

pub(crate) fn bag(certificates: &[&Certificate]) -> CertificateBag {
    CertificateBag::from_certificates(certificates.iter().map(|c| (*c).clone()).collect()).unwrap()
}

/// Root, intermediate and leaf from three templates.
struct Three {
    root: Certificate,
    ca: Certificate,
    leaf: Certificate,
}

impl Three {
    fn new(root: &Template, ca: &Template, leaf: &Template) -> Self {
        let (root_key, ca_key, leaf_key) = (Key::new(), Key::new(), Key::new());
        Self {
            root: root.issue(&root_key.public, root.subject, &root_key),
            ca: ca.issue(&ca_key.public, root.subject, &root_key),
            leaf: leaf.issue(&leaf_key.public, ca.subject, &ca_key),
        }
    }

    fn verify(&self, at: UnixTime, profile: Profile) -> Result<VerifiedPath, Reason> {
        let bag = bag(&[&self.leaf, &self.ca]);
        let anchors = anchors(&[&self.root]);
        verify_path(&RustCrypto, &self.leaf, &bag, &anchors, at, profile)
    }
}

fn root() -> Template {
    Template::ca("root", &[])
}

fn ca() -> Template {
    Template::ca("ca", &[block("12025550100", 100)])
}

fn leaf() -> Template {
    Template::leaf(&[one("12025550143")])
}

fn refusal(root: &Template, ca: &Template, leaf: &Template) -> Reason {
    let three = Three::new(root, ca, leaf);
    three.verify(NOW, Profile::Stir).unwrap_err()
}

#[test]
fn a_good_path_covers_its_number_in_every_profile() {
    let three = Three::new(&root(), &ca(), &leaf());
    for profile in [Profile::Delegate, Profile::Shaken, Profile::Stir] {
        let path = three.verify(NOW, profile).unwrap();
        assert_eq!(path.covers(&tn("12025550143")), Authority::Covered);
        assert_eq!(
            path.require_covered(&tn("12025550144")),
            Err(Reason::NumberNotCovered)
        );
        assert_eq!(path.public_key(), three.leaf.public_key().unwrap());
        assert_eq!(path.spki_digest(), three.leaf.spki_digest());
        assert_eq!(
            (path.not_before(), path.not_after()),
            (NOT_BEFORE, NOT_AFTER)
        );
        assert_eq!(path.profile(), profile);
    }
}

#[test]
fn the_root_may_be_in_the_bag_or_not_and_may_issue_leaves_itself() {
    let three = Three::new(&root(), &ca(), &leaf());
    let with_root = bag(&[&three.leaf, &three.ca, &three.root]);
    let anchored = anchors(&[&three.root]);
    let verify = |leaf: &Certificate, bag: &CertificateBag| {
        verify_path(&RustCrypto, leaf, bag, &anchored, NOW, Profile::Delegate)
    };
    assert!(verify(&three.leaf, &with_root).is_ok());
    let key = Key::new();
    let root = root().issue(&key.public, "root", &key);
    let leaf = leaf().issue(&Key::new().public, "root", &key);
    let path = verify_path(
        &RustCrypto,
        &leaf,
        &bag(&[&leaf]),
        &anchors(&[&root]),
        NOW,
        Profile::Delegate,
    )
    .unwrap();
    assert_eq!(path.covers(&tn("12025550143")), Authority::Covered);
}

#[test]
fn both_ends_of_the_validity_belong_to_it() {
    let three = Three::new(&root(), &ca(), &leaf());
    let at = |secs| {
        three
            .verify(UnixTime::from_secs(secs), Profile::Stir)
            .map(|_| ())
    };
    assert_eq!(at(NOT_BEFORE.as_secs()), Ok(()));
    assert_eq!(at(NOT_AFTER.as_secs()), Ok(()));
    assert_eq!(
        at(NOT_BEFORE.as_secs() - 1),
        Err(Reason::CertificateNotYetValid)
    );
    assert_eq!(at(NOT_AFTER.as_secs() + 1), Err(Reason::CertificateExpired));
}

#[test]
fn refuses_any_certificate_of_the_path_outside_its_validity_the_anchor_too() {
    assert_eq!(
        refusal(&root(), &ca(), &leaf().expired()),
        Reason::CertificateExpired
    );
    assert_eq!(
        refusal(&root(), &ca().expired(), &leaf()),
        Reason::CertificateExpired
    );
    assert_eq!(
        refusal(&root().expired(), &ca(), &leaf()),
        Reason::CertificateExpired
    );
    assert_eq!(
        refusal(&root(), &ca(), &leaf().future()),
        Reason::CertificateNotYetValid
    );
    assert_eq!(
        refusal(&root(), &ca().future(), &leaf()),
        Reason::CertificateNotYetValid
    );
    assert_eq!(
        refusal(&root().future(), &ca(), &leaf()),
        Reason::CertificateNotYetValid
    );
}

/// A certificate of one minute: good for the token it signed, as long as that is fresh.
#[test]
fn a_short_lived_certificate_counts_while_its_token_is_fresh() {
    let minute = Template {
        validity: ["20260601120000Z", "20260601120100Z"],
        ..leaf()
    };
    let three = Three::new(&root(), &ca(), &minute);
    let end = three.leaf.not_after();
    let window = Duration::from_secs(60);
    let outcome = |iat: UnixTime, now: UnixTime| {
        let at = evaluation_time(iat, now, window);
        three
            .verify(at, Profile::Shaken)
            .map(|path| path.is_valid_at(iat))
    };
    assert_eq!(outcome(end, end), Ok(true));
    assert_eq!(outcome(end, end.plus(Duration::from_secs(5))), Ok(true));
    assert_eq!(outcome(end, end.plus(window)), Ok(true));
    let expired = Err(Reason::CertificateExpired);
    assert_eq!(outcome(end, end.plus(Duration::from_secs(61))), expired);
    // Signed after the end, or dated ahead of the clock.
    let after = end.plus(Duration::from_secs(1));
    assert_eq!(outcome(after, after), expired);
    assert_eq!(outcome(end.minus(window), after.plus(window)), expired);
    let early = three.leaf.not_before().minus(Duration::from_secs(1));
    assert_eq!(
        outcome(three.leaf.not_before(), early),
        Err(Reason::CertificateNotYetValid)
    );
}

#[test]
fn valid_until_is_the_earliest_end() {
    let short = Template {
        validity: ["20260201000000Z", "20260601000000Z"],
        ..ca()
    };
    let path = Three::new(&root(), &short, &leaf())
        .verify(NOW, Profile::Stir)
        .unwrap();
    assert_eq!(path.valid_from().as_secs(), 1_769_904_000);
    assert_eq!(path.valid_until().as_secs(), 1_780_272_000);
    assert_eq!(path.not_after(), NOT_AFTER);
}

#[test]
fn refuses_a_ca_as_signer_and_an_end_entity_as_issuer() {
    let signer = Template::ca("leaf", &[one("12025550143")]);
    assert_eq!(refusal(&root(), &ca(), &signer), Reason::SignerIsCa);
    let issuer = Template { ca: None, ..ca() };
    assert_eq!(refusal(&root(), &issuer, &leaf()), Reason::IssuerNotCa);
}

#[test]
fn refuses_key_usages_that_exclude_the_use_and_accepts_their_absence() {
    let no_signature = Template {
        key_usage: Some(vec![5, 0x20]),
        ..leaf()
    };
    assert_eq!(
        refusal(&root(), &ca(), &no_signature),
        Reason::KeyUsageMissing
    );
    let no_cert_sign = Template {
        key_usage: Some(vec![7, 0x80]),
        ..ca()
    };
    assert_eq!(
        refusal(&root(), &no_cert_sign, &leaf()),
        Reason::KeyUsageMissing
    );
    let root_without = Template {
        key_usage: Some(vec![1, 0x02]),
        ..root()
    };
    assert_eq!(
        refusal(&root_without, &ca(), &leaf()),
        Reason::KeyUsageMissing
    );
    // CRT-71: unused bits counted as 0 instead of 7.
    let miscounted = Template {
        key_usage: Some(vec![0, 0x80]),
        ..leaf()
    };
    assert!(
        Three::new(&root(), &ca(), &miscounted)
            .verify(NOW, Profile::Stir)
            .is_ok()
    );
    let none = |template: Template| Template {
        key_usage: None,
        ..template
    };
    let three = Three::new(&none(root()), &none(ca()), &none(leaf()));
    assert!(three.verify(NOW, Profile::Stir).is_ok());
}

#[test]
fn path_length_counts_the_intermediates_below() {
    let limited = |template: Template, len| Template {
        ca: Some(Some(len)),
        ..template
    };
    assert!(
        Three::new(&limited(root(), 1), &limited(ca(), 0), &leaf())
            .verify(NOW, Profile::Stir)
            .is_ok()
    );
    assert_eq!(
        refusal(&limited(root(), 0), &ca(), &leaf()),
        Reason::PathTooLong
    );
}

#[test]
fn refuses_unknown_critical_extensions_and_ignores_others() {
    let critical = |template: Template| template.with_extension(UNKNOWN, true, &[5, 0]);
    let reason = Reason::UnsupportedCriticalExtension;
    assert_eq!(refusal(&root(), &ca(), &critical(leaf())), reason);
    assert_eq!(refusal(&root(), &critical(ca()), &leaf()), reason);
    assert_eq!(refusal(&critical(root()), &ca(), &leaf()), reason);
    let other = |template: Template| template.with_extension(UNKNOWN, false, &[5, 0]);
    let three = Three::new(&other(root()), &other(ca()), &other(leaf()));
    assert!(three.verify(NOW, Profile::Delegate).is_ok());
}

#[test]
fn a_name_is_not_enough_for_an_anchor_or_an_issuer() {
    let three = Three::new(&root(), &ca(), &leaf());
    let impostor = Three::new(&root(), &ca(), &leaf());
    let verify = |bag: &CertificateBag, anchors: &TrustAnchors| {
        verify_path(&RustCrypto, &three.leaf, bag, anchors, NOW, Profile::Stir).unwrap_err()
    };
    let good_bag = bag(&[&three.leaf, &three.ca]);
    assert_eq!(
        verify(&good_bag, &anchors(&[&impostor.root])),
        Reason::NoPathToAnchor
    );
    assert_eq!(
        verify(&good_bag, &TrustAnchors::new()),
        Reason::NoPathToAnchor
    );
    let wrong_ca = bag(&[&three.leaf, &impostor.ca]);
    assert_eq!(
        verify(&wrong_ca, &anchors(&[&three.root, &impostor.root])),
        Reason::NoPathToAnchor
    );
    let no_ca = bag(&[&three.leaf]);
    assert_eq!(
        verify(&no_ca, &anchors(&[&three.root])),
        Reason::ChainIncomplete
    );
    // An unknown root in the bag does not become an anchor.
    let own_root = bag(&[&three.leaf, &three.ca, &three.root]);
    assert_eq!(
        verify(&own_root, &anchors(&[&impostor.root])),
        Reason::NoPathToAnchor
    );
}

#[test]
fn another_path_that_holds_is_found_whatever_the_order() {
    let (root_key, ca_key, leaf_key) = (Key::new(), Key::new(), Key::new());
    let root = root().issue(&root_key.public, "root", &root_key);
    let old = ca().expired().issue(&ca_key.public, "root", &root_key);
    let new = ca().issue(&ca_key.public, "root", &root_key);
    let namesake = ca().issue(&Key::new().public, "root", &root_key);
    let leaf = leaf().issue(&leaf_key.public, "ca", &ca_key);
    let anchors = anchors(&[&root]);
    let verify = |bag: &CertificateBag| {
        verify_path(&RustCrypto, &leaf, bag, &anchors, NOW, Profile::Delegate).map(|_| ())
    };
    assert_eq!(verify(&bag(&[&leaf, &namesake, &old, &new])), Ok(()));
    assert_eq!(verify(&bag(&[&new, &old, &leaf])), Ok(()));
    // The fault of a path that exists says more than "no path".
    assert_eq!(
        verify(&bag(&[&leaf, &namesake, &old])),
        Err(Reason::CertificateExpired)
    );
}

#[test]
fn explicit_null_after_the_algorithm_passes_in_the_shaken_profile_only() {
    let null = Template {
        null_parameters: true,
        ..ca()
    };
    let three = Three::new(&root(), &null, &leaf());
    assert!(three.verify(NOW, Profile::Shaken).is_ok());
    for profile in [Profile::Delegate, Profile::Stir] {
        let refused = three.verify(NOW, profile).unwrap_err();
        assert_eq!(refused, Reason::UnsupportedCertificateKey);
    }
}

#[test]
fn refuses_keys_other_than_p256() {
    let rsa = Template {
        rsa_key: true,
        ..leaf()
    };
    assert_eq!(
        refusal(&root(), &ca(), &rsa),
        Reason::UnsupportedCertificateKey
    );
    let rsa = Template {
        rsa_key: true,
        ..ca()
    };
    assert_eq!(
        refusal(&root(), &rsa, &leaf()),
        Reason::UnsupportedCertificateKey
    );
    let rsa = Template {
        rsa_key: true,
        ..root()
    };
    assert_eq!(
        refusal(&rsa, &ca(), &leaf()),
        Reason::UnsupportedCertificateKey
    );
}

/// `count` intermediates in a row, named and signed from the root down, and a leaf.
fn tower(count: usize) -> (Certificate, Vec<Certificate>) {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut above = (Key::new(), "root");
    let anchor = root().issue(&above.0.public, "root", &above.0);
    let mut certificates = Vec::new();
    for name in &NAMES[..count] {
        let key = Key::new();
        certificates.push(Template::ca(name, &[]).issue(&key.public, above.1, &above.0));
        above = (key, *name);
    }
    certificates.insert(0, leaf().issue(&Key::new().public, above.1, &above.0));
    (anchor, certificates)
}

#[test]
fn a_path_has_at_most_eight_certificates() {
    for (count, expected) in [(6, Ok(())), (7, Err(Reason::NoPathToAnchor))] {
        let (root, certificates) = tower(count);
        let bag = CertificateBag::from_certificates(certificates.clone()).unwrap();
        let anchors = anchors(&[&root]);
        let verified = verify_path(
            &RustCrypto,
            &certificates[0],
            &bag,
            &anchors,
            NOW,
            Profile::Stir,
        );
        assert_eq!(verified.map(|_| ()), expected, "{count}");
    }
}

#[test]
fn bags_made_to_cost_time_end_after_bounded_work() {
    // Seven certificates of one name and key, each the issuer of each: the paths among them are many.
    let key = Key::new();
    let same = |seconds: &'static str| Template {
        validity: [seconds, "20270101000000Z"],
        ..Template::ca("x", &[])
    };
    let mut all: Vec<_> = [
        "20260101000000Z",
        "20260101000001Z",
        "20260101000002Z",
        "20260101000003Z",
        "20260101000004Z",
        "20260101000005Z",
        "20260101000006Z",
    ]
    .map(|seconds| same(seconds).issue(&key.public, "x", &key))
    .to_vec();
    let leaf = leaf().issue(&Key::new().public, "x", &key);
    all.push(leaf.clone());
    let counting = Counting::default();
    let other = Key::new();
    let root = root().issue(&other.public, "root", &other);
    let bag = CertificateBag::from_certificates(all).unwrap();
    let refused = verify_path(
        &counting,
        &leaf,
        &bag,
        &anchors(&[&root]),
        NOW,
        Profile::Stir,
    );
    assert_eq!(refused.unwrap_err(), Reason::NoPathToAnchor);
    assert!(counting.checks() <= 32, "{}", counting.checks());
}

#[test]
fn an_ordinary_path_costs_one_check_per_certificate() {
    let three = Three::new(&root(), &ca(), &leaf());
    let counting = Counting::default();
    let bag = bag(&[&three.leaf, &three.ca]);
    let anchors = anchors(&[&three.root]);
    verify_path(&counting, &three.leaf, &bag, &anchors, NOW, Profile::Stir).unwrap();
    assert_eq!(counting.checks(), 2);
}

#[test]
fn a_chain_that_is_kept_costs_its_signature_checks_once() {
    let three = Three::new(&root(), &ca(), &leaf());
    let counting = Counting::default();
    let bag = bag(&[&three.leaf, &three.ca]);
    let anchors = anchors(&[&three.root]);
    let leaf = &bag.certificates()[0];
    let verify = |at| verify_path(&counting, leaf, &bag, &anchors, at, Profile::Stir);
    verify(NOW).unwrap();
    verify(NOW).unwrap();
    assert_eq!(counting.checks(), 2);
    // Everything else is looked at again (CRT-44).
    let late = UnixTime::from_secs(leaf.not_after().as_secs() + 1);
    assert_eq!(verify(late).unwrap_err(), Reason::CertificateExpired);
    assert_eq!(counting.checks(), 2);
}

#[test]
fn a_namesake_with_another_key_is_not_taken_for_the_issuer_that_was_checked_before() {
    let three = Three::new(&root(), &ca(), &leaf());
    let bag = bag(&[&three.leaf, &three.ca]);
    let signer = &bag.certificates()[0];
    let verify = |root| {
        let anchors = anchors(&[root]);
        verify_path(&RustCrypto, signer, &bag, &anchors, NOW, Profile::Stir).map(|_| ())
    };
    assert_eq!(verify(&three.root), Ok(()));
    let other = Three::new(&root(), &ca(), &leaf());
    assert_eq!(verify(&other.root), Err(Reason::NoPathToAnchor));
}
