//! `docs/privacy.md` is checked against the sources in the same way: every requirement of privacy stands
//! there once, every file exists, and every proof is a test.

use std::collections::{BTreeMap, BTreeSet};

use super::{REASONS, code, document, require_path, require_test, rows};

const FILE: &str = "docs/privacy.md";

/// Requirements PRV-1 to this one.
const LAST: u32 = 56;

/// The parties that are asked what they learn.
const PARTIES: [&str; 6] = [
    "service",
    "issuer",
    "directory",
    "relay",
    "network",
    "stranger",
];

#[test]
fn every_requirement_of_privacy_stands_once_with_its_place_and_its_proof() {
    let document = document(FILE);
    let mut missing: BTreeSet<String> = (1..=LAST).map(|number| format!("PRV-{number}")).collect();
    let mut sources = BTreeMap::new();
    for row in rows(&document, "Requirements") {
        let [id, requirement, level, place, proof] = &row[..] else {
            panic!("five cells are wanted: {row:?}")
        };
        assert!(
            missing.remove(id),
            "{id} stands twice or is not in the list"
        );
        for cell in [requirement, level, proof] {
            assert!(!cell.is_empty(), "{id} has an empty cell");
        }
        for path in code(place) {
            require_path(path, id);
        }
        if REASONS.iter().any(|reason| proof.starts_with(reason)) {
            assert!(proof.len() > 40, "{id}: a reason is wanted");
            continue;
        }
        assert!(!code(place).is_empty(), "{id} is met nowhere");
        let proofs = code(proof);
        assert!(!proofs.is_empty(), "{id} has neither test nor reason");
        for proof in proofs {
            require_test(&mut sources, proof, id);
        }
    }
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

#[test]
fn what_each_party_learns_is_told_and_tested() {
    let mut missing = BTreeSet::from(PARTIES);
    let mut sources = BTreeMap::new();
    for row in rows(&document(FILE), "Who learns what") {
        let [party, learns, not, proof] = &row[..] else {
            panic!("four cells are wanted: {row:?}")
        };
        let party = party.as_str();
        assert!(
            !learns.is_empty() && !not.is_empty(),
            "{party} has an empty cell"
        );
        missing.retain(|wanted| !party.contains(wanted));
        assert!(!code(proof).is_empty(), "{party} has no test");
        for proof in code(proof) {
            require_test(&mut sources, proof, party);
        }
    }
    assert!(missing.is_empty(), "without a row: {missing:?}");
}
