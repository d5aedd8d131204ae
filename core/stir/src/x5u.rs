//! References to certificates: the `x5u` header.
//!
//! Syntax only. Which addresses may be connected to is the business of whoever fetches.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Reach, Reason};

/// The longest `x5u` that is read (PPT-22).
pub const MAX_X5U_LEN: usize = 2048;

/// An https URL in the form a certificate reference must have.
///
/// https, a host, port 443 or 8443, no user information, query or fragment (CRT-40).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct X5u(String);

impl X5u {
    /// Checks and keeps a reference; changes nothing.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] for any other form, including one longer than [`MAX_X5U_LEN`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        Self::parse_on(text, |port| matches!(port, "" | ":443" | ":8443"))
    }

    /// As [`X5u::parse`], on any port: for laboratories and tests, whose hosts stand where there is
    /// room.
    ///
    /// # Errors
    ///
    /// As [`X5u::parse`]; a port is 1 to 65535 without leading zeros.
    pub fn parse_with_any_port(text: &str) -> Result<Self, Reason> {
        Self::parse_on(text, |port| {
            port.is_empty()
                || port.strip_prefix(':').is_some_and(|digits| {
                    digits.starts_with(|first: char| matches!(first, '1'..='9'))
                        && digits.parse::<u16>().is_ok()
                })
        })
    }

    fn parse_on(text: &str, is_port: fn(&str) -> bool) -> Result<Self, Reason> {
        let well_formed = is_https(text)
            && split(text)
                .is_some_and(|(authority, path)| is_authority(authority, is_port) && is_path(path));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Reason::MalformedUrl)
        }
    }

    /// The URL as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path has a segment `.` or `..`, escaped or not. It says the same as another URL
    /// without one, so whether it is fetched is policy.
    #[must_use]
    pub fn has_dot_segments(&self) -> bool {
        let (_, path) = split(&self.0).unwrap_or_default();
        path.split('/').any(|segment| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(plain.as_str(), "." | "..")
        })
    }

    /// Requires a host that is an address to be a public one. A name is not resolved here: whoever
    /// connects checks the addresses it leads to.
    ///
    /// # Errors
    ///
    /// [`Reason::AddressNotAllowed`] for the literal of any other address, and for `localhost`, which
    /// means this machine by its definition (RFC 6761 section 6.3).
    pub fn require_public_literal(&self) -> Result<(), Reason> {
        let (authority, _) = split(&self.0).unwrap_or_default();
        let is_public = match authority.strip_prefix('[') {
            Some(rest) => rest
                .split_once(']')
                .and_then(|(literal, _)| literal.parse::<Ipv6Addr>().ok())
                .is_some_and(|address| Reach::of(IpAddr::V6(address)) == Reach::Public),
            None => {
                let host = authority.split(':').next().unwrap_or_default();
                let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
                match host.parse::<Ipv4Addr>() {
                    Ok(address) => Reach::of(IpAddr::V4(address)) == Reach::Public,
                    Err(_) => host != "localhost" && !host.ends_with(".localhost"),
                }
            }
        };
        if is_public {
            Ok(())
        } else {
            Err(Reason::AddressNotAllowed)
        }
    }
}

/// Authority and path of an https URL, without the slash between them.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.get(8..)?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

impl fmt::Debug for X5u {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("X5u(..)")
    }
}

/// What a token's `x5u` must be at least: an https URL of visible ASCII, not too long. Whether it may
/// be fetched is a later question, and with certificates at hand it is not asked (W-1).
pub(crate) fn is_https(text: &str) -> bool {
    let scheme = text
        .get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    scheme && (9..=MAX_X5U_LEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_authority(authority: &str, is_port: fn(&str) -> bool) -> bool {
    // An IPv6 literal has colons of its own.
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                if address.parse::<Ipv6Addr>().is_err() {
                    return false;
                }
                ("literal", port)
            }
            None => return false,
        },
        None => match authority.find(':') {
            Some(colon) => authority.split_at(colon),
            None => (authority, ""),
        },
    };
    let host_is_good = !host.is_empty()
        && !is_ambiguous_address(host)
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    host_is_good && is_port(port)
}

