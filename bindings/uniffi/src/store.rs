//! A state store of the application's own.

use std::sync::Arc;

use ringtrue::{Reason, Saved};
use zeroize::Zeroizing;

use crate::HostError;

/// A small key-value store with two transactions, in the place of the state file.
///
/// Called on a thread of the library that may block. Several processes may use one store at once (an
/// application and its extension). What a method has returned survives the death of the process at any
/// moment. Names and values are sealed: they show neither numbers nor keys. Whatever is thrown becomes
/// `state_unavailable`.
#[uniffi::export(foreign)]
pub trait StateStore: Send + Sync {
    /// Reads a record; nothing if there is none.
    ///
    /// # Errors
    ///
    /// `Failed` if the store cannot be read.
    fn load(&self, name: String) -> Result<Option<Vec<u8>>, HostError>;

    /// Writes a record if it still holds `expected` (nothing: if there is none), in one transaction. False
    /// if it holds something else, and then nothing is written.
    ///
    /// # Errors
    ///
    /// `Failed` if the store cannot be written.
    fn save(
        &self,
        name: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, HostError>;

    /// Inserts the mark `name` unless it is there, in one transaction; true if it was not. Both times are
    /// in seconds since the Unix epoch: marks that expire before now may be forgotten.
    ///
    /// # Errors
    ///
    /// `Failed` if the store cannot be written.
    fn claim(&self, name: String, expires_unix_s: u64, now_unix_s: u64) -> Result<bool, HostError>;
}

/// The application's store as the core wants it.
pub(crate) struct HostStore(pub(crate) Arc<dyn StateStore>);

impl ringtrue::StateStore for HostStore {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        let held = self.0.load(name.to_owned());
        held.map(|held| held.map(Zeroizing::new))
            .map_err(|HostError::Failed| Reason::StateUnavailable)
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        let expected = expected.map(<[u8]>::to_vec);
        match self.0.save(name.to_owned(), expected, value.to_vec()) {
            Ok(true) => Ok(Saved::Written),
            Ok(false) => Ok(Saved::Changed),
            Err(HostError::Failed) => Err(Reason::StateUnavailable),
        }
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        let claimed = self.0.claim(name.to_owned(), expires, now);
        claimed.map_err(|HostError::Failed| Reason::StateUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ringtrue::{Reason, Saved, StateStore as _};

    use super::{HostStore, StateStore};
    use crate::HostError;

    struct Fake(Result<bool, HostError>);

    impl StateStore for Fake {
        fn load(&self, name: String) -> Result<Option<Vec<u8>>, HostError> {
            assert_eq!(name, "n");
            self.0.map(|held| held.then(|| vec![1]))
        }

        fn save(
            &self,
            name: String,
            expected: Option<Vec<u8>>,
            value: Vec<u8>,
        ) -> Result<bool, HostError> {
            assert_eq!((&*name, expected, value), ("n", Some(vec![2]), vec![3]));
            self.0
        }

        fn claim(&self, name: String, expires: u64, now: u64) -> Result<bool, HostError> {
            assert_eq!((&*name, expires, now), ("n", 5, 4));
            self.0
        }
    }

    #[test]
    fn what_a_store_says_arrives() {
        for says in [true, false] {
            let store = HostStore(Arc::new(Fake(Ok(says))));
            let held = store.load("n").unwrap();
            assert_eq!(held.map(|held| held.to_vec()), says.then(|| vec![1]));
            let saved = store.save("n", Some(&[2]), &[3]).unwrap();
            assert_eq!(saved == Saved::Written, says);
            assert_eq!(store.claim("n", 5, 4), Ok(says));
        }
    }

    #[test]
    fn a_store_that_fails_is_named() {
        let store = HostStore(Arc::new(Fake(Err(HostError::Failed))));
        let unavailable = Some(Reason::StateUnavailable);
        assert_eq!(store.load("n").err(), unavailable);
        assert_eq!(store.save("n", Some(&[2]), &[3]).err(), unavailable);
        assert_eq!(store.claim("n", 5, 4).err(), unavailable);
    }
}
