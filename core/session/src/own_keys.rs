//! The endpoint's own encryption keys and the statement that publishes them, as one state record.
//!
//! Keys and statement are written together, before anything is published: whoever reads a published
//! statement can always be answered, whenever the process dies.

use core::fmt;
use std::sync::Arc;

use ringtrue_oob::{RecipientKey, Suite};
use ringtrue_stir::crypto::{CryptoProvider, PreparedKey, SecretKey};
use ringtrue_stir::{Reason, base64url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A record holds at most two generations of at most eight keys and two statements of 16 KiB each.
const MAX_RECORD_OCTETS: usize = 65_536;

/// Where the secret half of a key is.
#[derive(Clone)]
pub(crate) enum Secret {
    /// In the record.
    Software(SecretKey),
    /// In hardware: the host is asked to agree.
    Hardware,
}

/// One encryption key.
#[derive(Clone)]
pub(crate) struct OwnKey {
    pub(crate) recipient: RecipientKey,
    pub(crate) secret: Secret,
    /// The secret made ready for a mailbox full of blobs, see [`OwnKeys::prepare`].
    pub(crate) prepared: Option<Arc<dyn PreparedKey>>,
}

/// The statement that publishes the current keys, in both encodings (W-2).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OwnStatement {
    /// With `x5c`, for the directory.
    pub(crate) directory: String,
    /// With `x5u` only, for inlining.
    pub(crate) inline: String,
    /// SHA-256 of the payload (W-13).
    pub(crate) digest: [u8; 32],
    /// Unix seconds.
    pub(crate) iat: u64,
    /// Unix seconds.
    pub(crate) exp: u64,
    pub(crate) seq: u64,
    /// What was said besides keys: changed settings need a new statement.
    pub(crate) about: String,
}

/// The endpoint's own encryption keys: the current ones, the ones before (at most two keys per suite
/// together, PRV-10) and the statement that names the current ones.
#[derive(Clone)]
pub struct OwnKeys {
    pub(crate) current: Vec<OwnKey>,
    pub(crate) previous: Vec<OwnKey>,
    pub(crate) statement: OwnStatement,
    /// The digest of the statement before, which callers may still hold.
    pub(crate) previous_digest: Option<[u8; 32]>,
    /// The digest of the last statement that a directory has acknowledged, where that is not this one.
    pub(crate) acknowledged: Option<[u8; 32]>,
    /// Whether a directory has acknowledged the statement for every number.
    pub(crate) published: bool,
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKeys")
            .field("current", &self.current.len())
            .field("previous", &self.previous.len())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct KeyRecord {
    suite: String,
    public: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Zeroizing<String>>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    current: Vec<KeyRecord>,
    previous: Vec<KeyRecord>,
    directory: String,
    inline: String,
    digest: String,
    iat: u64,
    exp: u64,
    seq: u64,
    about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<String>,
    published: bool,
}

impl OwnKeys {
    /// Reads the record.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedRecord`] if it was not written by this code.
    pub(crate) fn from_record(octets: &[u8]) -> Result<Self, Reason> {
        if octets.len() > MAX_RECORD_OCTETS {
            return Err(Reason::MalformedRecord);
        }
        let record: Record = serde_json::from_slice(octets).map_err(|_| Reason::MalformedRecord)?;
        if record.v != 1 {
            return Err(Reason::MalformedRecord);
        }
        let digest = |text: &str| -> Result<[u8; 32], Reason> {
            base64url::decode(text)
                .ok()
                .and_then(|octets| octets.try_into().ok())
                .ok_or(Reason::MalformedRecord)
        };
        let keys = |records: Vec<KeyRecord>| -> Result<Vec<OwnKey>, Reason> {
            records
                .into_iter()
                .map(|record| OwnKey::from_record(&record))
                .collect()
        };
        Ok(Self {
            current: keys(record.current)?,
            previous: keys(record.previous)?,
            statement: OwnStatement {
                directory: record.directory,
                inline: record.inline,
                digest: digest(&record.digest)?,
                iat: record.iat,
                exp: record.exp,
                seq: record.seq,
                about: record.about,
            },
            previous_digest: record.previous_digest.as_deref().map(digest).transpose()?,
            acknowledged: record.acknowledged.as_deref().map(digest).transpose()?,
            published: record.published,
        })
    }

    /// The record. Overwritten on drop, as it holds secrets.
    pub(crate) fn to_record(&self) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let keys = |keys: &[OwnKey]| keys.iter().map(OwnKey::to_record).collect();
        let record = Record {
            v: 1,
            current: keys(&self.current),
            previous: keys(&self.previous),
            directory: self.statement.directory.clone(),
            inline: self.statement.inline.clone(),
            digest: base64url::encode(&self.statement.digest),
            iat: self.statement.iat,
            exp: self.statement.exp,
            seq: self.statement.seq,
            about: self.statement.about.clone(),
            previous_digest: self
                .previous_digest
                .map(|digest| base64url::encode(&digest)),
            acknowledged: self.acknowledged.map(|digest| base64url::encode(&digest)),
            published: self.published,
        };
        // One allocation of the final size, so that growing leaves no copies of secrets behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(MAX_RECORD_OCTETS));
        serde_json::to_writer(&mut *octets, &record).map_err(|_| Reason::Internal)?;
        Ok(octets)
    }

    /// Every key that may have to open a blob, current ones first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &OwnKey> {
        self.current.iter().chain(&self.previous)
    }

    /// Makes the keys ready to be tried on many blobs.
    pub(crate) fn prepare(&mut self, provider: &dyn CryptoProvider) {
        for key in self.current.iter_mut().chain(&mut self.previous) {
            if let (Some(curve), Secret::Software(secret)) =
                (key.recipient.suite().curve(), &key.secret)
            {
                key.prepared = provider.prepare(curve, secret);
            }
        }
    }

    /// Whether `digest` is that of a statement this endpoint signed (W-34).
    pub(crate) fn knows_statement(&self, digest: &[u8]) -> bool {
        let known = |own: &[u8; 32]| own.as_slice() == digest;
        known(&self.statement.digest)
            || self.previous_digest.as_ref().is_some_and(known)
            || self.acknowledged.as_ref().is_some_and(known)
    }
}

impl OwnKey {
    fn from_record(record: &KeyRecord) -> Result<Self, Reason> {
        let suite = Suite::from_name(&record.suite).ok_or(Reason::MalformedRecord)?;
        let public = base64url::decode(&record.public).map_err(|_| Reason::MalformedRecord)?;
        let recipient = RecipientKey::new(suite, &public).map_err(|_| Reason::MalformedRecord)?;
        let secret = match &record.secret {
            None => Secret::Hardware,
            Some(text) => {
                let octets =
                    Zeroizing::new(base64url::decode(text).map_err(|_| Reason::MalformedRecord)?);
                Secret::Software(
                    SecretKey::from_slice(&octets).map_err(|_| Reason::MalformedRecord)?,
                )
            }
        };
        Ok(Self {
            recipient,
            secret,
            prepared: None,
        })
    }

    fn to_record(&self) -> KeyRecord {
        KeyRecord {
            suite: self.recipient.suite().name().to_owned(),
            public: base64url::encode(self.recipient.as_octets()),
            secret: match &self.secret {
                Secret::Hardware => None,
                Secret::Software(secret) => {
                    Some(Zeroizing::new(base64url::encode(secret.expose())))
                }
            },
        }
    }
}
