//! What was fetched and is kept.
//!
//! Pure: the time comes with each call. A key is the kind and the exact URL; what is kept for
//! certificates is the whole path, never the signer's alone (CRT-44). Entries are checked anew by
//! whoever uses them: the cache says only what the host served.

use std::collections::HashMap;
use std::time::Duration;

use ringtrue_stir::{Reason, UnixTime};

use super::FetchKind;

/// How long a failure is remembered: long enough that a call's polls and the redials after it do not
/// ask again, short enough that a repaired host is soon found.
pub(super) const KEEP_FAILURE: Duration = Duration::from_secs(30);

/// What an entry costs beside its octets and its URL.
const OVERHEAD: usize = 256;

/// A kind and an exact URL.
pub(super) type Key = (FetchKind, String);

/// What is kept under a key.
struct Entry<T> {
    outcome: Result<T, Reason>,
    weight: usize,
    stored: UnixTime,
    /// The last time the host was asked, whatever came of it.
    tried: UnixTime,
    until: UnixTime,
    last_use: u64,
}

/// A bounded cache that forgets what was not used for longest.
pub(super) struct Cache<T> {
    entries: HashMap<Key, Entry<T>>,
    octets: usize,
    uses: u64,
    max_entries: usize,
    max_octets: usize,
}

impl<T: Clone> Cache<T> {
    pub(super) fn new(max_entries: usize, max_octets: usize) -> Self {
        Self {
            entries: HashMap::new(),
            octets: 0,
            uses: 0,
            max_entries,
            max_octets,
        }
    }

    /// What is kept, unless its time is over. A clock that was put back makes an entry old: nobody can
    /// tell how long it has been here.
    pub(super) fn find(&mut self, key: &Key, now: UnixTime) -> Option<Result<T, Reason>> {
        self.uses = self.uses.saturating_add(1);
        let entry = self.entries.get_mut(key)?;
        if now < entry.stored || now >= entry.until {
            self.remove(key);
            return None;
        }
        entry.last_use = self.uses;
        Some(entry.outcome.clone())
    }

    /// Whether the host was asked within `period` before `now`.
    pub(super) fn was_tried(&self, key: &Key, period: Duration, now: UnixTime) -> bool {
        self.entries
            .get(key)
            .is_some_and(|entry| now >= entry.tried && now < entry.tried.plus(period))
    }

    /// Keeps `value`, which takes `octets`, for `keep`.
    pub(super) fn put(&mut self, key: Key, value: T, octets: usize, keep: Duration, now: UnixTime) {
        self.insert(key, Ok(value), octets, keep, now);
    }

    /// Remembers that `key` could not be fetched. What is kept of an earlier time stays: a host that
    /// is down now has not taken back what it served before.
    pub(super) fn put_failure(&mut self, key: Key, reason: Reason, now: UnixTime) {
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.outcome.is_ok()
            && now >= entry.stored
            && now < entry.until
        {
            entry.tried = now;
            return;
        }
        self.insert(key, Err(reason), 0, KEEP_FAILURE, now);
    }

