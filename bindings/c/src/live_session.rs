//! One session as the host drives it: which answers it waits for, what it found.

use ringtrue_oob::http::HttpResponse;
use ringtrue_session::{Action as Wanted, ActionId, CallEvent, Input, Now, Saved};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, DeviceSignature, SecretKey};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::conversation::{Conversation, Turn};
use crate::found::Found;
use crate::held::{Held, Kind, nothing};
use crate::types::{self, Action};

/// The most octets of a record that the host hands in: the largest that these sessions write is 256 KiB
/// of content, in its size class and with what sealing adds.
pub(crate) const MAX_RECORD_OCTETS: usize = 524_288 + 64;

/// An answer of the host to an action, out of the caller's memory already.
pub(crate) enum Answer {
    Response(HttpResponse),
    Signature(DeviceSignature),
    Agreement(Zeroizing<Vec<u8>>),
    Loaded(Option<Zeroizing<Vec<u8>>>),
    Stored(Saved),
    Claimed(bool),
    Failure(Reason),
}

/// An action that was handed out and not answered.
struct Awaited {
    id: u32,
    inner: ActionId,
    kind: Kind,
}

/// A session under way, or at its end.
pub(crate) struct LiveSession {
    talk: Box<dyn Conversation>,
    held: Option<Held>,
    awaited: Vec<Awaited>,
    last_id: u32,
    found: Option<Found>,
    is_done: bool,
}

impl LiveSession {
    pub(crate) const fn new(talk: Box<dyn Conversation>) -> Self {
        Self {
            talk,
            held: None,
            awaited: Vec::new(),
            last_id: 0,
            found: None,
            is_done: false,
        }
    }

    /// What was found so far.
    pub(crate) const fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Whether the session is over: only then is an outcome other than a verdict there.
    pub(crate) const fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next action. `signer`: the credential's key, if signatures are made here.
    pub(crate) fn next(
        &mut self,
        now: Now,
        provider: &dyn CryptoProvider,
        signer: Option<&SecretKey>,
    ) -> Action {
        self.held = None;
        if self.is_done {
            return nothing(types::RINGTRUE_ACTION_DONE);
        }
        loop {
            match self.talk.next(now) {
                Turn::Act(Wanted::Sign { id, message }) if signer.is_some() => {
                    let signature = signer
                        .ok_or(Reason::SignerFailed)
                        .and_then(|secret| provider.sign_es256(secret, &message))
                        .map(|made| DeviceSignature::Raw(made.as_raw().to_vec()));
                    self.talk.input(Input::Signature(id, signature), now);
                }
                Turn::Act(action) => match Held::new(action) {
                    Ok((held, inner, kind)) => return self.hand_out(held, inner, kind),
                    Err(action) => self.refuse(&action, now),
                },
                Turn::Report(found) => {
                    self.found = Some(found);
                    return nothing(types::RINGTRUE_ACTION_REPORT);
                }
                Turn::Wait(until) => {
                    let mut action = nothing(types::RINGTRUE_ACTION_WAIT);
                    action.until_ms = until.as_ms();
                    return action;
                }
                Turn::Done(found) => {
                    self.found = Some(found);
                    self.is_done = true;
                    self.awaited = Vec::new();
                    return nothing(types::RINGTRUE_ACTION_DONE);
                }
            }
        }
    }

    fn hand_out(&mut self, held: Held, inner: ActionId, kind: Kind) -> Action {
        // Sessions end after some hundred actions; 0 is never one.
        self.last_id = self.last_id.wrapping_add(1).max(1);
        self.awaited.push(Awaited {
            id: self.last_id,
            inner,
            kind,
        });
        // Its pointers lead to where it stays until the next call.
        self.held.insert(held).view(self.last_id)
    }

    /// What no host of this interface performs: files from hosts that a caller chooses. The policy asks
    /// for none of them.
    fn refuse(&mut self, action: &Wanted, now: Now) {
        let off = Reason::FetchingOff;
        match action {
            Wanted::FetchCertificates { id, .. } => {
                self.talk.input(Input::Certificates(*id, Err(off)), now);
            }
            Wanted::FetchTrust { id, .. } => {
                self.talk.input(Input::TrustFile(*id, Err(off)), now);
            }
            // Its deadline ends what this version does not know.
            _ => {}
        }
    }

    /// Takes the answer to an action. One that the action does not allow is answered with a failure, so
    /// that the session goes on, and told.
    pub(crate) fn answer(&mut self, id: u32, answer: Answer, now: Now) -> Result<(), Code> {
        self.held = None;
        let at = self.awaited.iter().position(|awaited| awaited.id == id);
        let at = at.ok_or(Reason::EventUnexpected)?;
        let awaited = self.awaited.get(at).ok_or(Reason::EventUnexpected)?;
        let (inner, kind) = (awaited.inner, awaited.kind);
        let mut told = Ok(());
        let input = match (kind, answer) {
            (Kind::Response { max_answer_octets }, Answer::Response(response)) => {
                let fits = response.body.len() <= max_answer_octets;
                if !fits {
                    told = Err(Reason::AnswerTooLarge.into());
                }
                let result = fits.then_some(response).ok_or(Reason::AnswerTooLarge);
                Input::Response(inner, result)
            }
            (Kind::Signature, Answer::Signature(signature)) => {
                Input::Signature(inner, Ok(signature))
            }
            (Kind::Agreement, Answer::Agreement(octets)) => Input::Agreement(inner, Ok(octets)),
            (Kind::Loaded, Answer::Loaded(value)) => {
                let fits = value
                    .as_ref()
                    .is_none_or(|it| it.len() <= MAX_RECORD_OCTETS);
                if !fits {
                    told = Err(Reason::TooLong.into());
                }
                let result = fits.then_some(value).ok_or(Reason::StateUnavailable);
                Input::Loaded(inner, result)
            }
            (Kind::Stored, Answer::Stored(saved)) => Input::Saved(inner, Ok(saved)),
            (Kind::Claimed, Answer::Claimed(first)) => Input::Claimed(inner, Ok(first)),
            (kind, Answer::Failure(reason)) => failure(kind, inner, reason),
            // Still to be answered, in the right way.
            _ => return Err(Reason::EventUnexpected.into()),
        };
        self.awaited.swap_remove(at);
        self.talk.input(input, now);
        told
    }

    pub(crate) fn event(&mut self, event: CallEvent, now: Now) {
        self.talk.event(event, now);
    }
}

fn failure(kind: Kind, id: ActionId, reason: Reason) -> Input {
    match kind {
        Kind::Response { .. } => Input::Response(id, Err(reason)),
        Kind::Signature => Input::Signature(id, Err(reason)),
        Kind::Agreement => Input::Agreement(id, Err(reason)),
        Kind::Loaded => Input::Loaded(id, Err(reason)),
        Kind::Stored => Input::Saved(id, Err(reason)),
        Kind::Claimed => Input::Claimed(id, Err(reason)),
    }
}
