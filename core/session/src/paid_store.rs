//! One store at one service, paid for with storage tokens if its recipients ask for it.
//!
//! Every session that leaves something at a service stores through this: a call, an answer, a report.
//!
//! Source: docs/protocol.md section 19.1 (PRV-25 to PRV-28, W-29, W-30, W-33).

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_oob::http::{HttpRequest, HttpResponse, placement, problem};
use ringtrue_oob::statement::VerifiedStatement;
use ringtrue_oob::token::IssuerName;
use ringtrue_oob::token::redemption::{self, Redemption, StoreProof};
use ringtrue_oob::{BaseUrl, Blob, Destination};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

use crate::issuance::Issuance;
use crate::issuer_memory::IssuerMemory;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::wallet::{HeldToken, Wallet};
use crate::{
    Action, ActionId, Context, Input, Monotonic, Now, RecordName, Role, Saved, WalletName,
};

/// Ids of one store: its own, and from the middle those of an issuance.
const IDS: u32 = 1 << 16;
const ISSUANCE_IDS: u32 = IDS / 2;

/// How often a wallet is read again because another process took from it.
const MAX_CONFLICTS: usize = 8;

/// Requests for one store: without its price, with it, after a token that was not accepted, and one
/// repetition of each that got lost.
const MAX_REQUESTS: usize = 5;

/// What a token was good for: its counter. Every token is used for one store (PRV-28).
const FIRST_USE: u32 = 0;

/// What came of a store.
pub(crate) struct StoreEnd {
    /// The service's answer, whatever it says, or why there is none.
    pub(crate) answer: Result<HttpResponse, Reason>,
    /// When the answered request was sent.
    pub(crate) sent: Monotonic,
    /// The price that was named, where that is why it came to nothing ([`Reason::PriceTooHigh`]).
    pub(crate) price: Option<usize>,
}

enum Purse {
    /// The wallet and the memory of the issuer are being read.
    Reading {
        memory: Option<ActionId>,
        wallet: Option<ActionId>,
        held: Option<Zeroizing<Vec<u8>>>,
    },
    /// Tokens were taken out; that is being written.
    Taking(ActionId, Vec<HeldToken>),
    /// The wallet had too few.
    Issuing(Box<Issuance>),
    /// There is enough, or all that can be had.
    Ready,
}

/// What is to be stored.
struct Parcel {
    dest: TelephoneNumber,
    blobs: Vec<Blob>,
}

/// A store in progress. Taking tokens begins at once; the request goes out when there is something to
/// store and enough to pay with.
pub(crate) struct PaidStore {
    context: Arc<Context>,
    service: BaseUrl,
    wallet: Option<WalletName>,
    payer: TelephoneNumber,
    deadline: Monotonic,
    ids: Ids,
    first_id: u32,
    outbox: VecDeque<Action>,
    purse: Purse,
    held: Vec<HeldToken>,
    /// How many tokens the store costs, as far as is known.
    price: usize,
    /// Tokens that end no later are not taken: some of their key was refused.
    after: UnixTime,
    issued: bool,
    started: bool,
    conflicts: usize,
    parcel: Option<Parcel>,
    request: Option<(ActionId, HttpRequest, Monotonic)>,
    requests: usize,
    repeated: bool,
    end: Option<StoreEnd>,
    finished: bool,
    reasons: Vec<Reason>,
}

/// The issuer whose tokens a statement's services want, if it names one that can be one.
pub(crate) fn issuer_of(statement: &VerifiedStatement) -> Option<IssuerName> {
    IssuerName::parse(statement.tok()?).ok()
}

