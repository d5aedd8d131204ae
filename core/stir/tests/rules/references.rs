//! TNAuthLists by reference, fetched by somebody else (CRT-8, CRT-9).

use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{
    Authority, Certificate, PathRules, Profile, ReferencedLists, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};

use crate::issuing::{AUTHORITY_INFO_ACCESS, Key, NOW, Template, block, der, one, spc};
use crate::paths::{anchors, bag};
use crate::tn;

const STIR_TN_LIST: u8 = 14;
const OCSP: u8 = 1;

/// Access descriptions: the last octet of the method, and a URL.
fn info_access(all: &[(u8, &str)]) -> Vec<u8> {
    let one = |(method, url): &(u8, &str)| {
        let method = der(0x06, &[&[0x2b, 6, 1, 5, 5, 7, 48, *method]]);
        der(0x30, &[&method, &der(0x86, &[url.as_bytes()])])
    };
    der(0x30, &[&all.iter().flat_map(one).collect::<Vec<_>>()])
}

fn refers_to(template: Template, url: &str) -> Template {
    template.with_extension(
        AUTHORITY_INFO_ACCESS,
        false,
        &info_access(&[(STIR_TN_LIST, url)]),
    )
}

fn list(entries: &[Entry]) -> TnAuthList {
    TnAuthList::new(entries.to_vec()).unwrap()
}

const URL: &str = "https://lists.example/709J";

/// Root, CA and leaf.
struct World([Certificate; 3]);

impl World {
    fn new(ca: &Template, leaf: &Template) -> Self {
        let (root_key, ca_key) = (Key::new(), Key::new());
        let root = Template::ca("root", &[]).issue(&root_key.public, "root", &root_key);
        let ca = ca.issue(&ca_key.public, "root", &root_key);
        let leaf = leaf.issue(&Key::new().public, "ca", &ca_key);
        Self([leaf, ca, root])
    }

    fn path(&self, fetched: &[(usize, &[Entry])]) -> Result<VerifiedPath, Reason> {
        let [leaf, ca, root] = &self.0;
        let mut lists = ReferencedLists::new();
        for (which, entries) in fetched {
            lists.add(&self.0[*which], &list(entries).encode()).unwrap();
        }
        let mut rules = PathRules::new(Profile::Stir);
        rules.referenced_lists = Some(&lists);
        let (bag, anchors) = (bag(&[leaf, ca]), anchors(&[root]));
        verify_path(&RustCrypto, leaf, &bag, &anchors, NOW, rules)
    }

    fn authority(&self, fetched: &[(usize, &[Entry])]) -> Result<Authority, Reason> {
        self.path(fetched)
            .map(|path| path.covers(&tn("12025550143")))
    }
}

fn ca(entries: &[Entry]) -> Template {
    Template::ca("ca", entries)
}

#[test]
fn a_list_that_was_not_fetched_is_authority_unknown() {
    let world = World::new(&ca(&[]), &refers_to(Template::leaf(&[]), URL));
    let path = world.path(&[]).unwrap();
    assert_eq!(path.covers(&tn("12025550143")), Authority::Unknown);
    let refused = path.require_covered(&tn("12025550143"));
    assert_eq!(refused, Err(Reason::AuthorityUnknown));
    // Another certificate's list is not this one's.
    let world = World::new(
        &refers_to(ca(&[]), URL),
        &refers_to(Template::leaf(&[]), URL),
    );
    let outcome = world.authority(&[(1, &[one("12025550143")])]);
    assert_eq!(outcome, Ok(Authority::Unknown));
}

#[test]
fn a_fetched_list_counts_like_one_by_value() {
    let world = World::new(&ca(&[]), &refers_to(Template::leaf(&[]), URL));
    let authority = |entries: &[Entry]| world.authority(&[(0, entries)]);
    assert_eq!(authority(&[one("12025550143")]), Ok(Authority::Covered));
    assert_eq!(
        authority(&[block("12025550100", 100)]),
        Ok(Authority::Covered)
    );
    assert_eq!(authority(&[one("12025550144")]), Ok(Authority::None));
    assert_eq!(
        authority(&[spc("709J")]),
        Ok(Authority::BySpc("709J".to_owned()))
    );
}

