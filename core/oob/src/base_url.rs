//! The base URL of a service: the part before `/cps/…` and `/keys/…`.

use core::fmt;

use ringtrue_stir::Reason;
use url::{Host, Position, Url};

/// Longer texts are refused unread. A base URL is a host name (at most 253) and a short prefix, and
/// four of them must fit a key statement.
const MAX_LEN: usize = 512;

/// A reference in an answer may add a path to the prefix.
const MAX_REFERENCE_LEN: usize = 1024;

/// An `https` base URL in normalised form: lower-case host, no default port, no `/` at the end, no
/// credentials, query or fragment.
///
/// Two base URLs are the same service exactly if they are equal. Whether the address may be connected
/// to is decided by the network layer when it has resolved it (W-5, W-36).
///
/// [`fmt::Debug`] shows it: a base URL names a service, not a person.
///
/// Source: docs/protocol.md section 3.5 (W-3, W-29).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads and normalises a base URL. `/` at the end makes no difference.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] unless it is an `https` URL of at most 512 ASCII characters with a host
    /// and without credentials, query, fragment, blank, backslash or an escape in the host.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        // The parser would repair some of these silently; two readers might then differ.
        let plain = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_graphic() && !b"@?#\\\"<>^`{|}".contains(&b))
        };
        let scheme_ok = text
            .get(..8)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        if text.len() > MAX_LEN || !scheme_ok || !plain(text) {
            return Err(Reason::MalformedUrl);
        }
        // `https:///host` would be repaired as well, and an escape in the host be taken for what it stands
        // for.
        let authority = text.get(8..).and_then(|rest| rest.split('/').next());
        if authority.is_none_or(|authority| authority.is_empty() || authority.contains('%')) {
            return Err(Reason::MalformedUrl);
        }
        let mut url = Url::parse(text).map_err(|_| Reason::MalformedUrl)?;
        if url.port() == Some(0) || url.host().is_none() {
            return Err(Reason::MalformedUrl);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The normalised text, `https://host[:port][/prefix]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.0.as_str();
        text.strip_suffix('/').unwrap_or(text)
    }

    /// The host, lower-case: a name, an IPv4 address or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// The port, 443 if none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port().unwrap_or(443)
    }

    /// The authority: lower-case host, IPv6 in brackets, `:port` unless 443 (W-29).
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.0[Position::BeforeHost..Position::AfterPort]
    }

    /// The path prefix, empty or beginning with `/`, never ending with it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        let path = self.0.path();
        path.strip_suffix('/').unwrap_or(path)
    }

    /// The URL of a path below the base. `path` begins with `/` and is percent-encoded already.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// The URL that a reference in this service's answer stands for (RFC 3986; W-4).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedAnswer`] if it leads to another scheme, host or port or below no part of this
    /// base, or if it or the URL is longer than 1024 octets.
    pub fn resolve(&self, reference: &str) -> Result<String, Reason> {
        let plain = reference
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'\\');
        if reference.is_empty() || reference.len() > MAX_REFERENCE_LEN || !plain {
            return Err(Reason::MalformedAnswer);
        }
        let mut base = self.0.clone();
        base.set_path(&format!("{}/", self.prefix()));
        let url = base.join(reference).map_err(|_| Reason::MalformedAnswer)?;
        let below = url
            .path()
            .strip_prefix(self.prefix())
            .is_some_and(|rest| rest.starts_with('/'));
        let same = url.origin() == self.0.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        // As long as a reference at most, so that an URL of ours is a reference that is taken again.
        if below && same && url.as_str().len() <= MAX_REFERENCE_LEN {
            Ok(url.into())
        } else {
            Err(Reason::MalformedAnswer)
        }
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.as_str())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for BaseUrl {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_stir::Reason;

    use super::BaseUrl;

    #[test]
    fn normalises_case_default_port_slash_and_dot_segments() {
        for (text, normal, authority) in [
            (
                "https://cps.example.com",
                "https://cps.example.com",
                "cps.example.com",
            ),
            (
                "HTTPS://CPS.Example.COM:443/",
                "https://cps.example.com",
                "cps.example.com",
            ),
            (
                "https://cps.example.com:8443/a/b/",
                "https://cps.example.com:8443/a/b",
                "cps.example.com:8443",
            ),
            (
                "https://cps.example.com/a///",
                "https://cps.example.com/a",
                "cps.example.com",
            ),
            (
                "https://cps.example.com//",
                "https://cps.example.com",
                "cps.example.com",
            ),
            (
                "https://cps.example.com/a/../b",
                "https://cps.example.com/b",
                "cps.example.com",
            ),
            (
                "https://127.0.0.1:8443",
                "https://127.0.0.1:8443",
                "127.0.0.1:8443",
            ),
            (
                "https://[2001:DB8::1]/x",
                "https://[2001:db8::1]/x",
                "[2001:db8::1]",
            ),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), normal);
            assert_eq!(url.authority(), authority);
            assert_eq!(BaseUrl::parse(url.as_str()), Ok(url.clone()));
            assert_eq!(url.join("/health"), format!("{normal}/health"));
        }
    }

    #[test]
    fn parts_are_those_of_the_url() {
        let url = BaseUrl::parse("https://[::1]:8443/p").unwrap();
        assert_eq!(
            (url.host().as_str(), url.port(), url.prefix()),
            ("::1", 8443, "/p")
        );
        let url = BaseUrl::parse("https://Example.com/").unwrap();
        assert_eq!(
            (url.host().as_str(), url.port(), url.prefix()),
            ("example.com", 443, "")
        );
    }

    #[test]
    fn refuses_everything_that_is_no_plain_https_base() {
        for text in [
            "",
            "cps.example.com",
            "//cps.example.com",
            "http://cps.example.com",
            "https:cps.example.com",
            "https:/cps.example.com",
            "https://",
            "https:///cps.example.com",
            "https://user@cps.example.com",
            "https://user:secret@cps.example.com",
            "https://@cps.example.com",
            "https://cps.example.com?",
            "https://cps.example.com?a=b",
            "https://cps.example.com#",
            "https://cps.example.com/#x",
            "https://cps.example.com/a b",
            " https://cps.example.com",
            "https://cps.example.com\n",
            "https://cps.exa\tmple.com",
            "https:\\\\cps.example.com",
            "https://cps.example.com\\@evil.example",
            "https://cps%2Eexample.com",
            "https://cps.example%22.com/a",
            "https://cps.example.com:0",
            "https://cps.example.com:65536",
            "https://cps.example.com:x",
            "https://[::1",
            "https://ex\u{e4}mple.com",
            "ftp://cps.example.com",
            "data:text/plain,x",
        ] {
            assert_eq!(BaseUrl::parse(text), Err(Reason::MalformedUrl), "{text:?}");
        }
        let long = format!("https://cps.example.com/{}", "a".repeat(500));
        assert_eq!(BaseUrl::parse(&long), Err(Reason::MalformedUrl));
    }

    #[test]
    fn references_stay_with_the_service() {
        let url = BaseUrl::parse("https://cps.example.com:8443/p").unwrap();
        for (reference, resolved) in [
            (
                "/p/cps/123/ppts/x",
                "https://cps.example.com:8443/p/cps/123/ppts/x",
            ),
            (
                "cps/123/ppts/x",
                "https://cps.example.com:8443/p/cps/123/ppts/x",
            ),
            (
                "https://cps.example.com:8443/p/y",
                "https://cps.example.com:8443/p/y",
            ),
        ] {
            assert_eq!(url.resolve(reference).as_deref(), Ok(resolved));
        }
        for reference in [
            "",
            "//evil.example/p/x",
            "https://evil.example/p/x",
            "https://cps.example.com/p/x",
            "http://cps.example.com:8443/p/x",
            "https://u@cps.example.com:8443/p/x",
            "/other/x",
            "/prefix/x",
            "/p/../x",
            "/p/%2e%2e/x",
            "\\\\evil.example\\p",
            "/p/x y",
            "/p/x#y",
            "data:text/plain,x",
        ] {
            assert_eq!(
                url.resolve(reference),
                Err(Reason::MalformedAnswer),
                "{reference:?}"
            );
        }
        assert_eq!(
            url.resolve(&"/p/x".repeat(300)),
            Err(Reason::MalformedAnswer)
        );
    }

    #[test]
    fn a_reference_whose_url_is_too_long_to_be_a_reference_is_refused() {
        let url = BaseUrl::parse("https://cps.example.com/p").unwrap();
        let room = 1024 - url.as_str().len();
        let longest = format!("/p/{}", "a".repeat(room - 1));
        let resolved = url.resolve(&longest).unwrap();
        assert_eq!(url.resolve(&resolved), Ok(resolved.clone()));
        for reference in [
            format!("{longest}a"),
            format!("/p/{}", "a".repeat(1000)),
            // Within the limit as it stands, over it once it is escaped.
            format!("/p/{}", "<".repeat(400)),
        ] {
            assert_eq!(
                url.resolve(&reference),
                Err(Reason::MalformedAnswer),
                "{} octets",
                reference.len()
            );
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_is_idempotent(text in "(https://)?[!-~]{0,60}", reference in ".{0,60}") {
            if let Ok(url) = BaseUrl::parse(&text) {
                prop_assert!(url.as_str().starts_with("https://"));
                prop_assert!(!url.as_str().ends_with('/'));
                prop_assert_eq!(BaseUrl::parse(url.as_str()), Ok(url.clone()));
                if let Ok(resolved) = url.resolve(&reference) {
                    prop_assert!(resolved.starts_with(url.as_str()));
                    prop_assert_eq!(url.resolve(&resolved), Ok(resolved));
                }
            }
        }
    }
}
