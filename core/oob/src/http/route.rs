//! What a request line asks a service for.
//!
//! The service reads the line first, so that it knows how long a body may be before it reads one.

use ringtrue_stir::{TelephoneNumber, base64url};

use super::problem::Problem;
use super::{Method, directory, number_segment, placement};
use crate::ohttp::messages;
use crate::token::issuance;

/// A longer path is nothing of ours; bounds the work. A number may hold separators, percent-encoded.
const MAX_PATH_LEN: usize = 512;

/// The random name of a stored blob: 128 bits that say nothing about the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId([u8; 16]);

impl ItemId {
    /// Takes 16 octets, fresh from a secure generator or derived from a secret.
    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The 16 octets.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 16] {
        &self.0
    }

    /// The name in a path: 22 characters of base64url.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64url::encode(&self.0)
    }

    /// Reads the name in a path; `None` for anything that this service never wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() != 22 {
            return None;
        }
        base64url::decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// A request that a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// `POST /gateway`
    Gateway,
    /// `GET /ohttp-keys`
    GatewayKeys,
    /// `GET /health`
    Health,
    /// `GET /.well-known/private-token-issuer-directory`
    IssuerDirectory,
    /// `GET /cps/{number}/ppts/{id}`
    Item {
        /// Whose mailbox.
        number: TelephoneNumber,
        /// Which blob.
        id: ItemId,
    },
    /// `GET /keys/{number}`
    Lookup {
        /// Whose statements.
        number: TelephoneNumber,
    },
    /// `PUT /keys/{number}`
    Publish {
        /// Whose statement.
        number: TelephoneNumber,
    },
    /// `GET /cps/{number}/ppts`
    Retrieve {
        /// Whose mailbox.
        number: TelephoneNumber,
    },
    /// `POST /cps/{number}/ppts`
    Store {
        /// Whose mailbox.
        number: TelephoneNumber,
    },
    /// `POST /token-request`
    TokenRequest,
}

impl Route {
    /// Reads a request line. `prefix` is the path of the service's base URL (empty or `/…` without `/` at
    /// the end); `path` is the request's path as received, percent-encoded, without a query.
    ///
    /// # Errors
    ///
    /// [`Problem::NotFound`], [`Problem::MethodNotAllowed`] or [`Problem::MalformedNumber`]. For the
    /// second, [`Route::allowed`] says what is allowed.
    ///
    /// Source: docs/protocol.md sections 8 and 9 (W-23).
    pub fn decode(prefix: &str, method: &str, path: &str) -> Result<Self, Problem> {
        let resource = Resource::decode(prefix, path)?;
        let method = Method::from_name(method).ok_or(Problem::MethodNotAllowed)?;
        let number = |segment: &str| {
            percent_decoded(segment)
                .and_then(|text| TelephoneNumber::from_path(&text).ok())
                .ok_or(Problem::MalformedNumber)
        };
        match (method, resource) {
            (Method::Get, Resource::Health) => Ok(Self::Health),
            (Method::Get, Resource::GatewayKeys) => Ok(Self::GatewayKeys),
            (Method::Post, Resource::Gateway) => Ok(Self::Gateway),
            (Method::Get, Resource::IssuerDirectory) => Ok(Self::IssuerDirectory),
            (Method::Post, Resource::TokenRequest) => Ok(Self::TokenRequest),
            (Method::Get, Resource::Collection(segment)) => Ok(Self::Retrieve {
                number: number(segment)?,
            }),
            (Method::Post, Resource::Collection(segment)) => Ok(Self::Store {
                number: number(segment)?,
            }),
            (Method::Get, Resource::Item(segment, id)) => Ok(Self::Item {
                number: number(segment)?,
                id: ItemId::from_text(id).ok_or(Problem::NotFound)?,
            }),
            (Method::Get, Resource::Keys(segment)) => Ok(Self::Lookup {
                number: number(segment)?,
            }),
            (Method::Put, Resource::Keys(segment)) => Ok(Self::Publish {
                number: number(segment)?,
            }),
            _ => Err(Problem::MethodNotAllowed),
        }
    }

