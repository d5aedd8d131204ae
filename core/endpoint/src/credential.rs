//! The device's own credential: asking for a certificate, installing it, knowing when to renew.

use std::sync::Arc;

use ringtrue_session::{Credential, CredentialStatus, RecordName};
use ringtrue_stir::certificate::{CertificateBag, CertificateRequest, RequestSubject};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, UnixTime};

use crate::Endpoint;
use crate::host::blocking;

impl Endpoint {
    /// Makes a request for a certificate that speaks for all own numbers, signed by the endpoint's
    /// [`Signer`](ringtrue_stir::crypto::Signer): the private key never leaves it. Send
    /// [`CertificateRequest::to_pem`] to the certification authority and give what comes back to
    /// [`Endpoint::install_certificate`].
    ///
    /// `subject` stands in clear in the certificate; the numbers stand in its TNAuthList anyway.
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] without a signer, or if it cannot sign; [`Reason::TooLong`].
    ///
    /// Source: RFC 2986; RFC 8226 section 9.
    pub async fn certificate_request(
        &self,
        subject: &RequestSubject,
    ) -> Result<CertificateRequest, Reason> {
        let host = self.host();
        let signer = host.signer.clone().ok_or(Reason::SignerFailed)?;
        let context = host.context();
        let numbers = context.numbers().iter().cloned().map(Entry::One).collect();
        let list = TnAuthList::new(numbers)?;
        let subject = subject.clone();
        let provider = Arc::clone(context.provider());
        blocking(Reason::SignerFailed, move || {
            CertificateRequest::new(&signer.public_key(), &subject, &list)?
                .sign(provider.as_ref(), signer.as_ref())
        })
        .await
    }

    /// Takes a certificate chain into use, PEM, signer first, and the https URL where others find it.
    ///
    /// Key, path and scope are checked, and the chain is kept in the state store before it is used;
    /// the next start uses it again. Calls that are under way end with the credential that they
    /// began with. Publish the keys again afterwards ([`Endpoint::publish_keys`]).
    ///
    /// # Errors
    ///
    /// - [`Reason::SignerFailed`]: the endpoint has no signer.
    /// - [`Reason::KeyMismatch`]: the certificate is not for the signer's key.
    /// - [`Reason::MalformedPem`], [`Reason::MalformedCertificate`], [`Reason::MalformedUrl`],
    ///   [`Reason::ConfigurationInvalid`] (a CA's certificate first): what was given cannot be used.
    /// - [`Reason::NoPathToAnchor`], [`Reason::ChainIncomplete`], [`Reason::CertificateExpired`] and
    ///   whatever else is wrong with its path.
    /// - [`Reason::NumberNotCovered`], [`Reason::AuthorityBySpc`], [`Reason::EncompassUnknown`],
    ///   [`Reason::TnAuthListMissing`]: it does not speak for every own number.
    /// - [`Reason::StateUnavailable`]: it could not be kept; the one before stays in use.
    ///
    /// Source: RFC 9060 sections 4 and 5 (CRT-34, CRT-39).
    pub async fn install_certificate(&self, chain_pem: &str, x5u: &str) -> Result<(), Reason> {
        let host = Arc::clone(self.host());
        let signer = host.signer.clone().ok_or(Reason::SignerFailed)?;
        let credential = Credential::new(CertificateBag::from_pem(chain_pem)?, x5u)?;
        blocking(Reason::SignerFailed, move || {
            credential.require_key(&signer.public_key())?;
            let now = host.unix_now();
            let installed = host
                .context()
                .as_ref()
                .clone()
                .with_credential(credential.clone(), now)?;
            installed.require_scope()?;
            host.records
                .replace(&RecordName::credential(), &credential.to_record())?;
            host.replace_context(|context| context.with_credential(credential, now))
        })
        .await
    }

    /// Whether the endpoint can sign now, until when, and from when on to ask for a new certificate
    /// (the last third of its life). With a clock that is not set, as of 1970.
    #[must_use]
    pub fn credential_status(&self) -> CredentialStatus {
        let host = self.host();
        let now = host.unix_now().unwrap_or(UnixTime::from_secs(0));
        host.context().credential_status(now)
    }
}
