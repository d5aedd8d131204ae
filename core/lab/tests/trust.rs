//! Requests, logs, revocation lists, bundles and unusual certificates of a laboratory: what is right
//! verifies, what is wrong is refused for the reason it was made for.
#![cfg(test)]

use core::time::Duration;

use ringtrue_lab::{
    Authority, AuthorityKeyId, Ca, CrlSpec, ExtraExtension, Lab, LabError, LabLog, LabOptions,
    LeafSpec, Revoked, Validity, revocation_list_pem,
};
use ringtrue_stir::certificate::sct::{LogList, SctOutcome, SctPolicy, verify_scts};
use ringtrue_stir::certificate::{
    Certificate, CertificateRequest, PathRules, Profile, RequestSubject, RevocationList,
    VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto, SecretKey};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::trust_bundle::TrustBundle;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, X5u};

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

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der).unwrap()
}

fn verify(
    chain_der: &[Vec<u8>],
    authority: &Authority,
    rules: &PathRules<'_>,
) -> Result<VerifiedPath, Reason> {
    let certificates = chain_der.iter().map(|der| certificate(der)).collect();
    let bag = ringtrue_stir::certificate::CertificateBag::from_certificates(certificates)?;
    let signer = &bag.certificates()[0];
    let anchors = authority.anchors().unwrap();
    verify_path(&RustCrypto, signer, &bag, &anchors, NOW, rules)
}

fn delegate() -> PathRules<'static> {
    PathRules::new(Profile::Delegate)
}

fn request(entries: Vec<Entry>) -> (CertificateRequest, SecretKey) {
    let key = RustCrypto.generate(Curve::P256).unwrap();
    let public = P256PublicKey::from_sec1(&key.public).unwrap();
    let list = TnAuthList::new(entries).unwrap();
    let subject = RequestSubject::common_name_with_number("Alice 12025550143").unwrap();
    let unsigned = CertificateRequest::new(&public, &subject, &list).unwrap();
    let signature = RustCrypto
        .sign_es256(&key.secret, unsigned.signing_input())
        .unwrap();
    let request = unsigned.complete(&RustCrypto, &signature).unwrap();
    (request, key.secret)
}

#[test]
fn a_request_inside_the_scope_gets_a_certificate_for_its_own_key() {
    let authority = authority();
    let (request, _) = request(vec![Entry::One(alice())]);
    let validity = Validity::of_leaf(NOW);
    let issued = authority
        .intermediate
        .issue_request(&request, validity)
        .unwrap();
    assert_eq!(issued.chain_der.len(), 2);
    assert_eq!(format!("{issued:?}"), "IssuedChain(..)");
    let path = verify(&issued.chain_der, &authority, &delegate()).unwrap();
    assert_eq!(path.require_covered(&alice()), Ok(()));
    assert_eq!(path.public_key(), request.public_key());
    let bag = issued.bag().unwrap();
    assert_eq!(bag.certificates()[0].not_after(), validity.not_after);
    // The name is not the one that was asked for: it held a number.
    assert!(!path.signer().subject_text().contains("2025"));
}

#[test]
fn a_request_outside_the_scope_is_refused() {
    let authority = authority();
    for entries in [
        vec![Entry::One(number("12025550243"))],
        vec![Entry::One(alice()), Entry::One(number("442079460018"))],
        vec![Entry::Spc("709J".to_owned())],
        vec![Entry::Range {
            start: number("12025550100"),
            count: 101,
        }],
    ] {
        let (request, _) = request(entries);
        let refused = authority
            .intermediate
            .issue_request(&request, Validity::of_leaf(NOW));
        assert_eq!(refused, Err(Reason::ScopeNotEncompassed));
    }
    let code = TnAuthList::new(vec![Entry::Spc("709J".to_owned())]).unwrap();
    let provider = Authority::for_scope(code, NOW).unwrap();
    let (request, _) = request(vec![Entry::One(alice())]);
    let refused = provider
        .intermediate
        .issue_request(&request, Validity::of_leaf(NOW));
    assert_eq!(refused, Err(Reason::EncompassUnknown));
}

#[test]
fn a_requested_certificate_ends_no_later_than_its_issuer() {
    let authority = authority();
    let (request, _) = request(vec![Entry::One(alice())]);
    let issued = authority
        .intermediate
        .issue_request(&request, Validity::days(NOW, 3000))
        .unwrap();
    let path = verify(&issued.chain_der, &authority, &delegate()).unwrap();
    let issuer = certificate(authority.intermediate.der());
    assert_eq!(path.not_after(), issuer.not_after());
}

