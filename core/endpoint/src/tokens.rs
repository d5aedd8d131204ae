//! Storage tokens: wallets, and filling them when nobody is calling.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringtrue_session::{PeerKeys, RefillSession, Refilled, WalletName, WalletStatus};
use ringtrue_stir::Reason;

use crate::Endpoint;
use crate::driver::{drive_noting, note};
use crate::host::{Host, blocking};

/// The most wallets that are kept an eye on: one for each issuer and service of the numbers that are
/// called. Beyond it, wallets are filled when they are empty.
const MAX_WALLETS: usize = 256;

/// The part of the longest delay of a look that the shortest one is.
const SHORTEST: u32 = 10;

/// After how many times the longest delay of a look a wallet is filled that was not short at it, at
/// least and at most: by default 4 and 12 hours, which is another part of the day than the call's.
const ANOTHER_DAY_PART: [u32; 2] = [8, 24];

/// What a wallet needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// At least half are left, or it cannot be told.
    Nothing,
    /// Fewer than half are left.
    Some,
    /// Fewer than a quarter are left.
    Urgent,
}

/// What is planned for a wallet.
#[derive(Clone, Copy, Default)]
struct Plans {
    look: bool,
    fill: bool,
}

/// The wallets that calls need, and what is planned for them.
#[derive(Default)]
pub(crate) struct Wallets {
    known: Mutex<BTreeMap<WalletName, Plans>>,
}

impl Wallets {
    /// Notes a wallet; true if a look at it is to be planned.
    fn note(&self, name: &WalletName) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_WALLETS && !known.contains_key(name) {
            return false;
        }
        let plans = known.entry(name.clone()).or_default();
        !core::mem::replace(&mut plans.look, true)
    }

    /// What was planned is done; true if it is to be filled later and nothing has planned that yet.
    fn looked(&self, name: &WalletName, need: Need) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let plans = known.entry(name.clone()).or_default();
        plans.look = false;
        need == Need::Some && !core::mem::replace(&mut plans.fill, true)
    }

    fn filled(&self, name: &WalletName) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.clone()).or_default().fill = false;
    }

    fn names(&self) -> Vec<WalletName> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keys().cloned().collect()
    }
}

impl Endpoint {
    /// The wallets that calls since the start needed or will need, also empty ones.
    #[must_use]
    pub fn wallets(&self) -> Vec<WalletName> {
        self.inner().wallets.names()
    }

    /// How a wallet stands.
    ///
    /// # Errors
    ///
    /// [`Reason::ClockUnset`]; [`Reason::StateUnavailable`], [`Reason::RecordNotOpened`],
    /// [`Reason::MalformedRecord`].
    pub async fn wallet_status(&self, name: &WalletName) -> Result<WalletStatus, Reason> {
        wallet_status(self.host(), name).await
    }

    /// Fills a wallet up to [`Policy::token_stock`](crate::Policy) now, within 30 s by default.
    ///
    /// The endpoint does that by itself for wallets that have fewer than half left after a call or a
    /// prefetch: at a random time in another part of the day, or within minutes if fewer than a quarter are
    /// left. An application calls this at set-up or on a schedule of its own, never
    /// because a user is about to dial: the issuer would learn when the credential's holder telephones
    /// (PRV-27).
    pub async fn refill_tokens(&self, name: &WalletName, deadline: Option<Duration>) -> Refilled {
        let host = self.host();
        let deadline = self.deadline(deadline, host.context().policy().refill_deadline);
        refill(host, name, deadline).await
    }

    /// Plans looks at the wallets that a call to somebody with these keys needs.
    pub(crate) fn plan_refills_for(&self, keys: &PeerKeys) {
        let context = self.host().context();
        if let Some(now) = self.host().unix_now() {
            for name in keys.wallets(&context, now) {
                self.plan_refill(name);
            }
        }
    }

    /// Looks at a wallet at a random later time. It is filled in another part of the day if fewer than half
    /// are left, and at the look if fewer than a quarter are: then there may be none by tomorrow.
    pub(crate) fn plan_refill(&self, name: WalletName) {
        let context = self.host().context();
        let may_sign = context.credential().is_some();
        let within = context.policy().refill_within;
        if !may_sign || within.is_zero() || !self.inner().wallets.note(&name) {
            return;
        }
        let shortest = within.checked_div(SHORTEST).unwrap_or_default();
        let look = random_delay(self.host(), [shortest, within]);
        let fill = ANOTHER_DAY_PART.map(|times| within.saturating_mul(times));
        let fill = random_delay(self.host(), fill);
        // The endpoint may be dropped meanwhile: then nobody needs the tokens.
        let inner = Arc::downgrade(self.inner());
        tokio::spawn(async move {
            tokio::time::sleep(look).await;
            let Some(held) = inner.upgrade() else {
                return;
            };
            let need = need_of(&held.host, &name).await;
            if need == Need::Urgent {
                fill_now(&held.host, &name).await;
            }
            if !held.wallets.looked(&name, need) {
                return;
            }
            drop(held);
            tokio::time::sleep(fill).await;
            let Some(held) = inner.upgrade() else {
                return;
            };
            // It may have run short and been filled meanwhile.
            if need_of(&held.host, &name).await != Need::Nothing {
                fill_now(&held.host, &name).await;
            }
            held.wallets.filled(&name);
        });
    }
}

async fn need_of(host: &Arc<Host>, name: &WalletName) -> Need {
    let stock = host.context().policy().token_stock;
    match wallet_status(host, name).await {
        Ok(held) if held.tokens.saturating_mul(4) < stock => Need::Urgent,
        Ok(held) if held.tokens.saturating_mul(2) < stock => Need::Some,
        Ok(_) | Err(_) => Need::Nothing,
    }
}

async fn fill_now(host: &Arc<Host>, name: &WalletName) {
    let within = host.context().policy().refill_deadline;
    let refilled = refill(host, name, host.now().monotonic.plus(within)).await;
    tracing::debug!(added = refilled.added, "storage tokens");
}

async fn refill(
    host: &Arc<Host>,
    name: &WalletName,
    deadline: ringtrue_session::Monotonic,
) -> Refilled {
    let session = RefillSession::new(host.context(), name.clone(), deadline);
    let (mut refilled, notices) = drive_noting(host, session, |never, _| match never {}).await;
    // Nobody waits for tokens here, so it is no matter when the keys of a gateway came.
    let notices = notices.into_iter();
    let told = notices.filter(|reason| *reason != Reason::GatewayKeysJustInTime);
    note(&mut refilled.reasons, told);
    refilled
}

async fn wallet_status(host: &Arc<Host>, name: &WalletName) -> Result<WalletStatus, Reason> {
    let now = host.unix_now().ok_or(Reason::ClockUnset)?;
    let records = host.records.clone();
    let record = name.record();
    let octets = blocking(Reason::StateUnavailable, move || records.load(&record)).await?;
    WalletStatus::from_record(name, octets.as_ref().map(|octets| octets.as_slice()), now)
}

/// A time from the first to the second.
fn random_delay(host: &Host, [shortest, longest]: [Duration; 2]) -> Duration {
    let mut octets = [0; 4];
    // Without randomness the delay is merely the shortest.
    let _ = host.context().provider().fill_random(&mut octets);
    let draw = u64::from(u32::from_le_bytes(octets));
    let span = u64::try_from(longest.saturating_sub(shortest).as_millis()).unwrap_or(u64::MAX);
    let part = draw.saturating_mul(span) >> 32;
    shortest.saturating_add(Duration::from_millis(part))
}
