//! Counts of a service: for `/metrics` and for whoever embeds it. Never a label with a number.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::connection::ConnectionCounts;
use crate::mailbox::PlacementCounts;

/// What a service could see so far: counts only, which is also all it knows of the calls beyond the
/// numbers in its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Store requests that were accepted.
    pub stores: u64,
    /// Blobs in them.
    pub blobs_stored: u64,
    /// Retrievals of a whole mailbox, in either form.
    pub retrievals: u64,
    /// Requests for one item.
    pub item_reads: u64,
    /// Key statements accepted.
    pub publications: u64,
    /// Lookups of key statements.
    pub lookups: u64,
    /// Requests that were answered with an error.
    pub refusals: u64,
    /// Octets of request bodies.
    pub octets_received: u64,
    /// Octets of answer bodies.
    pub octets_sent: u64,
    /// Storage tokens signed.
    pub tokens_issued: u64,
    /// Storage tokens with which something was stored.
    pub tokens_spent: u64,
    /// Stores refused for want of a token, or for one that does not hold.
    pub token_refusals: u64,
    /// Stores that were told a price above what they came with.
    pub prices_named: u64,
    /// TLS connections that were accepted.
    pub connections: u64,
    /// TLS handshakes that failed.
    pub handshake_failures: u64,
}

/// Route and status of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) status: u16,
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) stores: Counter,
    pub(crate) blobs_stored: Counter,
    pub(crate) retrievals: Counter,
    pub(crate) item_reads: Counter,
    pub(crate) publications: Counter,
    pub(crate) lookups: Counter,
    pub(crate) refusals: Counter,
    pub(crate) octets_received: Counter,
    pub(crate) octets_sent: Counter,
    pub(crate) tokens_issued: Counter,
    pub(crate) tokens_spent: Counter,
    pub(crate) token_refusals: Counter,
    pub(crate) prices_named: Counter,
    pub(crate) connections: ConnectionCounts,
    live_blobs: Gauge<u64, AtomicU64>,
    live_bytes: Gauge<u64, AtomicU64>,
    evictions: Gauge<u64, AtomicU64>,
    statements: Gauge<u64, AtomicU64>,
    spent_tokens: Gauge<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn observed(&self) -> Observed {
        Observed {
            stores: self.stores.get(),
            blobs_stored: self.blobs_stored.get(),
            retrievals: self.retrievals.get(),
            item_reads: self.item_reads.get(),
            publications: self.publications.get(),
            lookups: self.lookups.get(),
            refusals: self.refusals.get(),
            octets_received: self.octets_received.get(),
            octets_sent: self.octets_sent.get(),
            tokens_issued: self.tokens_issued.get(),
            tokens_spent: self.tokens_spent.get(),
            token_refusals: self.token_refusals.get(),
            prices_named: self.prices_named.get(),
            connections: self.connections.accepted.get(),
            handshake_failures: self.connections.handshake_failures.get(),
        }
    }

    /// The text of `/metrics`.
    pub(crate) fn encode(
        &self,
        placement: PlacementCounts,
        statements: usize,
        spent_tokens: usize,
    ) -> String {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        self.live_blobs.set(count(placement.live));
        self.live_bytes.set(count(placement.bytes));
        self.evictions.set(placement.evicted);
        self.statements.set(count(statements));
        self.spent_tokens.set(count(spent_tokens));
        let mut registry = Registry::with_prefix("ringtrue_cps");
        let r = &mut registry;
        r.register(
            "requests",
            "Requests by route and status",
            self.requests.clone(),
        );
        r.register("stores", "Store requests accepted", self.stores.clone());
        r.register("blobs_stored", "Blobs stored", self.blobs_stored.clone());
        r.register("retrievals", "Mailboxes retrieved", self.retrievals.clone());
        r.register(
            "item_reads",
            "Single items asked for",
            self.item_reads.clone(),
        );
        r.register(
            "publications",
            "Key statements accepted",
            self.publications.clone(),
        );
        r.register("lookups", "Key statement lookups", self.lookups.clone());
        r.register(
            "refusals",
            "Requests answered with an error",
            self.refusals.clone(),
        );
        r.register(
            "received_octets",
            "Octets of request bodies",
            self.octets_received.clone(),
        );
        r.register(
            "sent_octets",
            "Octets of answer bodies",
            self.octets_sent.clone(),
        );
        r.register(
            "connections",
            "TLS connections accepted",
            self.connections.accepted.clone(),
        );
        r.register(
            "tls_handshake_failures",
            "TLS handshakes failed",
            self.connections.handshake_failures.clone(),
        );
        r.register(
            "open_connections",
            "Connections open now",
            self.connections.open.clone(),
        );
        r.register(
            "live_blobs",
            "Stored blobs held now",
            self.live_blobs.clone(),
        );
        r.register(
            "live_octets",
            "Octets charged for them now",
            self.live_bytes.clone(),
        );
        r.register(
            "evicted_blobs",
            "Stored blobs pushed out by a limit",
            self.evictions.clone(),
        );
        r.register(
            "statements",
            "Key statements held now",
            self.statements.clone(),
        );
        r.register(
            "tokens_issued",
            "Storage tokens signed",
            self.tokens_issued.clone(),
        );
        r.register(
            "tokens_spent",
            "Storage tokens with which something was stored",
            self.tokens_spent.clone(),
        );
        r.register(
            "token_refusals",
            "Stores refused for want of a token that holds",
            self.token_refusals.clone(),
        );
        r.register(
            "prices_named",
            "Stores told a price above what they came with",
            self.prices_named.clone(),
        );
        r.register(
            "spent_tokens",
            "Spent storage tokens remembered now",
            self.spent_tokens.clone(),
        );
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}
