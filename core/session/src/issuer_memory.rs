//! What an endpoint remembers of a token issuer, so that one that shows different keys is noticed.
//!
//! An issuer with a key of its own for each client could recognise the client by the key of its tokens.
//! So the directory is fetched twice, directly and through the relay, and must show every asker the
//! same keys, each of them before it signs.
//!
//! Source: docs/protocol.md section 19.1 (PRV-29, threat T9).

use core::time::Duration;

use ringtrue_oob::token::issuer_directory::{IssuerDirectory, PublishedKey};
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde::{Deserialize, Serialize};

/// The most keys that are remembered: those of a week.
const MAX_KEYS: usize = 8;

const MAX_RECORD_OCTETS: usize = 8192;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    id: String,
    not_before: u64,
}

/// The record of one issuer.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssuerMemory {
    v: u32,
    keys: Vec<Seen>,
    /// When its directory was looked at last, Unix seconds.
    looked: u64,
    /// Until when it is not believed, Unix seconds.
    #[serde(default)]
    distrusted_until: u64,
}

impl IssuerMemory {
    /// Reads the record; none, or one that cannot be read, remembers nothing.
    pub(crate) fn from_record(octets: Option<&[u8]>) -> Self {
        octets
            .filter(|octets| octets.len() <= MAX_RECORD_OCTETS)
            .and_then(|octets| serde_json::from_slice::<Self>(octets).ok())
            .filter(|memory| memory.v == 1 && memory.keys.len() <= MAX_KEYS)
            .unwrap_or_default()
    }

    pub(crate) fn to_record(&self) -> Result<Vec<u8>, Reason> {
        serde_json::to_vec(self).map_err(|_| Reason::Internal)
    }

    /// Whether the issuer was found out and is not used for now.
    pub(crate) fn is_distrusted(&self, now: UnixTime) -> bool {
        now.as_secs() < self.distrusted_until
    }

    /// Compares two views of the directory with each other and with what was seen before, and gives the
    /// key to use. An issuer that fails is not believed for as long as its keys could live.
    pub(crate) fn accept(
        &mut self,
        one: &IssuerDirectory,
        other: &IssuerDirectory,
        now: UnixTime,
        rotation: Duration,
    ) -> Result<PublishedKey, Reason> {
        if self.is_distrusted(now) {
            return Err(Reason::IssuerInconsistent);
        }
        if !self.is_consistent(one, other, now, rotation) {
            return Err(self.distrust(now, rotation));
        }
        let current = match one.current(now, rotation) {
            Ok(current) => current.clone(),
            Err(Reason::IssuerInconsistent) => return Err(self.distrust(now, rotation)),
            Err(reason) => return Err(reason),
        };
        for published in one.keys.iter().chain(&other.keys) {
            let seen = Seen::of(published);
            if !self.keys.contains(&seen) {
                self.keys.push(seen);
            }
        }
        self.keys
            .sort_by_key(|seen| core::cmp::Reverse(seen.not_before));
        self.keys.truncate(MAX_KEYS);
        self.v = 1;
        self.looked = self.looked.max(now.as_secs());
        Ok(current)
    }

    fn distrust(&mut self, now: UnixTime, rotation: Duration) -> Reason {
        self.v = 1;
        self.distrusted_until = now.plus(rotation).plus(rotation).as_secs();
        Reason::IssuerInconsistent
    }

    fn is_consistent(
        &self,
        one: &IssuerDirectory,
        other: &IssuerDirectory,
        now: UnixTime,
        rotation: Duration,
    ) -> bool {
        // A key may be announced or forgotten between the two requests; one that is good may not differ.
        let valid = |directory: &IssuerDirectory| -> Vec<Seen> {
            let keys = directory.keys.iter();
            keys.filter(|published| published.is_valid_at(now, rotation))
                .map(Seen::of)
                .collect()
        };
        let agrees = |seen: &Seen, known: &Seen| {
            (seen.id == known.id) == (seen.not_before == known.not_before)
        };
        let shown: Vec<Seen> = one.keys.iter().chain(&other.keys).map(Seen::of).collect();
        valid(one) == valid(other)
            && shown.iter().all(|seen| {
                let known = || shown.iter().chain(&self.keys);
                known().all(|known| agrees(seen, known))
                    // What signed already when the directory was looked at last was shown then.
                    && (seen.not_before > self.looked || self.keys.contains(seen)
                        || !self.remembers(seen))
            })
    }

    /// Whether a key of this time would still be remembered.
    fn remembers(&self, seen: &Seen) -> bool {
        self.keys.len() < MAX_KEYS
            || self
                .keys
                .last()
                .is_none_or(|oldest| seen.not_before > oldest.not_before)
    }
}

impl Seen {
    fn of(published: &PublishedKey) -> Self {
        Self {
            id: base64url::encode(published.key.key_id()),
            not_before: published.not_before.as_secs(),
        }
    }
}
