//! Compact JWS with ES256, the envelope of PASSporTs and of key statements.
//!
//! What arrives is verified over the octets that arrived and parsed from those; what is made is
//! serialised once, deterministically. `typ` and the payload are for the layer above.

use core::fmt;
use std::sync::OnceLock;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::certificate::{Certificate, CertificateBag};
use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey, Signer};
use crate::{Reason, base64url, json, x5u};

/// Base64url characters of a 64-octet signature.
const SIGNATURE_TEXT_LEN: usize = 86;

/// A compact JWS that was parsed, not verified. Its algorithm is ES256.
///
/// Source: RFC 7515 section 7.1; RFC 8225 section 6 (PPT-1, PPT-3, PPT-4).
#[derive(Clone)]
pub struct CompactJws {
    text: String,
    signing_input_len: usize,
    header: Value,
    header_octets: Vec<u8>,
    payload: Vec<u8>,
    signature: Es256Signature,
    /// The key under which the signature was found good. A token never changes, so finding the
    /// signer and verifying afterwards cost one signature check, not two.
    verified_with: OnceLock<P256PublicKey>,
}

impl fmt::Debug for CompactJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompactJws(..)")
    }
}

impl CompactJws {
    /// Takes a token of at most `max_len` characters apart.
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: more than `max_len` characters.
    /// - [`Reason::MalformedToken`]: not three base64url parts, the header is no object, or it has a
    ///   `crit` member (no extension of JWS is supported).
    /// - [`Reason::AlgorithmNotAllowed`]: `alg` is not `ES256`; `none` never is.
    /// - [`Reason::MalformedSignature`]: not 64 octets, a DER signature for one, or r or s out of range.
    /// - [`Reason::MalformedJson`], [`Reason::DuplicateMember`], [`Reason::TooDeep`]: the header's JSON.
    pub fn parse(text: &str, max_len: usize) -> Result<Self, Reason> {
        let mut refusals = Vec::new();
        let parts = take_apart(text, max_len, &mut refusals);
        match (refusals.first(), parts) {
            (None, Some(parts)) => Self::from_parts(text, parts).ok_or(Reason::Internal),
            (reason, _) => Err(reason.copied().unwrap_or(Reason::Internal)),
        }
    }

    /// Puts together what was taken apart from `text`, if all of it was good.
    pub(crate) fn from_parts(text: &str, parts: Parts) -> Option<Self> {
        Some(Self {
            signing_input_len: parts.signing_input_len,
            text: text.to_owned(),
            header: parts.header?,
            header_octets: parts.header_octets,
            payload: parts.payload?,
            signature: parts.signature?,
            verified_with: OnceLock::new(),
        })
    }

