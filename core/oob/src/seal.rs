//! Sealing content into a blob and opening it again: HPKE base mode, one message, full padding.
//!
//! The group operations go through the [`CryptoProvider`] or a hardware key; the rest is `hpke`'s.
//!
//! Source: docs/protocol.md sections 6 and 10 (PRV-4 to PRV-6, PRV-9, PRV-14, PRV-21, PRV-24).

use hmac::{Hmac, KeyInit as _, Mac as _};
use hpke::aead::{AesGcm128, ChaCha20Poly1305};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, Curve, GeneratedKey, SecretKey, SharedSecret};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hpke_raw::{self, Message, P256Group, X25519Group};
use crate::suite::{LENGTH_PREFIX_LEN, TAG_LEN};
use crate::{Blob, Destination, RecipientKey, SizeClass, Suite};

/// Seals `content` to `key` in the suite's ordinary size class, with a fresh ephemeral key.
///
/// # Errors
///
/// * [`Reason::ContentTooLong`] above [`Suite::max_content_len`].
/// * [`Reason::SuiteUnsupported`] for a suite that this build only knows by form.
/// * [`Reason::RandomnessUnavailable`] if the generator fails.
pub fn seal(
    provider: &dyn CryptoProvider,
    key: &RecipientKey,
    destination: &Destination,
    content: &[u8],
) -> Result<Blob, Reason> {
    seal_in_class(provider, key, destination, content, key.suite().class())
}

/// Seals `content` in a stated size class. Class two is visible as a real blob: only where the
/// application allows it (W-31).
///
/// # Errors
///
/// As [`seal`], and [`Reason::ContentTooLong`] for a class that the suite does not have.
pub fn seal_in_class(
    provider: &dyn CryptoProvider,
    key: &RecipientKey,
    destination: &Destination,
    content: &[u8],
    class: SizeClass,
) -> Result<Blob, Reason> {
    let suite = key.suite();
    let curve = suite.curve().ok_or(Reason::SuiteUnsupported)?;
    if !suite.allows(class) || content.len() > suite.max_content_len_in(class) {
        return Err(Reason::ContentTooLong);
    }
    let info = destination.info()?;
    let ephemeral = provider.generate(curve)?;
    let agreed = provider.agree(curve, &ephemeral.secret, key.as_octets())?;
    let sealing = Sealing {
        suite,
        class,
        enc: &ephemeral.public,
        recipient: key.as_octets(),
        info: &info,
    };
    sealing.seal(&agreed, content)
}

/// Opens `blob` with a software key. `key` is the public half of `secret`.
///
/// # Errors
///
/// All of them mean the same to a receiver: not for this key, go on silently (PRV-8).
///
/// * [`Reason::SuiteUnsupported`] if the suites differ or this build does not open the blob's.
/// * [`Reason::MalformedKey`] if the encapsulated key is no valid point, is of low order, or `secret`
///   is no scalar.
/// * [`Reason::BlobNotOpened`] if it was sealed to another key or destination, or was changed.
/// * [`Reason::MalformedContent`] if length or filler inside are wrong.
pub fn open(
    provider: &dyn CryptoProvider,
    blob: &Blob,
    secret: &SecretKey,
    key: &RecipientKey,
    destination: &Destination,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    if blob.suite() != key.suite() {
        return Err(Reason::SuiteUnsupported);
    }
    let curve = blob.suite().curve().ok_or(Reason::SuiteUnsupported)?;
    if blob.suite() == Suite::S1 {
        blob.peer_point()?;
    }
    let agreed = provider.agree(curve, secret, blob.enc())?;
    open_with_shared_secret(blob, &agreed, key, destination)
}

/// Opens `blob` where the agreement between the secret half of `key` and the blob's encapsulated key
/// was done elsewhere. For a hardware key give it [`Blob::peer_point`] and pass what it returned
/// through [`SharedSecret::from_device`].
///
/// # Errors
///
/// As [`open`].
pub fn open_with_shared_secret(
    blob: &Blob,
    agreed: &SharedSecret,
    key: &RecipientKey,
    destination: &Destination,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    if blob.suite() != key.suite() {
        return Err(Reason::SuiteUnsupported);
    }
    if agreed.expose().iter().all(|octet| *octet == 0) {
        return Err(Reason::MalformedKey);
    }
    let parts = blob.parts()?;
    let info = destination.info()?;
    let message = Message {
        enc: parts.enc,
        recipient: key.as_octets(),
        info: &info,
        aad: parts.header,
    };
    let mut text = Zeroizing::new(parts.ciphertext.to_vec());
    match blob.suite() {
        Suite::S1 => {
            // A caller that agreed by itself may not have looked.
            blob.peer_point()?;
            hpke_raw::open_in_place::<P256Group, AesGcm128>(agreed, &message, &mut text, parts.tag)
        }
        Suite::S2 => hpke_raw::open_in_place::<X25519Group, ChaCha20Poly1305>(
            agreed, &message, &mut text, parts.tag,
        ),
        Suite::S3 | Suite::S4 => Err(Reason::SuiteUnsupported),
    }?;
    unpad(text)
}

/// Removes the length in front and the filler behind; the filler must be zero.
fn unpad(mut text: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let malformed = Reason::MalformedContent;
    let (len, rest) = text.split_first_chunk().ok_or(malformed)?;
    let len = usize::from(u16::from_be_bytes(*len));
    let (_, filler) = rest.split_at_checked(len).ok_or(malformed)?;
    if filler.iter().any(|octet| *octet != 0) {
        return Err(malformed);
    }
    // Moved to the front of the same buffer, so that no copy stays behind.
    let end = LENGTH_PREFIX_LEN.checked_add(len).ok_or(malformed)?;
    text.copy_within(LENGTH_PREFIX_LEN..end, 0);
    text.truncate(len);
    Ok(text)
}

