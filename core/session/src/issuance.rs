//! Getting storage tokens from their issuer: its directory twice, then one request for each token.
//!
//! The issuer is asked for its keys directly and, where there is a relay, through it, where it cannot
//! tell who asks. One that keeps a key for each client, or for each network address, shows the two
//! something else.

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_oob::token::issuance::{self, AuthorizationDraft, UnsignedAuthorization};
use ringtrue_oob::token::issuer_directory::{self, IssuerDirectory, PublishedKey};
use ringtrue_oob::token::{OneTimeKey, PendingToken, TokenChallenge};
use ringtrue_stir::crypto::DeviceSignature;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

use crate::issuer_memory::IssuerMemory;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::wallet::HeldToken;
use crate::{
    Action, ActionId, Context, Input, Monotonic, Now, RecordName, Role, Saved, WalletName,
};

/// Requests that are out at one time: enough for speed, few enough for a slow key store.
const MAX_ORDERS: usize = 4;

/// How often the issuer's record is read again because another process wrote it.
const MAX_CONFLICTS: usize = 3;

/// A token on its way.
struct Order {
    pending: PendingToken,
    body: Vec<u8>,
    wait: Wait,
}

enum Wait {
    Signature(ActionId, UnsignedAuthorization),
    Answer(ActionId),
}

enum Stage {
    /// The memory of the issuer and both views of its directory are asked for.
    Looking {
        memory: Option<ActionId>,
        views: [Option<ActionId>; 2],
    },
    /// What was seen is written down before anything is asked.
    Remembering(ActionId, Result<Chosen, Reason>),
    Ordering(Chosen),
    Done,
}

#[derive(Clone)]
struct Chosen {
    key: PublishedKey,
    url: String,
    challenge: TokenChallenge,
}

/// Gets `count` tokens for one wallet. Part of a session; it ends by the deadline that it was given as far
/// as the network goes, and its owner gives up otherwise.
pub(crate) struct Issuance {
    context: Arc<Context>,
    name: WalletName,
    number: TelephoneNumber,
    left: usize,
    deadline: Monotonic,
    ids: Ids,
    outbox: VecDeque<Action>,
    stage: Stage,
    started: bool,
    stored: Option<Zeroizing<Vec<u8>>>,
    memory: IssuerMemory,
    directories: Vec<IssuerDirectory>,
    conflicts: usize,
    orders: Vec<Order>,
    tokens: Vec<HeldToken>,
    reasons: Vec<Reason>,
}

impl Issuance {
    /// Begins. The credential is asked for in the name of `number`, one of the own.
    pub(crate) fn new(
        context: Arc<Context>,
        name: WalletName,
        number: TelephoneNumber,
        count: usize,
        first_id: u32,
        deadline: Monotonic,
    ) -> Self {
        Self {
            context,
            name,
            number,
            left: count,
            deadline,
            ids: Ids::starting_at(first_id),
            outbox: VecDeque::new(),
            stage: Stage::Done,
            started: false,
            stored: None,
            memory: IssuerMemory::default(),
            directories: Vec::new(),
            conflicts: 0,
            orders: Vec::new(),
            tokens: Vec::new(),
            reasons: Vec::new(),
        }
    }

    pub(crate) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The tokens that came so far.
    pub(crate) fn take_tokens(&mut self) -> Vec<HeldToken> {
        core::mem::take(&mut self.tokens)
    }

    /// Whether nothing more will come.
    pub(crate) fn is_done(&self) -> bool {
        self.started && matches!(self.stage, Stage::Done)
    }

    fn fail(&mut self, reason: Reason) {
        add_reason(&mut self.reasons, reason);
        self.stage = Stage::Done;
    }

    fn load(&mut self) -> ActionId {
        let id = self.ids.next();
        self.outbox.push_back(Action::Load {
            id,
            record: RecordName::issuer(self.name.issuer().as_str()),
        });
        id
    }

    fn start(&mut self) {
        self.started = true;
        let memory = self.load();
        // As who the tokens are for, and as nobody in particular: a relay carries lookups.
        let views = [Role::Configuration, Role::Lookup].map(|role| {
            let id = self.ids.next();
            self.outbox.push_back(Action::Request {
                id,
                role,
                request: issuer_directory::encode_request(self.name.issuer().base_url()),
                max_answer_octets: issuer_directory::MAX_LEN,
                deadline: self.deadline,
            });
            Some(id)
        });
        self.stage = Stage::Looking {
            memory: Some(memory),
            views,
        };
    }