    /// Keeps `key` until `until` at most.
    pub(super) fn shorten(&mut self, key: &Key, until: UnixTime) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.until = entry.until.min(until);
        }
    }

    /// Forgets `key`.
    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.octets = self.octets.saturating_sub(entry.weight);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.octets = 0;
    }

    fn insert(
        &mut self,
        key: Key,
        outcome: Result<T, Reason>,
        octets: usize,
        keep: Duration,
        now: UnixTime,
    ) {
        self.remove(&key);
        let weight = octets.saturating_add(key.1.len()).saturating_add(OVERHEAD);
        if keep.is_zero() || weight > self.max_octets || self.max_entries == 0 {
            return;
        }
        while self.entries.len() >= self.max_entries
            || self.octets.saturating_add(weight) > self.max_octets
        {
            // Some hundred entries at most: looking at each is quicker than keeping a list.
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.remove(&oldest);
        }
        self.uses = self.uses.saturating_add(1);
        self.octets = self.octets.saturating_add(weight);
        self.entries.insert(
            key,
            Entry {
                outcome,
                weight,
                stored: now,
                tried: now,
                until: now.plus(keep),
                last_use: self.uses,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use ringtrue_stir::{Reason, UnixTime};

    use super::{Cache, KEEP_FAILURE, Key, OVERHEAD};
    use crate::fetch::FetchKind;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(1_000_000).plus(Duration::from_secs(seconds))
    }

    fn key(url: &str) -> Key {
        (FetchKind::CertificatePath, url.to_owned())
    }

    fn cache() -> Cache<u32> {
        Cache::new(4, 100_000)
    }

    #[test]
    fn keeps_a_value_until_its_time_is_over() {
        let mut cache = cache();
        cache.put(key("a"), 1, 10, HOUR, at(0));
        assert_eq!(cache.find(&key("a"), at(0)), Some(Ok(1)));
        assert_eq!(cache.find(&key("a"), at(3599)), Some(Ok(1)));
        assert_eq!(cache.find(&key("a"), at(3600)), None);
        assert_eq!((cache.octets, cache.entries.len()), (0, 0));
    }

    #[test]
    fn a_clock_that_was_put_back_makes_an_entry_old() {
        let mut cache = cache();
        cache.put(key("a"), 1, 10, HOUR, at(100));
        assert_eq!(cache.find(&key("a"), at(99)), None);
        assert_eq!(cache.find(&key("a"), at(101)), None);
    }

    #[test]
    fn another_spelling_or_kind_is_another_entry() {
        let mut cache = cache();
        cache.put(key("https://h/a"), 1, 10, HOUR, at(0));
        for url in ["https://H/a", "https://h/a/", "https://h:443/a"] {
            assert_eq!(cache.find(&key(url), at(0)), None, "{url}");
        }
        let other = (FetchKind::Crl, "https://h/a".to_owned());
        assert_eq!(cache.find(&other, at(0)), None);
    }

    #[test]
    fn failures_are_remembered_shortly_and_never_replace_what_is_good() {
        let mut cache = cache();
        cache.put_failure(key("a"), Reason::TlsFailed, at(0));
        assert_eq!(
            cache.find(&key("a"), at(KEEP_FAILURE.as_secs() - 1)),
            Some(Err(Reason::TlsFailed))
        );
        assert_eq!(cache.find(&key("a"), at(KEEP_FAILURE.as_secs())), None);
        cache.put(key("b"), 2, 10, HOUR, at(0));
        cache.put_failure(key("b"), Reason::TlsFailed, at(10));
        assert_eq!(cache.find(&key("b"), at(3599)), Some(Ok(2)));
        assert!(cache.find(&key("b"), at(3600)).is_none());
        cache.put(key("c"), 3, 10, HOUR, at(0));
        cache.put_failure(key("c"), Reason::TlsFailed, at(3600));
        assert_eq!(
            cache.find(&key("c"), at(3601)),
            Some(Err(Reason::TlsFailed))
        );
    }

    #[test]
    fn remembers_when_the_host_was_last_asked() {
        let mut cache = cache();
        assert!(!cache.was_tried(&key("a"), HOUR, at(0)));
        cache.put(key("a"), 1, 10, HOUR.saturating_mul(9), at(0));
        assert!(cache.was_tried(&key("a"), HOUR, at(3599)));
        assert!(!cache.was_tried(&key("a"), HOUR, at(3600)));
        cache.put_failure(key("a"), Reason::TlsFailed, at(4000));
        assert!(cache.was_tried(&key("a"), HOUR, at(7599)));
        assert!(!cache.was_tried(&key("a"), HOUR, at(7600)));
    }

    #[test]
    fn forgets_what_was_not_used_for_longest() {
        let mut cache = cache();
        for (index, url) in ["a", "b", "c", "d"].into_iter().enumerate() {
            cache.put(key(url), u32::try_from(index).unwrap(), 10, HOUR, at(0));
        }
        cache.find(&key("a"), at(1));
        cache.put(key("e"), 9, 10, HOUR, at(1));
        assert_eq!(cache.find(&key("b"), at(1)), None);
        for url in ["a", "c", "d", "e"] {
            assert!(cache.find(&key(url), at(1)).is_some(), "{url}");
        }
    }

    #[test]
    fn octets_are_bounded_and_what_is_larger_than_all_is_not_kept() {
        let mut cache = Cache::new(100, 3 * (OVERHEAD + 1 + 1000));
        for url in ["a", "b", "c", "d"] {
            cache.put(key(url), 0_u32, 1000, HOUR, at(0));
        }
        assert_eq!(cache.entries.len(), 3);
        assert_eq!(cache.find(&key("a"), at(0)), None);
        cache.put(key("x"), 0, 1_000_000, HOUR, at(0));
        assert_eq!(cache.find(&key("x"), at(0)), None);
        assert_eq!(cache.entries.len(), 3);
    }

    #[test]
    fn a_bound_shortens_and_never_lengthens() {
        let mut cache = cache();
        cache.put(key("a"), 1, 10, HOUR, at(0));
        cache.shorten(&key("a"), at(7200));
        cache.shorten(&key("a"), at(60));
        cache.shorten(&key("nothing"), at(60));
        assert!(cache.find(&key("a"), at(59)).is_some());
        assert_eq!(cache.find(&key("a"), at(60)), None);
    }

    #[test]
    fn nothing_is_kept_for_no_time() {
        let mut cache = cache();
        cache.put(key("a"), 1, 10, HOUR, at(0));
        cache.put(key("a"), 2, 10, Duration::ZERO, at(1));
        assert_eq!(cache.find(&key("a"), at(1)), None);
    }

    proptest! {
        #[test]
        fn bounds_hold_whatever_is_done(
            steps in prop::collection::vec((0_u8..4, 0_u8..8, 0_usize..3000, 0_u64..100), 0..200)
        ) {
            let mut cache = Cache::new(5, 6000);
            for (what, name, octets, time) in steps {
                let key = key(&name.to_string());
                match what {
                    0 => cache.put(key, 1_u8, octets, Duration::from_secs(time), at(time)),
                    1 => cache.put_failure(key, Reason::TlsFailed, at(time)),
                    2 => drop(cache.find(&key, at(time))),
                    _ => cache.shorten(&key, at(time)),
                }
                let sum: usize = cache.entries.values().map(|entry| entry.weight).sum();
                prop_assert_eq!(sum, cache.octets);
                prop_assert!(cache.octets <= 6000 && cache.entries.len() <= 5);
            }
        }
    }
}
