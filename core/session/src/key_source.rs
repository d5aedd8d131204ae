//! How the keys of a number are asked for, as something that an application can replace.

use core::fmt;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::{HttpRequest, HttpResponse, directory};
use ringtrue_stir::{Reason, TelephoneNumber};

/// One question about one number, and how to read the answer to it.
pub trait KeyQuery: Send + Sync {
    /// What to send to the directory. Goes the way of every lookup: through the relay, padded to the
    /// fixed length of a lookup, unless the policy says otherwise.
    fn request(&self) -> HttpRequest;

    /// The most octets of the answer's body.
    fn max_answer_octets(&self) -> usize {
        directory::MAX_ANSWER_LEN
    }

    /// The texts of the number's key statements in the answer, at most eight. They are verified by who
    /// asked, not here.
    ///
    /// # Errors
    ///
    /// Why the answer cannot be read; ends up among the reasons.
    fn statements(&self, answer: &HttpResponse) -> Result<Vec<String>, Reason>;
}

/// Makes the question about a number.
///
/// [`Directory`] asks for the number itself, which a relay hides from whom. A source that asks for a
/// prefix of a digest (a bucket of numbers, from which it picks one), or that queries a database
/// without telling it what (private information retrieval), takes its place with
/// [`Context::with_key_source`](crate::Context::with_key_source). A source that needs no network at
/// all, a mirror of the directory, gives its statements with the application's own lookups instead.
///
/// Source: docs/protocol.md section 19.2 (PRV-41).
pub trait KeySource: Send + Sync {
    /// The question about `number` for the directory at `base`.
    ///
    /// # Errors
    ///
    /// Why there is none, [`Reason::RandomnessUnavailable`] for one.
    fn query(&self, base: &BaseUrl, number: &TelephoneNumber) -> Result<Box<dyn KeyQuery>, Reason>;
}

/// The key directory of the protocol: `GET /keys/{number}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Directory;

struct NumberQuery(HttpRequest);

impl KeyQuery for NumberQuery {
    fn request(&self) -> HttpRequest {
        self.0.clone()
    }

    fn statements(&self, answer: &HttpResponse) -> Result<Vec<String>, Reason> {
        directory::decode_statements(answer)
    }
}

impl KeySource for Directory {
    fn query(&self, base: &BaseUrl, number: &TelephoneNumber) -> Result<Box<dyn KeyQuery>, Reason> {
        Ok(Box::new(NumberQuery(directory::encode_lookup(
            base, number,
        ))))
    }
}

impl fmt::Debug for dyn KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource(..)")
    }
}
