//! Certificate authorities in memory: right ones for labs, and every wrong one that a test needs.

use core::fmt;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData};
use ringtrue_stir::certificate::{Certificate, TrustAnchors};
use ringtrue_stir::tn_auth_list::TnAuthList;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

use crate::credential::{Credential, certificates_pem};
use crate::issuing::{self, internal};
use crate::{AuthorityKeyId, CaSpec, ExtraExtension, LeafSpec, Validity};

/// The name in every lab's root certificate.
pub(crate) const ROOT_NAME: &str = "RingTrue lab root";

/// The name in every lab's intermediate certificate.
pub(crate) const INTERMEDIATE_NAME: &str = "RingTrue lab CA";

/// One certificate authority. Issues what it is told.
pub struct Ca {
    name: String,
    key: KeyPair,
    der: Vec<u8>,
    /// From this CA upwards, without the root: what an issued chain continues with.
    above: Vec<Vec<u8>>,
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ca(..)")
    }
}

impl Ca {
    /// A root: self-signed, without a TNAuthList.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a time beyond the year 9999,
    /// [`Reason::RandomnessUnavailable`] if the platform generator fails.
    pub fn root(validity: Validity) -> Result<Self, Reason> {
        Self::root_with_key(validity, issuing::generate_key()?)
    }

    /// A root with an RSA key of 2048 bits, as test set-ups of others have it (CRT-75).
    ///
    /// # Errors
    ///
    /// As [`Ca::root`].
    pub fn rsa_root(validity: Validity) -> Result<Self, Reason> {
        Self::root_with_key(validity, issuing::generate_rsa_key()?)
    }

    fn root_with_key(validity: Validity, key: KeyPair) -> Result<Self, Reason> {
        let mut params = issuing::params(ROOT_NAME, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(internal)?;
        Ok(Self::from_parts(
            ROOT_NAME,
            key,
            certificate.der().to_vec(),
            Vec::new(),
        ))
    }

    pub(crate) fn from_parts(name: &str, key: KeyPair, der: Vec<u8>, above: Vec<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            key,
            der,
            above,
        }
    }

    /// Issues a subordinate CA with a fresh key.
    ///
    /// # Errors
    ///
    /// As [`Ca::root`].
    pub fn subordinate(&self, spec: &CaSpec) -> Result<Self, Reason> {
        self.subordinate_with_key(spec, issuing::generate_key()?)
    }

    pub(crate) fn subordinate_with_key(&self, spec: &CaSpec, key: KeyPair) -> Result<Self, Reason> {
        let mut params = issuing::params(&spec.name, spec.validity)?;
        params.is_ca = if spec.is_ca {
            IsCa::Ca(spec.path_len.map_or(
                BasicConstraints::Unconstrained,
                BasicConstraints::Constrained,
            ))
        } else {
            IsCa::ExplicitNoCa
        };
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        extend(
            &mut params,
            spec.scope.as_ref(),
            &spec.extensions,
            spec.authority_key_id,
        );
        let der = self.sign(&params, &key)?;
        let mut above = vec![der.clone()];
        above.extend(self.above.iter().cloned());
        Ok(Self::from_parts(&spec.name, key, der, above))
    }

    /// Issues an end-entity certificate with a fresh key.
    ///
    /// # Errors
    ///
    /// As [`Ca::root`].
    pub fn issue(&self, spec: &LeafSpec) -> Result<Credential, Reason> {
        self.issue_with_key(spec, &issuing::generate_key()?)
    }

    pub(crate) fn issue_with_key(
        &self,
        spec: &LeafSpec,
        key: &KeyPair,
    ) -> Result<Credential, Reason> {
        let der = self.sign(&leaf_params(spec)?, key)?;
        credential(self.chain_of(der), key)
    }

    /// The path of a certificate of this CA: itself, then the CAs without the root.
    pub(crate) fn chain_of(&self, der: Vec<u8>) -> Vec<Vec<u8>> {
        let mut chain = vec![der];
        chain.extend(self.above.iter().cloned());
        chain
    }

    pub(crate) fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<Vec<u8>, Reason> {
        let issuer = issuing::issuer(&self.name, &self.key);
        let certificate = params.signed_by(key, &issuer).map_err(internal)?;
        Ok(certificate.der().to_vec())
    }

