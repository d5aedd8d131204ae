//! Running sessions.

use ringtrue_stir::passport::Passport;

use crate::cast::Who;
use crate::locals::{Ask, Begin, Event, NodeId, Request};
use crate::state::{Call, Mutation, Open, Part, Run, State, insert};
use crate::world::World;

impl World<'_> {
    pub(crate) fn begin(&mut self, state: &mut State, part: Part, begin: &Begin) {
        let ms = u64::from(state.ms);
        let node = self.locals.start(self.cast, &mut self.blobs, begin, ms);
        state.runs.push(Run {
            part,
            node,
            open: Vec::new(),
        });
        self.take_in(state, part, node);
    }

    /// Tells a session something and follows it until it waits.
    pub(crate) fn proceed(&mut self, state: &mut State, part: Part, event: &Event) {
        let node = state.run(part).unwrap().node;
        let ms = u64::from(state.ms);
        let next = self
            .locals
            .step(self.cast, &mut self.blobs, node, ms, event);
        let run = state.runs.iter_mut().find(|run| run.part == part).unwrap();
        run.node = next;
        self.take_in(state, part, next);
    }

    /// Takes in what a step of a session brought. Its marks are made at once: the state store of a
    /// telephone is quick, and no one else's.
    pub(crate) fn take_in(&mut self, state: &mut State, part: Part, id: NodeId) {
        let node = self.locals.node(id);
        let (requests, claims, told) = (
            node.requests.clone(),
            node.claims.clone(),
            node.told.clone(),
        );
        let on = self.locals.begin(id).on();
        if let Part::Place(call) = part {
            self.note_announced(call, state.calls[usize::from(call)], &requests);
        }
        let run = state.runs.iter_mut().find(|run| run.part == part).unwrap();
        run.open.extend(requests.into_iter().map(Open::from));
        for told in told {
            self.hear(state, part, id, &told);
        }
        for (action, record) in claims {
            let count = u16::try_from(self.marks.len()).unwrap();
            let mark = *self.marks.entry(record).or_insert(count);
            let is_forgetful =
                on == Who::D && self.bounds.mutation == Some(Mutation::ForgetfulStore);
            let marks = &mut state.marks[usize::from(on == Who::D)];
            let first = insert(marks, mark) || is_forgetful;
            self.proceed(state, part, &Event::Claimed(action, first));
        }
    }

    /// Keeps in mind which `n` and which `iat` a call of C has: for the rules alone.
    pub(crate) fn note_announced(&mut self, at: u8, call: Call, requests: &[Request]) {
        for request in requests {
            let Ask::Store(_, blobs) = &request.what else {
                continue;
            };
            for blob in blobs {
                let content = &self.blobs.get(*blob).content;
                let passport = Passport::parse(&content.ppts[0]).unwrap();
                let iat = passport.claims().iat().as_secs();
                self.announced.insert(*content.n.as_octets(), iat);
                self.dated.insert((at, call.begun_ms), iat);
            }
        }
    }
}
