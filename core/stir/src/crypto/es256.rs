//! The ES256 signature value.

use core::fmt;

use super::signature_value;
use crate::Reason;

/// An ES256 signature: r then s, 32 octets each, big-endian, both in 1..n-1.
///
/// Source: RFC 7518 section 3.4; RFC 8225 section 4.2 (PPT-3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Es256Signature([u8; 64]);

impl Es256Signature {
    /// Takes the 64 octets of a JWS signature part.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedSignature`] for another length (a DER signature, for one) or for an r or s
    /// outside 1..n-1.
    pub fn from_raw(octets: &[u8]) -> Result<Self, Reason> {
        let raw: [u8; 64] = octets.try_into().map_err(|_| Reason::MalformedSignature)?;
        p256::ecdsa::Signature::from_slice(&raw).map_err(|_| Reason::MalformedSignature)?;
        Ok(Self(raw))
    }

    /// Reads the DER form that X.509 and most key stores use.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedSignature`] unless `der` is one strict DER `ECDSA-Sig-Value`.
    pub fn from_der(der: &[u8]) -> Result<Self, Reason> {
        signature_value::read(der, 32)
            .ok_or(Reason::MalformedSignature)
            .and_then(|raw| Self::from_raw(&raw))
    }

    /// The DER `ECDSA-Sig-Value`, as certificates and requests carry it.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        signature_value::write(&self.0)
    }

    /// The 64 octets r then s.
    #[must_use]
    pub const fn as_raw(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Es256Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Es256Signature(..)")
    }
}
