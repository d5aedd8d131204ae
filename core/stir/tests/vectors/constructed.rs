//! `stir-constructed`: certificate paths and tokens, one defect each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ringtrue_stir::certificate::{
    Authority, CertificateBag, Profile, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::chain::DiversionChain;
use ringtrue_stir::passport::{Passport, PassportType, VerifiedPassport};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, Strictness, TelephoneNumber, UnixTime};
use serde_json::Value;

use crate::{Folder, public_key, unhex};

/// 2026-11-21T12:00:00Z, the time at which the folder is to be evaluated.
const AT: u64 = 1_795_262_400;

struct Chain {
    bag: CertificateBag,
    path: Result<VerifiedPath, Reason>,
}

fn path(
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    profile: Profile,
) -> Result<VerifiedPath, Reason> {
    let signer = &bag.certificates()[0];
    let at = UnixTime::from_secs(AT);
    verify_path(&RustCrypto, signer, bag, anchors, at, profile)
}

fn chains(folder: &mut Folder) -> BTreeMap<String, (Value, Chain)> {
    let file = folder.json("chains.json");
    assert_eq!(file["evaluate_at"], "2026-11-21T12:00:00+00:00");
    let anchors =
        TrustAnchors::from_pem(&folder.text(file["trust_anchor"].as_str().unwrap())).unwrap();
    let mut chains = BTreeMap::new();
    for record in file["chains"].as_array().unwrap() {
        let bag = CertificateBag::from_pem(&folder.text(record["file"].as_str().unwrap())).unwrap();
        let path = path(&bag, &anchors, Profile::Stir);
        let id = record["id"].as_str().unwrap().to_owned();
        chains.insert(id, (record.clone(), Chain { bag, path }));
    }
    chains
}

/// A number that a chain's own list holds.
fn listed_number(list: &TnAuthList) -> Option<TelephoneNumber> {
    list.entries().iter().find_map(|entry| match entry {
        Entry::One(one) => Some(one.clone()),
        Entry::Range { start, .. } => Some(start.clone()),
        _ => None,
    })
}

#[test]
fn paths_are_accepted_refused_or_left_to_policy_as_expected() {
    let mut folder = Folder::open("stir-constructed");
    let chains = chains(&mut folder);
    for (id, (record, chain)) in &chains {
        let leaf = &chain.bag.certificates()[0];
        let list = TnAuthList::decode(&unhex(record["tnauthlist_der_hex"].as_str().unwrap()));
        assert_eq!(leaf.tn_auth_list(), list.as_ref().ok(), "{id}");
        assert_eq!(record["adjacent_signatures_verify"], Value::Bool(true));
        for pair in chain.bag.certificates().windows(2) {
            let issuer = pair[1].public_key().unwrap();
            assert_eq!(
                pair[0].verify_signature(&RustCrypto, issuer),
                Ok(()),
                "{id}"
            );
        }
        let number = listed_number(&list.unwrap());
        let outcome = chain.path.as_ref().map(|path| match &number {
            Some(number) => path.covers(number),
            None => path.covers(&TelephoneNumber::from_canonical("12155550121").unwrap()),
        });
        let expected = match id.as_str() {
            "sp" => Ok(Authority::BySpc("709J".to_owned())),
            "delegate" | "one" | "inside-range-parent" | "constrained" | "excluded" => {
                Ok(Authority::Covered)
            }
            "spc-parent-number-child" => Ok(Authority::EncompassUnknown),
            "outside" => Err(&Reason::ScopeNotEncompassed),
            "expired" => Err(&Reason::CertificateExpired),
            "self-signed" => Err(&Reason::NoPathToAnchor),
            "sp-no-intermediate" => Err(&Reason::ChainIncomplete),
            other => panic!("{other} is not consumed"),
        };
        assert_eq!(outcome, expected, "{id}");
        let expect = match expected {
            Ok(Authority::EncompassUnknown) => "policy",
            Ok(_) => "accept",
            Err(_) => "refuse",
        };
        assert_eq!(record["expect"], expect, "{id}");
    }
    assert_eq!(chains.len(), 11);
    let intermediate_without_list = chains["sp"].1.bag.certificates()[1].tn_auth_list();
    assert_eq!(intermediate_without_list, None);

    let bags = chains
        .iter()
        .map(|(id, (_, chain))| (id.as_str(), &chain.bag))
        .collect();
    let file = folder.json("chains.json");
    let anchors = TrustAnchors::from_pem(&folder.text("root.pem")).unwrap();
    let at = UnixTime::from_secs(AT);
    crate::revocation::check(&mut folder, &file, &anchors, &bags, at);

    check_tokens(&folder.json("passports.json"), &chains);
    folder.assert_consumed();
}

