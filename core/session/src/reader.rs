//! Who can read what is sealed for a number, and who of them is allowed to.

use core::fmt;
use std::sync::Arc;

use ringtrue_oob::Suite;
use ringtrue_oob::statement::VerifiedStatement;
use ringtrue_stir::{Reason, UnixTime};

use crate::verdict::add_reason;
use crate::{Context, PeerKeys};

/// Somebody whose key statement for a number is live: callers seal to him, so he can open calls.
///
/// [`fmt::Debug`] shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reader {
    /// Who signed the statement: SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub signer: [u8; 32],
    /// The subject of his certificate as text, for people. Nobody but its issuer vouches for it.
    pub subject: String,
    /// The suites of his keys, one entry for each key.
    pub suites: Vec<Suite>,
    /// Until when his statement holds.
    pub expires: UnixTime,
    /// Since when this endpoint lists him; `None` if it never did, as for numbers of others.
    pub since: Option<UnixTime>,
    /// Whether the statement is this endpoint's own.
    pub is_own: bool,
    /// Whether he was not there, or not noticed, when readers were listed last.
    pub is_new: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader(..)")
    }
}

impl Reader {
    pub(crate) fn new(statement: &VerifiedStatement, since: Option<UnixTime>) -> Self {
        Self {
            signer: *statement.signer(),
            subject: statement.path().signer().subject_text(),
            suites: statement.keys().iter().map(|key| key.suite()).collect(),
            expires: statement.exp(),
            since,
            is_own: false,
            is_new: false,
        }
    }
}

impl Context {
    /// Requires the policy to allow the signer of a statement to read calls (T27).
    ///
    /// # Errors
    ///
    /// [`Reason::ReaderNotAllowed`] otherwise.
    pub(crate) fn require_reader(
        &self,
        statement: &VerifiedStatement,
        now: UnixTime,
    ) -> Result<(), Reason> {
        let policy = &self.policy;
        let is_listed =
            policy.reader_signers.is_empty() || policy.reader_signers.contains(statement.signer());
        let provider = self.provider.as_ref();
        let is_public = !policy.require_reader_transparency
            || self
                .trust
                .require_transparency(provider, statement.path(), now)
                .is_ok();
        if is_listed && is_public {
            Ok(())
        } else {
            Err(Reason::ReaderNotAllowed)
        }
    }

    /// The live statements that may be sealed to, newest first. That others were left out is noted.
    pub(crate) fn allowed_readers<'a>(
        &self,
        keys: &'a PeerKeys,
        now: UnixTime,
        notices: &mut Vec<Reason>,
    ) -> impl Iterator<Item = &'a Arc<VerifiedStatement>> + use<'a> {
        let mut allowed = Vec::new();
        for statement in keys.live(now) {
            match self.require_reader(statement, now) {
                Ok(()) => allowed.push(statement),
                Err(reason) => add_reason(notices, reason),
            }
        }
        allowed.into_iter()
    }

    /// How many parties can read what this endpoint seals with these keys now.
    #[must_use]
    pub fn readers_of(&self, keys: &PeerKeys, now: UnixTime) -> usize {
        self.allowed_readers(keys, now, &mut Vec::new()).count()
    }
}
