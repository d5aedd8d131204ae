//! What one answer holds: the choice among the live blobs, and their content.

use std::collections::HashSet;
use std::sync::Arc;

use chacha20::ChaCha20Rng;
use ringtrue_oob::http::placement::{MAX_ANSWER_BLOBS, MAX_ANSWER_LEN};
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::{Blob, Suite, dummy_from_seed};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;

use crate::chain::StoredBlob;
use crate::item::dummy_id;
use crate::mailbox::below;
use crate::schedule::DummySeed;
use crate::secret::derive;

/// How many stored blobs of an answer are matched by equal work (see [`Live::blob`]). A number that
/// holds more is being flooded, which its answer shows anyway.
const MATCHED_WORK: usize = 32;

/// One live blob, stored or dummy: which of the two is known to the service only.
pub struct Live {
    id: ItemId,
    source: Source,
}

enum Source {
    Dummy { suite: Suite, seed: DummySeed },
    Stored(Arc<StoredBlob>),
}

impl Live {
    pub(crate) fn dummy(suite: Suite, seed: DummySeed) -> Self {
        Self {
            id: dummy_id(&seed),
            source: Source::Dummy { suite, seed },
        }
    }

    pub(crate) fn stored(stored: Arc<StoredBlob>) -> Self {
        Self {
            id: stored.id,
            source: Source::Stored(stored),
        }
    }

    /// The identifier.
    #[must_use]
    pub fn id(&self) -> ItemId {
        self.id
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match &self.source {
            Source::Dummy { suite, .. } => *suite,
            Source::Stored(stored) => stored.blob.suite(),
        }
    }

    fn text_len(&self) -> usize {
        let octets = match &self.source {
            Source::Dummy { suite, .. } => suite.class().blob_len(),
            Source::Stored(stored) => stored.blob.as_octets().len(),
        };
        // Four characters for three octets, and the end of the line.
        octets.saturating_mul(4).div_ceil(3).saturating_add(1)
    }

    /// The blob. For a stored one the work of a dummy is done as well and thrown away, so that the
    /// time an answer takes does not tell how many of its blobs are stored.
    ///
    /// # Errors
    ///
    /// Those of [`dummy_from_seed`], which do not occur for the suites that are served.
    pub fn blob(&self, provider: &dyn CryptoProvider) -> Result<Blob, Reason> {
        match &self.source {
            Source::Dummy { suite, seed } => dummy_from_seed(provider, *suite, seed),
            Source::Stored(stored) => {
                let seed = derive(&[0; 32], &[self.id.to_text().as_bytes()]);
                let _ = std::hint::black_box(dummy_from_seed(provider, stored.blob.suite(), &seed));
                Ok(stored.blob.clone())
            }
        }
    }
}

/// The live blobs of one answer, in the order in which they are sent.
pub struct View {
    lives: Vec<Live>,
}

impl View {
    /// Puts the blobs in random order and cuts to the limits, keeping one of each suite (PRV-13).
    pub(crate) fn select(mut lives: Vec<Live>, rng: &mut ChaCha20Rng) -> Self {
        shuffle(&mut lives, rng);
        let total = lives
            .iter()
            .fold(0_usize, |sum, live| sum.saturating_add(live.text_len()));
        if lives.len() > MAX_ANSWER_BLOBS || total > MAX_ANSWER_LEN {
            let mut seen = HashSet::new();
            // Stable, one look at each: the first of each suite goes to the front, all else keeps its random order.
            lives.sort_by_cached_key(|live| !seen.insert(live.suite()));
            let mut len = 0_usize;
            lives.retain(|live| {
                len = len.saturating_add(live.text_len());
                len <= MAX_ANSWER_LEN
            });
            lives.truncate(MAX_ANSWER_BLOBS);
            shuffle(&mut lives, rng);
        }
        Self { lives }
    }

    /// The identifiers.
    pub fn ids(&self) -> impl Iterator<Item = ItemId> {
        self.lives.iter().map(Live::id)
    }

    /// The live blobs, without their content.
    #[must_use]
    pub fn lives(&self) -> &[Live] {
        &self.lives
    }

    /// Identifiers and blobs.
    ///
    /// # Errors
    ///
    /// As [`Live::blob`].
    pub fn items(&self, provider: &dyn CryptoProvider) -> Result<Vec<(ItemId, Blob)>, Reason> {
        let mut stored_seen = 0_usize;
        self.lives
            .iter()
            .map(|live| {
                let blob = match &live.source {
                    Source::Stored(stored) if stored_seen >= MATCHED_WORK => stored.blob.clone(),
                    source => {
                        let is_stored = matches!(source, Source::Stored(_));
                        stored_seen = stored_seen.saturating_add(usize::from(is_stored));
                        live.blob(provider)?
                    }
                };
                Ok((live.id, blob))
            })
            .collect()
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], rng: &mut ChaCha20Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last.saturating_add(1)));
    }
}