fn verify(token: &str, chain: &Chain) -> Result<VerifiedPassport, Reason> {
    let passport = Passport::parse(token)?;
    let path = chain.path.as_ref().map_err(|reason| *reason)?;
    if let Some(signer) = passport.find_signer(&RustCrypto, &chain.bag) {
        assert_eq!(signer, &chain.bag.certificates()[0]);
    }
    passport.verify(&RustCrypto, path)
}

/// Refused here, and why.
const REFUSED: [(&str, &str, Reason); 26] = [
    ("dest-unsorted", "refuse-strict", Reason::DestNotSorted),
    ("header-order", "refuse-strict", Reason::NotCanonical),
    ("payload-order", "refuse-strict", Reason::NotCanonical),
    ("payload-newline", "refuse-strict", Reason::NotCanonical),
    ("iat-float", "refuse", Reason::IatNotNumber),
    ("iat-missing", "refuse", Reason::IatMissing),
    ("orig-two-keys", "refuse", Reason::MalformedOrig),
    ("orig-plus", "refuse", Reason::MalformedNumber),
    ("dest-string", "refuse", Reason::MalformedDest),
    ("dest-empty-array", "refuse", Reason::MalformedDest),
    (
        "payload-duplicate-member",
        "refuse",
        Reason::DuplicateMember,
    ),
    ("typ-jwt", "refuse", Reason::TypeMismatch),
    ("typ-missing", "refuse", Reason::TypeMismatch),
    ("alg-mismatch", "refuse", Reason::AlgorithmNotAllowed),
    ("sig-der", "refuse", Reason::MalformedSignature),
    ("sig-zero", "refuse", Reason::MalformedSignature),
    ("sig-flipped", "refuse", Reason::SignatureInvalid),
    ("base64-padding", "refuse", Reason::MalformedToken),
    ("base64-standard-alphabet", "refuse", Reason::MalformedToken),
    ("shaken-attest-D", "refuse", Reason::AttestNotAllowed),
    ("shaken-no-origid", "refuse", Reason::MalformedOrigid),
    ("x5u-http", "refuse-policy", Reason::MalformedUrl),
    ("x5u-file", "refuse-policy", Reason::MalformedUrl),
    (
        "constraint-crn-missing",
        "refuse",
        Reason::ClaimConstraintViolated,
    ),
    (
        "constraint-excluded-rcd",
        "refuse",
        Reason::ClaimConstraintViolated,
    ),
    (
        "msgi-rfc9475-example-length",
        "refuse",
        Reason::MalformedDigest,
    ),
];

/// Diversions: each token verifies, and so does the one before it; then the chain counts.
const DIVERTED: [(&str, &str); 4] = [
    ("div-good", "accept"),
    ("div-does-not-match-inner-dest", "refuse"),
    ("div-o-good", "accept"),
    ("div-o-stale-inner", "refuse-policy"),
];

/// Verified here, and what is left to say.
const VERIFIED: [(&str, &str); 15] = [
    ("shaken-good", "accept"),
    ("high-s", "accept"),
    ("low-s", "accept"),
    ("dest-tn-and-uri", "accept"),
    // Freshness is the session's to check.
    ("iat-future", "refuse-freshness"),
    ("iat-edge-59", "accept"),
    // The form of x5u is asked for apart, as nothing is fetched with certificates at hand.
    ("x5u-loopback", "refuse-policy"),
    ("delegate-orig-in-range", "accept"),
    ("delegate-orig-last", "accept"),
    ("constraint-crn-ok", "accept"),
    ("msg-msgi-ok", "accept"),
    // The content of rich call data is checked apart from the token (`rcd`).
    ("rcd-good", "accept"),
    ("rcd-no-nam", "refuse-rcd"),
    ("rcd-jcd-and-jcl", "refuse-rcd"),
    // Whether a provider code is enough is policy, and so is where an answer may come from.
    ("rsp-good", "policy"),
];

