//! Sealing content into a blob and opening it again: HPKE base mode, one message, full padding.
//!
//! The group operations of S1 and S2 go through the [`CryptoProvider`] or a hardware key; the rest is
//! `hpke`'s.
//!
//! Source: docs/protocol.md section 6 (PRV-4 to PRV-6, PRV-9, PRV-19, PRV-21, PRV-24).

use hpke::aead::{AesGcm128, ChaCha20Poly1305};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, PreparedKey, SecretKey, SharedSecret};
use zeroize::Zeroizing;

use crate::frame::{Frame, unpad};
use crate::hpke_raw::{self, Message, P256Group, X25519Group};
use crate::{Blob, Destination, RecipientKey, SizeClass, Suite, hybrid};

/// Makes a software key pair for `suite`: the secret half, which [`open`] takes, and the public one.
///
/// The secret of S1 and S2 is a scalar, that of S3 and S4 the seed of both halves of the key.
///
/// # Errors
///
/// [`Reason::RandomnessUnavailable`]; [`Reason::SuiteUnsupported`] for a suite that this build only
/// knows by form.
///
/// Source: docs/protocol.md section 6.2.
pub fn generate_key(
    provider: &dyn CryptoProvider,
    suite: Suite,
) -> Result<(SecretKey, RecipientKey), Reason> {
    let (secret, public) = match suite.curve() {
        Some(curve) => {
            let pair = provider.generate(curve)?;
            (pair.secret, pair.public)
        }
        None => hybrid::generate(provider, suite)?,
    };
    Ok((secret, RecipientKey::new(suite, &public)?))
}

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
    if !suite.is_supported() {
        return Err(Reason::SuiteUnsupported);
    }
    let frame = Frame::new(suite, class, content)?;
    let info = destination.info()?;
    let Some(curve) = suite.curve() else {
        return hybrid::seal(provider, key, &info, frame);
    };
    let ephemeral = provider.generate(curve)?;
    let agreed = provider.agree(curve, &ephemeral.secret, key.as_octets())?;
    seal_agreed(
        suite,
        &agreed,
        &ephemeral.public,
        key.as_octets(),
        &info,
        frame,
    )
}

/// Seals a frame of S1 or S2 whose agreement between `enc` and `recipient` is done.
pub(crate) fn seal_agreed(
    suite: Suite,
    agreed: &SharedSecret,
    enc: &[u8],
    recipient: &[u8],
    info: &[u8],
    mut frame: Frame,
) -> Result<Blob, Reason> {
    let header = frame.header();
    let message = Message {
        enc,
        recipient,
        info,
        aad: &header,
    };
    let parts = frame.parts()?;
    if parts.enc.len() != enc.len() {
        return Err(Reason::Internal);
    }
    parts.enc.copy_from_slice(enc);
    let (text, tag) = (parts.text, parts.tag);
    match suite {
        Suite::S1 => hpke_raw::seal_in_place::<P256Group, AesGcm128>(agreed, &message, text, tag),
        Suite::S2 => {
            hpke_raw::seal_in_place::<X25519Group, ChaCha20Poly1305>(agreed, &message, text, tag)
        }
        Suite::S3 | Suite::S4 => Err(Reason::SuiteUnsupported),
    }?;
    frame.finish()
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
    let Some(curve) = blob.suite().curve() else {
        return hybrid::open(blob, secret, key, &destination.info()?);
    };
    // The provider refuses what is no point and what gives zeros (PRV-9).
    let agreed = provider.agree(curve, secret, blob.enc())?;
    open_agreed(blob, &agreed, key, destination)
}

/// Opens `blob` of S1 or S2 with a key that the provider prepared; `key` is its public half.
///
/// # Errors
///
/// As [`open`].
pub fn open_prepared(
    blob: &Blob,
    prepared: &dyn PreparedKey,
    key: &RecipientKey,
    destination: &Destination,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    if blob.suite() != key.suite() || blob.suite().is_hybrid() {
        return Err(Reason::SuiteUnsupported);
    }
    let agreed = prepared.agree(blob.enc())?;
    open_agreed(blob, &agreed, key, destination)
}

/// Opens `blob` where the agreement between the secret half of `key` and the blob's encapsulated key
/// was done elsewhere. For a hardware key give it [`Blob::peer_point`] and pass what it returned
/// through [`SharedSecret::from_device`].
///
/// # Errors
///
/// As [`open`], and [`Reason::SuiteUnsupported`] for S3 and S4: an agreement is half of their secret.
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
    if blob.suite() == Suite::S1 {
        // A caller that agreed by itself may not have looked.
        blob.peer_point()?;
    }
    open_agreed(blob, agreed, key, destination)
}

/// Opens a blob of the suite of `key` whose key share is known to be valid.
fn open_agreed(
    blob: &Blob,
    agreed: &SharedSecret,
    key: &RecipientKey,
    destination: &Destination,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let parts = blob.parts()?;
    let info = destination.info()?;
    let message = Message {
        enc: parts.enc,
        recipient: key.as_octets(),
        info: &info,
        aad: parts.header,
    };
    let (ciphertext, tag) = (parts.ciphertext, parts.tag);
    let text = match blob.suite() {
        Suite::S1 => hpke_raw::open::<P256Group, AesGcm128>(agreed, &message, ciphertext, tag),
        Suite::S2 => {
            hpke_raw::open::<X25519Group, ChaCha20Poly1305>(agreed, &message, ciphertext, tag)
        }
        Suite::S3 | Suite::S4 => Err(Reason::SuiteUnsupported),
    }?;
    unpad(text)
}
