//! Signed certificate timestamps embedded in certificates: the promise of a public log that it holds
//! the certificate, checked offline with the log's key.
//!
//! Nothing is fetched, neither timestamps nor proofs of inclusion (SCT-21). A sender checks its own
//! certificate when it is activated (SCT-10, SCT-11), a verifier the signer's after its path; both
//! call [`verify_scts`], and may remember what it says in an [`SctCache`] (SCT-22).
//!
//! Source: RFC 6962 section 3; STI Certificate Transparency, sections on AS and VS processing.

mod cache;
mod list;
mod log;
mod precertificate;

use core::time::Duration;
use std::collections::BTreeSet;

pub use cache::SctCache;
pub use list::{MAX_SCT_LIST_LEN, MAX_SCTS, SctList, SignedCertificateTimestamp};
pub use log::{LogList, LogState, MAX_LOGS, TransparencyLog};
pub use precertificate::precertificate_signing_input;

use super::Certificate;
use crate::crypto::CryptoProvider;
use crate::{Reason, UnixTime};

/// How far a log's clock may be ahead of the reader's (T4 of the notes: clocks of phones differ).
const MAX_AHEAD: Duration = Duration::from_secs(60);

/// A timestamp later than this after the certificate's start is unusual: logs come before the
/// certificate is signed.
const USUAL_DELAY: Duration = Duration::from_secs(86_400);

/// What a verifier does about timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SctMode {
    /// Checks form only and leaves the rest to an auditor. Never counts as verified.
    Defer,
    /// Does not look.
    Ignore,
    /// Checks, and refuses a certificate without enough valid ones.
    Require,
    /// Checks, and only reports.
    Warn,
}

/// How many timestamps a certificate needs, and what happens without them.
///
/// The standard does not say how many (SCT-24 and SCT-25 only make them mandatory for some profiles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SctPolicy {
    /// Valid timestamps of different logs, at least 1.
    pub min_valid: usize,
    /// Different operators of these logs.
    pub min_distinct_operators: usize,
    /// What a verifier does about timestamps.
    pub mode: SctMode,
}

/// One timestamp, reported only: what plain STIR asks for.
impl Default for SctPolicy {
    fn default() -> Self {
        Self {
            min_valid: 1,
            min_distinct_operators: 1,
            mode: SctMode::Warn,
        }
    }
}

impl SctPolicy {
    /// One timestamp, without which the certificate is refused: certificates bound to names, and those
    /// of out-of-band calls and of answers (SCT-24, SCT-25).
    #[must_use]
    pub fn required() -> Self {
        Self {
            mode: SctMode::Require,
            ..Self::default()
        }
    }
}

/// What was found out about a certificate's timestamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SctOutcome {
    is_verified: bool,
    refusal: Option<Reason>,
    warnings: Vec<Reason>,
    valid_logs: usize,
    valid_operators: usize,
}

impl SctOutcome {
    /// Nothing was looked at.
    const fn nothing() -> Self {
        Self {
            is_verified: false,
            refusal: None,
            warnings: Vec::new(),
            valid_logs: 0,
            valid_operators: 0,
        }
    }

    /// Whether as many valid timestamps as the policy wants were found. False where nothing was
    /// checked, or checking was left to an auditor.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Why the certificate must not be used, if so: [`Reason::SctMissing`], [`Reason::SctInvalid`],
    /// [`Reason::MalformedSctList`] or [`Reason::MalformedCertificate`], only with
    /// [`SctMode::Require`].
    #[must_use]
    pub const fn refusal(&self) -> Option<Reason> {
        self.refusal
    }

    /// What else to report, each reason once: [`Reason::SctUnknownLog`], [`Reason::SctLate`],
    /// [`Reason::SctDeferred`], and the reasons of [`SctOutcome::refusal`] where they do not refuse.
    #[must_use]
    pub fn warnings(&self) -> &[Reason] {
        &self.warnings
    }

    /// How many different logs gave a valid timestamp.
    #[must_use]
    pub const fn valid_logs(&self) -> usize {
        self.valid_logs
    }

    /// How many different operators these logs have.
    #[must_use]
    pub const fn valid_operators(&self) -> usize {
        self.valid_operators
    }