#[test]
fn a_lab_in_a_folder_issues_what_is_asked_for_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::create(dir.path(), &[alice()], &LabOptions::default(), NOW).unwrap();
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    let before = files();
    let (wanted, _) = request(vec![Entry::One(number("12025550199"))]);
    let issued = lab.issue_request(&wanted, NOW).unwrap();
    let authority = lab.authority().unwrap();
    let path = verify(&issued.chain_der, &authority, &delegate()).unwrap();
    assert_eq!(path.require_covered(&number("12025550199")), Ok(()));
    assert_eq!(
        path.require_covered(&alice()),
        Err(Reason::NumberNotCovered)
    );
    assert_eq!(files(), before);
    let (outside, _) = request(vec![Entry::One(number("442079460018"))]);
    let refused = lab.issue_request(&outside, NOW);
    assert_eq!(refused, Err(LabError::Issuing(Reason::ScopeNotEncompassed)));
}

#[test]
fn a_lab_signs_bundles_with_one_key_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::create(dir.path(), &[alice()], &LabOptions::default(), NOW).unwrap();
    let data = lab.trust_data().unwrap();
    let (first, key) = lab.sign_trust_bundle(1, data.clone(), NOW).unwrap();
    let (second, same_key) = lab.sign_trust_bundle(2, data.clone(), NOW).unwrap();
    assert_eq!(key, same_key);
    let verify = |text: &str, key, previous| {
        TrustBundle::verify(text, &[key], &RustCrypto, NOW, previous).map(|bundle| {
            (
                bundle.anchors().certificates().len(),
                bundle.profile(),
                *bundle.version(),
            )
        })
    };
    let (anchors, profile, version) = verify(&second, key, None).unwrap();
    assert_eq!((anchors, profile), (1, Profile::Delegate));
    assert_eq!(
        verify(&first, key, Some(&version)),
        Err(Reason::BundleRollback)
    );
    let path = dir.path().join("bundle.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::write(&path, "no key").unwrap();
    let refused = lab.sign_trust_bundle(3, data, NOW).map(|_| ());
    assert_eq!(
        refused,
        Err(LabError::Damaged {
            file: "bundle.key",
            reason: Reason::MalformedPem
        })
    );
}

fn logged(authority: &Authority, logs: &[&LabLog]) -> VerifiedPath {
    let spec = LeafSpec::for_number(&alice(), NOW);
    let credential = authority
        .intermediate
        .issue_logged(&spec, logs, NOW)
        .unwrap();
    verify(&credential.chain_der, authority, &delegate()).unwrap()
}

fn scts(path: &VerifiedPath, issuer: usize, logs: &[&LabLog]) -> SctOutcome {
    let logs = logs.iter().map(|log| log.configuration().unwrap());
    let logs = LogList::new(logs.collect()).unwrap();
    let certificates = path.certificates();
    verify_scts(
        &RustCrypto,
        path.signer(),
        &certificates[issuer],
        &logs,
        &SctPolicy::required(),
        NOW,
    )
}

#[test]
fn a_logged_certificate_carries_timestamps_that_verify() {
    let authority = authority();
    let (a, b) = (LabLog::new("A").unwrap(), LabLog::new("B").unwrap());
    let path = logged(&authority, &[&a, &b]);
    assert_eq!(path.require_covered(&alice()), Ok(()));
    let outcome = scts(&path, 1, &[&a, &b]);
    assert_eq!((outcome.valid_logs(), outcome.valid_operators()), (2, 2));
    assert!(outcome.is_verified() && outcome.warnings().is_empty());
    let outcome = scts(&path, 1, &[&b]);
    assert_eq!(outcome.warnings(), [Reason::SctUnknownLog]);
    assert!(outcome.is_verified());
}

#[test]
fn timestamps_do_not_verify_for_another_log_or_issuer() {
    let authority = authority();
    let (a, other) = (LabLog::new("A").unwrap(), LabLog::new("A").unwrap());
    let path = logged(&authority, &[&a]);
    assert_eq!(
        scts(&path, 1, &[&other]).refusal(),
        Some(Reason::SctMissing)
    );
    // The root did not issue it; logs sign the issuer's key.
    assert_eq!(scts(&path, 2, &[&a]).refusal(), Some(Reason::SctInvalid));
    let none = authority
        .intermediate
        .issue_logged(&LeafSpec::for_number(&alice(), NOW), &[], NOW);
    assert_eq!(none.err(), Some(Reason::MalformedSctList));
    assert_eq!(
        LabLog::new("").unwrap().configuration(),
        Err(Reason::ConfigurationInvalid)
    );
    assert_eq!(format!("{a:?}"), "LabLog(..)");
}

