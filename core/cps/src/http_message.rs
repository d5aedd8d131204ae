//! Requests and answers of the HTTP server: bodies with a limit, headers as text.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use ringtrue_oob::http::HttpResponse;

/// What is read and thrown away of a body that is too large, so that its sender gets to see the answer.
const MAX_DISCARDED: usize = 1024 * 1024;

/// The client did not send its request in time, or broke it off: the connection ends without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request did not arrive")
    }
}

impl std::error::Error for Cut {}

/// The body, or `None` if it is longer than `max_len`.
pub(crate) async fn read_body<B>(mut body: B, max_len: usize) -> Result<Option<Vec<u8>>, Cut>
where
    B: Body + Unpin,
{
    let mut octets = Vec::new();
    let mut len = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(|_| Cut)?.into_data() else {
            continue;
        };
        len = len.saturating_add(bytes::Buf::remaining(&data));
        if len > max_len.saturating_add(MAX_DISCARDED) {
            break;
        }
        if len > max_len {
            octets = Vec::new();
            continue;
        }
        octets.extend_from_slice(&bytes::Buf::copy_to_bytes(
            &mut data,
            len.saturating_sub(octets.len()),
        ));
    }
    Ok((len <= max_len).then_some(octets))
}

/// All headers that are text, in the order of the request as far as they have one name.
pub(crate) fn header_pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("invalid")))
}

/// All `Accept` headers as one (RFC 9110 section 5.3); what is not text names no supported type.
pub(crate) fn accept_header(headers: &HeaderMap) -> Option<String> {
    let values: Vec<&str> = headers
        .get_all(hyper::header::ACCEPT)
        .iter()
        .map(|value| value.to_str().unwrap_or("invalid"))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// An answer as hyper sends it.
pub(crate) fn http_response(answer: HttpResponse) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
