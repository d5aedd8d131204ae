//! Seeing through the relay as the service does: with the keys of its gateway.

use std::path::Path;

use ringtrue::{HttpRequest, HttpResponse, Reason, Role};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::ohttp::{AnswerKey, GatewayKey, binary, decapsulate, messages, shape};
use ringtrue_stir::base64url;
use ringtrue_stir::crypto::SecretKey;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::exit::Failure;

/// The file in a service's state folder.
const KEYS_FILE: &str = "gateway-keys.json";

/// The keys of a service's gateway.
#[derive(Clone)]
pub(super) struct GatewaySight(Vec<GatewayKey>);

/// A request as it was inside, and what opens the answer to it.
pub(super) struct Inside {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) sent: Vec<u8>,
    key: AnswerKey,
}

impl GatewaySight {
    /// Reads the keys from the service's state folder.
    pub(super) fn open(state: &Path) -> Result<Self, Failure> {
        read(state)
            .map(Self)
            .ok_or(Reason::MalformedRecord)
            .map_err(Failure::of("the gateway's keys"))
    }

    /// What is inside a request to the relay; `None` for any other.
    pub(super) fn look(&self, request: &HttpRequest) -> Option<Inside> {
        let message =
            messages::decode_request(request.header("content-type"), &request.body).ok()?;
        let (octets, key) = decapsulate(&AwsLcCrypto, &self.0, message).ok()?;
        let inner = binary::decode_request(&octets).ok()?;
        let method = ringtrue::Method::from_name(&inner.method)?.as_str();
        Some(Inside {
            method,
            path: inner.path,
            sent: inner.body,
            key,
        })
    }
}

impl Inside {
    /// The service's answer.
    pub(super) fn answer(&self, outer: &HttpResponse) -> Option<HttpResponse> {
        let octets = self.key.open(messages::decode_answer(outer).ok()?).ok()?;
        binary::decode_response(&octets).ok()
    }

    /// Another answer, as only the service could give it.
    pub(super) fn reseal(&self, role: Role, answer: &HttpResponse) -> Option<HttpResponse> {
        let plain = binary::encode_response(answer, 0).ok()?;
        let len = shape::answer_len(role, plain.len());
        let padded = binary::encode_response(answer, len).ok()?;
        let sealed = self.key.seal(&AwsLcCrypto, &padded).ok()?;
        Some(messages::encode_answer(sealed))
    }
}

fn read(state: &Path) -> Option<Vec<GatewayKey>> {
    let text = Zeroizing::new(std::fs::read(state.join(KEYS_FILE)).ok()?);
    let file: Value = serde_json::from_slice(&text).ok()?;
    file.get("keys")?
        .as_array()?
        .iter()
        .map(|key| {
            let id = u8::try_from(key.get("id")?.as_u64()?).ok()?;
            let secret = base64url::decode(key.get("secret")?.as_str()?).ok()?;
            let secret = SecretKey::from_slice(&Zeroizing::new(secret)).ok()?;
            GatewayKey::from_secret(&AwsLcCrypto, id, secret).ok()
        })
        .collect()
}
