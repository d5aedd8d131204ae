//! The bearer token with which a STIR credential asks for a storage token.

use core::fmt;
use core::time::Duration;

use ringtrue_stir::certificate::{
    CertificateBag, PathRules, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::{CryptoProvider, Es256Signature, P256PublicKey};
use ringtrue_stir::jws::{CompactJws, UnsignedJws};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, base64url};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{IssuerName, audience};

/// The `typ` of the header. PASSporTs and key statements are signed with the same key.
pub const AUTHORIZATION_TYP: &str = "stir-token-req+jwt";

/// The `action` of the claims.
pub const ACTION: &str = "token";

/// The longest time from `iat` to `exp`.
pub const MAX_LIFE: Duration = Duration::from_secs(60);

/// How far `iat` may be ahead of the issuer's clock.
const MAX_AHEAD: Duration = Duration::from_secs(60);

/// Characters of an authorization: a chain of a few certificates in `x5c`, as in a key statement.
pub const MAX_AUTHORIZATION_LEN: usize = 16 * 1024;

/// Octets of `jti` as it is made here, and characters of one that is read.
const JTI_LEN: usize = 16;
const MAX_JTI_LEN: usize = 128;

/// What an authorization is to say.
#[derive(Clone)]
pub struct AuthorizationDraft<'a> {
    /// The issuer that is asked.
    pub issuer: &'a IssuerName,
    /// The number that the credential speaks for.
    pub number: &'a TelephoneNumber,
    /// Now.
    pub now: UnixTime,
    /// The body of the request.
    pub body: &'a [u8],
}

impl fmt::Debug for AuthorizationDraft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationDraft(..)")
    }
}

impl AuthorizationDraft<'_> {
    /// Serialises it; the first certificate of `bag` is the signer's. `jti` is drawn from `provider`.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`]; [`Reason::TooLong`] if the chain does not fit.
    pub fn build(
        &self,
        provider: &dyn CryptoProvider,
        bag: &CertificateBag,
    ) -> Result<UnsignedAuthorization, Reason> {
        let mut jti = [0; JTI_LEN];
        provider.fill_random(&mut jti)?;
        let header = json!({ "typ": AUTHORIZATION_TYP, "x5c": bag.to_x5c() });
        let payload = json!({
            "iss": self.number.as_str(),
            "sub": self.number.as_str(),
            "aud": audience(self.issuer),
            "iat": self.now.as_secs(),
            "exp": self.now.plus(MAX_LIFE).as_secs(),
            "jti": base64url::encode(&jti),
            "action": ACTION,
            "rqd": base64url::encode(&Sha256::digest(self.body)),
        });
        let jws = UnsignedJws::new(&header, &payload);
        if jws.signed_len() > MAX_AUTHORIZATION_LEN {
            return Err(Reason::TooLong);
        }
        Ok(UnsignedAuthorization { jws })
    }
}

/// An authorization without its signature.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct UnsignedAuthorization {
    jws: UnsignedJws,
}

impl fmt::Debug for UnsignedAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsignedAuthorization(..)")
    }
}

impl UnsignedAuthorization {
    /// What the signature is over.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        self.jws.signing_input()
    }

    /// Adds the signature after checking it (PRV-22).
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if it is not by `key`.
    pub fn complete(
        self,
        provider: &dyn CryptoProvider,
        key: &P256PublicKey,
        signature: &Es256Signature,
    ) -> Result<String, Reason> {
        self.jws.complete(provider, key, signature)
    }
}

/// What an issuer verifies an authorization against.
#[derive(Clone, Copy)]
pub struct VerifyAuthorization<'a> {
    /// The cryptography to use.
    pub provider: &'a dyn CryptoProvider,
    /// The STI anchors.
    pub anchors: &'a TrustAnchors,
    /// The certificate profile, and what else paths are checked against.
    pub rules: PathRules<'a>,
    /// The issuer's own name.
    pub issuer: &'a IssuerName,
    /// The body of the request, as received.
    pub body: &'a [u8],
    /// The time.
    pub now: UnixTime,
}

impl fmt::Debug for VerifyAuthorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyAuthorization(..)")
    }
}

/// An authorization that holds: who asks. Only [`Authorization::verify`] makes one.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct Authorization {
    subject: String,
    path: VerifiedPath,
    jti: String,
    expires: UnixTime,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(..)")
    }
}

