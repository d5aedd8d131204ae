//! Encapsulated requests and answers.
//!
//! HPKE base mode, one request and one answer per context. The answer's key is exported from the
//! request's context; its cipher is that of the same HPKE suite, used once with the derived nonce.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hpke::aead::{Aead, AesGcm128, ChaCha20Poly1305};
use hpke::danger::streaming_enc::{
    AeadKey, AeadNonce, ExporterSecret, create_receiver_context, create_sender_context,
};
use hpke::kdf::HkdfSha256;
use hpke::{OpModeR, OpModeS};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, Curve, SecretKey, SharedSecret};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::binary::MAX_MESSAGE_LEN;
use super::key_config::{KDF_SHA256, KEM_X25519};
use super::{KeyConfig, SymmetricSuite};
use crate::hpke_raw::{KeyOctets, RawDhKem, RawPrivateKey, RawPublicKey, X25519Group};

type Kem = RawDhKem<X25519Group>;

/// Octets of the header in front of the encapsulated key.
const HEADER_LEN: usize = 7;

/// Octets of an X25519 key.
const ENC_LEN: usize = 32;

/// Octets of the tag of both AEADs.
const TAG_LEN: usize = 16;

/// Octets of the nonce of both AEADs.
const NONCE_LEN: usize = 12;

/// The most octets of an encapsulated message that are opened.
pub const MAX_ENCAPSULATED_LEN: usize = MAX_MESSAGE_LEN + HEADER_LEN + ENC_LEN + TAG_LEN;

const REQUEST_LABEL: &[u8] = b"message/bhttp request";
const RESPONSE_LABEL: &[u8] = b"message/bhttp response";

const MALFORMED: Reason = Reason::MalformedEncapsulation;

/// The key of the one answer to one encapsulated request. Overwritten on drop.
pub struct AnswerKey {
    suite: SymmetricSuite,
    enc: [u8; ENC_LEN],
    /// Exported from the context; as long as the AEAD's key.
    secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerKey(..)")
    }
}

/// A key of a gateway. Its secret is overwritten on drop.
#[derive(Clone)]
pub struct GatewayKey {
    secret: SecretKey,
    config: KeyConfig,
}

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayKey(..)")
    }
}

impl GatewayKey {
    /// Makes a key that requests name by `key_id`.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the generator fails.
    pub fn generate(provider: &dyn CryptoProvider, key_id: u8) -> Result<Self, Reason> {
        let key = provider.generate(Curve::X25519)?;
        Self::from_secret(provider, key_id, key.secret)
    }

    /// Takes a key that was kept.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if it is no X25519 key.
    pub fn from_secret(
        provider: &dyn CryptoProvider,
        key_id: u8,
        secret: SecretKey,
    ) -> Result<Self, Reason> {
        let public = provider.public_key(Curve::X25519, &secret)?;
        let public = public.try_into().map_err(|_| Reason::MalformedKey)?;
        Ok(Self {
            secret,
            config: KeyConfig::new(key_id, public),
        })
    }

    /// What clients are told of it.
    #[must_use]
    pub const fn config(&self) -> &KeyConfig {
        &self.config
    }

