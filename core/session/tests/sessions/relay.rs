//! A relay and the gateways of the services in memory, with what may go wrong between them.

use std::collections::BTreeMap;

use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::relay_route::RelayRoute;
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method};
use ringtrue_oob::ohttp::{GatewayKey, KeyConfig, binary, decapsulate, messages, shape};
use ringtrue_session::Role;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, UnixTime};

use crate::net::Net;

/// The relay's authority.
pub(crate) const RELAY: &str = "relay.example";

/// What the relay does to an answer on its way back.
pub(crate) type Meddling = Box<dyn FnMut(HttpResponse) -> Result<HttpResponse, Reason>>;

/// A relay and the gateways behind it.
#[derive(Default)]
pub(crate) struct Relay {
    /// The keys of each service's gateway, by authority, the one to be used first.
    pub(crate) gateways: BTreeMap<String, Vec<GatewayKey>>,
    /// What the relay shows for a gateway's keys instead of the truth.
    pub(crate) shown: Option<Vec<KeyConfig>>,
    pub(crate) meddling: Option<Meddling>,
    /// Whether each request reaches the gateway twice.
    pub(crate) replays: bool,
    /// Whether a gateway is asking its service right now.
    pub(crate) opening: bool,
    /// The encapsulated requests that the relay saw.
    pub(crate) carried: Vec<Vec<u8>>,
    /// The answers that it carried back, before any meddling.
    pub(crate) answered: Vec<Vec<u8>>,
}

impl Relay {
    /// Gives a service a gateway with one key.
    pub(crate) fn open(&mut self, authority: &str) {
        self.rotate(authority, 1, false);
    }

    /// Gives a gateway a new key, and keeps the one before or not.
    pub(crate) fn rotate(&mut self, authority: &str, key_id: u8, overlap: bool) {
        let key = GatewayKey::generate(&RustCrypto, key_id).unwrap();
        let keys = self.gateways.entry(authority.to_owned()).or_default();
        keys.truncate(usize::from(overlap));
        keys.insert(0, key);
    }

    /// A gateway's answer to who asks for its keys.
    pub(crate) fn keys(&self, authority: &str) -> Result<HttpResponse, Reason> {
        let keys = self
            .gateways
            .get(authority)
            .ok_or(Reason::ServiceUnreachable)?;
        let configs: Vec<_> = keys.iter().map(|key| key.config().clone()).collect();
        Ok(messages::encode_keys(&configs))
    }

    /// Answers what comes to the relay.
    pub(crate) fn carry(
        net: &mut Net,
        role: Role,
        request: &HttpRequest,
        path: &str,
        ms: u64,
        now: UnixTime,
    ) -> Result<HttpResponse, Reason> {
        let name = match RelayRoute::decode("", request.method.as_str(), path).unwrap() {
            RelayRoute::Keys(name) => {
                return match &net.relay.shown {
                    Some(shown) => Ok(messages::encode_keys(shown)),
                    None => net.relay.keys(name),
                };
            }
            RelayRoute::Forward(name) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(request.headers.len(), 2, "content type and accept");
        net.relay.carried.push(request.body.clone());
        let Some(keys) = net.relay.gateways.get(name).cloned() else {
            return Ok(Problem::NotFound.encode());
        };
        let mut answer = None;
        for _ in 0..=usize::from(net.relay.replays) {
            answer = Some(gateway(net, role, &keys, &request.body, ms, now));
        }
        let answer = answer.unwrap();
        net.relay.answered.push(answer.body.clone());
        match &mut net.relay.meddling {
            Some(meddle) => meddle(answer),
            None => Ok(answer),
        }
    }
}

fn gateway(
    net: &mut Net,
    role: Role,
    keys: &[GatewayKey],
    message: &[u8],
    ms: u64,
    now: UnixTime,
) -> HttpResponse {
    let (octets, answer_key) = match decapsulate(&RustCrypto, keys, message) {
        Ok(opened) => opened,
        Err(Reason::MalformedGatewayKeys | Reason::BlobNotOpened) => {
            return messages::encode_unknown_key();
        }
        Err(other) => panic!("{other:?}"),
    };
    let inner = binary::decode_request(&octets).unwrap();
    let request = HttpRequest {
        method: Method::from_name(&inner.method).unwrap(),
        url: format!("https://{}{}", inner.authority, inner.path),
        headers: inner.headers,
        body: inner.body,
    };
    net.relay.opening = true;
    let answer = net.answer(role, &request, ms, now).unwrap();
    net.relay.opening = false;
    let plain = binary::encode_response(&answer, 0).unwrap();
    let padded = binary::encode_response(&answer, shape::answer_len(role, plain.len())).unwrap();
    messages::encode_answer(answer_key.seal(&RustCrypto, &padded).unwrap())
}
