//! The key statements of another party's number: what was verified, and what must not be undone.

use core::fmt;
use std::sync::Arc;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::statement::VerifiedStatement;
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde::{Deserialize, Serialize};

use crate::paid_store::issuer_of;
use crate::verdict::add_reason;
use crate::{Context, Reader, WalletName};

/// The most statements kept per number (W-16).
const MAX_STATEMENTS: usize = 8;

/// The most signers whose sequence numbers are remembered per number.
const MAX_SEEN: usize = 32;

/// `seq` is remembered this long beyond `exp` (W-11), in seconds.
const SEEN_BEYOND_EXP: u64 = 86_400;

/// A record holds at most eight statements of 16 KiB and what was seen.
const MAX_RECORD_OCTETS: usize = 262_144;

/// The verified key statements of a number. Cheap to clone.
///
/// [`fmt::Debug`] shows counts only: signers and digests tell whose keys these are.
#[derive(Clone, Default)]
pub struct PeerKeys {
    statements: Vec<Arc<VerifiedStatement>>,
    seen: Vec<Seen>,
}

impl fmt::Debug for PeerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerKeys")
            .field("statements", &self.statements.len())
            .field("seen", &self.seen.len())
            .finish()
    }
}

/// The newest statement of a signer, live or not.
#[derive(Clone, Serialize, Deserialize)]
struct Seen {
    signer: String,
    seq: u64,
    digest: String,
    exp: u64,
    /// Whether the signer has said something else under the same number.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    disputed: bool,
    /// When this signer was first listed as a reader of an own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<u64>,
}

/// A record as it is stored: texts, which are verified again when they are read.
#[derive(Serialize, Deserialize)]
pub(crate) struct PeerRecord {
    v: u32,
    pub(crate) statements: Vec<String>,
    seen: Vec<Seen>,
}

impl PeerKeys {
    /// The statements that have not expired, newest first.
    pub(crate) fn live(&self, now: UnixTime) -> impl Iterator<Item = &Arc<VerifiedStatement>> {
        self.statements
            .iter()
            .filter(move |statement| statement.exp() > now)
    }

    /// Whether there is a statement that has not expired.
    #[must_use]
    pub fn has_live(&self, now: UnixTime) -> bool {
        self.live(now).next().is_some()
    }

    /// The wallets that a call to this number needs tokens from: those of its services' issuers. Having
    /// them filled at a random later time keeps issuance away from the next call (W-33).
    #[must_use]
    pub fn wallets(&self, context: &Context, now: UnixTime) -> Vec<WalletName> {
        let mut wallets = Vec::new();
        for statement in self.live(now) {
            let provisioned = context.services.placement.as_ref();
            let service = provisioned.or_else(|| statement.cps().first());
            let wallet = issuer_of(statement)
                .zip(service)
                .map(|(issuer, service)| WalletName::new(issuer, service.authority()));
            wallets.extend(wallet.filter(|wallet| !wallets.contains(wallet)));
        }
        wallets
    }

    /// How many different parties can read what is sealed for this number now.
    #[must_use]
    pub fn readers(&self, now: UnixTime) -> usize {
        self.live(now).count()
    }

    /// Who can read what is sealed for the number now.
    #[must_use]
    pub fn list(&self, now: UnixTime) -> Vec<Reader> {
        self.live(now)
            .map(|statement| {
                let since = self
                    .seen_of(statement.signer())
                    .and_then(|seen| seen.listed);
                Reader::new(statement, since.map(UnixTime::from_secs))
            })
            .collect()
    }

    fn seen_of(&self, signer: &[u8; 32]) -> Option<&Seen> {
        let signer = base64url::encode(signer);
        self.seen.iter().find(|seen| seen.signer == signer)
    }

    /// Marks everybody who can read now as listed, and gives those who were not before.
    pub(crate) fn mark_listed(&mut self, now: UnixTime) -> Vec<[u8; 32]> {
        let mut added = Vec::new();
        let live: Vec<[u8; 32]> = self.live(now).map(|held| *held.signer()).collect();
        for signer in live {
            let name = base64url::encode(&signer);
            if let Some(seen) = self.seen.iter_mut().find(|seen| seen.signer == name)
                && seen.listed.is_none()
            {
                seen.listed = Some(now.as_secs());
                added.push(signer);
            }
        }
        added
    }

    /// Whether `statement` names the one before it that is known (`prev`, docs/protocol.md section 7.5).
    /// One that had run out may have had others after it, and of two that contradict each other either
    /// may be meant: these prove nothing.
    fn continues(&self, statement: &VerifiedStatement) -> bool {
        let Some(seen) = self.seen_of(statement.signer()) else {
            return true;
        };
        let prev = statement
            .prev()
            .map(|digest| base64url::encode(digest.as_octets()));
        statement.seq() <= seen.seq
            || seen.disputed
            || seen.exp <= statement.iat().as_secs()
            || prev.as_ref() == Some(&seen.digest)
    }

