//! A session whose state records the host cannot read.

use std::collections::BTreeMap;

use ringtrue_stir::Reason;

use crate::{Action, ActionId, CallEvent, Input, Now, RecordKey, RecordName, Saved, Session, Step};

/// The most reads of one session that are under way at once. Sessions have a handful.
const MAX_READS: usize = 64;

/// Runs another session, with its state records sealed: the host sees names and octets that say nothing.
///
/// Every host puts it around every session; a store that was written without it is not understood.
/// Reading a record that does not open is answered with [`Reason::RecordNotOpened`], which sessions take
/// as they take a store that fails: nothing is overwritten.
pub struct Sealed<S> {
    inner: S,
    key: RecordKey,
    /// The records that are being read, to know what a value belongs to.
    reads: BTreeMap<ActionId, RecordName>,
}

impl<S: Session> Sealed<S> {
    /// Puts the key around `session`.
    pub const fn new(session: S, key: RecordKey) -> Self {
        Self {
            inner: session,
            key,
            reads: BTreeMap::new(),
        }
    }

    /// The session inside.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The action as the host gets it, or what the session is told at once instead.
    fn outward(&mut self, action: Action) -> Result<Action, Input> {
        Ok(match action {
            Action::Load { id, record } => {
                if self.reads.len() >= MAX_READS {
                    return Err(Input::Loaded(id, Err(Reason::Internal)));
                }
                let name = self.key.name(&record);
                self.reads.insert(id, record);
                Action::Load { id, record: name }
            }
            Action::Save {
                id,
                record,
                expected,
                value,
            } => {
                let seal = |value: &[u8]| self.key.seal(&record, value).map(Into::into);
                let expected = expected.map(|held| seal(&held)).transpose();
                match (expected, seal(&value)) {
                    (Ok(expected), Ok(value)) => Action::Save {
                        id,
                        record: self.key.name(&record),
                        expected,
                        value,
                    },
                    (Err(reason), _) | (_, Err(reason)) => {
                        return Err(Input::Saved(id, Err::<Saved, _>(reason)));
                    }
                }
            }
            Action::Claim {
                id,
                record,
                expires,
            } => Action::Claim {
                id,
                record: self.key.name(&record),
                expires: RecordKey::coarse_expiry(expires),
            },
            other => other,
        })
    }

    /// The input as the session gets it.
    fn inward(&mut self, input: Input) -> Input {
        match input {
            Input::Loaded(id, result) => match (self.reads.remove(&id), result) {
                (Some(record), Ok(Some(sealed))) => {
                    Input::Loaded(id, self.key.open(&record, &sealed).map(Some))
                }
                // Not asked for: nothing may pass unopened.
                (None, Ok(Some(_))) => Input::Loaded(id, Err(Reason::EventUnexpected)),
                (_, result) => Input::Loaded(id, result),
            },
            other => other,
        }
    }
}

impl<S: Session> Session for Sealed<S> {
    type Output = S::Output;
    type Report = S::Report;

    fn next(&mut self, now: Now) -> Step<Self::Output, Self::Report> {
        loop {
            match self.inner.next(now) {
                Step::Act(action) => match self.outward(action) {
                    Ok(action) => return Step::Act(action),
                    Err(input) => self.inner.input(input, now),
                },
                other => return other,
            }
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        let input = self.inward(input);
        self.inner.input(input, now);
    }

    fn event(&mut self, event: CallEvent, now: Now) {
        self.inner.event(event, now);
    }
}
