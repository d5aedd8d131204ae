//! Making PASSporTs: always the full form (PPT-17), members and arrays in order by themselves.

use core::fmt;

use serde_json::{Map, Value};

use super::chain::DiversionChain;
use super::claims::PSAP_CALLBACK;
use super::defects::Defects;
use super::{
    Attestation, Claims, Destinations, Diversion, Identity, MAX_NESTED_LEN, MAX_PASSPORT_LEN, Mky,
    Passport, PassportType, ResourcePriorities,
};
use crate::certificate::CertificateBag;
use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey, Signer};
use crate::integrity::{DigestAlgorithm, IntegrityDigest};
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

    /// A provider's attestation. `origid` is a UUID: a fresh one for every call, or one for a group of
    /// customers, never one that identifies a person, as everyone on the way can read it (PPT-44).
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

    /// An answer after diversions: as [`PassportBuilder::rsp`], with `dest` the party that was reached.
    /// The tokens of the diversions go with it (RSP-5 to RSP-7).
    ///
    /// # Errors
    ///
    /// [`Reason::DestMismatch`] if the diversions do not lead to `reached`: no `rsp` may be sent then.
    ///
    /// Source: RFC 9970 section 5.
    pub fn rsp_after(
        chain: &DiversionChain,
        reached: &Identity,
        iat: UnixTime,
        x5u: &X5u,
    ) -> Result<Self, Reason> {
        let claims = chain.outermost().claims();
        if !claims.dest().includes(reached) {
            return Err(Reason::DestMismatch);
        }
        Ok(Self::rsp(claims.orig(), reached.clone().into(), iat, x5u))
    }

    /// A diversion of the call of `earlier` to a new `dest`. `orig` is taken over unchanged; `div` is the
    /// one of the earlier destinations that diverts, and the signer must be entitled to it (PPT-51).
    /// `iat` is when the call was diverted.
    ///
    /// The earlier token stays beside this one (PPT-52).
    ///
    /// # Errors
    ///
    /// - [`Reason::PptUnsupported`]: the earlier token is of an unsupported type, which would void the
    ///   chain (PPT-58).
    /// - [`Reason::UnexpectedRsp`]: it is an answer.
    /// - [`Reason::DivMismatch`]: `div` is not one of its destinations.
    ///
    /// Source: RFC 8946 sections 3 and 4.1 (PPT-50).
    pub fn div(
        earlier: &Passport,
        div: &Diversion,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
    ) -> Result<Self, Reason> {
        Self::diverted(PassportType::Div, earlier, div, dest, iat, x5u)
    }

    /// As [`PassportBuilder::div`], with the earlier token inside (`opt`): for delivery apart from
    /// signalling, where tokens travel one by one (PPT-59, PPT-60).
    ///
    /// # Errors
    ///
    /// Those of [`PassportBuilder::div`].
    ///
    /// Source: RFC 8946 section 5.
    pub fn div_o(
        earlier: &Passport,
        div: &Diversion,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
    ) -> Result<Self, Reason> {
        let builder = Self::diverted(PassportType::DivO, earlier, div, dest, iat, x5u)?;
        Ok(builder.claim("opt", Value::from(earlier.text())))
    }

    fn diverted(
        kind: PassportType,
        earlier: &Passport,
        div: &Diversion,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
    ) -> Result<Self, Reason> {
        match earlier.kind() {
            PassportType::Unsupported => return Err(Reason::PptUnsupported),
            PassportType::Rsp => return Err(Reason::UnexpectedRsp),
            _ => {}
        }
        let claims = earlier.claims();
        if !claims.dest().includes(div.identity()) {
            return Err(Reason::DivMismatch);
        }
        Ok(Self::new(kind, claims.orig(), dest, iat, x5u).claim("div", div.to_claim()))
    }

    /// A call whose media keys are vouched for; the called side is to answer in kind.
    ///
    /// Source: RFC 8862 section 4.4 (PPT-30 to PPT-32).
    #[must_use]
    pub fn msec(orig: &Identity, dest: Destinations, iat: UnixTime, x5u: &X5u, mky: &Mky) -> Self {
        Self::new(PassportType::Msec, orig, dest, iat, x5u).mky(mky)
    }

    /// A message, with the digest of its whole MIME body if there is one.
    ///
    /// Source: RFC 9475 section 3 (PPT-94, PPT-95).
    #[must_use]
    pub fn msg(
        orig: &Identity,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
        body: Option<&[u8]>,
    ) -> Self {
        let builder = Self::new(PassportType::Msg, orig, dest, iat, x5u);
        let Some(body) = body else {
            return builder;
        };
        let digest = IntegrityDigest::compute(DigestAlgorithm::Sha256, body);
        builder.claim("msgi", Value::from(digest.to_text()))
    }

    /// Rich call data: `rcd`, the reason for the call (`crn`), or both. Their content is not checked
    /// here; what refers to other content also needs `rcdi`, by [`PassportBuilder::claim`].
    ///
    /// [`PassportBuilder::build`] refuses neither of them with [`Reason::MalformedRcd`] (PPT-79).
    ///
    /// Source: RFC 9795 section 8.
    #[must_use]
    pub fn rcd(
        orig: &Identity,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
        rcd: Option<Value>,
        crn: Option<&str>,
    ) -> Self {
        let mut builder = Self::new(PassportType::Rcd, orig, dest, iat, x5u);
        for (name, value) in [("rcd", rcd), ("crn", crn.map(Value::from))] {
            if let Some(value) = value {
                builder = builder.claim(name, value);
            }
        }
        builder
    }

    /// Resource priorities that the signer has authority over.
    ///
    /// Source: RFC 8443 section 3; RFC 9027 section 3 (PPT-90, PPT-91).
    #[must_use]
    pub fn rph(
        orig: &Identity,
        dest: Destinations,
        iat: UnixTime,
        x5u: &X5u,
        priorities: &ResourcePriorities,
    ) -> Self {
        Self::new(PassportType::Rph, orig, dest, iat, x5u).claim("rph", priorities.to_claim())
    }

    /// Marks an `rph` PASSporT as the call back of an emergency call: `orig` is the answering point,
    /// `dest` who called it.
    ///
    /// [`PassportBuilder::build`] refuses it without an `esnet` priority: [`Reason::SphNotAllowed`].
    ///
    /// Source: RFC 9027 section 4 (PPT-92).
    #[must_use]
    pub fn psap_callback(self) -> Self {
        self.claim("sph", Value::from(PSAP_CALLBACK))
    }

    /// Adds the fingerprints of the media keys: wherever the session description has any (PPT-30).
    ///
    /// Source: RFC 8225 section 5.2.2 (PPT-31).
    #[must_use]
    pub fn mky(self, mky: &Mky) -> Self {
        self.claim("mky", mky.to_claim())
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
    /// What a strict reader would say, see [`Passport::parse_with`]; [`Reason::MalformedClaims`] for a
    /// claim name that is not ASCII (PPT-11a); [`Reason::DestNotSorted`] for a `dest` that was replaced;
    /// [`Reason::DivTooDeep`] for a sixth diversion; [`Reason::TooLong`] beyond 16 KiB, of a `div-o`
    /// beyond 64 KiB.
    pub fn build(self) -> Result<UnsignedPassport, Reason> {
        if !self.payload.keys().all(|name| name.is_ascii()) {
            return Err(Reason::MalformedClaims);
        }
        // Whoever reads such a token has to make do with the rest of it (PPT-79).
        let has = |name| self.payload.contains_key(name);
        if self.kind == PassportType::Rcd && !(has("rcd") || has("crn")) {
            return Err(Reason::MalformedRcd);
        }
        let payload = Value::Object(self.payload);
        let jws = UnsignedJws::new(&Value::Object(self.header), &payload);
        let limit = match self.kind {
            PassportType::DivO => MAX_NESTED_LEN,
            _ => MAX_PASSPORT_LEN,
        };
        if jws.signed_len() > limit {
            return Err(Reason::TooLong);
        }
        // Read back, for the limits on depth and arrays; what is read is what was meant.
        let text = json::canonical(&payload);
        let read = json::parse(text.as_bytes(), limit)?;
        let mut defects = Defects::default();
        // Nothing is added by a claim that could be missing, so the reasons say it all.
        let _ = Claims::read(self.kind, read, 0, &mut defects);
        let echo = |reason: &&Reason| {
            // An answer repeats what it was asked, in the order of the other side (W-26).
            !(self.kind == PassportType::Rsp && **reason == Reason::DestNotSorted)
        };
        let mut reasons = defects.refusals.iter().chain(&defects.deviations);
        match reasons.find(echo) {
            Some(reason) => Err(*reason),
            None => Ok(UnsignedPassport { jws }),
        }
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