    /// Where announcements for the number would be left now: the preferred service of each statement.
    #[must_use]
    pub fn services(&self, now: UnixTime) -> Vec<BaseUrl> {
        self.live(now)
            .filter_map(|statement| statement.cps().first().cloned())
            .collect()
    }

    /// Takes in a statement that was just verified, unless its signer has said something newer, or
    /// something else under the same number (PRV-37).
    pub(crate) fn learn(&mut self, statement: VerifiedStatement) -> Result<(), Reason> {
        let signer = base64url::encode(statement.signer());
        let digest = base64url::encode(statement.digest().as_octets());
        let listed = self
            .seen_of(statement.signer())
            .and_then(|seen| seen.listed);
        if let Some(seen) = self.seen.iter_mut().find(|seen| seen.signer == signer) {
            if statement.seq() < seen.seq {
                return Err(Reason::SequenceRollback);
            }
            if statement.seq() == seen.seq && (seen.disputed || digest != seen.digest) {
                // Nothing of a signer that says two things is believed until it says a third, also
                // when it is later shown with one of the two alone.
                seen.disputed = true;
                seen.exp = seen.exp.max(statement.exp().as_secs());
                self.statements
                    .retain(|held| held.signer() != statement.signer());
                return Err(Reason::Equivocation);
            }
        }
        self.seen.retain(|seen| seen.signer != signer);
        self.seen.insert(
            0,
            Seen {
                signer,
                seq: statement.seq(),
                digest,
                exp: statement.exp().as_secs(),
                disputed: false,
                listed,
            },
        );
        self.seen.truncate(MAX_SEEN);
        self.statements
            .retain(|held| held.signer() != statement.signer());
        self.statements.push(Arc::new(statement));
        self.statements
            .sort_by_key(|held| core::cmp::Reverse(held.iat()));
        self.statements.truncate(MAX_STATEMENTS);
        Ok(())
    }

    /// Replaces what is live by what a directory answered; what was seen stays.
    pub(crate) fn refresh(&mut self, fetched: Vec<VerifiedStatement>, notices: &mut Vec<Reason>) {
        let before = core::mem::take(&mut self.statements);
        for statement in fetched {
            let continues = self.continues(&statement);
            match self.learn(statement) {
                Ok(()) if continues => {}
                Ok(()) => add_reason(notices, Reason::StatementChainBroken),
                Err(reason) => add_reason(notices, reason),
            }
        }
        // A directory that hides statements must not make callers forget keys they know (T24).
        for held in before {
            let known = self
                .statements
                .iter()
                .any(|new| new.signer() == held.signer());
            let signer = base64url::encode(held.signer());
            let disputed = self
                .seen
                .iter()
                .any(|seen| seen.disputed && seen.signer == signer);
            if !known && !disputed && self.statements.len() < MAX_STATEMENTS {
                self.statements.push(held);
            }
        }
    }

    /// Forgets what has expired.
    pub(crate) fn forget_expired(&mut self, now: UnixTime) {
        self.statements.retain(|statement| statement.exp() > now);
        self.seen
            .retain(|seen| seen.exp.saturating_add(SEEN_BEYOND_EXP) > now.as_secs());
    }

    /// Begins from a stored record: what was seen. Its statements are verified by the caller.
    pub(crate) fn from_record(octets: &[u8]) -> Result<(Self, Vec<String>), Reason> {
        if octets.len() > MAX_RECORD_OCTETS {
            return Err(Reason::MalformedRecord);
        }
        let record: PeerRecord =
            serde_json::from_slice(octets).map_err(|_| Reason::MalformedRecord)?;
        let well_formed = record.v == 1
            && record.statements.len() <= MAX_STATEMENTS
            && record.seen.len() <= MAX_SEEN;
        if !well_formed {
            return Err(Reason::MalformedRecord);
        }
        Ok((
            Self {
                statements: Vec::new(),
                seen: record.seen,
            },
            record.statements,
        ))
    }

    /// The record to store.
    pub(crate) fn to_record(&self) -> Result<Vec<u8>, Reason> {
        let record = PeerRecord {
            v: 1,
            statements: self
                .statements
                .iter()
                .map(|held| held.text().to_owned())
                .collect(),
            seen: self.seen.clone(),
        };
        serde_json::to_vec(&record).map_err(|_| Reason::Internal)
    }
}
