//! The sessions of the model: the real ones, each state of each computed once.
//!
//! A session is a value that sees nothing but what it is told, so its state is a function of what it
//! was told and when. That is what a [`Node`] stands for. The step from one node to the next is made
//! by the real session, run in the order of its life, and remembered: worlds that differ only in what
//! others did share it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ringtrue_oob::CallPhase;
use ringtrue_oob::http::{HttpRequest, placement};
use ringtrue_session::{
    Action, ActionId, AnswerOutcome, AnswerSession, Answered, AwaitAnswerSession, Input,
    PlaceSession, Placed, RingOutcome, RingSession, Role, Saved, StateReportSession,
};
use zeroize::Zeroizing;

use crate::blobs::{BlobId, Blobs};
use crate::cast::{Cast, Who, now};
use crate::live::{Live, Move, tell};

/// A state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

/// Which session, with what it is begun with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Begin {
    /// C announces its call number `call`.
    Place {
        call: u8,
        to: Who,
        with_k: bool,
        want_answer: bool,
    },
    /// C waits for the answer to what it placed.
    Await { placed: NodeId },
    /// A call that shows C's number rings at D.
    Ring,
    /// D answers the call that this node of ringing verified.
    Answer { rang: NodeId, leg: u8 },
    /// C reports what became of what it placed.
    Report {
        placed: NodeId,
        call: u8,
        phase: CallPhase,
    },
}

impl Begin {
    /// Whose telephone the session runs on.
    pub(crate) const fn on(&self) -> Who {
        match self {
            Self::Place { .. } | Self::Await { .. } | Self::Report { .. } => Who::C,
            Self::Ring | Self::Answer { .. } => Who::D,
        }
    }

    /// Whose randomness a step at `ms` draws, or the beginning itself. It depends on nothing else, so
    /// that the same message sealed at the same time is the same blob, whatever else happened to its
    /// sender.
    fn label(&self, begun_ms: u64, ms: Option<u64>) -> String {
        let name = match self {
            Self::Place { call, .. } => format!("place {call}"),
            Self::Await { .. } => "await".to_owned(),
            Self::Ring => "ring".to_owned(),
            Self::Answer { leg, .. } => format!("answer {leg}"),
            Self::Report { call, phase, .. } => format!("report {} {call}", phase.name()),
        };
        format!("{name} of {begun_ms} {ms:?}")
    }
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// The time that it waited for has come.
    Wake,
    /// What came of a request.
    Answer(ActionId, Answer),
    /// Whether its claim was the first.
    Claimed(ActionId, bool),
    /// What happened to the call.
    Call(Happening),
}

/// A [`CallEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// It is answered now.
    Answered {
        look: bool,
    },
    Ended,
    Concurrent,
    CallerGone,
}

/// An answer of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// A mailbox with this in it, at this time.
    Blobs(Vec<BlobId>, u32),
    /// So many blobs were stored, at this time.
    Stored(usize, u32),
    /// No answer at all.
    Nothing,
}

/// A request that a session made.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: ActionId,
    pub(crate) at: Who,
    pub(crate) what: Ask,
    /// When the session gives it up, in milliseconds.
    pub(crate) deadline: u64,
}

/// What is asked of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ask {
    Retrieve,
    /// So many blobs, and those of them that open for somebody.
    Store(usize, Vec<BlobId>),
}

/// What a session told or ended with.
#[derive(Clone)]
pub(crate) enum Told {
    Placed(Box<Placed>),
    Who(AnswerOutcome),
    Rang(Box<RingOutcome>),
    Answered(Answered),
    Reported,
}

/// A session's state, and what the step that led to it brought.
pub(crate) struct Node {
    begin: Begin,
    begun_ms: u64,
    /// The step that led here; none at the beginning.
    step: Option<(NodeId, u64, Event)>,
    pub(crate) requests: Vec<Request>,
    /// Records to be claimed before anything else happens.
    pub(crate) claims: Vec<(ActionId, String)>,
    pub(crate) told: Vec<Told>,
    /// When it wants to be woken, in milliseconds.
    pub(crate) wake_ms: u64,
    pub(crate) is_over: bool,
}

/// All session states so far.
#[derive(Default)]
pub(crate) struct Locals {
    nodes: Vec<Node>,
    begun: HashMap<(Begin, u64), NodeId>,
    steps: HashMap<(NodeId, u64, Event), NodeId>,
    /// The values themselves of some states, from which a step can be made without running the
    /// session from its beginning.
    live: HashMap<NodeId, Live>,
    /// How often a session took a step, repetitions included.
    pub(crate) steps_run: u64,
}

