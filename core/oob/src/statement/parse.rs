//! Reading a key statement: everything about its form, nothing about trust.

use core::fmt;
use std::collections::HashSet;
use std::sync::Arc;

use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::jws::CompactJws;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, base64url};
use serde_json::{Map, Value};

use super::{MAX_KEYS, MAX_LIFE, MAX_SERVICES, MAX_STATEMENT_LEN, MAX_TOK_LEN, TYP};
use crate::{BaseUrl, RecipientKey, StatementDigest, Suite};

/// A key statement of the right form. Who signed it is not known yet. Cloning is cheap.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct KeyStatement(Arc<Parsed>);

struct Parsed {
    jws: CompactJws,
    header_bag: Option<CertificateBag>,
    claims: Claims,
    digest: StatementDigest,
}

struct Claims {
    iat: UnixTime,
    exp: UnixTime,
    seq: u64,
    numbers: Vec<TelephoneNumber>,
    cps: Vec<BaseUrl>,
    keys: Vec<RecipientKey>,
    recipients: Vec<RecipientKey>,
    unsupported_keys: Vec<RecipientKey>,
    prev: Option<StatementDigest>,
    tok: Option<String>,
}

impl fmt::Debug for KeyStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyStatement(..)")
    }
}

impl KeyStatement {
    /// Parses a statement and checks its form. A directory answers these errors with 400, and
    /// [`Reason::TooLong`] with 413; see [`Problem::for_statement`](crate::http::problem::Problem::for_statement).
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: over 16 KiB.
    /// - Those of [`CompactJws::parse`]; [`Reason::TypeMismatch`] for another `typ`.
    /// - [`Reason::MalformedUrl`]: an `x5u` or `cps` that is no https URL.
    /// - [`Reason::MalformedCertificate`] and others of [`CompactJws::x5c`].
    /// - [`Reason::MalformedKey`]: a key that is not valid for its suite, or is there twice.
    /// - [`Reason::MalformedNumber`]: a number in `sub` that is not canonical.
    /// - [`Reason::MalformedJson`], [`Reason::DuplicateMember`], [`Reason::TooDeep`]: the payload's JSON.
    /// - [`Reason::MalformedStatement`]: anything else: neither `x5u` nor `x5c`, a claim missing or of the
    ///   wrong form, a life over seven days.
    ///
    /// Source: docs/protocol.md section 7.4 (W-14).
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let jws = CompactJws::parse(text, MAX_STATEMENT_LEN)?;
        jws.require_typ(TYP)?;
        if jws.x5u()?.is_none() && !jws.has_x5c() {
            return Err(Reason::MalformedStatement);
        }
        let header_bag = jws.x5c()?;
        let payload = jws.payload_json()?;
        let claims = Claims::from_payload(&payload)?;
        let digest = StatementDigest::of_payload(jws.payload());
        Ok(Self(Arc::new(Parsed {
            jws,
            header_bag,
            claims,
            digest,
        })))
    }

    pub(super) fn jws(&self) -> &CompactJws {
        &self.0.jws
    }

    pub(super) fn header_bag(&self) -> Option<&CertificateBag> {
        self.0.header_bag.as_ref()
    }

    /// Whether the header carries certificates: the encoding that a directory takes (W-14).
    #[must_use]
    pub fn has_x5c(&self) -> bool {
        self.0.header_bag.is_some()
    }

    /// The header's `x5u`, if there is one: an https URL, not necessarily one that may be fetched.
    #[must_use]
    pub fn x5u(&self) -> Option<&str> {
        self.0.jws.x5u().ok().flatten()
    }

    /// The statement as it arrived.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.jws.text()
    }

    /// The digest that `ksd` and `prev` hold, the same for both encodings (W-13).
    #[must_use]
    pub fn digest(&self) -> &StatementDigest {
        &self.0.digest
    }

    /// When it was signed.
    #[must_use]
    pub fn iat(&self) -> UnixTime {
        self.0.claims.iat
    }

    /// The first second at which it is no longer valid.
    #[must_use]
    pub fn exp(&self) -> UnixTime {
        self.0.claims.exp
    }

    /// The sequence number: rises with every statement of a signer for a number.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.0.claims.seq
    }

    /// The numbers of `sub`. URIs there are not shown: no certificate vouches for them.
    #[must_use]
    pub fn numbers(&self) -> &[TelephoneNumber] {
        &self.0.claims.numbers
    }

    /// The placement services, in order of preference: one to four.
    #[must_use]
    pub fn cps(&self) -> &[BaseUrl] {
        &self.0.claims.cps
    }

    /// The keys that this build can seal to, in their order; possibly none.
    #[must_use]
    pub fn keys(&self) -> &[RecipientKey] {
        &self.0.claims.keys
    }

    /// The keys to seal to: those of hybrid suites if the statement names any, else all of
    /// [`Self::keys`]. A copy for a classical key beside them would undo what the hybrid key is for
    /// (PRV-19, PRV-20).
    #[must_use]
    pub fn recipients(&self) -> &[RecipientKey] {
        &self.0.claims.recipients
    }

    /// Whether the statement names classical keys beside hybrid ones, which are left out of
    /// [`Self::recipients`].
    #[must_use]
    pub fn has_classical_beside_hybrid(&self) -> bool {
        self.recipients().len() < self.keys().len()
    }

    /// The keys of suites that this build knows by form only. A service counts them: it holds blobs of
    /// these suites like any other.
    #[must_use]
    pub fn unsupported_keys(&self) -> &[RecipientKey] {
        &self.0.claims.unsupported_keys
    }

    /// The digest of the statement before, if the signer names one.
    #[must_use]
    pub fn prev(&self) -> Option<&StatementDigest> {
        self.0.claims.prev.as_ref()
    }

    /// The issuer of storage tokens, if the service wants them.
    #[must_use]
    pub fn tok(&self) -> Option<&str> {
        self.0.claims.tok.as_deref()
    }
}

