//! The calls of one endpoint: who is told what about which.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ringtrue_session::{CallEvent, CallId, CallTable, Monotonic, TableCall};
use ringtrue_stir::TelephoneNumber;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The call table, and the way to the session of each call in it.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    table: CallTable,
    sessions: BTreeMap<CallId, UnboundedSender<CallEvent>>,
}

impl Inner {
    /// What was put out of the table to make room is told nothing more.
    fn enter(&mut self, id: CallId) -> UnboundedReceiver<CallEvent> {
        let (sender, receiver) = unbounded_channel();
        let table = &self.table;
        self.sessions.retain(|held, _| table.call(*held).is_some());
        self.sessions.insert(id, sender);
        for id in self.table.conflicts() {
            self.tell(id, CallEvent::Concurrent);
        }
        receiver
    }

    /// A session that has ended hears nothing, which is no failure.
    fn tell(&self, id: CallId, event: CallEvent) {
        if let Some(session) = self.sessions.get(&id) {
            let _ = session.send(event);
        }
    }
}

impl Calls {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enters a call that begins to ring, and tells all that it is mistaken for.
    pub(crate) fn ring(
        self: &Arc<Self>,
        from: Option<TelephoneNumber>,
        now: Monotonic,
    ) -> (CallEntry, UnboundedReceiver<CallEvent>) {
        self.with(|inner| {
            let id = inner.table.ring(from, now);
            (self.entry(id), inner.enter(id))
        })
    }

    /// Enters a call that is being made.
    pub(crate) fn dial(
        self: &Arc<Self>,
        from: TelephoneNumber,
        now: Monotonic,
    ) -> (CallEntry, UnboundedReceiver<CallEvent>) {
        self.with(|inner| {
            let id = inner.table.dial(from, now);
            (self.entry(id), inner.enter(id))
        })
    }

    fn entry(self: &Arc<Self>, id: CallId) -> CallEntry {
        CallEntry {
            id,
            calls: Arc::clone(self),
        }
    }

    /// Notes that both sides see the same call.
    pub(crate) fn confirmed(&self, id: CallId) {
        self.with(|inner| inner.table.confirmed(id));
    }
}

/// A call's place in the table. Dropping it is the end of the call.
pub(crate) struct CallEntry {
    id: CallId,
    calls: Arc<Calls>,
}

impl CallEntry {
    pub(crate) const fn id(&self) -> CallId {
        self.id
    }

    pub(crate) fn answered(&self, at: Monotonic, look: bool) {
        self.calls.with(|inner| {
            inner.table.answered(self.id);
            inner.tell(self.id, CallEvent::Answered { at, look });
        });
    }

    pub(crate) fn tell(&self, event: CallEvent) {
        self.calls.with(|inner| inner.tell(self.id, event));
    }

    /// Takes the call out of the table, once, and gives what it was.
    pub(crate) fn ended(&self) -> Option<TableCall> {
        self.calls.with(|inner| {
            inner.tell(self.id, CallEvent::Ended);
            inner.sessions.remove(&self.id);
            inner.table.ended(self.id)
        })
    }
}

impl Drop for CallEntry {
    fn drop(&mut self) {
        self.ended();
    }
}
