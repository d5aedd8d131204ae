//! What the laboratory issues verifies to its root, and each deliberately wrong credential is refused
//! for the reason it was made for.
#![cfg(test)]

use core::time::Duration;

use ringtrue_lab::{Authority, Ca, CaSpec, Credential, LeafSpec, Validity};
use ringtrue_stir::certificate::{
    Authority as Scope, Profile, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::{CryptoProvider, Curve, P256PublicKey, RustCrypto};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

fn alice() -> TelephoneNumber {
    number("12025550143")
}

fn authority() -> Authority {
    Authority::for_numbers(&[alice()], NOW).unwrap()
}

fn list(entries: Vec<Entry>) -> Option<TnAuthList> {
    Some(TnAuthList::new(entries).unwrap())
}

fn verify(
    credential: &Credential,
    anchors: &TrustAnchors,
    profile: Profile,
) -> Result<VerifiedPath, Reason> {
    let bag = credential.bag().unwrap();
    let signer = bag.certificates().first().unwrap();
    verify_path(&RustCrypto, signer, &bag, anchors, NOW, profile)
}

/// The outcome for Alice's number in the profile of endpoints.
fn outcome(credential: &Credential, authority: &Authority) -> Result<(), Reason> {
    let anchors = authority.anchors().unwrap();
    verify(credential, &anchors, Profile::Delegate)?.require_covered(&alice())
}

fn issue(authority: &Authority, change: impl FnOnce(&mut LeafSpec)) -> Credential {
    let mut spec = LeafSpec::for_number(&alice(), NOW);
    change(&mut spec);
    authority.issue(&spec).unwrap()
}

#[test]
fn a_delegate_certificate_verifies_and_covers_its_number_only() {
    let authority = authority();
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    assert_eq!(credential.chain_der.len(), 2);
    for profile in [Profile::Delegate, Profile::Stir, Profile::Shaken] {
        let path = verify(&credential, &authority.anchors().unwrap(), profile).unwrap();
        assert_eq!(path.covers(&alice()), Scope::Covered);
        assert_eq!(path.covers(&number("12025550144")), Scope::None);
    }
}

#[test]
fn key_and_scalar_are_those_of_the_certificate() {
    let credential = authority().issue_number(&alice(), NOW).unwrap();
    let bag = credential.bag().unwrap();
    let public = *bag.certificates()[0].public_key().unwrap();
    let computed = RustCrypto
        .public_key(Curve::P256, &credential.secret)
        .unwrap();
    assert_eq!(P256PublicKey::from_sec1(&computed), Ok(public));
    let signature = RustCrypto.sign_es256(&credential.secret, b"m").unwrap();
    assert!(RustCrypto.verify_es256(&public, b"m", &signature));
    assert!(
        credential
            .key_pem
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    assert!(!format!("{credential:?}").contains("BEGIN"));
}

/// CRT-50 to CRT-56 as far as they make sense for delegates.
#[test]
fn certificates_have_the_extensions_that_the_profiles_name() {
    let authority = authority();
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    let ders = [
        &credential.chain_der[0],
        &credential.chain_der[1],
        &authority.root.der().to_vec(),
    ]
    .map(Clone::clone);
    let parsed = ders.each_ref().map(|der| {
        let (rest, certificate) = X509Certificate::from_der(der).unwrap();
        assert!(rest.is_empty());
        certificate
    });
    for (place, certificate) in parsed.iter().enumerate() {
        assert_eq!(certificate.version().0, 2);
        assert_eq!(certificate.raw_serial().len(), 16);
        assert_eq!(certificate.is_ca(), place > 0);
        let usage = certificate.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert_eq!(usage.value.digital_signature(), place == 0);
        assert_eq!(usage.value.key_cert_sign(), place > 0);
        assert!(certificate.basic_constraints().unwrap().unwrap().critical);
        assert_eq!(
            certificate.signature_algorithm.algorithm.to_id_string(),
            "1.2.840.10045.4.3.2"
        );
        let lists: Vec<_> = certificate
            .extensions()
            .iter()
            .filter(|extension| extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.26")
            .collect();
        assert_eq!(lists.len(), usize::from(place < 2));
        assert!(lists.iter().all(|extension| !extension.critical));
    }
    // CRT-35: each authority key identifier is the next subject key identifier.
    for (lower, upper) in parsed.iter().zip(&parsed[1..]) {
        let authority_key = lower
            .extensions()
            .iter()
            .find_map(|e| match e.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref(),
                _ => None,
            });
        let subject_key = upper
            .extensions()
            .iter()
            .find_map(|e| match e.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id),
                _ => None,
            });
        assert_eq!(authority_key.unwrap(), subject_key.unwrap());
        assert_eq!(lower.issuer(), upper.subject());
    }
    assert_ne!(parsed[0].raw_serial(), parsed[1].raw_serial());
    assert!(!parsed[0].subject().to_string().contains("2025"));
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = authority();
    let expired = issue(&authority, |spec| {
        spec.validity = Validity::days(NOW.minus(DAY * 91), 90);
    });
    assert_eq!(
        outcome(&expired, &authority),
        Err(Reason::CertificateExpired)
    );
}

