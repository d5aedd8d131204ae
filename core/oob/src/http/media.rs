//! Media types and their negotiation.

use crate::http::HttpResponse;
use ringtrue_stir::Reason;

/// Blobs, one per line.
pub const PASSPORT: &str = "application/passport";
/// References and directory answers.
pub const JSON: &str = "application/json";
/// One key statement.
pub const JOSE: &str = "application/jose";
/// Errors (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";
/// A gateway's key configurations (RFC 9458).
pub const OHTTP_KEYS: &str = "application/ohttp-keys";
/// An encapsulated request (RFC 9458).
pub const OHTTP_REQUEST: &str = "message/ohttp-req";
/// An encapsulated answer (RFC 9458).
pub const OHTTP_RESPONSE: &str = "message/ohttp-res";

/// More entries of an `Accept` header than these are not looked at. Ours has one.
const MAX_ACCEPT_ENTRIES: usize = 16;

/// Whether a `Content-Type` names `wanted`. Parameters are ignored, as is case (W-21).
#[must_use]
pub fn is(content_type: Option<&str>, wanted: &str) -> bool {
    content_type.is_some_and(|value| essence(value).eq_ignore_ascii_case(wanted))
}

/// The first of `supported` that an `Accept` header names, in the header's order. Weights and
/// parameters are ignored; `*/*`, `type/*` and a missing or empty header stand for the first of
/// `supported` that they match. `None`: not acceptable (W-21).
#[must_use]
pub fn negotiate<'a>(accept: Option<&str>, supported: &[&'a str]) -> Option<&'a str> {
    let accept = accept.map(str::trim).filter(|accept| !accept.is_empty());
    let Some(accept) = accept else {
        return supported.first().copied();
    };
    accept
        .split(',')
        .take(MAX_ACCEPT_ENTRIES)
        .find_map(|entry| {
            let entry = essence(entry);
            supported.iter().copied().find(|media| {
                let major = media.split('/').next().unwrap_or_default();
                entry == "*/*"
                    || entry.eq_ignore_ascii_case(media)
                    || entry
                        .strip_suffix("/*")
                        .is_some_and(|entry| entry.eq_ignore_ascii_case(major))
            })
        })
}

/// The type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Refuses an answer of another type than `wanted`: a captive portal's HTML, for one.
pub(crate) fn expect(answer: &HttpResponse, wanted: &str) -> Result<(), Reason> {
    if is(answer.header("content-type"), wanted) {
        Ok(())
    } else {
        Err(Reason::UnsupportedMediaType)
    }
}

#[cfg(test)]
mod tests {
    use super::{JSON, PASSPORT, is, negotiate};

    #[test]
    fn parameters_and_case_do_not_matter_in_a_type() {
        for value in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            " application/json ;x=y",
        ] {
            assert!(is(Some(value), JSON), "{value}");
        }
        for value in ["", "text/html", "application/json2", "application", "json"] {
            assert!(!is(Some(value), JSON), "{value}");
        }
        assert!(!is(None, JSON));
    }

    #[test]
    fn the_first_supported_type_named_wins_and_weights_are_ignored() {
        let both = [JSON, PASSPORT];
        for (accept, chosen) in [
            (None, Some(JSON)),
            (Some(""), Some(JSON)),
            (Some("*/*"), Some(JSON)),
            (Some("application/*"), Some(JSON)),
            (Some("application/passport"), Some(PASSPORT)),
            (Some("APPLICATION/Passport;q=0.1"), Some(PASSPORT)),
            (
                Some("text/html, application/passport;q=0, application/json"),
                Some(PASSPORT),
            ),
            (Some("text/html,application/json"), Some(JSON)),
            (Some("application/passport, */*"), Some(PASSPORT)),
            (Some("text/html"), None),
            (Some("text/*"), None),
            (Some(";"), None),
            (Some("application"), None),
        ] {
            assert_eq!(negotiate(accept, &both), chosen, "{accept:?}");
        }
    }

    #[test]
    fn an_endless_accept_header_is_not_read_to_its_end() {
        let accept = format!("{}{PASSPORT}", "text/x,".repeat(16));
        assert_eq!(negotiate(Some(&accept), &[PASSPORT]), None);
    }
}
