//! Issuing for a key that the lab does not have: from a certificate request.

use core::fmt;

use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use ringtrue_stir::certificate::{Certificate, CertificateBag, CertificateRequest};
use ringtrue_stir::crypto::P256PublicKey;
use ringtrue_stir::tn_auth_list::Encompass;
use ringtrue_stir::{Reason, UnixTime};

use crate::authority::leaf_params;
use crate::credential::certificates_pem;
use crate::{Ca, Lab, LabError, LeafSpec, Validity};

/// A certificate with its path, without a key: that stays with whoever asked.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedChain {
    /// The certificate itself, then its issuers upwards, DER, without the root.
    pub chain_der: Vec<Vec<u8>>,
    /// The same as PEM.
    pub chain_pem: String,
}

impl fmt::Debug for IssuedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedChain(..)")
    }
}

impl IssuedChain {
    /// The chain as the verifying code takes it.
    ///
    /// # Errors
    ///
    /// Those of [`CertificateBag::from_pem`]; none for a chain that a lab issued.
    pub fn bag(&self) -> Result<CertificateBag, Reason> {
        CertificateBag::from_pem(&self.chain_pem)
    }
}

/// The key of a request, as the certificate library takes it.
struct RequestedKey<'a>(&'a P256PublicKey);

impl PublicKeyData for RequestedKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_sec1()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Ca {
    /// Issues an end-entity certificate for the key and the list of a request, if the list is inside
    /// this CA's own. A CA without a list does not limit.
    ///
    /// The certificate gets the name of all of a lab's, not the one that was asked for, and ends no
    /// later than the CA's. Whether the sender is entitled to the numbers is not asked: that is what a
    /// real CA is for.
    ///
    /// # Errors
    ///
    /// [`Reason::ScopeNotEncompassed`] if something is outside the CA's list,
    /// [`Reason::EncompassUnknown`] if only a provider code of that could hold it; otherwise as
    /// [`Ca::root`].
    pub fn issue_request(
        &self,
        request: &CertificateRequest,
        validity: Validity,
    ) -> Result<IssuedChain, Reason> {
        let own = Certificate::from_der(self.der())?;
        let wanted = request.tn_auth_list();
        match own.tn_auth_list().map(|list| list.encompasses(wanted)) {
            None | Some(Encompass::Inside) => {}
            Some(Encompass::Outside) => return Err(Reason::ScopeNotEncompassed),
            Some(Encompass::Unknown) => return Err(Reason::EncompassUnknown),
        }
        let spec = LeafSpec {
            validity: Validity {
                not_before: validity.not_before,
                not_after: validity.not_after.min(own.not_after()),
            },
            ..LeafSpec::for_scope(Some(wanted.clone()), validity.not_before)
        };
        let der = self.sign(&leaf_params(&spec)?, &RequestedKey(request.public_key()))?;
        let chain_der = self.chain_of(der);
        Ok(IssuedChain {
            chain_pem: certificates_pem(&chain_der),
            chain_der,
        })
    }
}

impl Lab {
    /// Issues the certificate that a request asks for, for 90 days, by the lab's intermediate. Writes
    /// nothing: the chain is for whoever asked.
    ///
    /// Numbers outside the lab's blocks are refused; [`Lab::add_numbers`] makes room for them.
    ///
    /// # Errors
    ///
    /// [`LabError::Issuing`] with the reasons of [`Ca::issue_request`]; [`LabError::Io`] or
    /// [`LabError::Damaged`] for the lab's files.
    pub fn issue_request(
        &self,
        request: &CertificateRequest,
        now: UnixTime,
    ) -> Result<IssuedChain, LabError> {
        self.authority()?
            .intermediate
            .issue_request(request, Validity::of_leaf(now))
            .map_err(LabError::Issuing)
    }
}
