//! Binary HTTP messages of known length.
//!
//! Written are complete messages: every section, no trailers, then padding. Read is everything that
//! RFC 9292 calls a known-length message, also a truncated one, within the limits below. A message of
//! indeterminate length, informational answers and trailers with fields are nothing of this protocol.
//!
//! Source: RFC 9292 sections 3.1 to 3.8.

use core::fmt;

use ringtrue_stir::Reason;
use zeroize::Zeroizing;

use crate::http::{HttpRequest, HttpResponse};

/// The longest message that is read: the longest answer to a retrieval, 1.5 MiB, with its header and
/// padding.
pub const MAX_MESSAGE_LEN: usize = 2 * 1024 * 1024;

/// The most fields of a header section. Ours have ten at most, more only with many storage tokens.
pub const MAX_FIELDS: usize = 64;

/// The most octets of a header section, as much as a service reads of an ordinary request: 32 storage
/// tokens.
pub const MAX_FIELDS_LEN: usize = 48 * 1024;

/// The longest method, scheme, authority or path. A base URL has 512 octets at most.
const MAX_CONTROL_LEN: usize = 1024;

/// Framing indicators of RFC 9292 section 3.3.
const KNOWN_LENGTH_REQUEST: u64 = 0;
const KNOWN_LENGTH_RESPONSE: u64 = 1;

const MALFORMED: Reason = Reason::MalformedEncapsulation;

/// A request as it stands in a binary message.
///
/// [`fmt::Debug`] shows neither path nor content: both tell whom a call is for.
#[derive(Clone, PartialEq, Eq)]
pub struct BinaryRequest {
    /// The method, as written.
    pub method: String,
    /// The scheme.
    pub scheme: String,
    /// The authority that the request is for.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Field names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl fmt::Debug for BinaryRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BinaryRequest({} octets)", self.body.len())
    }
}

/// Writes a request, padded with zeros to `len` octets if it is shorter.
///
/// # Errors
///
/// [`Reason::MalformedUrl`] if the URL is no absolute `https` URL with a path;
/// [`Reason::Internal`] for fields that a message must not have.
pub fn encode_request(request: &HttpRequest, len: usize) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let (authority, path) = request
        .url
        .strip_prefix("https://")
        .and_then(|rest| rest.split_at_checked(rest.find('/')?))
        .ok_or(Reason::MalformedUrl)?;
    let mut out = Writer::new(len);
    out.integer(KNOWN_LENGTH_REQUEST);
    for part in [request.method.as_str(), "https", authority, path] {
        out.octets(part.as_bytes());
    }
    out.message(&request.headers, &request.body)?;
    Ok(out.padded(len))
}

/// Reads a request.
///
/// # Errors
///
/// [`Reason::MalformedEncapsulation`] for what is no known-length request within the limits, or has
/// trailers or padding other than zeros.
pub fn decode_request(octets: &[u8]) -> Result<BinaryRequest, Reason> {
    let mut input = Reader::new(octets)?;
    if input.integer()? != KNOWN_LENGTH_REQUEST {
        return Err(MALFORMED);
    }
    let method = input.control(is_token)?;
    let scheme = input.control(is_visible)?;
    let authority = input.control(is_visible)?;
    let path = input.control(is_visible)?;
    if method.is_empty() || !path.starts_with('/') {
        return Err(MALFORMED);
    }
    let (headers, body) = input.message()?;
    Ok(BinaryRequest {
        method,
        scheme,
        authority,
        path,
        headers,
        body,
    })
}

/// Writes an answer, padded with zeros to `len` octets if it is shorter.
///
/// # Errors
///
/// [`Reason::Internal`] for fields that a message must not have.
pub fn encode_response(answer: &HttpResponse, len: usize) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let mut out = Writer::new(len);
    out.integer(KNOWN_LENGTH_RESPONSE);
    out.integer(u64::from(answer.status));
    out.message(&answer.headers, &answer.body)?;
    Ok(out.padded(len))
}

/// Reads an answer.
///
/// # Errors
///
/// [`Reason::MalformedEncapsulation`] for what is no known-length final answer within the limits, or has
/// trailers or padding other than zeros.
pub fn decode_response(octets: &[u8]) -> Result<HttpResponse, Reason> {
    let mut input = Reader::new(octets)?;
    if input.integer()? != KNOWN_LENGTH_RESPONSE {
        return Err(MALFORMED);
    }
    let status = input.integer()?;
    let status = u16::try_from(status).map_err(|_| MALFORMED)?;
    if !(200..600).contains(&status) {
        return Err(MALFORMED);
    }
    let (headers, body) = input.message()?;
    Ok(HttpResponse {
        status,
        headers,
        body,
    })
}

