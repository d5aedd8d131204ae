//! Blind RSA signatures (RSABSSA), the half of those who hold no private key: prepare, blind, finalize
//! and verify.
//!
//! The storage tokens use [`Variant::PssDeterministic`] with 2048 bits. The other variants and sizes are
//! here because RFC 9474 proves all of them with the same vectors.
//!
//! Arithmetic on the blinding factor and on the message is constant-time; a rejected draw of the factor
//! shows, and tells nothing. Secrets are overwritten; what the number library keeps on its stack is not.
//!
//! Source: RFC 9474 sections 4 and 5; RFC 8017 section 9.1.

use core::fmt;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;
use zeroize::Zeroizing;

use super::pss::{self, HASH_LEN};

/// The public exponent of every key here, 65537, and its bits.
const EXPONENT: u64 = 0x1_0001;
const EXPONENT_BITS: u32 = 17;

/// Sizes of a modulus in octets: type 0x0002 has 256; the vectors of RFC 9474 have 512.
const MIN_MODULUS_LEN: usize = 256;
const MAX_MODULUS_LEN: usize = 512;

/// Octets that a randomized message begins with.
const PREFIX_LEN: usize = 32;

/// Draws of a blinding factor before the generator is taken to be broken: each one fails with a
/// probability below one half.
const MAX_DRAWS: usize = 256;

/// The four named variants, all with SHA-384 and MGF1 of SHA-384.
///
/// Source: RFC 9474 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// RSABSSA-SHA384-PSS-Deterministic: what storage tokens use.
    PssDeterministic,
    /// RSABSSA-SHA384-PSS-Randomized.
    PssRandomized,
    /// RSABSSA-SHA384-PSSZERO-Deterministic.
    PssZeroDeterministic,
    /// RSABSSA-SHA384-PSSZERO-Randomized.
    PssZeroRandomized,
}

impl Variant {
    const fn salt_len(self) -> usize {
        match self {
            Self::PssDeterministic | Self::PssRandomized => HASH_LEN,
            Self::PssZeroDeterministic | Self::PssZeroRandomized => 0,
        }
    }

    const fn is_randomized(self) -> bool {
        matches!(self, Self::PssRandomized | Self::PssZeroRandomized)
    }

    /// The message that is blinded and later verified: `message` itself, or 32 random octets and
    /// `message`.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    ///
    /// Source: RFC 9474 section 4.1.
    pub fn prepare(self, provider: &dyn CryptoProvider, message: &[u8]) -> Result<Vec<u8>, Reason> {
        let mut prepared = Vec::new();
        if self.is_randomized() {
            let mut prefix = [0; PREFIX_LEN];
            provider.fill_random(&mut prefix)?;
            prepared.extend_from_slice(&prefix);
        }
        prepared.extend_from_slice(message);
        Ok(prepared)
    }
}

/// An RSA public key with the exponent 65537.
#[derive(Clone)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    params: BoxedMontyParams,
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaPublicKey(..)")
    }
}

/// The same modulus.
impl PartialEq for RsaPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus
    }
}

impl Eq for RsaPublicKey {}

/// What a client keeps between blinding and finalizing. Overwritten on drop.
pub struct Blinding {
    blinded: Vec<u8>,
    /// The inverse of the blinding factor, in Montgomery form.
    inverse: Zeroizing<BoxedMontyForm>,
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(..)")
    }
}

impl Blinding {
    /// The blinded message, as long as the modulus: what the issuer signs.
    #[must_use]
    pub fn blinded_message(&self) -> &[u8] {
        &self.blinded
    }
}

