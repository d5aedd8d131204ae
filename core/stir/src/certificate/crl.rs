//! Certificate revocation lists, direct and indirect.
//!
//! In the live ecosystem one administrator lists the revoked certificates of all authorities. Who
//! that is, is configured: a [`RevocationList`] was parsed, a [`VerifiedRevocationList`] is signed by
//! the certificate that the caller trusts for it. Nothing is fetched, and there is no OCSP: asking a
//! responder would tell it who calls whom (CRT-62).

mod parse;

use core::fmt;
use core::ops::Range;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Certificate, KeyUsage, Signature, Tolerance, name};
use crate::crypto::CryptoProvider;
use crate::{Reason, UnixTime};

/// The largest list that is read: an entry of an indirect list with its issuer's name has some 200
/// octets, so that every one of 16,000 live certificates could be revoked at once.
pub const MAX_CRL_LEN: usize = 4 * 1024 * 1024;

/// The largest PEM form of one.
const MAX_PEM_LEN: usize = 6 * 1024 * 1024;

/// How far ahead of the clock a list may have been issued.
const MAX_AHEAD: Duration = Duration::from_secs(600);

/// A version 2 revocation list that was parsed, not verified. Cloning is cheap.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct RevocationList(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    /// The list's issuer as it stands there.
    issuer: Vec<u8>,
    this_update: UnixTime,
    next_update: UnixTime,
    authority_key_id: Option<Vec<u8>>,
    scope: Scope,
    /// The names of certificate issuers, folded, each with its number. The list's own issuer has 0.
    issuers: HashMap<Vec<u8>, usize>,
    /// Sorted by issuer, then by serial number.
    entries: Vec<Entry>,
    signature: Signature,
}

/// Which certificates a list speaks of.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Scope {
    is_indirect: bool,
    only_end_entities: bool,
    only_authorities: bool,
}

/// A revoked certificate: the number of its issuer, and where in the DER its serial number is.
#[derive(Clone)]
struct Entry {
    issuer: usize,
    serial: Range<usize>,
}

impl Parsed {
    fn serial(&self, entry: &Entry) -> &[u8] {
        self.der.get(entry.serial.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RevocationList(..)")
    }
}

impl RevocationList {
    /// Reads a list, DER or PEM, whatever its media type said.
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: above [`MAX_CRL_LEN`], or 6 MiB of PEM.
    /// - [`Reason::MalformedPem`]: text that is not exactly one PEM block of a list.
    /// - [`Reason::MalformedCrl`]: no strict DER list of version 2 with `nextUpdate`, a delta list, one
    ///   for some reasons only, an unknown critical extension, or an entry for another issuer in a
    ///   list that does not say it is indirect.
    ///
    /// Source: RFC 5280 section 5 (CRT-60).
    pub fn parse(octets: &[u8]) -> Result<Self, Reason> {
        const BEGIN: &str = "-----BEGIN ";
        if octets.first() == Some(&crate::der::SEQUENCE) {
            return parse::parse(octets.to_vec()).map(|parsed| Self(Arc::new(parsed)));
        }
        if octets.len() > MAX_PEM_LEN {
            return Err(Reason::TooLong);
        }
        let text = core::str::from_utf8(octets).map_err(|_| Reason::MalformedCrl)?;
        match text.matches(BEGIN).count() {
            0 => return Err(Reason::MalformedCrl),
            1 => {}
            _ => return Err(Reason::MalformedPem),
        }
        let block = pem::parse(text).map_err(|_| Reason::MalformedPem)?;
        if block.tag() != "X509 CRL" {
            return Err(Reason::MalformedPem);
        }
        parse::parse(block.into_contents()).map(|parsed| Self(Arc::new(parsed)))
    }

    /// When the list was issued.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.0.this_update
    }

    /// When the next list is due: the last second at which this one is current (CRT-61).
    #[must_use]
    pub fn next_update(&self) -> UnixTime {
        self.0.next_update
    }

    /// Whether it lists certificates of other issuers than its own.
    #[must_use]
    pub fn is_indirect(&self) -> bool {
        self.0.scope.is_indirect
    }

