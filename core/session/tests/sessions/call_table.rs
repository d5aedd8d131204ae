//! Which calls can be mistaken for each other (W-7).

use proptest::prelude::*;
use ringtrue_session::{CallId, CallTable, Direction, MAX_CALLS, Monotonic, Progress};
use ringtrue_stir::TelephoneNumber;

use crate::world::{CALLEE, CALLER, STRANGER, number};

fn secs(secs: u64) -> Monotonic {
    Monotonic::from_ms(secs * 1000)
}

fn rings(table: &mut CallTable, from: &str, at: u64) -> (CallId, Vec<CallId>) {
    let id = table.ring(Some(number(from)), secs(at));
    (id, table.conflicts())
}

#[test]
fn two_calls_from_one_number_conflict_and_others_do_not() {
    let mut table = CallTable::new();
    let (first, none) = rings(&mut table, CALLER, 0);
    assert_eq!(none, []);
    assert_eq!(rings(&mut table, STRANGER, 1).1, []);
    for _ in 0..2 {
        table.ring(None, secs(1));
        assert_eq!(table.conflicts(), []);
    }
    table.dial(number(CALLER), secs(1));
    assert_eq!(table.conflicts(), []);
    let (second, both) = rings(&mut table, CALLER, 2);
    assert_eq!(both, [first, second]);
    // Each is told once.
    let (third, new) = rings(&mut table, CALLER, 3);
    assert_eq!(new, [third]);
}

#[test]
fn a_call_that_ended_conflicts_with_none() {
    let mut table = CallTable::new();
    let (first, _) = rings(&mut table, CALLER, 0);
    let was = table.ended(first).unwrap();
    assert_eq!(was.direction, Direction::Incoming);
    assert_eq!(was.progress, Progress::Alerting);
    assert!(table.ended(first).is_none());
    assert_eq!(rings(&mut table, CALLER, 1).1, []);
}

#[test]
fn an_answered_call_can_be_mistaken_for_two_minutes_unless_it_is_confirmed() {
    for (confirmed, at, conflict) in [
        (false, 1, true),
        (false, 120, true),
        (false, 121, false),
        (true, 1, false),
    ] {
        let mut table = CallTable::new();
        let (first, _) = rings(&mut table, CALLER, 0);
        table.answered(first);
        if confirmed {
            table.confirmed(first);
        }
        let (second, conflicts) = rings(&mut table, CALLER, at);
        let expected = if conflict {
            vec![first, second]
        } else {
            vec![]
        };
        assert_eq!(conflicts, expected, "{confirmed} {at}");
    }
}

#[test]
fn a_call_that_rings_for_longer_than_any_network_lets_it_is_over() {
    for (at, conflict) in [(180, true), (181, false)] {
        let mut table = CallTable::new();
        rings(&mut table, CALLER, 0);
        assert_eq!(
            !rings(&mut table, CALLER, at).1.is_empty(),
            conflict,
            "{at}"
        );
    }
}

#[test]
fn calls_only_proceed() {
    let mut table = CallTable::new();
    let id = table.dial(number(CALLEE), secs(0));
    table.confirmed(id);
    table.answered(id);
    assert_eq!(table.call(id).unwrap().progress, Progress::Confirmed);
    assert_eq!(table.call(id).unwrap().direction, Direction::Outgoing);
    assert_eq!(table.call(id).unwrap().began, secs(0));
    table.ended(id);
    table.answered(id);
    assert!(table.call(id).is_none() && table.is_empty());
}

#[test]
fn a_table_is_bounded_and_forgets_the_oldest_call() {
    let mut table = CallTable::new();
    let (first, _) = rings(&mut table, CALLER, 0);
    for _ in 0..MAX_CALLS {
        table.ring(None, secs(0));
    }
    assert_eq!(table.len(), MAX_CALLS);
    assert!(table.call(first).is_none());
    assert_eq!(format!("{table:?}"), "CallTable { calls: 64, .. }");
}

proptest! {
    // Whatever happens in which order: who is told has company with its number, and nobody twice.
    #[test]
    fn only_calls_with_company_are_told_and_only_once(
        steps in prop::collection::vec((0_u8..5, 0_usize..8, 0_u64..40_000), 1..80),
    ) {
        let numbers = [CALLER, CALLEE, STRANGER];
        let mut table = CallTable::new();
        let mut calls: Vec<(CallId, TelephoneNumber)> = Vec::new();
        let mut told = std::collections::BTreeSet::new();
        let mut ms = 0_u64;
        for (step, which, passes) in steps {
            ms = ms.saturating_add(passes);
            let known = calls.get(which).map(|(id, _)| *id);
            match (step, known) {
                (0, Some(id)) => table.answered(id),
                (1, Some(id)) => table.confirmed(id),
                (2, Some(id)) => drop(table.ended(id)),
                _ => {
                    let from = number(numbers[which % 3]);
                    let id = table.ring(Some(from.clone()), Monotonic::from_ms(ms));
                    calls.push((id, from));
                }
            }
            let conflicts = table.conflicts();
            prop_assert!(conflicts.len() != 1 || told.len() > 1);
            for id in conflicts {
                prop_assert!(told.insert(id));
                prop_assert!(table.call(id).is_some());
            }
            prop_assert!(table.len() <= MAX_CALLS);
        }
    }
}
