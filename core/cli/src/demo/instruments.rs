//! The surroundings of a demo telephone: the real ones, with a [`Recorder`] in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ringtrue::{
    DeviceSignature, HttpRequest, HttpResponse, KeyAgreement, P256PublicKey, Reason, Role, Saved,
    Signer, SoftwareSigner, SqliteStore, StateStore, Transport,
};
use ringtrue_net::{AwsLcCrypto, HttpClient};
use ringtrue_oob::http::relay_route::RelayRoute;
use ringtrue_oob::ohttp::messages;
use ringtrue_oob::token::issuer_directory;
use ringtrue_stir::base64url;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, SecretKey, SharedSecret,
};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::gateway_sight::GatewaySight;
use super::record::{Event, Kind, Message, Recorder, Sender};

/// What somebody on the way does to what is fetched.
pub(super) type Tamper = fn(HttpResponse) -> HttpResponse;

/// The built-in HTTP client. Records every request that was answered, as the service saw it.
pub(super) struct Wire {
    client: HttpClient,
    runtime: Handle,
    recorder: Arc<Recorder>,
    tamper: Option<Tamper>,
    sight: GatewaySight,
    open: AtomicBool,
    /// Held for reading while a request is under way.
    under_way: RwLock<()>,
}

impl Wire {
    /// Must be called on the runtime that the requests are to run on.
    pub(super) fn new(
        client: HttpClient,
        recorder: Arc<Recorder>,
        tamper: Option<Tamper>,
        sight: GatewaySight,
    ) -> Self {
        Self {
            sight,
            client,
            runtime: Handle::current(),
            recorder,
            tamper,
            open: AtomicBool::new(true),
            under_way: RwLock::new(()),
        }
    }

    /// Lets no more requests through: an endpoint goes on polling after a verdict, and the scene is
    /// over.
    pub(super) fn cut(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    /// Waits for the requests that are under way. Blocks.
    pub(super) fn settle(&self) {
        drop(self.under_way.write());
    }
}

impl Transport for Wire {
    fn execute(
        &self,
        role: Role,
        request: HttpRequest,
        max_answer_octets: usize,
        time_left: Duration,
    ) -> Result<HttpResponse, Reason> {
        let _under_way = self.under_way.read();
        if !self.open.load(Ordering::SeqCst) {
            return Err(Reason::ServiceUnreachable);
        }
        let mut kind = match role {
            Role::Configuration => Kind::Configuration,
            Role::Issue => Kind::Issue,
            Role::Store => Kind::Store,
            Role::Lookup => Kind::Lookup,
            Role::Publish => Kind::Publish,
            Role::Retrieve => Kind::Retrieve,
        };
        // What the service is to see; the relay sees what is around it.
        let inside = self.sight.look(&request);
        let (method, path, sent) = match &inside {
            Some(inside) => (inside.method, inside.path.clone(), inside.sent.clone()),
            None => (
                request.method.as_str(),
                path_of(&request.url),
                request.body.clone(),
            ),
        };
        if path == issuer_directory::PATH {
            // To the relay it is a lookup.
            kind = Kind::Configuration;
        }
        let asks_relay = matches!(
            RelayRoute::decode("", method, &path),
            Ok(RelayRoute::Keys(_))
        );
        let path = if asks_relay {
            // What the relay asks for in its own name.
            messages::KEYS_PATH.to_owned()
        } else {
            path
        };
        let from = if asks_relay || inside.is_some() {
            Sender::Relay
        } else {
            Sender::Telephone
        };
        let start = self.recorder.now();
        // On a thread that may block; the runtime's own threads do the work.
        let answer = self.runtime.block_on(async {
            let sending = self.client.execute(role, request, max_answer_octets);
            tokio::time::timeout(time_left, sending)
                .await
                .unwrap_or(Err(Reason::DeadlinePassed))
        })?;
        let opened = inside.as_ref().and_then(|inside| inside.answer(&answer));
        let (answer, received) = match (self.tamper, inside, opened) {
            (Some(tamper), Some(inside), Some(opened)) if kind == Kind::Retrieve => {
                let changed = tamper(opened);
                let resealed = inside.reseal(role, &changed).ok_or(Reason::Internal)?;
                (resealed, changed.body)
            }
            (Some(tamper), None, _) if kind == Kind::Retrieve => {
                let changed = tamper(answer);
                let body = changed.body.clone();
                (changed, body)
            }
            (_, _, Some(opened)) => (answer, opened.body),
            (_, _, None) => {
                let body = answer.body.clone();
                (answer, body)
            }
        };
        self.recorder.push(Event {
            kind,
            start,
            end: self.recorder.now(),
            message: Some(Message {
                from,
                method,
                path,
                sent,
                received,
            }),
        });
        Ok(answer)
    }
}

/// The path of an absolute URL.
fn path_of(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme
        .find('/')
        .and_then(|at| after_scheme.get(at..))
        .unwrap_or("/")
        .to_owned()
}

/// The credential's key. Records signatures, and the last token that was signed.
pub(super) struct RecordingSigner {
    signer: SoftwareSigner,
    recorder: Arc<Recorder>,
    token: Mutex<Option<String>>,
}

impl RecordingSigner {
    pub(super) fn new(signer: SoftwareSigner, recorder: Arc<Recorder>) -> Self {
        Self {
            signer,
            recorder,
            token: Mutex::new(None),
        }
    }

