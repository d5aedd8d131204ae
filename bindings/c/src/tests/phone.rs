//! A device in memory, and the one service that all devices of a test share.
#![expect(unsafe_code, reason = "reads what the interface hands out, as C does")]

use std::collections::BTreeMap;
use std::sync::Arc;

use ringtrue_lab::Authority;
use ringtrue_oob::Blob;
use ringtrue_oob::http::route::{ItemId, Route};
use ringtrue_oob::http::{HttpResponse, directory, placement};
use ringtrue_session::{Now, Saved};
use ringtrue_stir::crypto::{CryptoProvider, RustCrypto};
use ringtrue_stir::{TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

use crate::client::{Client, Place};
use crate::configuration::{Settings, now};
use crate::live_session::Answer;
use crate::types::{self, Action, Octets, Text};

pub(crate) const UNIX_S: u64 = 1_800_000_000;
pub(crate) const CALLER: &str = "12025550143";
pub(crate) const CALLEE: &str = "12025550199";

/// Mailboxes and key statements, believed as they come.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) mailboxes: BTreeMap<String, Vec<Blob>>,
    statements: BTreeMap<String, String>,
}

impl Service {
    /// Puts dummies into a mailbox until it holds this many blobs.
    pub(crate) fn fill_up(&mut self, number: &str, blobs: usize) {
        let mailbox = self.mailboxes.entry(number.to_owned()).or_default();
        while mailbox.len() < blobs {
            let dummy = ringtrue_oob::dummy(&RustCrypto, ringtrue_oob::Suite::S1).unwrap();
            mailbox.insert(0, dummy);
        }
    }

    fn answer(&mut self, method: &str, url: &str, kind: Option<&str>, body: &[u8]) -> HttpResponse {
        let path = url.strip_prefix("https://cps.example").unwrap();
        match Route::decode("", method, path).unwrap() {
            Route::Store { number } => {
                let blobs = placement::decode_store(kind, body).unwrap();
                let ids = vec![ItemId::from_octets([1; 16]); blobs.len()];
                let mailbox = self.mailboxes.entry(number.as_str().to_owned());
                mailbox.or_default().extend(blobs);
                placement::encode_stored("", &number, &ids)
            }
            Route::Retrieve { number } => {
                let blobs = self.mailboxes.get(number.as_str());
                placement::encode_blobs(blobs.map_or(&[], Vec::as_slice))
            }
            Route::Publish { number } => {
                let text = directory::decode_publish(kind, body).unwrap();
                self.statements
                    .insert(number.as_str().to_owned(), text.to_owned());
                directory::encode_published()
            }
            Route::Lookup { number } => match self.statements.get(number.as_str()) {
                Some(statement) => directory::encode_statements(&[statement]),
                None => directory::encode_statements(&[]),
            },
            other => panic!("endpoints do not ask for {other:?}"),
        }
    }
}

/// A device: a client, its records and its clock.
pub(crate) struct Phone {
    pub(crate) client: Client,
    pub(crate) records: BTreeMap<String, Vec<u8>>,
    pub(crate) ms: u64,
}

pub(crate) fn settings(authority: &Authority, number: &str) -> Settings {
    let owner = TelephoneNumber::from_canonical(number).unwrap();
    let credential = authority
        .issue_number(&owner, UnixTime::from_secs(UNIX_S))
        .unwrap();
    Settings {
        allow_direct: true,
        numbers: vec![format!("+{number}")],
        services: vec!["https://cps.example".to_owned()],
        directory: String::new(),
        placement: String::new(),
        relay: String::new(),
        country_code: String::new(),
        trunk_prefix: String::new(),
        international_prefix: String::new(),
        national_digits: 0,
        token_issuer: String::new(),
        anchors_pem: authority.root.pem(),
        credential_chain_pem: credential.chain_pem.clone(),
        credential_x5u: "https://certs.example/chain.pem".to_owned(),
        credential_key_pem: credential.key_pem.clone(),
        agreement_public_key: Vec::new(),
        state_key: Zeroizing::new(vec![7; 32]),
        max_sessions: 0,
        max_blobs: 0,
        max_answer_octets: 0,
        ring_deadline_ms: 0,
        place_deadline_ms: 0,
        answer_deadline_ms: 0,
        await_answer_ms: 0,
        directory_deadline_ms: 0,
        profile: ringtrue_stir::certificate::Profile::Delegate,
        store_jitter: false,
    }
}