impl PaidStore {
    /// Begins a store at `service` with tokens of `issuer`, `None` if none are wanted there. `payer` is
    /// the own number in whose name tokens would be asked for. `index` keeps its actions apart from those
    /// of other stores of the session, and all of them from its own, which are below 2^17.
    pub(crate) fn new(
        context: Arc<Context>,
        service: BaseUrl,
        issuer: Option<IssuerName>,
        payer: TelephoneNumber,
        index: u32,
        deadline: Monotonic,
    ) -> Self {
        let first_id = index.saturating_add(2).saturating_mul(IDS);
        let wallet = issuer.map(|issuer| WalletName::new(issuer, service.authority()));
        Self {
            context,
            service,
            wallet,
            payer,
            deadline,
            ids: Ids::starting_at(first_id),
            first_id,
            outbox: VecDeque::new(),
            purse: Purse::Ready,
            held: Vec::new(),
            price: 1,
            after: UnixTime::default(),
            issued: false,
            started: false,
            conflicts: 0,
            parcel: None,
            request: None,
            requests: 0,
            repeated: false,
            end: None,
            finished: false,
            reasons: Vec::new(),
        }
    }

    /// As this, with tokens from the wallet or not at all: what hides calls may wait for nothing and ask
    /// no issuer at a time of its own.
    pub(crate) const fn paying_from_wallet_alone(mut self) -> Self {
        self.issued = true;
        self
    }

    /// Gives it what is to be stored, and until when.
    pub(crate) fn send(&mut self, dest: &TelephoneNumber, blobs: Vec<Blob>, deadline: Monotonic) {
        self.deadline = deadline;
        self.parcel = Some(Parcel {
            dest: dest.clone(),
            blobs,
        });
    }

    /// What is worth knowing, whatever came of it.
    pub(crate) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Whether a request is out, so that the service may have taken it although no answer came.
    pub(crate) const fn is_sent(&self) -> bool {
        self.request.is_some()
    }

    /// Whether tokens are still being looked for.
    pub(crate) const fn is_paying(&self) -> bool {
        !matches!(self.purse, Purse::Ready)
    }

    /// What came of it, once.
    pub(crate) fn take_end(&mut self) -> Option<StoreEnd> {
        self.end.take()
    }

    fn finish(&mut self, answer: Result<HttpResponse, Reason>, sent: Monotonic) {
        self.finished = true;
        self.end = Some(StoreEnd {
            answer,
            sent,
            price: None,
        });
        self.parcel = None;
    }

    /// Asks the wallet for the tokens that are missing.
    fn read_wallet(&mut self) {
        let Some(wallet) = &self.wallet else {
            return;
        };
        let memory = self.ids.next();
        self.outbox.push_back(Action::Load {
            id: memory,
            record: RecordName::issuer(wallet.issuer().as_str()),
        });
        let id = self.ids.next();
        self.outbox.push_back(Action::Load {
            id,
            record: wallet.record(),
        });
        self.purse = Purse::Reading {
            memory: Some(memory),
            wallet: Some(id),
            held: None,
        };
    }

    /// The next action to start.
    pub(crate) fn action(&mut self, now: Now) -> Option<Action> {
        if !self.started {
            self.started = true;
            self.read_wallet();
        }
        if let Purse::Issuing(issuance) = &mut self.purse {
            if let Some(action) = issuance.action(now) {
                return Some(action);
            }
            if issuance.is_done() {
                self.issued_all(now);
            }
        }
        let ready = matches!(self.purse, Purse::Ready) && self.request.is_none();
        if ready && !self.finished && self.parcel.is_some() {
            self.post(now);
        }
        self.outbox.pop_front()
    }

    /// The issuer has given all it gives.
    fn issued_all(&mut self, now: Now) {
        let Purse::Issuing(mut issuance) = core::mem::replace(&mut self.purse, Purse::Ready) else {
            return;
        };
        self.held.extend(issuance.take_tokens());
        if self.held.len() >= self.price {
            add_reason(&mut self.reasons, Reason::TokenJustInTime);
            return;
        }
        for reason in issuance.reasons() {
            add_reason(&mut self.reasons, *reason);
        }
        self.finish(Err(Reason::WalletEmpty), now.monotonic);
    }

    /// Sends what there is to send, with as many tokens as it costs.
    fn post(&mut self, now: Now) {
        let request = match &self.parcel {
            Some(parcel) => self.paid_request(parcel),
            None => return,
        };
        match request {
            Ok(request) => self.request(request, now),
            Err(reason) => self.finish(Err(reason), now.monotonic),
        }
    }

