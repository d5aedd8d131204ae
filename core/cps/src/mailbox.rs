//! The blobs of every number, in memory: what was stored, and the dummies between which it hides.
//!
//! Pure: the time is a parameter in milliseconds of any origin, randomness and key shares come from the
//! crypto provider. Locking, sizes on the wire and HTTP are elsewhere.
//!
//! Nothing is cached between retrievals on purpose: a number that was asked for or stored to a moment
//! ago must not answer sooner than one that nobody knows.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::{Blob, Suite};
use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, TelephoneNumber};
use zeroize::Zeroizing;

use crate::chain::{Chain, Kind, StoredBlob};
use crate::item::random_id;
use crate::level::DummyLevel;
use crate::rules::Rules;
use crate::schedule::{LOOKBACK_SLOTS, Schedule};
use crate::secret::ServiceSecret;
use crate::served::{ServedKeys, ServedTimeline};
use crate::tokens::price::units_of;
use crate::view::{Live, View};

/// How long a blob lives where nothing else is configured (PRV-18).
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(30);

/// The longest a blob may live (PRV-18, OOB-36).
pub const MAX_LIFETIME: Duration = Duration::from_secs(60);

/// The most stored blobs of one number; beyond it a random one goes (W-22, threat T15).
pub const MAX_STORED_PER_NUMBER: usize = 200;

/// What a stored blob is charged beyond its octets: identifier, life, allocation.
const BLOB_OVERHEAD: usize = 256;

/// What a number with disturbed dummies is charged: its chains and the entries that lead to them.
const MAILBOX_OVERHEAD: usize = 4096;

/// How many overdue numbers one request cleans up. More than one per request always catches up.
const CLEANED_PER_REQUEST: usize = 4;

/// Settings of a [`PlacementStore`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementLimits {
    /// How long each blob lives, real or dummy; cut to 1 s … [`MAX_LIFETIME`], at level D2 less an
    /// epoch.
    pub lifetime: Duration,
    /// How dummies are born.
    pub dummies: DummyLevel,
    /// The most stored blobs of one number, at most [`MAX_STORED_PER_NUMBER`].
    pub max_stored_per_number: usize,
    /// The most octets that all numbers together may hold, overhead included. At this bound a store is
    /// refused with [`Reason::OverLimit`]; retrievals go on, and room comes back within a lifetime.
    pub max_total_bytes: usize,
}

impl Default for PlacementLimits {
    fn default() -> Self {
        Self {
            lifetime: DEFAULT_LIFETIME,
            dummies: DummyLevel::default(),
            max_stored_per_number: MAX_STORED_PER_NUMBER,
            max_total_bytes: 256 * 1024 * 1024,
        }
    }
}

/// What a [`PlacementStore`] holds and did: counts only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlacementCounts {
    /// Stored blobs that are held now.
    pub live: usize,
    /// Octets charged against [`PlacementLimits::max_total_bytes`] now.
    pub bytes: usize,
    /// Numbers for which anything is kept now.
    pub numbers: usize,
    /// Stored blobs that a limit pushed out before their time, since the start.
    pub evicted: u64,
}

#[derive(Default)]
struct Mailbox {
    chains: Vec<(Suite, Chain)>,
    charged: usize,
    live: usize,
}

/// The mailboxes of all numbers.
pub struct PlacementStore {
    provider: Arc<dyn CryptoProvider>,
    rules: Rules,
    max_stored_per_number: usize,
    max_total_bytes: usize,
    served: HashMap<TelephoneNumber, ServedTimeline>,
    mailboxes: HashMap<TelephoneNumber, Mailbox>,
    /// When something of a number is to be cleaned up; one entry per number in `mailboxes`.
    due: BinaryHeap<Reverse<(u64, TelephoneNumber)>>,
    /// The same for `served`.
    served_due: BinaryHeap<Reverse<(u64, TelephoneNumber)>>,
    latest_ms: u64,
    counts: PlacementCounts,
}

impl PlacementStore {
    /// Makes an empty store. `secret` is what its dummies are derived from.
    #[must_use]
    pub fn new(
        limits: &PlacementLimits,
        secret: ServiceSecret,
        provider: Arc<dyn CryptoProvider>,
    ) -> Self {
        Self {
            provider,
            rules: Rules::new(limits, secret),
            max_stored_per_number: limits.max_stored_per_number.clamp(1, MAX_STORED_PER_NUMBER),
            max_total_bytes: limits.max_total_bytes,
            served: HashMap::new(),
            mailboxes: HashMap::new(),
            due: BinaryHeap::new(),
            served_due: BinaryHeap::new(),
            latest_ms: 0,
            counts: PlacementCounts::default(),
        }
    }