/// A dummy: looks like an ordinary blob of `suite` and opens for nobody.
///
/// # Errors
///
/// As [`dummy_from_seed`], and [`Reason::RandomnessUnavailable`].
pub fn dummy(provider: &dyn CryptoProvider, suite: Suite) -> Result<Blob, Reason> {
    let mut seed = Zeroizing::new([0; 32]);
    provider.fill_random(seed.as_mut_slice())?;
    dummy_from_seed(provider, suite, &seed)
}

/// The dummy that belongs to `seed`: the same seed gives the same octets on every machine, so that a
/// service needs no memory of its dummies. Whoever knows the seed can tell it from a real blob.
///
/// It has a genuine key share, and a ciphertext that the ordinary path made of zeros under keys that
/// depend on the seed alone.
///
/// # Errors
///
/// [`Reason::SuiteUnsupported`] for S3 and S4: their dummies need a genuine encapsulation, which this
/// build cannot make.
///
/// Source: docs/protocol.md section 10 (PRV-14).
pub fn dummy_from_seed(
    provider: &dyn CryptoProvider,
    suite: Suite,
    seed: &[u8; 32],
) -> Result<Blob, Reason> {
    let curve = suite.curve().ok_or(Reason::SuiteUnsupported)?;
    let ephemeral = dummy_share(provider, suite, curve, seed)?;
    // An agreement with some recipient would cost a group operation and hide nothing more: only the
    // output of a hash over this value is used, and a secret seed makes it as unpredictable.
    let agreed = SharedSecret::new(*derived(seed, suite, b"agreement", 0)?);
    let sealing = Sealing {
        suite,
        class: suite.class(),
        enc: &ephemeral.public,
        recipient: &ephemeral.public,
        info: DUMMY_INFO,
    };
    sealing.seal(&agreed, &[])
}

/// Separates the keys of dummies from those of any real blob.
const DUMMY_INFO: &[u8] = b"RingTrue dummy blob v1";

/// The key pair whose public half is the key share of a dummy.
fn dummy_share(
    provider: &dyn CryptoProvider,
    suite: Suite,
    curve: Curve,
    seed: &[u8; 32],
) -> Result<GeneratedKey, Reason> {
    // A string is outside the scalar range of P-256 with probability 2^-32; two in a row never happen.
    for attempt in 0..=u8::MAX {
        let secret = SecretKey::new(*derived(seed, suite, b"share", attempt)?);
        match provider.public_key(curve, &secret) {
            Ok(public) => return Ok(GeneratedKey { secret, public }),
            Err(Reason::MalformedKey) => {}
            Err(other) => return Err(other),
        }
    }
    Err(Reason::Internal)
}

/// 32 octets for one purpose out of the seed of a dummy.
fn derived(
    seed: &[u8; 32],
    suite: Suite,
    purpose: &[u8],
    attempt: u8,
) -> Result<Zeroizing<[u8; 32]>, Reason> {
    let mac = Hmac::<Sha256>::new_from_slice(seed).map_err(|_| Reason::Internal)?;
    let mac = mac
        .chain_update(DUMMY_INFO)
        .chain_update(suite.id_bytes())
        .chain_update([attempt])
        .chain_update(purpose);
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// Everything public that goes into one blob.
struct Sealing<'a> {
    suite: Suite,
    class: SizeClass,
    enc: &'a [u8],
    recipient: &'a [u8],
    info: &'a [u8],
}

impl Sealing<'_> {
    /// Writes header, key share and padded content into one buffer and encrypts in place.
    fn seal(&self, agreed: &SharedSecret, content: &[u8]) -> Result<Blob, Reason> {
        let header = Blob::header(self.suite, self.class);
        let len = u16::try_from(content.len()).map_err(|_| Reason::ContentTooLong)?;
        // Overwritten on every way out except the last, where it holds the ciphertext.
        let mut octets = Zeroizing::new(Vec::with_capacity(self.class.blob_len()));
        octets.extend_from_slice(&header);
        octets.extend_from_slice(self.enc);
        let start = octets.len();
        octets.extend_from_slice(&len.to_be_bytes());
        octets.extend_from_slice(content);
        if octets.len().saturating_add(TAG_LEN) > self.class.blob_len() {
            return Err(Reason::ContentTooLong);
        }
        octets.resize(self.class.blob_len(), 0);

        let body = octets.get_mut(start..).ok_or(Reason::Internal)?;
        let text_len = body.len().saturating_sub(TAG_LEN);
        let (text, tag) = body
            .split_at_mut_checked(text_len)
            .ok_or(Reason::Internal)?;
        let message = Message {
            enc: self.enc,
            recipient: self.recipient,
            info: self.info,
            aad: &header,
        };
        match self.suite {
            Suite::S1 => {
                hpke_raw::seal_in_place::<P256Group, AesGcm128>(agreed, &message, text, tag)
            }
            Suite::S2 => hpke_raw::seal_in_place::<X25519Group, ChaCha20Poly1305>(
                agreed, &message, text, tag,
            ),
            Suite::S3 | Suite::S4 => Err(Reason::SuiteUnsupported),
        }?;
        Blob::from_octets(core::mem::take(&mut *octets))
    }
}
