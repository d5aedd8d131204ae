//! HTTP of the application's own.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::Reason;

use crate::show::show;

/// Which conversation a connection serves. Connections of different roles share nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Role {
    /// Reading what is the same for everybody: a token issuer's or a gateway's keys.
    Configuration,
    /// Getting storage tokens from their issuer.
    Issue,
    /// Looking up keys.
    Lookup,
    /// Publishing own keys.
    Publish,
    /// Fetching the own mailbox.
    Retrieve,
    /// Leaving sealed PASSporTs.
    Store,
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

/// One header. Its text shows the name only.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpHeader {
    /// The name; in lower case in requests.
    pub name: String,
    /// The value.
    pub value: String,
}

show!(HttpHeader, |value, f| write!(
    f,
    "HttpHeader({})",
    value.name
));

/// A request to send as it is: no header is added that differs between devices. Its text shows neither
/// URL nor body: both tell whom a call is for.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The absolute `https` URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<HttpHeader>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

show!(HttpRequest, |value, f| write!(
    f,
    "HttpRequest({} octets)",
    value.body.len()
));

/// An answer as it was received. Its text shows status and size only.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpResponse {
    /// The status code.
    pub status: u32,
    /// The headers.
    pub headers: Vec<HttpHeader>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

show!(HttpResponse, |value, f| write!(
    f,
    "HttpResponse({}, {} octets)",
    value.status,
    value.body.len()
));

/// Why a request came to nothing. Any other exception counts as `Unreachable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// The host is at an address that is not a public one.
    #[error("address not allowed")]
    AddressNotAllowed,
    /// The body is longer than asked for.
    #[error("answer too large")]
    AnswerTooLarge,
    /// The time was up.
    #[error("deadline passed")]
    DeadlinePassed,
    /// The service redirects, which is not followed.
    #[error("redirected")]
    Redirected,
    /// The service's TLS certificate or handshake was not accepted.
    #[error("TLS failed")]
    TlsFailed,
    /// No connection to the service.
    #[error("unreachable")]
    Unreachable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unreachable
    }
}

impl From<TransportError> for Reason {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::AddressNotAllowed => Self::AddressNotAllowed,
            TransportError::AnswerTooLarge => Self::AnswerTooLarge,
            TransportError::DeadlinePassed => Self::DeadlinePassed,
            TransportError::Redirected => Self::Redirected,
            TransportError::TlsFailed => Self::TlsFailed,
            TransportError::Unreachable => Self::ServiceUnreachable,
        }
    }
}

/// HTTP of the application's own, instead of the built-in client.
///
/// Called on a thread of the library that may block. An implementation uses TLS 1.3, follows no
/// redirects, keeps no cookies, asks for no compression, adds no header that tells one device from
/// another, and shares neither connections nor TLS sessions between roles. It also answers for the
/// address rule: addresses that come from other parties must be public.
#[uniffi::export(foreign)]
pub trait Transport: Send + Sync {
    /// Sends `request` and reads at most `max_answer_octets` of body, within `time_left_ms`.
    ///
    /// # Errors
    ///
    /// What kept it from an answer, as a `TransportError`.
    fn execute(
        &self,
        role: Role,
        request: HttpRequest,
        max_answer_octets: u64,
        time_left_ms: u64,
    ) -> Result<HttpResponse, TransportError>;
}

/// The application's transport as the core wants it.
pub(crate) struct HostTransport(pub(crate) Arc<dyn Transport>);

impl ringtrue::Transport for HostTransport {
    fn execute(
        &self,
        role: ringtrue::Role,
        request: ringtrue::HttpRequest,
        max_answer_octets: usize,
        time_left: Duration,
    ) -> Result<ringtrue::HttpResponse, Reason> {
        let max_answer_octets = u64::try_from(max_answer_octets).unwrap_or(u64::MAX);
        let time_left_ms = u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX);
        let answer =
            self.0
                .execute(role.into(), request.into(), max_answer_octets, time_left_ms)?;
        Ok(ringtrue::HttpResponse {
            status: u16::try_from(answer.status).map_err(|_| Reason::MalformedAnswer)?,
            headers: answer
                .headers
                .into_iter()
                .map(|header| (header.name, header.value))
                .collect(),
            body: answer.body,
        })
    }
}

impl From<ringtrue::Role> for Role {
    fn from(role: ringtrue::Role) -> Self {
        match role {
            ringtrue::Role::Configuration => Self::Configuration,
            ringtrue::Role::Issue => Self::Issue,
            ringtrue::Role::Store => Self::Store,
            ringtrue::Role::Lookup => Self::Lookup,
            ringtrue::Role::Publish => Self::Publish,
            ringtrue::Role::Retrieve => Self::Retrieve,
        }
    }
}

