//! `ringtrue url check-x5u`.

use ringtrue::{AddressPolicy, Reason};
use ringtrue_stir::X5u;
use ringtrue_stir::verification::Verdict;

use super::args::UrlArguments;
use super::output::decide;
use crate::exit::Exit;

/// Checks the form of a certificate reference, and its address where that is written out (CRT-40,
/// CRT-41). Resolves no name and connects to nothing.
pub(crate) fn check_x5u(arguments: &UrlArguments) -> Exit {
    let (verdict, reason) = judge(&arguments.url);
    decide(arguments.json, verdict, reason.as_slice())
}

fn judge(text: &str) -> (Verdict, Option<Reason>) {
    let url = match X5u::parse(text) {
        Ok(url) => url,
        Err(reason) => return (Verdict::Refuse, Some(reason)),
    };
    let addresses = AddressPolicy::public_only();
    if host(url.as_str()).is_some_and(|host| !may_be_public(host, addresses)) {
        return (Verdict::Refuse, Some(Reason::AddressNotAllowed));
    }
    // Another path than the one that is shown: fetchers normalise it, caches and people do not.
    if has_dot_segments(url.as_str()) {
        return (Verdict::Policy, Some(Reason::MalformedUrl));
    }
    (Verdict::Accept, None)
}

/// The host of a URL whose form was checked.
fn host(url: &str) -> Option<&str> {
    let rest = url.get("https://".len()..)?;
    let authority = rest.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next(),
        None => authority.split(':').next(),
    }
}

/// Whether a host may lead to a public address: names may, until they are resolved.
fn may_be_public(host: &str, addresses: AddressPolicy) -> bool {
    if let Ok(address) = host.parse() {
        return addresses.is_allowed(address);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    // RFC 6761 section 6.3: always this machine.
    let is_local = last.eq_ignore_ascii_case("localhost");
    // A name that ends in a number is an IPv4 address in a spelling that some resolvers read: `127.1`,
    // `2130706433`, `0x7f.1`.
    let ends_in_number = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .or_else(|| last.strip_prefix("0X"))
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    !is_local && !ends_in_number
}

/// Whether the path has a `.` or `..` segment, percent-encoded or not.
fn has_dot_segments(url: &str) -> bool {
    let lower = url.to_ascii_lowercase().replace("%2e", ".");
    let path = lower.splitn(4, '/').nth(3).unwrap_or_default();
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use ringtrue::Reason;
    use ringtrue_stir::verification::Verdict;

    use super::judge;

    #[test]
    fn names_and_public_literals_are_accepted() {
        for url in [
            "https://certs.example/sp.pem",
            "https://certs.example:8443/a.b/c..d/...",
            "https://65.108.80.93/cert.pem",
            "https://[2606:4700::1111]/cert.pem",
            "https://certs.example.",
            "https://1and1.example/x",
        ] {
            assert_eq!(judge(url), (Verdict::Accept, None), "{url}");
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        for url in [
            "https://127.0.0.1/sp.pem",
            "https://127.0.0.1.:443/sp.pem",
            "https://127.1/sp.pem",
            "https://2130706433/sp.pem",
            "https://0x7f000001/sp.pem",
            "https://0177.0.0.1/sp.pem",
            "https://169.254.169.254/latest",
            "https://10.1.2.3:8443/sp.pem",
            "https://192.168.0.1",
            "https://0.0.0.0/",
            "https://[::1]/sp.pem",
            "https://[::ffff:127.0.0.1]/sp.pem",
            "https://[fd00::1]:443/sp.pem",
            "https://[fe80::1]/",
            "https://[::]/",
            "https://localhost/sp.pem",
            "https://certs.LOCALHOST:8443/sp.pem",
        ] {
            let refused = (Verdict::Refuse, Some(Reason::AddressNotAllowed));
            assert_eq!(judge(url), refused, "{url}");
        }
    }

    #[test]
    fn dot_segments_are_left_to_policy() {
        for url in [
            "https://certs.example/a/../sp.pem",
            "https://certs.example/./sp.pem",
            "https://certs.example/a/..",
            "https://certs.example/a/%2e%2E/sp.pem",
            "https://certs.example/a/.%2e/sp.pem",
        ] {
            let policy = (Verdict::Policy, Some(Reason::MalformedUrl));
            assert_eq!(judge(url), policy, "{url}");
        }
    }
}