    /// The last token that was signed: after a call was placed, its PASSporT.
    pub(super) fn last_token(&self) -> Option<String> {
        self.token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Signer for RecordingSigner {
    fn public_key(&self) -> P256PublicKey {
        self.signer.public_key()
    }

    fn sign(&self, message: &[u8], digest: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        let signature = self
            .recorder
            .note(Kind::Sign, || self.signer.sign(message, digest))?;
        let raw = signature.to_es256()?;
        let token = format!(
            "{}.{}",
            String::from_utf8_lossy(message),
            base64url::encode(raw.as_raw())
        );
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(signature)
    }
}

/// The state file. Records when PASSporTs are marked as used.
pub(super) struct RecordingStore {
    pub(super) store: SqliteStore,
    pub(super) recorder: Arc<Recorder>,
}

impl StateStore for RecordingStore {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        self.store.load(name)
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        self.store.save(name, expected, value)
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        self.recorder
            .note(Kind::Claim, || self.store.claim(name, expires, now))
    }
}

/// The cryptography. Records the signatures that are checked.
pub(super) struct RecordingCrypto {
    pub(super) recorder: Arc<Recorder>,
}

impl CryptoProvider for RecordingCrypto {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        AwsLcCrypto.fill_random(out)
    }

    fn verify_es256(
        &self,
        key: &P256PublicKey,
        message: &[u8],
        signature: &Es256Signature,
    ) -> bool {
        self.recorder.note(Kind::Verify, || {
            AwsLcCrypto.verify_es256(key, message, signature)
        })
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        AwsLcCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        AwsLcCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        AwsLcCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        AwsLcCrypto.agree(curve, secret, peer)
    }
}

/// An encryption key that somebody has a copy of.
#[derive(Clone)]
pub(super) struct LeakedKey {
    pub(super) secret: SecretKey,
    pub(super) public: P256PublicKey,
}

impl LeakedKey {
    /// Makes a P-256 key.
    pub(super) fn generate() -> Result<Self, Reason> {
        let key = AwsLcCrypto.generate(Curve::P256)?;
        Ok(Self {
            public: P256PublicKey::from_sec1(&key.public)?,
            secret: key.secret,
        })
    }
}

impl KeyAgreement for LeakedKey {
    fn public_key(&self) -> P256PublicKey {
        self.public
    }

    fn agree(&self, peer: &P256PublicKey) -> Result<Vec<u8>, Reason> {
        let agreed = AwsLcCrypto.agree(Curve::P256, &self.secret, peer.as_sec1())?;
        Ok(agreed.expose().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn the_path_is_what_the_service_gets_to_see_of_a_url() {
        for (url, path) in [
            ("https://127.0.0.1:8443/keys/1", "/keys/1"),
            ("https://cps.example/p/cps/1/ppts", "/p/cps/1/ppts"),
            ("https://cps.example", "/"),
        ] {
            assert_eq!(path_of(url), path);
        }
    }
}
