//! Everything that there is at one time.

use ringtrue_session::{ActionId, Verdict};

use crate::attacker::Phase;
use crate::blobs::BlobId;
use crate::cast::Who;
use crate::locals::{Answer, Ask, NodeId, Request};

/// One step of time. Everything that takes time in the protocol takes at least a second.
pub(crate) const TICK_MS: u32 = 500;

/// How long a service keeps a blob.
pub(crate) const LIFE_MS: u32 = 30_000;

/// Pauses in which no call rings: longer than a blob lives, and longer than a PASSporT is fresh.
pub(crate) const PAUSES_MS: [u32; 2] = [31_000, 61_000];

/// How much of everything there may be: what makes the world small.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    /// Calls of C to D.
    pub(crate) calls: u8,
    /// Calls of C to M, the attacker's own number.
    pub(crate) calls_to_m: u8,
    /// Calls of the attacker that show C's number to D.
    pub(crate) spoofs: u8,
    /// Messages of the attacker in the mailboxes of D and C.
    pub(crate) messages: u8,
    /// What the network or the service does to requests: losses, delays, answers out of order or
    /// incomplete.
    pub(crate) faults: u8,
    /// Long pauses.
    pub(crate) pauses: u8,
    /// The latest time at which a new call begins.
    pub(crate) horizon_ms: u32,
    /// The time at which the world ends.
    pub(crate) end_ms: u32,
    /// Whether C asks who answers, and D tells.
    pub(crate) answers: bool,
    /// Whether K, too, reads what is meant for D, and tells the attacker.
    pub(crate) with_k: bool,
    /// What is wrong with this world, to show that the rules can be broken.
    pub(crate) mutation: Option<Mutation>,
}

/// A defect that is put into a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The state store of D says of every mark that it is the first.
    ForgetfulStore,
    /// The attacker has C's private key.
    StolenKeyOfC,
    /// Every signature holds.
    Gullible,
    /// D is shown the first verdict on a call and never another.
    FirstVerdictStays,
    /// D does not keep a call table.
    NoCallTable,
    /// None, but a rule that is stricter than what the protocol promises: nothing is spoilt by who knows
    /// `n` either.
    StricterRule,
}

/// A call of C, as C's telephone sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) to: Who,
    pub(crate) begun_ms: u32,
    pub(crate) way: Way,
    /// What C is shown about who answers.
    pub(crate) shown: Option<Verdict>,
    /// Where what was placed is found, if anything was.
    pub(crate) placed: Option<NodeId>,
}

/// How far a call of C has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// It is being announced.
    Announcing,
    /// It is dialled and somewhere in the network.
    Dialled,
    /// It rings at D, as this leg.
    AtD(u8),
    /// It rings at a voicemail box, or at anything else that is not D.
    Diverted,
    /// D answered it, at this time.
    AnsweredByD(u32),
    /// Somebody else answered it, at this time.
    AnsweredElsewhere(u32),
    /// It came to nothing: busy, or C gave up.
    Gone,
}

/// A call at D that shows C's number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Leg {
    /// The call of C that it is; none for the attacker's.
    pub(crate) call: Option<u8>,
    pub(crate) state: LegState,
    /// What D is shown.
    pub(crate) shown: Option<Verdict>,
    /// Whether another call that shows C's number rang here at the same time.
    pub(crate) is_concurrent: bool,
    /// The `iat` of the PASSporT that it was shown as verified by, as it was the last time.
    pub(crate) iat: Option<u64>,
    /// Where the verified call is found.
    pub(crate) rang: Option<NodeId>,
    /// Whether D has begun to tell C that it answered.
    pub(crate) answers: bool,
    /// Which calls of C, by their `iat`, it was told of that they are gone.
    pub(crate) gone: Vec<u64>,
}

/// How far a call at D has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LegState {
    Ringing,
    /// Since when.
    Answered(u32),
    Over,
}

/// Which conversation a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Place(u8),
    Await(u8),
    Ring(u8),
    Answer(u8),
    Report(u8, Phase),
}

/// What happens to a call in the table of D.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Rings,
    Answered(u8),
    Confirmed(u8),
    Ended(u8),
}