    fn paid_request(&self, parcel: &Parcel) -> Result<HttpRequest, Reason> {
        let mut request = placement::encode_store(&self.service, &parcel.dest, &parcel.blobs)?;
        if self.wallet.is_some() {
            let destination = Destination::from(parcel.dest.clone());
            let proof = StoreProof::new(self.service.authority(), &destination, &parcel.blobs)?;
            let provider = self.context.provider.as_ref();
            let paid = self
                .held
                .iter()
                .take(self.price)
                .map(|held| proof.redeem(provider, &held.token, &held.one_time_key, FIRST_USE))
                .collect::<Result<Vec<Redemption>, Reason>>()?;
            request.headers.extend(redemption::encode(&paid)?);
        }
        Ok(request)
    }

    fn request(&mut self, request: HttpRequest, now: Now) {
        self.requests = self.requests.saturating_add(1);
        let id = self.ids.next();
        self.request = Some((id, request.clone(), now.monotonic));
        self.outbox.push_back(Action::Request {
            id,
            role: Role::Store,
            request,
            max_answer_octets: placement::MAX_STORE_ANSWER_LEN,
            deadline: self.deadline,
        });
    }

    /// Takes in what came of an action; gives it back if it is not one of this store's.
    pub(crate) fn input(&mut self, input: Input, now: Now) -> Option<Input> {
        match input {
            Input::Response(id, result)
                if self.request.as_ref().is_some_and(|(sent, ..)| *sent == id) =>
            {
                self.answered(result, now);
                None
            }
            Input::Loaded(id, result) => self.loaded(id, result, now),
            Input::Saved(id, result) if matches!(&self.purse, Purse::Taking(saving, _) if *saving == id) =>
            {
                self.taken(result, now);
                None
            }
            other => match &mut self.purse {
                Purse::Issuing(issuance) => issuance.input(other, now),
                _ => Some(other),
            },
        }
    }

    fn loaded(
        &mut self,
        id: ActionId,
        result: Result<Option<Zeroizing<Vec<u8>>>, Reason>,
        now: Now,
    ) -> Option<Input> {
        let Purse::Reading {
            memory,
            wallet,
            held,
        } = &mut self.purse
        else {
            return match &mut self.purse {
                Purse::Issuing(issuance) => issuance.input(Input::Loaded(id, result), now),
                _ => Some(Input::Loaded(id, result)),
            };
        };
        if *memory == Some(id) {
            *memory = None;
            let octets = result.ok().flatten();
            let known = IssuerMemory::from_record(octets.as_ref().map(|octets| octets.as_slice()));
            let unix = now.unix(self.context.policy.earliest_time);
            if unix.is_some_and(|unix| known.is_distrusted(unix)) {
                self.purse = Purse::Ready;
                self.finish(Err(Reason::IssuerInconsistent), now.monotonic);
                return None;
            }
        } else if *wallet == Some(id) {
            *wallet = None;
            *held = result.unwrap_or_else(|reason| {
                add_reason(&mut self.reasons, reason);
                None
            });
        } else {
            return Some(Input::Loaded(id, result));
        }
        if let (None, None) = (memory, wallet) {
            let octets = held.take();
            self.take(octets, now);
        }
        None
    }

    /// Takes what is missing out of the wallet, as far as it goes.
    fn take(&mut self, octets: Option<Zeroizing<Vec<u8>>>, now: Now) {
        let Some((name, unix)) = self
            .wallet
            .clone()
            .zip(now.unix(self.context.policy.earliest_time))
        else {
            self.purse = Purse::Ready;
            return self.finish(Err(Reason::ClockUnset), now.monotonic);
        };
        let missing = self.price.saturating_sub(self.held.len());
        let slice = octets.as_ref().map(|octets| octets.as_slice());
        let mut wallet = Wallet::from_record(slice).unwrap_or_else(|reason| {
            add_reason(&mut self.reasons, reason);
            Wallet::default()
        });
        wallet.forget_expired(unix);
        let provider = Arc::clone(&self.context.provider);
        let taken = wallet.take(provider.as_ref(), missing, unix, self.after);
        if taken.is_empty() {
            return self.issue(now);
        }
        match wallet.into_record() {
            Ok(value) => {
                let id = self.ids.next();
                self.outbox.push_back(Action::Save {
                    id,
                    record: name.record(),
                    expected: octets,
                    value,
                });
                self.purse = Purse::Taking(id, taken);
            }
            Err(reason) => {
                self.purse = Purse::Ready;
                self.finish(Err(reason), now.monotonic);
            }
        }
    }

