//! Asking the own mailboxes and opening what is in them.
//!
//! Shared by ringing, by waiting for an answer and by the check at answer time. What it asks, and
//! how often, never depends on what it found (PRV-8, PRV-48).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use ringtrue_oob::http::placement::{self, RetrieveForm};
use ringtrue_oob::{BaseUrl, Blob, Content, Destination, Suite};
use ringtrue_stir::{Reason, TelephoneNumber};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::own_keys::{OwnKey, Secret};
use crate::service_clock::ServiceClock;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, BlobCounts, Context, Input, Monotonic, Now, OwnKeys, RecordName, Role,
};

/// How many blobs are tried before the host gets a chance to look at its deadlines: some
/// milliseconds of work.
const BLOBS_PER_STEP: usize = 8;

/// How many blobs are remembered as tried: several full answers. Beyond it, trying again is the
/// smaller evil.
const MAX_REMEMBERED: usize = 2048;

/// One own number at one own service.
#[derive(Clone, Debug)]
struct Mailbox {
    number: TelephoneNumber,
    service: BaseUrl,
    clock: ServiceClock,
}

/// Something that one of the own keys opened and that parses.
#[derive(Clone)]
pub(crate) struct Opened {
    /// The own number in whose mailbox it was.
    pub(crate) number: TelephoneNumber,
    /// The service that was asked.
    pub(crate) service: BaseUrl,
    pub(crate) content: Content,
}

#[derive(Clone)]
enum Keys {
    NotAsked,
    Loading(ActionId),
    Ready(Box<OwnKeys>),
    Missing,
}

/// A blob that waits for its turn, or for the hardware key.
#[derive(Clone)]
struct Queued {
    blob: Blob,
    mailbox: usize,
}

/// A request that is under way.
#[derive(Clone)]
struct Asked {
    id: ActionId,
    mailbox: usize,
    at: Monotonic,
}

/// The mailboxes of one session.
#[derive(Clone)]
pub(crate) struct Mailboxes {
    context: Arc<Context>,
    boxes: Vec<Mailbox>,
    keys: Keys,
    ids: Ids,
    outbox: VecDeque<Action>,
    requests: Vec<Asked>,
    queue: VecDeque<Queued>,
    agreements: Vec<(ActionId, Queued)>,
    tried: HashSet<[u8; 32]>,
    opened: Vec<Opened>,
    counts: BlobCounts,
    answers: u32,
    reasons: Vec<Reason>,
}

impl Mailboxes {
    /// The mailboxes of these own numbers at every own service.
    pub(crate) fn new(context: Arc<Context>, numbers: &[TelephoneNumber]) -> Self {
        let boxes = numbers
            .iter()
            .flat_map(|number| {
                context.services.own.iter().map(|service| Mailbox {
                    number: number.clone(),
                    service: service.clone(),
                    clock: ServiceClock::default(),
                })
            })
            .collect();
        Self {
            context,
            boxes,
            keys: Keys::NotAsked,
            ids: Ids::default(),
            outbox: VecDeque::new(),
            requests: Vec::new(),
            queue: VecDeque::new(),
            agreements: Vec::new(),
            tried: HashSet::new(),
            opened: Vec::new(),
            counts: BlobCounts::default(),
            answers: 0,
            reasons: Vec::new(),
        }
    }

    /// Asks every mailbox once, at `now`, giving up by `deadline`.
    pub(crate) fn poll(&mut self, deadline: Monotonic, now: Now) {
        if matches!(self.keys, Keys::NotAsked) {
            let id = self.ids.next();
            self.keys = Keys::Loading(id);
            self.outbox.push_back(Action::Load {
                id,
                record: RecordName::own_keys(),
            });
        }
        for (index, mailbox) in self.boxes.iter().enumerate() {
            let id = self.ids.next();
            self.requests.push(Asked {
                id,
                mailbox: index,
                at: now.monotonic,
            });
            self.outbox.push_back(Action::Request {
                id,
                role: Role::Retrieve,
                request: placement::encode_retrieve(
                    &mailbox.service,
                    &mailbox.number,
                    RetrieveForm::Blobs,
                ),
                max_answer_octets: self.context.policy.max_answer_octets,
                deadline,
            });
        }
    }

