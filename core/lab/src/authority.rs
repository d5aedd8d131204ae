//! Certificate authorities in memory: right ones for labs, and every wrong one that a test needs.

use core::fmt;
use core::time::Duration;

use rcgen::{BasicConstraints, IsCa, KeyPair, KeyUsagePurpose};
use ringtrue_stir::certificate::{Certificate, TrustAnchors};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

use crate::credential::{Credential, certificates_pem};
use crate::issuing::{self, internal};

/// How long before the time of issue a certificate is valid already: clocks differ.
const BACKDATED: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(86_400);

/// The name in every lab's root certificate.
pub(crate) const ROOT_NAME: &str = "RingTrue lab root";

/// The name in every lab's intermediate certificate.
pub(crate) const INTERMEDIATE_NAME: &str = "RingTrue lab CA";

/// The first and the last second at which a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: UnixTime,
    /// The last second.
    pub not_after: UnixTime,
}

impl Validity {
    /// From an hour before `now`, because clocks differ, until `days` days after it.
    #[must_use]
    pub fn days(now: UnixTime, days: u32) -> Self {
        Self {
            not_before: now.minus(BACKDATED),
            not_after: now.plus(DAY.saturating_mul(days)),
        }
    }

    /// Ten years, as a lab's root has it.
    #[must_use]
    pub fn of_root(now: UnixTime) -> Self {
        Self::days(now, 3653)
    }

    /// One year, as a lab's intermediate has it.
    #[must_use]
    pub fn of_intermediate(now: UnixTime) -> Self {
        Self::days(now, 366)
    }

    /// 90 days, as a lab's delegate certificates have it.
    #[must_use]
    pub fn of_leaf(now: UnixTime) -> Self {
        Self::days(now, 90)
    }
}

/// What a subordinate CA certificate says.
#[derive(Clone, Debug)]
pub struct CaSpec {
    /// The common name.
    pub name: String,
    /// The path length constraint, if there is one.
    pub path_len: Option<u8>,
    /// The TNAuthList, if there is one. Not compared with the issuer's.
    pub scope: Option<TnAuthList>,
    /// The validity. Not compared with the issuer's.
    pub validity: Validity,
    /// Whether the certificate says that it is a CA's. A test can leave that out.
    pub is_ca: bool,
}

impl CaSpec {
    /// A CA for `scope`, valid for one year, that may only issue end-entity certificates.
    #[must_use]
    pub fn new(scope: Option<TnAuthList>, now: UnixTime) -> Self {
        Self {
            name: INTERMEDIATE_NAME.to_owned(),
            path_len: Some(0),
            scope,
            validity: Validity::of_intermediate(now),
            is_ca: true,
        }
    }
}

/// What an end-entity certificate says.
#[derive(Clone, Debug)]
pub struct LeafSpec {
    /// The TNAuthList, if there is one. Not compared with the issuer's.
    pub scope: Option<TnAuthList>,
    /// The validity. Not compared with the issuer's.
    pub validity: Validity,
    /// Whether the key usage allows signatures. If not, the certificate says keyAgreement.
    pub may_sign: bool,
}

impl LeafSpec {
    /// A delegate certificate for one number, valid for 90 days.
    #[must_use]
    pub fn for_number(number: &TelephoneNumber, now: UnixTime) -> Self {
        let scope = TnAuthList::new(vec![Entry::One(number.clone())]).ok();
        Self::for_scope(scope, now)
    }

    /// A certificate for any scope, or none, valid for 90 days.
    #[must_use]
    pub fn for_scope(scope: Option<TnAuthList>, now: UnixTime) -> Self {
        Self {
            scope,
            validity: Validity::of_leaf(now),
            may_sign: true,
        }
    }
}

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
        let key = issuing::generate_key()?;
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
        let der = self.sign(params, spec.scope.as_ref(), &key)?;
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
        // No number in the name: the TNAuthList says it, and names end up in logs.
        let mut params = issuing::params("RingTrue lab delegate", spec.validity)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![if spec.may_sign {
            KeyUsagePurpose::DigitalSignature
        } else {
            KeyUsagePurpose::KeyAgreement
        }];
        let mut chain = vec![self.sign(params, spec.scope.as_ref(), key)?];
        chain.extend(self.above.iter().cloned());
        credential(chain, key)
    }

    fn sign(
        &self,
        mut params: rcgen::CertificateParams,
        scope: Option<&TnAuthList>,
        key: &KeyPair,
    ) -> Result<Vec<u8>, Reason> {
        params.use_authority_key_identifier_extension = true;
        params
            .custom_extensions
            .extend(scope.map(issuing::tn_auth_list_extension));
        let issuer = issuing::issuer(&self.name, &self.key);
        let certificate = params.signed_by(key, &issuer).map_err(internal)?;
        Ok(certificate.der().to_vec())
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

fn credential(chain_der: Vec<Vec<u8>>, key: &KeyPair) -> Result<Credential, Reason> {
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
