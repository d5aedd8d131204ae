//! Worlds with a defect in them: the checker has to see each. A rule that cannot be broken proves nothing.

use crate::rules::{Feat, Rule};
use crate::state::{Bounds, Mutation};
use crate::worlds::{bounds, explored};

/// The rules that are broken in a world with this defect.
fn broken_by(mutation: Mutation, bounds: Bounds) -> Vec<Rule> {
    let mutation = Some(mutation);
    let name = format!("{mutation:?}");
    explored(&name, Bounds { mutation, ..bounds }).broken
}

#[test]
fn a_stolen_key_makes_calls_verified_that_nobody_placed() {
    let bounds = Bounds {
        end_ms: 0,
        ..bounds::nobody_calls()
    };
    let broken = broken_by(Mutation::StolenKeyOfC, bounds);
    assert_eq!(broken, [Rule::VerifiedOnlyIfPlaced]);
}

#[test]
fn so_does_a_signature_check_that_holds_for_anything() {
    let bounds = Bounds {
        end_ms: 0,
        ..bounds::nobody_calls()
    };
    let broken = broken_by(Mutation::Gullible, bounds);
    assert_eq!(broken, [Rule::VerifiedOnlyIfPlaced]);
}

#[test]
fn a_signature_check_that_holds_for_anything_lets_anybody_answer_who_reads_the_call() {
    let bounds = Bounds {
        spoofs: 0,
        end_ms: 500,
        ..bounds::answers()
    };
    let broken = broken_by(Mutation::Gullible, bounds);
    assert!(broken.contains(&Rule::AnswersOnlyByTheCallee), "{broken:?}");
}

#[test]
fn a_store_that_forgets_what_was_used_lets_one_passport_verify_two_calls() {
    let bounds = Bounds {
        end_ms: 500,
        ..bounds::race()
    };
    let broken = broken_by(Mutation::ForgetfulStore, bounds);
    // And what C reports of its own call confirms both.
    let rules = [Rule::ConfirmedOnlyByCoincidence, Rule::OnePassportOneCall];
    assert_eq!(broken, rules);
}

#[test]
fn without_a_call_table_one_of_two_calls_at_once_is_believed() {
    let bounds = Bounds {
        end_ms: 500,
        ..bounds::race()
    };
    let broken = broken_by(Mutation::NoCallTable, bounds);
    // And if D answers both, C's report confirms the wrong one as well.
    let rules = [Rule::ConfirmedOnlyByCoincidence, Rule::ConcurrentIsNotGood];
    assert_eq!(broken, rules);
}

#[test]
fn who_shows_only_the_first_verdict_believes_what_is_gone() {
    let bounds = Bounds {
        end_ms: 1000,
        ..bounds::race()
    };
    let broken = broken_by(Mutation::FirstVerdictStays, bounds);
    assert_eq!(broken, [Rule::ConcurrentIsNotGood, Rule::GoneIsNotGood]);
}

#[test]
fn without_a_race_the_true_call_is_confirmed_and_nothing_else_is() {
    let bounds = Bounds {
        spoofs: 0,
        ..bounds::race()
    };
    let found = explored("one call", bounds);
    found.require(&[Feat::TrueCallVerified, Feat::TrueCallConfirmed]);
    assert!(!found.feats.contains(&Feat::Refused));
}

#[test]
fn who_reads_what_is_meant_for_the_callee_can_spoil_a_call() {
    let bounds = Bounds {
        spoofs: 0,
        end_ms: 0,
        ..bounds::second_reader()
    };
    let broken = broken_by(Mutation::StricterRule, bounds);
    assert_eq!(broken, [Rule::StrangersSpoilNothing]);
}
