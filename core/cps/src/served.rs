//! Which suites a number is served in, and for how many keys, over time.

use ringtrue_oob::Suite;

/// The most keys that count. A sender uses at most the eight newest (W-17), so more dummies would hide
/// nothing; it also bounds the dummies of one number.
pub const MAX_SERVED_KEYS: u8 = 8;

/// The place of a suite in arrays of this crate, which is also its label in what dummies come from.
pub(crate) fn suite_index(suite: Suite) -> usize {
    Suite::ALL
        .iter()
        .position(|known| *known == suite)
        .unwrap_or(usize::MAX)
}

/// How many keys of each suite a number has in its live statements.
///
/// A suite with no key is not served: blobs of it are refused and it has no dummies (W-6). A suite that
/// this build cannot make dummies of ([`Suite::is_supported`]) is never served: its blobs would be
/// visible as real (PRV-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedKeys([u8; 4]);

impl Default for ServedKeys {
    /// S1 and S2 with one key each: what a number without live statements is served in (W-6).
    fn default() -> Self {
        Self([1, 1, 0, 0])
    }
}

impl ServedKeys {
    /// Counts keys, the most important first. Keys beyond [`MAX_SERVED_KEYS`] are ignored; no key at
    /// all gives the default.
    #[must_use]
    pub fn from_keys(keys: impl IntoIterator<Item = Suite>) -> Self {
        let mut counts = [0_u8; 4];
        let keys = keys.into_iter().filter(|suite| suite.is_supported());
        for suite in keys.take(usize::from(MAX_SERVED_KEYS)) {
            if let Some(count) = counts.get_mut(suite_index(suite)) {
                *count = count.saturating_add(1);
            }
        }
        if counts == [0; 4] {
            Self::default()
        } else {
            Self(counts)
        }
    }

    /// Number of keys of this suite.
    #[must_use]
    pub fn keys(self, suite: Suite) -> u8 {
        self.0.get(suite_index(suite)).copied().unwrap_or_default()
    }

    /// The suite of each key, in the order S1 to S4.
    pub(crate) fn to_suites(self) -> Vec<Suite> {
        let keys = |suite: &Suite| std::iter::repeat_n(*suite, usize::from(self.keys(*suite)));
        Suite::ALL.iter().flat_map(keys).collect()
    }

    /// Of each suite the larger number of keys.
    fn max(self, other: Self) -> Self {
        let mut counts = self.0;
        for (count, other) in counts.iter_mut().zip(other.0) {
            *count = other.max(*count);
        }
        Self(counts)
    }
}

/// [`ServedKeys`] as a step function of time, in milliseconds. It also holds the future, because
/// statements end at a known time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServedTimeline {
    /// `(from, keys)` in order of time; before the first step the default holds.
    steps: Vec<(u64, ServedKeys)>,
}

impl ServedTimeline {
    pub(crate) fn at(&self, at_ms: u64) -> ServedKeys {
        self.steps
            .iter()
            .rev()
            .find(|(from, _)| *from <= at_ms)
            .map_or_else(ServedKeys::default, |(_, keys)| *keys)
    }

    /// The most keys of `suite` at any time from `from_ms` to `to_ms`, both included.
    pub(crate) fn most_keys(&self, suite: Suite, from_ms: u64, to_ms: u64) -> u8 {
        self.steps
            .iter()
            .filter(|(at, _)| (from_ms..=to_ms).contains(at))
            .map(|(_, keys)| keys.keys(suite))
            .chain([self.at(from_ms).keys(suite)])
            .max()
            .unwrap_or_default()
    }

    /// Of each suite the most keys at any time from `from_ms` to `to_ms`, both included.
    pub(crate) fn widest(&self, from_ms: u64, to_ms: u64) -> ServedKeys {
        self.steps
            .iter()
            .filter(|(at, _)| (from_ms..=to_ms).contains(at))
            .fold(self.at(from_ms), |widest, (_, keys)| widest.max(*keys))
    }

    /// The first step after `after_ms`.
    pub(crate) fn next_step(&self, after_ms: u64) -> Option<u64> {
        self.steps
            .iter()
            .map(|(from, _)| *from)
            .find(|from| *from > after_ms)
    }

    /// The latest moment not after `now_ms` at which `suite` had not been served for `lifetime_ms`, so
    /// that surely nothing of it was alive.
    pub(crate) fn last_empty(&self, suite: Suite, lifetime_ms: u64, now_ms: u64) -> Option<u64> {
        let starts = [(0, ServedKeys::default())]
            .into_iter()
            .chain(self.steps.iter().copied());
        let ends = self.steps.iter().map(|(from, _)| *from).chain([u64::MAX]);
        starts
            .zip(ends)
            .filter(|((_, keys), _)| keys.keys(suite) == 0)
            .filter_map(|((from, _), end)| {
                let empty = from.checked_add(lifetime_ms)?;
                (empty <= now_ms && empty <= end).then(|| end.saturating_sub(1).min(now_ms))
            })
            .max()
    }

