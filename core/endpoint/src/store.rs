//! Where an endpoint keeps its keys, what it knows of others, and which PASSporTs it has used.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ringtrue_session::Saved;
use ringtrue_stir::Reason;
use zeroize::Zeroizing;

/// A small key-value store with two transactions.
///
/// Called on a thread that may block, never under a lock. Several processes may use one store at once
/// (an application and its extension). What a method has returned survives the death of the process
/// at any moment.
pub trait StateStore: Send + Sync {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`].
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason>;

    /// Writes a record if it still holds `expected`, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`].
    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason>;

    /// Inserts the mark `name` unless it is there, in one transaction; true if it was not. `expires`
    /// and `now` are Unix seconds: marks with `expires` before `now` may be forgotten.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`].
    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason>;
}

/// A store that forgets everything with the process. For tests and for endpoints that only ring once.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    records: BTreeMap<String, Zeroizing<Vec<u8>>>,
    claims: BTreeMap<String, u64>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl StateStore for MemoryStore {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.records.get(name).cloned())
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.records.get(name).map(|held| held.as_slice()) != expected {
            return Ok(Saved::Changed);
        }
        state
            .records
            .insert(name.to_owned(), Zeroizing::new(value.to_vec()));
        Ok(Saved::Written)
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.claims.retain(|_, until| *until >= now);
        if state.claims.contains_key(name) {
            return Ok(false);
        }
        state.claims.insert(name.to_owned(), expires);
        Ok(true)
    }
}