    /// How long each blob lives here.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        Duration::from_millis(self.rules.lifetime_ms)
    }

    /// Counts for metrics.
    #[must_use]
    pub fn counts(&self) -> PlacementCounts {
        self.counts
    }

    /// Says for how many keys of which suites a number is served from now on.
    ///
    /// `future` holds `(from_ms, keys)` in order of time: the present first, then what is known to
    /// come, because statements end at a known time. Dummies that live stay until their death.
    pub fn serve(&mut self, number: &TelephoneNumber, future: &[(u64, ServedKeys)], now_ms: u64) {
        // From the next millisecond on, because this one may have been looked at already.
        let from_ms = self.tick(now_ms).saturating_add(1);
        let timeline = self.served.entry(number.clone()).or_default();
        let known = timeline.last_step().is_some();
        timeline.replace_from(from_ms, future);
        if let Some(last) = timeline.last_step() {
            if !known {
                let due = last.saturating_add(self.lookback_ms());
                self.served_due.push(Reverse((due, number.clone())));
            }
        } else {
            self.served.remove(number);
        }
    }

    /// Stores the blobs of one request; all or none. Returns their identifiers in the same order. They
    /// are visible at once, at level D2 within one epoch.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedBlob`] if a blob is of a suite in which the number is not served (W-6),
    /// [`Reason::OverLimit`] if the memory bound is reached, [`Reason::RandomnessUnavailable`].
    pub fn store(
        &mut self,
        number: &TelephoneNumber,
        blobs: Vec<Blob>,
        now_ms: u64,
    ) -> Result<Vec<ItemId>, Reason> {
        let now_ms = self.tick(now_ms);
        let served = self
            .served
            .get(number)
            .map_or_else(ServedKeys::default, |timeline| timeline.at(now_ms));
        if blobs.iter().any(|blob| served.keys(blob.suite()) == 0) {
            return Err(Reason::MalformedBlob);
        }
        let needed = blobs.iter().fold(MAILBOX_OVERHEAD, |sum, blob| {
            sum.saturating_add(charge(blob))
        });
        if self.counts.bytes.saturating_add(needed) > self.max_total_bytes {
            return Err(Reason::OverLimit);
        }
        let ids = blobs
            .iter()
            .map(|_| random_id(&*self.provider))
            .collect::<Result<Vec<_>, _>>()?;
        let mut rng = request_rng(&*self.provider)?;

        let default = ServedTimeline::default();
        let timeline = self.served.get(number).unwrap_or(&default);
        let mut mailbox = self.mailboxes.remove(number);
        let is_new = mailbox.is_none();
        let mut mailbox_value = mailbox.take().unwrap_or_default();
        self.counts.forget(&mailbox_value);
        let schedule = |suite| self.rules.schedule(timeline, number, suite);
        for (suite, chain) in &mut mailbox_value.chains {
            chain.advance(&schedule(*suite), now_ms);
        }
        for (blob, id) in blobs.into_iter().zip(&ids) {
            let suite = blob.suite();
            if mailbox_value.stored_len() >= self.max_stored_per_number {
                mailbox_value.evict_random(&mut rng, schedule, now_ms);
                self.counts.evicted = self.counts.evicted.saturating_add(1);
            }
            let chain =
                mailbox_value.chain_of(suite, || Chain::undisturbed(&schedule(suite), now_ms));
            let stored = Arc::new(StoredBlob { id: *id, blob });
            chain.store(stored, &schedule(suite), now_ms);
        }
        mailbox_value.recharge();
        self.counts.add(&mailbox_value);
        self.mailboxes.insert(number.clone(), mailbox_value);
        if is_new {
            let due = now_ms.saturating_add(self.rules.lifetime_ms);
            self.due.push(Reverse((due, number.clone())));
        }
        Ok(ids)
    }

    /// The load of a number: the units of the stored blobs that are alive there (see
    /// [`price`](crate::price)).
    #[must_use]
    pub fn load(&self, number: &TelephoneNumber, now_ms: u64) -> usize {
        let now_ms = self.latest_ms.max(now_ms);
        self.mailboxes
            .get(number)
            .into_iter()
            .flat_map(|mailbox| &mailbox.chains)
            .flat_map(|(_, chain)| chain.lives())
            .filter(|life| life.end_ms > now_ms)
            .map(|life| match &life.kind {
                Kind::Stored { stored, .. } => units_of(&stored.blob),
                Kind::Dummy { .. } => 0,
            })
            .sum()
    }

    /// What an answer about `number` holds now: at most 256 blobs, 1.5 MiB as text, in random order
    /// (W-22). The costly part, making the dummies, is left to [`View::items`], outside any lock.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub fn view(&mut self, number: &TelephoneNumber, now_ms: u64) -> Result<View, Reason> {
        let lives = self.lives(number, now_ms);
        let mut rng = request_rng(&*self.provider)?;
        Ok(View::select(lives, &mut rng))
    }

    /// All blobs of an answer with their identifiers; [`PlacementStore::view`] and [`View::items`].
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub fn retrieve(
        &mut self,
        number: &TelephoneNumber,
        now_ms: u64,
    ) -> Result<Vec<(ItemId, Blob)>, Reason> {
        let provider = Arc::clone(&self.provider);
        self.view(number, now_ms)?.items(&*provider)
    }

    /// One item, if it is alive. [`Live::blob`] gives its content.
    pub fn item(&mut self, number: &TelephoneNumber, id: &ItemId, now_ms: u64) -> Option<Live> {
        self.lives(number, now_ms)
            .into_iter()
            .find(|live| live.id() == *id)
    }

    /// Deletes what has aged out, for at most `max_numbers` numbers; whether more is due.
    ///
    /// Answers never hold anything that aged out; this is for the memory (PRV-18).
    pub fn sweep(&mut self, now_ms: u64, max_numbers: usize) -> bool {
        let now_ms = self.begin(now_ms);
        self.clean(now_ms, max_numbers);
        self.due
            .peek()
            .is_some_and(|Reverse((due, _))| *due <= now_ms)
    }

    fn lookback_ms(&self) -> u64 {
        self.rules.lifetime_ms.saturating_mul(LOOKBACK_SLOTS)
    }

    fn begin(&mut self, now_ms: u64) -> u64 {
        // Time never runs back here, so that nothing comes to life again.
        self.latest_ms = self.latest_ms.max(now_ms);
        self.rules.secrets.rotate(self.latest_ms, &*self.provider);
        self.latest_ms
    }

    fn tick(&mut self, now_ms: u64) -> u64 {
        let now_ms = self.begin(now_ms);
        self.clean(now_ms, CLEANED_PER_REQUEST);
        now_ms
    }

    fn lives(&mut self, number: &TelephoneNumber, now_ms: u64) -> Vec<Live> {
        let now_ms = self.tick(now_ms);
        let default = ServedTimeline::default();
        let timeline = self.served.get(number).unwrap_or(&default);
        let mut mailbox = self.mailboxes.get_mut(number);
        let mut lives = Vec::new();
        for suite in Suite::ALL.iter().copied() {
            let schedule = self.rules.schedule(timeline, number, suite);
            // Computed in any case: the time an answer takes must not tell that something was stored.
            let undisturbed = Chain::undisturbed(&schedule, now_ms);
            let disturbed = mailbox.as_mut().and_then(|mailbox| {
                mailbox
                    .chains
                    .iter_mut()
                    .find(|(of, _)| *of == suite)
                    .map(|(_, chain)| {
                        chain.advance(&schedule, now_ms);
                        &*chain
                    })
            });
            let chain = disturbed.unwrap_or(&undisturbed);
            lives.extend(chain.lives().iter().map(|life| match &life.kind {
                Kind::Dummy { seed } => Live::dummy(suite, seed.clone()),
                Kind::Stored { stored, .. } => Live::stored(Arc::clone(stored)),
            }));
        }
        lives
    }

    fn clean(&mut self, now_ms: u64, max_numbers: usize) {
        for _ in 0..max_numbers {
            let Some(number) = pop_due(&mut self.due, now_ms) else {
                break;
            };
            let Some(mut mailbox) = self.mailboxes.remove(&number) else {
                continue;
            };
            self.counts.forget(&mailbox);
            let default = ServedTimeline::default();
            let timeline = self.served.get(&number).unwrap_or(&default);
            mailbox.chains.retain_mut(|(suite, chain)| {
                let schedule = self.rules.schedule(timeline, &number, *suite);
                chain.advance(&schedule, now_ms);
                !chain.has_met(&Chain::undisturbed(&schedule, now_ms))
            });
            if mailbox.chains.is_empty() {
                continue;
            }
            mailbox.recharge();
            self.counts.add(&mailbox);
            let next = mailbox
                .first_end()
                .unwrap_or_else(|| now_ms.saturating_add(self.rules.lifetime_ms));
            self.mailboxes.insert(number.clone(), mailbox);
            self.due.push(Reverse((next, number)));
        }
        for _ in 0..max_numbers {
            let Some(number) = pop_due(&mut self.served_due, now_ms) else {
                break;
            };
            let keep_from = now_ms.saturating_sub(self.lookback_ms());
            let lookback = self.lookback_ms();
            if let Some(timeline) = self.served.get_mut(&number) {
                if timeline.forget_before(keep_from) {
                    self.served.remove(&number);
                } else {
                    let last = timeline.last_step().unwrap_or_default().max(now_ms);
                    self.served_due
                        .push(Reverse((last.saturating_add(lookback), number)));
                }
            }
        }
    }
}

