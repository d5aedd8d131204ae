//! `ringtrue url check-x5u`.

use ringtrue::Reason;
use ringtrue_stir::X5u;
use ringtrue_stir::verification::Verdict;

use super::args::UrlArguments;
use super::output::decide;
use crate::exit::{Exit, Failure};

/// Checks the form of a certificate reference, and its address where that is written out (CRT-40,
/// CRT-41). Resolves no name and connects to nothing.
pub(crate) fn check_x5u(arguments: &UrlArguments) -> Result<Exit, Failure> {
    let (verdict, reason) = judge(&arguments.url);
    decide(arguments.json, verdict, reason.as_slice())
}

fn judge(text: &str) -> (Verdict, Option<Reason>) {
    let checked = X5u::parse(text).and_then(|url| {
        url.require_public_literal()?;
        Ok(url.has_dot_segments())
    });
    match checked {
        Ok(false) => (Verdict::Accept, None),
        // Another path than the one that is shown: fetchers shorten it, caches and people do not.
        Ok(true) => (Verdict::Policy, Some(Reason::MalformedUrl)),
        Err(reason) => (Verdict::Refuse, Some(reason)),
    }
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
    fn addresses_that_are_not_public_are_refused() {
        for url in [
            "https://127.0.0.1/sp.pem",
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
    fn addresses_in_spellings_that_readers_disagree_on_are_refused() {
        for url in [
            "https://127.0.0.1.:443/sp.pem",
            "https://127.1/sp.pem",
            "https://2130706433/sp.pem",
            "https://0x7f000001/sp.pem",
            "https://0177.0.0.1/sp.pem",
        ] {
            let refused = (Verdict::Refuse, Some(Reason::MalformedUrl));
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
