//! The memory of spent tokens.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ringtrue_stir::{Reason, UnixTime};

/// A token as it is remembered: nothing that leads to a credential, a number or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpentToken {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// The id of the key that signed it. Tokens of one key are forgotten together.
    pub key_id: [u8; 32],
    /// The first second at which it need not be remembered: 120 s after the key's tokens end.
    pub until: UnixTime,
}

/// A memory of spent tokens. All replicas of a service share one, or a token is spent once at each.
///
/// Source: docs/protocol.md section 19.1 (PRV-32, threat T17).
pub trait SpentTokens: Debug + Send + Sync {
    /// Remembers these tokens, none of which was spent before; all or none.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenSpent`] if one of them was spent, or comes twice; [`Reason::OverLimit`] if there is
    /// no more room; [`Reason::StateUnavailable`] if the memory cannot be reached. Nothing is then
    /// remembered, and nothing may be stored for the tokens.
    fn spend(&self, tokens: &[SpentToken]) -> Result<(), Reason>;

    /// Forgets the tokens of keys that ended at or before `now`, and puts on disk what must outlast a
    /// loss of power. Called about once a second.
    fn tidy(&self, now: UnixTime);

    /// How many tokens are remembered.
    fn count(&self) -> usize;
}

/// The tokens that are remembered at most: some 100 octets each.
pub const DEFAULT_MAX_SPENT: usize = 4_000_000;

/// The spent tokens of a service that has no state folder: a restart forgets them.
#[derive(Debug)]
pub struct SpentInMemory {
    max: usize,
    keys: Mutex<HashMap<[u8; 32], OfKey>>,
}

#[derive(Debug)]
struct OfKey {
    until: UnixTime,
    spent: HashSet<[u8; 32]>,
}

impl SpentInMemory {
    /// Makes a memory of at most `max` tokens.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            max,
            keys: Mutex::default(),
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<[u8; 32], OfKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpentTokens for SpentInMemory {
    fn spend(&self, tokens: &[SpentToken]) -> Result<(), Reason> {
        require_distinct(tokens)?;
        let mut keys = self.keys();
        let is_spent = |token: &SpentToken| {
            keys.get(&token.key_id)
                .is_some_and(|of| of.spent.contains(&token.digest))
        };
        if tokens.iter().any(is_spent) {
            return Err(Reason::TokenSpent);
        }
        let held: usize = keys.values().map(|of| of.spent.len()).sum();
        if held.saturating_add(tokens.len()) > self.max {
            return Err(Reason::OverLimit);
        }
        for token in tokens {
            let of = keys.entry(token.key_id).or_insert_with(|| OfKey {
                until: token.until,
                spent: HashSet::new(),
            });
            of.spent.insert(token.digest);
        }
        Ok(())
    }

    fn tidy(&self, now: UnixTime) {
        self.keys().retain(|_, of| of.until > now);
    }

    fn count(&self) -> usize {
        self.keys().values().map(|of| of.spent.len()).sum()
    }
}

/// Refuses a token that comes twice in one request.
pub(super) fn require_distinct(tokens: &[SpentToken]) -> Result<(), Reason> {
    let mut seen = HashSet::new();
    if tokens.iter().all(|token| seen.insert(token.digest)) {
        Ok(())
    } else {
        Err(Reason::TokenSpent)
    }
}