impl Mailbox {
    fn stored_len(&self) -> usize {
        self.chains
            .iter()
            .map(|(_, chain)| chain.stored().count())
            .sum()
    }

    fn first_end(&self) -> Option<u64> {
        self.chains
            .iter()
            .flat_map(|(_, chain)| chain.lives())
            .filter(|life| matches!(life.kind, Kind::Stored { .. }))
            .map(|life| life.end_ms)
            .min()
    }

    fn chain_of(&mut self, suite: Suite, make: impl FnOnce() -> Chain) -> &mut Chain {
        let position = match self.chains.iter().position(|(of, _)| *of == suite) {
            Some(position) => position,
            None => {
                self.chains.push((suite, make()));
                self.chains.len().saturating_sub(1)
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "the position was found, or pushed, just above"
        )]
        &mut self.chains[position].1
    }

    fn evict_random<'a>(
        &mut self,
        rng: &mut ChaCha20Rng,
        schedule: impl Fn(Suite) -> Schedule<'a>,
        now_ms: u64,
    ) {
        let stored: Vec<(Suite, ItemId)> = self
            .chains
            .iter()
            .flat_map(|(suite, chain)| chain.stored().map(|stored| (*suite, stored.id)))
            .collect();
        let Some((suite, id)) = stored.get(below(rng, stored.len())) else {
            return;
        };
        if let Some((_, chain)) = self.chains.iter_mut().find(|(of, _)| of == suite) {
            chain.evict(&schedule(*suite), id, now_ms);
        }
    }

    fn recharge(&mut self) {
        let stored = || self.chains.iter().flat_map(|(_, chain)| chain.stored());
        self.live = stored().count();
        self.charged = stored().fold(MAILBOX_OVERHEAD, |sum, stored| {
            sum.saturating_add(charge(&stored.blob))
        });
    }
}