    /// How many certificates it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The DER octets.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Checks that `issuer`, a certificate that the caller has configured for revocation lists, signed
    /// this one. `at` is the time of the check.
    ///
    /// The certificate is trusted as it is, like an anchor; its own path is not looked for. All of
    /// ECDSA is accepted, RSA with SHA-256 where the provider supports it. A list that is past its next
    /// update is accepted: what it lists stays revoked, and a path says when it needed a current one.
    ///
    /// # Errors
    ///
    /// - [`Reason::CrlUntrusted`]: the certificate has another name or key, has expired or is not valid
    ///   yet, or its key usage does not allow lists.
    /// - [`Reason::CrlUnavailable`]: the list is more than ten minutes from the future.
    ///
    /// Source: RFC 5280 section 6.3.3 (CRT-60).
    pub fn verify(
        &self,
        provider: &dyn CryptoProvider,
        issuer: &Certificate,
        at: UnixTime,
    ) -> Result<VerifiedRevocationList, Reason> {
        let Parsed {
            der,
            tbs,
            authority_key_id,
            signature,
            ..
        } = &*self.0;
        // The administrator is the configured certificate; the names only have to agree.
        let is_named = name::folded(&issuer.0.subject) == name::folded(&self.0.issuer);
        let is_keyed = authority_key_id
            .as_ref()
            .zip(issuer.0.subject_key_id.as_ref())
            .is_none_or(|(wanted, id)| wanted == id);
        let may_sign = issuer
            .0
            .key_usage
            .is_none_or(|usage| usage.has(KeyUsage::CRL_SIGN));
        if !is_named || !is_keyed || !may_sign || !issuer.is_valid_at(at) {
            return Err(Reason::CrlUntrusted);
        }
        let tolerance = Tolerance {
            null_parameters: false,
            other_ecdsa: true,
            rsa: true,
        };
        let signed = der.get(tbs.clone()).unwrap_or_default();
        signature
            .verify(provider, issuer, signed, tolerance)
            .map_err(|_| Reason::CrlUntrusted)?;
        if self.0.this_update > at.plus(MAX_AHEAD) {
            return Err(Reason::CrlUnavailable);
        }
        Ok(VerifiedRevocationList { list: self.clone() })
    }
}

/// A revocation list by a configured issuer. Only [`RevocationList::verify`] makes one. Cloning is
/// cheap; it may be kept until [`RevocationList::next_update`].
#[derive(Clone, Debug)]
pub struct VerifiedRevocationList {
    list: RevocationList,
}

/// What the lists at hand say about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Listed.
    Revoked,
    /// Not listed in a current list that would list it.
    Good,
    /// Not listed, but every list that would is outdated.
    Stale,
    /// No list would list it.
    Unavailable,
}

impl VerifiedRevocationList {
    /// The list.
    #[must_use]
    pub const fn list(&self) -> &RevocationList {
        &self.list
    }

    /// Whether the list is current at `at` (CRT-61).
    #[must_use]
    pub fn is_current(&self, at: UnixTime) -> bool {
        at <= self.list.0.next_update
    }

    /// Whether the certificate with this issuer (a DER Name, compared without regard to its spelling)
    /// and serial number (the content octets of the INTEGER) is listed.
    #[must_use]
    pub fn revokes(&self, issuer: &[u8], serial: &[u8]) -> bool {
        let list = &*self.list.0;
        let Some(issuer) = list.issuers.get(&name::folded(issuer)) else {
            return false;
        };
        let serial = parse::significant(serial);
        list.entries
            .binary_search_by(|entry| (entry.issuer, list.serial(entry)).cmp(&(*issuer, serial)))
            .is_ok()
    }

    /// Whether the list would list `certificate` if it were revoked: every certificate in an indirect
    /// list, those of its own issuer otherwise, and only the kind it is for.
    fn speaks_of(&self, certificate: &Certificate) -> bool {
        let list = &*self.list.0;
        let is_kind = if certificate.is_ca() {
            !list.scope.only_end_entities
        } else {
            !list.scope.only_authorities
        };
        let of_issuer = list.scope.is_indirect
            || list.issuers.get(&name::folded(&certificate.0.issuer)) == Some(&0);
        is_kind && of_issuer
    }

    /// What `lists` say about `certificate` at `at`.
    pub(super) fn standing(lists: &[Self], certificate: &Certificate, at: UnixTime) -> Standing {
        let (issuer, serial) = (&certificate.0.issuer, &certificate.0.serial);
        if lists.iter().any(|list| list.revokes(issuer, serial)) {
            return Standing::Revoked;
        }
        let mut speaking = lists
            .iter()
            .filter(|list| list.speaks_of(certificate))
            .peekable();
        if speaking.peek().is_none() {
            Standing::Unavailable
        } else if speaking.any(|list| list.is_current(at)) {
            Standing::Good
        } else {
            Standing::Stale
        }
    }
}
