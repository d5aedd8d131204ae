//! Publishing key statements and looking them up: `/keys/{number}`.
//!
//! Every lookup is answered with exactly 8192 octets, or 16384 if more does not fit, whether the number
//! is known or not (W-16, PRV-39). The texts in it are checked by whoever reads them, not here.

use ringtrue_stir::{Reason, TelephoneNumber};
use serde::Deserialize;

use super::problem::{self, Problem};
use super::{HttpRequest, HttpResponse, Method, media, route, without_last_line_feed};
use crate::BaseUrl;

/// Octets of one key statement (docs/protocol.md section 7.4).
pub const MAX_STATEMENT_LEN: usize = 16 * 1024;

/// Octets in the body of a publication: one statement and a line feed.
pub const MAX_PUBLISH_LEN: usize = MAX_STATEMENT_LEN + 1;

/// Octets of an answer to a publication that are read. It has no body if all went well.
pub const MAX_PUBLISH_ANSWER_LEN: usize = 4096;

/// Statements in one answer (W-16).
pub const MAX_STATEMENTS: usize = 8;

/// Octets of an ordinary answer to a lookup.
pub const ANSWER_LEN: usize = 8192;

/// Octets of an answer to a lookup if the statements do not fit into [`ANSWER_LEN`].
pub const MAX_ANSWER_LEN: usize = 16 * 1024;

const HEAD: &str = "{\"statements\":[";
const MIDDLE: &str = "],\"pad\":\"";
const TAIL: &str = "\"}";

/// The request that publishes `statement`, in its encoding with certificates, for one number.
#[must_use]
pub fn encode_publish(base: &BaseUrl, number: &TelephoneNumber, statement: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Put,
        url: base.join(&route::keys_path(number)),
        headers: vec![("content-type".to_owned(), media::JOSE.to_owned())],
        body: statement.as_bytes().to_vec(),
    }
}

/// Reads the body of a publication on the service: the text of the statement, not parsed. A line feed at
/// its end is accepted (W-21).
///
/// # Errors
///
/// - [`Problem::UnsupportedMediaType`]: not `application/jose`.
/// - [`Problem::BodyTooLarge`]: over 16 KiB.
/// - [`Problem::MalformedStatement`]: empty or not ASCII.
pub fn decode_publish<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<&'a str, Problem> {
    if !media::is(content_type, media::JOSE) {
        return Err(Problem::UnsupportedMediaType);
    }
    if body.len() > MAX_PUBLISH_LEN {
        return Err(Problem::BodyTooLarge);
    }
    let text = core::str::from_utf8(body).map_err(|_| Problem::MalformedStatement)?;
    let text = without_last_line_feed(text);
    if text.len() > MAX_STATEMENT_LEN {
        return Err(Problem::BodyTooLarge);
    }
    if text.is_empty() || !text.is_ascii() {
        return Err(Problem::MalformedStatement);
    }
    Ok(text)
}

/// The service's answer to a publication that is stored now, or was before.
#[must_use]
pub fn encode_published() -> HttpResponse {
    HttpResponse::answer(204, None, Vec::new())
}

/// Reads the answer to a publication.
///
/// # Errors
///
/// The reason of [`problem::reason`] unless the status is 204; [`Reason::StatementRejected`] and
/// [`Reason::StatementSuperseded`] among them.
pub fn decode_published(answer: &HttpResponse) -> Result<(), Reason> {
    if answer.status == 204 {
        Ok(())
    } else {
        Err(problem::reason(answer))
    }
}

/// The request for a number's statements.
#[must_use]
pub fn encode_lookup(base: &BaseUrl, number: &TelephoneNumber) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: base.join(&route::keys_path(number)),
        headers: vec![("accept".to_owned(), media::JSON.to_owned())],
        body: Vec::new(),
    }
}

/// Checks the `Accept` header of a lookup on the service.
///
/// # Errors
///
/// [`Problem::NotAcceptable`] if it does not allow `application/json`.
pub fn decode_lookup(accept: Option<&str>) -> Result<(), Problem> {
    match media::negotiate(accept, &[media::JSON]) {
        Some(_) => Ok(()),
        None => Err(Problem::NotAcceptable),
    }
}

/// The service's answer to a lookup, padded. `newest_first` are compact JWS texts; the first eight are
/// taken, and the last ones left out until the rest fits (W-16).
#[must_use]
pub fn encode_statements(newest_first: &[&str]) -> HttpResponse {
    const FRAME: usize = HEAD.len() + MIDDLE.len() + TAIL.len();
    // Two quotes each and a comma between.
    let len_of = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.len().saturating_add(3))
            .fold(FRAME, usize::saturating_add)
            .saturating_sub(usize::from(!texts.is_empty()))
    };
    // A text that needed escapes is no compact JWS; one that never fits must not push out the others.
    let mut texts: Vec<&str> = newest_first
        .iter()
        .copied()
        .filter(|text| text.bytes().all(is_jws_octet) && len_of(&[text]) <= MAX_ANSWER_LEN)
        .take(MAX_STATEMENTS)
        .collect();
    while len_of(&texts) > MAX_ANSWER_LEN {
        texts.pop();
    }
    let len = len_of(&texts);
    let target = if len <= ANSWER_LEN {
        ANSWER_LEN
    } else {
        MAX_ANSWER_LEN
    };

    let mut body = String::with_capacity(target);
    body.push_str(HEAD);
    for (index, text) in texts.iter().enumerate() {
        body.push_str(if index == 0 { "\"" } else { ",\"" });
        body.push_str(text);
        body.push('"');
    }
    body.push_str(MIDDLE);
    body.push_str(&"0".repeat(target.saturating_sub(len)));
    body.push_str(TAIL);
    HttpResponse::answer(200, Some(media::JSON), body.into_bytes())
}

/// Reads the answer to a lookup: the texts, none if the number is unknown. Padding is not insisted on.
///
/// # Errors
///
/// - the reason of [`problem::reason`] unless the status is 200.
/// - [`Reason::UnsupportedMediaType`], [`Reason::AnswerTooLarge`].
/// - [`Reason::MalformedAnswer`]: not the expected object, or more than eight statements.
pub fn decode_statements(answer: &HttpResponse) -> Result<Vec<String>, Reason> {
    #[derive(Deserialize)]
    struct Body {
        statements: Vec<String>,
    }

    if answer.status != 200 {
        return Err(problem::reason(answer));
    }
    media::expect(answer, media::JSON)?;
    if answer.body.len() > MAX_ANSWER_LEN {
        return Err(Reason::AnswerTooLarge);
    }
    let body: Body = serde_json::from_slice(&answer.body).map_err(|_| Reason::MalformedAnswer)?;
    if body.statements.len() > MAX_STATEMENTS {
        return Err(Reason::MalformedAnswer);
    }
    Ok(body.statements)
}

const fn is_jws_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests;