/// Fields and content.
type Message = (Vec<(String, String)>, Vec<u8>);

struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    fn new(len: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(len)))
    }

    /// A variable-length integer in its shortest form (RFC 9000 section 16).
    fn integer(&mut self, value: u64) {
        let octets = value.to_be_bytes();
        let (skip, mark) = match value {
            0..=0x3f => (7, 0x00),
            0x40..=0x3fff => (6, 0x40),
            0x4000..=0x3fff_ffff => (4, 0x80),
            _ => (0, 0xc0),
        };
        for (index, octet) in octets.iter().skip(skip).enumerate() {
            self.0.push(if index == 0 { octet | mark } else { *octet });
        }
    }

    fn octets(&mut self, octets: &[u8]) {
        self.integer(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(octets);
    }

    /// Header section, content and an empty trailer section.
    fn message(&mut self, headers: &[(String, String)], body: &[u8]) -> Result<(), Reason> {
        let mut fields = Self::new(0);
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if !is_field_name(&name) || !value.bytes().all(is_field_octet) {
                return Err(Reason::Internal);
            }
            fields.octets(name.as_bytes());
            fields.octets(value.as_bytes());
        }
        self.octets(&fields.0);
        self.octets(body);
        self.integer(0);
        Ok(())
    }

    fn padded(mut self, len: usize) -> Zeroizing<Vec<u8>> {
        if self.0.len() < len {
            self.0.resize(len, 0);
        }
        self.0
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn new(octets: &'a [u8]) -> Result<Self, Reason> {
        if octets.len() > MAX_MESSAGE_LEN {
            return Err(MALFORMED);
        }
        Ok(Self(octets))
    }

    /// A variable-length integer, also in a longer form than needed.
    fn integer(&mut self) -> Result<u64, Reason> {
        let (first, rest) = self.0.split_first().ok_or(MALFORMED)?;
        let more = match first >> 6 {
            0 => 0,
            1 => 1,
            2 => 3,
            _ => 7,
        };
        let (tail, rest) = rest.split_at_checked(more).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(tail.iter().fold(u64::from(first & 0x3f), |value, octet| {
            // At most 62 bits in all.
            (value << 8) | u64::from(*octet)
        }))
    }

    fn octets(&mut self) -> Result<&'a [u8], Reason> {
        let len = usize::try_from(self.integer()?).map_err(|_| MALFORMED)?;
        let (octets, rest) = self.0.split_at_checked(len).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(octets)
    }

    fn control(&mut self, allowed: fn(u8) -> bool) -> Result<String, Reason> {
        let octets = self.octets()?;
        if octets.len() > MAX_CONTROL_LEN || !octets.iter().copied().all(allowed) {
            return Err(MALFORMED);
        }
        text(octets)
    }

    /// Everything behind the control data. A section that is left out together with everything
    /// behind it counts as empty (RFC 9292 section 3.8).
    fn message(mut self) -> Result<Message, Reason> {
        let mut headers = Vec::new();
        let mut body = Vec::new();
        if !self.0.is_empty() {
            headers = fields(self.octets()?)?;
        }
        if !self.0.is_empty() {
            body = self.octets()?.to_vec();
        }
        if !self.0.is_empty() && self.integer()? != 0 {
            return Err(MALFORMED);
        }
        if self.0.iter().any(|octet| *octet != 0) {
            return Err(MALFORMED);
        }
        Ok((headers, body))
    }
}

fn fields(section: &[u8]) -> Result<Vec<(String, String)>, Reason> {
    if section.len() > MAX_FIELDS_LEN {
        return Err(MALFORMED);
    }
    let mut input = Reader(section);
    let mut fields = Vec::new();
    while !input.0.is_empty() {
        let name = text(input.octets()?)?;
        let value = text(input.octets()?)?;
        let well_formed =
            is_field_name(&name) && value.bytes().all(is_field_octet) && fields.len() < MAX_FIELDS;
        if !well_formed {
            return Err(MALFORMED);
        }
        fields.push((name, value));
    }
    Ok(fields)
}

fn text(octets: &[u8]) -> Result<String, Reason> {
    core::str::from_utf8(octets)
        .map(str::to_owned)
        .map_err(|_| MALFORMED)
}

/// A character of a token, of which methods and field names are made (RFC 9110 section 5.6.2).
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

fn is_visible(octet: u8) -> bool {
    octet.is_ascii_graphic()
}

/// A name in lower case: no pseudo-header, nothing that two readers could take for different fields.
fn is_field_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|octet| is_token(octet) && !octet.is_ascii_uppercase())
}

fn is_field_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() || octet == b' ' || octet == b'\t'
}

#[cfg(test)]
mod tests;
