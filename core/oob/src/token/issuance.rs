//! Asking an issuer for a token: the request, its answer, and the credential's authorization.
//!
//! Source: RFC 9578 section 6; docs/protocol.md section 19.1 (PRV-30, W-30).

mod authorization;

use ringtrue_stir::Reason;

use super::{IssuerKey, IssuerName, PendingToken, TOKEN_TYPE_OCTETS};
use crate::BaseUrl;
use crate::http::problem::{self, Problem};
use crate::http::{HttpRequest, HttpResponse, Method, media};

pub use authorization::{
    ACTION, AUTHORIZATION_TYP, Authorization, AuthorizationDraft, MAX_AUTHORIZATION_LEN, MAX_LIFE,
    UnsignedAuthorization, VerifyAuthorization,
};

/// Octets of a token request: type, one octet of the key id, blinded message.
pub const REQUEST_LEN: usize = 2 + 1 + BLINDED_LEN;

/// Octets of the answer: the blind signature.
pub const RESPONSE_LEN: usize = 256;

/// Octets of an answer that are read: a blind signature or a problem.
pub const MAX_RESPONSE_LEN: usize = 4096;

/// Octets of a blinded message.
const BLINDED_LEN: usize = 256;

/// The media type of a request (RFC 9578 section 8.4).
pub const REQUEST_TYPE: &str = "application/private-token-request";
/// The media type of an answer.
pub const RESPONSE_TYPE: &str = "application/private-token-response";

/// The path of requests below an issuer's base URL, unless its directory names another (W-30).
pub const REQUEST_PATH: &str = "/token-request";

/// A token request as an issuer reads it. What is signed cannot be linked to the token that comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The last octet of the id of the key that is to sign.
    pub truncated_key_id: u8,
    /// What is to be signed: a number below the modulus, which the issuer checks.
    pub blinded_message: [u8; BLINDED_LEN],
}

impl TokenRequest {
    /// Whether the request names this key.
    #[must_use]
    pub const fn is_for(&self, key: &IssuerKey) -> bool {
        self.truncated_key_id == key.truncated_key_id()
    }
}

/// The octets of a request for a token.
#[must_use]
pub fn request_body(pending: &PendingToken) -> Vec<u8> {
    let mut body = TOKEN_TYPE_OCTETS.to_vec();
    body.push(pending.issuer_key().truncated_key_id());
    body.extend_from_slice(pending.blinded_message());
    body
}

/// The request for a token, at a URL of the issuer's directory. `authorization` is the signed
/// [`UnsignedAuthorization`] over `body`.
#[must_use]
pub fn encode_request(url: &str, authorization: &str, body: Vec<u8>) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![
            ("content-type".to_owned(), REQUEST_TYPE.to_owned()),
            ("accept".to_owned(), RESPONSE_TYPE.to_owned()),
            (
                "authorization".to_owned(),
                format!("Bearer {authorization}"),
            ),
        ],
        body,
    }
}

/// The URL of requests at an issuer that names no other.
#[must_use]
pub fn default_request_url(issuer: &BaseUrl) -> String {
    issuer.join(REQUEST_PATH)
}

/// Reads a request on the issuer.
///
/// # Errors
///
/// [`Problem::UnsupportedMediaType`], [`Problem::BodyTooLarge`] over 259 octets,
/// [`Problem::MalformedTokenRequest`] for a shorter body or another token type.
pub fn decode_request(content_type: Option<&str>, body: &[u8]) -> Result<TokenRequest, Problem> {
    if !media::is(content_type, REQUEST_TYPE) {
        return Err(Problem::UnsupportedMediaType);
    }
    if body.len() > REQUEST_LEN {
        return Err(Problem::BodyTooLarge);
    }
    body.strip_prefix(&TOKEN_TYPE_OCTETS)
        .and_then(|rest| rest.split_first())
        .and_then(|(truncated_key_id, blinded)| {
            Some(TokenRequest {
                truncated_key_id: *truncated_key_id,
                blinded_message: blinded.try_into().ok()?,
            })
        })
        .ok_or(Problem::MalformedTokenRequest)
}

/// The token of a header `Authorization: Bearer …`; `None` for any other.
#[must_use]
pub fn bearer(authorization: Option<&str>) -> Option<&str> {
    let (scheme, token) = authorization?.trim().split_once(' ')?;
    let token = token.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The issuer's answer with its blind signature.
#[must_use]
pub fn encode_response(blind_signature: &[u8; RESPONSE_LEN]) -> HttpResponse {
    HttpResponse::answer(200, Some(RESPONSE_TYPE), blind_signature.to_vec())
}

/// Reads the answer to a request.
///
/// # Errors
///
/// - [`Reason::OverQuota`]: 429, the credential gets no more today; [`Reason::IssuerRefused`]: 401 or
///   403, it is not accepted; otherwise the reason of [`problem::reason`] unless the status is 200.
/// - [`Reason::UnsupportedMediaType`]; [`Reason::MalformedTokenRequest`]: not 256 octets.
pub fn decode_response(answer: &HttpResponse) -> Result<[u8; RESPONSE_LEN], Reason> {
    match answer.status {
        200 => {}
        429 => return Err(Reason::OverQuota),
        401 | 403 => return Err(Reason::IssuerRefused),
        _ => return Err(problem::reason(answer)),
    }
    media::expect(answer, RESPONSE_TYPE)?;
    answer
        .body
        .as_slice()
        .try_into()
        .map_err(|_| Reason::MalformedTokenRequest)
}

/// What the claims of an authorization call the issuer.
fn audience(issuer: &IssuerName) -> &str {
    issuer.as_str()
}
