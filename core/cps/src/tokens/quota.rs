//! How many tokens each credential gets a day, and which authorizations were used.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringtrue_stir::{Reason, UnixTime};

use super::digest_log::DigestLog;

/// Seconds of a day. Quotas are counted by UTC days.
const DAY: u64 = 86_400;

/// What the names of the files begin with; the day since the epoch follows.
const FILE_PREFIX: &str = "issued-";

/// Tokens that are counted in a day, over all credentials: 2 GiB of file would be more.
const MAX_ISSUED: usize = 50_000_000;

/// Authorizations that are remembered at once. Each lives at most two minutes and has cost a signature
/// of the issuer, so that more than these never come together.
const MAX_AUTHORIZATIONS: usize = 1_000_000;

/// Counts of one day. With a folder they outlast a restart, and replicas share them.
#[derive(Debug)]
pub(super) struct Quotas {
    folder: Option<PathBuf>,
    day: u64,
    log: Option<DigestLog>,
    issued: HashMap<[u8; 32], u32>,
    total: usize,
    /// Used authorizations with the time at which each ends.
    used: HashMap<[u8; 32], UnixTime>,
}

impl Quotas {
    pub(super) fn new(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            day: 0,
            log: None,
            issued: HashMap::new(),
            total: 0,
            used: HashMap::new(),
        }
    }

    /// Uses an authorization up. In memory alone: after a restart a copy of a whole request would get
    /// the signature again that its sender got, and nothing else.
    ///
    /// # Errors
    ///
    /// [`Reason::Replayed`] if it was used before.
    pub(super) fn use_once(
        &mut self,
        authorization: [u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<(), Reason> {
        if self.used.len() >= MAX_AUTHORIZATIONS {
            self.used.retain(|_, end| *end > now);
        }
        if self.used.len() >= MAX_AUTHORIZATIONS {
            return Err(Reason::OverLimit);
        }
        match self.used.insert(authorization, expires) {
            None => Ok(()),
            Some(_) => Err(Reason::Replayed),
        }
    }

    /// Counts one token for the holder of `signer`, the SHA-256 of the credential's public key.
    ///
    /// # Errors
    ///
    /// [`Reason::OverQuota`] if it had `quota` today, [`Reason::OverLimit`] if all together had more than
    /// a day may have, [`Reason::StateUnavailable`].
    pub(super) fn count(
        &mut self,
        signer: [u8; 32],
        quota: u32,
        now: UnixTime,
    ) -> Result<(), Reason> {
        self.turn_to(now)?;
        let (issued, total) = (&mut self.issued, &mut self.total);
        let mut note = |signer: [u8; 32]| {
            let count = issued.entry(signer).or_default();
            *count = count.saturating_add(1);
            *total = total.saturating_add(1);
        };
        let mut locked = self
            .log
            .as_mut()
            .map(|log| log.lock(&mut note))
            .transpose()?;
        if *total >= MAX_ISSUED {
            return Err(Reason::OverLimit);
        }
        if issued.get(&signer).copied().unwrap_or_default() >= quota {
            return Err(Reason::OverQuota);
        }
        if let Some(locked) = &mut locked {
            locked.append(&[signer])?;
        }
        let count = issued.entry(signer).or_default();
        *count = count.saturating_add(1);
        *total = total.saturating_add(1);
        Ok(())
    }

    /// Forgets what has ended; counts of today reach the disk for good.
    pub(super) fn tidy(&mut self, now: UnixTime) {
        self.used.retain(|_, end| *end > now);
        if let Some(log) = &mut self.log {
            log.sync();
        }
    }

    fn turn_to(&mut self, now: UnixTime) -> Result<(), Reason> {
        let day = now.as_secs().checked_div(DAY).unwrap_or_default();
        if day == self.day {
            return Ok(());
        }
        self.log = None;
        if let Some(folder) = &self.folder {
            std::fs::create_dir_all(folder).map_err(|_| Reason::StateUnavailable)?;
            // The day before goes too: its counts serve nobody any more.
            remove_other_days(folder, day);
            let path = folder.join(format!("{FILE_PREFIX}{day}"));
            self.log = Some(DigestLog::open(&path)?);
        }
        self.issued.clear();
        self.total = 0;
        self.day = day;
        Ok(())
    }
}

fn remove_other_days(folder: &Path, day: u64) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let of = name
            .to_str()
            .and_then(|name| name.strip_prefix(FILE_PREFIX))
            .and_then(|of| of.parse::<u64>().ok());
        // Tomorrow's is there if a replica's clock is a little ahead.
        if of.is_some_and(|of| of < day) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whole seconds until quotas begin anew.
pub(super) fn until_tomorrow(now: UnixTime) -> Duration {
    let into_day = now.as_secs().checked_rem(DAY).unwrap_or_default();
    Duration::from_secs(DAY.saturating_sub(into_day))
}
