//! Sessions of every kind behind one trait, each with its records sealed and its requests carried.

use std::sync::Arc;

use ringtrue_session::{
    CallEvent, Context, Input, Monotonic, Now, RecordKey, Relayed, Sealed, Session, Step,
};
use ringtrue_stir::Reason;

use crate::found::Found;

/// A session's step, whatever its kind.
pub(crate) enum Turn {
    Act(ringtrue_session::Action),
    Report(Found),
    Wait(Monotonic),
    Done(Found),
}

/// A session of any kind.
pub(crate) trait Conversation: Send {
    fn next(&mut self, now: Now) -> Turn;
    fn input(&mut self, input: Input, now: Now);
    fn event(&mut self, event: CallEvent, now: Now);
}

/// A session with what turns its end and its reports into what C reads.
struct Talk<S: Session> {
    session: Sealed<Relayed<S>>,
    done: fn(S::Output) -> Found,
    report: fn(S::Report) -> Found,
}

/// Puts around `session` what every host puts around it.
pub(crate) fn begin<S>(
    session: S,
    context: &Arc<Context>,
    records: &RecordKey,
    done: fn(S::Output) -> Found,
    report: fn(S::Report) -> Found,
) -> Box<dyn Conversation>
where
    S: Session + Send + 'static,
{
    // What the relay's side keeps is sealed like everything else.
    let relayed = Relayed::new(session, Arc::clone(context));
    Box::new(Talk {
        session: Sealed::new(relayed, records.clone()),
        done,
        report,
    })
}

impl<S: Session + Send> Conversation for Talk<S> {
    fn next(&mut self, now: Now) -> Turn {
        loop {
            return match self.session.next(now) {
                Step::Act(action) => Turn::Act(action),
                Step::Report(report) => Turn::Report((self.report)(report).with(self.notices())),
                Step::Wait(until) => Turn::Wait(until),
                Step::Done(output) => Turn::Done((self.done)(output).with(self.notices())),
                // Sessions of this version take no other steps.
                _ => continue,
            };
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        self.session.input(input, now);
    }

    fn event(&mut self, event: CallEvent, now: Now) {
        self.session.event(event, now);
    }
}

impl<S: Session> Talk<S> {
    fn notices(&self) -> &[Reason] {
        self.session.inner().notices()
    }
}