    /// The secret half, to be kept where the gateway keeps its secrets.
    #[must_use]
    pub const fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

/// Encapsulates a binary request for a gateway. The key that comes with it opens the answer.
///
/// # Errors
///
/// * [`Reason::MalformedGatewayKeys`] if the gateway's key is no usable point.
/// * [`Reason::MalformedEncapsulation`] for a request over [`MAX_MESSAGE_LEN`].
/// * [`Reason::RandomnessUnavailable`] if the generator fails.
///
/// Source: RFC 9458 section 4.3.
pub fn encapsulate(
    provider: &dyn CryptoProvider,
    config: &KeyConfig,
    suite: SymmetricSuite,
    request: &[u8],
) -> Result<(Vec<u8>, AnswerKey), Reason> {
    if request.len() > MAX_MESSAGE_LEN {
        return Err(MALFORMED);
    }
    let ephemeral = provider.generate(Curve::X25519)?;
    let enc: [u8; ENC_LEN] = ephemeral
        .public
        .as_slice()
        .try_into()
        .map_err(|_| Reason::Internal)?;
    let agreed = provider
        .agree(Curve::X25519, &ephemeral.secret, config.public_key())
        .map_err(|_| Reason::MalformedGatewayKeys)?;
    let header = header(config.key_id(), suite);
    let seal = match suite {
        SymmetricSuite::Aes128Gcm => seal_request::<AesGcm128>,
        SymmetricSuite::ChaCha20Poly1305 => seal_request::<ChaCha20Poly1305>,
    };
    let (sealed, secret) = seal(config, suite, &enc, &agreed, &info(&header), request)?;
    let mut message = header.to_vec();
    message.extend_from_slice(&enc);
    message.extend_from_slice(&sealed);
    Ok((message, AnswerKey { suite, enc, secret }))
}

/// Opens an encapsulated request with the key that it names. The key that comes with it seals the
/// answer.
///
/// # Errors
///
/// * [`Reason::MalformedEncapsulation`] for what has not the form, or is of another KEM, KDF or AEAD.
/// * [`Reason::MalformedGatewayKeys`] if it names none of `keys`: the client's are out of date.
/// * [`Reason::BlobNotOpened`] if it was changed, or sealed to another key of the same name.
///
/// Source: RFC 9458 section 4.3.
pub fn decapsulate(
    provider: &dyn CryptoProvider,
    keys: &[GatewayKey],
    message: &[u8],
) -> Result<(Zeroizing<Vec<u8>>, AnswerKey), Reason> {
    if message.len() > MAX_ENCAPSULATED_LEN {
        return Err(MALFORMED);
    }
    let (header, rest) = message.split_first_chunk::<HEADER_LEN>().ok_or(MALFORMED)?;
    let (enc, sealed) = rest.split_first_chunk::<ENC_LEN>().ok_or(MALFORMED)?;
    if sealed.len() < TAG_LEN {
        return Err(MALFORMED);
    }
    let [
        key_id,
        kem_high,
        kem_low,
        kdf_high,
        kdf_low,
        aead_high,
        aead_low,
    ] = *header;
    if u16::from_be_bytes([kem_high, kem_low]) != KEM_X25519 {
        return Err(MALFORMED);
    }
    let suite = SymmetricSuite::from_ids(
        u16::from_be_bytes([kdf_high, kdf_low]),
        u16::from_be_bytes([aead_high, aead_low]),
    )
    .ok_or(MALFORMED)?;
    let key = keys
        .iter()
        .find(|key| key.config.key_id() == key_id)
        .ok_or(Reason::MalformedGatewayKeys)?;
    if !key.config.suites().contains(&suite) {
        return Err(MALFORMED);
    }
    let agreed = provider
        .agree(Curve::X25519, &key.secret, enc)
        .map_err(|_| MALFORMED)?;
    let open = match suite {
        SymmetricSuite::Aes128Gcm => open_request::<AesGcm128>,
        SymmetricSuite::ChaCha20Poly1305 => open_request::<ChaCha20Poly1305>,
    };
    let (request, secret) = open(&key.config, suite, enc, &agreed, &info(header), sealed)?;
    let answer = AnswerKey {
        suite,
        enc: *enc,
        secret,
    };
    Ok((request, answer))
}

impl AnswerKey {
    /// Octets of the random value in front of an answer: as long as the AEAD's key, which is longer
    /// than its nonce with both.
    const fn nonce_len(&self) -> usize {
        self.suite.key_len()
    }

    /// Encapsulates a binary answer. For gateways; once per request.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the generator fails.
    ///
    /// Source: RFC 9458 section 4.4.
    pub fn seal(&self, provider: &dyn CryptoProvider, answer: &[u8]) -> Result<Vec<u8>, Reason> {
        let mut message = vec![0; self.nonce_len()];
        provider.fill_random(&mut message)?;
        let sealed = match self.suite {
            SymmetricSuite::Aes128Gcm => self.seal_with::<AesGcm128>(&message, answer),
            SymmetricSuite::ChaCha20Poly1305 => {
                self.seal_with::<ChaCha20Poly1305>(&message, answer)
            }
        }?;
        message.extend_from_slice(&sealed);
        Ok(message)
    }

