//! The gateway of Oblivious HTTP: opens what a relay carried, lets the service answer it, and seals the
//! answer.
//!
//! The request inside is answered as if it had come directly, but for the client's address, which is
//! the relay's and nobody else's. Only what endpoints ask of services goes this way: stores, retrievals,
//! lookups and publications, and an issuer's keys, so that they can be compared with those that it
//! shows to an address.
//!
//! Source: RFC 9458 section 5.2; docs/protocol.md section 19.2 (PRV-29, PRV-40, W-30).

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::Route;
use ringtrue_oob::http::{HttpResponse, Role};
use ringtrue_oob::ohttp::{GatewayKey, KeyConfig, binary, decapsulate, messages, shape};
use ringtrue_stir::crypto::{CryptoProvider, SecretKey};
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::App;
use crate::http_message::Cut;

/// How long a key is the one that new clients get: a day.
const PERIOD: u64 = 86_400;

/// How long a key still opens requests after the next one has come: another day. Clients ask for keys
/// again well before that.
const OVERLAP: u64 = 86_400;

const FILE_NAME: &str = "gateway-keys.json";

const TEMPORARY_NAME: &str = "gateway-keys.json.new";

/// A file holds two keys.
const MAX_FILE_LEN: u64 = 4096;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    v: u32,
    keys: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: u8,
    secret: Zeroizing<String>,
    since: u64,
}

/// A key and since when, Unix seconds, it has been in use.
#[derive(Clone)]
struct Held {
    key: GatewayKey,
    since: u64,
}

/// The keys of a gateway, newest first: one or two.
pub(crate) struct Gateway {
    held: Mutex<Vec<Held>>,
    folder: Option<PathBuf>,
}

impl Gateway {
    /// Takes the keys of the state folder, or makes one.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if the file cannot be read or written, [`Reason::MalformedRecord`]
    /// if it is damaged, [`Reason::RandomnessUnavailable`].
    pub(crate) fn open(
        provider: &dyn CryptoProvider,
        folder: Option<&Path>,
        now: UnixTime,
    ) -> Result<Self, Reason> {
        let held = match folder {
            Some(folder) => read(provider, folder)?,
            None => Vec::new(),
        };
        let gateway = Self {
            held: Mutex::new(held),
            folder: folder.map(Path::to_owned),
        };
        gateway.rotate(provider, now)?;
        Ok(gateway)
    }

    fn keys(&self) -> Vec<Held> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// What clients are told: the key in use first, then the one before while it still opens.
    pub(crate) fn configs(&self) -> Vec<KeyConfig> {
        let held = self.keys();
        held.iter().map(|held| held.key.config().clone()).collect()
    }

    /// Makes a new key when the one in use has served its day, and destroys what is past its overlap. A
    /// key is on disk before anybody is told of it.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] or [`Reason::StateUnavailable`]; the keys stay as they were.
    pub(crate) fn rotate(
        &self,
        provider: &dyn CryptoProvider,
        now: UnixTime,
    ) -> Result<(), Reason> {
        let now = now.as_secs();
        let mut held = self.keys();
        let newest = held
            .first()
            .map(|held| (held.key.config().key_id(), held.since));
        // A clock that runs back makes no new key: that would only cut the overlap short.
        let is_due = newest.is_none_or(|(_, since)| now >= since.saturating_add(PERIOD));
        let is_over = |held: &Held| now >= held.since.saturating_add(PERIOD + OVERLAP);
        if !is_due && !held.iter().any(is_over) {
            return Ok(());
        }
        if is_due {
            let id = match newest {
                Some((id, _)) => id.wrapping_add(1),
                None => {
                    // Another name than before a restart that kept no keys, most likely, so that
                    // clients are told that theirs are out of date.
                    let mut id = [0];
                    provider.fill_random(&mut id)?;
                    let [id] = id;
                    id
                }
            };
            let key = GatewayKey::generate(provider, id)?;
            held.insert(0, Held { key, since: now });
        }
        held.retain(|held| !is_over(held));
        held.truncate(2);
        if let Some(folder) = &self.folder {
            write(folder, &held).map_err(|_| Reason::StateUnavailable)?;
        }
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }
}

