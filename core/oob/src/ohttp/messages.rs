//! The outer messages: what goes between client, relay and gateway.
//!
//! Source: RFC 9458 sections 5 and 5.2; docs/protocol.md section 19.2 (W-30).

use ringtrue_stir::Reason;
use serde_json::{Value, json};

use super::{KeyConfig, MAX_ENCAPSULATED_LEN, encode_key_configs, parse_key_configs};
use crate::BaseUrl;
use crate::http::problem::{self, Problem};
use crate::http::{HttpRequest, HttpResponse, Method, media};

/// The path of a gateway below the base URL.
pub const GATEWAY_PATH: &str = "/gateway";

/// The path of a gateway's key configurations below the base URL.
pub const KEYS_PATH: &str = "/ohttp-keys";

/// Octets of an encapsulated request: the longest store.
pub const MAX_REQUEST_LEN: usize = 196_608 + 7 + 32 + 16;

/// The problem type of a gateway that does not know the key of a request (RFC 9458 section 5.3).
const KEY_PROBLEM: &str = "https://iana.org/assignments/http-problem-types#ohttp-key";

/// Problem details are short.
const MAX_PROBLEM_LEN: usize = 4096;

/// The request that carries an encapsulated one to `url`, a relay's for one gateway or the gateway's
/// own. Nothing in it differs between clients.
#[must_use]
pub fn encode_request(url: String, encapsulated: Vec<u8>) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url,
        headers: vec![
            ("content-type".to_owned(), media::OHTTP_REQUEST.to_owned()),
            ("accept".to_owned(), media::OHTTP_RESPONSE.to_owned()),
        ],
        body: encapsulated,
    }
}

/// Checks an encapsulated request that a relay or a gateway received.
///
/// # Errors
///
/// [`Problem::UnsupportedMediaType`] or [`Problem::BodyTooLarge`].
pub fn decode_request<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<&'a [u8], Problem> {
    if !media::is(content_type, media::OHTTP_REQUEST) {
        return Err(Problem::UnsupportedMediaType);
    }
    if body.len() > MAX_REQUEST_LEN {
        return Err(Problem::BodyTooLarge);
    }
    Ok(body)
}

/// The gateway's answer with an encapsulated one in it.
#[must_use]
pub fn encode_answer(encapsulated: Vec<u8>) -> HttpResponse {
    HttpResponse::answer(200, Some(media::OHTTP_RESPONSE), encapsulated)
}

/// The gateway's answer to a request under a key that it does not have (any more).
#[must_use]
pub fn encode_unknown_key() -> HttpResponse {
    let body = json!({
        "type": KEY_PROBLEM,
        "title": "the key configuration is not current",
        "status": 400,
    });
    HttpResponse::answer(400, Some(media::PROBLEM), body.to_string().into_bytes())
}

/// Reads what a relay answered: the encapsulated answer.
///
/// # Errors
///
/// * [`Reason::MalformedGatewayKeys`] if the gateway does not know the key of the request: ask for its
///   keys again.
/// * [`Reason::OverLimit`] if relay or gateway ask to try later.
/// * [`Reason::RelayFailed`] for everything else that is no encapsulated answer.
pub fn decode_answer(answer: &HttpResponse) -> Result<&[u8], Reason> {
    if answer.status == 200 {
        media::expect(answer, media::OHTTP_RESPONSE).map_err(|_| Reason::RelayFailed)?;
        if answer.body.len() > MAX_ENCAPSULATED_LEN {
            return Err(Reason::AnswerTooLarge);
        }
        return Ok(&answer.body);
    }
    if is_key_problem(answer) {
        return Err(Reason::MalformedGatewayKeys);
    }
    match problem::reason(answer) {
        Reason::OverLimit => Err(Reason::OverLimit),
        _ => Err(Reason::RelayFailed),
    }
}

fn is_key_problem(answer: &HttpResponse) -> bool {
    let readable = (400..500).contains(&answer.status)
        && answer.body.len() <= MAX_PROBLEM_LEN
        && media::is(answer.header("content-type"), media::PROBLEM);
    if !readable {
        return false;
    }
    serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|body| body.get("type")?.as_str().map(|found| found == KEY_PROBLEM))
        .unwrap_or(false)
}

/// The request for a gateway's keys at the gateway itself.
#[must_use]
pub fn encode_keys_request(gateway: &BaseUrl) -> HttpRequest {
    keys_request(gateway.join(KEYS_PATH))
}

/// The request for a gateway's keys by way of the relay that is to carry the requests; `url` is the
/// one that those go to.
#[must_use]
pub fn encode_relayed_keys_request(url: String) -> HttpRequest {
    keys_request(url)
}

