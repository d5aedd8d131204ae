//! RSA where it is accepted: between CAs, on revocation lists, and by logs. Only the provider of the
//! TLS back end verifies it.
#![cfg(test)]

use ringtrue_lab::{Authority, Ca, CaSpec, CrlSpec, LabLog, LeafSpec, Revoked, Validity};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::sct::{LogList, SctPolicy, verify_scts};
use ringtrue_stir::certificate::{
    Certificate, PathRules, Profile, RevocationList, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::TnAuthList;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn number() -> TelephoneNumber {
    TelephoneNumber::from_canonical("12025550143").unwrap()
}

fn authority() -> Authority {
    let root = Ca::rsa_root(Validity::of_root(NOW)).unwrap();
    let scope = TnAuthList::new(ringtrue_lab::blocks_around(&[number()])).unwrap();
    let intermediate = root.subordinate(&CaSpec::new(Some(scope), NOW)).unwrap();
    Authority { intermediate, root }
}

fn verify(
    authority: &Authority,
    credential: &ringtrue_lab::Credential,
    rules: &PathRules<'_>,
) -> Result<VerifiedPath, Reason> {
    let bag = credential.bag().unwrap();
    let signer = &bag.certificates()[0];
    let anchors = authority.anchors().unwrap();
    verify_path(&AwsLcCrypto, signer, &bag, &anchors, NOW, rules)
}

/// CRT-75.
#[test]
fn an_rsa_root_is_believed_only_where_it_is_switched_on() {
    let authority = authority();
    let credential = authority.issue_number(&number(), NOW).unwrap();
    let mut rules = PathRules::new(Profile::Delegate);
    let refused = verify(&authority, &credential, &rules).err();
    assert_eq!(refused, Some(Reason::UnsupportedCertificateKey));
    rules.rsa_ca_links = true;
    let path = verify(&authority, &credential, &rules).unwrap();
    assert_eq!(path.require_covered(&number()), Ok(()));
    // Another root of the same name.
    let other = Authority {
        root: Ca::rsa_root(Validity::of_root(NOW)).unwrap(),
        ..authority
    };
    let refused = verify(&other, &credential, &rules).err();
    assert_eq!(refused, Some(Reason::NoPathToAnchor));
}

#[test]
fn a_list_signed_with_rsa_verifies_where_rsa_does() {
    let authority = authority();
    let root = Certificate::from_der(authority.root.der()).unwrap();
    let revoked = Revoked::certificate(authority.intermediate.der(), NOW).unwrap();
    let spec = CrlSpec::direct(vec![revoked], NOW);
    let list = authority.root.revocation_list(&spec).unwrap();
    let list = RevocationList::parse(&list).unwrap();
    let refused = list.verify(&RustCrypto, &root, NOW).err();
    assert_eq!(refused, Some(Reason::CrlUntrusted));
    assert!(list.verify(&AwsLcCrypto, &root, NOW).is_ok());
    let other = Ca::rsa_root(Validity::of_root(NOW)).unwrap();
    let other = Certificate::from_der(other.der()).unwrap();
    let refused = list.verify(&AwsLcCrypto, &other, NOW).err();
    assert_eq!(refused, Some(Reason::CrlUntrusted));
}

#[test]
fn a_log_with_an_rsa_key_counts_where_rsa_is_verified() {
    let authority = Authority::for_numbers(&[number()], NOW).unwrap();
    let (log, other) = (LabLog::rsa("A").unwrap(), LabLog::rsa("A").unwrap());
    let spec = LeafSpec::for_number(&number(), NOW);
    let credential = authority
        .intermediate
        .issue_logged(&spec, &[&log], NOW)
        .unwrap();
    let rules = PathRules::new(Profile::Delegate);
    let path = verify(&authority, &credential, &rules).unwrap();
    let outcome = |log: &LabLog| {
        let logs = LogList::new(vec![log.configuration().unwrap()]).unwrap();
        let issuer = &path.certificates()[1];
        let policy = SctPolicy::required();
        verify_scts(&AwsLcCrypto, path.signer(), issuer, &logs, &policy, NOW).require()
    };
    assert_eq!(outcome(&log), Ok(()));
    assert_eq!(outcome(&other), Err(Reason::SctMissing));
}
