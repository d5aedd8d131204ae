//! A certificate transparency log that signs whatever it is given and keeps nothing.

use core::fmt;

use rcgen::{CustomExtension, KeyPair, PKCS_RSA_SHA256, PublicKeyData as _, SigningKey as _};
use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::certificate::sct::{
    SctList, SignedCertificateTimestamp, TransparencyLog, precertificate_signing_input,
};
use ringtrue_stir::{Reason, UnixTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::authority::{credential, leaf_params};
use crate::issuing::{self, internal};
use crate::{Ca, Credential, LeafSpec};

/// The extension with timestamps, RFC 6962 section 3.3.
const SCT_LIST: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// The key of a log and its operator's name.
pub struct LabLog {
    key: KeyPair,
    operator: String,
}

impl fmt::Debug for LabLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LabLog(..)")
    }
}

impl LabLog {
    /// A log with a fresh P-256 key.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the platform generator fails.
    pub fn new(operator: &str) -> Result<Self, Reason> {
        Ok(Self {
            key: issuing::generate_key()?,
            operator: operator.to_owned(),
        })
    }

    /// A log with a fresh RSA key of 2048 bits.
    ///
    /// # Errors
    ///
    /// As [`LabLog::new`].
    pub fn rsa(operator: &str) -> Result<Self, Reason> {
        Ok(Self {
            key: issuing::generate_rsa_key()?,
            operator: operator.to_owned(),
        })
    }

    /// The log as verifiers are configured with it.
    ///
    /// # Errors
    ///
    /// Those of [`TransparencyLog::new`]: an operator without a name or with too long a one.
    pub fn configuration(&self) -> Result<TransparencyLog, Reason> {
        TransparencyLog::new(&self.key.subject_public_key_info(), &self.operator)
    }

    /// Signs a precertificate: its TBSCertificate without the poison extension, for an issuer whose key
    /// has this SHA-256, as of `at`.
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if the key fails, and those of
    /// [`precertificate_signing_input`] and [`LabLog::configuration`].
    pub fn sign(
        &self,
        tbs: &[u8],
        issuer_key_hash: &[u8; 32],
        at: UnixTime,
    ) -> Result<SignedCertificateTimestamp, Reason> {
        let timestamp_ms = at.as_secs().saturating_mul(1000);
        let signed = precertificate_signing_input(tbs, issuer_key_hash, timestamp_ms, &[])?;
        let signature = self.key.sign(&signed).map_err(|_| Reason::SignerFailed)?;
        let algorithm = if self.key.algorithm() == &PKCS_RSA_SHA256 {
            SignedCertificateTimestamp::RSA_SHA256
        } else {
            SignedCertificateTimestamp::ECDSA_SHA256
        };
        let id = *self.configuration()?.id();
        SignedCertificateTimestamp::new(id, timestamp_ms, &[], algorithm, &signature)
    }
}

impl Ca {
    /// Issues an end-entity certificate with a fresh key and a timestamp of each log as of `at`.
    ///
    /// # Errors
    ///
    /// As [`Ca::root`] and [`LabLog::sign`]; [`Reason::MalformedSctList`] without a log or with more
    /// than a list holds.
    pub fn issue_logged(
        &self,
        spec: &LeafSpec,
        logs: &[&LabLog],
        at: UnixTime,
    ) -> Result<Credential, Reason> {
        let key = issuing::generate_key()?;
        let mut params = leaf_params(spec)?;
        // The parameters hold the serial number: the second certificate is the first with one
        // extension more.
        let unlogged = self.sign(&params, &key)?;
        let (_, parsed) = X509Certificate::from_der(&unlogged).map_err(internal)?;
        let tbs: &[u8] = parsed.tbs_certificate.as_ref();
        let issuer_key_hash = Certificate::from_der(self.der())?.spki_digest();
        let timestamps = logs
            .iter()
            .map(|log| log.sign(tbs, &issuer_key_hash, at))
            .collect::<Result<Vec<_>, _>>()?;
        let list = SctList::new(timestamps)?.encode();
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(SCT_LIST, list));
        credential(self.chain_of(self.sign(&params, &key)?), &key)
    }
}