impl Authorization {
    /// Verifies the bearer token of a request. It says nothing yet of a repetition: whoever counts
    /// remembers [`Authorization::jti`] until [`Authorization::expires`].
    ///
    /// # Errors
    ///
    /// In this order:
    ///
    /// - [`Reason::TooLong`] over 16 KiB; those of [`CompactJws::parse`]; [`Reason::TypeMismatch`].
    /// - [`Reason::CredentialUnavailable`] without `x5c`: an issuer never fetches.
    /// - [`Reason::MalformedTokenRequest`]: a claim is missing or of the wrong form, a life over 60 s,
    ///   or it is for another issuer, action or body.
    /// - [`Reason::SignatureInvalid`]; those of [`verify_path`].
    /// - [`Reason::NumberNotCovered`] and others of [`VerifiedPath::require_covered`]: the credential
    ///   does not speak for `sub`, a number or a provider code.
    /// - [`Reason::IatStale`] at or after `exp`, [`Reason::IatInFuture`] over 60 s ahead.
    ///
    /// Source: docs/protocol.md section 19.1 (PRV-30).
    pub fn verify(text: &str, against: &VerifyAuthorization<'_>) -> Result<Self, Reason> {
        let jws = CompactJws::parse(text, MAX_AUTHORIZATION_LEN)?;
        jws.require_typ(AUTHORIZATION_TYP)?;
        let bag = jws.x5c()?.ok_or(Reason::CredentialUnavailable)?;
        let payload = jws.payload_json()?;
        let claims = Claims::read(&payload, against).ok_or(Reason::MalformedTokenRequest)?;
        let signer = jws
            .find_signer(against.provider, &bag)
            .ok_or(Reason::SignatureInvalid)?;
        let path = verify_path(
            against.provider,
            signer,
            &bag,
            against.anchors,
            against.now,
            against.rules,
        )?;
        require_authority(&path, claims.subject)?;
        if against.now >= claims.expires {
            return Err(Reason::IatStale);
        }
        if claims.issued > against.now.plus(MAX_AHEAD) {
            return Err(Reason::IatInFuture);
        }
        Ok(Self {
            subject: claims.subject.to_owned(),
            path,
            jti: claims.jti.to_owned(),
            expires: claims.expires,
        })
    }

    /// The number or provider code that the credential speaks for: what quotas are counted by.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The signer's path to an anchor.
    #[must_use]
    pub const fn path(&self) -> &VerifiedPath {
        &self.path
    }

    /// The name of this authorization: never accepted twice.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// The first second at which it no longer holds.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }
}

/// `sub` is a number inside the credential's list, or its provider code.
fn require_authority(path: &VerifiedPath, subject: &str) -> Result<(), Reason> {
    if path.provider_code() == Some(subject) {
        return Ok(());
    }
    let number = TelephoneNumber::from_canonical(subject).map_err(|_| Reason::NumberNotCovered)?;
    path.require_covered(&number)
}

struct Claims<'a> {
    subject: &'a str,
    jti: &'a str,
    issued: UnixTime,
    expires: UnixTime,
}

impl<'a> Claims<'a> {
    /// `None` if a claim is missing, of another form, or for another issuer, action or body.
    fn read(payload: &'a Value, against: &VerifyAuthorization<'_>) -> Option<Self> {
        let text = |name: &str| payload.get(name)?.as_str();
        let seconds = |name: &str| payload.get(name)?.as_u64().map(UnixTime::from_secs);
        let subject = text("sub").filter(|subject| (1..=15).contains(&subject.len()))?;
        let jti = text("jti").filter(|jti| (1..=MAX_JTI_LEN).contains(&jti.len()))?;
        let (issued, expires) = (seconds("iat")?, seconds("exp")?);
        let digest = base64url::encode(&Sha256::digest(against.body));
        let fits = text("iss").is_some_and(|iss| !iss.is_empty())
            && text("aud")? == audience(against.issuer)
            && text("action")? == ACTION
            && text("rqd")? == digest
            && expires > issued
            && expires <= issued.plus(MAX_LIFE);
        fits.then_some(Self {
            subject,
            jti,
            issued,
            expires,
        })
    }
}
