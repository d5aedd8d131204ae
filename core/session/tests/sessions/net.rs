//! Placement services and key directories in memory: honest, and without dummies.

use std::collections::BTreeMap;

use ringtrue_oob::Blob;
use ringtrue_oob::http::placement::{self, RetrieveForm};
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::{ItemId, Route};
use ringtrue_oob::http::{HttpRequest, HttpResponse, directory};
use ringtrue_oob::ohttp::messages;
use ringtrue_oob::statement::{KeyStatement, VerifiedStatement, VerifyStatement};
use ringtrue_session::{FoundCertificates, Role, TrustFile};
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::sip::date::format_date;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::issuer::{FakeIssuer, Till};
use crate::relay::{RELAY, Relay};

/// How long a blob is held.
const TTL_MS: u64 = 30_000;

/// A request as it went over the wire.
pub(crate) struct Sent {
    pub(crate) ms: u64,
    pub(crate) role: Role,
    pub(crate) request: HttpRequest,
}

impl Sent {
    /// Everything that an observer of the service sees, without the time.
    pub(crate) fn seen(&self) -> String {
        let request = &self.request;
        format!(
            "{:?} {} {} {:?} {:?}",
            self.role,
            request.method.as_str(),
            request.url,
            request.headers,
            request.body
        )
    }

    /// The authority that was asked.
    pub(crate) fn authority(&self) -> &str {
        let rest = self.request.url.strip_prefix("https://").unwrap();
        rest.split('/').next().unwrap()
    }

    /// The blobs that a store carries.
    pub(crate) fn blobs(&self) -> Vec<Blob> {
        let content_type = self.request.header("content-type");
        placement::decode_store(content_type, &self.request.body).unwrap()
    }
}

/// One service: mailboxes and statements, under a base URL without a prefix.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) mailboxes: BTreeMap<String, Vec<(u64, Blob)>>,
    pub(crate) statements: BTreeMap<String, Vec<VerifiedStatement>>,
    stored: u8,
    /// What a store costs, if anything.
    pub(crate) till: Option<Till>,
}

/// Every service there is, by authority.
pub(crate) struct Net {
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) issuers: BTreeMap<String, FakeIssuer>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) latency_ms: u64,
    /// By how many milliseconds the services' clocks are ahead; `None` if their answers have no `Date`.
    pub(crate) date_ahead_ms: Option<i64>,
    pub(crate) anchors: TrustAnchors,
    /// What a host's fetcher gets for an `x5u`, in turn; the last one again and again.
    pub(crate) certificates: BTreeMap<String, Vec<Result<FoundCertificates, Reason>>>,
    /// Trust bundles and revocation lists, by URL.
    pub(crate) trust_files: BTreeMap<String, Vec<u8>>,
    /// What of it was asked for.
    pub(crate) trust_fetched: Vec<(TrustFile, String)>,
    /// What was fetched, and whether anew.
    pub(crate) fetched: Vec<(String, bool)>,
    /// A relay, and gateways of the services.
    pub(crate) relay: Relay,
}

impl Net {
    /// Answers a request as an honest service does at `ms` and at the calendar time `now`.
    pub(crate) fn answer(
        &mut self,
        role: Role,
        request: &HttpRequest,
        ms: u64,
        now: UnixTime,
    ) -> Result<HttpResponse, Reason> {
        self.sent.push(Sent {
            ms,
            role,
            request: request.clone(),
        });
        let rest = request.url.strip_prefix("https://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap());
        if authority == RELAY {
            return Relay::carry(self, role, request, path, ms, now);
        }
        if path == messages::KEYS_PATH {
            return self.relay.keys(authority);
        }
        if let Some(issuer) = self.issuers.get_mut(authority) {
            let knows_who = !self.relay.opening;
            let answered = issuer.answer(request, path, knows_who, &self.anchors, now);
            return Ok(answered.unwrap_or_else(Problem::encode));
        }
        let service = self
            .services
            .get_mut(authority)
            .ok_or(Reason::ServiceUnreachable)?;
        let route = Route::decode("", request.method.as_str(), path).unwrap();
        let answered = match route {
            Route::Store { number } => match service.till.as_mut() {
                Some(till) => match till.take(authority, &number, request, &self.issuers) {
                    Ok(()) => service.store(&number, request, ms),
                    Err(refusal) => return Ok(refusal),
                },
                None => service.store(&number, request, ms),
            },
            Route::Retrieve { number } => service.retrieve(&number, request, ms),
            Route::Publish { number } => service.publish(&number, request, now, &self.anchors),
            Route::Lookup { number } => Ok(service.lookup(&number, now)),
            other => panic!("endpoints do not ask for {other:?}"),
        };
        let answer = answered.unwrap_or_else(Problem::encode);
        Ok(match self.date_ahead_ms {
            None => answer,
            Some(ahead) => {
                let unix_ms = (crate::world::START_MS + ms).checked_add_signed(ahead);
                let date = UnixTime::from_secs(unix_ms.unwrap() / 1000);
                answer.with_header("date", format_date(date).unwrap())
            }
        })
    }

    /// Fetches what trust is built on as a host does.
    pub(crate) fn trust_file(&mut self, file: TrustFile, url: &str) -> Result<Vec<u8>, Reason> {
        self.trust_fetched.push((file, url.to_owned()));
        let octets = self.trust_files.get(url).cloned();
        octets.ok_or(Reason::ServiceUnreachable)
    }

    /// Fetches certificates as a host does.
    pub(crate) fn fetch(&mut self, x5u: &str, refresh: bool) -> Result<FoundCertificates, Reason> {
        self.fetched.push((x5u.to_owned(), refresh));
        match self.certificates.get_mut(x5u) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => Err(Reason::ServiceUnreachable),
        }
    }

