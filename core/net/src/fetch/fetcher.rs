//! The fetcher: cache, one request at a time per URL, and the switch that turns it all off.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringtrue_stir::{Reason, UnixTime};
use tokio::sync::OnceCell;

use super::cache::{Cache, Key};
use super::content::Content;
use super::https::{Form, HttpsOrigin};
use super::source::Carrier;
use super::{FetchKind, FetchSettings, FetchSource, Fetched};

/// How long after a host was asked it is not asked again for a newer version of what is kept. A caller
/// who sends token after token with a wrong signature can make an endpoint ask no more often.
pub const REFRESH_PERIOD: Duration = Duration::from_secs(300);

type Flight = Arc<OnceCell<Result<Fetched, Reason>>>;

/// Fetches content by URL and keeps it. Cheap to clone; clones share cache and connections.
///
/// An endpoint makes one only if it is told to: whoever fetches shows a host, which the caller chose,
/// that a telephone rings and from where (CRT-46).
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    carrier: Carrier,
    form: Form,
    cache: Mutex<Cache<Arc<Content>>>,
    flights: Mutex<HashMap<Key, Flight>>,
    offline: AtomicBool,
    time_limit: Option<Duration>,
    clock: Arc<dyn Fn() -> UnixTime + Send + Sync>,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher(..)")
    }
}

impl Fetcher {
    /// Makes a fetcher that connects by itself; connects nowhere yet.
    ///
    /// # Errors
    ///
    /// As [`HttpClient::new`](crate::HttpClient::new).
    pub fn new(settings: &FetchSettings) -> Result<Self, Reason> {
        let origin = HttpsOrigin::new(settings)?;
        Ok(Self::with_carrier(settings, Carrier::Https(origin)))
    }

    /// Makes a fetcher that gets everything from `source` and connects nowhere. The form of URLs,
    /// limits and cache are the same (CRT-46).
    pub fn with_source(settings: &FetchSettings, source: Arc<dyn FetchSource>) -> Self {
        Self::with_carrier(settings, Carrier::Application(source))
    }

    fn with_carrier(settings: &FetchSettings, carrier: Carrier) -> Self {
        Self(Arc::new(Inner {
            carrier,
            form: Form::under(&settings.http.addresses),
            cache: Mutex::new(Cache::new(settings.max_entries, settings.max_octets)),
            flights: Mutex::new(HashMap::new()),
            offline: AtomicBool::new(false),
            time_limit: settings.time_limit,
            clock: Arc::clone(&settings.clock),
        }))
    }

    /// Gets what is behind `url`: from the cache, or else from its host. Requests for the same content
    /// at the same time are one.
    ///
    /// Runs inside a tokio runtime with I/O and time. Ends after [`FetchKind::time_limit`] at the
    /// latest; a caller with less time drops the future.
    ///
    /// # Errors
    ///
    /// - [`Reason::CredentialUnavailable`]: certificates behind another scheme than https (CRT-48).
    /// - [`Reason::MalformedUrl`]: another form than CRT-40 allows. Nothing was sent.
    /// - [`Reason::FetchingOff`]: offline, and not in the cache.
    /// - [`Reason::AddressNotAllowed`]: the host's name leads to an address that is not public.
    /// - [`Reason::DeadlinePassed`], [`Reason::ServiceUnreachable`], [`Reason::TlsFailed`]: no answer,
    ///   or not all of it.
    /// - [`Reason::Redirected`]: a redirect where none, or no further one, is followed.
    /// - [`Reason::ServiceError`]: any other status than 200.
    /// - [`Reason::AnswerTooLarge`], [`Reason::MalformedAnswer`]: above the limit, or compressed.
    /// - What the content is not: [`Reason::MalformedPem`], [`Reason::MalformedCertificate`],
    ///   [`Reason::TooManyCertificates`], [`Reason::MalformedTnAuthList`], [`Reason::MalformedCrl`],
    ///   [`Reason::MalformedJcard`], [`Reason::TooLong`], [`Reason::UnsupportedMediaType`].
    /// - [`Reason::CrlStale`]: a list past its next update was served shortly before.
    pub async fn fetch(&self, kind: FetchKind, url: &str) -> Result<Fetched, Reason> {
        self.0.form.check(kind, url)?;
        let key = (kind, url.to_owned());
        if let Some(found) = self.find(&key) {
            return found;
        }
        self.ask(key).await
    }

    /// Asks the host again, after what is kept turned out not to fit: the signer may have a new key
    /// behind the same URL (CRT-44). At most once in [`REFRESH_PERIOD`] per URL; in between, and
    /// offline, this is [`Fetcher::fetch`].
    ///
    /// # Errors
    ///
    /// As [`Fetcher::fetch`]. What was kept stays kept.
    pub async fn refresh(&self, kind: FetchKind, url: &str) -> Result<Fetched, Reason> {
        self.0.form.check(kind, url)?;
        let key = (kind, url.to_owned());
        let tried = self.cache().was_tried(&key, REFRESH_PERIOD, self.now());
        if (tried || self.is_offline())
            && let Some(found) = self.find(&key)
        {
            return found;
        }
        self.ask(key).await
    }