/// The most values that are kept: some hundred megabytes. Beyond it all are forgotten, and made again
/// as they are needed.
const MAX_LIVE: usize = 10_000;

impl Locals {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn begin(&self, id: NodeId) -> &Begin {
        &self.node(id).begin
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The last verified call that ringing told on the way to this state.
    pub(crate) fn rang(&self, mut id: NodeId) -> &RingOutcome {
        loop {
            let node = self.node(id);
            if let Some(Told::Rang(outcome)) = node.told.last() {
                return outcome;
            }
            id = node.step.as_ref().expect("a ringing that told something").0;
        }
    }

    /// What came of placing.
    pub(crate) fn placed(&self, id: NodeId) -> &Placed {
        match self.node(id).told.last() {
            Some(Told::Placed(placed)) => placed,
            _ => panic!("nothing was placed"),
        }
    }

    /// A session at its beginning.
    pub(crate) fn start(
        &mut self,
        cast: &Cast,
        blobs: &mut Blobs,
        begin: &Begin,
        ms: u64,
    ) -> NodeId {
        let key = (begin.clone(), ms);
        if let Some(id) = self.begun.get(&key) {
            return *id;
        }
        let mut live = self.make(cast, begin, ms);
        let node = self.settle(cast, blobs, &mut live, begin.clone(), ms, None);
        let id = self.add(node, live);
        self.begun.insert(key, id);
        id
    }

    /// What becomes of a session that is told something at `ms`.
    pub(crate) fn step(
        &mut self,
        cast: &Cast,
        blobs: &mut Blobs,
        from: NodeId,
        ms: u64,
        event: &Event,
    ) -> NodeId {
        let key = (from, ms, event.clone());
        if let Some(id) = self.steps.get(&key) {
            return *id;
        }
        let kept = self.live.get(&from).and_then(Live::fork);
        let mut live = match kept.or_else(|| self.live.remove(&from)) {
            Some(live) => live,
            None => self.relive(cast, blobs, from),
        };
        let node = self.node(from);
        let (begin, begun_ms) = (node.begin.clone(), node.begun_ms);
        cast.crypto
            .draw_from(begin.label(begun_ms, Some(ms)).as_bytes());
        tell(blobs, &mut live, event, ms);
        let step = Some((from, ms, event.clone()));
        let mut node = self.settle(cast, blobs, &mut live, begin, ms, step);
        node.begun_ms = begun_ms;
        let id = self.add(node, live);
        self.steps.insert(key, id);
        id
    }