    pub(crate) fn service(&mut self, authority: &str) -> &mut Service {
        self.services.entry(authority.to_owned()).or_default()
    }

    /// How many requests of a role were sent.
    pub(crate) fn count(&self, role: Role) -> usize {
        self.sent.iter().filter(|sent| sent.role == role).count()
    }
}

impl Service {
    fn store(
        &mut self,
        number: &TelephoneNumber,
        request: &HttpRequest,
        ms: u64,
    ) -> Result<HttpResponse, Problem> {
        let blobs = placement::decode_store(request.header("content-type"), &request.body)?;
        let ids: Vec<ItemId> = blobs
            .iter()
            .map(|_| {
                self.stored = self.stored.wrapping_add(1);
                ItemId::from_octets([self.stored; 16])
            })
            .collect();
        for blob in blobs {
            self.leave(number.as_str(), blob, ms);
        }
        Ok(placement::encode_stored("", number, &ids))
    }

    /// Puts a blob into a mailbox.
    pub(crate) fn leave(&mut self, number: &str, blob: Blob, ms: u64) {
        let mailbox = self.mailboxes.entry(number.to_owned()).or_default();
        mailbox.push((ms + TTL_MS, blob));
    }

    fn retrieve(
        &mut self,
        number: &TelephoneNumber,
        request: &HttpRequest,
        ms: u64,
    ) -> Result<HttpResponse, Problem> {
        assert_eq!(
            placement::decode_retrieve(request.header("accept"))?,
            RetrieveForm::Blobs
        );
        let mailbox = self
            .mailboxes
            .entry(number.as_str().to_owned())
            .or_default();
        mailbox.retain(|(until, _)| *until > ms);
        let blobs: Vec<Blob> = mailbox.iter().map(|(_, blob)| blob.clone()).collect();
        Ok(placement::encode_blobs(&blobs))
    }

    fn publish(
        &mut self,
        number: &TelephoneNumber,
        request: &HttpRequest,
        now: UnixTime,
        anchors: &TrustAnchors,
    ) -> Result<HttpResponse, Problem> {
        let text = directory::decode_publish(request.header("content-type"), &request.body)?;
        let statement = KeyStatement::parse(text)
            .and_then(|statement| {
                statement.verify(&VerifyStatement {
                    provider: &RustCrypto,
                    anchors,
                    rules: Profile::Stir.into(),
                    number,
                    bag: None,
                    now,
                })
            })
            .map_err(Problem::for_statement)?;
        let held = self
            .statements
            .entry(number.as_str().to_owned())
            .or_default();
        if let Some(same) = held.iter().find(|held| held.signer() == statement.signer()) {
            if same.digest() == statement.digest() {
                return Ok(directory::encode_published());
            }
            if statement.seq() <= same.seq() {
                return Err(Problem::SupersededStatement);
            }
        }
        held.retain(|held| held.signer() != statement.signer());
        held.insert(0, statement);
        Ok(directory::encode_published())
    }

    fn lookup(&mut self, number: &TelephoneNumber, now: UnixTime) -> HttpResponse {
        let held = self
            .statements
            .entry(number.as_str().to_owned())
            .or_default();
        held.retain(|statement| statement.exp() > now);
        let texts: Vec<&str> = held.iter().map(|statement| statement.text()).collect();
        directory::encode_statements(&texts)
    }
}