    /// Keeps `octets` as what is behind `url`, for `keep`: a store that is filled ahead of calls
    /// (CRT-46).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] or [`Reason::CredentialUnavailable`] for the URL,
    /// [`Reason::AnswerTooLarge`] above the kind's limit, and what [`Fetcher::fetch`] says of content.
    pub fn provide(
        &self,
        kind: FetchKind,
        url: &str,
        octets: Vec<u8>,
        keep: Duration,
    ) -> Result<(), Reason> {
        self.0.form.check(kind, url)?;
        if octets.len() > kind.max_octets() {
            return Err(Reason::AnswerTooLarge);
        }
        let content = Arc::new(Content::read(kind, None, octets)?);
        let (weight, now) = (content.weight(), self.now());
        let key = (kind, url.to_owned());
        self.cache()
            .put(key, content, weight, kind.keep(Some(keep)), now);
        Ok(())
    }

    /// Keeps what is behind `url` until `until` at most, where the caller knows more of the content
    /// than the fetcher. Revocation lists are kept until their next update without it (CRT-61).
    pub fn keep_until(&self, kind: FetchKind, url: &str, until: UnixTime) {
        self.cache().shorten(&(kind, url.to_owned()), until);
    }

    /// Forgets what is behind `url`: it turned out to be of no use.
    pub fn forget(&self, kind: FetchKind, url: &str) {
        self.cache().remove(&(kind, url.to_owned()));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.cache().clear();
    }

    /// Whether only the cache is used. Fetches that are under way end as they would have.
    pub fn set_offline(&self, offline: bool) {
        self.0.offline.store(offline, Ordering::Relaxed);
    }

    /// Whether only the cache is used.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.0.offline.load(Ordering::Relaxed)
    }

    fn now(&self) -> UnixTime {
        (self.0.clock)()
    }

    /// Held for moments, never across an await. What it guards is whole even if a holder panicked.
    fn cache(&self) -> MutexGuard<'_, Cache<Arc<Content>>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &Key) -> Option<Result<Fetched, Reason>> {
        let now = self.now();
        let found = self.cache().find(key, now)?;
        Some(found.map(|content| Fetched::new(content, true)))
    }

    /// One request for all who ask at the same time. If the one who made it gives up, the next one in
    /// line makes it anew.
    async fn ask(&self, key: Key) -> Result<Fetched, Reason> {
        if self.is_offline() {
            return Err(Reason::FetchingOff);
        }
        let flight = {
            let mut flights = self.flights();
            // Those that everybody has given up.
            flights.retain(|_, flight| Arc::strong_count(flight) > 1);
            Arc::clone(flights.entry(key.clone()).or_default())
        };
        let result = flight.get_or_init(|| self.load(&key)).await.clone();
        let mut flights = self.flights();
        if flights
            .get(&key)
            .is_some_and(|current| Arc::ptr_eq(current, &flight))
        {
            flights.remove(&key);
        }
        result
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.0
            .flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self, key: &Key) -> Result<Fetched, Reason> {
        let (kind, url) = key;
        let limit = kind.time_limit();
        let limit = self
            .0
            .time_limit
            .map_or(limit, |shorter| shorter.min(limit));
        let answer = self.0.carrier.get(*kind, url, limit, self.now());
        let answer = tokio::time::timeout(limit, answer)
            .await
            .unwrap_or(Err(Reason::DeadlinePassed));
        let now = self.now();
        let read = answer.and_then(|answer| {
            let media_type = answer.media_type.as_deref();
            let content = Content::read(*kind, media_type, answer.octets)?;
            Ok((Arc::new(content), answer.freshness))
        });
        match read {
            Ok((content, freshness)) => {
                let mut cache = self.cache();
                if freshness.no_store {
                    cache.remove(key);
                } else if content.useful_until().is_some_and(|until| until < now) {
                    // Whoever asked may want to see it; until the host has a newer one it is not there.
                    cache.remove(key);
                    cache.put_failure(key.clone(), Reason::CrlStale, now);
                } else {
                    let keep = kind.keep(freshness.remaining);
                    let weight = content.weight();
                    cache.put(key.clone(), Arc::clone(&content), weight, keep, now);
                    if let Some(until) = content.useful_until() {
                        // Its last second counts.
                        cache.shorten(key, until.plus(Duration::from_secs(1)));
                    }
                }
                Ok(Fetched::new(content, false))
            }
            Err(reason) => {
                self.cache().put_failure(key.clone(), reason, now);
                Err(reason)
            }
        }
    }
}