/// Whether readers disagree on what this host is: one whose last label is a number is an IPv4 address to
/// some, in forms like `127.1` or `0x7f000001`, so only the dotted quad is taken.
fn is_ambiguous_address(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host);
    let last = last.rsplit('.').next().unwrap_or_default();
    let hex = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_number = hex || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()));
    is_number && host.parse::<Ipv4Addr>().is_err()
}

/// Escapes have two hexadecimal digits: readers that mend others would fetch something else.
fn is_path(path: &str) -> bool {
    let is_escape = |after: &str| {
        let digits = after.get(..2).unwrap_or_default();
        digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    path.bytes().all(is_path_octet) && path.split('%').skip(1).all(is_escape)
}

/// RFC 3986 `pchar` and `/`; user information, query and fragment delimiters are not among them.
const fn is_path_octet(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'/' | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_X5U_LEN, X5u};
    use crate::Reason;

    #[test]
    fn accepts_https_on_the_two_ports() {
        for text in [
            "https://certs.example/sp.pem",
            "https://certs.example:443/sp.pem",
            "https://certs.example:8443/a/b%20c.pem",
            "HTTPS://certs.example",
            "https://[2001:db8::1]:8443/sp.pem",
            "https://certs.example/a/../sp.pem",
        ] {
            assert_eq!(
                X5u::parse(text).map(|url| url.as_str().to_owned()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn refuses_every_other_form() {
        let long = format!("https://certs.example/{}", "a".repeat(MAX_X5U_LEN));
        for text in [
            "",
            "https://",
            "https:///sp.pem",
            "http://certs.example/sp.pem",
            "file:///etc/passwd",
            "//certs.example/sp.pem",
            "https://user:pw@certs.example/sp.pem",
            "https://user@certs.example/sp.pem",
            "https://certs.example:80/sp.pem",
            "https://certs.example:08443/sp.pem",
            "https://certs.example:/sp.pem",
            "https://certs.example/sp.pem?x=1",
            "https://certs.example/sp.pem#x",
            "https://certs.example?x=1",
            "https://certs.example\\@evil.example/",
            "https://certs.example/sp.pem https://evil.example",
            "https://certs.example/sp.pem\n",
            "https://[::1/sp.pem",
            "https://[zz]/sp.pem",
            "https://[::1]x/sp.pem",
            "https://certs.example/sp%2",
            "https://certs.example/sp%zz.pem",
            "https://certs.example/sp%%20.pem",
            "https://cérts.example/",
            "https://é",
            &long,
        ] {
            assert_eq!(X5u::parse(text), Err(Reason::MalformedUrl), "{text}");
        }
    }

    #[test]
    fn a_laboratory_s_form_differs_in_the_port_alone() {
        for text in [
            "https://localhost:45678/sp.pem",
            "https://127.0.0.1:1/sp.pem",
            "https://[::1]:65535/sp.pem",
        ] {
            assert_eq!(X5u::parse(text), Err(Reason::MalformedUrl), "{text}");
            assert!(X5u::parse_with_any_port(text).is_ok(), "{text}");
        }
        for text in [
            "http://localhost:45678/sp.pem",
            "https://localhost:0/sp.pem",
            "https://localhost:080/sp.pem",
            "https://localhost:65536/sp.pem",
            "https://localhost:/sp.pem",
            "https://localhost:+80/sp.pem",
            "https://user@localhost:45678/sp.pem",
            "https://localhost:45678/sp.pem?x=1",
        ] {
            let found = X5u::parse_with_any_port(text);
            assert_eq!(found, Err(Reason::MalformedUrl), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in "(https://)?.{0,40}") {
            let _ = X5u::parse(&text);
        }
    }
}