    /// The wallet no longer holds the tokens that were taken, or it was too late to take them.
    fn taken(&mut self, result: Result<Saved, Reason>, now: Now) {
        let Purse::Taking(_, taken) = core::mem::replace(&mut self.purse, Purse::Ready) else {
            return;
        };
        match result {
            Ok(Saved::Written) => {
                self.held.extend(taken);
                if self.held.len() < self.price {
                    self.issue(now);
                }
            }
            // Another process was quicker: these tokens may be its own now.
            Ok(Saved::Changed) if self.conflicts < MAX_CONFLICTS => {
                self.conflicts = self.conflicts.saturating_add(1);
                self.read_wallet();
            }
            Ok(Saved::Changed) => self.finish(Err(Reason::StateUnavailable), now.monotonic),
            // A token that may still be in the wallet is not used.
            Err(reason) => self.finish(Err(reason), now.monotonic),
        }
    }

    /// The wallet is too empty: one issuance, while the call waits (W-33).
    fn issue(&mut self, now: Now) {
        self.purse = Purse::Ready;
        let Some(name) = self.wallet.clone().filter(|_| !self.issued) else {
            return self.finish(Err(Reason::WalletEmpty), now.monotonic);
        };
        self.issued = true;
        self.purse = Purse::Issuing(Box::new(Issuance::new(
            Arc::clone(&self.context),
            name,
            self.payer.clone(),
            self.price.saturating_sub(self.held.len()),
            self.first_id.saturating_add(ISSUANCE_IDS),
            self.deadline,
        )));
    }

    fn answered(&mut self, result: Result<HttpResponse, Reason>, now: Now) {
        let Some((_, request, sent)) = self.request.take() else {
            return;
        };
        let more = self.requests < MAX_REQUESTS && now.monotonic < self.deadline;
        match result {
            // The service may have taken it. The same once more is answered like the first (PRV-32).
            Err(Reason::ServiceUnreachable) if self.wallet.is_some() && !self.repeated && more => {
                self.repeated = true;
                self.request(request, now);
            }
            Ok(answer) if more && self.wallet.is_some() => match answer.status {
                429 => self.priced(answer, sent),
                401 | 403 => self.refused(answer, sent),
                _ => self.finish(Ok(answer), sent),
            },
            other => self.finish(other, sent),
        }
    }

    /// The service names a price. What was sent is not spent and counts (W-30).
    fn priced(&mut self, answer: HttpResponse, sent: Monotonic) {
        match problem::price(&answer) {
            Some(price) if price > self.context.policy.max_price => {
                self.finish(Err(Reason::PriceTooHigh), sent);
                if let Some(end) = &mut self.end {
                    end.price = Some(price);
                }
            }
            Some(price) if price > self.price => {
                add_reason(&mut self.reasons, Reason::PriceRaised);
                self.price = price;
                // What is missing for a price that was not known is asked for as well.
                self.issued = false;
                self.read_wallet();
            }
            // A price that is paid already: the service may not be able to make up its mind.
            _ => self.finish(Ok(answer), sent),
        }
    }

    /// The service does not take these tokens: once more with some of a later key, or fresh ones.
    fn refused(&mut self, answer: HttpResponse, sent: Monotonic) {
        let reason = problem::reason(&answer);
        let tokens = matches!(reason, Reason::TokenRequired | Reason::TokenRejected);
        if !tokens || self.after > UnixTime::default() {
            return self.finish(Ok(answer), sent);
        }
        let used = core::mem::take(&mut self.held);
        self.after = used.iter().map(|held| held.end).max().unwrap_or_default();
        self.read_wallet();
    }
}
