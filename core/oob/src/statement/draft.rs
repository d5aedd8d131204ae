//! Making a key statement: one payload, two encodings, two signatures.

use core::fmt;

use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::crypto::{CryptoProvider, Es256Signature, P256PublicKey, Signer};
use ringtrue_stir::jws::UnsignedJws;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, X5u, base64url, json};
use serde_json::{Map, Value};

use super::{MAX_KEYS, MAX_LIFE, MAX_SERVICES, MAX_STATEMENT_LEN, MAX_TOK_LEN, TYP};
use crate::{BaseUrl, RecipientKey, StatementDigest};

/// Numbers in one statement: what the readers' JSON limits allow in an array.
const MAX_NUMBERS: usize = json::MAX_ARRAY_LEN;

/// What a key statement is to say.
///
/// [`fmt::Debug`] hides the numbers.
#[derive(Clone)]
pub struct StatementDraft {
    /// Now.
    pub iat: UnixTime,
    /// The end: at most seven days later, and not after the signer certificate's notAfter.
    pub exp: UnixTime,
    /// Higher than in every statement of this signer for these numbers before.
    pub seq: u64,
    /// The numbers: 1 to 64, all of them covered by the signer's certificate.
    pub numbers: Vec<TelephoneNumber>,
    /// Where the numbers look for calls, in order of preference: 1 to 4.
    pub cps: Vec<BaseUrl>,
    /// The keys: 1 to 8, all different.
    pub keys: Vec<RecipientKey>,
    /// The digest of the statement before, if there was one.
    pub prev: Option<StatementDigest>,
    /// The issuer name for storage tokens, if the service wants them.
    pub tok: Option<String>,
}

impl fmt::Debug for StatementDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementDraft")
            .field("iat", &self.iat)
            .field("exp", &self.exp)
            .field("seq", &self.seq)
            .field("numbers", &self.numbers.len())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl StatementDraft {
    /// Serialises both encodings. `x5u` is where others find the chain `bag`, whose first certificate is
    /// the signer's.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedStatement`] if a reader would refuse the form, [`Reason::TooLong`] if the
    /// directory encoding is over 16 KiB.
    pub fn build(&self, x5u: &X5u, bag: &CertificateBag) -> Result<UnsignedStatement, Reason> {
        let payload = self.payload()?;
        let mut header = Map::new();
        header.insert("typ".to_owned(), Value::from(TYP));
        header.insert("x5u".to_owned(), Value::from(x5u.as_str()));
        let inline = UnsignedJws::new(&Value::Object(header.clone()), &payload);
        header.insert("x5c".to_owned(), Value::from(bag.to_x5c()));
        let directory = UnsignedJws::new(&Value::Object(header), &payload);
        if directory.signed_len() > MAX_STATEMENT_LEN {
            return Err(Reason::TooLong);
        }
        Ok(UnsignedStatement {
            directory,
            inline,
            digest: StatementDigest::of_payload(json::canonical(&payload).as_bytes()),
            iat: self.iat,
            exp: self.exp,
            seq: self.seq,
        })
    }

    fn payload(&self) -> Result<Value, Reason> {
        let life = self.exp.as_secs().saturating_sub(self.iat.as_secs());
        let distinct = |index: usize, key: &RecipientKey| {
            self.keys
                .iter()
                .position(|other| other == key)
                .is_none_or(|first| first == index)
        };
        let well_formed = (1..=MAX_LIFE.as_secs()).contains(&life)
            && (1..=MAX_NUMBERS).contains(&self.numbers.len())
            && (1..=MAX_SERVICES).contains(&self.cps.len())
            && (1..=MAX_KEYS).contains(&self.keys.len())
            && self
                .keys
                .iter()
                .enumerate()
                .all(|(index, key)| distinct(index, key))
            && self
                .tok
                .as_ref()
                .is_none_or(|tok| (1..=MAX_TOK_LEN).contains(&tok.len()));
        if !well_formed {
            return Err(Reason::MalformedStatement);
        }

        let numbers: Vec<&str> = self.numbers.iter().map(TelephoneNumber::as_str).collect();
        let services: Vec<&str> = self.cps.iter().map(BaseUrl::as_str).collect();
        let keys: Vec<Value> = self.keys.iter().map(key_entry).collect();
        let mut payload = Map::new();
        payload.insert("iat".to_owned(), Value::from(self.iat.as_secs()));
        payload.insert("exp".to_owned(), Value::from(self.exp.as_secs()));
        payload.insert("seq".to_owned(), Value::from(self.seq));
        payload.insert("sub".to_owned(), object([("tn", Value::from(numbers))]));
        payload.insert("cps".to_owned(), Value::from(services));
        payload.insert("keys".to_owned(), Value::from(keys));
        if let Some(prev) = &self.prev {
            let prev = base64url::encode(prev.as_octets());
            payload.insert("prev".to_owned(), Value::from(prev));
        }
        if let Some(tok) = &self.tok {
            payload.insert("tok".to_owned(), Value::from(tok.as_str()));
        }
        Ok(Value::Object(payload))
    }
}