    pub(crate) const fn key(&self) -> &KeyPair {
        &self.key
    }

    /// The CA's own certificate, path and key as a credential, for a test in which a CA signs a token.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if the key is none of this crate's.
    pub fn as_credential(&self) -> Result<Credential, Reason> {
        let chain = if self.above.is_empty() {
            vec![self.der.clone()]
        } else {
            self.above.clone()
        };
        credential(chain, &self.key)
    }

    /// The CA's certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The CA's certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        certificates_pem(core::slice::from_ref(&self.der))
    }

    /// The CA's private key, PKCS#8 PEM.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        issuing::key_pem(&self.key)
    }
}

/// What a leaf says. No number in the name: the TNAuthList says it, and names end up in logs.
pub(crate) fn leaf_params(spec: &LeafSpec) -> Result<CertificateParams, Reason> {
    let mut params = issuing::params("RingTrue lab delegate", spec.validity)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![if spec.may_sign {
        KeyUsagePurpose::DigitalSignature
    } else {
        KeyUsagePurpose::KeyAgreement
    }];
    extend(
        &mut params,
        spec.scope.as_ref(),
        &spec.extensions,
        spec.authority_key_id,
    );
    Ok(params)
}

fn extend(
    params: &mut CertificateParams,
    scope: Option<&TnAuthList>,
    extensions: &[ExtraExtension],
    authority_key_id: AuthorityKeyId,
) {
    params.use_authority_key_identifier_extension = authority_key_id == AuthorityKeyId::Right;
    let custom = &mut params.custom_extensions;
    if authority_key_id == AuthorityKeyId::Wrong {
        custom.push(issuing::wrong_authority_key_id());
    }
    custom.extend(scope.map(issuing::tn_auth_list_extension));
    custom.extend(extensions.iter().map(ExtraExtension::to_custom));
}

pub(crate) fn credential(chain_der: Vec<Vec<u8>>, key: &KeyPair) -> Result<Credential, Reason> {
    Ok(Credential {
        chain_pem: certificates_pem(&chain_der),
        chain_der,
        key_pem: issuing::key_pem(key),
        secret: issuing::secret_of(key)?,
    })
}

/// A root and one intermediate that delegates numbers: the STIR side of a lab.
#[derive(Debug)]
pub struct Authority {
    /// The CA below the root.
    pub intermediate: Ca,
    /// The trust anchor.
    pub root: Ca,
}

impl Authority {
    /// Makes both with fresh keys. The intermediate's scope is the blocks of 100 around `numbers`.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedTnAuthList`] without a number or with too many for one list; otherwise as
    /// [`Ca::root`].
    pub fn for_numbers(numbers: &[TelephoneNumber], now: UnixTime) -> Result<Self, Reason> {
        Self::for_scope(TnAuthList::new(crate::blocks_around(numbers))?, now)
    }

    /// Makes both with fresh keys and this scope of the intermediate.
    ///
    /// # Errors
    ///
    /// As [`Ca::root`].
    pub fn for_scope(scope: TnAuthList, now: UnixTime) -> Result<Self, Reason> {
        let root = Ca::root(Validity::of_root(now))?;
        let intermediate = root.subordinate(&CaSpec::new(Some(scope), now))?;
        Ok(Self { intermediate, root })
    }

    /// Issues an end-entity certificate under the intermediate.
    ///
    /// # Errors
    ///
    /// As [`Ca::issue`].
    pub fn issue(&self, spec: &LeafSpec) -> Result<Credential, Reason> {
        self.intermediate.issue(spec)
    }

    /// Issues the delegate certificate of one number.
    ///
    /// # Errors
    ///
    /// As [`Ca::issue`].
    pub fn issue_number(
        &self,
        number: &TelephoneNumber,
        now: UnixTime,
    ) -> Result<Credential, Reason> {
        self.issue(&LeafSpec::for_number(number, now))
    }

    /// The root as the verifying code takes it.
    ///
    /// # Errors
    ///
    /// Those of [`TrustAnchors::add`]; none for a root that was made here.
    pub fn anchors(&self) -> Result<TrustAnchors, Reason> {
        let mut anchors = TrustAnchors::default();
        anchors.add(Certificate::from_der(self.root.der())?)?;
        Ok(anchors)
    }
}
