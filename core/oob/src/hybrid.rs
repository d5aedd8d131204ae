//! The hybrid suites: ML-KEM-768 beside X25519 (S3, "X-Wing") or P-256 (S4), as `hpke` implements them.
//!
//! The whole KEM is the crate's, so that its combiner and the order of its parts are too; only randomness
//! comes from the provider. A secret key of these suites is the 32-octet seed of both halves.
//!
//! Not here: whether octets are a key at all, see [`crate::hybrid_key`].
//!
//! Source: docs/protocol.md sections 6.2 and 19.3 (PRV-19, W-31).

use core::convert::Infallible;

use hpke::aead::{Aead, AeadTag, AesGcm128, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::{MlKem768P256, XWing};
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, SecretKey};
use zeroize::Zeroizing;

use crate::dummy::derived;
use crate::frame::{Frame, unpad};
use crate::{Blob, RecipientKey, Suite, hpke_raw, hybrid_key};

/// Makes a key pair of a hybrid suite: the seed and the public key.
pub(crate) fn generate(
    provider: &dyn CryptoProvider,
    suite: Suite,
) -> Result<(SecretKey, Vec<u8>), Reason> {
    let mut seed = SecretKey::new([0; 32]);
    seed.fill_with(|octets| provider.fill_random(octets))?;
    let public = public_key(suite, &seed)?;
    Ok((seed, public))
}

fn public_key(suite: Suite, seed: &SecretKey) -> Result<Vec<u8>, Reason> {
    match suite {
        Suite::S3 => public_of::<XWing>(seed),
        Suite::S4 => public_of::<MlKem768P256>(seed),
        Suite::S1 | Suite::S2 => Err(Reason::SuiteUnsupported),
    }
}

fn public_of<K: Kem>(seed: &SecretKey) -> Result<Vec<u8>, Reason> {
    let secret = K::PrivateKey::from_bytes(seed.expose()).map_err(|_| Reason::MalformedKey)?;
    Ok(K::sk_to_pk(&secret).to_bytes().to_vec())
}

/// Seals a frame to `key` with a fresh encapsulation.
pub(crate) fn seal(
    provider: &dyn CryptoProvider,
    key: &RecipientKey,
    info: &[u8],
    frame: Frame,
) -> Result<Blob, Reason> {
    let random = |out: &mut [u8]| provider.fill_random(out);
    seal_to(key.suite(), random, key.as_octets(), info, frame)
}

/// The dummy of a seed: sealed, on the path of real blobs, to a key that nobody keeps.
pub(crate) fn dummy(suite: Suite, seed: &[u8; 32], info: &[u8]) -> Result<Blob, Reason> {
    let recipient = SecretKey::new(*derived(seed, suite, b"recipient", 0)?);
    let recipient = public_key(suite, &recipient)?;
    let mut drawn = 0_u8;
    // Every draw takes whole blocks: encapsulation draws 32 or 64 octets at a time.
    let random = |out: &mut [u8]| {
        for chunk in out.chunks_mut(32) {
            let block = derived(seed, suite, b"encapsulation", drawn)?;
            drawn = drawn.checked_add(1).ok_or(Reason::Internal)?;
            for (octet, value) in chunk.iter_mut().zip(block.iter()) {
                *octet = *value;
            }
        }
        Ok(())
    };
    let frame = Frame::new(suite, suite.class(), &[])?;
    seal_to(suite, random, &recipient, info, frame)
}

fn seal_to(
    suite: Suite,
    random: impl FnMut(&mut [u8]) -> Result<(), Reason>,
    recipient: &[u8],
    info: &[u8],
    mut frame: Frame,
) -> Result<Blob, Reason> {
    match suite {
        Suite::S3 => seal_with::<XWing, ChaCha20Poly1305>(random, recipient, info, &mut frame),
        Suite::S4 => seal_with::<MlKem768P256, AesGcm128>(random, recipient, info, &mut frame),
        Suite::S1 | Suite::S2 => Err(Reason::SuiteUnsupported),
    }?;
    frame.finish()
}

fn seal_with<K: Kem, A: Aead>(
    random: impl FnMut(&mut [u8]) -> Result<(), Reason>,
    recipient: &[u8],
    info: &[u8],
    frame: &mut Frame,
) -> Result<(), Reason> {
    let recipient = K::PublicKey::from_bytes(recipient).map_err(|_| Reason::MalformedKey)?;
    let mut rng = Tracked {
        random,
        failure: None,
    };
    let (enc, mut context) =
        hpke::setup_sender_with_rng::<A, HkdfSha256, K>(&OpModeS::Base, &recipient, info, &mut rng)
            .map_err(|_| Reason::Internal)?;
    if let Some(reason) = rng.failure {
        return Err(reason);
    }
    let header = frame.header();
    let parts = frame.parts()?;
    let enc = enc.to_bytes();
    let tag = context
        .seal_inout_detached(InOutBuf::from(parts.text), &header)
        .map_err(|_| Reason::Internal)?
        .to_bytes();
    if parts.enc.len() != enc.len() || parts.tag.len() != tag.len() {
        return Err(Reason::Internal);
    }
    parts.enc.copy_from_slice(&enc);
    parts.tag.copy_from_slice(&tag);
    Ok(())
}

/// Opens `blob` with the seed of `key`; the suites are known to be the same.
pub(crate) fn open(
    blob: &Blob,
    seed: &SecretKey,
    key: &RecipientKey,
    info: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    hybrid_key::check_encapsulated(blob.suite(), blob.enc())?;
    let text = match blob.suite() {
        Suite::S3 => open_with::<XWing, ChaCha20Poly1305>(blob, seed, key, info),
        Suite::S4 => open_with::<MlKem768P256, AesGcm128>(blob, seed, key, info),
        Suite::S1 | Suite::S2 => Err(Reason::SuiteUnsupported),
    }?;
    unpad(text)
}

fn open_with<K: Kem, A: Aead>(
    blob: &Blob,
    seed: &SecretKey,
    key: &RecipientKey,
    info: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let malformed = |_| Reason::MalformedKey;
    let parts = blob.parts()?;
    let secret = K::PrivateKey::from_bytes(seed.expose()).map_err(malformed)?;
    // The KEM makes its public key from the seed; the one that is named must be that, as it must with
    // the other suites.
    if K::sk_to_pk(&secret).to_bytes().as_slice() != key.as_octets() {
        return Err(Reason::BlobNotOpened);
    }
    let enc = K::EncappedKey::from_bytes(parts.enc).map_err(malformed)?;
    let tag = AeadTag::<A>::from_bytes(parts.tag).map_err(|_| Reason::MalformedBlob)?;
    let context = hpke::setup_receiver::<A, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, info);
    hpke_raw::open_with(context, parts.ciphertext, parts.header, &tag)
}

/// A source of octets in the form that the KEMs ask for, which knows no failure. After one, the octets
/// are constant, and what was made with them must be thrown away.
struct Tracked<F> {
    random: F,
    failure: Option<Reason>,
}

impl<F: FnMut(&mut [u8]) -> Result<(), Reason>> TryRng for Tracked<F> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        if self.failure.is_none() {
            self.failure = (self.random)(out).err();
        }
        if self.failure.is_some() {
            // A scalar in range, so that the search for one ends.
            out.fill(1);
        }
        Ok(())
    }
}

impl<F: FnMut(&mut [u8]) -> Result<(), Reason>> TryCryptoRng for Tracked<F> {}
