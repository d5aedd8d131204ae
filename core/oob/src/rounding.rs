//! How many blobs a store holds: always 1, 2, 4 or 8, so that its size hardly tells for how many keys a
//! message was sealed (W-18).

use crate::Suite;

/// The suites of the fillers that go into one store beside the blobs of the suites `real`, so that it
/// holds 1, 2, 4 or 8 blobs in all: those that are there, in turn, in the order S1 to S4.
///
/// The rule has no choice in it: a service at dummy level D2 expects just these blobs of a caller
/// ([`rounded_copies`]). More than eight blobs do not fit one store; for them there is no filler.
///
/// Source: docs/protocol.md section 19.4 (W-18).
#[must_use]
pub fn filler_suites(real: &[Suite]) -> Vec<Suite> {
    let mut present = real.to_vec();
    present.sort_unstable();
    present.dedup();
    let missing = real
        .len()
        .checked_next_power_of_two()
        .unwrap_or_default()
        .saturating_sub(real.len());
    if real.len() > crate::http::placement::MAX_STORE_BLOBS {
        return Vec::new();
    }
    present.into_iter().cycle().take(missing).collect()
}

/// How many blobs of `suite` a store holds that was made for recipients with keys of the suites `keys`.
#[must_use]
pub fn rounded_copies(keys: &[Suite], suite: Suite) -> usize {
    let fillers = filler_suites(keys);
    keys.iter()
        .chain(&fillers)
        .filter(|of| **of == suite)
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{filler_suites, rounded_copies};
    use crate::Suite;

    fn any_suite() -> impl Strategy<Value = Suite> {
        prop::sample::select(Suite::ALL)
    }

    #[test]
    fn nothing_is_added_to_one_two_four_or_eight_and_nothing_to_none() {
        for count in [0, 1, 2, 4, 8] {
            assert_eq!(filler_suites(&vec![Suite::S2; count]), []);
        }
    }

    #[test]
    fn fillers_take_the_suites_that_are_there_in_turn() {
        let (one, two, four) = (Suite::S1, Suite::S2, Suite::S4);
        assert_eq!(filler_suites(&[two, one, two]), [one]);
        assert_eq!(filler_suites(&[four; 3]), [four]);
        assert_eq!(filler_suites(&[two, two, two, one, two]), [one, two, one]);
        assert_eq!(rounded_copies(&[two, two, two, one, two], one), 3);
        assert_eq!(rounded_copies(&[two, two, two, one, two], four), 0);
    }

    #[test]
    fn what_does_not_fit_one_store_gets_no_filler() {
        assert_eq!(filler_suites(&[Suite::S1; 9]), []);
        assert_eq!(filler_suites(&[Suite::S1; 16]), []);
    }

    proptest! {
        #[test]
        fn every_store_is_rounded_up_and_no_suite_is_added(
            real in prop::collection::vec(any_suite(), 1..=8),
        ) {
            let fillers = filler_suites(&real);
            let total = [real.clone(), fillers.clone()].concat().len();
            prop_assert!([1, 2, 4, 8].contains(&total));
            prop_assert!(fillers.len() < real.len());
            prop_assert!(fillers.iter().all(|suite| real.contains(suite)));
            let sum: usize = Suite::ALL.iter().map(|suite| rounded_copies(&real, *suite)).sum();
            prop_assert_eq!(sum, total);
        }

        #[test]
        fn the_order_of_the_real_ones_changes_nothing(
            mut real in prop::collection::vec(any_suite(), 1..=8),
        ) {
            let before = filler_suites(&real);
            real.reverse();
            prop_assert_eq!(filler_suites(&real), before);
        }
    }
}
