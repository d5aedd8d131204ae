//! The calls of one endpoint at one time: who rings, who was called.
//!
//! An announcement proves that a call was meant, not that it is the call that rings. Two calls with one
//! calling number at the same time cannot be told apart by it, so neither is believed (W-7).
//!
//! Source: docs/protocol.md section 12.3 (measure M2 of the substitution race).

use core::time::Duration;

use ringtrue_stir::TelephoneNumber;

use crate::Monotonic;

/// The most calls that are remembered. No telephone has as many; the oldest makes room.
pub const MAX_CALLS: usize = 64;

/// No network lets a telephone ring longer (RFC 3261 timer C). A call that rings on is one whose end
/// nobody reported.
const MAX_ALERTING: Duration = Duration::from_secs(180);

/// Another call that begins this long after one began to ring cannot be what that one's announcement was
/// about: a minute as blobs live, a minute until its own `iat` is stale.
const MISTAKABLE: Duration = Duration::from_secs(120);

/// Names a call of a [`CallTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

/// Who began a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The other side: it rings here.
    Incoming,
    /// This side.
    Outgoing,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// It rings.
    Alerting,
    /// It was answered.
    Answered,
    /// It was answered, and the other side saw the same.
    Confirmed,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCall {
    /// Who began it.
    pub direction: Direction,
    /// How far it has come.
    pub progress: Progress,
    /// When it began.
    pub began: Monotonic,
    orig: Option<TelephoneNumber>,
}

struct Entry {
    id: CallId,
    call: TableCall,
    /// Whether the session of this call was told that it is not alone.
    told: bool,
}

/// The calls of one endpoint. Pure: the time is a parameter.
#[derive(Default)]
pub struct CallTable {
    entries: Vec<Entry>,
    last: u64,
    conflicts: Vec<CallId>,
}

impl core::fmt::Debug for CallTable {
    /// Shows how many.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CallTable")
            .field("calls", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl CallTable {
    /// A table without calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A call begins to ring, with this calling number unless that is withheld.
    ///
    /// Ask for [`CallTable::conflicts`] afterwards.
    pub fn ring(&mut self, from: Option<TelephoneNumber>, now: Monotonic) -> CallId {
        let id = self.enter(Direction::Incoming, from, now);
        self.look_for_conflicts(id, now);
        id
    }

    /// A call to somebody begins.
    pub fn dial(&mut self, from: TelephoneNumber, now: Monotonic) -> CallId {
        self.enter(Direction::Outgoing, Some(from), now)
    }

    /// A call was answered.
    pub fn answered(&mut self, id: CallId) {
        self.proceed(id, Progress::Answered);
    }

    /// The other side of an answered call saw the same: a call that comes now does not touch it.
    pub fn confirmed(&mut self, id: CallId) {
        self.proceed(id, Progress::Confirmed);
    }

    /// A call ended: it leaves the table. Gives what it was.
    pub fn ended(&mut self, id: CallId) -> Option<TableCall> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(at).call)
    }

    /// The calls that turned out not to be alone since this was asked last. Their sessions are to be
    /// told [`CallEvent::Concurrent`](crate::CallEvent::Concurrent).
    pub fn conflicts(&mut self) -> Vec<CallId> {
        core::mem::take(&mut self.conflicts)
    }

    /// One call.
    #[must_use]
    pub fn call(&self, id: CallId) -> Option<&TableCall> {
        self.entries
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| &entry.call)
    }

    /// How many calls there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no call.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn enter(
        &mut self,
        direction: Direction,
        orig: Option<TelephoneNumber>,
        now: Monotonic,
    ) -> CallId {
        self.entries.retain(|entry| {
            entry.call.progress != Progress::Alerting || now.since(entry.call.began) <= MAX_ALERTING
        });
        if self.entries.len() >= MAX_CALLS {
            self.entries.remove(0);
        }
        self.last = self.last.wrapping_add(1);
        let id = CallId(self.last);
        self.entries.push(Entry {
            id,
            call: TableCall {
                direction,
                progress: Progress::Alerting,
                began: now,
                orig,
            },
            told: false,
        });
        id
    }

    /// Calls come this far and not back.
    fn proceed(&mut self, id: CallId, progress: Progress) {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id);
        if let Some(entry) = entry
            && (entry.call.progress == Progress::Alerting
                || (entry.call.progress, progress) == (Progress::Answered, Progress::Confirmed))
        {
            entry.call.progress = progress;
        }
    }

    /// The call that begins to ring, and every other with its number that could be what was announced.
    fn look_for_conflicts(&mut self, new: CallId, now: Monotonic) {
        let orig = self.call(new).and_then(|call| call.orig.clone());
        let Some(orig) = orig else { return };
        let same = |entry: &Entry| {
            let mistakable = match entry.call.progress {
                Progress::Alerting => true,
                Progress::Answered => now.since(entry.call.began) <= MISTAKABLE,
                Progress::Confirmed => false,
            };
            mistakable
                && entry.call.direction == Direction::Incoming
                && entry.call.orig.as_ref() == Some(&orig)
        };
        if self.entries.iter().filter(|entry| same(entry)).count() < 2 {
            return;
        }
        for entry in self.entries.iter_mut().filter(|entry| same(entry)) {
            if !entry.told {
                entry.told = true;
                self.conflicts.push(entry.id);
            }
        }
    }
}
