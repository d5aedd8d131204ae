//! The profiles as reports, and what a certificate says for people (CRT-12, CRT-20 to CRT-25,
//! CRT-50 to CRT-59, CRT-70, CRT-71).

use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{
    Certificate, CrlDistributionPoint, ExtensionSummary, KeyKind, Profile, verify_path,
};
use ringtrue_stir::crypto::RustCrypto;

use crate::issuing::{
    ENHANCED_JWT_CLAIM_CONSTRAINTS, JWT_CLAIM_CONSTRAINTS, Key, NOW, Template, block, der, name,
    one, spc,
};
use crate::paths::{anchors, bag};

const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
const UNKNOWN: &[u8] = &[0x2a, 0x03, 0x04];
const MUST_INCLUDE_CRN: &[u8] = &[0x30, 9, 0xa0, 7, 0x30, 5, 0x16, 3, b'c', b'r', b'n'];
/// 2.16.840.1.114569.1.1.4
const SHAKEN: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xff, 0x09, 1, 1, 4];

fn policies(all: &[&[u8]]) -> Vec<u8> {
    let one = |oid: &&[u8]| der(0x30, &[&der(0x06, &[oid])]);
    der(0x30, &[&all.iter().flat_map(one).collect::<Vec<_>>()])
}

fn points(url: &str, issuer: Option<&str>) -> Vec<u8> {
    let full_name = der(0xa0, &[&der(0xa0, &[&der(0x86, &[url.as_bytes()])])]);
    let issuer = issuer.map(|issuer| der(0xa2, &[&der(0xa4, &[&name(issuer)])]));
    der(
        0x30,
        &[&der(0x30, &[&full_name, &issuer.unwrap_or_default()])],
    )
}

fn issue(template: &Template) -> Certificate {
    template.issue(&Key::new().public, "ca", &Key::new())
}

/// All of the profile but serial number and subject, which these tests do not make.
fn profiled() -> Template {
    Template::leaf(&[spc("709J")])
        .with_key_ids(Some(b"leaf"), Some(b"ca"))
        .with_extension(POLICIES, false, &policies(&[SHAKEN]))
        .with_extension(
            CRL_DISTRIBUTION_POINTS,
            false,
            &points("https://pa.example", Some("pa")),
        )
}

const ALWAYS: [Reason; 2] = [Reason::ProfileSerial, Reason::ProfileSubject];

/// What is found beyond [`ALWAYS`] in the SHAKEN profile.
fn found(template: &Template) -> Vec<Reason> {
    let mut found = issue(template).profile_deviations(Profile::Shaken);
    for reason in ALWAYS {
        assert!(found.contains(&reason));
    }
    found.retain(|reason| !ALWAYS.contains(reason));
    found
}

fn without(template: Template, oid: &[u8]) -> Template {
    let mut template = template;
    template.extensions.retain(|(known, ..)| *known != oid);
    template
}