fn check_tokens(file: &Value, chains: &BTreeMap<String, (Value, Chain)>) {
    let mut consumed = BTreeSet::new();
    for record in file.as_array().unwrap() {
        let id = record["id"].as_str().unwrap();
        assert!(consumed.insert(id), "{id} comes twice");
        let token = record["token"].as_str().unwrap();
        let chain = &chains[record["chain"].as_str().unwrap()].1;
        assert_eq!(record["evaluate_at"].as_u64(), Some(AT));
        let key = public_key(record["public_key_pem"].as_str().unwrap());
        assert_eq!(chain.bag.certificates()[0].public_key(), Some(&key), "{id}");
        let outcome = verify(token, chain);
        let expect = record["expect"].as_str().unwrap();

        if let Some((_, stated, reason)) = REFUSED.iter().find(|(known, ..)| *known == id) {
            assert_eq!((outcome.unwrap_err(), expect), (*reason, *stated), "{id}");
            check_refused(token, chain, *reason, expect);
        } else if let Some((_, stated)) = DIVERTED.iter().find(|(known, _)| *known == id) {
            assert_eq!(expect, *stated, "{id}");
            check_diverted(id, record, &outcome.unwrap(), &chains["sp"].1);
        } else if let Some((_, stated)) = VERIFIED.iter().find(|(known, _)| *known == id) {
            assert_eq!(expect, *stated, "{id}");
            check_verified(id, record, &outcome.unwrap());
        } else {
            panic!("{id} is not consumed");
        }
    }
    assert_eq!(
        consumed.len(),
        REFUSED.len() + DIVERTED.len() + VERIFIED.len()
    );
}

/// What is refused in strict mode alone is accepted with a warning in the other; the rest in neither.
/// Every defect is found by examining, too.
fn check_refused(token: &str, chain: &Chain, reason: Reason, expect: &str) {
    let is_tolerable = expect == "refuse-strict";
    let (passport, reasons) = Passport::examine(token, Strictness::Strict);
    let only_in_signature = matches!(
        reason,
        Reason::SignatureInvalid | Reason::ClaimConstraintViolated
    );
    assert_eq!(reasons.contains(&reason), !only_in_signature);
    assert_eq!(passport.is_some(), is_tolerable || only_in_signature);
    let lenient = Passport::parse_with(token, Strictness::Lenient).and_then(|passport| {
        let path = chain.path.as_ref().unwrap();
        passport.verify_with(&RustCrypto, path, Strictness::Lenient)
    });
    match lenient {
        Ok(verified) => {
            assert!(is_tolerable);
            assert_eq!(verified.deviations(), [reason]);
        }
        Err(refused) => assert_eq!((refused, is_tolerable), (reason, false)),
    }
}

fn check_diverted(id: &str, record: &Value, outer: &VerifiedPassport, inner_signer: &Chain) {
    let inner = match outer.claims().opt() {
        Some(inner) => {
            assert_eq!(outer.kind(), PassportType::DivO, "{id}");
            inner.text().to_owned()
        }
        None => record["inner"].as_str().unwrap().to_owned(),
    };
    let inner = verify(&inner, inner_signer).unwrap();
    let alone = DiversionChain::assemble(core::slice::from_ref(outer));
    assert_eq!(alone.unwrap_err(), Reason::DivChainIncomplete, "{id}");
    let chain = DiversionChain::assemble(&[outer.clone(), inner.clone(), outer.clone()]);
    if id == "div-does-not-match-inner-dest" {
        assert_eq!(chain.unwrap_err(), Reason::DivMismatch);
        return;
    }
    let chain = chain.unwrap();
    assert_eq!(chain.links().len(), 1);
    assert!(chain.innermost().passport().says_the_same(inner.passport()));
    // The signer covers the number that diverted, and not the caller.
    let speaks_for = |verified: &VerifiedPassport, number| verified.path().covers(number);
    let div = outer.claims().div().unwrap().identity().tn().unwrap();
    let orig = outer.claims().orig().tn().unwrap();
    assert_eq!(speaks_for(outer, div), Authority::Covered);
    assert_eq!(speaks_for(outer, orig), Authority::None);
    // The original signer has a provider code only, and what it is worth is policy.
    assert_eq!(chain.require_authority(), Err(Reason::AuthorityBySpc));
    let minute = Duration::from_secs(60);
    let fresh = chain.check_freshness(UnixTime::from_secs(AT), minute, minute, minute);
    if id == "div-o-stale-inner" {
        assert_eq!(fresh, Err(Reason::InnerStale));
    } else {
        assert_eq!(fresh, Ok(()));
    }
}

