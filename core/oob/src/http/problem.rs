//! Errors of a service: problem details (RFC 9457) with types of our own.
//!
//! No problem says whether a number is known, and none carries anything of the request.

use core::time::Duration;

use ringtrue_stir::{Kind, Reason};
use serde_json::{Value, json};

use super::{HttpResponse, media};

/// Problem details are two short members; more is not read.
const MAX_LEN: usize = 4096;

/// A service that asks for more patience than this is taken to have said this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Octets of an answer that names a price, whichever.
const PRICE_LEN: usize = 128;

/// The member that names a price.
const PRICE: &str = "tokens";

/// What all types begin with.
const TYPE_PREFIX: &str = "urn:ringtrue:problem:";

macro_rules! problems {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $status:literal $title:literal;)*) => {
        /// Why a service refused a request.
        ///
        /// Source: docs/protocol.md section 9.5 (W-20, W-21).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Problem {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Problem {
            /// Every problem.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The last part of the type.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// One line for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

problems! {
    /// The body is longer than its kind may be.
    BodyTooLarge "body-too-large" 413 "the body is too large";
    /// A line is no blob, there is none, or its suite is not served.
    MalformedBlob "malformed-blob" 400 "a blob is not of the expected form";
    /// The body is no encapsulated request, or what it encapsulates is no request.
    MalformedEncapsulation "malformed-encapsulation" 400 "not an encapsulated request of the expected form";
    /// The path holds no telephone number.
    MalformedNumber "malformed-number" 400 "not a telephone number";
    /// The body is no key statement.
    MalformedStatement "malformed-statement" 400 "not a key statement of the expected form";
    /// The body is no token request, or names a key that does not sign now.
    MalformedTokenRequest "malformed-token-request" 400 "not a token request of the expected form";
    /// The path exists, the method does not.
    MethodNotAllowed "method-not-allowed" 405 "the method is not allowed here";
    /// None of the wanted media types is offered.
    NotAcceptable "not-acceptable" 406 "none of the wanted media types is offered";
    /// No such resource, or a blob that has aged out.
    NotFound "not-found" 404 "there is nothing here";
    /// The client asks too often, or the price in tokens is not met.
    OverLimit "over-limit" 429 "try again later";
    /// The signer has published a newer statement.
    SupersededStatement "superseded-statement" 409 "a newer key statement is stored";
    /// The storage token does not hold.
    TokenRejected "token-rejected" 403 "the storage token was not accepted";
    /// A storage token is asked for.
    TokenRequired "token-required" 401 "a storage token is required";
    /// More than eight blobs in one store.
    TooManyBlobs "too-many-blobs" 400 "too many blobs in one request";
    /// The service is starting, draining or out of order.
    Unavailable "unavailable" 503 "the service is not available";
    /// The body has another media type than this request must have.
    UnsupportedMediaType "unsupported-media-type" 415 "the media type is not supported";
    /// The credential that asks for storage tokens is not accepted.
    UntrustedCredential "untrusted-credential" 403 "the credential is not accepted";
    /// The statement does not verify.
    UntrustedStatement "untrusted-statement" 403 "the key statement is not trusted";
}

impl Problem {
    /// The problem type, `urn:ringtrue:problem:<name>`.
    #[must_use]
    pub fn type_uri(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// The problem with this type.
    #[must_use]
    pub fn from_type_uri(uri: &str) -> Option<Self> {
        let name = uri.strip_prefix(TYPE_PREFIX)?;
        Self::ALL.iter().copied().find(|p| p.name() == name)
    }

    /// What a directory answers to a publication that does not parse or verify: wrong in form, not to be
    /// trusted, or too long (W-14). A statement without certificates counts as wrong in form, because a
    /// directory never fetches any.
    #[must_use]
    pub const fn for_statement(reason: Reason) -> Self {
        match (reason, reason.kind()) {
            (Reason::TooLong, _) => Self::BodyTooLarge,
            (Reason::CredentialUnavailable, _) | (_, Kind::Malformed) => Self::MalformedStatement,
            (_, Kind::Untrusted) => Self::UntrustedStatement,
            _ => Self::Unavailable,
        }
    }

    /// The answer of a service.
    #[must_use]
    pub fn encode(self) -> HttpResponse {
        self.answer(&self.members())
    }

    fn members(self) -> Value {
        json!({
            "type": self.type_uri(),
            "title": self.title(),
            "status": self.status(),
        })
    }

    fn answer(self, body: &Value) -> HttpResponse {
        let body = body.to_string().into_bytes();
        HttpResponse::answer(self.status(), Some(media::PROBLEM), body)
    }

    /// The answer 429 of a service to which a store is worth `tokens` storage tokens now. The client may
    /// pay at once: what it sent is kept for this store alone, and counts. All prices have answers of one
    /// size, so that it does not show on the network how loaded a number is (PRV-34).
    ///
    /// Source: docs/protocol.md section 19.1 (W-30).
    #[must_use]
    pub fn encode_price(tokens: u32) -> HttpResponse {
        let problem = Self::OverLimit;
        let mut body = problem.members();
        if let Value::Object(members) = &mut body {
            members.insert(PRICE.to_owned(), Value::from(tokens));
        }
        let mut answer = problem.answer(&body).with_header("retry-after", "0");
        if answer.body.len() < PRICE_LEN {
            // Blanks after the value are nothing to a reader of JSON.
            answer.body.resize(PRICE_LEN, b' ');
        }
        answer
    }

    /// The answer of a service, with the time after which to try again in whole seconds.
    #[must_use]
    pub fn encode_with_retry_after(self, after: Duration) -> HttpResponse {
        self.encode()
            .with_header("retry-after", after.as_secs().to_string())
    }

    /// The problem that an answer describes, if its type is one of ours.
    #[must_use]
    pub fn decode(answer: &HttpResponse) -> Option<Self> {
        if answer.body.len() > MAX_LEN || media::expect(answer, media::PROBLEM).is_err() {
            return None;
        }
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        Self::from_type_uri(body.get("type")?.as_str()?)
    }
}

/// Why an answer is not the success that the client asked for. The type decides; an answer that has
/// none of ours is judged by its status.
#[must_use]
pub fn reason(answer: &HttpResponse) -> Reason {
    if (300..400).contains(&answer.status) {
        return Reason::Redirected;
    }
    if !(400..600).contains(&answer.status) {
        return Reason::MalformedAnswer;
    }
    match Problem::decode(answer).filter(|problem| problem.status() == answer.status) {
        Some(Problem::TokenRequired) => Reason::TokenRequired,
        Some(Problem::TokenRejected) => Reason::TokenRejected,
        Some(Problem::OverLimit) => Reason::OverLimit,
        Some(Problem::SupersededStatement) => Reason::StatementSuperseded,
        Some(Problem::MalformedStatement | Problem::UntrustedStatement) => {
            Reason::StatementRejected
        }
        Some(_) => Reason::ServiceError,
        None if answer.status == 401 => Reason::TokenRequired,
        None if answer.status == 429 => Reason::OverLimit,
        None => Reason::ServiceError,
    }
}

/// The price of a store in storage tokens, if the answer names one: a power of two below 2^32. One store
/// can pay up to [`MAX_TOKENS`](crate::token::redemption::MAX_TOKENS); what costs more has to be smaller.
#[must_use]
pub fn price(answer: &HttpResponse) -> Option<usize> {
    if answer.status != 429 || Problem::decode(answer) != Some(Problem::OverLimit) {
        return None;
    }
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let tokens = u32::try_from(body.get(PRICE)?.as_u64()?).ok()?;
    usize::try_from(tokens)
        .ok()
        .filter(|tokens| tokens.is_power_of_two())
}

/// How long the service asks to wait, if it says so in whole seconds; at most an hour.
#[must_use]
pub fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let seconds = answer.header("retry-after")?.trim();
    let digits = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    // A number that does not fit is a long time as well.
    digits.then(|| {
        seconds.parse().map_or(MAX_RETRY_AFTER, |seconds| {
            Duration::from_secs(seconds).min(MAX_RETRY_AFTER)
        })
    })
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::collections::HashSet;

    use proptest::prelude::*;
    use ringtrue_stir::Reason;

    use super::{Problem, reason, retry_after};
    use crate::http::HttpResponse;

    #[test]
    fn every_problem_comes_back_from_its_answer() {
        let mut names = HashSet::new();
        for problem in Problem::ALL {
            assert!(names.insert(problem.name()));
            let answer = problem.encode();
            assert_eq!(answer.status, problem.status());
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json")
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(Problem::decode(&answer), Some(*problem));
        }
        assert_eq!(names.len(), 18);
    }

    #[test]
    fn the_body_is_exactly_this() {
        assert_eq!(
            String::from_utf8(Problem::NotFound.encode().body).unwrap(),
            r#"{"status":404,"title":"there is nothing here","type":"urn:ringtrue:problem:not-found"}"#
        );
    }

    #[test]
    fn clients_get_a_reason_for_every_status() {
        let plain = |status| {
            reason(&HttpResponse::answer(
                status,
                Some("text/html"),
                b"<p>".to_vec(),
            ))
        };
        for (status, expected) in [
            (301, Reason::Redirected),
            (308, Reason::Redirected),
            (400, Reason::ServiceError),
            (401, Reason::TokenRequired),
            (403, Reason::ServiceError),
            (404, Reason::ServiceError),
            (429, Reason::OverLimit),
            (500, Reason::ServiceError),
            (200, Reason::MalformedAnswer),
            (100, Reason::MalformedAnswer),
            (999, Reason::MalformedAnswer),
            (0, Reason::MalformedAnswer),
        ] {
            assert_eq!(plain(status), expected, "{status}");
        }
        for (problem, expected) in [
            (Problem::TokenRequired, Reason::TokenRequired),
            (Problem::TokenRejected, Reason::TokenRejected),
            (Problem::UntrustedStatement, Reason::StatementRejected),
            (Problem::MalformedStatement, Reason::StatementRejected),
            (Problem::SupersededStatement, Reason::StatementSuperseded),
            (Problem::OverLimit, Reason::OverLimit),
            (Problem::MalformedBlob, Reason::ServiceError),
            (Problem::Unavailable, Reason::ServiceError),
        ] {
            assert_eq!(reason(&problem.encode()), expected, "{problem:?}");
        }
    }

    #[test]
    fn a_type_that_contradicts_the_status_is_not_believed() {
        let mut answer = Problem::TokenRejected.encode();
        answer.status = 500;
        assert_eq!(reason(&answer), Reason::ServiceError);
        let mut answer = Problem::SupersededStatement.encode();
        answer.status = 302;
        assert_eq!(reason(&answer), Reason::Redirected);
    }

    #[test]
    fn odd_details_are_no_problem_of_ours() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"about:blank"}"#,
            r#"{"type":"urn:ringtrue:problem:"}"#,
            r#"{"type":"urn:ringtrue:problem:NOT-FOUND"}"#,
        ] {
            let mut answer = Problem::NotFound.encode();
            answer.body = body.as_bytes().to_vec();
            assert_eq!(Problem::decode(&answer), None, "{body}");
        }
        let mut answer = Problem::NotFound.encode();
        answer.body.extend(" ".repeat(5000).bytes());
        assert_eq!(Problem::decode(&answer), None);
    }

    #[test]
    fn retry_after_is_whole_seconds_and_bounded() {
        let after = |value: &str| {
            retry_after(
                &Problem::OverLimit
                    .encode()
                    .with_header("Retry-After", value),
            )
        };
        assert_eq!(after("0"), Some(Duration::ZERO));
        assert_eq!(after("30"), Some(Duration::from_secs(30)));
        for long in ["86400", "99999999999999999999999999"] {
            assert_eq!(after(long), Some(Duration::from_secs(3600)));
        }
        for odd in ["", "-1", "+5", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(after(odd), None, "{odd}");
        }
        assert_eq!(retry_after(&Problem::OverLimit.encode()), None);
        let answer = Problem::OverLimit.encode_with_retry_after(Duration::from_millis(2999));
        assert_eq!(retry_after(&answer), Some(Duration::from_secs(2)));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..80), retry in ".{0,20}") {
            let answer = HttpResponse::answer(status, Some("application/problem+json"), body)
                .with_header("retry-after", retry);
            let _ = (reason(&answer), retry_after(&answer));
        }
    }
}
