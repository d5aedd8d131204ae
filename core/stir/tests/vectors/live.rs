//! `stir-shaken-pki-live`: certificates as service providers have them, at the times they were valid.

use std::collections::BTreeSet;

use ringtrue_stir::certificate::{
    Authority, Certificate, CertificateBag, CrlDistributionPoint, KeyKind, Profile, TrustAnchors,
    VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::TnAuthList;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Folder, unhex};

/// `2025-01-25T12:00:28[.5]+00:00`.
fn time(value: &Value) -> UnixTime {
    let text = value.as_str().unwrap();
    let field = |range: core::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month) = (field(0..4), field(5..7));
    // Days from March on, so that the leap day is the last of its year.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + field(8..10)
            - 1
            - 719_468;
    let hours = days * 24 + field(11..13);
    UnixTime::from_secs((hours * 60 + field(14..16)) * 60 + field(17..19))
}

fn texts(value: &Value) -> Vec<String> {
    let array = value.as_array().into_iter().flatten();
    array
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn path(
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    at: UnixTime,
    profile: Profile,
) -> Result<VerifiedPath, Reason> {
    verify_path(
        &RustCrypto,
        &bag.certificates()[0],
        bag,
        anchors,
        at,
        profile,
    )
}

/// Everything that a record says about a certificate is what the certificate says.
fn check_record(certificate: &Certificate, record: &Value) {
    let id = record["sha256"].as_str().unwrap();
    assert_eq!(hex(&Sha256::digest(certificate.der())), id);
    if record["subject"].is_null() {
        return;
    }
    assert_eq!(
        certificate.subject_text(),
        record["subject"].as_str().unwrap(),
        "{id}"
    );
    assert_eq!(
        certificate.issuer_text(),
        record["issuer"].as_str().unwrap(),
        "{id}"
    );
    let serial = certificate.serial_hex();
    let serial = serial.strip_prefix("00").unwrap_or(&serial);
    assert_eq!(
        serial.len() as u64 / 2,
        record["serial_octets"].as_u64().unwrap(),
        "{id}"
    );
    assert_eq!(
        certificate.not_before(),
        time(&record["not_before"]),
        "{id}"
    );
    assert_eq!(certificate.not_after(), time(&record["not_after"]), "{id}");
    let list = record["tnauthlist_der_hex"].as_str();
    let list = list.map(|hex| TnAuthList::decode(&unhex(hex)).unwrap());
    assert_eq!(certificate.tn_auth_list(), list.as_ref(), "{id}");
    assert_eq!(
        list.as_ref().and_then(|list| list.spc()),
        record["spc"]
            .as_str()
            .or(list.as_ref().and_then(|list| list.spc())),
        "{id}"
    );
    let extensions = certificate.extensions();
    let critical = extensions.iter().filter(|extension| extension.is_critical);
    let critical: BTreeSet<_> = critical.map(|extension| extension.oid.clone()).collect();
    assert_eq!(
        critical,
        texts(&record["critical"]).into_iter().collect(),
        "{id}"
    );
    assert_eq!(certificate.policies(), texts(&record["policies"]), "{id}");
    let points = record["crl"].as_array().into_iter().flatten();
    let points: Vec<_> = points
        .map(|point| CrlDistributionPoint {
            urls: texts(&point["url"]),
            issuer: texts(&point["crl_issuer"]).first().cloned(),
        })
        .collect();
    assert_eq!(certificate.crl_distribution_points(), points, "{id}");
    check_findings(certificate, record);
}

/// What the ecosystem's linter found, we find; where it found nothing, neither do we, but for an
/// issuer's signature with another digest, at which it does not look.
fn check_findings(certificate: &Certificate, record: &Value) {
    let found = certificate.profile_deviations(Profile::Shaken);
    let findings = texts(&record["report_findings"]);
    for finding in &findings {
        let expected: &[Reason] = match finding.as_str() {
            "e_atis_serial_number_size" => &[Reason::ProfileSerial],
            "e_atis_subject_cn_spc"
            | "e_atis_subject_cn"
            | "e_atis_subject_c_iso"
            | "e_atis_subject_o_required"
            | "e_atis_subject_dn" => &[Reason::ProfileSubject],
            // The first version of the policy is still in use, and not an error to us (CRT-55).
            "e_shaken_certificate_policies_id" if !record["policies"].is_null() => continue,
            "e_shaken_certificate_policies_id" => &[Reason::ProfilePolicy],
            "e_atis_ext_certificate_policies" => {
                &[Reason::ProfilePolicy, Reason::ProfileExtensions]
            }
            "e_atis_ext_crl_distribution" | "e_atis_ext_crl_distribution_struct" => {
                &[Reason::ProfileCrl]
            }
            "e_incorrect_ku_encoding" => &[Reason::KeyUsageEncoding],
            "e_atis_tn_auth_list" | "e_atis_tn_auth_list_spc_format" => {
                &[Reason::SpcUnusual, Reason::ProfileTnAuthList]
            }
            "e_atis_version"
            | "e_atis_ext_key_usage"
            | "e_atis_ext_basic_constraints"
            | "e_atis_subject_key_identifier"
            | "e_atis_subject_key_identifier_size"
            | "w_ext_subject_key_identifier_missing_sub_cert"
            | "e_atis_ext_authority_key_identifier"
            | "e_ext_authority_key_identifier_missing"
            | "e_ext_authority_key_identifier_no_key_identifier" => &[Reason::ProfileExtensions],
            // Another profile's rule about the subject's own serial number.
            "e_us_cp_subject_sn_shall" => continue,
            other => panic!("{other} is not consumed"),
        };
        let seen = expected.iter().any(|reason| found.contains(reason));
        assert!(seen, "{}: {finding}, not in {found:?}", record["sha256"]);
    }
    if findings.is_empty() {
        assert!(
            found
                .iter()
                .all(|reason| *reason == Reason::ProfileAlgorithm),
            "{}: {found:?}",
            record["sha256"]
        );
    }
}

/// The bags of all chains, each with the last certificate, its root.
fn bags(folder: &mut Folder, chains: &Value) -> Vec<(CertificateBag, Certificate)> {
    let records = chains["chains"].as_array().unwrap();
    let bag = |record: &Value| {
        let bag = CertificateBag::from_pem(&folder.text(record["file"].as_str().unwrap())).unwrap();
        let root = bag.certificates().last().unwrap().clone();
        (bag, root)
    };
    records.iter().map(bag).collect()
}

fn anchor(root: &Certificate) -> TrustAnchors {
    let mut anchors = TrustAnchors::new();
    anchors.add(root.clone()).unwrap();
    anchors
}

fn check_chains(folder: &mut Folder) -> TrustAnchors {
    let file = folder.json("chains.json");
    let records = file["chains"].as_array().unwrap();
    assert_eq!(records.len(), 8);
    let bags = bags(folder, &file);
    let mut all = TrustAnchors::new();
    for (_, root) in &bags {
        all.add(root.clone()).unwrap();
    }
    let number = TelephoneNumber::from_canonical("12155550121").unwrap();
    for (record, (bag, root)) in records.iter().zip(&bags) {
        let ca = record["ca"].as_str().unwrap();
        let at = time(&record["evaluate_at"]);
        check_record(&bag.certificates()[0], &record["leaf"]);
        assert_eq!(record["leaf_key"], "P-256");
        assert_eq!(bag.certificates()[0].key_kind(), KeyKind::P256, "{ca}");
        let spc = record["leaf"]["spc"].as_str().unwrap().to_owned();
        for anchors in [&anchor(root), &all] {
            let path = path(bag, anchors, at, Profile::Shaken).unwrap();
            assert_eq!(path.certificates(), bag.certificates(), "{ca}");
            assert_eq!(
                path.certificates().len() as u64,
                record["path_length"],
                "{ca}"
            );
            assert_eq!(path.covers(&number), Authority::BySpc(spc.clone()), "{ca}");
            assert_eq!(path.revocation(), Err(Reason::RevocationNotChecked), "{ca}");
        }
        let outcome = |profile| path(bag, &all, at, profile).map(|_| ());
        assert_eq!(outcome(Profile::Stir), Ok(()), "{ca}");
        // Two authorities have P-384 keys, one of them under a P-521 root.
        let es256_only = match ca {
            "CTIA" | "NetNumber" => Err(Reason::UnsupportedCertificateKey),
            _ => Ok(()),
        };
        assert_eq!(outcome(Profile::Delegate), es256_only, "{ca}");
        check_refusals(bag, root, &all, at);
    }
    all
}

/// The same chain with something missing or too late.
fn check_refusals(bag: &CertificateBag, root: &Certificate, all: &TrustAnchors, at: UnixTime) {
    let leaf = &bag.certificates()[0];
    let refused = |bag: &CertificateBag, anchors: &TrustAnchors, at| {
        path(bag, anchors, at, Profile::Shaken).unwrap_err()
    };
    let alone = CertificateBag::from_certificates(vec![leaf.clone()]).unwrap();
    assert_eq!(refused(&alone, all, at), Reason::ChainIncomplete);
    let mut others = TrustAnchors::new();
    for other in all.certificates().iter().filter(|other| *other != root) {
        others.add(other.clone()).unwrap();
    }
    // The root is in the bag, and not an anchor.
    assert_eq!(refused(bag, &others, at), Reason::NoPathToAnchor);
    let rootless = bag.certificates()[..2].to_vec();
    let rootless = CertificateBag::from_certificates(rootless).unwrap();
    assert_eq!(refused(&rootless, &others, at), Reason::ChainIncomplete);
    assert!(path(&rootless, all, at, Profile::Shaken).is_ok());
    let late = UnixTime::from_secs(leaf.not_after().as_secs() + 1);
    assert_eq!(refused(bag, all, late), Reason::CertificateExpired);
    let issuer = CertificateBag::from_certificates(bag.certificates()[1..].to_vec()).unwrap();
    assert_eq!(refused(&issuer, all, at), Reason::SignerIsCa);
}

fn check_anomalies(folder: &mut Folder, anchors: &TrustAnchors, comcast: &CertificateBag) {
    let file = folder.json("anomalies.json");
    let records = file["items"].as_array().unwrap();
    assert_eq!(records.len(), 18);
    let mut refused = Vec::new();
    for record in records {
        let name = record["file"].as_str().unwrap();
        let pem = pem::parse(folder.text(name)).unwrap();
        let read = Certificate::from_der(pem.contents());
        let kind = record["kind"].as_str().unwrap();
        // Untagged text, and text without its length octet, which shows as other kinds too (CRT-72).
        let list = record["tnauthlist_der_hex"].as_str();
        if list.is_some_and(|list| TnAuthList::decode(&unhex(list)).is_err()) {
            assert_eq!(
                hex(&Sha256::digest(pem.contents())),
                record["sha256"].as_str().unwrap(),
                "{name}"
            );
            assert_eq!(read.unwrap_err(), Reason::MalformedTnAuthList, "{name}");
            refused.push(
                name.trim_start_matches("anomalies/")
                    .trim_end_matches(".pem"),
            );
            continue;
        }
        let certificate = read.unwrap();
        check_record(&certificate, record);
        let found = certificate.profile_deviations(Profile::Shaken);
        let expected = match kind {
            "ecdsa-null-params" => Reason::NullParameters,
            "keyusage-encoding" => Reason::KeyUsageEncoding,
            "crl-dp-structure" => Reason::ProfileCrl,
            "cn-spc-mismatch" => Reason::ProfileSubject,
            "no-policies" => Reason::ProfilePolicy,
            "no-stir-extensions" => Reason::ProfileTnAuthList,
            other => panic!("{other} is not consumed"),
        };
        assert!(found.contains(&expected), "{name}: {found:?}");
        check_path(kind, &certificate, anchors, comcast);
    }
    assert_eq!(
        refused,
        [
            "tnauthlist-untagged-00",
            "tnauthlist-untagged-01",
            "tnauthlist-untagged-03",
            "tnauthlist-untagged-04",
            "cn-spc-mismatch-16",
            "spc-lowercase-18",
            "spc-lowercase-19",
            "no-policies-25",
        ]
    );
}

/// Where the issuer is at hand, the path holds with a warning; where it is not, there is none.
fn check_path(kind: &str, leaf: &Certificate, anchors: &TrustAnchors, comcast: &CertificateBag) {
    let mut certificates = vec![leaf.clone()];
    certificates.extend(comcast.certificates()[1..].iter().cloned());
    let bag = CertificateBag::from_certificates(certificates).unwrap();
    let at = UnixTime::from_secs((leaf.not_before().as_secs() + leaf.not_after().as_secs()) / 2);
    let outcome = path(&bag, anchors, at, Profile::Shaken);
    match kind {
        "crl-dp-structure" => {
            assert!(outcome.unwrap().warnings().contains(&Reason::ProfileCrl));
        }
        "ecdsa-null-params" => assert_eq!(outcome.unwrap_err(), Reason::SignerIsCa),
        "no-stir-extensions" => {
            assert!(leaf.tn_auth_list().is_none() && leaf.version() == 1);
            let self_made = match outcome.unwrap_err() {
                Reason::NoPathToAnchor => leaf.is_self_issued(),
                Reason::ChainIncomplete => !leaf.is_self_issued(),
                _ => false,
            };
            assert!(self_made);
        }
        _ => assert_eq!(outcome.unwrap_err(), Reason::ChainIncomplete, "{kind}"),
    }
}

/// The counts agree with each other and with what the profile takes as usual.
fn check_census(census: &Value) {
    let count = |value: &Value| value.as_u64().unwrap();
    let lists = count(&census["leaves_with_tnauthlist"]);
    assert_eq!(count(&census["certificates"]), 15_988);
    assert_eq!(lists, count(&census["leaf_keys"]["P-256"]));
    let (good, bad) = (
        &census["tnauthlist_one_explicit_spc"],
        &census["tnauthlist_malformed"],
    );
    assert_eq!(lists, count(good) + count(bad));
    assert_eq!(census["tnauthlist_with_range_or_one"], 0);
    let policies: u64 = census["policy_oids"]
        .as_object()
        .unwrap()
        .values()
        .map(count)
        .sum();
    assert_eq!(policies, lists);
}

#[test]
fn live_chains_are_accepted_and_anomalies_refused_or_reported_as_noted() {
    let mut folder = Folder::open("stir-shaken-pki-live");
    let anchors = check_chains(&mut folder);
    let comcast = CertificateBag::from_pem(&folder.text("chains/Comcast.pem")).unwrap();
    check_anomalies(&mut folder, &anchors, &comcast);
    check_census(&folder.json("census.json"));
    folder.assert_consumed();
}