    /// Replaces everything from `now_ms` on.
    pub(crate) fn replace_from(&mut self, now_ms: u64, future: &[(u64, ServedKeys)]) {
        self.steps.retain(|(from, _)| *from < now_ms);
        for (from, keys) in future {
            let from = (*from).max(now_ms);
            if self.at(from) != *keys {
                self.steps.push((from, *keys));
            }
        }
    }

    /// Forgets what held before `keep_from_ms`; whether nothing but the default is left to say.
    pub(crate) fn forget_before(&mut self, keep_from_ms: u64) -> bool {
        // The last step before the horizon says what held at the horizon.
        while self
            .steps
            .get(1)
            .is_some_and(|(from, _)| *from <= keep_from_ms)
        {
            self.steps.remove(0);
        }
        match self.steps.as_slice() {
            [] => true,
            [(from, keys)] => *from <= keep_from_ms && *keys == ServedKeys::default(),
            _ => false,
        }
    }

    /// The last moment at which something changes.
    pub(crate) fn last_step(&self) -> Option<u64> {
        self.steps.last().map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_oob::Suite;

    use super::{ServedKeys, ServedTimeline};

    fn keys(suites: &[Suite]) -> ServedKeys {
        ServedKeys::from_keys(suites.iter().copied())
    }

    #[test]
    fn no_key_means_the_default_and_only_the_first_eight_count() {
        assert_eq!(keys(&[]), ServedKeys::default());
        let many = keys(&[Suite::S1; 20]);
        assert_eq!(many.keys(Suite::S1), 8);
        assert_eq!(many.keys(Suite::S2), 0);
    }

    #[test]
    fn suites_without_dummies_are_never_served() {
        let mixed = keys(&[Suite::S3, Suite::S2, Suite::S4]);
        for suite in Suite::ALL {
            assert!(mixed.keys(*suite) == 0 || suite.is_supported());
        }
        assert_eq!(mixed.keys(Suite::S2), 1);
    }

    #[test]
    fn the_step_function_holds_its_future() {
        let mut timeline = ServedTimeline::default();
        let one = keys(&[Suite::S1]);
        timeline.replace_from(100, &[(100, one), (500, ServedKeys::default())]);
        assert_eq!(timeline.at(99), ServedKeys::default());
        assert_eq!(timeline.at(100), one);
        assert_eq!(timeline.at(499), one);
        assert_eq!(timeline.at(500), ServedKeys::default());
        assert_eq!(timeline.next_step(100), Some(500));
        assert_eq!(timeline.next_step(500), None);
        assert_eq!(timeline.most_keys(Suite::S2, 0, 600), 1);
        assert_eq!(timeline.most_keys(Suite::S2, 100, 499), 0);
    }

    #[test]
    fn the_widest_holds_of_each_suite_what_was_there_at_any_time() {
        let mut timeline = ServedTimeline::default();
        let steps = [(100, keys(&[Suite::S1; 3])), (200, keys(&[Suite::S2; 2]))];
        timeline.replace_from(100, &steps);
        let widest = timeline.widest(150, 200);
        assert_eq!(
            widest.to_suites(),
            [[Suite::S1; 3].as_slice(), &[Suite::S2; 2]].concat()
        );
        assert_eq!(timeline.widest(150, 199), keys(&[Suite::S1; 3]));
        assert_eq!(timeline.widest(0, 99), ServedKeys::default());
    }

    #[test]
    fn a_replacement_keeps_the_past_and_drops_the_old_future() {
        let mut timeline = ServedTimeline::default();
        timeline.replace_from(100, &[(100, keys(&[Suite::S1])), (900, keys(&[]))]);
        timeline.replace_from(200, &[(200, keys(&[Suite::S2]))]);
        assert_eq!(timeline.at(150), keys(&[Suite::S1]));
        assert_eq!(timeline.at(1000), keys(&[Suite::S2]));
    }

    #[test]
    fn the_past_is_forgotten_only_as_far_as_nothing_looks_back() {
        let mut timeline = ServedTimeline::default();
        timeline.replace_from(100, &[(100, keys(&[Suite::S1])), (900, keys(&[]))]);
        assert!(!timeline.forget_before(899));
        assert_eq!(timeline.at(899), keys(&[Suite::S1]));
        assert!(timeline.forget_before(900));
        assert_eq!(timeline.at(901), ServedKeys::default());
    }

    #[test]
    fn emptiness_is_known_only_after_a_full_lifetime_unserved() {
        let mut timeline = ServedTimeline::default();
        timeline.replace_from(1000, &[(1000, keys(&[Suite::S1])), (1050, keys(&[]))]);
        assert_eq!(timeline.last_empty(Suite::S2, 30, 1029), None);
        assert_eq!(timeline.last_empty(Suite::S2, 30, 1030), Some(1030));
        assert_eq!(timeline.last_empty(Suite::S2, 30, 2000), Some(1049));
        assert_eq!(timeline.last_empty(Suite::S2, 60, 2000), None);
        assert_eq!(timeline.last_empty(Suite::S1, 30, 2000), None);
    }
}