fn check_verified(id: &str, record: &Value, verified: &VerifiedPassport) {
    let orig = verified.claims().orig().tn().unwrap();
    let authority = verified.path().covers(orig);
    match id {
        "delegate-orig-in-range" | "delegate-orig-last" | "constraint-crn-ok" => {
            assert_eq!(authority, Authority::Covered, "{id}");
            assert_eq!(verified.path().require_covered(orig), Ok(()));
        }
        _ => {
            assert_eq!(authority, Authority::BySpc("709J".to_owned()), "{id}");
            assert_eq!(
                verified.path().require_covered(orig),
                Err(Reason::AuthorityBySpc)
            );
        }
    }
    let iat = verified.claims().iat().as_secs();
    match id {
        "iat-future" => assert_eq!(iat, AT + 120),
        "iat-edge-59" => assert_eq!(iat, AT - 59),
        _ => assert_eq!(iat, AT),
    }
    match id {
        "shaken-good" => {
            assert_eq!(verified.kind(), PassportType::Shaken);
            assert_eq!(
                verified.claims().attest().map(|attest| attest.as_str()),
                Some("A")
            );
            assert!(verified.claims().origid().is_some());
        }
        "rsp-good" => assert_eq!(verified.kind(), PassportType::Rsp),
        "dest-tn-and-uri" => assert!(!verified.claims().dest().uri.is_empty()),
        "x5u-loopback" => {
            assert_eq!(
                verified.passport().check_x5u_form(),
                Err(Reason::AddressNotAllowed)
            );
        }
        "msg-msgi-ok" => {
            assert_eq!(verified.kind(), PassportType::Msg);
            let msgi = verified.claims().msgi().unwrap();
            assert!(msgi.matches(record["body"].as_str().unwrap().as_bytes()));
            assert!(!msgi.matches(b"hello"));
        }
        "rcd-good" | "rcd-no-nam" | "rcd-jcd-and-jcl" => {
            assert_eq!(verified.kind(), PassportType::Rcd);
            assert!(verified.claims().rcd().is_some_and(Value::is_object));
        }
        _ => {}
    }
}

#[test]
fn high_and_low_s_are_one_for_the_replay_cache() {
    let mut folder = Folder::open("stir-constructed");
    let chains = chains(&mut folder);
    let file = folder.json("passports.json");
    let digest = |id: &str| {
        let record = file
            .as_array()
            .unwrap()
            .iter()
            .find(|record| record["id"] == id);
        let token = record.unwrap()["token"].as_str().unwrap();
        verify(token, &chains["sp"].1).unwrap().replay_digest()
    };
    assert_eq!(digest("high-s"), digest("low-s"));
    assert_ne!(digest("high-s"), digest("iat-edge-59"));
    assert_ne!(digest("dest-tn-and-uri"), digest("low-s"));
    // The type does not make two calls of one.
    assert_eq!(digest("shaken-good"), digest("low-s"));
}

#[test]
fn the_delegate_profile_wants_a_list_of_every_issuer_below_the_anchor() {
    let mut folder = Folder::open("stir-constructed");
    let chains = chains(&mut folder);
    let anchors = TrustAnchors::from_pem(&folder.text("root.pem")).unwrap();
    let number = TelephoneNumber::from_canonical("12125551500").unwrap();
    // The upper intermediate of this path has no list (W-25).
    let bag = &chains["delegate"].1.bag;
    for (profile, authority) in [
        (Profile::Stir, Authority::Covered),
        (Profile::Shaken, Authority::Covered),
        (Profile::Delegate, Authority::EncompassUnknown),
    ] {
        let path = path(bag, &anchors, profile).unwrap();
        assert_eq!(path.covers(&number), authority, "{profile:?}");
    }
}