/// A session that runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) part: Part,
    pub(crate) node: NodeId,
    pub(crate) open: Vec<Open>,
}

/// A request that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Open {
    pub(crate) id: ActionId,
    pub(crate) at: Who,
    pub(crate) what: Ask,
    pub(crate) deadline: u32,
    /// Whether the network takes its time over it.
    pub(crate) is_held: bool,
    /// What the service has answered, if it has.
    pub(crate) answered: Option<Answer>,
}

/// A blob in a mailbox, and until when.
pub(crate) type Held = (BlobId, u32);

/// Everything that there is at one time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) ms: u32,
    pub(crate) calls: Vec<Call>,
    pub(crate) legs: Vec<Leg>,
    pub(crate) runs: Vec<Run>,
    /// What happened to the calls at D, in its order: what D's call table is made from.
    pub(crate) table: Vec<Entry>,
    /// The mailboxes of C and D.
    pub(crate) boxes: [Vec<Held>; 2],
    /// The marks in the state stores of C and D.
    pub(crate) marks: [Vec<u16>; 2],
    /// What the attacker can read: what was left for M, and for K.
    pub(crate) learnt: Vec<BlobId>,
    /// What anybody could have fetched from the mailbox of D, by now or before.
    pub(crate) seen: Vec<BlobId>,
    pub(crate) spoofs: u8,
    pub(crate) messages: u8,
    pub(crate) faults: u8,
    pub(crate) pauses: u8,
    /// How much of the time went by in pauses.
    pub(crate) paused_ms: u32,
}

impl State {
    pub(crate) fn run(&self, part: Part) -> Option<&Run> {
        self.runs.iter().find(|run| run.part == part)
    }

    /// Whether somebody is about to look into this mailbox.
    pub(crate) fn is_asked(&self, at: Who) -> bool {
        let mut open = self.runs.iter().flat_map(|run| &run.open);
        open.any(|open| open.at == at && open.what == Ask::Retrieve && open.answered.is_none())
    }

    /// Whether no call rings or is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.calls.iter().all(|call| call.way.is_settled())
            && self.legs.iter().all(|leg| leg.state != LegState::Ringing)
    }

    /// Any request that is under way.
    pub(crate) fn first_request(&self) -> Option<(Part, ActionId)> {
        let mut open = self
            .runs
            .iter()
            .flat_map(|run| run.open.first().map(|open| (run.part, open.id)));
        open.next()
    }

    /// A request that is under way.
    pub(crate) fn request(&self, part: Part, id: ActionId) -> &Open {
        let run = self.run(part).unwrap();
        run.open.iter().find(|open| open.id == id).unwrap()
    }

    pub(crate) fn held(&self, of: Who) -> &[Held] {
        match of {
            Who::C => &self.boxes[0],
            Who::D => &self.boxes[1],
            Who::M => &[],
        }
    }

    pub(crate) fn calls_to(&self, to: Who) -> usize {
        self.calls.iter().filter(|call| call.to == to).count()
    }

    pub(crate) fn mailbox(&mut self, of: Who) -> &mut Vec<Held> {
        match of {
            Who::C => &mut self.boxes[0],
            Who::D => &mut self.boxes[1],
            Who::M => panic!("what is left for M is read at once"),
        }
    }
}

/// Puts a value into its place; false if it is there.
pub(crate) fn insert<T: Ord>(sorted: &mut Vec<T>, value: T) -> bool {
    match sorted.binary_search(&value) {
        Ok(_) => false,
        Err(at) => {
            sorted.insert(at, value);
            true
        }
    }
}

impl Way {
    /// Whether C could place another call.
    pub(crate) const fn is_settled(self) -> bool {
        matches!(
            self,
            Self::Gone | Self::AnsweredByD(_) | Self::AnsweredElsewhere(_)
        )
    }
}

impl From<Request> for Open {
    fn from(request: Request) -> Self {
        Self {
            id: request.id,
            at: request.at,
            what: request.what,
            deadline: u32::try_from(request.deadline).unwrap(),
            is_held: false,
            answered: None,
        }
    }
}
