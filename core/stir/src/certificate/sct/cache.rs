//! Remembering which certificates' timestamps were verified.

use core::fmt;
use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

use super::{LogList, SctOutcome, SctPolicy, verify_scts};
use crate::UnixTime;
use crate::certificate::Certificate;
use crate::crypto::CryptoProvider;

/// How many certificates are remembered; the oldest make room. An entry takes about 200 octets.
const CAPACITY: usize = 256;

/// Outcomes of [`verify_scts`] that stay true until the certificate ends (SCT-22).
///
/// Only verified outcomes are kept: a certificate that failed may hold once a log is added. Valid for
/// one list of logs and one policy: make a new cache when either changes.
#[derive(Clone, Default)]
pub struct SctCache {
    entries: VecDeque<Entry>,
}

#[derive(Clone)]
struct Entry {
    /// SHA-256 over the certificate and its issuer's key.
    key: [u8; 32],
    not_after: UnixTime,
    outcome: SctOutcome,
}

impl fmt::Debug for SctCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SctCache({})", self.entries.len())
    }
}

impl SctCache {
    /// As [`verify_scts`], without checking a signature for a certificate that was verified before.
    pub fn verify(
        &mut self,
        provider: &dyn CryptoProvider,
        certificate: &Certificate,
        issuer: &Certificate,
        logs: &LogList,
        policy: &SctPolicy,
        at: UnixTime,
    ) -> SctOutcome {
        // The digest of the issuer's key has a fixed length, so no two pairs have one text.
        let key: [u8; 32] = Sha256::new_with_prefix(issuer.spki_digest())
            .chain_update(certificate.der())
            .finalize()
            .into();
        self.entries.retain(|entry| at <= entry.not_after);
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key) {
            return entry.outcome.clone();
        }
        let outcome = verify_scts(provider, certificate, issuer, logs, policy, at);
        if outcome.is_verified() && at <= certificate.not_after() {
            if self.entries.len() >= CAPACITY {
                self.entries.pop_front();
            }
            self.entries.push_back(Entry {
                key,
                not_after: certificate.not_after(),
                outcome: outcome.clone(),
            });
        }
        outcome
    }
}
