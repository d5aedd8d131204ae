//! Authority over numbers along a path (CRT-7, CRT-9 to CRT-11, CRT-31 to CRT-33, W-25).

use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{Authority, Profile, VerifiedPath, verify_path};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::Entry;

use crate::issuing::{AUTHORITY_INFO_ACCESS, Key, NOW, Template, block, one, spc};
use crate::paths::{anchors, bag};
use crate::tn;

/// An access description with id-ad-stirTNList, or with OCSP, and some URL.
fn info_access(method: u8) -> Vec<u8> {
    let mut value = vec![
        0x30, 0x17, 0x30, 0x15, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 48, method,
    ];
    value.extend([0x86, 0x09]);
    value.extend(b"https://x");
    value
}

/// Root, upper CA, lower CA, leaf.
fn path(
    upper: &Template,
    lower: &Template,
    leaf: &Template,
    profile: Profile,
) -> Result<VerifiedPath, Reason> {
    let (root_key, upper_key, lower_key) = (Key::new(), Key::new(), Key::new());
    // The anchor's own list is not counted: it holds nothing of the others.
    let root = Template::ca("root", &[one("1")]).issue(&root_key.public, "root", &root_key);
    let upper = upper.issue(&upper_key.public, "root", &root_key);
    let lower = lower.issue(&lower_key.public, "upper", &upper_key);
    let leaf = leaf.issue(&Key::new().public, "lower", &lower_key);
    let bag = bag(&[&leaf, &lower, &upper]);
    verify_path(&RustCrypto, &leaf, &bag, &anchors(&[&root]), NOW, profile)
}

fn authority(upper: &[Entry], lower: &[Entry], profile: Profile) -> Result<Authority, Reason> {
    path(
        &Template::ca("upper", upper),
        &Template::ca("lower", lower),
        &Template::leaf(&[one("12025550143")]),
        profile,
    )
    .map(|path| path.covers(&tn("12025550143")))
}

#[test]
fn every_list_above_limits_in_every_profile() {
    let number = || one("12025550143");
    let block = || block("12025550100", 100);
    let elsewhere = || one("13035550143");
    for profile in [Profile::Delegate, Profile::Shaken, Profile::Stir] {
        let authority = |upper: &[Entry], lower: &[Entry]| authority(upper, lower, profile);
        assert_eq!(authority(&[block()], &[number()]), Ok(Authority::Covered));
        let outside = Err(Reason::ScopeNotEncompassed);
        assert_eq!(authority(&[block()], &[elsewhere()]), outside);
        assert_eq!(authority(&[elsewhere()], &[block()]), outside);
        assert_eq!(authority(&[number()], &[block()]), outside);
        assert_eq!(authority(&[elsewhere()], &[]), outside);
    }
}

#[test]
fn a_ca_without_a_list_does_not_limit_except_in_the_delegate_profile() {
    let block = || block("12025550100", 100);
    for profile in [Profile::Shaken, Profile::Stir] {
        assert_eq!(authority(&[], &[], profile), Ok(Authority::Covered));
        assert_eq!(authority(&[block()], &[], profile), Ok(Authority::Covered));
    }
    for (upper, lower) in [
        (vec![], vec![]),
        (vec![block()], vec![]),
        (vec![], vec![block()]),
    ] {
        assert_eq!(
            authority(&upper, &lower, Profile::Delegate),
            Ok(Authority::EncompassUnknown)
        );
    }
}

#[test]
fn a_provider_code_above_leaves_numbers_unknown() {
    for profile in [Profile::Delegate, Profile::Stir] {
        assert_eq!(
            authority(&[spc("709J")], &[spc("709J")], profile),
            Ok(Authority::EncompassUnknown)
        );
        assert_eq!(
            authority(&[spc("709J")], &[spc("1234")], profile),
            Err(Reason::ScopeNotEncompassed)
        );
    }
}