    /// The next action. Makes at most one token on the way: blinding takes a millisecond or two.
    pub(crate) fn action(&mut self, now: Now) -> Option<Action> {
        if !self.started {
            self.start();
        }
        if self.outbox.is_empty() {
            self.order(now);
        }
        self.outbox.pop_front()
    }

    fn order(&mut self, now: Now) {
        let Stage::Ordering(chosen) = &self.stage else {
            return;
        };
        let late = now.monotonic >= self.deadline;
        if late {
            return self.fail(Reason::DeadlinePassed);
        }
        if self.left == 0 {
            if self.orders.is_empty() {
                self.stage = Stage::Done;
            }
            return;
        }
        if self.orders.len() >= MAX_ORDERS {
            return;
        }
        let chosen = chosen.clone();
        match self.begin_order(&chosen, now) {
            Ok(order) => {
                self.left = self.left.saturating_sub(1);
                self.orders.push(order);
            }
            Err(reason) => self.give_up_rest(reason),
        }
    }

    fn begin_order(&mut self, chosen: &Chosen, now: Now) -> Result<Order, Reason> {
        let unix = self.unix(now)?;
        let provider = Arc::clone(&self.context.provider);
        let one_time_key = OneTimeKey::generate(provider.as_ref())?;
        let pending = PendingToken::new(
            provider.as_ref(),
            &chosen.key.key,
            &chosen.challenge,
            one_time_key,
        )?;
        let body = issuance::request_body(&pending);
        let draft = AuthorizationDraft {
            issuer: self.name.issuer(),
            number: &self.number,
            now: unix,
            body: &body,
        };
        let signer = self.context.signer_for(&self.number, unix)?;
        let unsigned = draft.build(provider.as_ref(), signer.bag())?;
        let id = self.ids.next();
        let message = unsigned.signing_input().as_bytes().to_vec();
        self.outbox.push_back(Action::Sign { id, message });
        Ok(Order {
            pending,
            body,
            wait: Wait::Signature(id, unsigned),
        })
    }

    /// No more than what is on its way already.
    fn give_up_rest(&mut self, reason: Reason) {
        add_reason(&mut self.reasons, reason);
        self.left = 0;
        if self.orders.is_empty() {
            self.stage = Stage::Done;
        }
    }