/// Of keys that are all one party's, those that callers seal to.
fn recipients(keys: &[RecipientKey]) -> Vec<RecipientKey> {
    let hybrid: Vec<_> = keys
        .iter()
        .filter(|key| key.suite().is_hybrid())
        .cloned()
        .collect();
    if hybrid.is_empty() {
        keys.to_vec()
    } else {
        hybrid
    }
}

impl Claims {
    fn from_payload(payload: &Value) -> Result<Self, Reason> {
        let malformed = Reason::MalformedStatement;
        let members = payload.as_object().ok_or(malformed)?;
        let iat = integer(members, "iat")?;
        let exp = integer(members, "exp")?;
        let life = exp.checked_sub(iat).ok_or(malformed)?;
        if life == 0 || life > MAX_LIFE.as_secs() {
            return Err(malformed);
        }
        let (mut keys, mut unsupported_keys) = (Vec::new(), Vec::new());
        for key in known_keys(members)? {
            if key.suite().is_supported() {
                keys.push(key);
            } else {
                unsupported_keys.push(key);
            }
        }
        Ok(Self {
            iat: UnixTime::from_secs(iat),
            exp: UnixTime::from_secs(exp),
            seq: integer(members, "seq")?,
            numbers: numbers(members)?,
            cps: array(members, "cps", MAX_SERVICES)?
                .iter()
                .map(|url| BaseUrl::parse(url.as_str().ok_or(malformed)?))
                .collect::<Result<_, _>>()?,
            recipients: recipients(&keys),
            keys,
            unsupported_keys,
            prev: members.get("prev").map(digest).transpose()?,
            tok: members.get("tok").map(tok).transpose()?,
        })
    }
}

fn integer(members: &Map<String, Value>, name: &str) -> Result<u64, Reason> {
    members
        .get(name)
        .and_then(Value::as_u64)
        .ok_or(Reason::MalformedStatement)
}

/// An array of 1 to `max` elements.
fn array<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    max: usize,
) -> Result<&'a [Value], Reason> {
    members
        .get(name)
        .and_then(Value::as_array)
        .filter(|elements| (1..=max).contains(&elements.len()))
        .map(Vec::as_slice)
        .ok_or(Reason::MalformedStatement)
}

/// `sub`, of the shape of a PASSporT's `dest`: `tn`, `uri` or both, arrays that are not empty.
fn numbers(members: &Map<String, Value>) -> Result<Vec<TelephoneNumber>, Reason> {
    let malformed = Reason::MalformedStatement;
    let sub = members
        .get("sub")
        .and_then(Value::as_object)
        .ok_or(malformed)?;
    if !sub.contains_key("tn") && !sub.contains_key("uri") {
        return Err(malformed);
    }
    // The JSON reader has bounded the arrays already.
    if sub.contains_key("uri") {
        let text = |uri: &Value| uri.as_str().is_some_and(|uri| !uri.is_empty());
        if !array(sub, "uri", usize::MAX)?.iter().all(text) {
            return Err(malformed);
        }
    }
    if !sub.contains_key("tn") {
        return Ok(Vec::new());
    }
    array(sub, "tn", usize::MAX)?
        .iter()
        .map(|tn| TelephoneNumber::from_canonical(tn.as_str().ok_or(malformed)?))
        .collect()
}

/// The keys of suites whose form is known. Entries of other suites are skipped, those of known ones must
/// be valid and different.
fn known_keys(members: &Map<String, Value>) -> Result<Vec<RecipientKey>, Reason> {
    let malformed = Reason::MalformedStatement;
    let mut keys = Vec::new();
    let mut seen = HashSet::new();
    for entry in array(members, "keys", MAX_KEYS)? {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).ok_or(malformed);
        let Some(suite) = Suite::from_name(text("suite")?) else {
            continue;
        };
        let public = base64url::decode(text("pub")?).map_err(|_| Reason::MalformedKey)?;
        let key = RecipientKey::new(suite, &public)?;
        if !seen.insert(key.clone()) {
            return Err(Reason::MalformedKey);
        }
        keys.push(key);
    }
    Ok(keys)
}

fn digest(value: &Value) -> Result<StatementDigest, Reason> {
    value
        .as_str()
        .and_then(|text| base64url::decode(text).ok())
        .and_then(|octets| octets.try_into().ok())
        .map(StatementDigest::from_octets)
        .ok_or(Reason::MalformedStatement)
}

fn tok(value: &Value) -> Result<String, Reason> {
    value
        .as_str()
        .filter(|text| (1..=MAX_TOK_LEN).contains(&text.len()))
        .map(str::to_owned)
        .ok_or(Reason::MalformedStatement)
}