fn read(provider: &dyn CryptoProvider, folder: &Path) -> Result<Vec<Held>, Reason> {
    let mut octets = Zeroizing::new(Vec::new());
    match std::fs::File::open(folder.join(FILE_NAME)) {
        Ok(file) => file
            .take(MAX_FILE_LEN)
            .read_to_end(&mut octets)
            .map_err(|_| Reason::StateUnavailable)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(_) => return Err(Reason::StateUnavailable),
    };
    let malformed = Reason::MalformedRecord;
    let snapshot: Snapshot = serde_json::from_slice(&octets).map_err(|_| malformed)?;
    if snapshot.v != 1 || snapshot.keys.len() > 2 {
        return Err(malformed);
    }
    snapshot
        .keys
        .into_iter()
        .map(|record| {
            let secret = base64url::decode(&record.secret).map_err(|_| malformed)?;
            let secret = SecretKey::from_slice(&Zeroizing::new(secret)).map_err(|_| malformed)?;
            let key =
                GatewayKey::from_secret(provider, record.id, secret).map_err(|_| malformed)?;
            Ok(Held {
                key,
                since: record.since,
            })
        })
        .collect()
}

/// Writes beside the file, flushes and renames over it, readable by nobody else.
fn write(folder: &Path, held: &[Held]) -> std::io::Result<()> {
    let snapshot = Snapshot {
        v: 1,
        keys: held
            .iter()
            .map(|held| Record {
                id: held.key.config().key_id(),
                secret: Zeroizing::new(base64url::encode(held.key.secret().expose())),
                since: held.since,
            })
            .collect(),
    };
    std::fs::create_dir_all(folder)?;
    let temporary = folder.join(TEMPORARY_NAME);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(&Zeroizing::new(serde_json::to_vec(&snapshot)?))?;
    file.sync_all()?;
    std::fs::rename(&temporary, folder.join(FILE_NAME))
}

impl App {
    /// Answers `POST /gateway`.
    ///
    /// What goes wrong before the request is open is told as it is; everything after that travels
    /// sealed, so that a relay cannot tell a refusal from a success (RFC 9458 section 5.2).
    pub(crate) async fn oblivious(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let message = messages::decode_request(content_type, body).map_err(Problem::encode)?;
        let provider = Arc::clone(&self.provider.0);
        let keys: Vec<GatewayKey> = self
            .gateway
            .keys()
            .into_iter()
            .map(|held| held.key)
            .collect();
        let (request, answer_key) =
            decapsulate(provider.as_ref(), &keys, message).map_err(|reason| match reason {
                // A client with keys from before a restart has another key under the same name.
                Reason::MalformedGatewayKeys | Reason::BlobNotOpened => {
                    messages::encode_unknown_key()
                }
                _ => Problem::MalformedEncapsulation.encode(),
            })?;
        let (role, answer) = match self.inner(&request).await {
            Ok(answered) => answered,
            Err(problem) => (Role::Store, problem.encode()),
        };
        let unavailable = |_| Problem::Unavailable.encode();
        let plain = binary::encode_response(&answer, 0).map_err(unavailable)?;
        let len = shape::answer_len(role, plain.len());
        let padded = binary::encode_response(&answer, len).map_err(unavailable)?;
        let sealed = answer_key
            .seal(provider.as_ref(), &padded)
            .map_err(unavailable)?;
        Ok(messages::encode_answer(sealed))
    }