#[test]
fn a_certificate_of_the_future_is_refused() {
    let authority = authority();
    let future = issue(&authority, |spec| {
        spec.validity = Validity::days(NOW.plus(DAY), 90);
    });
    assert_eq!(
        outcome(&future, &authority),
        Err(Reason::CertificateNotYetValid)
    );
}

#[test]
fn a_scope_outside_the_intermediates_is_refused() {
    let authority = authority();
    for entries in [
        vec![Entry::One(number("12025550243"))],
        vec![Entry::One(alice()), Entry::One(number("442079460018"))],
        vec![Entry::Range {
            start: number("12025550100"),
            count: 101,
        }],
        vec![Entry::Spc("1234".to_owned())],
    ] {
        let outside = issue(&authority, |spec| spec.scope = list(entries));
        assert_eq!(
            outcome(&outside, &authority),
            Err(Reason::ScopeNotEncompassed)
        );
    }
}

/// Both roots carry the same name: only the key tells them apart.
#[test]
fn a_certificate_of_another_root_is_refused() {
    let foreign = authority().issue_number(&alice(), NOW).unwrap();
    assert_eq!(outcome(&foreign, &authority()), Err(Reason::NoPathToAnchor));
}

#[test]
fn a_ca_as_signer_is_refused() {
    let authority = authority();
    for ca in [&authority.intermediate, &authority.root] {
        let signer = ca.as_credential().unwrap();
        assert_eq!(outcome(&signer, &authority), Err(Reason::SignerIsCa));
    }
}

#[test]
fn a_certificate_without_a_list_has_no_authority() {
    let authority = authority();
    let without = issue(&authority, |spec| spec.scope = None);
    assert_eq!(
        outcome(&without, &authority),
        Err(Reason::TnAuthListMissing)
    );
}

#[test]
fn a_provider_code_alone_covers_no_number() {
    let spc = || vec![Entry::Spc("1234".to_owned())];
    let authority = Authority::for_scope(TnAuthList::new(spc()).unwrap(), NOW).unwrap();
    let provider = issue(&authority, |spec| spec.scope = list(spc()));
    assert_eq!(outcome(&provider, &authority), Err(Reason::AuthorityBySpc));
    let delegate = authority.issue_number(&alice(), NOW).unwrap();
    assert_eq!(
        outcome(&delegate, &authority),
        Err(Reason::EncompassUnknown)
    );
}

#[test]
fn several_numbers_in_one_certificate_are_covered_all() {
    let authority = authority();
    let bob = number("12025550199");
    let entries = vec![Entry::One(alice()), Entry::One(bob.clone())];
    let both = issue(&authority, |spec| spec.scope = list(entries));
    let path = verify(&both, &authority.anchors().unwrap(), Profile::Delegate).unwrap();
    assert_eq!(path.covers(&alice()), Scope::Covered);
    assert_eq!(path.covers(&bob), Scope::Covered);
    assert_eq!(path.covers(&number("12025550150")), Scope::None);
}