fn keys_request(url: String) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url,
        headers: vec![("accept".to_owned(), media::OHTTP_KEYS.to_owned())],
        body: Vec::new(),
    }
}

/// A gateway's answer with its keys, the one to be used first.
#[must_use]
pub fn encode_keys(configs: &[KeyConfig]) -> HttpResponse {
    HttpResponse::answer(200, Some(media::OHTTP_KEYS), encode_key_configs(configs))
}

/// Reads the answer with a gateway's keys.
///
/// # Errors
///
/// The reason of [`problem::reason`] unless the status is 200; [`Reason::UnsupportedMediaType`];
/// [`Reason::MalformedGatewayKeys`].
pub fn decode_keys(answer: &HttpResponse) -> Result<Vec<KeyConfig>, Reason> {
    if answer.status != 200 {
        return Err(problem::reason(answer));
    }
    media::expect(answer, media::OHTTP_KEYS)?;
    parse_key_configs(&answer.body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_stir::Reason;

    use super::*;
    use crate::ohttp::MAX_KEY_CONFIGS_LEN;

    fn base() -> BaseUrl {
        BaseUrl::parse("https://cps.example.com/v1").unwrap()
    }

    #[test]
    fn a_request_carries_its_content_type_and_nothing_of_the_client() {
        let request = encode_request("https://relay.example/relay/a".to_owned(), vec![1, 2]);
        assert_eq!(request.method, Method::Post);
        let names: Vec<_> = request.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["content-type", "accept"]);
        let content_type = request.header("content-type");
        assert_eq!(decode_request(content_type, &request.body), Ok(&[1, 2][..]));
    }

    #[test]
    fn other_types_and_longer_bodies_are_refused() {
        for media in [
            None,
            Some("application/passport"),
            Some("message/ohttp-res"),
        ] {
            assert_eq!(
                decode_request(media, b"x"),
                Err(Problem::UnsupportedMediaType)
            );
        }
        let long = vec![0; MAX_REQUEST_LEN + 1];
        assert_eq!(
            decode_request(Some("message/ohttp-req"), &long),
            Err(Problem::BodyTooLarge)
        );
    }

    #[test]
    fn an_answer_is_read_back() {
        let answer = encode_answer(vec![7; 40]);
        assert_eq!(answer.header("content-type"), Some("message/ohttp-res"));
        assert_eq!(decode_answer(&answer), Ok(&[7; 40][..]));
    }

    #[test]
    fn what_is_no_encapsulated_answer_says_why() {
        assert_eq!(
            decode_answer(&encode_unknown_key()),
            Err(Reason::MalformedGatewayKeys)
        );
        let limit = Problem::OverLimit.encode();
        assert_eq!(decode_answer(&limit), Err(Reason::OverLimit));
        for other in [
            Problem::NotFound.encode(),
            Problem::Unavailable.encode(),
            // A relay must not make the client pay a token that the service never asked for.
            Problem::TokenRequired.encode(),
            HttpResponse::answer(200, Some("text/html"), b"<p>".to_vec()),
            HttpResponse::answer(302, None, Vec::new()),
        ] {
            assert_eq!(decode_answer(&other), Err(Reason::RelayFailed), "{other:?}");
        }
        let mut odd = encode_unknown_key();
        odd.status = 500;
        assert_eq!(decode_answer(&odd), Err(Reason::RelayFailed));
    }

    #[test]
    fn keys_are_asked_for_and_read_back() {
        let request = encode_keys_request(&base());
        assert_eq!(request.url, "https://cps.example.com/v1/ohttp-keys");
        let configs = [KeyConfig::new(1, [3; 32]), KeyConfig::new(0, [4; 32])];
        assert_eq!(decode_keys(&encode_keys(&configs)), Ok(configs.to_vec()));
        let html = HttpResponse::answer(200, Some("text/html"), b"<p>".to_vec());
        assert_eq!(decode_keys(&html), Err(Reason::UnsupportedMediaType));
        let missing = Problem::NotFound.encode();
        assert_eq!(decode_keys(&missing), Err(Reason::ServiceError));
        let long = vec![0; MAX_KEY_CONFIGS_LEN + 1];
        let long = HttpResponse::answer(200, Some(media::OHTTP_KEYS), long);
        assert_eq!(decode_keys(&long), Err(Reason::MalformedGatewayKeys));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..120)) {
            for media in [media::OHTTP_RESPONSE, media::PROBLEM, media::OHTTP_KEYS] {
                let answer = HttpResponse::answer(status, Some(media), body.clone());
                let _ = (decode_answer(&answer).map(<[u8]>::len), decode_keys(&answer));
            }
        }
    }
}
