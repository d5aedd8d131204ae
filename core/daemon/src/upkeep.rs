//! What an endpoint has to do now and then, whether somebody calls or not.
//!
//! Every wait is drawn from a range, so that daemons that were started together do not come together.
//! Nothing here is done because of a call.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{Power, Reason};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::desk::Desk;

/// How often keys are published: statements live for a day and are renewed in the last third of that.
const PUBLISH: Duration = Duration::from_secs(4 * 3600);

/// How often the trust bundle and its revocation lists are renewed.
const TRUST: Duration = Duration::from_secs(12 * 3600);

/// How often the keys of contacts are learned, the directory is asked who else reads, and wallets are
/// looked at that no call has touched.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// How long after the start the daily work is done first: not before keys are published.
const FIRST_DAILY: Duration = Duration::from_secs(600);

/// The time over which the lookups of contacts are spread.
const CONTACTS_SPAN: Duration = Duration::from_secs(3600);

/// Fewer tokens than this are filled up.
const FEW_TOKENS: usize = 20;

/// How long after a failure it is tried again first; then after twice the time, and so on.
const FIRST_RETRY: Duration = Duration::from_secs(10);

/// The longest time between tries.
const LAST_RETRY: Duration = Duration::from_secs(1800);

/// How often calls whose end nobody told are looked for.
const SWEEP: Duration = Duration::from_secs(300);

/// Begins everything. Dropping the set ends it.
///
/// # Errors
///
/// [`Reason::ConfigurationInvalid`] for cover traffic that is out of range.
pub(crate) fn begin(desk: &Arc<Desk>) -> Result<JoinSet<()>, Reason> {
    if let Some(policy) = desk.config.cover.clone() {
        let cover = desk.endpoint.cover_traffic(policy, || Power::Plenty)?;
        desk.record.hold_cover(cover);
    }
    let mut tasks = JoinSet::new();
    tasks.spawn(publish(Arc::clone(desk)));
    tasks.spawn(daily(Arc::clone(desk)));
    tasks.spawn(sweep(Arc::clone(desk)));
    if desk.config.renews_trust {
        tasks.spawn(renew_trust(Arc::clone(desk)));
    }
    Ok(tasks)
}

async fn publish(desk: Arc<Desk>) {
    let mut retry = FIRST_RETRY;
    loop {
        let published = desk.endpoint.publish_keys(None).await;
        desk.record.published(&published);
        match published {
            Ok(published) => {
                tracing::info!(new_keys = published.rotated, "keys published");
                retry = FIRST_RETRY;
                sleep(about(PUBLISH)).await;
            }
            Err(reason) => {
                tracing::warn!(reason = reason.name(), "keys not published");
                sleep(about(retry)).await;
                retry = retry.saturating_mul(2).min(LAST_RETRY);
            }
        }
    }
}

async fn renew_trust(desk: Arc<Desk>) {
    let mut retry = FIRST_RETRY;
    loop {
        let updated = desk.endpoint.update_trust(None).await;
        desk.record.renewed_trust(&updated);
        match updated {
            Ok(updated) => {
                tracing::info!(is_new = updated.is_new, "trust renewed");
                retry = FIRST_RETRY;
                sleep(about(TRUST)).await;
            }
            Err(reason) => {
                tracing::warn!(reason = reason.name(), "trust not renewed");
                sleep(about(retry)).await;
                retry = retry.saturating_mul(2).min(LAST_RETRY);
            }
        }
    }
}

async fn daily(desk: Arc<Desk>) {
    sleep(about(FIRST_DAILY)).await;
    loop {
        let credential = desk.endpoint.credential_status();
        if let Some(reason) = credential.reason {
            tracing::warn!(reason = reason.name(), "the certificate");
        }
        let listed = desk.endpoint.readers(None).await;
        desk.record.readers(&listed);
        for reason in listed.iter().flat_map(|number| &number.notices) {
            tracing::warn!(reason = reason.name(), "who else reads");
        }
        let contacts: Vec<&str> = desk.config.contacts.iter().map(String::as_str).collect();
        if !contacts.is_empty() {
            let learned = desk
                .endpoint
                .prefetch_contacts(&contacts, CONTACTS_SPAN)
                .await;
            match learned {
                Ok(learned) => {
                    tracing::info!(found = learned.found, failed = learned.failed, "contacts");
                }
                Err(reason) => tracing::warn!(reason = reason.name(), "contacts"),
            }
        }
        for wallet in desk.endpoint.wallets() {
            let held = desk.endpoint.wallet_status(&wallet).await;
            if held.is_ok_and(|held| held.tokens < FEW_TOKENS) {
                let refilled = desk.endpoint.refill_tokens(&wallet, None).await;
                tracing::info!(added = refilled.added, "storage tokens");
            }
        }
        sleep(about(DAILY)).await;
    }
}

async fn sweep(desk: Arc<Desk>) {
    loop {
        sleep(SWEEP).await;
        desk.calls.sweep();
    }
}

/// A time between three quarters of this and all of it.
fn about(time: Duration) -> Duration {
    let mut octets = [0; 2];
    // Without randomness it is all of it.
    let _ = getrandom::fill(&mut octets);
    let less = u32::from(u16::from_le_bytes(octets));
    let quarter = time.checked_div(4).unwrap_or_default();
    let less = quarter.saturating_mul(less).checked_div(1 << 16);
    time.saturating_sub(less.unwrap_or_default())
}
