//! State records outside of sessions: what is read before the first one, and the credential.

use std::sync::Arc;

use ringtrue_session::{RecordKey, RecordName, Saved};
use ringtrue_stir::Reason;
use zeroize::Zeroizing;

use crate::StateStore;

/// The store and the key that hides from it what it keeps.
#[derive(Clone)]
pub(crate) struct Records {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) key: RecordKey,
}

impl Records {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`]; [`Reason::RecordNotOpened`].
    pub(crate) fn load(&self, record: &RecordName) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        self.store
            .load(self.key.name(record).as_str())?
            .map(|sealed| self.key.open(record, &sealed))
            .transpose()
    }

    /// Puts `value` in the place of whatever the record holds, also of what does not open.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`], also if another process wrote at the same moment.
    pub(crate) fn replace(&self, record: &RecordName, value: &[u8]) -> Result<(), Reason> {
        let name = self.key.name(record);
        let held = self.store.load(name.as_str())?;
        let held = held.as_ref().map(|held| held.as_slice());
        let sealed = self.key.seal(record, value)?;
        match self.store.save(name.as_str(), held, &sealed)? {
            Saved::Written => Ok(()),
            Saved::Changed => Err(Reason::StateUnavailable),
        }
    }
}
