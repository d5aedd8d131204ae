//! The keys of a token issuer: one for each day, announced a day before, kept over a restart.
//!
//! A key signs for one rotation period, and its tokens are taken for one more. Periods begin at whole
//! multiples of their length since the epoch, so that the times of neighbours always differ by exactly
//! one period, whenever the service was started or was down. All clients of a period get signatures by
//! the same key: there is only one (PRV-30).
//!
//! Source: docs/protocol.md section 19.1 (PRV-30, PRV-31).

use std::fs::{OpenOptions, hard_link, remove_file};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ringtrue_oob::token::IssuerKey;
use ringtrue_oob::token::issuer_directory::PublishedKey;
use ringtrue_raw_rsa::{MAX_PKCS8_LEN, RsaIssuerKey};
use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

use super::digest_log::only_for_this_user;

/// What the names of key files begin with; the time from which the key signs and `.der` follow.
const FILE_PREFIX: &str = "issuer-key-";
const FILE_SUFFIX: &str = ".der";

/// A private key and what is published of it.
#[derive(Debug)]
pub(crate) struct SigningKey {
    pub(crate) private: RsaIssuerKey,
    pub(crate) published: PublishedKey,
}

impl SigningKey {
    fn new(private: RsaIssuerKey, not_before: UnixTime) -> Result<Self, Reason> {
        let key = IssuerKey::from_modulus(private.modulus())?;
        Ok(Self {
            private,
            published: PublishedKey { key, not_before },
        })
    }
}

/// The keys that are held now, the oldest first.
#[derive(Debug)]
pub struct IssuerKeys {
    folder: Option<PathBuf>,
    rotation: Duration,
    keys: RwLock<Vec<Arc<SigningKey>>>,
    /// Whoever makes keys holds it: making one takes a while, and readers must not wait.
    making: Mutex<()>,
}

impl IssuerKeys {
    /// Loads the keys of a folder and makes what is missing: a key that signs now and the next one.
    /// Without a folder each start makes new keys, which clients take for a fraud; for laboratories.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a period of zero seconds, [`Reason::StateUnavailable`],
    /// [`Reason::MalformedRecord`] if a key's file is damaged, [`Reason::RandomnessUnavailable`].
    pub fn open(folder: Option<&Path>, rotation: Duration, now: UnixTime) -> Result<Self, Reason> {
        if rotation.as_secs() == 0 {
            return Err(Reason::ConfigurationInvalid);
        }
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(|_| Reason::StateUnavailable)?;
        }
        let keys = Self {
            folder: folder.map(Path::to_owned),
            rotation,
            keys: RwLock::default(),
            making: Mutex::default(),
        };
        keys.advance(now)?;
        Ok(keys)
    }

    /// Makes the keys that `now` needs and forgets those that ended. May take half a second, about once
    /// a period.
    ///
    /// # Errors
    ///
    /// As [`IssuerKeys::open`]; the keys before stay.
    pub fn advance(&self, now: UnixTime) -> Result<(), Reason> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let period = self.rotation.as_secs().max(1);
        let begin = now
            .as_secs()
            .checked_div(period)
            .unwrap_or_default()
            .saturating_mul(period);
        let previous = begin.checked_sub(period);
        let next = begin.saturating_add(period);
        let mut keys = Vec::new();
        for (not_before, is_needed) in [(previous, false), (Some(begin), true), (Some(next), true)]
        {
            let Some(not_before) = not_before.map(UnixTime::from_secs) else {
                continue;
            };
            if let Some(key) = self.held_or_loaded(not_before)? {
                keys.push(key);
            } else if is_needed {
                keys.push(Arc::new(self.make(not_before)?));
            }
        }
        let ended = {
            let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, keys)
        };
        for key in ended {
            if key.published.end(self.rotation) <= now
                && let Some(path) = self.path(key.published.not_before)
            {
                // Gone already if a replica was quicker.
                let _ = remove_file(path);
            }
        }
        Ok(())
    }

    /// What the directory shows: the retired key, the one that signs, and the next.
    #[must_use]
    pub fn published(&self) -> Vec<PublishedKey> {
        self.held()
            .iter()
            .map(|key| key.published.clone())
            .collect()
    }

    /// The key that signs at `now`.
    pub(crate) fn signing(&self, now: UnixTime) -> Option<Arc<SigningKey>> {
        self.held().into_iter().rev().find(|key| {
            let from = key.published.not_before;
            (from..from.plus(self.rotation)).contains(&now)
        })
    }

    fn held(&self) -> Vec<Arc<SigningKey>> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn path(&self, not_before: UnixTime) -> Option<PathBuf> {
        let name = format!("{FILE_PREFIX}{}{FILE_SUFFIX}", not_before.as_secs());
        Some(self.folder.as_deref()?.join(name))
    }

    fn held_or_loaded(&self, not_before: UnixTime) -> Result<Option<Arc<SigningKey>>, Reason> {
        let is_it = |key: &Arc<SigningKey>| key.published.not_before == not_before;
        if let Some(key) = self.held().into_iter().find(is_it) {
            return Ok(Some(key));
        }
        match self.path(not_before) {
            Some(path) => load(&path, not_before).map(|key| key.map(Arc::new)),
            None => Ok(None),
        }
    }

    /// A fresh key, or that of a replica which made one first.
    fn make(&self, not_before: UnixTime) -> Result<SigningKey, Reason> {
        let key = SigningKey::new(RsaIssuerKey::generate()?, not_before)?;
        let Some(path) = self.path(not_before) else {
            return Ok(key);
        };
        if save(&path, &key)? {
            return Ok(key);
        }
        load(&path, not_before)?.ok_or(Reason::StateUnavailable)
    }
}

fn load(path: &Path, not_before: UnixTime) -> Result<Option<SigningKey>, Reason> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(Reason::StateUnavailable),
    };
    let max = u64::try_from(MAX_PKCS8_LEN.saturating_add(1)).unwrap_or(u64::MAX);
    // With room for all of it, so that reading leaves no copies behind.
    let mut der = Zeroizing::new(Vec::with_capacity(MAX_PKCS8_LEN.saturating_mul(2)));
    file.take(max)
        .read_to_end(&mut der)
        .map_err(|_| Reason::StateUnavailable)?;
    let key = SigningKey::new(RsaIssuerKey::from_pkcs8(&der)?, not_before)?;
    Ok(Some(key))
}

/// Writes a key's file, whole or not at all; `false` if there is one already.
fn save(path: &Path, key: &SigningKey) -> Result<bool, Reason> {
    let unavailable = |_| Reason::StateUnavailable;
    // Replicas write at the same time, and in containers all of them may be process 1: only what is
    // written tells them apart.
    let mut id = base16ct::lower::encode_string(key.published.key.key_id());
    id.truncate(16);
    let temporary = path.with_extension(format!("new-{id}"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    only_for_this_user(&mut options);
    let mut file = options.open(&temporary).map_err(unavailable)?;
    let written = file
        .write_all(&key.private.to_pkcs8()?)
        .and_then(|()| file.sync_all())
        .map_err(unavailable)
        .and_then(|()| match hard_link(&temporary, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(_) => Err(Reason::StateUnavailable),
        });
    let _ = remove_file(&temporary);
    written
}
