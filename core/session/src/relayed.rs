//! Any session, with its requests carried by a relay.
//!
//! Lookups, publications, stores and retrievals become encapsulated requests to the relay's URL for the service's
//! gateway, and their answers come back as if the service had been asked. So does the second look at a
//! token issuer's keys, at the issuer's gateway. The session inside notices nothing of it; its deadlines
//! hold.

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::{HttpRequest, HttpResponse, Role};
use ringtrue_oob::ohttp::{AnswerKey, KeyConfig, binary, encapsulate, messages, shape};
use ringtrue_oob::token::issuer_directory;
use ringtrue_stir::Reason;

use crate::gateway_keys::KeysFetch;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{Action, ActionId, CallEvent, Context, Input, Monotonic, Now, Session, Step};

/// Own actions draw ids from another range than those of the sessions inside.
const OWN_IDS: u32 = 1 << 24;

/// A request of the session inside, on its way.
struct Flight {
    /// The action of the session inside.
    inner: ActionId,
    role: Role,
    service: BaseUrl,
    /// Whether the direct way would make it worthless.
    only_relayed: bool,
    request: HttpRequest,
    max_answer_octets: usize,
    deadline: Monotonic,
    /// Whether the gateway refused the key once already.
    retried: bool,
    state: State,
}

enum State {
    /// Waits for the gateway's key.
    NeedsKey,
    /// Sent under this id.
    Sent(ActionId, AnswerKey),
}

/// Carries the requests of a session through the relay of the context's
/// [`RelayPolicy`](crate::RelayPolicy); see [`Context::with_relay`].
///
/// A driver puts it around every session. Actions of other roles pass through as they are: who asks for
/// tokens shows who it is anyway. But an issuer's keys are looked at through the relay as well, and
/// where that fails they are not looked at directly instead, whatever else is allowed: the direct look is
/// what it is compared with.
///
/// What is worth knowing of the way ([`Relayed::notices`]):
/// [`Reason::DirectConnection`] for each service that was asked directly although there is a relay,
/// [`Reason::GatewayKeysJustInTime`], [`Reason::GatewayKeysInconsistent`], and why a relay failed.
/// A request that could not be carried fails with [`Reason::RelayFailed`], or with
/// [`Reason::RelayRequired`] where there is no relay for the service and the direct way is not allowed.
///
/// Source: docs/protocol.md section 19.2 (PRV-38, PRV-41, PRV-50).
pub struct Relayed<S: Session> {
    inner: S,
    context: Arc<Context>,
    ids: Ids,
    outbox: VecDeque<Action>,
    inbox: VecDeque<Input>,
    flights: Vec<Flight>,
    fetches: Vec<KeysFetch>,
    notices: Vec<Reason>,
}