    /// The whole token as it arrived.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the signature is over: the first two parts with the dot between them.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        self.text.get(..self.signing_input_len).unwrap_or_default()
    }

    /// The header, an object.
    #[must_use]
    pub const fn header(&self) -> &Value {
        &self.header
    }

    /// The payload octets as they were signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload read as strict JSON. Parses on each call.
    ///
    /// # Errors
    ///
    /// Those of [`json::parse`], the size excepted: the token's own limit bounds it.
    pub fn payload_json(&self) -> Result<Value, Reason> {
        json::parse(&self.payload, self.payload.len())
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Es256Signature {
        &self.signature
    }

    /// Requires the header `typ` to be exactly `typ`.
    ///
    /// # Errors
    ///
    /// [`Reason::TypeMismatch`] otherwise.
    pub fn require_typ(&self, typ: &str) -> Result<(), Reason> {
        if self.header.get("typ").and_then(Value::as_str) == Some(typ) {
            Ok(())
        } else {
            Err(Reason::TypeMismatch)
        }
    }

    /// The header `x5u`, if there is one.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] if it is no https URL of at most 2048 visible ASCII characters.
    pub fn x5u(&self) -> Result<Option<&str>, Reason> {
        match self.header.get("x5u") {
            None => Ok(None),
            Some(Value::String(url)) if x5u::is_https(url) => Ok(Some(url)),
            Some(_) => Err(Reason::MalformedUrl),
        }
    }

    /// Whether the header has an `x5c` member. Cheap, unlike reading it.
    #[must_use]
    pub fn has_x5c(&self) -> bool {
        self.header.get("x5c").is_some()
    }

    /// The certificates of the header `x5c`, if there is one. Parses them on each call.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedCertificate`] if it is no array of strings, and those of
    /// [`CertificateBag::from_base64_der`].
    ///
    /// Source: RFC 7515 section 4.1.6 (CRT-38, W-1).
    pub fn x5c(&self) -> Result<Option<CertificateBag>, Reason> {
        let Some(x5c) = self.header.get("x5c") else {
            return Ok(None);
        };
        let texts = x5c
            .as_array()
            .and_then(|array| array.iter().map(Value::as_str).collect::<Option<Vec<_>>>())
            .ok_or(Reason::MalformedCertificate)?;
        CertificateBag::from_base64_der(&texts).map(Some)
    }

    /// Checks the signature over the received octets (PPT-12).
    ///
    /// # Errors
    ///
    /// [`Reason::SignatureInvalid`] if `key` did not make it.
    pub fn verify(&self, provider: &dyn CryptoProvider, key: &P256PublicKey) -> Result<(), Reason> {
        if self.verified_with.get() == Some(key) {
            return Ok(());
        }
        if !provider.verify_es256(key, self.signing_input().as_bytes(), &self.signature) {
            return Err(Reason::SignatureInvalid);
        }
        // Two keys for one signature exist only by construction; the first stays remembered then.
        let _ = self.verified_with.set(*key);
        Ok(())
    }

    /// The end-entity certificate of `bag` whose key verifies this token (W-1).
    ///
    /// Tries them in the order of the bag, so a sender that puts the signer first costs one check.
    #[must_use]
    pub fn find_signer<'bag>(
        &self,
        provider: &dyn CryptoProvider,
        bag: &'bag CertificateBag,
    ) -> Option<&'bag Certificate> {
        bag.end_entities().find(|certificate| {
            certificate
                .public_key()
                .is_some_and(|key| self.verify(provider, key).is_ok())
        })
    }

    /// Requires header and `payload`, which must be this token's own, to be the deterministic
    /// serialisation. Only after the signature holds (PPT-12, PPT-13).
    ///
    /// # Errors
    ///
    /// [`Reason::NotCanonical`] otherwise.
    pub fn require_canonical(&self, payload: &Value) -> Result<(), Reason> {
        if self.is_canonical(payload) {
            Ok(())
        } else {
            Err(Reason::NotCanonical)
        }
    }

    /// Whether header and `payload`, which must be this token's own, are as they would be written here.
    pub(crate) fn is_canonical(&self, payload: &Value) -> bool {
        json::canonical(&self.header).as_bytes() == self.header_octets
            && json::canonical(payload).as_bytes() == self.payload
    }
}

/// What a token of three parts consists of. A part that is not there was refused.
pub(crate) struct Parts {
    signing_input_len: usize,
    /// An object.
    pub(crate) header: Option<Value>,
    header_octets: Vec<u8>,
    pub(crate) payload: Option<Vec<u8>>,
    signature: Option<Es256Signature>,
}