impl PlacementCounts {
    fn forget(&mut self, mailbox: &Mailbox) {
        self.live = self.live.saturating_sub(mailbox.live);
        self.bytes = self.bytes.saturating_sub(mailbox.charged);
        self.numbers = self
            .numbers
            .saturating_sub(usize::from(mailbox.charged > 0));
    }

    fn add(&mut self, mailbox: &Mailbox) {
        self.live = self.live.saturating_add(mailbox.live);
        self.bytes = self.bytes.saturating_add(mailbox.charged);
        self.numbers = self.numbers.saturating_add(1);
    }
}

fn charge(blob: &Blob) -> usize {
    blob.as_octets().len().saturating_add(BLOB_OVERHEAD)
}

fn pop_due(
    due: &mut BinaryHeap<Reverse<(u64, TelephoneNumber)>>,
    now_ms: u64,
) -> Option<TelephoneNumber> {
    if due.peek()?.0.0 > now_ms {
        return None;
    }
    due.pop().map(|Reverse((_, number))| number)
}

/// A generator for the choices of one request, seeded by the platform's.
fn request_rng(provider: &dyn CryptoProvider) -> Result<ChaCha20Rng, Reason> {
    let mut seed = Zeroizing::new([0; 32]);
    provider.fill_random(seed.as_mut_slice())?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// A position below `len`; the bias of the remainder is below 2^-54.
pub(crate) fn below(rng: &mut ChaCha20Rng, len: usize) -> usize {
    let len = u64::try_from(len).unwrap_or(u64::MAX);
    let position = rng.next_u64().checked_rem(len).unwrap_or_default();
    usize::try_from(position).unwrap_or_default()
}

#[cfg(test)]
mod tests;
