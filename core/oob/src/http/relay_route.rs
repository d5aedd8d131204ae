//! What a request line asks a relay for.
//!
//! A relay forwards to the gateways of its configuration and nowhere else: a client says a name,
//! never a URL (W-30).

use super::Method;
use super::problem::Problem;

/// The longest name of a gateway: that of a host with its port and a short prefix.
pub const MAX_NAME_LEN: usize = 255;

/// A request that a relay answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayRoute<'a> {
    /// `POST /relay/{name}`: carry an encapsulated request to this gateway.
    Forward(&'a str),
    /// `GET /relay/{name}`: this gateway's keys, as the relay gets them.
    Keys(&'a str),
    /// `GET /health`
    Health,
}

impl<'a> RelayRoute<'a> {
    /// Reads a request line, as [`super::route::Route::decode`] does.
    ///
    /// # Errors
    ///
    /// [`Problem::NotFound`] or [`Problem::MethodNotAllowed`].
    pub fn decode(prefix: &str, method: &str, path: &'a str) -> Result<Self, Problem> {
        let rest = path.strip_prefix(prefix).ok_or(Problem::NotFound)?;
        let method = Method::from_name(method);
        if rest == "/health" {
            return match method {
                Some(Method::Get) => Ok(Self::Health),
                _ => Err(Problem::MethodNotAllowed),
            };
        }
        let name = rest
            .strip_prefix("/relay/")
            .filter(|name| is_name(name))
            .ok_or(Problem::NotFound)?;
        match method {
            Some(Method::Get) => Ok(Self::Keys(name)),
            Some(Method::Post) => Ok(Self::Forward(name)),
            _ => Err(Problem::MethodNotAllowed),
        }
    }
}

/// The path of a gateway at a relay below the relay's base URL.
#[must_use]
pub fn relay_path(name: &str) -> String {
    format!("/relay/{name}")
}

/// Whether a relay may know a gateway by this name: 1 to 255 characters that need no escape in a path.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_LEN).contains(&name.len())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-._~:".contains(&octet))
        && name.bytes().any(|octet| octet != b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{RelayRoute, is_name, relay_path};
    use crate::http::problem::Problem;

    #[test]
    fn names_lead_to_gateways() {
        let path = relay_path("cps.example.com:8443");
        assert_eq!(
            RelayRoute::decode("", "POST", &path),
            Ok(RelayRoute::Forward("cps.example.com:8443"))
        );
        assert_eq!(
            RelayRoute::decode("/r", "GET", &format!("/r{path}")),
            Ok(RelayRoute::Keys("cps.example.com:8443"))
        );
        assert_eq!(
            RelayRoute::decode("", "GET", "/health"),
            Ok(RelayRoute::Health)
        );
    }

    #[test]
    fn no_name_can_be_a_url_or_a_path() {
        for path in [
            "/relay",
            "/relay/",
            "/relay/a/b",
            "/relay/..",
            "/relay/.",
            "/relay/https%3A%2F%2Fa",
            "/relay/https://a",
            "/relay/a?b",
            "/relay/a b",
            "/relay/@a",
            "/relay/ä",
            "/gateway",
            "/relays/a",
            "relay/a",
            "",
        ] {
            assert_eq!(
                RelayRoute::decode("", "POST", path),
                Err(Problem::NotFound),
                "{path}"
            );
        }
        assert!(!is_name(&"a".repeat(256)));
        assert!(is_name(&"a".repeat(255)));
    }

    #[test]
    fn other_methods_are_not_allowed() {
        for (method, path) in [
            ("PUT", "/relay/a"),
            ("HEAD", "/relay/a"),
            ("POST", "/health"),
        ] {
            assert_eq!(
                RelayRoute::decode("", method, path),
                Err(Problem::MethodNotAllowed)
            );
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(method in "[A-Z]{0,5}", path in ".{0,40}") {
            let _ = RelayRoute::decode("/p", &method, &path);
            let _ = RelayRoute::decode("", &method, &format!("/relay/{path}"));
        }
    }
}