    /// The next action to start, if any.
    pub(crate) fn action(&mut self) -> Option<Action> {
        self.outbox.pop_front()
    }

    /// Does a bounded piece of the opening; true if there is more.
    pub(crate) fn work(&mut self) -> bool {
        let Keys::Ready(keys) = &self.keys else {
            return false;
        };
        for _ in 0..BLOBS_PER_STEP {
            let Some(queued) = self.queue.pop_front() else {
                return false;
            };
            let Some(mailbox) = self.boxes.get(queued.mailbox) else {
                continue;
            };
            let destination = Destination::TelephoneNumber(mailbox.number.clone());
            let mut to_hardware = false;
            for key in keys
                .all()
                .filter(|key| key.recipient.suite() == queued.blob.suite())
            {
                match &key.secret {
                    Secret::Hardware => to_hardware = true,
                    Secret::Software(secret) => {
                        let (blob, recipient) = (&queued.blob, &key.recipient);
                        let opened = match &key.prepared {
                            Some(prepared) => ringtrue_oob::open_prepared(
                                blob,
                                prepared.as_ref(),
                                recipient,
                                &destination,
                            ),
                            None => ringtrue_oob::open(
                                self.context.provider.as_ref(),
                                blob,
                                secret,
                                recipient,
                                &destination,
                            ),
                        };
                        if let Ok(octets) = opened {
                            take_in(
                                &mut self.opened,
                                &mut self.counts,
                                &mut self.reasons,
                                mailbox,
                                &octets,
                            );
                        }
                    }
                }
            }
            if to_hardware && let Ok(peer) = queued.blob.peer_point() {
                let id = self.ids.next();
                self.outbox.push_back(Action::Agree { id, peer });
                self.agreements.push((id, queued));
            }
        }
        !self.queue.is_empty()
    }

    /// Takes in an input; gives it back if it was not for a mailbox.
    pub(crate) fn input(&mut self, input: Input, now: Now) -> Result<(), Input> {
        match input {
            Input::Loaded(id, result) => {
                if !matches!(self.keys, Keys::Loading(awaited) if awaited == id) {
                    return Err(Input::Loaded(id, result));
                }
                let keys = result.and_then(|octets| {
                    octets.map_or(Err(Reason::KeysNotPublished), |octets| {
                        OwnKeys::from_record(&octets)
                    })
                });
                self.keys = match keys {
                    Ok(mut keys) => {
                        keys.prepare(self.context.provider.as_ref());
                        Keys::Ready(Box::new(keys))
                    }
                    Err(reason) => {
                        add_reason(&mut self.reasons, reason);
                        Keys::Missing
                    }
                };
            }
            Input::Response(id, result) => {
                let Some(at) = self.requests.iter().position(|asked| asked.id == id) else {
                    return Err(Input::Response(id, result));
                };
                let Asked { mailbox, at, .. } = self.requests.swap_remove(at);
                if let (Ok(answer), Some(asked)) = (&result, self.boxes.get_mut(mailbox)) {
                    asked.clock.learn(at, now.monotonic, answer);
                }
                match result.and_then(|response| placement::decode_blobs(&response)) {
                    Ok(retrieved) => {
                        self.answers = self.answers.saturating_add(1);
                        let limit = self.context.policy.max_blobs;
                        if retrieved.blobs.len() > limit {
                            add_reason(&mut self.reasons, Reason::AnswerIncomplete);
                        }
                        for blob in retrieved.blobs.into_iter().take(limit) {
                            self.enqueue(blob, mailbox);
                        }
                    }
                    Err(reason) => add_reason(&mut self.reasons, reason),
                }
            }
            Input::Agreement(id, result) => {
                let Some(at) = self
                    .agreements
                    .iter()
                    .position(|(awaited, _)| *awaited == id)
                else {
                    return Err(Input::Agreement(id, result));
                };
                let (_, queued) = self.agreements.swap_remove(at);
                match result {
                    Ok(octets) => self.agreed(&queued, &octets),
                    Err(reason) => add_reason(&mut self.reasons, reason),
                }
            }
            other => return Err(other),
        }
        Ok(())
    }

