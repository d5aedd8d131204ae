//! What a SIP request says about a call, as far as STIR looks at it.

use core::fmt;

use super::uri::{UriPolicy, identity_of};
use crate::passport::{Identity, Mky};
use crate::{NumberContext, Reason, TelephoneNumber, UnixTime};

/// Which field of a request says who calls.
///
/// Source: RFC 8224 section 4.1 leaves it to local policy; national profiles differ (SIP-20, SIP-41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityField {
    /// P-Asserted-Identity if the request has one, else From. For networks whose own elements set it.
    AssertedIdentity,
    /// From.
    #[default]
    From,
}

/// A request, as the application's SIP stack reads it. All URIs without angle brackets, display name and
/// header parameters. [`fmt::Debug`] prints nothing of it.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CallDescription {
    /// The URI of From.
    pub from: String,
    /// The URIs of P-Asserted-Identity.
    pub asserted_identities: Vec<String>,
    /// The URI of To.
    pub to: String,
    /// The Request-URI.
    pub request_uri: String,
    /// Date, if there is one: [`parse_date`](super::date::parse_date).
    pub date: Option<UnixTime>,
    /// The fingerprints of the session description, if it has any: [`Mky::from_sdp`].
    pub media_keys: Option<Mky>,
    /// The values of Resource-Priority.
    pub resource_priority: Vec<String>,
    /// Priority.
    pub priority: Option<String>,
    /// The whole MIME body of a message.
    pub body: Option<Vec<u8>>,
    /// Whether the caller asked not to be named (Privacy `id`, an anonymous From).
    pub anonymity_requested: bool,
    /// Other numbers of the called party, any of which may stand for the Request-URI.
    pub provisioned: Vec<TelephoneNumber>,
    /// How numbers are written where the request comes from; `None` leaves national ones as they are.
    pub numbers: Option<NumberContext>,
    /// Which field says who calls.
    pub identity_field: IdentityField,
    /// How URIs are read.
    pub uri_policy: UriPolicy,
}

impl fmt::Debug for CallDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallDescription(..)")
    }
}

impl CallDescription {
    /// A request with From, To and Request-URI and nothing else.
    #[must_use]
    pub fn new(from: &str, to: &str, request_uri: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            request_uri: request_uri.to_owned(),
            ..Self::default()
        }
    }

    /// Who calls, from the field that policy chooses. Of several asserted identities the first that is a
    /// number, else the first.
    ///
    /// # Errors
    ///
    /// Those of [`identity_of`].
    pub fn orig(&self) -> Result<Identity, Reason> {
        let asserted = match self.identity_field {
            IdentityField::AssertedIdentity => self.asserted_identities.as_slice(),
            IdentityField::From => &[],
        };
        // RFC 3325 section 9.1 has two at most, a SIP and a tel URI.
        let mut identities = asserted.iter().take(2).map(|uri| self.read(uri));
        let Some(first) = identities.next() else {
            return self.read(&self.from);
        };
        let is_number = |identity: &Result<Identity, Reason>| {
            identity
                .as_ref()
                .is_ok_and(|identity| identity.tn().is_some())
        };
        if is_number(&first) {
            return first;
        }
        identities.find(is_number).unwrap_or(first)
    }

    /// Whom the caller wanted to reach, from To (SIP-23).
    ///
    /// # Errors
    ///
    /// Those of [`identity_of`].
    pub fn dest(&self) -> Result<Identity, Reason> {
        self.read(&self.to)
    }

    /// Where the request goes, from the Request-URI (PPT-55).
    ///
    /// # Errors
    ///
    /// Those of [`identity_of`].
    pub fn target(&self) -> Result<Identity, Reason> {
        self.read(&self.request_uri)
    }

    fn read(&self, uri: &str) -> Result<Identity, Reason> {
        identity_of(uri, self.numbers.as_ref(), &self.uri_policy)
    }
}
