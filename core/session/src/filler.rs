//! Rounding a store up with blobs that open for nobody.

use ringtrue_oob::{Blob, dummy, filler_suites};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;

/// `real` with fillers of the same suites, so that there are 1, 2, 4 or 8, in random order: neither the
/// size of a request nor the place of a blob in it says how many are real, or for which key (W-18).
///
/// # Errors
///
/// [`Reason::RandomnessUnavailable`]; those of [`dummy`] for a suite that this build cannot seal, of
/// which there is no real blob either.
pub(crate) fn round_up(
    provider: &dyn CryptoProvider,
    real: Vec<Blob>,
) -> Result<Vec<Blob>, Reason> {
    let suites: Vec<_> = real.iter().map(Blob::suite).collect();
    let mut blobs = real;
    for suite in filler_suites(&suites) {
        blobs.push(dummy(provider, suite)?);
    }
    shuffle(provider, &mut blobs)?;
    Ok(blobs)
}

/// Fisher and Yates, with 32 random bits for each step: the bias is below 2^-28 for eight blobs.
fn shuffle<T>(provider: &dyn CryptoProvider, items: &mut [T]) -> Result<(), Reason> {
    for last in (1..items.len()).rev() {
        items.swap(last, below(provider, last.saturating_add(1))?);
    }
    Ok(())
}

/// A random position below `len`; 0 for an empty range.
pub(crate) fn below(provider: &dyn CryptoProvider, len: usize) -> Result<usize, Reason> {
    let mut octets = [0_u8; 4];
    provider.fill_random(&mut octets)?;
    let random = usize::try_from(u32::from_be_bytes(octets)).unwrap_or_default();
    Ok(random.checked_rem(len).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use ringtrue_oob::{Suite, dummy};
    use ringtrue_stir::crypto::RustCrypto;

    use super::round_up;

    #[test]
    fn one_to_eight_become_one_two_four_or_eight_of_the_same_suites() {
        for (count, rounded) in [1, 2, 4, 4, 8, 8, 8, 8].into_iter().enumerate() {
            for suite in [Suite::S1, Suite::S2] {
                let real: Vec<_> = (0..=count)
                    .map(|_| dummy(&RustCrypto, suite).unwrap())
                    .collect();
                let sent = round_up(&RustCrypto, real.clone()).unwrap();
                assert_eq!(sent.len(), rounded);
                assert!(real.iter().all(|blob| sent.contains(blob)));
                for blob in &sent {
                    assert_eq!((blob.suite(), blob.class()), (suite, suite.class()));
                }
            }
        }
    }

    #[test]
    fn the_place_of_a_real_blob_says_nothing() {
        let real: Vec<_> = (0..3)
            .map(|_| dummy(&RustCrypto, Suite::S2).unwrap())
            .collect();
        let mut places = [0_u32; 4];
        for _ in 0..1000 {
            let sent = round_up(&RustCrypto, real.clone()).unwrap();
            places[sent.iter().position(|blob| *blob == real[0]).unwrap()] += 1;
        }
        // Ten standard deviations of a fair choice.
        assert!(
            places.iter().all(|times| times.abs_diff(250) < 137),
            "{places:?}"
        );
    }
}