#[test]
fn each_breach_of_the_profile_has_its_own_reason() {
    assert_eq!(found(&profiled()), []);
    let with =
        |oid, critical, value: &[u8]| without(profiled(), oid).with_extension(oid, critical, value);
    let any_policy: &[u8] = &[0x55, 0x1d, 0x20, 0x00];
    for value in [
        policies(&[any_policy]),
        policies(&[SHAKEN, SHAKEN]),
        vec![0x30, 1],
    ] {
        assert_eq!(
            found(&with(POLICIES, false, &value)),
            [Reason::ProfilePolicy]
        );
    }
    assert_eq!(
        found(&without(profiled(), POLICIES)),
        [Reason::ProfilePolicy]
    );
    // Only two extensions are to be critical (CRT-54).
    let critical = with(POLICIES, true, &policies(&[SHAKEN]));
    assert_eq!(found(&critical), [Reason::ProfileExtensions]);
    for value in [
        points("https://pa.example", None),
        points("http://pa.example", Some("pa")),
        points("ldap://pa.example", Some("pa")),
        vec![0x30, 0],
        vec![0x30],
    ] {
        let breach = with(CRL_DISTRIBUTION_POINTS, false, &value);
        assert_eq!(found(&breach), [Reason::ProfileCrl], "{value:02x?}");
    }
    let ids = Template {
        extensions: vec![],
        ..profiled()
    };
    assert!(found(&ids).contains(&Reason::ProfileExtensions));
    for key_usage in [None, Some(vec![6, 0xc0]), Some(vec![1, 0x86])] {
        let template = Template {
            key_usage,
            ..profiled()
        };
        assert_eq!(found(&template), [Reason::ProfileExtensions]);
    }
    let lists: [&[_]; 3] = [&[one("12025550143")], &[spc("709J"), spc("1234")], &[]];
    for entries in lists {
        let list = Template::leaf(entries).list;
        let template = Template { list, ..profiled() };
        assert_eq!(found(&template), [Reason::ProfileTnAuthList]);
    }
    let usage = Template {
        key_usage: Some(vec![0, 0x80]),
        ..profiled()
    };
    assert_eq!(found(&usage), [Reason::KeyUsageEncoding]);
    let null = Template {
        null_parameters: true,
        ..profiled()
    };
    assert_eq!(found(&null), [Reason::NullParameters]);
    let ca = Template {
        ca: Some(None),
        key_usage: Some(vec![2, 0x04]),
        ..profiled()
    };
    assert_eq!(found(&ca), [Reason::ProfileTnAuthList]);
    let ca = Template { list: None, ..ca };
    assert_eq!(found(&ca), []);
}

#[test]
fn other_profiles_report_what_is_odd_in_every_one() {
    for profile in [Profile::Delegate, Profile::Stir] {
        let found = |template: &Template| issue(template).profile_deviations(profile);
        assert_eq!(found(&profiled()), []);
        assert_eq!(found(&Template::leaf(&[block("100", 5)])), []);
        for code in ["709j", "70-9", "a"] {
            assert_eq!(
                found(&Template::leaf(&[spc("709J"), spc(code)])),
                [Reason::SpcUnusual]
            );
        }
    }
}

#[test]
fn a_path_reports_each_deviation_once_and_nothing_of_the_anchor() {
    let (root_key, ca_key) = (Key::new(), Key::new());
    let usage = |template: Template, bits| Template {
        key_usage: Some(vec![0, bits]),
        ..template
    };
    let root = usage(Template::ca("root", &[]), 0x04).with_extension(
        JWT_CLAIM_CONSTRAINTS,
        false,
        MUST_INCLUDE_CRN,
    );
    let root = root.issue(&root_key.public, "root", &root_key);
    let ca = usage(Template::ca("ca", &[]), 0x04).issue(&ca_key.public, "root", &root_key);
    let leaf = usage(Template::leaf(&[spc("709j")]), 0x80);
    let leaf = leaf.issue(&Key::new().public, "ca", &ca_key);
    let (bag, anchors) = (bag(&[&leaf, &ca]), anchors(&[&root]));
    let path = verify_path(&RustCrypto, &leaf, &bag, &anchors, NOW, Profile::Stir).unwrap();
    assert_eq!(
        path.warnings(),
        [Reason::KeyUsageEncoding, Reason::SpcUnusual]
    );
}

/// CRT-25: a CA's constraints constrain nobody. Both kinds in one stay a refusal.
#[test]
fn constraints_of_a_ca_are_ignored_and_reported() {
    let (root_key, ca_key) = (Key::new(), Key::new());
    let constrained =
        |template: Template, oid| template.with_extension(oid, false, MUST_INCLUDE_CRN);
    let root = Template::ca("root", &[]).issue(&root_key.public, "root", &root_key);
    for oid in [JWT_CLAIM_CONSTRAINTS, ENHANCED_JWT_CLAIM_CONSTRAINTS] {
        let ca = constrained(Template::ca("ca", &[]), oid);
        let ca = ca.issue(&ca_key.public, "root", &root_key);
        assert_eq!(ca.claim_constraints(), None);
        let leaf = Template::leaf(&[one("12025550143")]);
        let leaf = leaf.issue(&Key::new().public, "ca", &ca_key);
        let (bag, anchors) = (bag(&[&leaf, &ca]), anchors(&[&root]));
        let path = verify_path(&RustCrypto, &leaf, &bag, &anchors, NOW, Profile::Stir).unwrap();
        assert_eq!(path.warnings(), [Reason::ConstraintsOnCa]);
        let leaf = issue(&constrained(Template::leaf(&[]), oid));
        let read = leaf.claim_constraints().unwrap();
        assert_eq!(read.must_include(), ["crn"]);
        assert!(read.permitted_values().is_empty() && read.must_exclude().is_empty());
        assert_eq!(leaf.profile_deviations(Profile::Stir), []);
    }
}

