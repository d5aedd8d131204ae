//! Notes of what an endpoint really did and when: taken where it asks its surroundings for something.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Kinds of things that an endpoint asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request for what is the same for everybody: the keys of an issuer or a gateway.
    Configuration,
    /// A request for storage tokens.
    Issue,
    /// A request to the key directory.
    Lookup,
    /// A publication of own keys.
    Publish,
    /// A look into the own mailbox.
    Retrieve,
    /// Sealed PASSporTs left for somebody.
    Store,
    /// A signature by the credential's key.
    Sign,
    /// A signature that was checked.
    Verify,
    /// A PASSporT marked as used.
    Claim,
}

/// Whose network address the service saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sender {
    Relay,
    Telephone,
}

/// A request and its answer, as the service saw them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) from: Sender,
    pub(super) method: &'static str,
    /// Without scheme, host and port.
    pub(super) path: String,
    pub(super) sent: Vec<u8>,
    pub(super) received: Vec<u8>,
}

/// One thing that was done. Times count from the recorder's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) start: Duration,
    pub(super) end: Duration,
    /// Of requests that were answered.
    pub(super) message: Option<Message>,
}

/// Takes the notes of one telephone.
pub(super) struct Recorder {
    origin: Instant,
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    /// Starts. Recorders with the same origin can be compared.
    pub(super) fn new(origin: Instant) -> Self {
        Self {
            origin,
            events: Mutex::new(Vec::new()),
        }
    }

    /// The time since the origin.
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Does `work` and notes how long it took.
    pub(super) fn note<T>(&self, kind: Kind, work: impl FnOnce() -> T) -> T {
        let start = self.now();
        let result = work();
        self.push(Event {
            kind,
            start,
            end: self.now(),
            message: None,
        });
        result
    }

    pub(super) fn push(&self, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event);
    }

    /// What was done between two times, in order of its beginning.
    pub(super) fn between(&self, from: Duration, until: Duration) -> Vec<Event> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Event> = events
            .iter()
            .filter(|event| event.start >= from && event.end <= until)
            .cloned()
            .collect();
        found.sort_by_key(|event| event.start);
        found
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Event, Kind, Recorder};

    #[test]
    fn notes_are_found_by_time_and_in_order() {
        let recorder = Recorder::new(Instant::now());
        let at = Duration::from_millis;
        for (kind, start, end) in [
            (Kind::Store, 30, 40),
            (Kind::Lookup, 10, 20),
            (Kind::Retrieve, 50, 90),
        ] {
            recorder.push(Event {
                kind,
                start: at(start),
                end: at(end),
                message: None,
            });
        }
        let kinds = |from, until| -> Vec<Kind> {
            let found = recorder.between(at(from), at(until));
            found.iter().map(|event| event.kind).collect()
        };
        assert_eq!(kinds(0, 50), [Kind::Lookup, Kind::Store]);
        assert_eq!(kinds(11, 100), [Kind::Store, Kind::Retrieve]);
        assert!(kinds(60, 100).is_empty());
    }
}
