//! A session of any kind, behind one face.

use ringtrue_oob::http::{placement, route::ItemId};
use ringtrue_session::{
    Action, AnswerSession, AwaitAnswerSession, CallEvent, Input, Monotonic, PlaceSession,
    RingSession, Session, StateReportSession, Step,
};
use ringtrue_stir::Reason;
use ringtrue_stir::sip::date::format_date;

use crate::blobs::Blobs;
use crate::cast::{Who, now, unix};
use crate::locals::{Answer, Event, Happening, Told};

/// A session of any kind.
pub(crate) enum Live {
    Place(Box<PlaceSession>),
    Await(Box<AwaitAnswerSession>),
    Ring(Box<RingSession>),
    Answer(Box<AnswerSession>),
    Report(Box<StateReportSession>),
}

/// Tells a session something.
pub(crate) fn tell(blobs: &Blobs, live: &mut Live, event: &Event, ms: u64) {
    let input = match event {
        Event::Wake => return,
        Event::Call(happening) => {
            let at = now(ms).monotonic;
            let event = match happening {
                Happening::Answered { look } => CallEvent::Answered { at, look: *look },
                Happening::Ended => CallEvent::Ended,
                Happening::Concurrent => CallEvent::Concurrent,
                Happening::CallerGone => CallEvent::CallerGone,
            };
            return live.event(event, ms);
        }
        Event::Claimed(id, first) => Input::Claimed(*id, Ok(*first)),
        Event::Answer(id, answer) => Input::Response(
            *id,
            match answer {
                Answer::Nothing => Err(Reason::ServiceUnreachable),
                Answer::Stored(count, at_ms) => {
                    let ids: Vec<ItemId> = (0..*count)
                        .map(|at| ItemId::from_octets([u8::try_from(at).unwrap(); 16]))
                        .collect();
                    let answer = placement::encode_stored("", &Who::C.number(), &ids);
                    Ok(answer.with_header("date", date(*at_ms)))
                }
                Answer::Blobs(held, at_ms) => {
                    let held = held.iter().map(|id| blobs.get(*id).blob.clone());
                    let answer = placement::encode_blobs(&held.collect::<Vec<_>>());
                    Ok(answer.with_header("date", date(*at_ms)))
                }
            },
        ),
    };
    live.input(input, ms);
}

/// What a service's clock shows: the right time, in whole seconds.
fn date(ms: u32) -> String {
    format_date(unix(u64::from(ms))).unwrap()
}

/// A [`Step`] of any kind of session.
pub(crate) enum Move {
    Act(Action),
    Told(Told),
    Wait(Monotonic),
    Done(Option<Told>),
}

impl Live {
    /// The same session once more, for those that can be cloned.
    pub(crate) fn fork(&self) -> Option<Self> {
        match self {
            Self::Await(session) => Some(Self::Await(session.clone())),
            Self::Ring(session) => Some(Self::Ring(session.clone())),
            Self::Place(_) | Self::Answer(_) | Self::Report(_) => None,
        }
    }

    pub(crate) fn next(&mut self, ms: u64) -> Move {
        fn of<O, R>(
            step: Step<O, R>,
            report: impl Fn(R) -> Told,
            done: impl Fn(O) -> Option<Told>,
        ) -> Move {
            match step {
                Step::Act(action) => Move::Act(action),
                Step::Report(told) => Move::Told(report(told)),
                Step::Wait(due) => Move::Wait(due),
                Step::Done(output) => Move::Done(done(output)),
                _ => panic!("sessions of this version take no other steps"),
            }
        }
        let at = now(ms);
        match self {
            Self::Place(session) => of(
                session.next(at),
                |never| match never {},
                |placed| Some(Told::Placed(Box::new(placed))),
            ),
            // What waiting and ringing end with was told before.
            Self::Await(session) => of(session.next(at), Told::Who, |_| None),
            Self::Ring(session) => of(
                session.next(at),
                |rang| Told::Rang(Box::new(rang)),
                |_| None,
            ),
            Self::Answer(session) => of(
                session.next(at),
                |never| match never {},
                |answered| Some(Told::Answered(answered)),
            ),
            Self::Report(session) => of(
                session.next(at),
                |never| match never {},
                |_| Some(Told::Reported),
            ),
        }
    }

    pub(crate) fn input(&mut self, input: Input, ms: u64) {
        let at = now(ms);
        match self {
            Self::Place(session) => session.input(input, at),
            Self::Await(session) => session.input(input, at),
            Self::Ring(session) => session.input(input, at),
            Self::Answer(session) => session.input(input, at),
            Self::Report(session) => session.input(input, at),
        }
    }

    pub(crate) fn event(&mut self, event: CallEvent, ms: u64) {
        let at = now(ms);
        match self {
            Self::Place(session) => session.event(event, at),
            Self::Await(session) => session.event(event, at),
            Self::Ring(session) => session.event(event, at),
            Self::Answer(session) => session.event(event, at),
            Self::Report(session) => session.event(event, at),
        }
    }
}
