//! The token itself, and one that still waits for its issuer.

use core::fmt;

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, P256PublicKey};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::blind::{Blinding, Variant};
use super::one_time_key::nonce_of;
use super::{IssuerKey, OneTimeKey, TOKEN_TYPE_OCTETS, TokenChallenge};

/// Octets that the issuer's signature is over: type, nonce, digest of the challenge, key id.
pub const TOKEN_INPUT_LEN: usize = 2 + 32 + 32 + 32;

/// Octets of the issuer's signature.
pub const AUTHENTICATOR_LEN: usize = 256;

/// Octets of a token.
pub const TOKEN_LEN: usize = TOKEN_INPUT_LEN + AUTHENTICATOR_LEN;

/// What the issuer's signature is over.
///
/// Source: RFC 9578 section 6.2.
#[must_use]
pub fn token_input(
    nonce: &[u8; 32],
    challenge_digest: &[u8; 32],
    key_id: &[u8; 32],
) -> [u8; TOKEN_INPUT_LEN] {
    let mut input = [0; TOKEN_INPUT_LEN];
    let parts = [&TOKEN_TYPE_OCTETS[..], nonce, challenge_digest, key_id];
    for (to, from) in input.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
    input
}

/// A storage token of the right form. Whether it holds is not known yet ([`IssuerKey::verify`]).
///
/// [`fmt::Debug`] prints nothing of it; two tokens are compared in constant time.
#[derive(Clone)]
pub struct Token {
    input: [u8; TOKEN_INPUT_LEN],
    authenticator: [u8; AUTHENTICATOR_LEN],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.input.ct_eq(&other.input) & self.authenticator.ct_eq(&other.authenticator))
    }
}

impl Eq for Token {}

impl Token {
    /// Reads a token.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedStorageToken`] unless it has 354 octets and type 0x0002.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Reason> {
        octets
            .split_first_chunk::<TOKEN_INPUT_LEN>()
            .filter(|(input, _)| input.starts_with(&TOKEN_TYPE_OCTETS))
            .and_then(|(input, rest)| {
                Some(Self {
                    input: *input,
                    authenticator: rest.try_into().ok()?,
                })
            })
            .ok_or(Reason::MalformedStorageToken)
    }

    /// The 354 octets.
    #[must_use]
    pub fn to_octets(&self) -> [u8; TOKEN_LEN] {
        let mut octets = [0; TOKEN_LEN];
        let parts = self.input.iter().chain(&self.authenticator);
        for (to, from) in octets.iter_mut().zip(parts) {
            *to = *from;
        }
        octets
    }

    /// What the issuer's signature is over.
    #[must_use]
    pub const fn input(&self) -> &[u8; TOKEN_INPUT_LEN] {
        &self.input
    }

    /// The issuer's signature.
    #[must_use]
    pub const fn authenticator(&self) -> &[u8; AUTHENTICATOR_LEN] {
        &self.authenticator
    }

    /// One of the three digests of the input; the first is the nonce.
    fn digest_at(&self, index: usize) -> &[u8; 32] {
        let (_, digests) = self.input.split_at(TOKEN_TYPE_OCTETS.len());
        // The input has room for exactly three.
        digests.as_chunks::<32>().0.get(index).unwrap_or(&[0; 32])
    }

    /// The nonce: the hash of K_temp.
    #[must_use]
    pub fn nonce(&self) -> &[u8; 32] {
        self.digest_at(0)
    }

    /// The digest of the challenge that the token is for.
    #[must_use]
    pub fn challenge_digest(&self) -> &[u8; 32] {
        self.digest_at(1)
    }

    /// The id of the issuer's key.
    #[must_use]
    pub fn key_id(&self) -> &[u8; 32] {
        self.digest_at(2)
    }

    /// SHA-256 of the token: what a service remembers of a spent one.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.to_octets()).into()
    }

    /// Whether the token was made for this one-time key.
    #[must_use]
    pub fn is_bound_to(&self, one_time_key: &P256PublicKey) -> bool {
        self.nonce().ct_eq(&nonce_of(one_time_key)).into()
    }
}

/// A token that its issuer has not signed yet, with its one-time key. Overwritten on drop.
///
/// [`fmt::Debug`] prints nothing of it.
pub struct PendingToken {
    issuer_key: IssuerKey,
    one_time_key: OneTimeKey,
    input: [u8; TOKEN_INPUT_LEN],
    blinding: Blinding,
}

impl fmt::Debug for PendingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingToken(..)")
    }
}

impl PendingToken {
    /// Begins a token: input for `challenge` and `one_time_key`, blinded for `issuer_key`. Salt and
    /// blinding factor are drawn from `provider`, in this order.
    ///
    /// # Errors
    ///
    /// Those of [`RsaPublicKey::blind`](super::blind::RsaPublicKey::blind).
    ///
    /// Source: docs/protocol.md section 19.1 (PRV-26); RFC 9578 section 6.1.
    pub fn new(
        provider: &dyn CryptoProvider,
        issuer_key: &IssuerKey,
        challenge: &TokenChallenge,
        one_time_key: OneTimeKey,
    ) -> Result<Self, Reason> {
        let input = token_input(
            &one_time_key.nonce(),
            &challenge.digest(),
            issuer_key.key_id(),
        );
        let blinding = issuer_key
            .rsa()
            .blind(provider, Variant::PssDeterministic, &input)?;
        Ok(Self {
            issuer_key: issuer_key.clone(),
            one_time_key,
            input,
            blinding,
        })
    }

    /// The key that is asked to sign.
    #[must_use]
    pub const fn issuer_key(&self) -> &IssuerKey {
        &self.issuer_key
    }

    /// The blinded message, 256 octets.
    #[must_use]
    pub fn blinded_message(&self) -> &[u8] {
        self.blinding.blinded_message()
    }

    /// Completes the token with what the issuer answered, after verifying it.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`] if it is no signature of the issuer's key over this token.
    pub fn complete(self, blind_signature: &[u8]) -> Result<(Token, OneTimeKey), Reason> {
        let authenticator = self.issuer_key.rsa().finalize(
            Variant::PssDeterministic,
            &self.input,
            &self.blinding,
            blind_signature,
        )?;
        let token = Token {
            input: self.input,
            authenticator: authenticator.try_into().map_err(|_| Reason::Internal)?,
        };
        Ok((token, self.one_time_key))
    }
}
