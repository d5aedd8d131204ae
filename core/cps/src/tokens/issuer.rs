//! The token issuer of a service: its directory, and blind signatures for credential holders.
//!
//! What it sees of a client is the credential, the time and a blinded message; what it keeps is how many
//! tokens a credential got today. It signs with one key for everybody.
//!
//! Source: docs/protocol.md section 19.1 (PRV-30, PRV-31, W-30); RFC 9578 sections 4 and 6.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::token::IssuerName;
use ringtrue_oob::token::issuance::{
    self, Authorization, REQUEST_PATH, TokenRequest, VerifyAuthorization, bearer,
};
use ringtrue_oob::token::issuer_directory;
use ringtrue_stir::certificate::{PathRules, TrustAnchors};
use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Kind, Reason, UnixTime};
use sha2::{Digest as _, Sha256};

use super::issuer_keys::IssuerKeys;
use super::quota::{Quotas, until_tomorrow};

/// Tokens a day for each credential that speaks for numbers, unless configured otherwise.
pub const DEFAULT_QUOTA: u32 = 200;

/// What an issuer needs from around it to judge one request.
pub(crate) struct Judge<'a> {
    pub(crate) provider: &'a dyn CryptoProvider,
    pub(crate) anchors: &'a TrustAnchors,
    pub(crate) rules: PathRules<'a>,
    pub(crate) now: UnixTime,
}

/// A token issuer.
#[derive(Debug)]
pub(crate) struct Issuer {
    name: IssuerName,
    keys: Arc<IssuerKeys>,
    quota: u32,
    provider_quota: Option<u32>,
    quotas: Mutex<Quotas>,
}

impl Issuer {
    pub(crate) fn new(
        name: IssuerName,
        keys: Arc<IssuerKeys>,
        (quota, provider_quota): (u32, Option<u32>),
        folder: Option<&Path>,
    ) -> Self {
        Self {
            name,
            keys,
            quota,
            provider_quota,
            quotas: Mutex::new(Quotas::new(folder)),
        }
    }

    /// Answers `GET /.well-known/private-token-issuer-directory`.
    pub(crate) fn directory(&self, accept: Option<&str>) -> Result<HttpResponse, HttpResponse> {
        issuer_directory::decode_request(accept).map_err(Problem::encode)?;
        let keys = self.keys.published();
        Ok(issuer_directory::encode(REQUEST_PATH, &keys))
    }

    /// Answers `POST /token-request`: form and key, then the authorization, then the quota, then the
    /// signature. Whoever is refused learns no more than what kind of thing was wrong.
    pub(crate) fn sign(
        &self,
        judge: &Judge<'_>,
        content_type: Option<&str>,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let request = issuance::decode_request(content_type, body).map_err(Problem::encode)?;
        let key = self
            .keys
            .signing(judge.now)
            .ok_or_else(|| Problem::Unavailable.encode())?;
        if !request.is_for(&key.published.key) {
            return Err(Problem::MalformedTokenRequest.encode());
        }
        let text = bearer(authorization).ok_or_else(|| Problem::UntrustedCredential.encode())?;
        let against = VerifyAuthorization {
            provider: judge.provider,
            anchors: judge.anchors,
            rules: judge.rules,
            issuer: &self.name,
            body,
            now: judge.now,
        };
        let authorization = Authorization::verify(text, &against).map_err(refusal)?;
        self.count(&authorization, judge.now)?;
        let TokenRequest {
            blinded_message, ..
        } = request;
        let signature = key
            .private
            .private_operation(&blinded_message)
            .map_err(refusal)?;
        Ok(issuance::encode_response(&signature))
    }

    /// Uses the authorization up and counts a token for its signer.
    fn count(&self, authorization: &Authorization, now: UnixTime) -> Result<(), HttpResponse> {
        let path = authorization.path();
        let is_provider = path.provider_code() == Some(authorization.subject());
        let quota = if is_provider {
            self.provider_quota
                .ok_or_else(|| Problem::UntrustedCredential.encode())?
        } else {
            self.quota
        };
        let signer = path.spki_digest();
        let mut name = Sha256::new();
        name.update(signer);
        name.update(authorization.jti());
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas
            .use_once(name.finalize().into(), authorization.expires(), now)
            .and_then(|()| quotas.count(signer, quota, now))
            .map_err(|reason| match reason {
                Reason::OverQuota => {
                    Problem::OverLimit.encode_with_retry_after(until_tomorrow(now))
                }
                Reason::Replayed => Problem::UntrustedCredential.encode(),
                _ => Problem::Unavailable.encode(),
            })
    }

    pub(crate) fn tidy(&self, now: UnixTime) {
        self.quotas
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .tidy(now);
    }
}

/// What a requester is told: wrong in form, not accepted, or not now.
fn refusal(reason: Reason) -> HttpResponse {
    match (reason, reason.kind()) {
        (Reason::CredentialUnavailable, _) | (_, Kind::Malformed) => {
            Problem::MalformedTokenRequest.encode()
        }
        (Reason::SignerFailed, _) => Problem::Unavailable.encode(),
        _ => Problem::UntrustedCredential.encode(),
    }
}