#[test]
fn lists_by_value_and_by_reference_add_up() {
    let leaf = refers_to(Template::leaf(&[one("12025550143")]), URL);
    let world = World::new(&ca(&[]), &leaf);
    assert_eq!(world.authority(&[]), Ok(Authority::Covered));
    let path = world.path(&[]).unwrap();
    assert_eq!(path.covers(&tn("12025550144")), Authority::Unknown);
    let path = world.path(&[(0, &[one("12025550144")])]).unwrap();
    assert_eq!(path.covers(&tn("12025550144")), Authority::Covered);
    assert_eq!(path.covers(&tn("12025550145")), Authority::None);
    let coded = refers_to(Template::leaf(&[spc("709J")]), URL);
    let world = World::new(&ca(&[]), &coded);
    assert_eq!(
        world.authority(&[]),
        Ok(Authority::BySpc("709J".to_owned()))
    );
}

#[test]
fn a_fetched_list_of_an_issuer_limits() {
    let world = World::new(
        &refers_to(ca(&[]), URL),
        &Template::leaf(&[one("12025550143")]),
    );
    assert_eq!(world.authority(&[]), Ok(Authority::EncompassUnknown));
    let limited = |entries: &[Entry]| world.authority(&[(1, entries)]);
    assert_eq!(
        limited(&[block("12025550100", 100)]),
        Ok(Authority::Covered)
    );
    assert_eq!(
        limited(&[one("12025550144")]),
        Err(Reason::ScopeNotEncompassed)
    );
    assert_eq!(limited(&[spc("709J")]), Ok(Authority::EncompassUnknown));
    // What is fetched for the leaf is held against what is by value above.
    let world = World::new(&ca(&[one("1")]), &refers_to(Template::leaf(&[]), URL));
    let outside = world.authority(&[(0, &[one("12025550143")])]);
    assert_eq!(outside, Err(Reason::ScopeNotEncompassed));
}

#[test]
fn only_lists_that_a_certificate_refers_to_are_taken() {
    let key = Key::new();
    let issue = |template: Template| template.issue(&key.public, "ca", &key);
    let body = list(&[one("12025550143")]).encode();
    let referring = issue(refers_to(Template::leaf(&[]), URL));
    let mut lists = ReferencedLists::new();
    let plain = issue(Template::leaf(&[]));
    assert_eq!(lists.add(&plain, &body), Err(Reason::MalformedCertificate));
    for damaged in [&body[1..], &body[..body.len() - 1], b"<html>", &[]] {
        assert_eq!(
            lists.add(&referring, damaged),
            Err(Reason::MalformedTnAuthList)
        );
    }
    assert!(lists.list_of(&referring).is_none());
    assert_eq!(lists.add(&referring, &body), Ok(()));
    let other = list(&[one("12025550144")]);
    assert_eq!(lists.add(&referring, &other.encode()), Ok(()));
    assert_eq!(lists.list_of(&referring), Some(&other));
    assert_eq!(format!("{lists:?}"), "ReferencedLists(..)");
    for _ in 1..16 {
        let next = refers_to(Template::leaf(&[]), URL).issue(&Key::new().public, "ca", &key);
        assert_eq!(lists.add(&next, &body), Ok(()));
    }
    let last = refers_to(Template::leaf(&[]), URL).issue(&Key::new().public, "ca", &key);
    assert_eq!(lists.add(&last, &body), Err(Reason::TooManyCertificates));
}

#[test]
fn a_list_is_fetched_over_https_only() {
    let key = Key::new();
    let url = |all: &[(u8, &str)]| {
        let template =
            Template::leaf(&[]).with_extension(AUTHORITY_INFO_ACCESS, false, &info_access(all));
        let certificate = template.issue(&key.public, "ca", &key);
        let url = certificate
            .tn_auth_list_url()
            .map(|url| url.as_str().to_owned());
        (url, certificate.has_tn_auth_list_by_reference())
    };
    assert_eq!(url(&[(STIR_TN_LIST, URL)]), (Some(URL.to_owned()), true));
    let first = [(OCSP, "http://ocsp.example"), (STIR_TN_LIST, URL)];
    assert_eq!(url(&first), (Some(URL.to_owned()), true));
    for bad in [
        "http://lists.example/709J",
        "https://user@lists.example/709J",
        "https://lists.example:444/709J",
        "https://lists.example/709J?x=1",
        "cid:1",
        "",
    ] {
        assert_eq!(url(&[(STIR_TN_LIST, bad)]), (None, true), "{bad}");
        assert_eq!(
            url(&[(STIR_TN_LIST, bad), (STIR_TN_LIST, URL)])
                .0
                .as_deref(),
            Some(URL)
        );
    }
    assert_eq!(url(&[(OCSP, URL)]), (None, false));
}
