//! Storing blobs for a number and fetching them: `/cps/{number}/ppts`.
//!
//! A body of blobs has one blob per line as unpadded base64url, lines ended by LF, the last LF
//! optional (W-20).
//!
//! Source: RFC 8816 section 9; docs/protocol.md section 9.

use ringtrue_stir::{Reason, TelephoneNumber};

use super::problem::{self, Problem};
use super::route::{self, ItemId};
use super::{HttpRequest, HttpResponse, Method, media, without_last_line_feed};
use crate::{BaseUrl, Blob};

/// Blobs in one store: one per key of the called number, and at most eight keys are used (W-17, W-20).
pub const MAX_STORE_BLOBS: usize = 8;

/// Octets in the body of a store: room for eight blobs of the largest class (W-20).
pub const MAX_STORE_LEN: usize = 180 * 1024;

/// Octets in the answer to a store: eight references.
pub const MAX_STORE_ANSWER_LEN: usize = 16 * 1024;

/// Blobs in one retrieval (W-22, PRV-10).
pub const MAX_ANSWER_BLOBS: usize = 256;

/// Octets in the body of a retrieval (W-22, PRV-10).
pub const MAX_ANSWER_LEN: usize = 1536 * 1024;

/// Octets in the answer to the request for one item.
pub const MAX_ITEM_LEN: usize = Blob::MAX_TEXT_LEN + 1;

/// The request that stores blobs for a number.
///
/// # Errors
///
/// [`Reason::TooManyBlobs`] unless there are one to eight.
pub fn encode_store(
    base: &BaseUrl,
    number: &TelephoneNumber,
    blobs: &[Blob],
) -> Result<HttpRequest, Reason> {
    if !(1..=MAX_STORE_BLOBS).contains(&blobs.len()) {
        return Err(Reason::TooManyBlobs);
    }
    Ok(HttpRequest {
        method: Method::Post,
        url: base.join(&route::collection_path(number)),
        headers: vec![
            ("content-type".to_owned(), media::PASSPORT.to_owned()),
            ("accept".to_owned(), media::JSON.to_owned()),
        ],
        body: lines(blobs),
    })
}

/// Reads the body of a store on the service.
///
/// # Errors
///
/// - [`Problem::UnsupportedMediaType`]: not `application/passport`.
/// - [`Problem::BodyTooLarge`]: over 180 KiB.
/// - [`Problem::TooManyBlobs`]: over eight lines.
/// - [`Problem::MalformedBlob`]: none, an empty line, or a line that is no blob (W-19, W-20).
pub fn decode_store(content_type: Option<&str>, body: &[u8]) -> Result<Vec<Blob>, Problem> {
    if !media::is(content_type, media::PASSPORT) {
        return Err(Problem::UnsupportedMediaType);
    }
    if body.len() > MAX_STORE_LEN {
        return Err(Problem::BodyTooLarge);
    }
    let text = core::str::from_utf8(body).map_err(|_| Problem::MalformedBlob)?;
    let text = without_last_line_feed(text);
    if text.split('\n').nth(MAX_STORE_BLOBS).is_some() {
        return Err(Problem::TooManyBlobs);
    }
    text.split('\n')
        .map(|line| Blob::from_text(line).map_err(|_| Problem::MalformedBlob))
        .collect()
}

/// The reference of a stored blob: an absolute path (W-4). `prefix` is that of the service's base URL.
#[must_use]
pub fn item_reference(prefix: &str, number: &TelephoneNumber, id: &ItemId) -> String {
    format!(
        "{prefix}{}/{}",
        route::collection_path(number),
        id.to_text()
    )
}

/// The service's answer to a store: 201, the references in the order of the request.
#[must_use]
pub fn encode_stored(prefix: &str, number: &TelephoneNumber, ids: &[ItemId]) -> HttpResponse {
    let references = references(prefix, number, ids);
    let body = serde_json::Value::from(references.as_slice()).to_string();
    let answer = HttpResponse::answer(201, Some(media::JSON), body.into_bytes());
    match references.into_iter().next() {
        Some(first) => answer.with_header("location", first),
        None => answer,
    }
}