    /// The methods of a path, as the header `Allow` lists them; `None` if there is no such path.
    #[must_use]
    pub fn allowed(prefix: &str, path: &str) -> Option<&'static str> {
        match Resource::decode(prefix, path).ok()? {
            Resource::Health
            | Resource::IssuerDirectory
            | Resource::Item(..)
            | Resource::GatewayKeys => Some("GET"),
            Resource::Gateway | Resource::TokenRequest => Some("POST"),
            Resource::Collection(_) => Some("GET, POST"),
            Resource::Keys(_) => Some("GET, PUT"),
        }
    }

    /// The most octets of body that this request may have.
    #[must_use]
    pub const fn max_body_len(&self) -> usize {
        match self {
            Self::Gateway => messages::MAX_REQUEST_LEN,
            Self::Store { .. } => placement::MAX_STORE_LEN,
            Self::Publish { .. } => directory::MAX_PUBLISH_LEN,
            Self::TokenRequest => issuance::REQUEST_LEN,
            _ => 0,
        }
    }
}

/// A path, before the number is read.
enum Resource<'a> {
    Health,
    Gateway,
    GatewayKeys,
    IssuerDirectory,
    TokenRequest,
    Collection(&'a str),
    Item(&'a str, &'a str),
    Keys(&'a str),
}

impl<'a> Resource<'a> {
    fn decode(prefix: &str, path: &'a str) -> Result<Self, Problem> {
        if path.len() > MAX_PATH_LEN {
            return Err(Problem::NotFound);
        }
        let rest = path.strip_prefix(prefix).ok_or(Problem::NotFound)?;
        let mut segments = rest.split('/');
        let found = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        );
        match found {
            (Some(""), Some("health"), None, ..) => Ok(Self::Health),
            (Some(""), Some("gateway"), None, ..) => Ok(Self::Gateway),
            (Some(""), Some("ohttp-keys"), None, ..) => Ok(Self::GatewayKeys),
            (Some(""), Some("token-request"), None, ..) => Ok(Self::TokenRequest),
            (Some(""), Some(".well-known"), Some("private-token-issuer-directory"), None, ..) => {
                Ok(Self::IssuerDirectory)
            }
            (Some(""), Some("cps"), Some(number), Some("ppts"), None, _) => {
                Ok(Self::Collection(number))
            }
            (Some(""), Some("cps"), Some(number), Some("ppts"), Some(id), None) => {
                Ok(Self::Item(number, id))
            }
            (Some(""), Some("keys"), Some(number), None, ..) => Ok(Self::Keys(number)),
            _ => Err(Problem::NotFound),
        }
    }
}

/// The path of a mailbox below the base URL.
pub(super) fn collection_path(number: &TelephoneNumber) -> String {
    format!("/cps/{}/ppts", number_segment(number))
}

/// The path of a number's statements below the base URL.
pub(super) fn keys_path(number: &TelephoneNumber) -> String {
    format!("/keys/{}", number_segment(number))
}