    fn enqueue(&mut self, blob: Blob, mailbox: usize) {
        // A dummy lives as long as a real blob and comes with every poll: trying it once is enough.
        // The mailbox counts: a copy in another mailbox must not keep the right one from opening it.
        let mut digest = Sha256::new();
        digest.update(mailbox.to_be_bytes());
        digest.update(blob.as_octets());
        let digest: [u8; 32] = digest.finalize().into();
        if self.tried.len() < MAX_REMEMBERED && !self.tried.insert(digest) {
            return;
        }
        self.counts.received = self.counts.received.saturating_add(1);
        self.queue.push_back(Queued { blob, mailbox });
    }

    fn agreed(&mut self, queued: &Queued, octets: &Zeroizing<Vec<u8>>) {
        let Keys::Ready(keys) = &self.keys else {
            return;
        };
        let Some(mailbox) = self.boxes.get(queued.mailbox) else {
            return;
        };
        let shared = match ringtrue_stir::crypto::SharedSecret::from_device(octets) {
            Ok(shared) => shared,
            Err(reason) => return add_reason(&mut self.reasons, reason),
        };
        let destination = Destination::TelephoneNumber(mailbox.number.clone());
        let hardware = |key: &&OwnKey| {
            matches!(key.secret, Secret::Hardware) && key.recipient.suite() == Suite::S1
        };
        if let Some(key) = keys.all().find(hardware) {
            let opened = ringtrue_oob::open_with_shared_secret(
                &queued.blob,
                &shared,
                &key.recipient,
                &destination,
            );
            if let Ok(octets) = opened {
                take_in(
                    &mut self.opened,
                    &mut self.counts,
                    &mut self.reasons,
                    mailbox,
                    &octets,
                );
            }
        }
    }

    /// Whether everything that was asked has been answered and opened.
    pub(crate) fn is_idle(&self) -> bool {
        let opening = !self.queue.is_empty() && !matches!(self.keys, Keys::Missing);
        self.outbox.is_empty()
            && self.requests.is_empty()
            && self.agreements.is_empty()
            && !matches!(self.keys, Keys::Loading(_))
            && !opening
    }

    /// What opened since the last call.
    pub(crate) fn take_opened(&mut self) -> Vec<Opened> {
        core::mem::take(&mut self.opened)
    }

    pub(crate) const fn counts(&self) -> BlobCounts {
        self.counts
    }

    /// What is known of a service's clock.
    pub(crate) fn clock(&self, service: &BaseUrl) -> ServiceClock {
        let asked = self.boxes.iter().find(|asked| asked.service == *service);
        asked.map(|asked| asked.clock).unwrap_or_default()
    }

    /// How many answers of a service could be read.
    pub(crate) const fn answers(&self) -> u32 {
        self.answers
    }

    /// The own keys, once they are loaded.
    pub(crate) const fn keys(&self) -> Option<&OwnKeys> {
        match &self.keys {
            Keys::Ready(keys) => Some(keys),
            _ => None,
        }
    }

    pub(crate) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Gives up what is outstanding, at a deadline: requests, the own keys, the hardware key.
    pub(crate) fn give_up(&mut self, _now: Now) {
        if !self.is_idle() {
            add_reason(&mut self.reasons, Reason::DeadlinePassed);
        }
        if matches!(self.keys, Keys::Loading(_)) {
            self.keys = Keys::Missing;
        }
        self.requests.clear();
        self.agreements.clear();
        self.outbox.clear();
    }
}

/// Parses what opened. A free function, because the keys are borrowed while it runs.
fn take_in(
    opened: &mut Vec<Opened>,
    counts: &mut BlobCounts,
    reasons: &mut Vec<Reason>,
    mailbox: &Mailbox,
    octets: &[u8],
) {
    counts.opened = counts.opened.saturating_add(1);
    match Content::parse(octets) {
        Ok(content) => opened.push(Opened {
            number: mailbox.number.clone(),
            service: mailbox.service.clone(),
            content,
        }),
        // Silent towards the network, but worth telling the application.
        Err(_) => add_reason(reasons, Reason::MalformedContent),
    }
}
