//! Revocation lists, direct and indirect.

use core::fmt;

use rcgen::{IsCa, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SigningKey as _};
use ringtrue_stir::{Reason, UnixTime};
use x509_parser::prelude::{FromDer as _, ParsedExtension, X509Certificate};
use zeroize::Zeroizing;

use crate::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OCTET_STRING, SEQUENCE, UTC_TIME, context,
    element, object_identifier, sequence_of,
};
use crate::issuing::{self, internal};
use crate::{Ca, Validity, credential};

const CRL_NUMBER: &[u64] = &[2, 5, 29, 20];
const ISSUING_DISTRIBUTION_POINT: &[u64] = &[2, 5, 29, 28];
const CERTIFICATE_ISSUER: &[u64] = &[2, 5, 29, 29];
const AUTHORITY_KEY_ID: &[u64] = &[2, 5, 29, 35];
const ECDSA_WITH_SHA256: &[u64] = &[1, 2, 840, 10045, 4, 3, 2];
const SHA256_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 11];

/// A revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The issuer's name, DER.
    issuer: Vec<u8>,
    /// The content of the INTEGER.
    serial: Vec<u8>,
    at: UnixTime,
}

impl Revoked {
    /// The certificate of this DER, revoked at `at`.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedCertificate`] if it is none.
    pub fn certificate(der: &[u8], at: UnixTime) -> Result<Self, Reason> {
        let certificate = parse(der)?;
        Ok(Self {
            issuer: certificate.tbs_certificate.issuer.as_raw().to_vec(),
            serial: certificate.tbs_certificate.raw_serial().to_vec(),
            at,
        })
    }
}

/// What a revocation list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlSpec {
    /// When it was issued.
    pub this_update: UnixTime,
    /// When the next one is due.
    pub next_update: UnixTime,
    /// Its number.
    pub number: u8,
    /// Whether it says that it lists certificates of other issuers. If not, entries name their issuer
    /// all the same where it is another, which is wrong.
    pub is_indirect: bool,
    /// In this order: an entry names its issuer only if that is not the one before.
    pub revoked: Vec<Revoked>,
}

impl CrlSpec {
    /// An indirect list of a day, the kind that a policy administrator issues (CRT-60).
    #[must_use]
    pub fn indirect(revoked: Vec<Revoked>, now: UnixTime) -> Self {
        Self {
            this_update: now,
            next_update: now.plus(core::time::Duration::from_secs(86_400)),
            number: 1,
            is_indirect: true,
            revoked,
        }
    }

    /// A list of a day by the certificates' own issuer.
    #[must_use]
    pub fn direct(revoked: Vec<Revoked>, now: UnixTime) -> Self {
        Self {
            is_indirect: false,
            ..Self::indirect(revoked, now)
        }
    }
}

/// Who signs revocation lists and nothing else: the policy administrator of a lab.
pub struct RevocationAuthority {
    key: KeyPair,
    der: Vec<u8>,
}

impl fmt::Debug for RevocationAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RevocationAuthority(..)")
    }
}

impl RevocationAuthority {
    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        credential::certificates_pem(core::slice::from_ref(&self.der))
    }

    /// The private key, PKCS#8 PEM.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        issuing::key_pem(&self.key)
    }

    /// The DER Name of the certificate, for distribution points.
    ///
    /// # Errors
    ///
    /// None for a certificate that was made here.
    pub fn name(&self) -> Result<Vec<u8>, Reason> {
        Ok(parse(&self.der)?.subject().as_raw().to_vec())
    }

    /// Signs a list. Gives its DER.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a time beyond the year 9999, [`Reason::SignerFailed`] if
    /// the key fails.
    pub fn revocation_list(&self, spec: &CrlSpec) -> Result<Vec<u8>, Reason> {
        write(&self.der, &self.key, spec)
    }
}

impl Ca {
    /// Issues the certificate of a revocation authority: no CA, for lists only.
    ///
    /// # Errors
    ///
    /// As [`Ca::root`].
    pub fn revocation_authority(
        &self,
        name: &str,
        validity: Validity,
    ) -> Result<RevocationAuthority, Reason> {
        let key = issuing::generate_key()?;
        let mut params = issuing::params(name, validity)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        let der = self.sign(&params, &key)?;
        Ok(RevocationAuthority { key, der })
    }