fn with_list(
    authority: &Authority,
    chain_der: &[Vec<u8>],
    list_der: &[u8],
    issuer_der: &[u8],
) -> Result<(), Reason> {
    let list = RevocationList::parse(list_der)?;
    let verified = list.verify(&RustCrypto, &certificate(issuer_der), NOW)?;
    let lists = [verified];
    let mut rules = delegate();
    rules.revocation = Some(&lists);
    verify(chain_der, authority, &rules)?.revocation()
}

#[test]
fn an_indirect_list_revokes_certificates_of_several_issuers() {
    let authority = authority();
    let administrator = authority
        .root
        .revocation_authority("RingTrue lab administrator", Validity::of_root(NOW))
        .unwrap();
    let revoked = authority.issue_number(&alice(), NOW).unwrap();
    let good = authority.issue_number(&alice(), NOW).unwrap();
    let entry = |der: &[u8]| Revoked::certificate(der, NOW).unwrap();
    let foreign = Authority::for_numbers(&[alice()], NOW).unwrap();
    let of_root = certificate(foreign.intermediate.der());
    // The second entry names no issuer: that of the one before holds on.
    let other = authority.issue_number(&alice(), NOW).unwrap();
    let spec = CrlSpec::indirect(
        vec![
            entry(of_root.der()),
            entry(&revoked.chain_der[0]),
            entry(&other.chain_der[0]),
        ],
        NOW,
    );
    let list = administrator.revocation_list(&spec).unwrap();
    assert_eq!(RevocationList::parse(&list).unwrap().len(), 3);
    let pem = revocation_list_pem(&list);
    assert_eq!(RevocationList::parse(pem.as_bytes()).unwrap().der(), list);
    let check = |chain: &[Vec<u8>]| with_list(&authority, chain, &list, administrator.der());
    assert_eq!(check(&good.chain_der), Ok(()));
    for chain in [&revoked.chain_der, &other.chain_der] {
        assert_eq!(check(chain), Err(Reason::CertificateRevoked));
    }
    assert_eq!(format!("{administrator:?}"), "RevocationAuthority(..)");
    assert!(administrator.pem().starts_with("-----BEGIN CERTIFICATE"));
}

#[test]
fn a_revoked_intermediate_takes_its_certificates_with_it() {
    let authority = authority();
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    let entry = Revoked::certificate(authority.intermediate.der(), NOW).unwrap();
    let spec = CrlSpec::direct(vec![entry], NOW);
    let list = authority.root.revocation_list(&spec).unwrap();
    let refused = with_list(
        &authority,
        &credential.chain_der,
        &list,
        authority.root.der(),
    );
    assert_eq!(refused, Err(Reason::CertificateRevoked));
}

#[test]
fn lists_that_are_wrong_do_not_count() {
    let authority = authority();
    let root = &authority.root;
    let administrator = root
        .revocation_authority("administrator", Validity::of_root(NOW))
        .unwrap();
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    let chain = &credential.chain_der;
    let entry = || vec![Revoked::certificate(&chain[0], NOW).unwrap()];
    // An entry of another issuer in a list that does not say it is indirect.
    let direct = administrator
        .revocation_list(&CrlSpec::direct(entry(), NOW))
        .unwrap();
    let check = |list: &[u8], issuer: &[u8]| with_list(&authority, chain, list, issuer);
    assert_eq!(
        check(&direct, administrator.der()),
        Err(Reason::MalformedCrl)
    );
    // By somebody else than the configured administrator.
    let indirect = administrator
        .revocation_list(&CrlSpec::indirect(entry(), NOW))
        .unwrap();
    assert_eq!(check(&indirect, root.der()), Err(Reason::CrlUntrusted));
    let impostor = root
        .revocation_authority("administrator", Validity::of_root(NOW))
        .unwrap();
    assert_eq!(check(&indirect, impostor.der()), Err(Reason::CrlUntrusted));
    // By a certificate that may not.
    let leaf = authority.issue_number(&alice(), NOW).unwrap();
    assert_eq!(
        check(&indirect, &leaf.chain_der[0]),
        Err(Reason::CrlUntrusted)
    );
    // Outdated.
    let old = CrlSpec {
        this_update: NOW.minus(DAY * 2),
        next_update: NOW.minus(DAY),
        ..CrlSpec::indirect(Vec::new(), NOW)
    };
    let old = administrator.revocation_list(&old).unwrap();
    assert_eq!(check(&old, administrator.der()), Err(Reason::CrlStale));
    assert_eq!(
        Revoked::certificate(b"certificate", NOW),
        Err(Reason::MalformedCertificate)
    );
    let never = UnixTime::from_secs(u64::MAX);
    let refused = administrator.revocation_list(&CrlSpec::indirect(Vec::new(), never));
    assert_eq!(refused, Err(Reason::ConfigurationInvalid));
}