    fn unix(&self, now: Now) -> Result<UnixTime, Reason> {
        now.unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)
    }

    /// Everything that was asked for is there: compares, and writes down what was seen.
    fn looked(&mut self, now: Now) {
        let chosen = self.choose(now);
        if let Err(reason) = &chosen
            && *reason != Reason::IssuerInconsistent
        {
            return self.fail(*reason);
        }
        match self.memory.to_record() {
            Ok(value) => {
                let id = self.ids.next();
                self.outbox.push_back(Action::Save {
                    id,
                    record: RecordName::issuer(self.name.issuer().as_str()),
                    expected: self.stored.take(),
                    value: value.into(),
                });
                self.stage = Stage::Remembering(id, chosen);
            }
            Err(reason) => self.fail(reason),
        }
    }

    fn choose(&mut self, now: Now) -> Result<Chosen, Reason> {
        let unix = self.unix(now)?;
        let rotation = self.context.policy.issuer_rotation;
        let [one, other] = self.directories.as_slice() else {
            return Err(Reason::Internal);
        };
        let key = self.memory.accept(one, other, unix, rotation)?;
        Ok(Chosen {
            key,
            url: one.request_url.clone(),
            challenge: TokenChallenge::new(self.name.issuer(), self.name.service())?,
        })
    }

    /// Takes in what came of an action; gives it back if it is not one of these.
    pub(crate) fn input(&mut self, input: Input, now: Now) -> Option<Input> {
        match input {
            Input::Loaded(id, result) if self.awaits_memory(id) => {
                match result {
                    Ok(octets) => {
                        self.memory = IssuerMemory::from_record(
                            octets.as_ref().map(|octets| octets.as_slice()),
                        );
                        self.stored = octets;
                        if let Stage::Looking { memory, .. } = &mut self.stage {
                            *memory = None;
                        }
                        self.look_on(now);
                    }
                    Err(reason) => self.fail(reason),
                }
                None
            }
            Input::Response(id, result) if self.awaits_view(id) => {
                let issuer = self.name.issuer();
                match result.and_then(|answer| issuer_directory::decode(issuer, &answer)) {
                    Ok(directory) => {
                        self.directories.push(directory);
                        if let Stage::Looking { views, .. } = &mut self.stage {
                            for view in views.iter_mut().filter(|view| **view == Some(id)) {
                                *view = None;
                            }
                        }
                        self.look_on(now);
                    }
                    Err(reason) => self.fail(reason),
                }
                None
            }
            Input::Saved(id, result) => self.saved(id, result),
            Input::Signature(id, result) => match self.order_of(id) {
                Some(order) => {
                    self.signed(order, result, now);
                    None
                }
                None => Some(Input::Signature(id, result)),
            },
            Input::Response(id, result) => match self.order_of(id) {
                Some(order) => {
                    let end = self.chosen_end();
                    let blind = result.and_then(|answer| issuance::decode_response(&answer));
                    match blind.and_then(|blind| order.pending.complete(&blind)) {
                        Ok((token, one_time_key)) => self.tokens.push(HeldToken {
                            token,
                            one_time_key,
                            end,
                        }),
                        Err(reason) => self.give_up_rest(reason),
                    }
                    None
                }
                None => Some(Input::Response(id, result)),
            },
            other => Some(other),
        }
    }

    fn awaits_memory(&self, id: ActionId) -> bool {
        matches!(&self.stage, Stage::Looking { memory, .. } if *memory == Some(id))
    }

    fn awaits_view(&self, id: ActionId) -> bool {
        matches!(&self.stage, Stage::Looking { views, .. } if views.contains(&Some(id)))
    }

    fn look_on(&mut self, now: Now) {
        if matches!(
            self.stage,
            Stage::Looking {
                memory: None,
                views: [None, None]
            }
        ) {
            self.looked(now);
        }
    }

    fn saved(&mut self, id: ActionId, result: Result<Saved, Reason>) -> Option<Input> {
        match core::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Remembering(awaited, chosen) if awaited == id => {
                match (result, chosen) {
                    // Another process looked at the same time: compare with what it saw.
                    (Ok(Saved::Changed), _) if self.conflicts < MAX_CONFLICTS => {
                        self.conflicts = self.conflicts.saturating_add(1);
                        self.stage = Stage::Looking {
                            memory: Some(self.load()),
                            views: [None; 2],
                        };
                    }
                    (Ok(_), Ok(chosen)) => self.stage = Stage::Ordering(chosen),
                    (Ok(_), Err(reason)) | (Err(reason), _) => self.fail(reason),
                }
                None
            }
            other => {
                self.stage = other;
                Some(Input::Saved(id, result))
            }
        }
    }

    /// Takes out the order that waits for this.
    fn order_of(&mut self, id: ActionId) -> Option<Order> {
        let position = self.orders.iter().position(|order| match &order.wait {
            Wait::Signature(awaited, _) | Wait::Answer(awaited) => *awaited == id,
        })?;
        Some(self.orders.swap_remove(position))
    }

    fn chosen_end(&self) -> UnixTime {
        match &self.stage {
            Stage::Ordering(chosen) => chosen.key.end(self.context.policy.issuer_rotation),
            _ => UnixTime::default(),
        }
    }

    fn signed(&mut self, order: Order, signature: Result<DeviceSignature, Reason>, now: Now) {
        let Stage::Ordering(chosen) = &self.stage else {
            return;
        };
        let url = chosen.url.clone();
        let Wait::Signature(_, unsigned) = order.wait else {
            return;
        };
        let completed = self.unix(now).and_then(|unix| {
            let signer = self.context.signer_for(&self.number, unix)?;
            let signature = signature?.to_es256()?;
            let provider = self.context.provider.as_ref();
            unsigned.complete(provider, signer.public_key(), &signature)
        });
        match completed {
            Ok(authorization) => {
                let id = self.ids.next();
                self.outbox.push_back(Action::Request {
                    id,
                    role: Role::Issue,
                    request: issuance::encode_request(&url, &authorization, order.body.clone()),
                    max_answer_octets: issuance::MAX_RESPONSE_LEN,
                    deadline: self.deadline,
                });
                self.orders.push(Order {
                    wait: Wait::Answer(id),
                    ..order
                });
            }
            Err(reason) => self.give_up_rest(reason),
        }
    }
}
