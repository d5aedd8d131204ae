//! The connection of a fetch: one request on a connection of its own.
//!
//! No connection is kept: hosts are asked seldom, and a kept one would tell a host that two calls
//! reached one telephone. Connections to placement services are never shared with these, and neither
//! are TLS sessions, which are not resumed at all.

use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, StatusCode};
use ringtrue_oob::http::HttpResponse;
use ringtrue_stir::{Reason, UnixTime, X5u};
use url::Url;

use super::freshness::Freshness;
use super::source::Answer;
use super::{FetchKind, FetchSettings};
use crate::client::{self, check_url, reason_of};
use crate::resolver::CheckedResolver;
use crate::{AddressPolicy, tls};

/// Which URLs may be fetched.
#[derive(Clone, Copy)]
pub(super) struct Form {
    any_port: bool,
}

impl Form {
    /// The form under an address rule: a laboratory's services stand on any port of the machine.
    pub(super) const fn under(addresses: &AddressPolicy) -> Self {
        Self {
            any_port: addresses.allows_loopback(),
        }
    }

    /// https, port 443 or 8443, no user information, query or fragment (CRT-40). Other schemes than
    /// https are no error of their own for certificates: those are just not to be had (CRT-48).
    pub(super) fn check(self, kind: FetchKind, url: &str) -> Result<(), Reason> {
        let https = url
            .get(..8)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        if !https && kind == FetchKind::CertificatePath {
            return Err(Reason::CredentialUnavailable);
        }
        if self.any_port {
            X5u::parse_with_any_port(url)?;
        } else {
            X5u::parse(url)?;
        }
        Ok(())
    }
}

/// Hosts on the network.
pub(super) struct HttpsOrigin {
    client: Client,
    addresses: AddressPolicy,
    form: Form,
    redirects: u8,
}

impl HttpsOrigin {
    pub(super) fn new(settings: &FetchSettings) -> Result<Self, Reason> {
        let http = &settings.http;
        let roots = Arc::new(tls::roots(http.web_roots, &http.extra_roots_pem)?);
        let resolver = CheckedResolver {
            policy: http.addresses,
            names: settings.resolver.clone(),
        };
        let client = client::builder(tls::fetch_config(roots)?, resolver)
            .connect_timeout(http.connect_timeout)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|_| Reason::Internal)?;
        Ok(Self {
            client,
            addresses: http.addresses,
            form: Form::under(&http.addresses),
            redirects: u8::from(settings.redirects),
        })
    }

    /// Gets what is behind `url`, which has the form already.
    pub(super) async fn get(
        &self,
        kind: FetchKind,
        url: &str,
        now: UnixTime,
    ) -> Result<Answer, Reason> {
        let mut url = check_url(self.addresses, url)?;
        let mut redirects = self.redirects;
        loop {
            let request = self.client.get(url.clone()).header(ACCEPT, kind.accept());
            let response = request.send().await.map_err(|error| reason_of(&error))?;
            if response.status().is_redirection() {
                redirects = redirects.checked_sub(1).ok_or(Reason::Redirected)?;
                url = self.next_url(kind, &url, &response)?;
                continue;
            }
            if response.status() != StatusCode::OK {
                return Err(Reason::ServiceError);
            }
            let answer = client::answer(response, kind.max_octets()).await?;
            return Ok(Answer {
                media_type: media_type(&answer),
                freshness: Freshness::read(&answer.headers, now),
                octets: answer.body,
            });
        }
    }

    /// Where a redirect leads, under the same rules.
    fn next_url(&self, kind: FetchKind, from: &Url, response: &Response) -> Result<Url, Reason> {
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|value| value.to_str().ok());
        let url = from
            .join(location.ok_or(Reason::Redirected)?)
            .map_err(|_| Reason::MalformedUrl)?;
        self.form.check(kind, url.as_str())?;
        check_url(self.addresses, url.as_str())
    }
}

fn media_type(answer: &HttpResponse) -> Option<String> {
    let found = answer
        .headers
        .iter()
        .find(|(name, _)| name == CONTENT_TYPE.as_str());
    // No type at all is not the wanted type.
    Some(found.map_or_else(String::new, |(_, value)| value.clone()))
}
