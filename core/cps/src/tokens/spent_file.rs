//! The spent tokens in a folder: they outlast a restart, and replicas share them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ringtrue_stir::{Reason, UnixTime};

use super::digest_log::DigestLog;
use super::spent::{SpentToken, SpentTokens, require_distinct};

/// What the names of the files begin with; the key's id and the time until which it is kept follow.
const FILE_PREFIX: &str = "spent-";

/// The spent tokens of one service and its replicas, in a folder that all of them write to: one file
/// for each issuer key, which is deleted when the key's time has passed.
///
/// A token that is spent survives the end of the process at once, and a loss of power within a second:
/// waiting for the disk would cost each call that time, and all that such a second gives away is
/// another store of a blob that lives half a minute.
#[derive(Debug)]
pub struct SpentInFolder {
    folder: PathBuf,
    max: usize,
    keys: Mutex<HashMap<[u8; 32], OfKey>>,
}

#[derive(Debug)]
struct OfKey {
    until: UnixTime,
    log: DigestLog,
    spent: HashSet<[u8; 32]>,
}

impl SpentInFolder {
    /// Uses a folder; makes it if it is missing. At most `max` tokens are remembered.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if the folder cannot be made.
    pub fn open(folder: &Path, max: usize) -> Result<Self, Reason> {
        std::fs::create_dir_all(folder).map_err(|_| Reason::StateUnavailable)?;
        Ok(Self {
            folder: folder.to_owned(),
            max,
            keys: Mutex::default(),
        })
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<[u8; 32], OfKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_key(&self, token: &SpentToken) -> Result<OfKey, Reason> {
        let mut id = base16ct::lower::encode_string(&token.key_id);
        id.truncate(32);
        let until = token.until.as_secs();
        let path = self.folder.join(format!("{FILE_PREFIX}{id}-{until}"));
        Ok(OfKey {
            until: token.until,
            log: DigestLog::open(&path)?,
            spent: HashSet::new(),
        })
    }
}

impl SpentTokens for SpentInFolder {
    fn spend(&self, tokens: &[SpentToken]) -> Result<(), Reason> {
        require_distinct(tokens)?;
        let mut keys = self.keys();
        for token in tokens {
            if let Entry::Vacant(vacant) = keys.entry(token.key_id) {
                vacant.insert(self.open_key(token)?);
            }
        }
        let held: usize = keys.values().map(|of| of.spent.len()).sum();
        if held.saturating_add(tokens.len()) > self.max {
            return Err(Reason::OverLimit);
        }
        // In one order everywhere, so that two replicas never wait for each other.
        let mut used: Vec<([u8; 32], &mut OfKey)> = keys
            .iter_mut()
            .map(|(id, of)| (*id, of))
            .filter(|(id, _)| tokens.iter().any(|token| token.key_id == *id))
            .collect();
        used.sort_by_key(|(id, _)| *id);
        let mut locks = Vec::new();
        for (id, of) in used {
            let OfKey { log, spent, .. } = of;
            let lock = log.lock(|record| {
                spent.insert(record);
            })?;
            locks.push((id, lock, spent));
        }
        let of_key = |id: &[u8; 32]| -> Vec<[u8; 32]> {
            tokens
                .iter()
                .filter(|token| token.key_id == *id)
                .map(|token| token.digest)
                .collect()
        };
        let is_spent = locks
            .iter()
            .any(|(id, _, spent)| of_key(id).iter().any(|digest| spent.contains(digest)));
        if is_spent {
            return Err(Reason::TokenSpent);
        }
        for (id, lock, spent) in &mut locks {
            // If the second key's file fails, the tokens of the first are gone: rather that than twice.
            let digests = of_key(id);
            lock.append(&digests)?;
            spent.extend(digests);
        }
        Ok(())
    }

    fn tidy(&self, now: UnixTime) {
        let mut keys = self.keys();
        keys.retain(|_, of| of.until > now);
        for of in keys.values_mut() {
            of.log.sync();
        }
        drop(keys);
        // Files of keys that this process never saw go as well.
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let until = name
                .to_str()
                .and_then(|name| name.strip_prefix(FILE_PREFIX))
                .and_then(|rest| rest.rsplit_once('-'))
                .and_then(|(_, until)| until.parse().ok());
            if until.is_some_and(|until| UnixTime::from_secs(until) <= now) {
                // Another replica may have been quicker.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    fn count(&self) -> usize {
        self.keys().values().map(|of| of.spent.len()).sum()
    }
}
