//! The keys of a token issuer: what it publishes, and what a client believes of it.
//!
//! An issuer changes its key once a day. A key signs from its `not-before` for one period, and its
//! tokens are taken for one more; so two keys are valid at any time, and the next one is shown before.
//!
//! Source: RFC 9578 section 4; docs/protocol.md section 19.1 (PRV-29, PRV-31).

use core::fmt;
use core::time::Duration;

use ringtrue_stir::{Reason, UnixTime, base64url, json};
use serde_json::{Value, json as object};

use super::redemption::padded;
use super::{IssuerKey, IssuerName, SPKI_LEN, TOKEN_TYPE};
use crate::BaseUrl;
use crate::http::problem::{self, Problem};
use crate::http::{HttpRequest, HttpResponse, Method, media};

/// The path below an issuer's base URL (RFC 9578 section 4; W-30).
pub const PATH: &str = "/.well-known/private-token-issuer-directory";

/// The media type.
pub const MEDIA_TYPE: &str = "application/private-token-issuer-directory";

/// Octets of a directory that are read: four keys of ours with room for keys of other token types.
pub const MAX_LEN: usize = 16 * 1024;

/// Keys of all types in a directory.
pub const MAX_KEYS: usize = 16;

/// Keys of type 0x0002 in a directory: one retired, one in use, one announced, one being forgotten.
pub const MAX_TOKEN_KEYS: usize = 4;

/// How often an issuer changes its key.
pub const ROTATION: Duration = Duration::from_secs(86_400);

/// Keys of type 0x0002 that may be valid at one time (PRV-29).
const MAX_VALID: usize = 2;

/// An issuer's key with the time from which it signs.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishedKey {
    /// The key.
    pub key: IssuerKey,
    /// The first second at which it signs.
    pub not_before: UnixTime,
}

impl fmt::Debug for PublishedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKey")
            .field("not_before", &self.not_before)
            .finish_non_exhaustive()
    }
}

impl PublishedKey {
    /// The first second at which its tokens are no longer taken, with this rotation period.
    #[must_use]
    pub fn end(&self, rotation: Duration) -> UnixTime {
        self.not_before.plus(rotation).plus(rotation)
    }

    /// Whether its tokens are taken at `now`.
    #[must_use]
    pub fn is_valid_at(&self, now: UnixTime, rotation: Duration) -> bool {
        (self.not_before..self.end(rotation)).contains(&now)
    }
}

/// A directory: where tokens are asked for, and the keys of type 0x0002.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerDirectory {
    /// The absolute URL of token requests, at the issuer itself.
    pub request_url: String,
    /// The keys, by `not_before`, the oldest first.
    pub keys: Vec<PublishedKey>,
}

/// The request for an issuer's directory.
#[must_use]
pub fn encode_request(issuer: &BaseUrl) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: issuer.join(PATH),
        headers: vec![("accept".to_owned(), MEDIA_TYPE.to_owned())],
        body: Vec::new(),
    }
}

/// Checks the `Accept` header of a request on the issuer.
///
/// # Errors
///
/// [`Problem::NotAcceptable`] if it does not allow the directory's type.
pub fn decode_request(accept: Option<&str>) -> Result<(), Problem> {
    match media::negotiate(accept, &[MEDIA_TYPE, media::JSON]) {
        Some(_) => Ok(()),
        None => Err(Problem::NotAcceptable),
    }
}

/// The issuer's answer. `request_uri` is a path or an URL; `keys` are what it publishes, at most
/// [`MAX_TOKEN_KEYS`].
#[must_use]
pub fn encode(request_uri: &str, keys: &[PublishedKey]) -> HttpResponse {
    let keys: Vec<Value> = keys
        .iter()
        .take(MAX_TOKEN_KEYS)
        .map(|published| {
            object!({
                "token-type": TOKEN_TYPE,
                "token-key": padded(published.key.spki()),
                "not-before": published.not_before.as_secs(),
            })
        })
        .collect();
    let body = object!({ "issuer-request-uri": request_uri, "token-keys": keys });
    let body = json::canonical(&body).into_bytes();
    HttpResponse::answer(200, Some(MEDIA_TYPE), body)
}