#[test]
fn a_key_that_may_not_sign_is_refused() {
    let authority = authority();
    let wrong = issue(&authority, |spec| spec.may_sign = false);
    assert_eq!(outcome(&wrong, &authority), Err(Reason::KeyUsageMissing));
}

/// An authority whose intermediate was changed.
fn with_intermediate(change: impl FnOnce(&mut CaSpec)) -> Authority {
    let root = Ca::root(Validity::of_root(NOW)).unwrap();
    let mut spec = CaSpec::new(list(ringtrue_lab::blocks_around(&[alice()])), NOW);
    change(&mut spec);
    let intermediate = root.subordinate(&spec).unwrap();
    Authority { intermediate, root }
}

type Change = fn(&mut CaSpec);

#[test]
fn wrong_intermediates_are_refused() {
    let cases: [(Change, Reason); 4] = [
        (
            |spec| spec.validity = Validity::days(NOW.minus(DAY * 400), 366),
            Reason::CertificateExpired,
        ),
        (
            |spec| spec.validity = Validity::days(NOW.plus(DAY), 366),
            Reason::CertificateNotYetValid,
        ),
        (|spec| spec.is_ca = false, Reason::IssuerNotCa),
        (|spec| spec.scope = None, Reason::EncompassUnknown),
    ];
    for (change, reason) in cases {
        let authority = with_intermediate(change);
        let credential = authority.issue_number(&alice(), NOW).unwrap();
        assert_eq!(outcome(&credential, &authority), Err(reason));
    }
}

/// W-25: outside the profile of endpoints, a CA without a list does not limit.
#[test]
fn an_intermediate_without_a_list_is_taken_in_the_other_profiles() {
    let authority = with_intermediate(|spec| spec.scope = None);
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    for profile in [Profile::Stir, Profile::Shaken] {
        let path = verify(&credential, &authority.anchors().unwrap(), profile).unwrap();
        assert_eq!(path.require_covered(&alice()), Ok(()));
    }
}

#[test]
fn a_path_longer_than_the_intermediate_allows_is_refused() {
    let mut authority = authority();
    let spec = CaSpec {
        name: "RingTrue lab second CA".to_owned(),
        ..CaSpec::new(list(vec![Entry::One(alice())]), NOW)
    };
    authority.intermediate = authority.intermediate.subordinate(&spec).unwrap();
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    assert_eq!(credential.chain_der.len(), 3);
    assert_eq!(outcome(&credential, &authority), Err(Reason::PathTooLong));

    let mut authority = with_intermediate(|spec| spec.path_len = None);
    authority.intermediate = authority.intermediate.subordinate(&spec).unwrap();
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    assert_eq!(outcome(&credential, &authority), Ok(()));
}

#[test]
fn refuses_times_and_scopes_that_no_certificate_can_say() {
    let far = UnixTime::from_secs(u64::MAX);
    let refused = Some(Reason::ConfigurationInvalid);
    assert_eq!(Ca::root(Validity::of_root(far)).err(), refused);
    let none = Authority::for_numbers(&[], NOW).err();
    assert_eq!(none, Some(Reason::MalformedTnAuthList));
    assert!(Ca::root(Validity::of_root(UnixTime::from_secs(0))).is_ok());
}

#[test]
fn tls_certificates_carry_the_names_and_refuse_impossible_ones() {
    let identity = ringtrue_lab::tls_identity(&["localhost", "127.0.0.1", "::1"], NOW).unwrap();
    let bag = ringtrue_stir::certificate::CertificateBag::from_pem(&identity.chain_pem).unwrap();
    let der = bag.certificates()[0].der().to_vec();
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names.len(), 3);
    assert!(
        leaf.extended_key_usage()
            .unwrap()
            .unwrap()
            .value
            .server_auth
    );
    assert!(!leaf.is_ca());
    assert_eq!(format!("{identity:?}"), "TlsIdentity(..)");
    let wrong = ringtrue_lab::tls_identity(&["n\u{e4}me"], NOW).err();
    assert_eq!(wrong, Some(Reason::ConfigurationInvalid));
}