fn issue_with(change: impl FnOnce(&mut LeafSpec)) -> (Authority, Result<VerifiedPath, Reason>) {
    let authority = authority();
    let mut spec = LeafSpec::for_number(&alice(), NOW);
    change(&mut spec);
    let credential = authority.issue(&spec).unwrap();
    let path = verify(
        &credential.chain_der,
        &authority,
        &PathRules::new(Profile::Stir),
    );
    (authority, path)
}

#[test]
fn a_short_lived_certificate_ends_when_it_should() {
    let life = Duration::from_secs(3600);
    let (_, path) = issue_with(|spec| spec.validity = Validity::short(NOW, life));
    assert_eq!(path.unwrap().not_after(), NOW.plus(life));
}

#[test]
fn extensions_of_a_leaf_are_read_back() {
    let administrator = authority()
        .root
        .revocation_authority("administrator", Validity::of_root(NOW))
        .unwrap();
    let name = administrator.name().unwrap();
    let (_, path) = issue_with(|spec| {
        spec.extensions = vec![
            ExtraExtension::claim_constraints(&["rcd"], &[("attest", &["A", "B"])], &["crn"]),
            ExtraExtension::policies(&[&[2, 16, 840, 1, 114_569, 1, 1, 4]]),
            ExtraExtension::crl_distribution_point("https://crl.example/list", Some(&name)),
            ExtraExtension::new(&[1, 3, 6, 1, 4, 1, 32473, 1], false, vec![5, 0]),
        ];
    });
    let path = path.unwrap();
    let signer = path.signer();
    assert_eq!(signer.policies(), ["2.16.840.1.114569.1.1.4"]);
    let points = signer.crl_distribution_points();
    assert_eq!(points[0].urls, ["https://crl.example/list"]);
    assert!(points[0].issuer.as_ref().unwrap().contains("administrator"));
    let oids: Vec<_> = signer
        .extensions()
        .iter()
        .map(|one| one.oid.clone())
        .collect();
    for oid in ["1.3.6.1.5.5.7.1.33", "1.3.6.1.4.1.32473.1"] {
        assert!(oids.iter().any(|found| found == oid), "{oid}");
    }
    let der = ExtraExtension::policies(&[&[2, 5, 29, 32, 0]]).to_der();
    let expected = [
        0x30, 0x11, 0x06, 0x03, 0x55, 0x1d, 0x20, 0x04, 0x0a, 0x30, 0x08, 0x30, 0x06, 0x06, 0x04,
        0x55, 0x1d, 0x20, 0x00,
    ];
    assert_eq!(der, expected);
}

#[test]
fn a_list_by_reference_leaves_the_authority_unknown() {
    let (_, path) = issue_with(|spec| {
        spec.scope = None;
        spec.extensions = vec![ExtraExtension::tn_auth_list_url("https://tn.example/list")];
    });
    let path = path.unwrap();
    assert_eq!(
        path.signer().tn_auth_list_url(),
        X5u::parse("https://tn.example/list").ok()
    );
    assert_eq!(
        path.require_covered(&alice()),
        Err(Reason::AuthorityUnknown)
    );
}

#[test]
fn wrong_extensions_and_key_identifiers_are_refused() {
    let (_, path) = issue_with(|spec| {
        spec.extensions = vec![ExtraExtension::new(
            &[1, 3, 6, 1, 4, 1, 32473, 1],
            true,
            vec![5, 0],
        )];
    });
    assert_eq!(path.err(), Some(Reason::UnsupportedCriticalExtension));
    let (_, path) = issue_with(|spec| spec.authority_key_id = AuthorityKeyId::Wrong);
    assert_eq!(path.err(), Some(Reason::KeyIdentifierMismatch));
    let (_, path) = issue_with(|spec| spec.authority_key_id = AuthorityKeyId::Absent);
    assert_eq!(path.unwrap().signer().authority_key_id(), None);
}

/// CRT-75: such a root is no use to a provider without RSA, and not believed by default.
#[test]
fn an_rsa_root_leads_nowhere_without_rsa() {
    let root = Ca::rsa_root(Validity::of_root(NOW)).unwrap();
    assert_eq!(root.as_credential().err(), Some(Reason::MalformedKey));
    let scope = TnAuthList::new(ringtrue_lab::blocks_around(&[alice()])).unwrap();
    let spec = ringtrue_lab::CaSpec::new(Some(scope), NOW);
    let intermediate = root.subordinate(&spec).unwrap();
    let authority = Authority { intermediate, root };
    let credential = authority.issue_number(&alice(), NOW).unwrap();
    let mut rules = delegate();
    for rsa_ca_links in [false, true] {
        rules.rsa_ca_links = rsa_ca_links;
        let refused = verify(&credential.chain_der, &authority, &rules).err();
        assert_eq!(refused, Some(Reason::UnsupportedCertificateKey));
    }
}
