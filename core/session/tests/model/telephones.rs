//! What telephones do with their calls, as the endpoint's code does: which session is begun when, what it is told
//! of the call, and what people are shown.

use ringtrue_oob::CallPhase;
use ringtrue_session::{CallId, CallTable, Monotonic, Verdict, VerifiedCall};

use crate::attacker::Phase;
use crate::cast::Who;
use crate::locals::{Begin, Event, Happening, NodeId, Told};
use crate::rules;
use crate::state::{Entry, Leg, LegState, Mutation, Part, State, Way};
use crate::world::World;

impl World<'_> {
    /// A call rings at D.
    pub(crate) fn ring(&mut self, state: &mut State, call: Option<u8>) -> u8 {
        let leg = u8::try_from(state.legs.len()).unwrap();
        let mut is_concurrent = false;
        for other in &mut state.legs {
            if other.state == LegState::Ringing {
                other.is_concurrent = true;
                is_concurrent = true;
            }
        }
        state.legs.push(Leg {
            call,
            state: LegState::Ringing,
            shown: None,
            is_concurrent,
            iat: None,
            rang: None,
            answers: false,
            gone: Vec::new(),
        });
        self.begin(state, Part::Ring(leg), &Begin::Ring);
        let conflicts = enter(state, Entry::Rings);
        if self.bounds.mutation != Some(Mutation::NoCallTable) {
            for leg in conflicts {
                let event = Event::Call(Happening::Concurrent);
                self.proceed(state, Part::Ring(leg), &event);
            }
        }
        leg
    }

    pub(crate) fn answer(&mut self, state: &mut State, at: u8) {
        let ms = state.ms;
        enter(state, Entry::Answered(at));
        let leg = &mut state.legs[usize::from(at)];
        leg.state = LegState::Answered(ms);
        let call = leg.call;
        let is_good = leg.shown.is_some_and(Verdict::is_good);
        let is_asked = |rang: &NodeId| {
            let call = &self.locals.rang(*rang).call;
            call.as_ref().is_some_and(VerifiedCall::wants_answer)
        };
        let rang = leg.rang.filter(|rang| is_good && is_asked(rang));
        let event = Event::Call(Happening::Answered {
            look: rang.is_none(),
        });
        self.proceed(state, Part::Ring(at), &event);
        if let Some(rang) = rang {
            state.legs[usize::from(at)].answers = true;
            let begin = Begin::Answer { rang, leg: at };
            self.begin(state, Part::Answer(at), &begin);
        }
        if let Some(call) = call {
            self.call_is_answered(state, call, Way::AnsweredByD(ms));
        }
    }

    /// C sees that its call is answered.
    pub(crate) fn call_is_answered(&mut self, state: &mut State, at: u8, way: Way) {
        state.calls[usize::from(at)].way = way;
        if state.run(Part::Await(at)).is_some() {
            let event = Event::Call(Happening::Answered { look: true });
            self.proceed(state, Part::Await(at), &event);
        }
        self.report(state, at, Phase::Answered);
    }

    /// C ends the call that D answered, to place another one.
    pub(crate) fn hang_up(&mut self, state: &mut State) {
        for at in 0..state.legs.len() {
            let leg = &state.legs[at];
            if leg.call.is_some() && matches!(leg.state, LegState::Answered(_)) {
                self.end_leg(state, u8::try_from(at).unwrap());
            }
        }
    }

    pub(crate) fn end_leg(&mut self, state: &mut State, leg: u8) {
        state.legs[usize::from(leg)].state = LegState::Over;
        enter(state, Entry::Ended(leg));
        let event = Event::Call(Happening::Ended);
        self.proceed(state, Part::Ring(leg), &event);
    }

    /// C's call came to nothing.
    pub(crate) fn end_call(&mut self, state: &mut State, at: u8) {
        state.calls[usize::from(at)].way = Way::Gone;
        if state.run(Part::Await(at)).is_some() {
            let event = Event::Call(Happening::Ended);
            self.proceed(state, Part::Await(at), &event);
        }
        self.report(state, at, Phase::Gone);
    }

    /// C reports what became of its call, if it was announced.
    pub(crate) fn report(&mut self, state: &mut State, at: u8, phase: Phase) {
        if let Some(placed) = state.calls[usize::from(at)].placed {
            let begin = Begin::Report {
                placed,
                call: at,
                phase: match phase {
                    Phase::Answered => CallPhase::Answered,
                    Phase::Gone => CallPhase::Gone,
                },
            };
            self.begin(state, Part::Report(at, phase), &begin);
        }
    }

    /// What the host makes of what a session told.
    pub(crate) fn hear(&mut self, state: &mut State, part: Part, node: NodeId, told: &Told) {
        match (part, told) {
            (Part::Place(at), Told::Placed(placed)) => {
                let call = &mut state.calls[usize::from(at)];
                if call.to == Who::M {
                    // What becomes of it is the attacker's business; it has what it wanted.
                    call.way = Way::Gone;
                    return;
                }
                call.way = Way::Dialled;
                call.placed = placed.call.is_some().then_some(node);
                if placed.answer.is_some() {
                    let begin = Begin::Await { placed: node };
                    self.begin(state, Part::Await(at), &begin);
                }
            }
            (Part::Ring(at), Told::Rang(outcome)) => {
                let leg = &mut state.legs[usize::from(at)];
                let stays = self.bounds.mutation == Some(Mutation::FirstVerdictStays);
                if stays && leg.shown.is_some() {
                    return;
                }
                leg.shown = Some(outcome.verdict.verdict);
                if leg.shown == Some(Verdict::Confirmed) {
                    enter(state, Entry::Confirmed(at));
                }
                let leg = &mut state.legs[usize::from(at)];
                if let Some(call) = &outcome.call {
                    leg.iat = Some(call.claims().iat().as_secs());
                    leg.rang = Some(node);
                }
                rules::shown(self, state, at, &outcome.verdict.reasons);
            }
            (Part::Answer(at), Told::Answered(answered)) => {
                if answered.caller_gone && state.run(Part::Ring(at)).is_some() {
                    let event = Event::Call(Happening::CallerGone);
                    self.proceed(state, Part::Ring(at), &event);
                }
            }
            (Part::Await(at), Told::Who(outcome)) => {
                state.calls[usize::from(at)].shown = Some(outcome.verdict.verdict);
                rules::who_answered(self, state, at, outcome);
            }
            (Part::Report(..), Told::Reported) => {}
            _ => panic!("a session told what is another's to tell"),
        }
    }
}

/// Puts something into D's call table. The legs that turn out not to be alone.
fn enter(state: &mut State, entry: Entry) -> Vec<u8> {
    state.table.push(entry);
    // The table forgets calls after minutes; the worlds of this model are shorter.
    let now = Monotonic::default();
    let mut table = CallTable::new();
    let mut ids: Vec<CallId> = Vec::new();
    let mut conflicts = Vec::new();
    for entry in &state.table {
        match entry {
            Entry::Rings => ids.push(table.ring(Some(Who::C.number()), now)),
            Entry::Answered(leg) => table.answered(ids[usize::from(*leg)]),
            Entry::Confirmed(leg) => table.confirmed(ids[usize::from(*leg)]),
            Entry::Ended(leg) => drop(table.ended(ids[usize::from(*leg)])),
        }
        conflicts = table.conflicts();
    }
    let leg_of = |id: &CallId| ids.iter().position(|known| known == id).unwrap();
    let legs = conflicts.iter().map(leg_of);
    legs.map(|leg| u8::try_from(leg).unwrap()).collect()
}