/// Reads the answer of `issuer`. Keys of other token types are skipped.
///
/// # Errors
///
/// - the reason of [`problem::reason`] unless the status is 200.
/// - [`Reason::UnsupportedMediaType`]; [`Reason::AnswerTooLarge`] over 16 KiB.
/// - [`Reason::IssuerKeyUnusable`]: a key of type 0x0002 that is not RSA-2048 with the exponent 65537 in
///   exactly the form of [`IssuerKey::spki`].
/// - [`Reason::MalformedIssuerDirectory`]: not such a directory, over [`MAX_KEYS`] keys or
///   [`MAX_TOKEN_KEYS`] of type 0x0002, one key or `not-before` twice, or a request URI that leads away
///   from the issuer.
pub fn decode(issuer: &IssuerName, answer: &HttpResponse) -> Result<IssuerDirectory, Reason> {
    const MALFORMED: Reason = Reason::MalformedIssuerDirectory;
    if answer.status != 200 {
        return Err(problem::reason(answer));
    }
    media::expect(answer, MEDIA_TYPE)?;
    if answer.body.len() > MAX_LEN {
        return Err(Reason::AnswerTooLarge);
    }
    let body = json::parse(&answer.body, MAX_LEN).map_err(|_| MALFORMED)?;
    let uri = body.get("issuer-request-uri").and_then(Value::as_str);
    let request_url = issuer
        .base_url()
        .resolve(uri.ok_or(MALFORMED)?)
        .map_err(|_| MALFORMED)?;
    let entries = body
        .get("token-keys")
        .and_then(Value::as_array)
        .filter(|entries| entries.len() <= MAX_KEYS)
        .ok_or(MALFORMED)?;
    let mut keys: Vec<PublishedKey> = Vec::new();
    for entry in entries {
        let token_type = entry.get("token-type").and_then(Value::as_u64);
        if token_type.ok_or(MALFORMED)? != u64::from(TOKEN_TYPE) {
            continue;
        }
        let published = read_key(entry)?;
        let repeated = keys.iter().any(|known| {
            known.key.key_id() == published.key.key_id() || known.not_before == published.not_before
        });
        if repeated || keys.len() >= MAX_TOKEN_KEYS {
            return Err(MALFORMED);
        }
        keys.push(published);
    }
    keys.sort_by_key(|published| published.not_before);
    Ok(IssuerDirectory { request_url, keys })
}

fn read_key(entry: &Value) -> Result<PublishedKey, Reason> {
    /// Base64 characters of the one form, with padding.
    const MAX_KEY_TEXT: usize = SPKI_LEN.div_ceil(3) * 4;
    let text = entry
        .get("token-key")
        .and_then(Value::as_str)
        .ok_or(Reason::MalformedIssuerDirectory)?;
    if text.len() > MAX_KEY_TEXT {
        return Err(Reason::IssuerKeyUnusable);
    }
    let der = base64url::decode(text.trim_end_matches('='))
        .map_err(|_| Reason::MalformedIssuerDirectory)?;
    // RFC 9578 lets an issuer leave it out; a key without a time cannot be compared with others.
    let not_before = entry
        .get("not-before")
        .and_then(Value::as_u64)
        .filter(|seconds| *seconds <= u64::from(u32::MAX))
        .ok_or(Reason::MalformedIssuerDirectory)?;
    Ok(PublishedKey {
        key: IssuerKey::from_spki(&der)?,
        not_before: UnixTime::from_secs(not_before),
    })
}

impl IssuerDirectory {
    /// The key to have tokens signed with at `now`: the newest that signs already. `rotation` is the
    /// period that the client expects, [`ROTATION`] unless configured otherwise.
    ///
    /// # Errors
    ///
    /// [`Reason::IssuerInconsistent`] if more than two keys are valid at once or the times of two
    /// neighbours differ from the period by more than a 24th of it; [`Reason::IssuerKeyUnusable`] if no
    /// key signs now.
    ///
    /// Source: docs/protocol.md section 19.1 (PRV-29).
    pub fn current(&self, now: UnixTime, rotation: Duration) -> Result<&PublishedKey, Reason> {
        let tolerance = rotation.checked_div(24).unwrap_or_default().as_secs();
        let period = rotation.as_secs();
        let regular = self
            .keys
            .iter()
            .zip(self.keys.iter().skip(1))
            .all(|(one, next)| {
                let between = next
                    .not_before
                    .as_secs()
                    .saturating_sub(one.not_before.as_secs());
                between.abs_diff(period) <= tolerance
            });
        let valid: Vec<&PublishedKey> = self
            .keys
            .iter()
            .filter(|published| published.is_valid_at(now, rotation))
            .collect();
        if !regular || valid.len() > MAX_VALID {
            return Err(Reason::IssuerInconsistent);
        }
        // The newest must not be so old that another should have followed it.
        valid
            .last()
            .copied()
            .filter(|newest| {
                let end = newest.not_before.plus(rotation);
                now <= end.plus(Duration::from_secs(tolerance))
            })
            .ok_or(Reason::IssuerKeyUnusable)
    }
}