impl<S: Session> Relayed<S> {
    /// Puts the relay between `session` and its services.
    #[must_use]
    pub fn new(session: S, context: Arc<Context>) -> Self {
        Self {
            inner: session,
            context,
            ids: Ids::starting_at(OWN_IDS),
            outbox: VecDeque::new(),
            inbox: VecDeque::new(),
            flights: Vec::new(),
            fetches: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// What became worth knowing so far: to be told with the session's own reasons.
    #[must_use]
    pub fn notices(&self) -> &[Reason] {
        &self.notices
    }

    /// Takes an action of the session inside. Gives it back if it is to be performed as it is.
    fn take(&mut self, action: Action) -> Option<Action> {
        let (id, role, request, max_answer_octets, deadline) = match action {
            Action::Request {
                id,
                role: role @ (Role::Lookup | Role::Publish | Role::Retrieve | Role::Store),
                request,
                max_answer_octets,
                deadline,
            } => (id, role, request, max_answer_octets, deadline),
            other => return Some(other),
        };
        let policy = self.context.relay();
        let direct = |request| Action::Request {
            id,
            role,
            request,
            max_answer_octets,
            deadline,
        };
        if !policy.has_relay() && policy.allows_direct() {
            // The application wants none, and knows it.
            return Some(direct(request));
        }
        let service = self.service_of(role, &request.url);
        let carried = service.and_then(|service| {
            let url = policy.url_for(&service)?;
            Some((service, url))
        });
        let Some((service, url)) = carried else {
            if policy.allows_direct() {
                add_reason(&mut self.notices, Reason::DirectConnection);
                return Some(direct(request));
            }
            self.inbox
                .push_back(Input::Response(id, Err(Reason::RelayRequired)));
            return None;
        };
        let flight = Flight {
            inner: id,
            role,
            service,
            only_relayed: is_issuer_directory(role, &request.url),
            request,
            max_answer_octets,
            deadline,
            retried: false,
            state: State::NeedsKey,
        };
        self.want_key(&flight.service, url, false, deadline);
        self.flights.push(flight);
        self.depart();
        None
    }

    /// The base URL of the service that a request is for.
    fn service_of(&self, role: Role, url: &str) -> Option<BaseUrl> {
        if is_issuer_directory(role, url) {
            // An issuer has a gateway of its own, at the root of its authority as everything of it.
            let issuer = url.strip_suffix(issuer_directory::PATH)?;
            return BaseUrl::parse(issuer).ok();
        }
        if matches!(role, Role::Lookup | Role::Publish) {
            let services = &self.context.services;
            let is_asked = |directory: &&BaseUrl| {
                url.strip_prefix(directory.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            return core::iter::once(&services.directory)
                .chain(&services.mirror)
                .find(is_asked)
                .cloned();
        }
        // `/cps/{number}/ppts` behind the base; a number holds no slash.
        let (rest, last) = url.rsplit_once('/')?;
        let (rest, _number) = rest.rsplit_once('/')?;
        let (base, first) = rest.rsplit_once('/')?;
        (first == "cps" && last == "ppts")
            .then(|| BaseUrl::parse(base).ok())
            .flatten()
    }

    /// Makes sure that somebody gets the key of a gateway.
    fn want_key(&mut self, service: &BaseUrl, url: String, fresh: bool, deadline: Monotonic) {
        // One that failed is no reason not to try again for the next request.
        let is_over = |fetch: &KeysFetch| fresh || matches!(fetch.result(), Some(Err(_)));
        self.fetches
            .retain(|fetch| fetch.service() != service || !is_over(fetch));
        if self.fetches.iter().any(|fetch| fetch.service() == service) {
            return;
        }
        let mut fetch = KeysFetch::new(service.clone(), url, fresh, deadline);
        self.outbox.push_back(fetch.start(&mut self.ids));
        self.fetches.push(fetch);
    }

    /// Sends every request whose key is there, and fails those whose key will not come.
    fn depart(&mut self) {
        let mut waiting = core::mem::take(&mut self.flights);
        let mut index = 0;
        while let Some(flight) = waiting.get(index) {
            let ready = match flight.state {
                State::Sent(..) => None,
                State::NeedsKey => self
                    .fetches
                    .iter()
                    .find(|fetch| *fetch.service() == flight.service)
                    .and_then(|fetch| fetch.result().cloned()),
            };
            let Some(key) = ready else {
                index = index.saturating_add(1);
                continue;
            };
            let flight = waiting.swap_remove(index);
            match key {
                Ok(key) => self.send(flight, &key),
                Err(reason) => self.lost(flight, reason),
            }
        }
        self.flights.append(&mut waiting);
    }

    fn send(&mut self, mut flight: Flight, key: &KeyConfig) {
        let sealed = self.seal(&flight, key);
        let url = self.context.relay().url_for(&flight.service);
        match (sealed, url) {
            (Ok((message, answer)), Some(url)) => {
                let id = self.ids.next();
                self.outbox.push_back(Action::Request {
                    id,
                    role: flight.role,
                    request: messages::encode_request(url, message),
                    max_answer_octets: shape::max_encapsulated_answer_len(flight.role),
                    deadline: flight.deadline,
                });
                flight.state = State::Sent(id, answer);
                self.flights.push(flight);
            }
            (Err(reason), _) => self.lost(flight, reason),
            (_, None) => self.lost(flight, Reason::RelayRequired),
        }
    }

    fn seal(&self, flight: &Flight, key: &KeyConfig) -> Result<(Vec<u8>, AnswerKey), Reason> {
        let plain = binary::encode_request(&flight.request, 0)?;
        let len = shape::request_len(flight.role, plain.len()).ok_or(Reason::TooLong)?;
        let padded = binary::encode_request(&flight.request, len)?;
        let suite = *key.suites().first().ok_or(Reason::MalformedGatewayKeys)?;
        encapsulate(self.context.provider().as_ref(), key, suite, &padded)
    }

    /// A relay, or a gateway behind it, answered or did not.
    fn landed(&mut self, flight: Flight, key: &AnswerKey, result: Result<HttpResponse, Reason>) {
        let opened = result
            .and_then(|outer| messages::decode_answer(&outer).and_then(|inner| key.open(inner)))
            .and_then(|octets| binary::decode_response(&octets));
        match opened {
            Ok(answer) => {
                let result = if (300..400).contains(&answer.status) {
                    Err(Reason::Redirected)
                } else if answer.body.len() > flight.max_answer_octets {
                    Err(Reason::AnswerTooLarge)
                } else {
                    Ok(answer)
                };
                self.inbox.push_back(Input::Response(flight.inner, result));
            }
            Err(Reason::MalformedGatewayKeys) if !flight.retried => self.again(flight),
            Err(reason) => self.lost(flight, reason),
        }
    }

    /// The gateway has changed its keys: asks for them and sends once more.
    fn again(&mut self, mut flight: Flight) {
        let Some(url) = self.context.relay().url_for(&flight.service) else {
            return self.lost(flight, Reason::RelayRequired);
        };
        // Another request may have found that out already and be asking.
        let is_asking = self
            .fetches
            .iter()
            .any(|fetch| *fetch.service() == flight.service && fetch.result().is_none());
        if !is_asking {
            self.want_key(&flight.service, url, true, flight.deadline);
        }
        flight.retried = true;
        flight.state = State::NeedsKey;
        self.flights.push(flight);
    }

    /// A request could not be carried: asks directly where that is allowed.
    fn lost(&mut self, flight: Flight, reason: Reason) {
        let tellable = !matches!(reason, Reason::DeadlinePassed | Reason::OverLimit);
        if tellable && reason != Reason::RelayRequired {
            add_reason(&mut self.notices, reason);
        }
        if tellable && !flight.only_relayed && self.context.relay().allows_direct() {
            add_reason(&mut self.notices, Reason::RelayFailed);
            add_reason(&mut self.notices, Reason::DirectConnection);
            self.outbox.push_back(Action::Request {
                id: flight.inner,
                role: flight.role,
                request: flight.request,
                max_answer_octets: flight.max_answer_octets,
                deadline: flight.deadline,
            });
            return;
        }
        let told = match reason {
            Reason::DeadlinePassed | Reason::OverLimit | Reason::RelayRequired => reason,
            _ => Reason::RelayFailed,
        };
        self.inbox
            .push_back(Input::Response(flight.inner, Err(told)));
    }

    /// What came of an own action; gives back what is the inner session's.
    fn own_input(&mut self, input: Input, now: Now) -> Option<Input> {
        let input = match input {
            Input::Response(id, result) => {
                let sent =
                    |flight: &Flight| matches!(flight.state, State::Sent(own, _) if own == id);
                match self.flights.iter().position(sent) {
                    Some(index) => {
                        let mut flight = self.flights.swap_remove(index);
                        let state = core::mem::replace(&mut flight.state, State::NeedsKey);
                        if let State::Sent(_, key) = state {
                            self.landed(flight, &key, result);
                        }
                        self.depart();
                        return None;
                    }
                    None => Input::Response(id, result),
                }
            }
            other => other,
        };
        let unix = now.unix(self.context.policy().earliest_time);
        let mut input = input;
        for fetch in &mut self.fetches {
            let had_asked = fetch.asked();
            match fetch.input(input, unix, &mut self.ids) {
                Ok(actions) => {
                    if fetch.asked() && !had_asked {
                        add_reason(&mut self.notices, Reason::GatewayKeysJustInTime);
                    }
                    self.outbox.extend(actions);
                    self.depart();
                    return None;
                }
                Err(other) => input = other,
            }
        }
        Some(input)
    }
}

/// Whether this is the second look at a token issuer's keys.
fn is_issuer_directory(role: Role, url: &str) -> bool {
    role == Role::Lookup && url.ends_with(issuer_directory::PATH)
}

impl<S: Session> Session for Relayed<S> {
    type Output = S::Output;
    type Report = S::Report;

    fn next(&mut self, now: Now) -> Step<Self::Output, Self::Report> {
        loop {
            if let Some(action) = self.outbox.pop_front() {
                return Step::Act(action);
            }
            if let Some(input) = self.inbox.pop_front() {
                self.inner.input(input, now);
                continue;
            }
            match self.inner.next(now) {
                Step::Act(action) => {
                    if let Some(action) = self.take(action) {
                        return Step::Act(action);
                    }
                }
                other => return other,
            }
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        if let Some(input) = self.own_input(input, now) {
            self.inner.input(input, now);
        }
    }

    fn event(&mut self, event: CallEvent, now: Now) {
        self.inner.event(event, now);
    }
}