#[test]
fn refuses_key_usages_that_are_wrong_in_another_way_than_the_tolerated_one() {
    let key = Key::new();
    for usage in [
        vec![8, 0x80],
        vec![6, 0x80],
        vec![1, 0x80],
        vec![0, 0x80, 0x00],
        vec![7, 0x80, 0x00],
        vec![7, 0xc0],
        vec![1, 0x00],
        vec![0, 0x00],
        vec![1],
        vec![0, 0x80, 0x80, 0x80],
    ] {
        let template = Template {
            key_usage: Some(usage.clone()),
            ..Template::leaf(&[])
        };
        let read = Certificate::from_der(template.issue_der(&key.public, "ca", &key));
        assert_eq!(
            read.unwrap_err(),
            Reason::MalformedCertificate,
            "{usage:02x?}"
        );
    }
    let none = issue(&Template {
        key_usage: Some(vec![0]),
        ..Template::leaf(&[])
    });
    assert_eq!(none.key_usages(), Some(vec![]));
}

#[test]
fn a_certificate_says_what_it_holds() {
    let template = profiled().with_extension(UNKNOWN, true, &[5, 0]);
    let leaf = issue(&template);
    assert_eq!(
        (leaf.subject_text(), leaf.issuer_text()),
        ("CN=leaf".into(), "CN=ca".into())
    );
    assert_eq!((leaf.serial_hex().as_str(), leaf.version()), ("07", 3));
    assert_eq!((leaf.key_kind(), leaf.path_len()), (KeyKind::P256, None));
    assert_eq!(leaf.key_usages(), Some(vec!["digitalSignature"]));
    assert_eq!(leaf.subject_key_id(), Some(&b"leaf"[..]));
    assert_eq!(leaf.authority_key_id(), Some(&b"ca"[..]));
    assert_eq!(leaf.policies(), ["2.16.840.1.114569.1.1.4"]);
    let point = CrlDistributionPoint {
        urls: vec!["https://pa.example".to_owned()],
        issuer: Some("CN=pa".to_owned()),
    };
    assert_eq!(leaf.crl_distribution_points(), [point]);
    assert!(!leaf.has_sct_list() && !leaf.has_tn_auth_list_by_reference());
    let extensions = leaf.extensions();
    let unknown: Vec<_> = extensions
        .iter()
        .filter(|extension| !extension.is_known)
        .collect();
    let expected = ExtensionSummary {
        oid: "1.2.3.4".to_owned(),
        is_critical: true,
        is_known: false,
    };
    assert_eq!(unknown, [&expected]);
    assert_eq!(extensions.len(), 8);
    let ca = Template {
        ca: Some(Some(3)),
        ..Template::ca("ca", &[])
    };
    let ca = issue(&ca);
    assert_eq!(ca.path_len(), Some(3));
    assert_eq!(ca.key_usages(), Some(vec!["keyCertSign", "cRLSign"]));
    let escape = issue(&Template {
        subject: "a\u{1b}[2J\r\n",
        ..Template::leaf(&[])
    });
    assert_eq!(escape.subject_text(), "CN=a\\1b[2J\\0d\\0a");
    let url = points("https://x/\u{1b}\n", None);
    let odd = Template::leaf(&[]).with_extension(CRL_DISTRIBUTION_POINTS, false, &url);
    let shown = &issue(&odd).crl_distribution_points()[0];
    assert_eq!(shown.urls, ["https://x/\u{fffd}\u{fffd}"]);
    assert_eq!(shown.issuer, None);
}