    /// Answers the request inside. The authority in it is not looked at, as the field Host is not on the
    /// direct way: this service is the only one behind this gateway.
    async fn inner(&self, octets: &[u8]) -> Result<(Role, HttpResponse), Problem> {
        let request =
            binary::decode_request(octets).map_err(|_| Problem::MalformedEncapsulation)?;
        if request.scheme != "https" {
            return Err(Problem::MalformedEncapsulation);
        }
        let route = self.route(&request.method, &request.path)?;
        let role = match route {
            Route::Lookup { .. } | Route::IssuerDirectory => Role::Lookup,
            Route::Publish { .. } => Role::Publish,
            Route::Retrieve { .. } => Role::Retrieve,
            Route::Store { .. } => Role::Store,
            _ => return Err(Problem::NotFound),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name: HeaderName = name.parse().map_err(|_| Problem::MalformedEncapsulation)?;
            let value: HeaderValue = value.parse().map_err(|_| Problem::MalformedEncapsulation)?;
            // RFC 9458 section 5.1: nothing can be continued inside.
            if name == hyper::header::EXPECT {
                return Err(Problem::MalformedEncapsulation);
            }
            headers.append(name, value);
        }
        let body = Full::new(Bytes::from(request.body));
        // One level deep: no route that leads back here is let through above.
        let answering = Box::pin(self.answer(&route, &headers, body));
        match answering.await {
            Ok((answer, _)) => Ok((role, answer)),
            // The body is all there.
            Err(Cut) => Err(Problem::Unavailable),
        }
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::crypto::RustCrypto;
    use ringtrue_stir::{Reason, UnixTime};

    use super::{FILE_NAME, Gateway};

    const DAY: u64 = 86_400;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn a_key_serves_a_day_and_opens_for_another() {
        let start = 1_800_000_000;
        let gateway = Gateway::open(&RustCrypto, None, at(start)).unwrap();
        let first = gateway.configs();
        assert_eq!(first.len(), 1);
        gateway.rotate(&RustCrypto, at(start + DAY - 1)).unwrap();
        assert_eq!(gateway.configs(), first);
        gateway.rotate(&RustCrypto, at(start + DAY)).unwrap();
        let second = gateway.configs();
        assert_eq!(second.len(), 2);
        assert_eq!(second[1], first[0]);
        assert_eq!(second[0].key_id(), first[0].key_id().wrapping_add(1));
        gateway
            .rotate(&RustCrypto, at(start + 2 * DAY - 1))
            .unwrap();
        assert_eq!(gateway.configs(), second);
        gateway.rotate(&RustCrypto, at(start + 2 * DAY)).unwrap();
        let third = gateway.configs();
        assert_eq!(third.len(), 2);
        assert!(!third.contains(&first[0]));
    }

    #[test]
    fn a_clock_that_runs_back_makes_no_key() {
        let gateway = Gateway::open(&RustCrypto, None, at(10 * DAY)).unwrap();
        let keys = gateway.configs();
        gateway.rotate(&RustCrypto, at(5 * DAY)).unwrap();
        assert_eq!(gateway.configs(), keys);
    }

    #[test]
    fn keys_outlive_a_restart_and_are_readable_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path());
        let gateway = Gateway::open(&RustCrypto, path, at(10 * DAY)).unwrap();
        gateway.rotate(&RustCrypto, at(11 * DAY)).unwrap();
        let keys = gateway.configs();
        assert_eq!(keys.len(), 2);
        let again = Gateway::open(&RustCrypto, path, at(11 * DAY + 5)).unwrap();
        assert_eq!(again.configs(), keys);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = std::fs::metadata(folder.path().join(FILE_NAME)).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
        let later = Gateway::open(&RustCrypto, path, at(20 * DAY)).unwrap();
        assert!(!later.configs().iter().any(|config| keys.contains(config)));
    }

    #[test]
    fn a_damaged_file_is_no_reason_to_begin_anew() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{}",
            r#"{"v":2,"keys":[]}"#,
            r#"{"v":1,"keys":[{"id":1,"secret":"AA","since":1}]}"#,
        ] {
            std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
            let opened = Gateway::open(&RustCrypto, Some(folder.path()), at(DAY));
            assert_eq!(opened.err(), Some(Reason::MalformedRecord), "{text}");
        }
    }
}
