//! The key directory: which key statements a number has. Pure: times are parameters.
//!
//! What is put in here was verified; who reads it verifies it again. One live statement per signer and
//! number (W-11); a statement dies at `exp`, its sequence number is remembered for a day longer.

use std::collections::{BTreeSet, HashMap};

use ringtrue_oob::Suite;
use ringtrue_oob::http::directory::MAX_STATEMENTS;
use ringtrue_stir::{TelephoneNumber, UnixTime};

use crate::served::ServedKeys;

/// How long a sequence number is remembered after its statement's end, in seconds (W-11).
const SEQUENCE_MEMORY_S: u64 = 86_400;

/// Signers per number. An answer holds eight statements; more signers with authority over one number
/// are a mistake or an attack, and each of them needs a certificate.
pub(crate) const MAX_SIGNERS: usize = 16;

/// What an entry is charged beyond its text.
const ENTRY_OVERHEAD: usize = 512;

/// A statement that was verified for the number it is stored under.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CheckedStatement {
    pub(crate) text: String,
    /// SHA-256 of the signer's SPKI (W-11).
    pub(crate) signer: [u8; 32],
    /// SHA-256 of the payload (W-13).
    pub(crate) digest: [u8; 32],
    pub(crate) seq: u64,
    pub(crate) iat: UnixTime,
    pub(crate) exp: UnixTime,
    /// The suites of its keys, in the statement's order.
    pub(crate) suites: Vec<Suite>,
}

/// Why a verified statement was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutRefusal {
    /// The signer's sequence number was reached before (409).
    Superseded,
    /// No room: too many signers for the number, or the memory bound (503).
    Full,
}

struct Entry {
    statement: CheckedStatement,
    /// Counts up; the later of two with the same `iat` is the newer.
    arrival: u64,
}

/// The statements of all numbers.
pub(crate) struct Directory {
    max_bytes: usize,
    numbers: HashMap<TelephoneNumber, Vec<Entry>>,
    /// When an entry is to be forgotten.
    ends: BTreeSet<(UnixTime, TelephoneNumber)>,
    arrivals: u64,
    bytes: usize,
    statements: usize,
}

impl Directory {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            numbers: HashMap::new(),
            ends: BTreeSet::new(),
            arrivals: 0,
            bytes: 0,
            statements: 0,
        }
    }

    /// Stores a statement; `Ok` also if the same payload is there already, which then stays.
    pub(crate) fn put(
        &mut self,
        number: &TelephoneNumber,
        statement: CheckedStatement,
        now: UnixTime,
    ) -> Result<(), PutRefusal> {
        self.forget_ended(now);
        let entries = self
            .numbers
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let known = entries
            .iter()
            .find(|entry| entry.statement.signer == statement.signer);
        if let Some(Entry {
            statement: known, ..
        }) = known
        {
            if known.digest == statement.digest {
                return Ok(());
            }
            if statement.seq <= known.seq {
                return Err(PutRefusal::Superseded);
            }
        } else if entries.len() >= MAX_SIGNERS {
            return Err(PutRefusal::Full);
        }
        let freed = known.map_or(0, |entry| charge(&entry.statement));
        let bytes = self
            .bytes
            .saturating_sub(freed)
            .saturating_add(charge(&statement));
        if bytes > self.max_bytes {
            return Err(PutRefusal::Full);
        }
        self.bytes = bytes;
        if known.is_none() {
            self.statements = self.statements.saturating_add(1);
        }
        self.arrivals = self.arrivals.saturating_add(1);
        self.ends.insert((forget_at(&statement), number.clone()));
        let entries = self.numbers.entry(number.clone()).or_default();
        entries.retain(|entry| entry.statement.signer != statement.signer);
        entries.push(Entry {
            statement,
            arrival: self.arrivals,
        });
        Ok(())
    }

    /// The live statements, newest first by `iat`, then by arrival; at most eight (W-16).
    pub(crate) fn live(&self, number: &TelephoneNumber, now: UnixTime) -> Vec<&CheckedStatement> {
        let mut live: Vec<&Entry> = self
            .numbers
            .get(number)
            .into_iter()
            .flatten()
            .filter(|entry| now < entry.statement.exp)
            .collect();
        live.sort_by_key(|entry| std::cmp::Reverse((entry.statement.iat, entry.arrival)));
        live.truncate(MAX_STATEMENTS);
        live.into_iter().map(|entry| &entry.statement).collect()
    }

    /// For which keys the number is served from `now` on: the present, and every change that comes
    /// because a statement ends.
    pub(crate) fn served(
        &self,
        number: &TelephoneNumber,
        now: UnixTime,
    ) -> Vec<(UnixTime, ServedKeys)> {
        let ends: BTreeSet<UnixTime> = self
            .numbers
            .get(number)
            .into_iter()
            .flatten()
            .map(|entry| entry.statement.exp)
            .filter(|exp| *exp > now)
            .chain([now])
            .collect();
        ends.into_iter()
            .map(|at| {
                let live = self.live(number, at);
                let suites = live.iter().flat_map(|statement| statement.suites.iter());
                (at, ServedKeys::from_keys(suites.copied()))
            })
            .collect()
    }

    /// All that is known, in the order of arrival, for a snapshot.
    pub(crate) fn all(&self) -> Vec<(&TelephoneNumber, &CheckedStatement)> {
        let mut all: Vec<_> = self
            .numbers
            .iter()
            .flat_map(|(number, entries)| entries.iter().map(move |entry| (number, entry)))
            .collect();
        all.sort_by_key(|(_, entry)| entry.arrival);
        all.into_iter()
            .map(|(number, entry)| (number, &entry.statement))
            .collect()
    }

    /// How many changes were made so far.
    pub(crate) fn changes(&self) -> u64 {
        self.arrivals
    }

    /// Every number with a statement or a remembered sequence number.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &TelephoneNumber> {
        self.numbers.keys()
    }

    /// Statements and remembered sequence numbers held.
    pub(crate) fn len(&self) -> usize {
        self.statements
    }

    /// Drops entries whose sequence number need not be remembered any more.
    pub(crate) fn forget_ended(&mut self, now: UnixTime) {
        while let Some((end, _)) = self.ends.first()
            && *end <= now
        {
            let Some((_, number)) = self.ends.pop_first() else {
                return;
            };
            let Some(entries) = self.numbers.get_mut(&number) else {
                continue;
            };
            entries.retain(|entry| {
                let keep = forget_at(&entry.statement) > now;
                if !keep {
                    self.bytes = self.bytes.saturating_sub(charge(&entry.statement));
                    self.statements = self.statements.saturating_sub(1);
                }
                keep
            });
            if entries.is_empty() {
                self.numbers.remove(&number);
            }
        }
    }
}

fn charge(statement: &CheckedStatement) -> usize {
    statement.text.len().saturating_add(ENTRY_OVERHEAD)
}

fn forget_at(statement: &CheckedStatement) -> UnixTime {
    statement
        .exp
        .plus(std::time::Duration::from_secs(SEQUENCE_MEMORY_S))
}

#[cfg(test)]
mod tests;