    /// Signs a list with the CA's own key. Gives its DER.
    ///
    /// # Errors
    ///
    /// As [`RevocationAuthority::revocation_list`].
    pub fn revocation_list(&self, spec: &CrlSpec) -> Result<Vec<u8>, Reason> {
        write(self.der(), self.key(), spec)
    }
}

/// A list as PEM.
#[must_use]
pub fn revocation_list_pem(der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("X509 CRL", der), config)
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, Reason> {
    X509Certificate::from_der(der)
        .map(|(_, certificate)| certificate)
        .map_err(|_| Reason::MalformedCertificate)
}

fn extension(oid: &[u64], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = element(BOOLEAN, &[&[0xff]]);
    let critical: &[u8] = if is_critical { &critical } else { &[] };
    let value = element(OCTET_STRING, &[value]);
    element(SEQUENCE, &[&object_identifier(oid), critical, &value])
}

fn time(time: UnixTime) -> Result<Vec<u8>, Reason> {
    let at = issuing::date_time(time)?;
    let (year, month) = (at.year(), u8::from(at.month()));
    let rest = format!(
        "{month:02}{:02}{:02}{:02}{:02}Z",
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    // RFC 5280 section 5.1.2.4: two digits of the year until 2049.
    Ok(if (1950..2050).contains(&year) {
        let text = format!("{:02}{rest}", year.rem_euclid(100));
        element(UTC_TIME, &[text.as_bytes()])
    } else {
        element(GENERALIZED_TIME, &[format!("{year:04}{rest}").as_bytes()])
    })
}

fn write(issuer_der: &[u8], key: &KeyPair, spec: &CrlSpec) -> Result<Vec<u8>, Reason> {
    let issuer = parse(issuer_der)?;
    let name = issuer.subject().as_raw();
    let key_id =
        issuer
            .extensions()
            .iter()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
                _ => None,
            });

    let mut entries = Vec::new();
    let mut current = name;
    for revoked in &spec.revoked {
        let mut entry = vec![element(INTEGER, &[&revoked.serial]), time(revoked.at)?];
        if current != revoked.issuer {
            current = &revoked.issuer;
            let names = element(SEQUENCE, &[&element(context(4), &[current])]);
            entry.push(sequence_of(&[extension(CERTIFICATE_ISSUER, true, &names)]));
        }
        entries.push(sequence_of(&entry));
    }

    let number = element(INTEGER, &[&[spec.number & 0x7f]]);
    let mut extensions = vec![extension(CRL_NUMBER, false, &number)];
    if let Some(id) = key_id {
        let value = element(SEQUENCE, &[&element(0x80, &[id])]);
        extensions.push(extension(AUTHORITY_KEY_ID, false, &value));
    }
    if spec.is_indirect {
        let value = element(SEQUENCE, &[&element(0x84, &[&[0xff]])]);
        extensions.push(extension(ISSUING_DISTRIBUTION_POINT, true, &value));
    }

    let algorithm = if key.algorithm() == &PKCS_RSA_SHA256 {
        element(SEQUENCE, &[&object_identifier(SHA256_WITH_RSA), &[5, 0]])
    } else {
        element(SEQUENCE, &[&object_identifier(ECDSA_WITH_SHA256)])
    };
    let mut tbs = vec![
        element(INTEGER, &[&[1]]),
        algorithm.clone(),
        name.to_vec(),
        time(spec.this_update)?,
        time(spec.next_update)?,
    ];
    // RFC 5280 section 5.1.2.6: absent when there are none.
    if !entries.is_empty() {
        tbs.push(sequence_of(&entries));
    }
    tbs.push(element(context(0), &[&sequence_of(&extensions)]));
    let tbs = sequence_of(&tbs);
    let signature = key.sign(&tbs).map_err(internal)?;
    let signature = element(BIT_STRING, &[&[0], &signature]);
    Ok(sequence_of(&[tbs, algorithm, signature]))
}