/// Reads the answer to a store of `count` blobs: the URLs of the stored items, in request order.
///
/// # Errors
///
/// - the reason of [`problem::reason`] unless the status is 201.
/// - [`Reason::UnsupportedMediaType`], [`Reason::AnswerTooLarge`].
/// - [`Reason::MalformedAnswer`]: not an array of `count` references to this service.
pub fn decode_stored(
    base: &BaseUrl,
    answer: &HttpResponse,
    count: usize,
) -> Result<Vec<String>, Reason> {
    if answer.status != 201 {
        return Err(problem::reason(answer));
    }
    let urls = decode_reference_array(base, answer, MAX_STORE_ANSWER_LEN, MAX_STORE_BLOBS)?;
    if urls.len() == count {
        Ok(urls)
    } else {
        Err(Reason::MalformedAnswer)
    }
}

/// What a retrieval is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetrieveForm {
    /// References to single items (`application/json`), the default.
    References,
    /// All blobs at once (`application/passport`), one trip: what this project's endpoints use.
    Blobs,
}

/// The request for everything in a number's mailbox.
#[must_use]
pub fn encode_retrieve(
    base: &BaseUrl,
    number: &TelephoneNumber,
    form: RetrieveForm,
) -> HttpRequest {
    let accept = match form {
        RetrieveForm::References => media::JSON,
        RetrieveForm::Blobs => media::PASSPORT,
    };
    HttpRequest {
        method: Method::Get,
        url: base.join(&route::collection_path(number)),
        headers: vec![("accept".to_owned(), accept.to_owned())],
        body: Vec::new(),
    }
}

/// Reads the `Accept` header of a retrieval on the service.
///
/// # Errors
///
/// [`Problem::NotAcceptable`] if it names neither form (W-21).
pub fn decode_retrieve(accept: Option<&str>) -> Result<RetrieveForm, Problem> {
    match media::negotiate(accept, &[media::JSON, media::PASSPORT]) {
        Some(media::JSON) => Ok(RetrieveForm::References),
        Some(_) => Ok(RetrieveForm::Blobs),
        None => Err(Problem::NotAcceptable),
    }
}

/// The service's answer with all blobs. The caller has shuffled them and kept to the limits: what is
/// beyond 256 blobs or 1.5 MiB is left out.
#[must_use]
pub fn encode_blobs(blobs: &[Blob]) -> HttpResponse {
    let mut len = 0_usize;
    let fitting = blobs
        .iter()
        .take(MAX_ANSWER_BLOBS)
        .take_while(|blob| {
            let text_len = blob.as_octets().len().saturating_mul(4).div_ceil(3);
            len = len.saturating_add(text_len).saturating_add(1);
            len <= MAX_ANSWER_LEN
        })
        .count();
    let body = lines(blobs.get(..fitting).unwrap_or_default());
    HttpResponse::answer(200, Some(media::PASSPORT), body)
}

/// What a retrieval brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrieved {
    /// The well-formed blobs, in the order of the answer.
    pub blobs: Vec<Blob>,
    /// Lines that were no blob of a known form. Normal, and no reason to act differently (PRV-8).
    pub skipped: usize,
}

/// Reads the answer with all blobs. Single lines that cannot be read are skipped and counted.
///
/// # Errors
///
/// - the reason of [`problem::reason`] unless the status is 200.
/// - [`Reason::UnsupportedMediaType`]: HTML, for one.
/// - [`Reason::AnswerTooLarge`]: over 1.5 MiB.
/// - [`Reason::MalformedAnswer`]: not text.
/// - [`Reason::TooManyBlobs`]: over 256 lines.
pub fn decode_blobs(answer: &HttpResponse) -> Result<Retrieved, Reason> {
    if answer.status != 200 {
        return Err(problem::reason(answer));
    }
    media::expect(answer, media::PASSPORT)?;
    if answer.body.len() > MAX_ANSWER_LEN {
        return Err(Reason::AnswerTooLarge);
    }
    let text = core::str::from_utf8(&answer.body).map_err(|_| Reason::MalformedAnswer)?;
    let text = without_last_line_feed(text);
    if text.split('\n').nth(MAX_ANSWER_BLOBS).is_some() {
        return Err(Reason::TooManyBlobs);
    }
    let mut retrieved = Retrieved {
        blobs: Vec::new(),
        skipped: 0,
    };
    for line in text.split('\n').filter(|_| !text.is_empty()) {
        match Blob::from_text(line) {
            Ok(blob) => retrieved.blobs.push(blob),
            Err(_) => retrieved.skipped = retrieved.skipped.saturating_add(1),
        }
    }
    Ok(retrieved)
}

