//! What a path is checked against.

use core::fmt;
use core::time::Duration;

use super::{Certificate, Profile, VerifiedRevocationList};
use crate::tn_auth_list::TnAuthList;
use crate::{Reason, UnixTime};

/// The most lists by reference of one check: one for each certificate of two full paths.
const MAX_REFERENCED_LISTS: usize = 16;

/// The rules of [`verify_path`](super::verify_path) beyond the anchors. A [`Profile`] alone is the
/// common case and converts into it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PathRules<'a> {
    /// The certificate profile.
    pub profile: Profile,
    /// Whether an authority may sign certificates with RSA and SHA-256, as roots of test set-ups do.
    /// Off by default; needs a provider that supports it, and never concerns tokens (CRT-75).
    pub rsa_ca_links: bool,
    /// The lists that certificates refer to, as far as they were fetched (CRT-8, CRT-9).
    pub referenced_lists: Option<&'a ReferencedLists>,
    /// The revocation lists at hand. `None`: revocation is not asked about, which
    /// [`VerifiedPath::revocation`](super::VerifiedPath::revocation) says. An indirect list is taken to
    /// speak of every certificate of the configured anchors: give each ecosystem rules of its own
    /// (CRT-60, CRT-61).
    pub revocation: Option<&'a [VerifiedRevocationList]>,
    /// The time at which those lists have to be current, where that is not the time of the path: a
    /// path is judged as of a token's `iat`, revocation always as of now (CRT-61).
    pub revocation_as_of: Option<UnixTime>,
}

impl PathRules<'_> {
    /// The rules of a profile and nothing else.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            rsa_ca_links: false,
            referenced_lists: None,
            revocation: None,
            revocation_as_of: None,
        }
    }
}

impl From<Profile> for PathRules<'_> {
    fn from(profile: Profile) -> Self {
        Self::new(profile)
    }
}

impl<'a> From<&PathRules<'a>> for PathRules<'a> {
    fn from(rules: &PathRules<'a>) -> Self {
        *rules
    }
}

/// The time as of which the path of a token's signer is judged: the token's own `iat` while that is
/// fresh, `now` otherwise.
///
/// A short-lived certificate may end between the signing and the check. It was valid when it signed,
/// and with `iat` no older than `freshness` nobody gains from that: the token is refused as stale soon
/// after. An `iat` ahead of the clock does not move the check into the future.
///
/// Source: RFC 8224 section 6.2 step 4 and section 7.
#[must_use]
pub fn evaluation_time(iat: UnixTime, now: UnixTime, freshness: Duration) -> UnixTime {
    if iat >= now.minus(freshness) {
        iat.min(now)
    } else {
        now
    }
}

/// TNAuthLists that certificates refer to by URL, fetched by whoever may (CRT-8, CRT-9).
///
/// Such a list is not signed: trust in it rests on the server that gave it. [`fmt::Debug`] prints
/// nothing of it.
#[derive(Clone, Default)]
pub struct ReferencedLists {
    lists: Vec<(Certificate, TnAuthList)>,
}

impl fmt::Debug for ReferencedLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReferencedLists(..)")
    }
}

impl ReferencedLists {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { lists: Vec::new() }
    }

    /// Adds what [`Certificate::tn_auth_list_url`] of `certificate` answered: the DER list of type
    /// `application/tnauthlist`. A second list of one certificate replaces the first.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedTnAuthList`] if `body` is none, [`Reason::MalformedCertificate`] if the
    /// certificate refers to no list, [`Reason::TooManyCertificates`] beyond 16.
    ///
    /// Source: RFC 8226 section 10.1.
    pub fn add(&mut self, certificate: &Certificate, body: &[u8]) -> Result<(), Reason> {
        if certificate.tn_auth_list_url().is_none() {
            return Err(Reason::MalformedCertificate);
        }
        let list = TnAuthList::decode(body)?;
        self.lists.retain(|(known, _)| known != certificate);
        if self.lists.len() >= MAX_REFERENCED_LISTS {
            return Err(Reason::TooManyCertificates);
        }
        self.lists.push((certificate.clone(), list));
        Ok(())
    }

    /// The list that `certificate` refers to, if it is here.
    #[must_use]
    pub fn list_of(&self, certificate: &Certificate) -> Option<&TnAuthList> {
        self.lists
            .iter()
            .find(|(known, _)| known == certificate)
            .map(|(_, list)| list)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::evaluation_time;
    use crate::UnixTime;

    #[test]
    fn a_fresh_iat_is_the_time_of_the_check_and_any_other_is_not() {
        let as_of = |iat| {
            let now = UnixTime::from_secs(1000);
            evaluation_time(UnixTime::from_secs(iat), now, Duration::from_secs(60)).as_secs()
        };
        assert_eq!((as_of(1000), as_of(999), as_of(940)), (1000, 999, 940));
        assert_eq!((as_of(939), as_of(0)), (1000, 1000));
        assert_eq!((as_of(1010), as_of(u64::MAX)), (1000, 1000));
    }
}