impl RsaPublicKey {
    /// Takes a modulus, big-endian, without leading zeros.
    ///
    /// # Errors
    ///
    /// [`Reason::IssuerKeyUnusable`] unless it has 2048 to 4096 bits in whole octets, its highest bit
    /// set, and is odd.
    pub fn from_modulus(modulus: &[u8]) -> Result<Self, Reason> {
        let size_ok = (MIN_MODULUS_LEN..=MAX_MODULUS_LEN).contains(&modulus.len());
        if !size_ok || modulus.first().is_none_or(|first| first & 0x80 == 0) {
            return Err(Reason::IssuerKeyUnusable);
        }
        let odd = Odd::new(BoxedUint::from_be_slice_vartime(modulus));
        let odd = Option::<Odd<BoxedUint>>::from(odd).ok_or(Reason::IssuerKeyUnusable)?;
        Ok(Self {
            modulus: modulus.to_vec(),
            params: BoxedMontyParams::new_vartime(odd),
        })
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The number that `octets` stand for, in Montgomery form; `None` unless they are as long as the
    /// modulus and below it.
    fn representative(&self, octets: &[u8]) -> Option<Zeroizing<BoxedMontyForm>> {
        if octets.len() != self.modulus.len() {
            return None;
        }
        let bits = self.params.bits_precision();
        let number = Zeroizing::new(BoxedUint::from_be_slice(octets, bits).ok()?);
        (*number < *self.params.modulus().as_ref())
            .then(|| Zeroizing::new(BoxedMontyForm::new((*number).clone(), &self.params)))
    }

    /// A number modulo the key as octets, as long as the modulus.
    fn octets(&self, number: &BoxedMontyForm) -> Zeroizing<Vec<u8>> {
        let octets = Zeroizing::new(number.retrieve().to_be_bytes().into_vec());
        // The precision is a whole number of machine words, which may be more than the modulus has.
        let spare = octets.len().saturating_sub(self.modulus.len());
        Zeroizing::new(octets.get(spare..).unwrap_or_default().to_vec())
    }

    fn public_power(number: &BoxedMontyForm) -> BoxedMontyForm {
        number.pow_bounded_exp(&BoxedUint::from(EXPONENT), EXPONENT_BITS)
    }

    /// The public operation: `octets` to the power of the exponent. An issuer checks its own results
    /// with it (RFC 9474 section 4.3).
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`] unless `octets` are as long as the modulus and below it.
    pub fn raw_public(&self, octets: &[u8]) -> Result<Vec<u8>, Reason> {
        let number = self.representative(octets).ok_or(Reason::TokenInvalid)?;
        Ok(self.octets(&Self::public_power(&number)).to_vec())
    }

    /// Blinds a prepared message. The salt and the blinding factor are drawn from `provider`, in this
    /// order.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`]; [`Reason::IssuerKeyUnusable`] if the encoded message shares a
    /// factor with the modulus, which no honest key does.
    ///
    /// Source: RFC 9474 section 4.2.
    pub fn blind(
        &self,
        provider: &dyn CryptoProvider,
        variant: Variant,
        prepared: &[u8],
    ) -> Result<Blinding, Reason> {
        let mut salt = Zeroizing::new([0; HASH_LEN]);
        let salt = salt.get_mut(..variant.salt_len()).ok_or(Reason::Internal)?;
        if !salt.is_empty() {
            provider.fill_random(salt)?;
        }
        let encoded = Zeroizing::new(pss::encode(prepared, salt, self.modulus.len()));
        let message = self.representative(&encoded).ok_or(Reason::Internal)?;
        if !bool::from(message.invert().is_some()) {
            return Err(Reason::IssuerKeyUnusable);
        }
        let mut draw = Zeroizing::new(vec![0; self.modulus.len()]);
        for _ in 0..MAX_DRAWS {
            provider.fill_random(&mut draw)?;
            // Uniform below the modulus; zero and other factors without an inverse are drawn again.
            let Some(factor) = self.representative(&draw) else {
                continue;
            };
            let Some(inverse) = Option::<BoxedMontyForm>::from(factor.invert()) else {
                continue;
            };
            let inverse = Zeroizing::new(inverse);
            let power = Zeroizing::new(Self::public_power(&factor));
            let blinded = Zeroizing::new(message.mul(&power));
            return Ok(Blinding {
                blinded: self.octets(&blinded).to_vec(),
                inverse,
            });
        }
        Err(Reason::RandomnessUnavailable)
    }

    /// Takes the blinding off what the issuer signed, and verifies it.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`] if it is not a signature over `prepared` by this key.
    ///
    /// Source: RFC 9474 section 4.4.
    pub fn finalize(
        &self,
        variant: Variant,
        prepared: &[u8],
        blinding: &Blinding,
        blind_signature: &[u8],
    ) -> Result<Vec<u8>, Reason> {
        let signed = self
            .representative(blind_signature)
            .ok_or(Reason::TokenInvalid)?;
        if blinding.inverse.params() != &self.params {
            return Err(Reason::Internal);
        }
        let signature = Zeroizing::new(signed.mul(&blinding.inverse));
        let signature = self.octets(&signature).to_vec();
        self.verify(variant, prepared, &signature)?;
        Ok(signature)
    }

    /// Whether `signature` is this key's over the prepared message.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`].
    ///
    /// Source: RFC 9474 section 4.5; RFC 8017 section 8.1.2.
    pub fn verify(
        &self,
        variant: Variant,
        prepared: &[u8],
        signature: &[u8],
    ) -> Result<(), Reason> {
        let encoded = self.raw_public(signature)?;
        if pss::verify(prepared, &encoded, variant.salt_len()) {
            Ok(())
        } else {
            Err(Reason::TokenInvalid)
        }
    }
}