fn key_entry(key: &RecipientKey) -> Value {
    object([
        ("suite", Value::from(key.suite().name())),
        ("pub", Value::from(base64url::encode(key.as_octets()))),
        ("kid", Value::from(key.kid())),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.map(|(name, value)| (name.to_owned(), value));
    Value::Object(members.into_iter().collect())
}

/// Both encodings of a statement, without signatures. The payload octets are the same (W-2).
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct UnsignedStatement {
    directory: UnsignedJws,
    inline: UnsignedJws,
    digest: StatementDigest,
    iat: UnixTime,
    exp: UnixTime,
    seq: u64,
}

impl fmt::Debug for UnsignedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsignedStatement(..)")
    }
}

impl UnsignedStatement {
    /// What the signature of the directory encoding is over.
    #[must_use]
    pub fn directory_signing_input(&self) -> &str {
        self.directory.signing_input()
    }

    /// What the signature of the inline encoding is over.
    #[must_use]
    pub fn inline_signing_input(&self) -> &str {
        self.inline.signing_input()
    }

    /// The statement's digest (W-13).
    #[must_use]
    pub const fn digest(&self) -> &StatementDigest {
        &self.digest
    }

    /// When it is signed.
    #[must_use]
    pub const fn iat(&self) -> UnixTime {
        self.iat
    }

    /// When it ends.
    #[must_use]
    pub const fn exp(&self) -> UnixTime {
        self.exp
    }

    /// The sequence number.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Adds both signatures after checking them (PRV-22).
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if one is not by `key` over its encoding.
    pub fn complete(
        self,
        provider: &dyn CryptoProvider,
        key: &P256PublicKey,
        directory: &Es256Signature,
        inline: &Es256Signature,
    ) -> Result<SignedStatement, Reason> {
        Ok(SignedStatement {
            directory: self.directory.complete(provider, key, directory)?,
            inline: self.inline.complete(provider, key, inline)?,
            digest: self.digest,
        })
    }

    /// Lets `signer` sign both encodings.
    ///
    /// # Errors
    ///
    /// As [`UnsignedJws::sign`].
    pub fn sign(
        self,
        provider: &dyn CryptoProvider,
        signer: &dyn Signer,
    ) -> Result<SignedStatement, Reason> {
        Ok(SignedStatement {
            directory: self.directory.sign(provider, signer)?,
            inline: self.inline.sign(provider, signer)?,
            digest: self.digest,
        })
    }
}

/// A finished statement.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedStatement {
    /// With the certificates in the header: for key directories.
    pub directory: String,
    /// With `x5u` only: for `rsp.eks`, whose certificates are in the content around it.
    pub inline: String,
    /// The digest of both.
    pub digest: StatementDigest,
}

impl fmt::Debug for SignedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedStatement(..)")
    }
}