impl Phone {
    pub(crate) fn new(authority: &Authority, number: &str) -> Self {
        Self::with(settings(authority, number), Arc::new(RustCrypto))
    }

    pub(crate) fn with(settings: Settings, provider: Arc<dyn CryptoProvider>) -> Self {
        let prepared = settings
            .prepare(provider, now(1000, UNIX_S * 1000))
            .unwrap();
        Self {
            client: Client::new(prepared).unwrap(),
            records: BTreeMap::new(),
            ms: 1000,
        }
    }

    pub(crate) fn now(&self) -> Now {
        now(self.ms, UNIX_S * 1000 + self.ms)
    }

    /// Performs one action.
    pub(crate) fn perform(&mut self, service: &mut Service, action: &Action) -> Answer {
        let record = || text(action.record.name);
        match action.kind {
            types::RINGTRUE_ACTION_HTTP => {
                let http = &action.http;
                // SAFETY: an action's pointers are good until the session's next call.
                let headers = unsafe { std::slice::from_raw_parts(http.headers, http.headers_len) };
                let kind = headers
                    .iter()
                    .find(|header| text(header.name) == "content-type")
                    .map(|header| text(header.value));
                let (method, url, body) = (text(http.method), text(http.url), octets(http.body));
                Answer::Response(service.answer(&method, &url, kind.as_deref(), &body))
            }
            types::RINGTRUE_ACTION_LOAD => {
                Answer::Loaded(self.records.get(&record()).cloned().map(Zeroizing::new))
            }
            types::RINGTRUE_ACTION_STORE => {
                self.records.insert(record(), octets(action.record.value));
                Answer::Stored(Saved::Written)
            }
            types::RINGTRUE_ACTION_CLAIM => {
                Answer::Claimed(self.records.insert(record(), Vec::new()).is_none())
            }
            other => panic!("not asked for here: {other}"),
        }
    }

    /// Drives a session until it has news. `call` goes around every call of the library.
    pub(crate) fn drive(
        &mut self,
        service: &mut Service,
        session: u64,
        call: &mut dyn FnMut(&mut dyn FnMut()),
    ) -> u32 {
        loop {
            let mut action = None;
            call(&mut || action = Some(self.client.next(session, self.now()).unwrap()));
            let action = action.unwrap();
            match action.kind {
                types::RINGTRUE_ACTION_REPORT | types::RINGTRUE_ACTION_DONE => return action.kind,
                types::RINGTRUE_ACTION_WAIT => self.ms = action.until_ms.max(self.ms),
                _ => {
                    let answer = self.perform(service, &action);
                    let now = self.now();
                    // What is handed in is copied inside: the copy counts, the original does not.
                    call(&mut || {
                        let copy = copied(&answer);
                        self.client.input(session, action.id, copy, now).unwrap();
                    });
                }
            }
        }
    }

    pub(crate) fn publish(&mut self, service: &mut Service) {
        let mode = ringtrue_session::PublishMode::Publish;
        let session = self.client.publish(mode, 0, self.now()).unwrap();
        self.drive(service, session, &mut |work| work());
        assert_eq!(self.client.outcome(session).unwrap().done, 1);
        self.client.free(session).unwrap();
    }

    pub(crate) fn place(&mut self, service: &mut Service, from: &str, to: &str) {
        let place = Place {
            from,
            to,
            want_answer: true,
            fresh_keys: false,
        };
        let session = self.client.place(&place, 0, self.now()).unwrap();
        self.drive(service, session, &mut |work| work());
        assert_eq!(self.client.outcome(session).unwrap().done, 1);
        self.client.free(session).unwrap();
    }
}

fn copied(answer: &Answer) -> Answer {
    match answer {
        Answer::Response(response) => Answer::Response(response.clone()),
        Answer::Loaded(value) => Answer::Loaded(value.clone()),
        Answer::Stored(saved) => Answer::Stored(*saved),
        Answer::Claimed(first) => Answer::Claimed(*first),
        _ => panic!("not given here"),
    }
}

fn text(text: Text) -> String {
    let octets = octets(Octets {
        data: text.data.cast(),
        len: text.len,
    });
    String::from_utf8(octets).unwrap()
}

fn octets(octets: Octets) -> Vec<u8> {
    if octets.len == 0 {
        return Vec::new();
    }
    // SAFETY: an action's pointers are good until the session's next call.
    unsafe { std::slice::from_raw_parts(octets.data, octets.len) }.to_vec()
}