/// Takes a token apart and goes on where it can: every refusal is added, in the order of the parts and
/// the checks on them. `None` if there are no three parts to look at.
pub(crate) fn take_apart(text: &str, max_len: usize, refusals: &mut Vec<Reason>) -> Option<Parts> {
    let mut refuse = |reason| {
        if !refusals.contains(&reason) {
            refusals.push(reason);
        }
    };
    if text.len() > max_len {
        refuse(Reason::TooLong);
        return None;
    }
    let three = text
        .rsplit_once('.')
        .and_then(|(signing_input, signature)| {
            let (header, payload) = signing_input.split_once('.')?;
            (!header.is_empty() && !payload.is_empty()).then_some((
                signing_input.len(),
                header,
                payload,
                signature,
            ))
        });
    let Some((signing_input_len, header, payload, signature)) = three else {
        refuse(Reason::MalformedToken);
        return None;
    };
    let mut noted = |decoded: Result<Vec<u8>, Reason>| decoded.map_err(&mut refuse).ok();
    let header_octets = noted(base64url::decode(header));
    // A further dot is outside the alphabet.
    let payload = noted(base64url::decode(payload));
    let signature = noted(base64url::decode(signature));
    let header = header_octets
        .as_ref()
        .and_then(|octets| json::parse(octets, max_len).map_err(&mut refuse).ok());
    if let Some(header) = &header {
        if !header.is_object() || header.get("crit").is_some() {
            refuse(Reason::MalformedToken);
        }
        if header.get("alg").and_then(Value::as_str) != Some("ES256") {
            refuse(Reason::AlgorithmNotAllowed);
        }
    }
    let signature =
        signature.and_then(|octets| Es256Signature::from_raw(&octets).map_err(&mut refuse).ok());
    Some(Parts {
        signing_input_len,
        header,
        header_octets: header_octets.unwrap_or_default(),
        payload,
        signature,
    })
}

/// Whether this is the compact form of a PASSporT: a signature alone, behind two dots. It is for those
/// who have the message it belongs to (RFC 8225 section 7; PPT-16, PPT-17).
pub(crate) fn is_compact_form(text: &str) -> bool {
    text.strip_prefix("..")
        .is_some_and(|signature| !signature.is_empty() && !signature.contains('.'))
}

/// A JWS that lacks its signature. Made here, so its header and payload are deterministic JSON.
#[derive(Clone)]
pub struct UnsignedJws {
    signing_input: String,
}

impl fmt::Debug for UnsignedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsignedJws(..)")
    }
}

impl UnsignedJws {
    /// Serialises header and payload. The header's `alg` is always written as `ES256`.
    #[must_use]
    pub fn new(header: &Value, payload: &Value) -> Self {
        let mut header = header.clone();
        if let Value::Object(members) = &mut header {
            members.insert("alg".to_owned(), Value::from("ES256"));
        }
        let header = base64url::encode(json::canonical(&header).as_bytes());
        let payload = base64url::encode(json::canonical(payload).as_bytes());
        Self {
            signing_input: format!("{header}.{payload}"),
        }
    }

    /// What the signature is over.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        &self.signing_input
    }

    /// The SHA-256 of [`UnsignedJws::signing_input`], for keys that sign digests.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.signing_input.as_bytes()).into()
    }

    /// How many characters the finished token will have.
    #[must_use]
    pub const fn signed_len(&self) -> usize {
        self.signing_input
            .len()
            .saturating_add(1 + SIGNATURE_TEXT_LEN)
    }

    /// Adds the signature after checking it: a key store that hashed twice, or used another key, is
    /// noticed here and not by the other side (PRV-22).
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if the signature is not by `key` over this token.
    pub fn complete(
        self,
        provider: &dyn CryptoProvider,
        key: &P256PublicKey,
        signature: &Es256Signature,
    ) -> Result<String, Reason> {
        if !provider.verify_es256(key, self.signing_input.as_bytes(), signature) {
            return Err(Reason::SignerFailed);
        }
        let mut text = self.signing_input;
        text.push('.');
        text.push_str(&base64url::encode(signature.as_raw()));
        Ok(text)
    }

    /// Lets `signer` sign and completes the token.
    ///
    /// # Errors
    ///
    /// What [`Signer::sign`] returns; [`Reason::SignerFailed`] if the signature has the wrong form or
    /// does not verify.
    pub fn sign(
        self,
        provider: &dyn CryptoProvider,
        signer: &dyn Signer,
    ) -> Result<String, Reason> {
        let signature = signer
            .sign(self.signing_input.as_bytes(), &self.digest())?
            .to_es256()
            .map_err(|_| Reason::SignerFailed)?;
        self.complete(provider, &signer.public_key(), &signature)
    }
}
