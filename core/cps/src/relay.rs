//! What a relay answers: it carries encapsulated requests to gateways and knows nothing of what is in
//! them.
//!
//! Nothing of a client goes on: not its address, not a field of its request. All clients' requests
//! leave on the same connections. Nothing is logged of a request, so that no record says which client
//! asked when.
//!
//! Source: RFC 9458 sections 5 and 6.1; docs/protocol.md section 19.2 (W-30).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use prometheus_client::metrics::counter::Counter;
use ringtrue_net::{HttpClient, Role};
use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::problem::{self, Problem};
use ringtrue_oob::http::relay_route::RelayRoute;
use ringtrue_oob::http::{HttpRequest, HttpResponse, health, media};
use ringtrue_oob::ohttp::{MAX_KEY_CONFIGS_LEN, messages, shape};

use crate::connection::{Answering, ConnectionCounts};
use crate::http_message::{Cut, http_response, read_body};
use crate::rate::RateLimiter;

/// The media types of what a gateway answers. Anything else is no gateway's.
const PASSED_ON: [&str; 3] = [media::OHTTP_RESPONSE, media::OHTTP_KEYS, media::PROBLEM];

/// The state of a relay.
pub(crate) struct RelayApp {
    pub(crate) prefix: String,
    /// Base URLs by name.
    pub(crate) gateways: BTreeMap<String, BaseUrl>,
    pub(crate) client: HttpClient,
    pub(crate) gateway_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) limiter: Mutex<RateLimiter>,
    pub(crate) limit_loopback: bool,
    pub(crate) origin: Instant,
    pub(crate) draining: AtomicBool,
    pub(crate) connections: ConnectionCounts,
    pub(crate) carried: Counter,
    pub(crate) refused: Counter,
}

impl Answering for RelayApp {
    async fn handle(
        &self,
        client: IpAddr,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Cut> {
        let (parts, body) = request.into_parts();
        let route = RelayRoute::decode(&self.prefix, parts.method.as_str(), parts.uri.path());
        let content_type = parts
            .headers
            .get(hyper::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let answer = match route {
            Ok(RelayRoute::Health) => Ok(health::encode_answer(!self.is_draining())),
            Ok(route) => match self.over_rate(client) {
                Some(seconds) => {
                    let after = Duration::from_secs(seconds);
                    Err(Problem::OverLimit.encode_with_retry_after(after))
                }
                None => self.carry(&route, content_type, body).await?,
            },
            Err(problem) => Err(problem.encode()),
        };
        let answer = answer.unwrap_or_else(|refusal| {
            self.refused.inc();
            refusal
        });
        Ok(http_response(answer))
    }

    fn limits_apply(&self, client: IpAddr) -> bool {
        self.limit_loopback || !client.to_canonical().is_loopback()
    }

    fn connections(&self) -> &ConnectionCounts {
        &self.connections
    }
}

impl RelayApp {
    async fn carry(
        &self,
        route: &RelayRoute<'_>,
        content_type: Option<&str>,
        body: Incoming,
    ) -> Result<Result<HttpResponse, HttpResponse>, Cut> {
        let name = match route {
            RelayRoute::Forward(name) | RelayRoute::Keys(name) => *name,
            _ => return Ok(Err(Problem::NotFound.encode())),
        };
        let Some(gateway) = self.gateways.get(name) else {
            return Ok(Err(Problem::NotFound.encode()));
        };
        if let RelayRoute::Keys(_) = route {
            let request = messages::encode_keys_request(gateway);
            let asked = self.ask(name, Role::Configuration, request, MAX_KEY_CONFIGS_LEN);
            return Ok(asked.await);
        }
        // What is no encapsulated request is not worth reading.
        if let Err(problem) = messages::decode_request(content_type, &[]) {
            return Ok(Err(problem.encode()));
        }
        let reading = read_body(body, messages::MAX_REQUEST_LEN);
        let body = tokio::time::timeout(self.body_timeout, reading)
            .await
            .map_err(|_| Cut)??;
        let Some(body) = body else {
            return Ok(Err(Problem::BodyTooLarge.encode()));
        };
        let request = messages::encode_request(gateway.join(messages::GATEWAY_PATH), body);
        let max_len = shape::max_encapsulated_answer_len(Role::Retrieve);
        // One role for all: what kind of request it is, the relay does not know.
        Ok(self.ask(name, Role::Store, request, max_len).await)
    }

    async fn ask(
        &self,
        name: &str,
        role: Role,
        request: HttpRequest,
        max_len: usize,
    ) -> Result<HttpResponse, HttpResponse> {
        let asking = self.client.execute(role, request, max_len);
        let answer = match tokio::time::timeout(self.gateway_timeout, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(reason)) => {
                // Names a configured gateway, never a client.
                tracing::warn!(gateway = name, reason = reason.name(), "gateway failed");
                return Err(Problem::Unavailable.encode());
            }
            Err(_) => {
                tracing::warn!(gateway = name, "gateway did not answer in time");
                return Err(Problem::Unavailable.encode());
            }
        };
        self.carried.inc();
        passed_on(&answer).ok_or_else(|| Problem::Unavailable.encode())
    }

    fn over_rate(&self, client: IpAddr) -> Option<u64> {
        if !self.limits_apply(client) {
            return None;
        }
        let now_ms = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.check(client, now_ms).err()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The gateway's answer with nothing but what belongs to it: status, type, content, and how long to
/// wait. `None` for what no gateway answers.
fn passed_on(answer: &HttpResponse) -> Option<HttpResponse> {
    let content_type = PASSED_ON
        .into_iter()
        .find(|media| media::is(answer.header("content-type"), media))?;
    let mut headers = vec![
        ("cache-control".to_owned(), "no-store".to_owned()),
        ("content-type".to_owned(), content_type.to_owned()),
    ];
    if let Some(after) = problem::retry_after(answer) {
        headers.push(("retry-after".to_owned(), after.as_secs().to_string()));
    }
    Some(HttpResponse {
        status: answer.status,
        headers,
        body: answer.body.clone(),
    })
}

#[cfg(test)]
mod tests {
    use ringtrue_oob::http::HttpResponse;
    use ringtrue_oob::http::problem::Problem;
    use ringtrue_oob::ohttp::messages;

    use super::passed_on;

    #[test]
    fn only_what_belongs_to_an_answer_goes_back() {
        let answer = messages::encode_answer(vec![1; 9])
            .with_header("set-cookie", "a=b")
            .with_header("server", "x/1")
            .with_header("x-client", "203.0.113.9");
        let passed = passed_on(&answer).unwrap();
        let names: Vec<_> = passed
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["cache-control", "content-type"]);
        assert_eq!((passed.status, passed.body.len()), (200, 9));
        let later = Problem::OverLimit.encode().with_header("retry-after", "7");
        assert_eq!(passed_on(&later).unwrap().header("retry-after"), Some("7"));
    }

    #[test]
    fn what_no_gateway_answers_does_not_go_back() {
        for media in ["text/html", "application/json", ""] {
            let answer = HttpResponse {
                status: 200,
                headers: vec![("content-type".to_owned(), media.to_owned())],
                body: b"<p>".to_vec(),
            };
            assert_eq!(passed_on(&answer), None, "{media}");
        }
    }
}
