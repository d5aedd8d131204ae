//! Which of the endpoint's own keys outlive the statement that named them.

use ringtrue_oob::Suite;

use crate::OwnKeys;
use crate::own_keys::{OwnKey, Secret};

/// The most keys that are kept per suite, current and previous together (PRV-10).
const MAX_KEYS_PER_SUITE: usize = 2;

/// One more where nobody knows whether the generation before reached the directory: the one before
/// it may be what callers still find there.
const MAX_KEYS_UNACKNOWLEDGED: usize = 3;

impl OwnKeys {
    /// The statement that callers may hold: the last one that a directory has acknowledged. The next one
    /// names it as the one before it.
    pub(crate) fn last_acknowledged(&self) -> Option<[u8; 32]> {
        if self.published {
            Some(self.statement.digest)
        } else {
            self.acknowledged
        }
    }

    /// A key in software that was saved and not acknowledged, the current one first.
    pub(crate) fn unacknowledged_key(&self, suite: Suite) -> Option<&OwnKey> {
        if self.published {
            return None;
        }
        self.all()
            .find(|key| key.recipient.suite() == suite && matches!(key.secret, Secret::Software(_)))
    }

    /// These keys, as many as fit beside the `new` ones: callers hold their statement still.
    pub(crate) fn kept_beside(&self, new: &[OwnKey]) -> Vec<OwnKey> {
        let limit = if self.published {
            MAX_KEYS_PER_SUITE
        } else {
            MAX_KEYS_UNACKNOWLEDGED
        };
        let mut kept: Vec<OwnKey> = Vec::new();
        for key in self.all() {
            let suite = key.recipient.suite();
            let held = new
                .iter()
                .chain(&kept)
                .filter(|key| key.recipient.suite() == suite);
            let again = new
                .iter()
                .chain(&kept)
                .any(|k| k.recipient.as_octets() == key.recipient.as_octets());
            if !again && held.count() < limit {
                kept.push(key.clone());
            }
        }
        kept
    }
}