    fn add(&mut self, node: Node, live: Live) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap());
        if self.live.len() >= MAX_LIVE {
            self.live.clear();
        }
        if !node.is_over {
            self.live.insert(id, live);
        }
        self.nodes.push(node);
        id
    }

    fn make(&self, cast: &Cast, begin: &Begin, ms: u64) -> Live {
        cast.crypto.draw_from(begin.label(ms, None).as_bytes());
        let context = Arc::clone(&cast.party(begin.on()).context);
        let within = |limit: core::time::Duration| now(ms).monotonic.plus(limit);
        let policy = context.policy();
        match begin {
            Begin::Place {
                to,
                with_k,
                want_answer,
                ..
            } => {
                let known = match to {
                    Who::M => &cast.keys_of_m,
                    _ => &cast.keys_of_d[usize::from(*with_k)],
                };
                let deadline = within(policy.place_deadline);
                let session = PlaceSession::new(
                    context,
                    Who::C.number(),
                    to.number(),
                    known.clone(),
                    *want_answer,
                    false,
                    deadline,
                );
                Live::Place(Box::new(session.unwrap()))
            }
            Begin::Await { placed } => {
                let expected = self.placed(*placed).answer.clone().unwrap();
                let deadline = within(AWAIT);
                let session = AwaitAnswerSession::new(context, expected, deadline, now(ms));
                Live::Await(Box::new(session.staying(now(ms))))
            }
            Begin::Report { placed, phase, .. } => {
                let call = self.placed(*placed).call.clone().unwrap();
                let since = now(ms).monotonic;
                let deadline = within(policy.answer_deadline);
                let session = StateReportSession::new(context, call, *phase, since, deadline);
                Live::Report(Box::new(session.unwrap()))
            }
            Begin::Ring => {
                let deadline = within(policy.ring_deadline);
                let (from, to) = (Who::C.number(), Who::D.number());
                let session = RingSession::new(context, Some(from), Some(to), deadline, now(ms));
                Live::Ring(Box::new(session.unwrap().staying(now(ms))))
            }
            Begin::Answer { rang, .. } => {
                let call = self.rang(*rang).call.clone().unwrap();
                let deadline = within(policy.answer_deadline);
                let session = AnswerSession::new(context, call, CallPhase::Answered, deadline);
                Live::Answer(Box::new(session.unwrap().since(now(ms).monotonic)))
            }
        }
    }

    /// Runs a session again from its beginning to a state that it was in before.
    fn relive(&mut self, cast: &Cast, blobs: &mut Blobs, id: NodeId) -> Live {
        let mut way = VecDeque::new();
        let mut at = id;
        while let Some((before, ms, event)) = &self.node(at).step {
            way.push_front((*ms, event.clone()));
            at = *before;
        }
        let (begin, begun_ms) = (self.node(at).begin.clone(), self.node(at).begun_ms);
        let mut live = self.make(cast, &begin, begun_ms);
        self.settle(cast, blobs, &mut live, begin.clone(), begun_ms, None);
        for (ms, event) in way {
            cast.crypto
                .draw_from(begin.label(begun_ms, Some(ms)).as_bytes());
            tell(blobs, &mut live, &event, ms);
            self.settle(cast, blobs, &mut live, begin.clone(), ms, None);
        }
        live
    }

    /// Lets a session run until it waits for something from outside, or to its end.
    fn settle(
        &mut self,
        cast: &Cast,
        blobs: &mut Blobs,
        live: &mut Live,
        begin: Begin,
        ms: u64,
        step: Option<(NodeId, u64, Event)>,
    ) -> Node {
        self.steps_run += 1;
        let mut node = Node {
            begun_ms: ms,
            step,
            requests: Vec::new(),
            claims: Vec::new(),
            told: Vec::new(),
            wake_ms: u64::MAX,
            is_over: false,
            begin,
        };
        let party = cast.party(node.begin.on());
        for _ in 0..1000 {
            match live.next(ms) {
                Move::Act(action) => match action {
                    Action::Request {
                        id,
                        role,
                        request,
                        deadline,
                        ..
                    } => node.requests.push(Request {
                        id,
                        at: Who::of_url(&request.url),
                        what: ask(cast, blobs, role, &request),
                        deadline: deadline.as_ms(),
                    }),
                    Action::Sign { id, message } => {
                        let signature = party.signer.sign(&message);
                        live.input(Input::Signature(id, Ok(signature)), ms);
                    }
                    Action::Load { id, record } => {
                        let value = party.records.get(record.as_str()).cloned();
                        live.input(Input::Loaded(id, Ok(value.map(Zeroizing::new))), ms);
                    }
                    Action::Save { id, .. } => live.input(Input::Saved(id, Ok(Saved::Written)), ms),
                    Action::Claim { id, record, .. } => {
                        node.claims.push((id, record.as_str().to_owned()));
                    }
                    _ => panic!("nothing else is needed in this world"),
                },
                Move::Told(told) => node.told.push(told),
                Move::Wait(due) => {
                    if due.as_ms() > ms {
                        node.wake_ms = due.as_ms();
                        return node;
                    }
                }
                Move::Done(told) => {
                    node.told.extend(told);
                    node.is_over = true;
                    return node;
                }
            }
        }
        panic!("the session spins");
    }
}

/// How long C waits for the answer. Shorter than the default, to bound the model.
pub(crate) const AWAIT: core::time::Duration = core::time::Duration::from_secs(4);

fn ask(cast: &Cast, blobs: &mut Blobs, role: Role, request: &HttpRequest) -> Ask {
    match role {
        Role::Retrieve => Ask::Retrieve,
        Role::Store => {
            let content_type = request.header("content-type");
            let stored = placement::decode_store(content_type, &request.body).unwrap();
            let count = stored.len();
            let stored = stored.into_iter();
            let readable = stored.filter_map(|blob| blobs.intern(cast, blob));
            Ask::Store(count, readable.collect())
        }
        _ => panic!("nothing is looked up or published in this world"),
    }
}
