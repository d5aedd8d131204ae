//! Time, the network and the services.

use ringtrue_session::ActionId;

use crate::attacker;
use crate::blobs::BlobId;
use crate::cast::Who;
use crate::locals::{Answer, Ask, Event};
use crate::moves::Fault;
use crate::rules;
use crate::state::{LIFE_MS, Open, Part, State, TICK_MS, insert};
use crate::world::World;

impl World<'_> {
    pub(crate) fn pass_time(&mut self, state: &mut State, by: u32) {
        state.ms += by;
        let ms = state.ms;
        for held in &mut state.boxes {
            held.retain(|(_, until)| *until > ms);
        }
        let late: Vec<(Part, ActionId)> = state
            .runs
            .iter()
            .flat_map(|run| run.open.iter().map(|open| (run.part, open)))
            .filter(|(_, open)| open.deadline <= ms)
            .map(|(part, open)| (part, open.id))
            .collect();
        for (part, id) in late {
            self.tell(state, part, id, Answer::Nothing);
        }
        let parts: Vec<Part> = state.runs.iter().map(|run| run.part).collect();
        for part in parts {
            let node = state.run(part).unwrap().node;
            if self.locals.node(node).wake_ms <= u64::from(ms) {
                self.proceed(state, part, &Event::Wake);
            }
        }
    }

    /// Lets time pass in which nothing happens but what is under way: every request gets through.
    pub(crate) fn pause(&mut self, state: &mut State, until: u32) {
        while state.ms < until {
            let wakes = state.runs.iter();
            let wakes = wakes.map(|run| self.locals.node(run.node).wake_ms);
            let next = wakes.min().and_then(|ms| u32::try_from(ms).ok());
            let next = next.map_or(until, |ms| ms.next_multiple_of(TICK_MS).min(until));
            self.pass_time(state, (next - state.ms).max(TICK_MS));
            while let Some((part, id)) = state.first_request() {
                self.pass(state, part, id, Fault::None);
            }
            let locals = &self.locals;
            state.runs.retain(|run| !locals.node(run.node).is_over);
        }
    }

    /// A request gets through, or does not.
    pub(crate) fn pass(&mut self, state: &mut State, part: Part, id: ActionId, fault: Fault) {
        let run = state.run(part).unwrap();
        let open = run.open.iter().find(|open| open.id == id).unwrap().clone();
        if fault != Fault::None {
            state.faults += 1;
        }
        if fault == Fault::Delayed {
            return hold(state, part, id, None);
        }
        let mut answer = match (&open.answered, fault) {
            (Some(answer), _) => answer.clone(),
            (None, Fault::Lost) => Answer::Nothing,
            (None, _) => perform(state, &open),
        };
        match (&mut answer, fault) {
            (_, Fault::AnswerDelayed) => return hold(state, part, id, Some(answer)),
            (answer, Fault::AnswerLost) => *answer = Answer::Nothing,
            (Answer::Blobs(blobs, _), Fault::Reordered) => blobs.reverse(),
            (Answer::Blobs(blobs, _), Fault::Without(left_out)) => {
                blobs.retain(|blob| *blob != left_out);
            }
            _ => {}
        }
        if let Ask::Store(_, blobs) = &open.what
            && fault != Fault::Lost
            && open.answered.is_none()
        {
            self.watch(state, open.at, blobs);
        }
        self.tell(state, part, id, answer);
    }

    /// What the attacker learns of blobs that were left.
    pub(crate) fn watch(&self, state: &mut State, at: Who, blobs: &[BlobId]) {
        for blob in blobs {
            let reader = self.blobs.get(*blob).reader;
            if attacker::reads(reader) {
                insert(&mut state.learnt, *blob);
            }
            if at == Who::D {
                insert(&mut state.seen, *blob);
            }
        }
    }

    pub(crate) fn tell(&mut self, state: &mut State, part: Part, id: ActionId, answer: Answer) {
        let run = state.runs.iter_mut().find(|run| run.part == part).unwrap();
        run.open.retain(|open| open.id != id);
        if let (Answer::Blobs(blobs, _), Part::Ring(leg) | Part::Answer(leg)) = (&answer, part) {
            for iat in rules::gone_among(self, blobs) {
                insert(&mut state.legs[usize::from(leg)].gone, iat);
            }
        }
        self.proceed(state, part, &Event::Answer(id, answer));
    }
}

fn hold(state: &mut State, part: Part, id: ActionId, answered: Option<Answer>) {
    let run = state.runs.iter_mut().find(|run| run.part == part).unwrap();
    let open = run.open.iter_mut().find(|open| open.id == id).unwrap();
    open.is_held = true;
    open.answered = answered;
}

/// What an honest service does with a request.
fn perform(state: &mut State, open: &Open) -> Answer {
    let ms = state.ms;
    match &open.what {
        Ask::Retrieve => {
            let held = state.mailbox(open.at).iter();
            Answer::Blobs(held.map(|(blob, _)| *blob).collect(), ms)
        }
        Ask::Store(count, blobs) => {
            if open.at != Who::M {
                for blob in blobs {
                    leave(state, open.at, *blob);
                }
            }
            Answer::Stored(*count, ms)
        }
    }
}

/// Leaves a blob in a mailbox; one that is there already stays as new.
pub(crate) fn leave(state: &mut State, at: Who, blob: BlobId) {
    let until = state.ms + LIFE_MS;
    let held = state.mailbox(at);
    held.retain(|(there, _)| *there != blob);
    insert(held, (blob, until));
}
