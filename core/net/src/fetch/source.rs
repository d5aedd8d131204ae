//! What stands in for the network: a proxy, a store that was filled ahead, an application's own HTTP.

use std::sync::Arc;
use std::time::Duration;

use ringtrue_stir::{Reason, UnixTime};

use super::FetchKind;
use super::freshness::Freshness;
use super::https::HttpsOrigin;

/// Where an application gets content instead of from its host (CRT-46).
///
/// Fetching from the telephone shows the host of a certificate, which the caller chooses, that and
/// where a telephone rings. An application that does not want this brings its own source: an
/// operator's proxy, or a store that it fills ahead of calls.
///
/// Called on a thread that may block, never under a lock, and only with URLs of the allowed form
/// (CRT-40). What it returns is held to the same limits as what the network returns. An
/// implementation that connects by itself answers for the rules of the connection: public addresses
/// only, pinned while connected, no redirects, cookies or compression (CRT-40, CRT-41).
pub trait FetchSource: Send + Sync {
    /// Gets what is behind `url`, at most [`FetchKind::max_octets`], within `time_left`.
    ///
    /// # Errors
    ///
    /// [`Reason::CredentialUnavailable`] if the source has nothing under this URL;
    /// [`Reason::FetchingOff`] if it does not want to ask now; and the reasons of
    /// [`Fetcher::fetch`](super::Fetcher::fetch).
    fn get(&self, kind: FetchKind, url: &str, time_left: Duration) -> Result<Delivered, Reason>;
}

/// What a [`FetchSource`] returns.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Delivered {
    /// The content.
    pub octets: Vec<u8>,
    /// The media type that the host gave, if it is known.
    pub media_type: Option<String>,
    /// How long the content may be kept, if that is known. Bounded as by the kind.
    pub keep: Option<Duration>,
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivered(..)")
    }
}

/// One answer, from wherever.
pub(super) struct Answer {
    pub(super) octets: Vec<u8>,
    pub(super) media_type: Option<String>,
    pub(super) freshness: Freshness,
}

/// The source in use.
pub(super) enum Carrier {
    Application(Arc<dyn FetchSource>),
    Https(HttpsOrigin),
}

impl Carrier {
    pub(super) async fn get(
        &self,
        kind: FetchKind,
        url: &str,
        time_left: Duration,
        now: UnixTime,
    ) -> Result<Answer, Reason> {
        match self {
            Self::Application(source) => {
                let source = Arc::clone(source);
                let url = url.to_owned();
                let got = tokio::task::spawn_blocking(move || source.get(kind, &url, time_left));
                let delivered = got.await.unwrap_or(Err(Reason::ServiceUnreachable))?;
                if delivered.octets.len() > kind.max_octets() {
                    return Err(Reason::AnswerTooLarge);
                }
                Ok(Answer {
                    octets: delivered.octets,
                    media_type: delivered.media_type,
                    freshness: Freshness {
                        no_store: false,
                        remaining: delivered.keep,
                    },
                })
            }
            Self::Https(origin) => origin.get(kind, url, now).await,
        }
    }
}