/// The service's answer with references. The caller has shuffled them; what is beyond 256 is left out.
#[must_use]
pub fn encode_references(prefix: &str, number: &TelephoneNumber, ids: &[ItemId]) -> HttpResponse {
    let ids = ids
        .get(..ids.len().min(MAX_ANSWER_BLOBS))
        .unwrap_or_default();
    let body = serde_json::Value::from(references(prefix, number, ids)).to_string();
    HttpResponse::answer(200, Some(media::JSON), body.into_bytes())
}

/// Reads the answer with references: the URLs of the items.
///
/// # Errors
///
/// As [`decode_blobs`]; [`Reason::MalformedAnswer`] also for a reference that leaves the service.
pub fn decode_references(base: &BaseUrl, answer: &HttpResponse) -> Result<Vec<String>, Reason> {
    if answer.status != 200 {
        return Err(problem::reason(answer));
    }
    decode_reference_array(base, answer, MAX_ANSWER_LEN, MAX_ANSWER_BLOBS)
}

/// The request for one item. `url` comes from [`decode_stored`] or [`decode_references`].
#[must_use]
pub fn encode_item_request(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("accept".to_owned(), media::PASSPORT.to_owned())],
        body: Vec::new(),
    }
}

/// Checks the `Accept` header of a request for one item on the service.
///
/// # Errors
///
/// [`Problem::NotAcceptable`] if it does not allow `application/passport`.
pub fn decode_item_request(accept: Option<&str>) -> Result<(), Problem> {
    match media::negotiate(accept, &[media::PASSPORT]) {
        Some(_) => Ok(()),
        None => Err(Problem::NotAcceptable),
    }
}

/// The service's answer with one item and the way to its collection. An item that has aged out is
/// [`Problem::NotFound`].
#[must_use]
pub fn encode_item(prefix: &str, number: &TelephoneNumber, blob: &Blob) -> HttpResponse {
    let link = format!(
        "<{prefix}{}>; rel=\"collection\"",
        route::collection_path(number)
    );
    HttpResponse::answer(
        200,
        Some(media::PASSPORT),
        lines(core::slice::from_ref(blob)),
    )
    .with_header("link", link)
}

/// Reads the answer with one item; `None` if it has aged out.
///
/// # Errors
///
/// - the reason of [`problem::reason`] unless the status is 200 or 404.
/// - [`Reason::UnsupportedMediaType`], [`Reason::AnswerTooLarge`].
/// - [`Reason::MalformedBlob`]: not one blob.
pub fn decode_item(answer: &HttpResponse) -> Result<Option<Blob>, Reason> {
    match answer.status {
        200 => {}
        404 => return Ok(None),
        _ => return Err(problem::reason(answer)),
    }
    media::expect(answer, media::PASSPORT)?;
    if answer.body.len() > MAX_ITEM_LEN {
        return Err(Reason::AnswerTooLarge);
    }
    let text = core::str::from_utf8(&answer.body).map_err(|_| Reason::MalformedBlob)?;
    Blob::from_text(without_last_line_feed(text)).map(Some)
}

/// One line per blob, each ended by LF.
fn lines(blobs: &[Blob]) -> Vec<u8> {
    let mut body = String::new();
    for blob in blobs {
        body.push_str(&blob.to_text());
        body.push('\n');
    }
    body.into_bytes()
}

fn references(prefix: &str, number: &TelephoneNumber, ids: &[ItemId]) -> Vec<String> {
    ids.iter()
        .map(|id| item_reference(prefix, number, id))
        .collect()
}

fn decode_reference_array(
    base: &BaseUrl,
    answer: &HttpResponse,
    max_len: usize,
    max_count: usize,
) -> Result<Vec<String>, Reason> {
    media::expect(answer, media::JSON)?;
    if answer.body.len() > max_len {
        return Err(Reason::AnswerTooLarge);
    }
    let references: Vec<&str> =
        serde_json::from_slice(&answer.body).map_err(|_| Reason::MalformedAnswer)?;
    if references.len() > max_count {
        return Err(Reason::TooManyBlobs);
    }
    references
        .into_iter()
        .map(|reference| base.resolve(reference))
        .collect()
}

#[cfg(test)]
mod tests;