/// Percent-decodes one segment; `None` if it is not ASCII or a sign does not begin two hex digits.
fn percent_decoded(segment: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = segment.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            decoded.push(c);
            continue;
        }
        let high = rest.next()?.to_digit(16)?;
        let low = rest.next()?.to_digit(16)?;
        decoded.push(char::from_u32((high << 4) | low).filter(char::is_ascii)?);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_stir::TelephoneNumber;

    use super::{ItemId, Route, collection_path};
    use crate::http::problem::Problem;

    fn number(text: &str) -> TelephoneNumber {
        TelephoneNumber::from_canonical(text).unwrap()
    }

    #[test]
    fn every_request_of_the_profile_is_found() {
        let n = number("12025550143");
        let id = ItemId::from_octets([7; 16]);
        let item = format!("/cps/12025550143/ppts/{}", id.to_text());
        for (method, path, route) in [
            ("GET", "/health", Route::Health),
            ("POST", "/gateway", Route::Gateway),
            ("GET", "/ohttp-keys", Route::GatewayKeys),
            (
                "GET",
                "/.well-known/private-token-issuer-directory",
                Route::IssuerDirectory,
            ),
            ("POST", "/token-request", Route::TokenRequest),
            (
                "GET",
                "/cps/12025550143/ppts",
                Route::Retrieve { number: n.clone() },
            ),
            (
                "POST",
                "/cps/12025550143/ppts",
                Route::Store { number: n.clone() },
            ),
            (
                "GET",
                item.as_str(),
                Route::Item {
                    number: n.clone(),
                    id,
                },
            ),
            (
                "GET",
                "/keys/12025550143",
                Route::Lookup { number: n.clone() },
            ),
            (
                "PUT",
                "/keys/12025550143",
                Route::Publish { number: n.clone() },
            ),
        ] {
            assert_eq!(Route::decode("", method, path), Ok(route.clone()));
            assert_eq!(
                Route::decode("/p/q", method, &format!("/p/q{path}")),
                Ok(route)
            );
        }
    }

    #[test]
    fn the_number_may_be_written_with_plus_dots_and_dashes() {
        for written in [
            "+12025550143",
            "%2B12025550143",
            "%2b1-202-555-0143",
            "1.202.555.0143",
            "%31%32025550143",
        ] {
            assert_eq!(
                Route::decode("", "GET", &format!("/keys/{written}")),
                Ok(Route::Lookup {
                    number: number("12025550143")
                }),
                "{written}"
            );
        }
        assert_eq!(
            Route::decode("", "GET", "/keys/*31%23"),
            Ok(Route::Lookup {
                number: number("*31#")
            })
        );
    }

    #[test]
    fn other_numbers_are_malformed() {
        for written in [
            "",
            "+",
            "++1",
            "1%20202",
            "1 202",
            "alice",
            "1234567890123456",
            "%",
            "%2",
            "%zz",
            "%80",
            "1%2F2",
            "1%252B",
            "(202)",
            "١٢",
        ] {
            assert_eq!(
                Route::decode("", "GET", &format!("/keys/{written}")),
                Err(Problem::MalformedNumber),
                "{written}"
            );
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        let long = format!("/keys/{}", "-".repeat(600));
        for path in [
            "",
            "/",
            "health",
            "/health/",
            "//health",
            "/Health",
            "/cps",
            "/cps/1",
            "/cps/1/",
            "/cps/1/ppts/",
            "/cps/1/ppts/x",
            "/cps/1/ppts/AAAAAAAAAAAAAAAAAAAAAB",
            "/cps/1/ppts/AAAAAAAAAAAAAAAAAAAAAA/",
            "/cps/1/pptss",
            "/keys",
            "/keys/1/",
            "/keys/1/2",
            "/token-request/",
            "/.well-known",
            "/.well-known/private-token-issuer-directory/",
            "/metrics",
            long.as_str(),
        ] {
            assert_eq!(
                Route::decode("", "GET", path),
                Err(Problem::NotFound),
                "{path}"
            );
        }
        for path in ["/health", "/x/health", "/pq/health", "/p/p/health"] {
            assert_eq!(
                Route::decode("/p", "GET", path),
                Err(Problem::NotFound),
                "{path}"
            );
        }
    }

    #[test]
    fn other_methods_are_not_allowed_and_the_allowed_ones_named() {
        let id = ItemId::from_octets([7; 16]).to_text();
        let item = format!("/cps/1/ppts/{id}");
        for (method, path, allow) in [
            ("POST", "/health", "GET"),
            ("HEAD", "/health", "GET"),
            ("GET", "/gateway", "POST"),
            ("POST", "/ohttp-keys", "GET"),
            ("PUT", "/cps/1/ppts", "GET, POST"),
            ("DELETE", item.as_str(), "GET"),
            ("POST", "/keys/1", "GET, PUT"),
            ("GET", "/token-request", "POST"),
            ("POST", "/.well-known/private-token-issuer-directory", "GET"),
            ("get", "/keys/1", "GET, PUT"),
        ] {
            assert_eq!(
                Route::decode("", method, path),
                Err(Problem::MethodNotAllowed)
            );
            assert_eq!(Route::allowed("", path), Some(allow));
        }
        assert_eq!(Route::allowed("", "/x"), None);
    }

    #[test]
    fn only_stores_and_publications_have_bodies() {
        let limit = |method, path| Route::decode("", method, path).unwrap().max_body_len();
        assert_eq!(limit("POST", "/cps/1/ppts"), 184_320);
        assert_eq!(limit("PUT", "/keys/1"), 16_385);
        assert_eq!(limit("POST", "/token-request"), 259);
        assert_eq!(limit("GET", "/keys/1"), 0);
    }

    proptest! {
        #[test]
        fn paths_of_numbers_lead_back(written in "[0-9*#]{1,15}") {
            let n = number(&written);
            prop_assert_eq!(
                Route::decode("", "GET", &collection_path(&n)),
                Ok(Route::Retrieve { number: n })
            );
        }

        #[test]
        fn decoding_never_panics(method in "[A-Z]{0,5}", path in ".{0,60}", like in "/(cps|keys)/[%0-9a-f+.-]{0,20}(/ppts)?(/.{0,24})?") {
            let _ = Route::decode("", &method, &path);
            let _ = Route::decode("/p", "GET", &path);
            let _ = Route::decode("", "GET", &like);
        }

        #[test]
        fn item_names_lead_back(octets in any::<[u8; 16]>()) {
            let id = ItemId::from_octets(octets);
            prop_assert_eq!(ItemId::from_text(&id.to_text()), Some(id));
        }
    }
}