impl From<ringtrue::HttpRequest> for HttpRequest {
    fn from(request: ringtrue::HttpRequest) -> Self {
        let header = |(name, value)| HttpHeader { name, value };
        Self {
            method: match request.method {
                ringtrue::Method::Get => HttpMethod::Get,
                ringtrue::Method::Post => HttpMethod::Post,
                ringtrue::Method::Put => HttpMethod::Put,
            },
            url: request.url,
            headers: request.headers.into_iter().map(header).collect(),
            body: request.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ringtrue::{Reason, Transport as _};

    use super::{
        HostTransport, HttpHeader, HttpMethod, HttpRequest, HttpResponse, Role, Transport,
        TransportError,
    };

    struct Fake(Result<HttpResponse, TransportError>);

    impl Transport for Fake {
        fn execute(
            &self,
            role: Role,
            request: HttpRequest,
            max_answer_octets: u64,
            time_left_ms: u64,
        ) -> Result<HttpResponse, TransportError> {
            assert_eq!(role, Role::Store);
            assert_eq!(request.method, HttpMethod::Put);
            assert_eq!(request.url, "https://cps.example/12025550143");
            let header = HttpHeader {
                name: "a".to_owned(),
                value: "b".to_owned(),
            };
            assert_eq!(request.headers, [header]);
            assert_eq!(request.body, [1, 2]);
            assert_eq!((max_answer_octets, time_left_ms), (100, 1500));
            self.0.clone()
        }
    }

    fn execute(
        answer: Result<HttpResponse, TransportError>,
    ) -> Result<ringtrue::HttpResponse, Reason> {
        let request = ringtrue::HttpRequest {
            method: ringtrue::Method::Put,
            url: "https://cps.example/12025550143".to_owned(),
            headers: vec![("a".to_owned(), "b".to_owned())],
            body: vec![1, 2],
        };
        HostTransport(Arc::new(Fake(answer))).execute(
            ringtrue::Role::Store,
            request,
            100,
            Duration::from_millis(1500),
        )
    }

    fn answer(status: u32) -> HttpResponse {
        let header = HttpHeader {
            name: "c".to_owned(),
            value: "d".to_owned(),
        };
        HttpResponse {
            status,
            headers: vec![header],
            body: vec![3],
        }
    }

    #[test]
    fn hands_requests_over_and_answers_back() {
        let received = execute(Ok(answer(201))).unwrap();
        assert_eq!(received.status, 201);
        assert_eq!(received.headers, [("c".to_owned(), "d".to_owned())]);
        assert_eq!(received.body, [3]);
    }

    #[test]
    fn refuses_a_status_that_is_none() {
        assert_eq!(
            execute(Ok(answer(65_536))).err(),
            Some(Reason::MalformedAnswer)
        );
    }

    #[test]
    fn every_failure_has_its_reason() {
        for (error, reason) in [
            (TransportError::AddressNotAllowed, Reason::AddressNotAllowed),
            (TransportError::AnswerTooLarge, Reason::AnswerTooLarge),
            (TransportError::DeadlinePassed, Reason::DeadlinePassed),
            (TransportError::Redirected, Reason::Redirected),
            (TransportError::TlsFailed, Reason::TlsFailed),
            (TransportError::Unreachable, Reason::ServiceUnreachable),
        ] {
            assert_eq!(execute(Err(error)).err(), Some(reason));
        }
    }

    #[test]
    fn roles_convert() {
        assert_eq!(
            Role::from(ringtrue::Role::Configuration),
            Role::Configuration
        );
        assert_eq!(Role::from(ringtrue::Role::Issue), Role::Issue);
        assert_eq!(Role::from(ringtrue::Role::Lookup), Role::Lookup);
        assert_eq!(Role::from(ringtrue::Role::Publish), Role::Publish);
        assert_eq!(Role::from(ringtrue::Role::Retrieve), Role::Retrieve);
        assert_eq!(Role::from(ringtrue::Role::Store), Role::Store);
    }

    #[test]
    fn the_text_of_messages_holds_neither_url_nor_content() {
        let request = HttpRequest {
            method: HttpMethod::Get,
            url: "https://cps.example/12025550143".to_owned(),
            headers: vec![HttpHeader {
                name: "a".to_owned(),
                value: "secret".to_owned(),
            }],
            body: vec![1, 2],
        };
        assert_eq!(request.to_string(), "HttpRequest(2 octets)");
        assert_eq!(format!("{:?}", request.headers), "[HttpHeader(a)]");
        assert_eq!(format!("{:?}", answer(200)), "HttpResponse(200, 1 octets)");
    }
}
