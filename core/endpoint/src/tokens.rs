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

/// The part of the longest delay that the shortest one is.
const SHORTEST: u32 = 10;

/// The wallets that calls need, and whether a look at them is due already.
#[derive(Default)]
pub(crate) struct Wallets {
    known: Mutex<BTreeMap<WalletName, bool>>,
}

impl Wallets {
    /// Notes a wallet; true if a look at it is to be planned.
    fn note(&self, name: &WalletName) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_WALLETS && !known.contains_key(name) {
            return false;
        }
        let planned = known.entry(name.clone()).or_default();
        !core::mem::replace(planned, true)
    }

    fn looked(&self, name: &WalletName) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.clone(), false);
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
    /// The endpoint does that by itself, at a random time after a call or a prefetch, for wallets that
    /// have fewer than half left. An application calls this at set-up or on a schedule of its own, never
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

    /// Looks at a wallet at a random later time and fills it if fewer than half are left.
    pub(crate) fn plan_refill(&self, name: WalletName) {
        let context = self.host().context();
        let may_sign = context.credential().is_some();
        let within = context.policy().refill_within;
        if !may_sign || within.is_zero() || !self.inner().wallets.note(&name) {
            return;
        }
        let delay = random_delay(self.host(), within);
        // The endpoint may be dropped meanwhile: then nobody needs the tokens.
        let inner = Arc::downgrade(self.inner());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let Some(inner) = inner.upgrade() else {
                return;
            };
            let host = Arc::clone(&inner.host);
            let policy = host.context().policy().clone();
            let held = wallet_status(&host, &name).await;
            if held.is_ok_and(|held| held.tokens.saturating_mul(2) < policy.token_stock) {
                let deadline = host.now().monotonic.plus(policy.refill_deadline);
                let refilled = refill(&host, &name, deadline).await;
                tracing::debug!(added = refilled.added, "storage tokens");
            }
            inner.wallets.looked(&name);
        });
    }
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

/// A time between a tenth of `within` and all of it.
fn random_delay(host: &Host, within: Duration) -> Duration {
    let shortest = within.checked_div(SHORTEST).unwrap_or_default();
    let mut octets = [0; 4];
    // Without randomness the delay is merely the shortest.
    let _ = host.context().provider().fill_random(&mut octets);
    let draw = u64::from(u32::from_le_bytes(octets));
    let span = u64::try_from(within.saturating_sub(shortest).as_millis()).unwrap_or(u64::MAX);
    let part = draw.saturating_mul(span) >> 32;
    shortest.saturating_add(Duration::from_millis(part))
}
