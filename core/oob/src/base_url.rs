//! The base URL of a service: the part before `/cps/…` and `/keys/…`.
//!
//! Read here and not by a general parser of URLs: that one repairs what it is given, and brings tables
//! of every script for host names that are never other than ASCII. The tests compare the two.

mod host;
mod path;

#[cfg(test)]
mod tests;

use core::fmt;

use ringtrue_stir::Reason;

/// Longer texts are refused unread. A base URL is a host name (at most 253) and a short prefix, and
/// four of them must fit a key statement.
const MAX_LEN: usize = 512;

/// A reference in an answer may add a path to the prefix.
const MAX_REFERENCE_LEN: usize = 1024;

/// The port that is not written.
const HTTPS_PORT: u16 = 443;

/// The scheme, and what separates it from the authority.
const SCHEME: &str = "https://";

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
pub struct BaseUrl {
    /// The normalised text.
    text: String,
    /// Lower-case, without brackets.
    host: String,
    port: u16,
    /// Where the authority ends in the text.
    authority_end: usize,
}

impl BaseUrl {
    /// Reads and normalises a base URL. `/` at the end makes no difference.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] unless it is an `https` URL of at most 512 ASCII characters with a host
    /// and without credentials, query, fragment, blank, backslash or an escape in the host. A host is a
    /// name of letters, digits, `-` and `_`, an IPv4 address of four decimal numbers or an IPv6 address
    /// in brackets.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let rest = after_scheme(text).filter(|_| text.len() <= MAX_LEN && is_plain(text));
        let rest = rest
            .filter(|rest| !rest.contains(['@', '?', '#']))
            .ok_or(Reason::MalformedUrl)?;
        let (authority, path) = split_authority(rest);
        let (host, port) = host::read_authority(authority).ok_or(Reason::MalformedUrl)?;
        let mut text = host::write_authority(SCHEME, &host, port);
        let authority_end = text.len();
        text.push_str(path::without_dots(path).trim_end_matches('/'));
        Ok(Self {
            text,
            host,
            port,
            authority_end,
        })
    }

    /// The normalised text, `https://host[:port][/prefix]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, lower-case: a name, an IPv4 address or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 443 if none is written.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The authority: lower-case host, IPv6 in brackets, `:port` unless 443 (W-29).
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text
            .get(SCHEME.len()..self.authority_end)
            .unwrap_or_default()
    }

    /// The path prefix, empty or beginning with `/`, never ending with it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.get(self.authority_end..).unwrap_or_default()
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
    /// base, if it has a fragment or characters that no URL has, or if it or the URL is longer than 1024
    /// octets.
    pub fn resolve(&self, reference: &str) -> Result<String, Reason> {
        self.resolved(reference).ok_or(Reason::MalformedAnswer)
    }

    fn resolved(&self, reference: &str) -> Option<String> {
        let fits = !reference.is_empty() && reference.len() <= MAX_REFERENCE_LEN;
        if !fits || !is_plain(reference) || reference.contains('#') {
            return None;
        }
        let absolute = after_scheme(reference).or_else(|| reference.strip_prefix("//"));
        let (path, query) = match absolute {
            Some(rest) => {
                let (authority, rest) = split_authority(rest);
                let named = host::read_authority(authority)?;
                if (named.0.as_str(), named.1) != (self.host.as_str(), self.port) {
                    return None;
                }
                split_query(rest)
            }
            None => split_query(reference),
        };
        let path = if path.starts_with('/') {
            path::without_dots(path)
        } else if absolute.is_some() {
            "/".to_owned()
        } else if path.split('/').next().is_some_and(|s| s.contains(':')) {
            // Another scheme.
            return None;
        } else {
            path::without_dots(&format!("{}/{path}", self.prefix()))
        };
        let below = path.strip_prefix(self.prefix())?.starts_with('/');
        let url = format!("{SCHEME}{}{path}{query}", self.authority());
        // As long as a reference at most, so that an URL of ours is a reference that is taken again.
        (below && url.len() <= MAX_REFERENCE_LEN).then_some(url)
    }
}

/// Whether there are only characters that URLs are written with: a general parser would repair some
/// of the others silently, and two readers might then differ.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b))
}

/// What follows `https://`, in any case of the letters.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

/// The authority, and what follows from its `/` or `?` on.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))
}

/// The path, and the query with its `?`.
fn split_query(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find('?').unwrap_or(rest.len()))
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
