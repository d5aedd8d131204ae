//! `stir-constructed`: certificate paths and tokens, one defect each.

use std::collections::{BTreeMap, BTreeSet};

use ringtrue_stir::certificate::{
    Authority, CertificateBag, Profile, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{Passport, PassportType, VerifiedPassport};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, X5u};
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
const REFUSED: [(&str, &str, Reason); 27] = [
    ("dest-unsorted", "refuse-strict", Reason::NotCanonical),
    ("header-order", "refuse-strict", Reason::NotCanonical),
    ("payload-order", "refuse-strict", Reason::NotCanonical),
    ("payload-newline", "refuse-strict", Reason::NotCanonical),
    ("iat-float", "refuse", Reason::IatNotNumber),
    ("iat-missing", "refuse", Reason::MalformedClaims),
    ("orig-two-keys", "refuse", Reason::MalformedClaims),
    ("orig-plus", "refuse", Reason::MalformedNumber),
    ("dest-string", "refuse", Reason::MalformedClaims),
    ("dest-empty-array", "refuse", Reason::MalformedClaims),
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
    ("shaken-attest-D", "refuse", Reason::MalformedClaims),
    ("shaken-no-origid", "refuse", Reason::MalformedClaims),
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
    // Types that are not supported yet; what their records prove waits for them.
    (
        "div-does-not-match-inner-dest",
        "refuse",
        Reason::PptUnsupported,
    ),
    (
        "msgi-rfc9475-example-length",
        "refuse",
        Reason::PptUnsupported,
    ),
];

/// Of types that are not supported yet: ignored with a reason, never verified (W-28).
const LATER_TYPES: [(&str, &str, &str); 7] = [
    ("div-good", "accept", "div"),
    ("div-o-good", "accept", "div-o"),
    ("div-o-stale-inner", "refuse-policy", "div-o"),
    ("rcd-good", "accept", "rcd"),
    ("rcd-no-nam", "refuse-rcd", "rcd"),
    ("rcd-jcd-and-jcl", "refuse-rcd", "rcd"),
    ("msg-msgi-ok", "accept", "msg"),
];

/// Verified here, and what is left to say.
const VERIFIED: [(&str, &str); 11] = [
    ("shaken-good", "accept"),
    ("high-s", "accept"),
    ("low-s", "accept"),
    ("dest-tn-and-uri", "accept"),
    // Freshness is the session's to check.
    ("iat-future", "refuse-freshness"),
    ("iat-edge-59", "accept"),
    // With the certificates at hand nothing is fetched; the address is the fetcher's to refuse.
    ("x5u-loopback", "refuse-policy"),
    ("delegate-orig-in-range", "accept"),
    ("delegate-orig-last", "accept"),
    ("constraint-crn-ok", "accept"),
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
        } else if let Some((_, stated, ppt)) = LATER_TYPES.iter().find(|(known, ..)| *known == id) {
            let passport = Passport::parse(token).unwrap();
            assert_eq!(passport.kind(), PassportType::Unsupported, "{id}");
            assert_eq!(passport.ppt(), Some(*ppt), "{id}");
            assert!(passport.claims().orig().tn().is_some(), "{id}");
            assert_eq!(
                (outcome.unwrap_err(), expect),
                (Reason::PptUnsupported, *stated),
                "{id}"
            );
        } else if let Some((_, stated)) = VERIFIED.iter().find(|(known, _)| *known == id) {
            assert_eq!(expect, *stated, "{id}");
            check_verified(id, &outcome.unwrap());
        } else {
            panic!("{id} is not consumed");
        }
    }
    assert_eq!(
        consumed.len(),
        REFUSED.len() + LATER_TYPES.len() + VERIFIED.len()
    );
}

fn check_verified(id: &str, verified: &VerifiedPassport) {
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
        "x5u-loopback" => assert!(X5u::parse(verified.passport().x5u()).is_ok()),
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
