//! How the daemon stands, for whoever runs it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ringtrue::{
    CoverTraffic, CredentialState, NumberReaders, Published, Reason, TrustUpdated, UnixTime,
    Verdict,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::desk::Desk;
use crate::report::names;
use crate::request::VERSION;

/// What happened since the start.
pub(crate) struct Record {
    started: Instant,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    socket_clients: u64,
    agi_clients: u64,
    refused: u64,
    rang: u64,
    good: u64,
    placed: u64,
    stored: u64,
    keys_until: Option<UnixTime>,
    published_at: Option<u64>,
    publish_error: Option<Reason>,
    trust_error: Option<Reason>,
    reader_reasons: Vec<Reason>,
    cover: Option<CoverTraffic>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client of the socket came.
    pub(crate) fn socket_client(&self) {
        let mut kept = self.kept();
        kept.socket_clients = kept.socket_clients.saturating_add(1);
    }

    /// A client of the FastAGI port came.
    pub(crate) fn agi_client(&self) {
        let mut kept = self.kept();
        kept.agi_clients = kept.agi_clients.saturating_add(1);
    }

    /// A client or a request was refused.
    pub(crate) fn refused(&self) {
        let mut kept = self.kept();
        kept.refused = kept.refused.saturating_add(1);
    }

    pub(crate) fn rang(&self, verdict: Verdict) {
        let mut kept = self.kept();
        kept.rang = kept.rang.saturating_add(1);
        kept.good = kept.good.saturating_add(u64::from(verdict.is_good()));
    }

    pub(crate) fn placed(&self, is_stored: bool) {
        let mut kept = self.kept();
        kept.placed = kept.placed.saturating_add(1);
        kept.stored = kept.stored.saturating_add(u64::from(is_stored));
    }

    pub(crate) fn published(&self, published: &Result<Published, Reason>) {
        let mut kept = self.kept();
        kept.publish_error = published.as_ref().err().copied();
        if let Ok(published) = published {
            kept.keys_until = Some(published.exp);
            kept.published_at = Some(unix_now());
        }
    }

    pub(crate) fn renewed_trust(&self, updated: &Result<TrustUpdated, Reason>) {
        self.kept().trust_error = updated.as_ref().err().copied();
    }

    pub(crate) fn readers(&self, listed: &[NumberReaders]) {
        let all = listed.iter().flat_map(|number| &number.notices);
        let mut reasons: Vec<Reason> = all.copied().collect();
        reasons.sort();
        reasons.dedup();
        self.kept().reader_reasons = reasons;
    }

    /// Holds on to cover traffic, which ends when it is let go.
    pub(crate) fn hold_cover(&self, cover: CoverTraffic) {
        self.kept().cover = Some(cover);
    }
}

impl Desk {
    /// The object of the method `status`.
    pub(crate) async fn status(&self) -> Value {
        let mut tokens = 0_usize;
        for name in self.endpoint.wallets() {
            let held = self.endpoint.wallet_status(&name).await;
            tokens = tokens.saturating_add(held.map_or(0, |held| held.tokens));
        }
        let credential = self.endpoint.credential_status();
        let trust = self.endpoint.trust_status();
        let numbers: Vec<_> = self.endpoint.numbers().iter().map(|n| n.as_str()).collect();
        let memory = resident_kib();
        let kept = self.record.kept();
        let can_sign = matches!(
            credential.state,
            CredentialState::Valid | CredentialState::Expiring
        );
        let is_published = kept
            .keys_until
            .is_some_and(|until| until.as_secs() > unix_now());
        let cover = kept.cover.as_ref().map(|cover| {
            let counts = cover.counts();
            json!({
                "stores": counts.stores,
                "polls": counts.polls,
                "skipped": counts.skipped,
                "last_reason": counts.last_reason.map(Reason::name),
            })
        });
        json!({
            "version": VERSION,
            "release": env!("CARGO_PKG_VERSION"),
            "well": can_sign && is_published,
            "pid": std::process::id(),
            "uptime_s": self.record.started.elapsed().as_secs(),
            "resident_kib": memory,
            "numbers": numbers,
            "credential": {
                "state": credential.state.name(),
                "reason": credential.reason.map(Reason::name),
                "expires": credential.expires.map(UnixTime::as_secs),
                "renew_from": credential.renew_from.map(UnixTime::as_secs),
            },
            "keys": {
                "expires": kept.keys_until.map(UnixTime::as_secs),
                "published": kept.published_at,
                "error": kept.publish_error.map(Reason::name),
            },
            "trust": {
                "version": trust.version,
                "expires": trust.expires.map(UnixTime::as_secs),
                "revocation_lists": trust.revocation_lists,
                "next_update": trust.next_update.map(UnixTime::as_secs),
                "error": kept.trust_error.map(Reason::name),
            },
            "readers": names(&kept.reader_reasons),
            "tokens": tokens,
            "cover": cover,
            "calls": {
                "open": self.calls.count(),
                "limit": self.config.calls,
                "rang": kept.rang,
                "good": kept.good,
                "placed": kept.placed,
                "stored": kept.stored,
            },
            "clients": {
                "socket": kept.socket_clients,
                "agi": kept.agi_clients,
                "refused": kept.refused,
            },
        })
    }
}

/// Seconds since 1970 by the system's clock; 0 before that.
fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// The resident memory of this process in KiB and the part of it that is not mapped from files, where
/// the system tells (Linux).
fn resident_kib() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_end_matches("kB").trim().parse::<u64>().ok()
    };
    json!({
        "all": field("VmRSS:"),
        "anonymous": field("RssAnon:"),
        "peak": field("VmHWM:"),
    })
}
