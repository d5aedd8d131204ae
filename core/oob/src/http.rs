//! The HTTP messages of the RFC 8816 profile as plain data, encoded and decoded for client and service
//! alike. No sockets.
//!
//! | Module | Messages |
//! |---|---|
//! | [`placement`] | store, retrieve and fetch single blobs |
//! | [`directory`] | publish and look up key statements |
//! | [`health`] | whether the service is up |
//! | [`problem`] | every error |
//! | [`route`] | what a request line asks a service for |
//! | [`relay_route`] | what a request line asks a relay for |
//!
//! A client encodes a request and decodes the answer; a service takes the [`route`], decodes the rest and
//! encodes the answer. Every limit of a message is a constant beside it. Limits on octets are for the
//! transport to enforce while it reads; the decoders check them once more.
//!
//! Source: docs/protocol.md sections 8 and 9 (W-4, W-16, W-20 to W-23).

use core::fmt;

use ringtrue_stir::TelephoneNumber;

pub mod directory;
pub mod health;
pub mod media;
pub mod placement;
pub mod problem;
pub mod relay_route;
pub mod route;

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// The method as it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// The method with this name, case-sensitive as HTTP has it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Put]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// What a request is for. Each role has connections of its own, without shared TLS sessions, so that a
/// service, or whoever watches connections, cannot join what the protocol keeps apart (PRV-50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reading what is the same for everybody: a token issuer's or a gateway's keys.
    Configuration,
    /// Getting storage tokens from their issuer.
    Issue,
    /// Reading another party's keys from a directory: a number's, or once more, as nobody in particular,
    /// those that a token issuer shows everybody.
    Lookup,
    /// Publishing one's own keys.
    Publish,
    /// Reading one's own mailbox at a placement service.
    Retrieve,
    /// Leaving something for another party at a placement service.
    Store,
}

/// A request for the transport to send as it is: no header is added that differs between devices.
///
/// [`fmt::Debug`] shows neither URL nor body: both tell whom a call is for.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute `https` URL.
    pub url: String,
    /// Header names, in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The value of the first header with this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first_header(&self.headers, name)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HttpRequest({}, {} octets)",
            self.method.as_str(),
            self.body.len()
        )
    }
}

/// An answer as the transport received it, or as a service sends it.
///
/// [`fmt::Debug`] shows status and size only.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names with their values.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The value of the first header with this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first_header(&self.headers, name)
    }

    /// This answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// An answer of a service, with the headers that all of them carry.
    pub(crate) fn answer(status: u16, content_type: Option<&str>, body: Vec<u8>) -> Self {
        let mut headers = vec![("cache-control".to_owned(), "no-store".to_owned())];
        if let Some(content_type) = content_type {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        Self {
            status,
            headers,
            body,
        }
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HttpResponse({}, {} octets)",
            self.status,
            self.body.len()
        )
    }
}

fn first_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// A number as a path segment. `#` would begin a fragment; the other characters stand for themselves.
fn number_segment(number: &TelephoneNumber) -> String {
    number.as_str().replace('#', "%23")
}

/// Removes the line feed that may end the last line (W-20, W-21).
fn without_last_line_feed(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{HttpRequest, HttpResponse, Method};

    #[test]
    fn headers_are_found_whatever_their_case() {
        let answer = HttpResponse::answer(200, Some("application/json"), Vec::new())
            .with_header("Location", "/x")
            .with_header("location", "/y");
        assert_eq!(answer.header("LOCATION"), Some("/x"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("server"), None);
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::from_name("PUT"), Some(Method::Put));
        for name in ["put", "HEAD", "DELETE", ""] {
            assert_eq!(Method::from_name(name), None);
        }
    }

    #[test]
    fn debug_shows_no_number_and_no_body() {
        let request = HttpRequest {
            method: Method::Get,
            url: "https://cps.example.com/cps/12025550143/ppts".into(),
            headers: Vec::new(),
            body: b"secret".to_vec(),
        };
        assert_eq!(format!("{request:?}"), "HttpRequest(GET, 6 octets)");
        let answer = HttpResponse::answer(200, None, b"secret".to_vec());
        assert_eq!(format!("{answer:?}"), "HttpResponse(200, 6 octets)");
    }
}