    /// Opens an encapsulated answer. For clients.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedEncapsulation`] if it has not the form;
    /// [`Reason::BlobNotOpened`] if it is not the answer to this request, or was changed.
    ///
    /// Source: RFC 9458 section 4.4.
    pub fn open(&self, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, Reason> {
        if message.len() > MAX_ENCAPSULATED_LEN {
            return Err(MALFORMED);
        }
        let (nonce, sealed) = message
            .split_at_checked(self.nonce_len())
            .ok_or(MALFORMED)?;
        if sealed.len() < TAG_LEN {
            return Err(MALFORMED);
        }
        match self.suite {
            SymmetricSuite::Aes128Gcm => self.open_with::<AesGcm128>(nonce, sealed),
            SymmetricSuite::ChaCha20Poly1305 => self.open_with::<ChaCha20Poly1305>(nonce, sealed),
        }
    }

    /// `Extract(enc || response_nonce, secret)`, then `Expand` for key and nonce.
    fn derive<A: Aead>(&self, nonce: &[u8]) -> Result<(AeadKey<A>, AeadNonce<A>), Reason> {
        let mut salt = self.enc.to_vec();
        salt.extend_from_slice(nonce);
        let prk = hmac(&salt, &[&self.secret])?;
        let mut key = AeadKey::<A>::default();
        let mut derived_nonce = AeadNonce::<A>::default();
        expand(&prk, b"key", &mut key.0)?;
        expand(&prk, b"nonce", &mut derived_nonce.0)?;
        Ok((key, derived_nonce))
    }

    fn seal_with<A: Aead>(&self, nonce: &[u8], answer: &[u8]) -> Result<Vec<u8>, Reason> {
        let (key, nonce) = self.derive::<A>(nonce)?;
        let exporter = ExporterSecret::<HkdfSha256>::default();
        // The first message of a context is sealed with its base nonce: the AEAD and nothing else.
        create_sender_context::<A, HkdfSha256, Kem>(&key, nonce, exporter)
            .seal(answer, b"")
            .map_err(|_| Reason::Internal)
    }

    fn open_with<A: Aead>(
        &self,
        nonce: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let (key, nonce) = self.derive::<A>(nonce)?;
        let exporter = ExporterSecret::<HkdfSha256>::default();
        create_receiver_context::<A, HkdfSha256, Kem>(&key, nonce, exporter)
            .open(sealed, b"")
            .map(Zeroizing::new)
            .map_err(|_| Reason::BlobNotOpened)
    }
}

fn header(key_id: u8, suite: SymmetricSuite) -> [u8; HEADER_LEN] {
    let [kem_high, kem_low] = KEM_X25519.to_be_bytes();
    let [kdf_high, kdf_low] = KDF_SHA256.to_be_bytes();
    let [aead_high, aead_low] = suite.aead_id().to_be_bytes();
    [
        key_id, kem_high, kem_low, kdf_high, kdf_low, aead_high, aead_low,
    ]
}

fn info(header: &[u8; HEADER_LEN]) -> Vec<u8> {
    let mut info = REQUEST_LABEL.to_vec();
    info.push(0);
    info.extend_from_slice(header);
    info
}

type Sealed = (Vec<u8>, Zeroizing<Vec<u8>>);
type Opened = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

fn seal_request<A: Aead>(
    config: &KeyConfig,
    suite: SymmetricSuite,
    enc: &[u8; ENC_LEN],
    agreed: &SharedSecret,
    info: &[u8],
    request: &[u8],
) -> Result<Sealed, Reason> {
    let recipient = RawPublicKey::<X25519Group>::for_sender(config.public_key(), enc, agreed)?;
    // The crate's generator is handed in by this call and never used: the agreement is done.
    let (_, mut context) =
        hpke::setup_sender::<A, HkdfSha256, Kem>(&OpModeS::Base, &recipient, info)
            .map_err(|_| Reason::Internal)?;
    let sealed = context.seal(request, b"").map_err(|_| Reason::Internal)?;
    let mut secret = Zeroizing::new(vec![0; suite.key_len().max(NONCE_LEN)]);
    context
        .export(RESPONSE_LABEL, &mut secret)
        .map_err(|_| Reason::Internal)?;
    Ok((sealed, secret))
}

fn open_request<A: Aead>(
    config: &KeyConfig,
    suite: SymmetricSuite,
    enc: &[u8; ENC_LEN],
    agreed: &SharedSecret,
    info: &[u8],
    sealed: &[u8],
) -> Result<Opened, Reason> {
    let key = RawPrivateKey::<X25519Group>::new(config.public_key(), agreed)?;
    let enc = KeyOctets::<X25519Group>::new(enc)?;
    let mut context = hpke::setup_receiver::<A, HkdfSha256, Kem>(&OpModeR::Base, &key, &enc, info)
        .map_err(|_| Reason::BlobNotOpened)?;
    let request = context
        .open(sealed, b"")
        .map_err(|_| Reason::BlobNotOpened)?;
    let mut secret = Zeroizing::new(vec![0; suite.key_len().max(NONCE_LEN)]);
    context
        .export(RESPONSE_LABEL, &mut secret)
        .map_err(|_| Reason::Internal)?;
    Ok((Zeroizing::new(request), secret))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, Reason> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Reason::Internal)?;
    for part in parts {
        mac.update(part);
    }
    let mut out = Zeroizing::new([0; 32]);
    out.copy_from_slice(&mac.finalize().into_bytes());
    Ok(out)
}

/// HKDF-Expand with one block: at most 32 octets.
fn expand(prk: &[u8; 32], label: &[u8], out: &mut [u8]) -> Result<(), Reason> {
    let block = hmac(prk, &[label, &[1]])?;
    let taken = block.get(..out.len()).ok_or(Reason::Internal)?;
    out.copy_from_slice(taken);
    Ok(())
}

#[cfg(test)]
mod tests;