#[test]
fn a_provider_code_counts_only_where_every_issuer_was_entitled_to_it() {
    let by_reference = |entries: &[Entry]| {
        let value = info_access(14);
        Template::ca("lower", entries).with_extension(AUTHORITY_INFO_ACCESS, false, &value)
    };
    let code = |lower: &Template, profile| {
        let leaf = Template::leaf(&[spc("709J"), one("13035550143")]);
        let upper = Template::ca("upper", &[]);
        path(&upper, lower, &leaf, profile).map(|path| path.covers(&tn("12025550143")))
    };
    let lower = |entries: &[Entry]| Template::ca("lower", entries);
    let known = || Ok(Authority::BySpc("709J".to_owned()));
    assert_eq!(code(&lower(&[]), Profile::Stir), known());
    // Whether the lower CA may delegate the other number is unknown, and says nothing of the code.
    assert_eq!(code(&lower(&[spc("709J")]), Profile::Stir), known());
    assert_eq!(code(&by_reference(&[spc("709J")]), Profile::Stir), known());
    // Who was given numbers behind a URL must not become a provider by keeping them unfetched.
    for entries in [&[][..], &[spc("1234")], &[one("13035550143")]] {
        let lower = by_reference(entries);
        assert_eq!(code(&lower, Profile::Stir), Ok(Authority::Unknown));
        assert_eq!(code(&lower, Profile::Shaken), Ok(Authority::Unknown));
    }
    // What numbers need in this profile is not asked of codes, which are for policy anyway (CRT-11).
    assert_eq!(code(&lower(&[]), Profile::Delegate), known());
    assert_eq!(
        code(&lower(&[one("13035550143")]), Profile::Stir),
        Err(Reason::ScopeNotEncompassed)
    );
}

#[test]
fn a_list_behind_a_url_is_unknown_not_absent() {
    let by_reference = |template: Template, method| {
        template.with_extension(AUTHORITY_INFO_ACCESS, false, &info_access(method))
    };
    let leaf = Template::leaf(&[one("12025550143")]);
    let covers = |lower: Template| {
        path(&Template::ca("upper", &[]), &lower, &leaf, Profile::Stir)
            .unwrap()
            .covers(&tn("12025550143"))
    };
    let lower = |entries: &[Entry]| Template::ca("lower", entries);
    assert_eq!(
        covers(by_reference(lower(&[]), 14)),
        Authority::EncompassUnknown
    );
    let elsewhere = lower(&[one("1")]);
    assert_eq!(
        covers(by_reference(elsewhere, 14)),
        Authority::EncompassUnknown
    );
    let inline = lower(&[one("12025550143")]);
    assert_eq!(covers(by_reference(inline, 14)), Authority::Covered);
    assert_eq!(covers(by_reference(lower(&[]), 1)), Authority::Covered);
}

#[test]
fn a_signer_says_nothing_beyond_its_own_list() {
    let ca = || [Template::ca("upper", &[]), Template::ca("lower", &[])];
    let path = |leaf: &Template| {
        let [upper, lower] = ca();
        path(&upper, &lower, leaf, Profile::Stir).unwrap()
    };
    let number = tn("12025550143");
    let none = path(&Template::leaf(&[]));
    assert_eq!(none.covers(&number), Authority::None);
    assert_eq!(
        none.require_covered(&number),
        Err(Reason::TnAuthListMissing)
    );
    let other = path(&Template::leaf(&[one("12025550144")]));
    assert_eq!(other.covers(&number), Authority::None);
    assert_eq!(
        other.require_covered(&number),
        Err(Reason::NumberNotCovered)
    );
    let code = path(&Template::leaf(&[spc("709J")]));
    assert_eq!(code.covers(&number), Authority::BySpc("709J".to_owned()));
    assert_eq!(code.require_covered(&number), Err(Reason::AuthorityBySpc));
    let both = path(&Template::leaf(&[spc("709J"), one("12025550143")]));
    assert_eq!(both.covers(&number), Authority::Covered);
    assert_eq!(format!("{:?}", code.covers(&number)), "BySpc(..)");
}
