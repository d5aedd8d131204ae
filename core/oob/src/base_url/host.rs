//! The authority of a base URL: host and port, read and written.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::HTTPS_PORT;

/// The longest host name, and the longest part of one (RFC 1035 section 2.3.4).
const MAX_NAME_LEN: usize = 253;
const MAX_LABEL_LEN: usize = 63;

/// The host, lower-case and without brackets, and the port; `None` if either is not one.
///
/// An empty port is the default, as in RFC 3986 section 3.2.3. Port 0 is none.
pub(super) fn read_authority(authority: &str) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']')?;
            (written(address.parse().ok()?), port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            (read_name(host)?, port)
        }
    };
    Some((host, read_port(port)?))
}

/// `front`, then the authority: an IPv6 address in brackets, the port only if it is not the default.
pub(super) fn write_authority(front: &str, host: &str, port: u16) -> String {
    let mut text = front.to_owned();
    // No name has a colon.
    if host.contains(':') {
        text.push('[');
        text.push_str(host);
        text.push(']');
    } else {
        text.push_str(host);
    }
    if port != HTTPS_PORT {
        text.push(':');
        text.push_str(&port.to_string());
    }
    text
}

/// A name or an IPv4 address. Whatever ends like a number must be an address of four decimal numbers:
/// other readers take `127.1` and `0x7f000001` for addresses too.
fn read_name(host: &str) -> Option<String> {
    let name = host.to_ascii_lowercase();
    let is_label = |label: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=MAX_LABEL_LEN).contains(&label.len()) && label.bytes().all(plain)
    };
    if name.len() > MAX_NAME_LEN || !name.split('.').all(is_label) {
        return None;
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let decimal = last.bytes().all(|b| b.is_ascii_digit());
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if decimal || hexadecimal {
        name.parse::<Ipv4Addr>().ok()?;
    }
    Some(name)
}

/// The default if nothing is written; from 1 on.
fn read_port(text: &str) -> Option<u16> {
    match text.strip_prefix(':').unwrap_or(text) {
        "" => Some(HTTPS_PORT),
        // A number is preceded by the colon, and by no sign.
        digits if digits.len() == text.len() || digits.starts_with('+') => None,
        digits => digits.parse().ok().filter(|port| *port > 0),
    }
}

/// An address as URLs have it: in hexadecimal groups alone.
fn written(address: Ipv6Addr) -> String {
    match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("::ffff:{high:x}:{low:x}"),
        _ => address.to_string(),
    }
}
