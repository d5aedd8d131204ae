//! Dummies: blobs that open for nobody and cannot be told from those that do.
//!
//! Source: docs/protocol.md section 10 (PRV-14).

use hmac::{Hmac, KeyInit as _, Mac as _};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, Curve, GeneratedKey, SecretKey, SharedSecret};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::frame::Frame;
use crate::seal::seal_agreed;
use crate::{Blob, Suite, hybrid};

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
/// depend on the seed alone. The key share of S3 and S4 is a genuine encapsulation to a key that is
/// made from the seed and thrown away.
///
/// # Errors
///
/// [`Reason::SuiteUnsupported`] for a suite that this build only knows by form.
pub fn dummy_from_seed(
    provider: &dyn CryptoProvider,
    suite: Suite,
    seed: &[u8; 32],
) -> Result<Blob, Reason> {
    let Some(curve) = suite.curve() else {
        return hybrid::dummy(suite, seed, DUMMY_INFO);
    };
    let ephemeral = dummy_share(provider, suite, curve, seed)?;
    // An agreement with some recipient would cost a group operation and hide nothing more: only the
    // output of a hash over this value is used, and a secret seed makes it as unpredictable.
    let agreed = SharedSecret::new(*derived(seed, suite, b"agreement", 0)?);
    let share = &ephemeral.public;
    let frame = Frame::new(suite, suite.class(), &[])?;
    seal_agreed(suite, &agreed, share, share, DUMMY_INFO, frame)
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
pub(crate) fn derived(
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
