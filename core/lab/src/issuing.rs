//! One certificate: the parameters that all of them share.

use p256::pkcs8::DecodePrivateKey as _;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SerialNumber,
};
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto, SecretKey};
use ringtrue_stir::tn_auth_list::TnAuthList;
use ringtrue_stir::{Reason, UnixTime};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{Validity, der};

/// id-pe-TNAuthList, RFC 8226 section 9.
const TN_AUTH_LIST: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 26];

/// id-ce-authorityKeyIdentifier, RFC 5280 section 4.2.1.1.
const AUTHORITY_KEY_ID: &[u64] = &[2, 5, 29, 35];

/// Octets of a serial number: 128 random bits, above the 64 that profiles ask for (CRT-50).
const SERIAL_LEN: usize = 16;

/// Whatever the certificate library does not do for parameters made here.
pub(crate) fn internal<E>(_: E) -> Reason {
    Reason::Internal
}

/// A fresh P-256 key.
pub(crate) fn generate_key() -> Result<KeyPair, Reason> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| Reason::RandomnessUnavailable)
}

/// A fresh RSA key of 2048 bits: for CAs and logs of tests.
pub(crate) fn generate_rsa_key() -> Result<KeyPair, Reason> {
    KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(|_| Reason::RandomnessUnavailable)
}

/// Reads a PKCS#8 key that was written by [`key_pem`].
pub(crate) fn key_from_pem(pem: &str) -> Result<KeyPair, Reason> {
    let key = KeyPair::from_pem(pem).map_err(|_| Reason::MalformedPem)?;
    if key.algorithm() == &PKCS_ECDSA_P256_SHA256 {
        Ok(key)
    } else {
        Err(Reason::MalformedKey)
    }
}

/// The key as PKCS#8 PEM.
pub(crate) fn key_pem(key: &KeyPair) -> Zeroizing<String> {
    Zeroizing::new(key.serialize_pem())
}

/// The scalar of a key.
pub(crate) fn secret_of(key: &KeyPair) -> Result<SecretKey, Reason> {
    let secret =
        p256::SecretKey::from_pkcs8_der(key.serialized_der()).map_err(|_| Reason::MalformedKey)?;
    SecretKey::from_slice(&Zeroizing::new(secret.to_bytes()))
}

/// Name, validity and a serial number of its own; everything else as the library has it.
pub(crate) fn params(name: &str, validity: Validity) -> Result<CertificateParams, Reason> {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name);
    params.not_before = date_time(validity.not_before)?;
    params.not_after = date_time(validity.not_after)?;
    params.serial_number = Some(serial_number()?);
    Ok(params)
}

/// The extension that says which numbers a certificate speaks for; not critical (CRT-1).
pub(crate) fn tn_auth_list_extension(list: &TnAuthList) -> CustomExtension {
    CustomExtension::from_oid_content(TN_AUTH_LIST, list.encode())
}

/// A key identifier that is no key's: SHA-256 never gives zeros alone.
pub(crate) fn wrong_authority_key_id() -> CustomExtension {
    let key_id = der::element(0x80, &[&[0; 20]]);
    CustomExtension::from_oid_content(AUTHORITY_KEY_ID, der::element(der::SEQUENCE, &[&key_id]))
}

/// An issuer whose certificate carries this name.
pub(crate) fn issuer<'a>(name: &str, key: &'a KeyPair) -> Issuer<'static, &'a KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name);
    Issuer::new(params, key)
}

fn distinguished_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::OrganizationName, "RingTrue lab");
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn serial_number() -> Result<SerialNumber, Reason> {
    let mut octets = [0; SERIAL_LEN];
    RustCrypto.fill_random(&mut octets)?;
    // Positive and never shortened: the first octet is 01 to 7f.
    if let Some(first) = octets.first_mut() {
        *first = (*first & 0x7f) | 1;
    }
    Ok(SerialNumber::from_slice(&octets))
}

/// Certificates end with the year 9999 (RFC 5280 section 4.1.2.5).
pub(crate) fn date_time(time: UnixTime) -> Result<OffsetDateTime, Reason> {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .ok_or(Reason::ConfigurationInvalid)
}
