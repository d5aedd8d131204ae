//! The calls that clients speak of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringtrue::{CallVerdict, OutgoingCall, Reason, RingingCall, Verdict};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::Code;
use crate::method::CALL_OCTETS;

/// How long a call is kept whose end nobody told: as long as calls are at most.
const LIFE: Duration = Duration::from_secs(4 * 3600);

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It goes with the client that began it.
    Client(u64),
    /// It stays until somebody tells its end.
    Daemon,
}

/// A call of either direction. Clones stand for the same one.
#[derive(Clone)]
pub(crate) enum Call {
    Incoming(RingingCall),
    Outgoing(OutgoingCall),
}

impl Call {
    /// What is known as of now.
    pub(crate) fn verdict(&self) -> CallVerdict {
        match self {
            Self::Incoming(call) => call.verdict(),
            Self::Outgoing(call) => call.outcome().verdict,
        }
    }

    /// Waits for news; `None` when there can be none any more.
    pub(crate) async fn changed(&mut self) -> Option<CallVerdict> {
        match self {
            Self::Incoming(call) => call.changed().await,
            Self::Outgoing(call) => call.changed().await.map(|outcome| outcome.verdict),
        }
    }

    pub(crate) fn answered(&self) {
        match self {
            Self::Incoming(call) => call.answered(),
            Self::Outgoing(call) => call.answered(),
        }
    }

    pub(crate) fn ended(&self) {
        match self {
            Self::Incoming(call) => call.ended(),
            Self::Outgoing(call) => call.ended(),
        }
    }

    /// Whether a verdict settles what was waited for.
    pub(crate) const fn is_decided(verdict: Verdict, confirmed: bool) -> bool {
        match verdict {
            Verdict::Verified => !confirmed,
            Verdict::Confirmed | Verdict::Conflicting | Verdict::Refused => true,
            _ => false,
        }
    }
}

/// Room for one call.
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
}

struct Entry {
    call: Call,
    owner: Owner,
    began: Instant,
    _slot: Slot,
}

/// All open calls, by the names that clients know them by.
pub(crate) struct Calls {
    room: Arc<Semaphore>,
    open: Mutex<BTreeMap<String, Entry>>,
}

impl Calls {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(limit)),
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open().len()
    }

    /// Reserves room for a call. Where there is none, the oldest call that only the daemon keeps makes
    /// room: a dialplan that never tells an end must not stop the calls that come.
    ///
    /// # Errors
    ///
    /// [`Code::TooManyCalls`].
    pub(crate) fn slot(&self) -> Result<Slot, Code> {
        let reserve = || {
            let permit = Arc::clone(&self.room).try_acquire_owned();
            permit.map(|_permit| Slot { _permit })
        };
        reserve()
            .or_else(|_| {
                self.forget_oldest_kept();
                reserve()
            })
            .map_err(|_| Code::TooManyCalls)
    }

    fn forget_oldest_kept(&self) {
        let mut open = self.open();
        let kept = open
            .iter()
            .filter(|(_, entry)| entry.owner == Owner::Daemon);
        let oldest = kept
            .min_by_key(|(_, entry)| entry.began)
            .map(|(name, _)| name.clone());
        if let Some(name) = oldest {
            open.remove(&name);
        }
    }

    /// Enters a call and names it: at random, so that one client cannot guess the calls of another.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub(crate) fn enter(&self, slot: Slot, call: Call, owner: Owner) -> Result<String, Code> {
        let mut octets = [0; CALL_OCTETS / 2];
        getrandom::fill(&mut octets).map_err(|_| Reason::RandomnessUnavailable)?;
        let name = base16ct::lower::encode_string(&octets);
        let entry = Entry {
            call,
            owner,
            began: Instant::now(),
            _slot: slot,
        };
        self.open().insert(name.clone(), entry);
        Ok(name)
    }

    /// # Errors
    ///
    /// [`Code::UnknownCall`].
    pub(crate) fn find(&self, name: &str) -> Result<Call, Code> {
        let open = self.open();
        let entry = open.get(name).ok_or(Code::UnknownCall)?;
        Ok(entry.call.clone())
    }

    /// Takes a call out whose end was told.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownCall`].
    pub(crate) fn take(&self, name: &str) -> Result<Call, Code> {
        let entry = self.open().remove(name).ok_or(Code::UnknownCall)?;
        Ok(entry.call)
    }

    /// Forgets the calls of a client that has gone. Nothing is reported of them: nobody knows.
    pub(crate) fn release(&self, client: u64) {
        self.open()
            .retain(|_, entry| entry.owner != Owner::Client(client));
    }

    /// Forgets calls that are older than any call.
    pub(crate) fn sweep(&self) {
        self.open().retain(|_, entry| entry.began.elapsed() < LIFE);
    }
}
