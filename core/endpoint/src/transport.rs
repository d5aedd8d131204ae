//! How an endpoint's HTTP requests travel.

use std::sync::Arc;
use std::time::Duration;

use ringtrue_net::HttpClient;
use ringtrue_oob::http::{HttpRequest, HttpResponse};
use ringtrue_session::Role;
use ringtrue_stir::Reason;

/// HTTP of the application's own, instead of the built-in client.
///
/// Called on a thread that may block, never under a lock. An implementation uses TLS 1.3, follows no
/// redirects, keeps no cookies, asks for no compression, adds no header that tells one device from
/// another, and shares neither connections nor TLS sessions between roles (PRV-50). It also answers
/// for the address rule: addresses that come from other parties' statements must be public (W-36).
pub trait Transport: Send + Sync {
    /// Sends `request` and reads at most `max_answer_octets` of body, within `time_left`.
    ///
    /// # Errors
    ///
    /// [`Reason::ServiceUnreachable`], [`Reason::TlsFailed`], [`Reason::AnswerTooLarge`],
    /// [`Reason::Redirected`], [`Reason::AddressNotAllowed`] or [`Reason::DeadlinePassed`].
    fn execute(
        &self,
        role: Role,
        request: HttpRequest,
        max_answer_octets: usize,
        time_left: Duration,
    ) -> Result<HttpResponse, Reason>;
}

/// The transport in use.
#[derive(Clone)]
pub(crate) enum Carrier {
    BuiltIn(HttpClient),
    Application(Arc<dyn Transport>),
}

impl Carrier {
    pub(crate) async fn execute(
        &self,
        role: Role,
        request: HttpRequest,
        max_answer_octets: usize,
        time_left: Duration,
    ) -> Result<HttpResponse, Reason> {
        match self {
            Self::BuiltIn(client) => client.execute(role, request, max_answer_octets).await,
            Self::Application(transport) => {
                let transport = Arc::clone(transport);
                tokio::task::spawn_blocking(move || {
                    transport.execute(role, request, max_answer_octets, time_left)
                })
                .await
                .unwrap_or(Err(Reason::ServiceUnreachable))
            }
        }
    }
}
