//! Every state that can be reached, breadth first, each once.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// Something whose states are to be explored.
pub(crate) trait Model {
    type State: Clone + Hash;
    type Action: Clone;
    /// What may be seen on the way to a state: broken rules, and things that must be possible.
    type Sight: Clone + Ord;

    fn initial(&self) -> Self::State;
    /// What can happen in a state.
    fn actions(&mut self, state: &Self::State) -> Vec<Self::Action>;
    /// The state after it, and what was seen.
    fn apply(
        &mut self,
        state: &Self::State,
        action: &Self::Action,
    ) -> (Self::State, Vec<Self::Sight>);
}

/// What was found.
pub(crate) struct Explored<M: Model> {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    pub(crate) depth: usize,
    pub(crate) took: Duration,
    /// Everything that was seen, with a shortest way to it.
    pub(crate) sights: BTreeMap<M::Sight, Vec<M::Action>>,
}

/// Two hashes with different beginnings: 128 bits, so that no two of a million states are taken for
/// one (the chance is below 10^-26).
fn fingerprint<S: Hash>(state: &S) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        state.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// Explores everything.
///
/// # Panics
///
/// With more than `limit` states: the bound of the model is not what it was meant to be.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it took is printed, and nothing depends on it"
)]
pub(crate) fn explore<M: Model>(model: &mut M, limit: usize) -> Explored<M> {
    let started = Instant::now();
    let initial = model.initial();
    let mut known = HashSet::from([fingerprint(&initial)]);
    // For the way back: where each state was first come from, and how.
    let mut ways: Vec<Option<(usize, M::Action)>> = vec![None];
    let mut open = VecDeque::from([(initial, 0, 0)]);
    let mut explored = Explored {
        states: 1,
        transitions: 0,
        depth: 0,
        took: Duration::ZERO,
        sights: BTreeMap::new(),
    };
    while let Some((state, at, depth)) = open.pop_front() {
        explored.depth = explored.depth.max(depth);
        for action in model.actions(&state) {
            explored.transitions += 1;
            let (next, sights) = model.apply(&state, &action);
            for sight in sights {
                explored
                    .sights
                    .entry(sight)
                    .or_insert_with(|| way_to(&ways, at, action.clone()));
            }
            if known.insert(fingerprint(&next)) {
                ways.push(Some((at, action)));
                open.push_back((next, ways.len() - 1, depth + 1));
                assert!(ways.len() <= limit, "more than {limit} states");
            }
        }
    }
    explored.states = ways.len();
    explored.took = started.elapsed();
    explored
}

fn way_to<A: Clone>(ways: &[Option<(usize, A)>], mut at: usize, last: A) -> Vec<A> {
    let mut way = vec![last];
    while let Some((before, action)) = &ways[at] {
        way.push(action.clone());
        at = *before;
    }
    way.reverse();
    way
}
