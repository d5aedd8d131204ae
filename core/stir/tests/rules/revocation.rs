//! Revocation lists: what parses, who may sign one, what it revokes (CRT-60 to CRT-62).

use proptest::prelude::*;
use ringtrue_stir::certificate::{
    Certificate, MAX_CRL_LEN, PathRules, Profile, RevocationList, VerifiedRevocationList,
    verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, UnixTime};

use crate::issuing::{
    AUTHORITY_KEY_IDENTIFIER, Key, NOW, Template, der, ecdsa_with_sha256, es256, name, one,
};
use crate::paths::{anchors, bag};

const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
const UNKNOWN: &[u8] = &[0x2a, 0x03, 0x04];

type Extension = (&'static [u8], bool, Vec<u8>);

fn extensions(all: &[Extension]) -> Vec<u8> {
    let one = |(oid, critical, value): &Extension| {
        let critical: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
        der(0x30, &[&der(0x06, &[oid]), critical, &der(0x04, &[value])])
    };
    der(0x30, &[&all.iter().map(one).collect::<Vec<_>>().concat()])
}

/// An issuing distribution point with these members.
fn scope(members: &[u8]) -> Extension {
    (ISSUING_DISTRIBUTION_POINT, true, der(0x30, &[members]))
}

fn indirect() -> Extension {
    scope(&[0x84, 1, 0xff])
}

/// `certificateIssuer` with a name of any encoding.
fn of_issuer(name: &[u8]) -> Extension {
    let names = der(0x30, &[&der(0xa4, &[name])]);
    (CERTIFICATE_ISSUER, true, names)
}

/// What a list will say. Its issuer is called "admin".
#[derive(Clone)]
struct Listing {
    version: Option<u8>,
    updates: Vec<&'static str>,
    entries: Vec<(u8, Vec<Extension>)>,
    extensions: Vec<Extension>,
    other_outer_algorithm: bool,
}

impl Listing {
    fn new(entries: Vec<(u8, Vec<Extension>)>) -> Self {
        Self {
            version: Some(1),
            updates: vec!["20260501000000Z", "20260701000000Z"],
            entries,
            extensions: vec![],
            other_outer_algorithm: false,
        }
    }

    fn with(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    fn sign(&self, key: &Key, issuer: &str) -> Vec<u8> {
        let version = self.version.map(|version| vec![2, 1, version]);
        let times: Vec<_> = self
            .updates
            .iter()
            .map(|t| der(0x18, &[t.as_bytes()]))
            .collect();
        let entry = |(serial, all): &(u8, Vec<Extension>)| {
            let all = if all.is_empty() {
                vec![]
            } else {
                extensions(all)
            };
            let time = der(0x17, &[b"260401000000Z"]);
            der(0x30, &[&[2, 1, *serial], &time, &all])
        };
        let entries: Vec<u8> = self.entries.iter().flat_map(entry).collect();
        let entries = if entries.is_empty() {
            vec![]
        } else {
            der(0x30, &[&entries])
        };
        let own = if self.extensions.is_empty() {
            vec![]
        } else {
            der(0xa0, &[&extensions(&self.extensions)])
        };
        let algorithm = ecdsa_with_sha256(false);
        let tbs = der(
            0x30,
            &[
                &version.unwrap_or_default(),
                &algorithm,
                &name(issuer),
                &times.concat(),
                &entries,
                &own,
            ],
        );
        let outer = ecdsa_with_sha256(self.other_outer_algorithm);
        let signature = der(0x03, &[&[0], &es256(key, &tbs)]);
        der(0x30, &[&tbs, &outer, &signature])
    }
}

/// The administrator of lists, a path, and its keys.
struct World {
    admin_key: Key,
    admin: Certificate,
    certificates: [Certificate; 3],
    root_key: Key,
}

fn admin() -> Template {
    Template::ca("admin", &[])
}

impl World {
    fn new() -> Self {
        let (admin_key, root_key, ca_key) = (Key::new(), Key::new(), Key::new());
        let root = Template::ca("root", &[]).issue(&root_key.public, "root", &root_key);
        let ca = Template::ca("ca", &[]).issue(&ca_key.public, "root", &root_key);
        let leaf = Template::leaf(&[one("12025550143")]).issue(&Key::new().public, "ca", &ca_key);
        Self {
            admin: admin().issue(&admin_key.public, "admin", &admin_key),
            admin_key,
            certificates: [leaf, ca, root],
            root_key,
        }
    }

    fn verified(&self, template: &Listing) -> VerifiedRevocationList {
        let list = RevocationList::parse(&template.sign(&self.admin_key, "admin")).unwrap();
        list.verify(&RustCrypto, &self.admin, NOW).unwrap()
    }

    fn check(
        &self,
        lists: &[VerifiedRevocationList],
        at: UnixTime,
    ) -> Result<Result<(), Reason>, Reason> {
        let [leaf, ca, root] = &self.certificates;
        let mut rules = PathRules::new(Profile::Stir);
        rules.revocation = Some(lists);
        let (bag, anchors) = (bag(&[leaf, ca]), anchors(&[root]));
        verify_path(&RustCrypto, leaf, &bag, &anchors, at, rules).map(|path| path.revocation())
    }

    /// What a path is worth with this list alone.
    fn outcome(&self, template: &Listing) -> Result<Result<(), Reason>, Reason> {
        self.check(&[self.verified(template)], NOW)
    }
}

const REVOKED: Result<Result<(), Reason>, Reason> = Err(Reason::CertificateRevoked);
const GOOD: Result<Result<(), Reason>, Reason> = Ok(Ok(()));

fn issued_by(issuer: &str) -> Vec<Extension> {
    vec![of_issuer(&name(issuer))]
}

fn indirect_list(entries: Vec<(u8, Vec<Extension>)>) -> Listing {
    Listing::new(entries).with(indirect())
}

#[test]
fn an_indirect_list_revokes_by_issuer_and_serial_number() {
    let world = World::new();
    // Every certificate of these tests has the serial number 7.
    for (entries, expected) in [
        (vec![], GOOD),
        (vec![(7, issued_by("ca"))], REVOKED),
        (vec![(7, issued_by("root"))], REVOKED),
        (vec![(8, issued_by("ca"))], GOOD),
        (vec![(7, issued_by("other"))], GOOD),
        // Without a name it is the list's own issuer.
        (vec![(7, vec![])], GOOD),
        // The name holds for the entries behind it, until another comes (CRT-60).
        (vec![(1, issued_by("ca")), (7, vec![])], REVOKED),
        (
            vec![(1, issued_by("ca")), (2, vec![]), (7, vec![])],
            REVOKED,
        ),
        (vec![(7, vec![]), (1, issued_by("ca"))], GOOD),
        (
            vec![(1, issued_by("ca")), (2, issued_by("other")), (7, vec![])],
            GOOD,
        ),
        (
            vec![
                (9, issued_by("x")),
                (3, issued_by("ca")),
                (7, vec![]),
                (1, vec![]),
            ],
            REVOKED,
        ),
    ] {
        let count = entries.len();
        let outcome = world.outcome(&indirect_list(entries.clone()));
        assert_eq!(outcome, expected, "{count} entries");
    }
}

#[test]
fn a_hold_revokes_as_any_reason_does() {
    let world = World::new();
    for reason in [0u8, 1, 4, 6, 10] {
        let mut all = issued_by("ca");
        all.push((REASON_CODE, false, vec![0x0a, 1, reason]));
        assert_eq!(
            world.outcome(&indirect_list(vec![(7, all)])),
            REVOKED,
            "{reason}"
        );
    }
}

#[test]
fn another_spelling_of_the_issuers_name_does_not_save_a_certificate() {
    let world = World::new();
    let spelled = |tag: u8, text: &[u8]| {
        let attribute = der(0x30, &[&[6, 3, 0x55, 4, 3], &der(tag, &[text])]);
        der(0x30, &[&der(0x31, &[&attribute])])
    };
    for (name, expected) in [
        (spelled(0x13, b"ca"), REVOKED),
        (spelled(0x0c, b"CA"), REVOKED),
        (spelled(0x13, b" Ca "), REVOKED),
        (spelled(0x1e, &[0, b'c', 0, b'a']), REVOKED),
        (spelled(0x13, b"c a"), GOOD),
        (spelled(0x13, b"caa"), GOOD),
        (spelled(0x04, b"ca"), GOOD),
    ] {
        let outcome = world.outcome(&indirect_list(vec![(7, vec![of_issuer(&name)])]));
        assert_eq!(outcome, expected, "{name:02x?}");
    }
}

#[test]
fn a_direct_list_speaks_of_its_own_issuers_certificates_only() {
    let world = World::new();
    let [_, ca, root] = &world.certificates;
    let by_root = |serial| {
        let der = Listing::new(vec![(serial, vec![])]).sign(&world.root_key, "root");
        let list = RevocationList::parse(&der).unwrap();
        assert!(!list.is_indirect());
        list.verify(&RustCrypto, root, NOW).unwrap()
    };
    assert_eq!(world.check(&[by_root(7)], NOW), REVOKED);
    // Nobody speaks of the leaf, which "ca" issued.
    let unavailable = Ok(Err(Reason::CrlUnavailable));
    assert_eq!(world.check(&[by_root(8)], NOW), unavailable);
    assert_eq!(world.check(&[], NOW), unavailable);
    let own = world.verified(&Listing::new(vec![(7, vec![])]));
    assert_eq!(world.check(std::slice::from_ref(&own), NOW), unavailable);
    assert_eq!(world.check(&[own, by_root(8)], NOW), unavailable);
    assert!(by_root(7).revokes(&name("root"), &[7]));
    assert!(by_root(7).revokes(&name("ROOT"), &[0, 7]));
    assert!(!by_root(7).revokes(&name("ca"), &[7]));
    assert!(ca.is_ca());
}

#[test]
fn a_list_for_one_kind_of_certificates_says_nothing_of_the_other() {
    let world = World::new();
    let unavailable = Ok(Err(Reason::CrlUnavailable));
    let of = |members: &[u8]| world.verified(&Listing::new(vec![]).with(scope(members)));
    let end_entities = of(&[0x81, 1, 0xff, 0x84, 1, 0xff]);
    let authorities = of(&[0x82, 1, 0xff, 0x84, 1, 0xff]);
    assert_eq!(
        world.check(std::slice::from_ref(&end_entities), NOW),
        unavailable
    );
    assert_eq!(
        world.check(std::slice::from_ref(&authorities), NOW),
        unavailable
    );
    assert_eq!(world.check(&[end_entities, authorities], NOW), GOOD);
}

#[test]
fn an_outdated_list_is_a_matter_of_policy_and_still_revokes() {
    let world = World::new();
    let old = world.verified(&indirect_list(vec![]));
    let at = |secs: u64| UnixTime::from_secs(old.list().next_update().as_secs() + secs);
    assert!(old.is_current(at(0)) && !old.is_current(at(1)));
    let alone = std::slice::from_ref(&old);
    assert_eq!(world.check(alone, at(0)), GOOD);
    assert_eq!(world.check(alone, at(1)), Ok(Err(Reason::CrlStale)));
    let newer = world.verified(&Listing {
        updates: vec!["20260501000000Z", "20260801000000Z"],
        ..indirect_list(vec![])
    });
    assert_eq!(world.check(&[old.clone(), newer.clone()], at(1)), GOOD);
    let revoking = world.verified(&indirect_list(vec![(7, issued_by("ca"))]));
    assert_eq!(world.check(&[revoking, newer], at(1)), REVOKED);
}

/// A diverted call's first token may be hours old; the list is asked for what holds now.
#[test]
fn a_list_has_to_be_current_at_the_time_of_the_check_not_of_the_token() {
    let world = World::new();
    let lists = [world.verified(&indirect_list(vec![]))];
    let end = lists[0].list().next_update();
    let [leaf, ca, root] = &world.certificates;
    let (bag, anchors) = (bag(&[leaf, ca]), anchors(&[root]));
    let outcome = |now| {
        let mut rules = PathRules::new(Profile::Stir);
        rules.revocation = Some(&lists);
        rules.revocation_as_of = Some(UnixTime::from_secs(now));
        verify_path(&RustCrypto, leaf, &bag, &anchors, end, rules).map(|path| path.revocation())
    };
    assert_eq!(outcome(end.as_secs()), GOOD);
    assert_eq!(outcome(end.as_secs() + 1), Ok(Err(Reason::CrlStale)));
}

#[test]
fn without_lists_revocation_is_reported_as_not_checked() {
    let world = World::new();
    let [leaf, ca, root] = &world.certificates;
    let (bag, anchors) = (bag(&[leaf, ca]), anchors(&[root]));
    let path = verify_path(&RustCrypto, leaf, &bag, &anchors, NOW, Profile::Stir).unwrap();
    assert_eq!(path.revocation(), Err(Reason::RevocationNotChecked));
}

#[test]
fn only_the_configured_certificate_with_the_right_use_signs_a_list() {
    let world = World::new();
    let good = indirect_list(vec![]);
    let list = RevocationList::parse(&good.sign(&world.admin_key, "admin")).unwrap();
    let verify = |issuer: &Certificate, at| list.verify(&RustCrypto, issuer, at).map(|_| ());
    assert_eq!(verify(&world.admin, NOW), Ok(()));
    let key = &world.admin_key;
    let issue = |template: Template| template.issue(&key.public, "admin", key);
    let without_crl_sign = Template {
        key_usage: Some(vec![2, 0x04]),
        ..admin()
    };
    let no_usage = Template {
        key_usage: None,
        ..admin()
    };
    // A separate certificate for lists is no authority.
    let lists_only = Template {
        ca: None,
        key_usage: Some(vec![1, 0x02]),
        ..admin()
    };
    assert_eq!(verify(&issue(no_usage), NOW), Ok(()));
    assert_eq!(verify(&issue(lists_only), NOW), Ok(()));
    for untrusted in [
        issue(without_crl_sign),
        issue(admin().expired()),
        issue(admin().future()),
        issue(Template {
            subject: "Admin 2",
            ..admin()
        }),
        admin().issue(&Key::new().public, "admin", key),
        admin().issue(&world.root_key.public, "admin", &world.root_key),
        world.certificates[2].clone(),
    ] {
        assert_eq!(verify(&untrusted, NOW), Err(Reason::CrlUntrusted));
    }
    let issued = list.this_update().as_secs();
    let before = |secs| UnixTime::from_secs(issued - secs);
    assert_eq!(verify(&world.admin, before(600)), Ok(()));
    assert_eq!(
        verify(&world.admin, before(601)),
        Err(Reason::CrlUnavailable)
    );
}

#[test]
fn the_issuers_key_identifier_must_be_the_lists() {
    let world = World::new();
    let key = &world.admin_key;
    let with_id = |id: &[u8]| {
        admin()
            .with_key_ids(Some(id), None)
            .issue(&key.public, "admin", key)
    };
    let wanted = (
        AUTHORITY_KEY_IDENTIFIER,
        false,
        der(0x30, &[&der(0x80, &[b"id"])]),
    );
    let list = indirect_list(vec![]).with(wanted).sign(key, "admin");
    let list = RevocationList::parse(&list).unwrap();
    let verify = |issuer: &Certificate| list.verify(&RustCrypto, issuer, NOW).map(|_| ());
    assert_eq!(verify(&with_id(b"id")), Ok(()));
    assert_eq!(verify(&world.admin), Ok(()));
    assert_eq!(verify(&with_id(b"di")), Err(Reason::CrlUntrusted));
}

#[test]
fn refuses_lists_that_it_cannot_understand_wholly() {
    let key = Key::new();
    let good = indirect_list(vec![(7, issued_by("ca"))]);
    let parse = |template: &Listing| RevocationList::parse(&template.sign(&key, "admin"));
    assert_eq!(parse(&good).unwrap().len(), 1);
    assert!(parse(&good.clone().with((UNKNOWN, false, vec![5, 0]))).is_ok());
    let entry = |extension: Extension| indirect_list(vec![(7, vec![extension])]);
    let null: fn() -> Vec<u8> = || vec![5, 0];
    let no_directory_name = (CERTIFICATE_ISSUER, true, vec![0x30, 3, 0x86, 1, b'x']);
    let removed = (REASON_CODE, false, vec![0x0a, 1, 8]);
    for (what, template) in [
        (
            "version 1",
            Listing {
                version: None,
                ..good.clone()
            },
        ),
        (
            "version 3",
            Listing {
                version: Some(2),
                ..good.clone()
            },
        ),
        (
            "no next update",
            Listing {
                updates: vec!["20260501000000Z"],
                ..good.clone()
            },
        ),
        (
            "three times",
            Listing {
                updates: vec!["20260501000000Z"; 3],
                ..good.clone()
            },
        ),
        (
            "bad time",
            Listing {
                updates: vec!["20260501000000Z", "2026"],
                ..good.clone()
            },
        ),
        (
            "algorithms differ",
            Listing {
                other_outer_algorithm: true,
                ..good.clone()
            },
        ),
        (
            "delta",
            good.clone()
                .with((&[0x55, 0x1d, 0x1b], true, vec![2, 1, 1])),
        ),
        (
            "delta, not critical",
            good.clone()
                .with((&[0x55, 0x1d, 0x1b], false, vec![2, 1, 1])),
        ),
        (
            "unknown critical",
            good.clone().with((UNKNOWN, true, null())),
        ),
        ("twice", good.clone().with(indirect())),
        (
            "issuer in a direct list",
            Listing::new(vec![(7, issued_by("ca"))]),
        ),
        (
            "unknown critical in an entry",
            entry((UNKNOWN, true, null())),
        ),
        ("no directory name", entry(no_directory_name)),
        ("taken back", entry(removed)),
        (
            "some reasons",
            Listing::new(vec![]).with(scope(&[0x83, 2, 1, 6])),
        ),
        (
            "attributes",
            Listing::new(vec![]).with(scope(&[0x85, 1, 0xff])),
        ),
        ("false", Listing::new(vec![]).with(scope(&[0x84, 1, 0]))),
        (
            "order",
            Listing::new(vec![]).with(scope(&[0x84, 1, 0xff, 0x81, 1, 0xff])),
        ),
        (
            "both kinds",
            Listing::new(vec![]).with(scope(&[0x81, 1, 0xff, 0x82, 1, 0xff])),
        ),
    ] {
        assert_eq!(
            parse(&template).unwrap_err(),
            Reason::MalformedCrl,
            "{what}"
        );
    }
    let der = good.sign(&key, "admin");
    let malformed = |octets: &[u8]| RevocationList::parse(octets).unwrap_err();
    assert_eq!(malformed(&[]), Reason::MalformedCrl);
    assert_eq!(malformed(&[&der[..], &[0]].concat()), Reason::MalformedCrl);
    assert_eq!(malformed(&der[..der.len() - 1]), Reason::MalformedCrl);
    assert_eq!(malformed(&[0xff, 0xfe]), Reason::MalformedCrl);
    assert_eq!(malformed(&vec![0x30; MAX_CRL_LEN + 1]), Reason::TooLong);
    assert_eq!(malformed(&vec![b'x'; 7 * 1024 * 1024]), Reason::TooLong);
}

#[test]
fn pem_is_one_block_of_a_list() {
    let der = indirect_list(vec![]).sign(&Key::new(), "admin");
    let block = |tag: &str| pem::encode(&pem::Pem::new(tag, der.clone()));
    let good = block("X509 CRL");
    let read = RevocationList::parse(format!("text\n{good}").as_bytes()).unwrap();
    assert_eq!(read.der(), der);
    assert!(read.is_empty());
    assert_eq!(format!("{read:?}"), "RevocationList(..)");
    let refused = |text: &str| RevocationList::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused("text"), Reason::MalformedCrl);
    for text in [
        block("CERTIFICATE"),
        good.repeat(2),
        good[..good.len() - 9].to_owned(),
    ] {
        assert_eq!(refused(&text), Reason::MalformedPem);
    }
}

#[test]
fn many_entries_of_many_issuers_are_found_again() {
    let world = World::new();
    let entries = (0..5000u16).map(|number| {
        let issuer = format!("ca {}", number / 2);
        (number.to_be_bytes()[1], issued_by(&issuer))
    });
    let mut entries: Vec<_> = entries.collect();
    assert_eq!(world.outcome(&indirect_list(entries.clone())), GOOD);
    entries.insert(2500, (7, issued_by("ca")));
    assert_eq!(world.outcome(&indirect_list(entries)), REVOKED);
}

/// Every octet: what is signed must not change, and what is not must not be free to.
#[test]
fn no_changed_octet_of_a_list_passes_for_the_original() {
    let world = World::new();
    let good = indirect_list(vec![(7, issued_by("ca"))]).sign(&world.admin_key, "admin");
    for at in 0..good.len() {
        for with in [0x01, 0x80, 0xff] {
            let mut der = good.clone();
            der[at] ^= with;
            let verified = RevocationList::parse(&der)
                .and_then(|list| list.verify(&RustCrypto, &world.admin, NOW));
            assert!(verified.is_err(), "octet {at} changed by {with:02x}");
        }
    }
}

proptest! {
    #[test]
    fn parsing_octets_never_panics(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = RevocationList::parse(&octets);
    }

    #[test]
    fn parsing_damaged_lists_never_panics(at in 0usize..400, with: u8, cut in 0usize..400) {
        let mut der = indirect_list(vec![(7, issued_by("ca")), (8, vec![])]).sign(&Key::new(), "a");
        let at = at % der.len();
        der[at] = with;
        let _ = RevocationList::parse(&der);
        let _ = RevocationList::parse(&der[..cut.min(der.len())]);
    }
}
