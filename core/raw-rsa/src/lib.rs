//! The raw RSA private operation of the TLS back end, for the storage-token issuer alone.
//!
//! Blind signatures raise an element of the requester's choosing to the private exponent, without
//! padding (RFC 9474 section 4.3). aws-lc-rs offers no such operation, so this crate calls the one in
//! aws-lc-sys. It is the one core crate that may contain `unsafe`, does nothing else, and is linked by
//! the service alone: endpoints never have a private RSA key.
//!
//! What it adds to the library: keys are RSA-2048 with the exponent 65537 and nothing else, inputs and
//! results have exactly 256 octets, and no result leaves without having been checked with the public
//! key, so that a fault never gives the key away.

mod ffi;

use ringtrue_stir::Reason;
use zeroize::Zeroizing;

use crate::ffi::RsaKey;

/// Octets of a modulus, an input and a result: RSA-2048 (RFC 9578 section 8.2.2).
pub const MODULUS_LEN: usize = 256;

/// The public exponent of every key.
pub const PUBLIC_EXPONENT: u32 = 65_537;

/// The longest stored key that is read: RSA-2048 in PKCS#8 has some 1220 octets.
pub const MAX_PKCS8_LEN: usize = 2048;

/// A private RSA-2048 key of a token issuer. Its secrets live in the library's memory, which overwrites
/// them when the key is dropped. May be used by several threads at once.
///
/// [`core::fmt::Debug`] shows nothing of it.
pub struct RsaIssuerKey {
    key: RsaKey,
    modulus: [u8; MODULUS_LEN],
}

impl core::fmt::Debug for RsaIssuerKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RsaIssuerKey(..)")
    }
}

impl RsaIssuerKey {
    /// Makes a fresh key with the platform's generator. Takes some 100 ms.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the library fails, which it does for want of randomness or
    /// memory only.
    pub fn generate() -> Result<Self, Reason> {
        RsaKey::generate(PUBLIC_EXPONENT)
            .and_then(Self::checked)
            .ok_or(Reason::RandomnessUnavailable)
    }

    /// Takes a stored key: the DER of a PKCS#8 `PrivateKeyInfo` and nothing after it.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedRecord`] if it is none, longer than [`MAX_PKCS8_LEN`], inconsistent in itself,
    /// or of another size, exponent or kind.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Reason> {
        if der.len() > MAX_PKCS8_LEN {
            return Err(Reason::MalformedRecord);
        }
        RsaKey::from_pkcs8(der)
            .and_then(Self::checked)
            .ok_or(Reason::MalformedRecord)
    }

    /// The key as DER of a PKCS#8 `PrivateKeyInfo`, for [`RsaIssuerKey::from_pkcs8`].
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if the library fails, for want of memory.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let mut buffer = Zeroizing::new([0; MAX_PKCS8_LEN]);
        let len = self
            .key
            .write_pkcs8(buffer.as_mut_slice())
            .ok_or(Reason::StateUnavailable)?;
        let der = buffer.get(..len).ok_or(Reason::StateUnavailable)?;
        Ok(Zeroizing::new(der.to_vec()))
    }

    /// The modulus, big endian. The public exponent is [`PUBLIC_EXPONENT`].
    #[must_use]
    pub fn modulus(&self) -> &[u8; MODULUS_LEN] {
        &self.modulus
    }

    /// `input` to the private exponent, modulo the modulus: RSASP1 of RFC 8017 section 5.2.1 and
    /// BlindSign of RFC 9474 section 4.3. The library blinds the operation, so that its time says nothing
    /// about the key, and checks its result; it is checked here once more before it is given out.
    ///
    /// # Errors
    ///
    /// - [`Reason::MalformedTokenRequest`] if `input` is not below the modulus less one, or is 0 or 1:
    ///   no honest requester arrives at those, and the library computes none of them.
    /// - [`Reason::SignerFailed`] if the operation fails or its result does not lead back to `input`.
    pub fn private_operation(
        &self,
        input: &[u8; MODULUS_LEN],
    ) -> Result<[u8; MODULUS_LEN], Reason> {
        if !self.is_usable(input) {
            return Err(Reason::MalformedTokenRequest);
        }
        let result = self.key.private_raw(input).ok_or(Reason::SignerFailed)?;
        match self.key.public_raw(&result) {
            Some(back) if back == *input => Ok(result),
            _ => Err(Reason::SignerFailed),
        }
    }

    /// `input` to the public exponent, modulo the modulus: RSAVP1 of RFC 8017 section 5.2.2.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`] if `input` is not below the modulus.
    pub fn public_operation(&self, input: &[u8; MODULUS_LEN]) -> Result<[u8; MODULUS_LEN], Reason> {
        self.key.public_raw(input).ok_or(Reason::TokenInvalid)
    }

    /// A key of the one form that issuers use, with its modulus.
    fn checked(key: RsaKey) -> Option<Self> {
        let modulus = key.modulus_of_2048_bits(PUBLIC_EXPONENT)?;
        Some(Self { key, modulus })
    }

    /// 1 < `input` < modulus - 1. The modulus is odd, so the last bit alone tells it from the one less.
    fn is_usable(&self, input: &[u8; MODULUS_LEN]) -> bool {
        let (Some((input_last, input_first)), Some((last, first))) =
            (input.split_last(), self.modulus.split_last())
        else {
            return false;
        };
        let small = input_first.iter().all(|octet| *octet == 0) && *input_last <= 1;
        let one_less = last & 0xfe;
        !small && (input_first, *input_last) < (first, one_less)
    }
}
