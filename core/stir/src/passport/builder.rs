//! Making PASSporTs.

use core::fmt;

use serde_json::{Map, Value};

use super::{
    Attestation, Claims, Destinations, Identity, MAX_PASSPORT_LEN, Passport, PassportType,
};
use crate::certificate::CertificateBag;
use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey, Signer};
use crate::jws::UnsignedJws;
use crate::{Reason, UnixTime, X5u, json};

/// Collects what a PASSporT says. [`PassportBuilder::build`] checks it with the reader's own rules.
#[derive(Clone)]
pub struct PassportBuilder {
    kind: PassportType,
    header: Map<String, Value>,
    payload: Map<String, Value>,
}

impl fmt::Debug for PassportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassportBuilder(..)")
    }
}

impl PassportBuilder {
    /// A PASSporT without `ppt`: `orig` calls `dest`. `iat` is when the call was originated, not when
    /// it is signed (PPT-11b).
    ///
    /// Source: RFC 8225 sections 4 and 5.
    #[must_use]
    pub fn base(orig: &Identity, dest: Destinations, iat: UnixTime, x5u: &X5u) -> Self {
        Self::new(PassportType::Base, orig, dest, iat, x5u)
    }

    /// A provider's attestation. `origid` is a UUID that identifies no person (PPT-44).
    ///
    /// Source: RFC 8588 sections 4 and 5.
    #[must_use]
    pub fn shaken(
        orig: &Identity,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
        attest: Attestation,
        origid: &str,
    ) -> Self {
        Self::new(PassportType::Shaken, orig, dest, iat, x5u)
            .claim("attest", Value::from(attest.as_str()))
            .claim("origid", Value::from(origid))
    }

    /// An answer: the signer vouches for `dest`, having been called by `orig` (RSP-3, RSP-20). `dest` is
    /// echoed as it is, so that the caller finds its own again (W-26).
    ///
    /// Source: RFC 9970 section 4.
    #[must_use]
    pub fn rsp(orig: &Identity, dest: Destinations, iat: UnixTime, x5u: &X5u) -> Self {
        let echo = dest.to_claim();
        let mut builder = Self::new(PassportType::Rsp, orig, dest, iat, x5u);
        builder.payload.insert("dest".to_owned(), echo);
        builder
    }

    fn new(
        kind: PassportType,
        orig: &Identity,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
    ) -> Self {
        let mut header = Map::new();
        header.insert("typ".to_owned(), Value::from("passport"));
        header.insert("x5u".to_owned(), Value::from(x5u.as_str()));
        if let Some(ppt) = kind.ppt() {
            header.insert("ppt".to_owned(), Value::from(ppt));
        }
        let mut payload = Map::new();
        payload.insert("iat".to_owned(), Value::from(iat.as_secs()));
        payload.insert("orig".to_owned(), orig.to_claim());
        payload.insert("dest".to_owned(), dest.sorted().to_claim());
        Self {
            kind,
            header,
            payload,
        }
    }

    /// Adds the certificates to the header; roots are left out (CRT-38).
    #[must_use]
    pub fn x5c(mut self, bag: &CertificateBag) -> Self {
        self.header
            .insert("x5c".to_owned(), Value::from(bag.to_x5c()));
        self
    }

    /// Adds or replaces a claim. Readers ignore those they do not know (PPT-15).
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.payload.insert(name.to_owned(), value);
        self
    }

    /// Checks everything and serialises it.
    ///
    /// # Errors
    ///
    /// What a reader would say: [`Reason::MalformedClaims`] and [`Reason::MalformedNumber`] (no
    /// destination, an identity or `origid` in the wrong form, a claim name that is not ASCII),
    /// [`Reason::IatNotNumber`], [`Reason::TooDeep`], and [`Reason::TooLong`] beyond 16 KiB.
    pub fn build(self) -> Result<UnsignedPassport, Reason> {
        if !self.payload.keys().all(|name| name.is_ascii()) {
            return Err(Reason::MalformedClaims);
        }
        let payload = Value::Object(self.payload);
        let jws = UnsignedJws::new(&Value::Object(self.header), &payload);
        if jws.signed_len() > MAX_PASSPORT_LEN {
            return Err(Reason::TooLong);
        }
        // Read back, for the limits on depth and arrays; what is read is what was meant.
        let text = json::canonical(&payload);
        let read = json::parse(text.as_bytes(), MAX_PASSPORT_LEN)?;
        Claims::from_payload(self.kind, read)?;
        Ok(UnsignedPassport { jws })
    }
}

/// A PASSporT that lacks its signature.
#[derive(Clone, Debug)]
pub struct UnsignedPassport {
    jws: UnsignedJws,
}

impl UnsignedPassport {
    /// What the signature is over.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        self.jws.signing_input()
    }

    /// The SHA-256 of [`UnsignedPassport::signing_input`], for keys that sign digests.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.jws.digest()
    }

    /// Adds the signature after checking it (PRV-22) and gives the token.
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
        checked(self.jws.complete(provider, key, signature)?)
    }

    /// Lets `signer` sign and gives the token.
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
        checked(self.jws.sign(provider, signer)?)
    }
}

/// No token leaves that this library would not read.
fn checked(text: String) -> Result<String, Reason> {
    Passport::parse(&text).map_err(|_| Reason::Internal)?;
    Ok(text)
}