    /// [`SctOutcome::refusal`] as a check.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub fn require(&self) -> Result<(), Reason> {
        self.refusal.map_or(Ok(()), Err)
    }

    fn warn(&mut self, reason: Reason) {
        if !self.warnings.contains(&reason) {
            self.warnings.push(reason);
        }
    }

    /// A shortcoming: refuses where timestamps are required.
    fn fault(&mut self, mode: SctMode, reason: Reason) {
        if mode == SctMode::Require && self.refusal.is_none() {
            self.refusal = Some(reason);
        } else {
            self.warn(reason);
        }
    }
}

/// Checks the timestamps embedded in `certificate`, which `issuer` has issued, as of `at`.
///
/// Call it after the path was verified: `issuer` must be the certificate above in that path, because
/// logs sign the issuer's key with the certificate. What was signed is rebuilt from the certificate's
/// own octets without its timestamps.
///
/// * A log that is not in `logs`, or not usable at the time of its timestamp, does not count and is
///   reported as [`Reason::SctUnknownLog`]; so is one with an RSA key that `provider` cannot verify.
/// * A bad signature of a known log, or a timestamp more than 60 s after `at`, is
///   [`Reason::SctInvalid`]. It refuses only if too few others are valid.
/// * Too few valid ones, none included, are [`Reason::SctMissing`].
/// * A timestamp more than a day after the certificate's start is reported as [`Reason::SctLate`].
///
/// Several timestamps of one log count as one.
///
/// Source: RFC 6962 sections 3.2 and 3.3; STI Certificate Transparency, AS and VS processing (SCT-10,
/// SCT-11, SCT-20, SCT-21, SCT-23, SCT-24, SCT-25).
#[must_use]
pub fn verify_scts(
    provider: &dyn CryptoProvider,
    certificate: &Certificate,
    issuer: &Certificate,
    logs: &LogList,
    policy: &SctPolicy,
    at: UnixTime,
) -> SctOutcome {
    let mode = policy.mode;
    let mut outcome = SctOutcome::nothing();
    if mode == SctMode::Ignore {
        return outcome;
    }
    let (list, tbs) = match precertificate::split(certificate) {
        Ok(Some(parts)) => parts,
        Ok(None) => {
            outcome.fault(mode, Reason::SctMissing);
            return outcome;
        }
        Err(reason) => {
            outcome.fault(mode, reason);
            return outcome;
        }
    };
    if mode == SctMode::Defer {
        outcome.warn(Reason::SctDeferred);
        return outcome;
    }
    if list.unsupported() > 0 {
        outcome.warn(Reason::SctUnknownLog);
    }
    let issuer_key_hash = issuer.spki_digest();
    let latest_ms = milliseconds(at.plus(MAX_AHEAD));
    let usual_until_ms = milliseconds(certificate.not_before().plus(USUAL_DELAY));
    let mut valid_logs = BTreeSet::new();
    let mut operators = BTreeSet::new();
    let mut has_invalid = false;
    for sct in list.timestamps() {
        let Some(log) = logs.usable(sct) else {
            outcome.warn(Reason::SctUnknownLog);
            continue;
        };
        if valid_logs.contains(log.id()) {
            continue;
        }
        let signed = precertificate_signing_input(
            &tbs,
            &issuer_key_hash,
            sct.timestamp_ms(),
            sct.extensions(),
        );
        match signed.map(|signed| log.verify(provider, &signed, sct)) {
            Ok(Some(true)) if sct.timestamp_ms() <= latest_ms => {
                if sct.timestamp_ms() > usual_until_ms {
                    outcome.warn(Reason::SctLate);
                }
                valid_logs.insert(*log.id());
                operators.insert(log.operator());
            }
            Ok(None) => outcome.warn(Reason::SctUnknownLog),
            _ => has_invalid = true,
        }
    }
    outcome.valid_logs = valid_logs.len();
    outcome.valid_operators = operators.len();
    // A policy of 0 would call a certificate verified that no log has seen.
    outcome.is_verified = outcome.valid_logs >= policy.min_valid.max(1)
        && outcome.valid_operators >= policy.min_distinct_operators;
    match (outcome.is_verified, has_invalid) {
        (true, true) => outcome.warn(Reason::SctInvalid),
        (true, false) => {}
        (false, true) => outcome.fault(mode, Reason::SctInvalid),
        (false, false) => outcome.fault(mode, Reason::SctMissing),
    }
    outcome
}

const fn milliseconds(time: UnixTime) -> u64 {
    time.as_secs().saturating_mul(1000)
}
