//! What the scenes are played with: a laboratory, and per scene a service and two telephones.
//!
//! Every scene has a service and telephones of its own, so that nothing of one scene is left in the
//! mailboxes and memories of the next, and several can be played at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringtrue::{
    AddressPolicy, Endpoint, HttpSettings, IssuerName, Policy, Profile, Reason, SoftwareSigner,
    SqliteStore, Suite, TelephoneNumber, WalletName, gateway_name,
};
use ringtrue_cps::{
    RelayConfig, RelayService, Running as _, RunningRelay, RunningService, Service, ServiceConfig,
    TlsIdentity, TokenSettings,
};
use ringtrue_lab::{Authority, Credential, Lab, LabOptions, LeafSpec};
use ringtrue_net::{AwsLcCrypto, HttpClient};
use ringtrue_stir::X5u;
use ringtrue_stir::crypto::CryptoProvider as _;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use zeroize::Zeroizing;

use super::gateway_sight::GatewaySight;
use super::instruments::{
    LeakedKey, RecordingCrypto, RecordingSigner, RecordingStore, Tamper, Wire,
};
use super::record::Recorder;
use super::scene::Who;
use crate::exit::Failure;
use crate::settings::unix_now;

/// The numbers of the demo, all reserved for fiction (+1 202 555 0100 to 0199).
const ALICE: &str = "12025550143";
const BOB: &str = "12025550177";
const BOB_SECOND: &str = "12025550178";
const MALLORY: &str = "12025550199";

/// What the telephones have keys of: what is recorded today shall not be opened by tomorrow's machines.
pub(super) const SUITE: Suite = Suite::S3;

/// How long the scenes wait for what comes, whatever else the machine does. Not the endpoints' own
/// deadlines, which are shorter: a busy machine must not look like a failed proof. The outages keep those.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);

/// Storage tokens that a telephone has: more than any scene needs.
const TOKEN_STOCK: usize = 8;

/// A number as people write it.
pub(super) fn pretty(number: &TelephoneNumber) -> String {
    let digits = number.as_str();
    match (
        digits.get(..1),
        digits.get(1..4),
        digits.get(4..7),
        digits.get(7..11),
    ) {
        (Some("1"), Some(area), Some(exchange), Some(line)) if digits.len() == 11 => {
            format!("+1 {area} {exchange} {line}")
        }
        _ => format!("+{digits}"),
    }
}

/// What all scenes share: test root, authority, credentials, TLS certificate, numbers.
pub(super) struct Stage {
    folder: PathBuf,
    lab: Lab,
    pub(super) authority: Authority,
    tls: TlsIdentity,
    http: HttpSettings,
    pub(super) alice: TelephoneNumber,
    pub(super) bob: TelephoneNumber,
    pub(super) bob_second: TelephoneNumber,
    pub(super) mallory: TelephoneNumber,
}

impl Stage {
    /// Makes a laboratory in `folder`.
    pub(super) fn build(folder: &Path) -> Result<Self, Failure> {
        let number =
            |text| TelephoneNumber::from_canonical(text).map_err(Failure::of("the demo's numbers"));
        let (alice, bob, mallory) = (number(ALICE)?, number(BOB)?, number(MALLORY)?);
        let numbers = [alice.clone(), bob.clone(), mallory.clone()];
        let lab = Lab::create(folder, &numbers, &LabOptions::default(), unix_now())
            .map_err(Failure::Lab)?;
        let tls = lab.tls_identity().map_err(Failure::Lab)?;
        Ok(Self {
            authority: lab.authority().map_err(Failure::Lab)?,
            http: HttpSettings {
                addresses: AddressPolicy::public_only().allow_loopback(),
                web_roots: false,
                extra_roots_pem: vec![tls.root_pem],
                ..HttpSettings::default()
            },
            tls: TlsIdentity {
                chain_pem: tls.chain_pem,
                key_pem: tls.key_pem,
            },
            lab,
            folder: folder.to_owned(),
            alice,
            bob,
            bob_second: number(BOB_SECOND)?,
            mallory,
        })
    }

    /// The certificate and key of a number, as the laboratory's authority issued them.
    pub(super) fn credential(&self, number: &TelephoneNumber) -> Result<Credential, Failure> {
        self.lab.credential(number).map_err(Failure::Lab)
    }

    /// Where the certificate of a number is said to be.
    pub(super) fn x5u(&self, number: &TelephoneNumber) -> Result<X5u, Failure> {
        let x5u = self.lab.config().x5u(number);
        x5u.map_err(Failure::of("the certificate reference"))
    }

    /// An HTTP client for whoever is no endpoint.
    pub(super) fn client(&self) -> Result<HttpClient, Failure> {
        HttpClient::new(&self.http).map_err(Failure::of("the HTTP client"))
    }
}

/// What is special about the telephones of a scene.
#[derive(Default)]
pub(super) struct Cast {
    /// Bob has two numbers on one telephone, with one credential and one encryption key.
    pub(super) two_numbers: bool,
    /// Bob's encryption key, which somebody has a copy of.
    pub(super) leaked: Option<LeakedKey>,
    /// What happens on the way to what Bob fetches.
    pub(super) tamper: Option<Tamper>,
}

/// A telephone.
pub(super) struct Phone {
    pub(super) who: Who,
    pub(super) number: TelephoneNumber,
    pub(super) endpoint: Endpoint,
    pub(super) recorder: Arc<Recorder>,
    pub(super) signer: Arc<RecordingSigner>,
    wire: Arc<Wire>,
}

/// A service, a relay in front of it, and two telephones that have published their keys.
pub(super) struct World {
    pub(super) stage: Arc<Stage>,
    pub(super) service: RunningService,
    pub(super) relay: RunningRelay,
    pub(super) alice: Phone,
    pub(super) bob: Phone,
}

impl World {
    /// Starts the service on a free port, makes the telephones and publishes their keys.
    pub(super) async fn start(
        stage: &Arc<Stage>,
        scene: &str,
        cast: Cast,
    ) -> Result<Self, Failure> {
        let anchors = stage
            .authority
            .anchors()
            .map_err(Failure::of("the anchors"))?;
        let mut config = ServiceConfig::new(anchors);
        // One issuer for all scenes: its keys are of the day, not of the scene.
        config.tokens = Some(TokenSettings {
            folder: Some(stage.folder.join("tokens")),
            ..TokenSettings::required()
        });
        let folder = stage.folder.join("scenes").join(scene);
        let state = folder.join("service");
        config.state_folder = Some(state.clone());
        let service = Service::start(config, &stage.tls)
            .await
            .map_err(Failure::of("starting the service"))?;
        let base = service.base_url().clone();
        let mut config = RelayConfig::new([(gateway_name(&base), base)].into());
        config.http = stage.http.clone();
        let relay = RelayService::start(config, &stage.tls)
            .await
            .map_err(Failure::of("starting the relay"))?;
        let way = Way {
            relay: relay.base_url().as_str().to_owned(),
            sight: GatewaySight::open(&state)?,
        };
        let origin = Instant::now();
        // A copied key stands for one of a device, which is classical, and an answer to a hybrid key
        // does not fit a blob for it.
        let suite = if cast.leaked.is_some() {
            Suite::S1
        } else {
            SUITE
        };
        let alice = Phone::make(
            stage,
            &service,
            &way,
            origin,
            Card {
                who: Who::Alice,
                numbers: std::slice::from_ref(&stage.alice),
                credential: stage.credential(&stage.alice)?,
                suite,
                leaked: None,
                tamper: None,
                folder: folder.join("alice"),
            },
        )?;
        let both = [stage.bob.clone(), stage.bob_second.clone()];
        let (numbers, credential) = if cast.two_numbers {
            let credential = credential_for(&stage.authority, &both)?;
            (both.as_slice(), credential)
        } else {
            let own = std::slice::from_ref(&stage.bob);
            (own, stage.credential(&stage.bob)?)
        };
        let bob = Phone::make(
            stage,
            &service,
            &way,
            origin,
            Card {
                who: Who::Bob,
                numbers,
                credential,
                suite,
                leaked: cast.leaked,
                tamper: cast.tamper,
                folder: folder.join("bob"),
            },
        )?;
        for phone in [&alice, &bob] {
            let published = phone.endpoint.publish_keys(None).await;
            published.map_err(Failure::of("publishing keys"))?;
            phone.fill_wallet(&service).await?;
        }
        Ok(Self {
            stage: Arc::clone(stage),
            service,
            relay,
            alice,
            bob,
        })
    }

    /// The time on the scene's clock.
    pub(super) fn now(&self) -> Duration {
        self.alice.recorder.now()
    }

    /// Ends the scene: the telephones poll no more, the service drains.
    pub(super) async fn end(self) {
        silence(self.alice, self.bob).await;
        self.relay.shutdown().await;
        self.service.shutdown().await;
    }
}

/// Lets no more requests of two telephones through.
pub(super) async fn silence(alice: Phone, bob: Phone) {
    for phone in [alice, bob] {
        phone.wire.cut();
        // A thread that panicked has nothing under way either.
        let _ = tokio::task::spawn_blocking(move || phone.wire.settle()).await;
    }
}

/// How a telephone's requests get to the service.
struct Way {
    /// The relay that they go through.
    relay: String,
    sight: GatewaySight,
}

/// What a telephone is made of.
struct Card<'a> {
    who: Who,
    numbers: &'a [TelephoneNumber],
    credential: Credential,
    suite: Suite,
    leaked: Option<LeakedKey>,
    tamper: Option<Tamper>,
    folder: PathBuf,
}

impl Drop for Phone {
    /// A scene that breaks off leaves no telephone polling.
    fn drop(&mut self) {
        self.wire.cut();
    }
}

impl Phone {
    fn make(
        stage: &Stage,
        service: &RunningService,
        way: &Way,
        origin: Instant,
        card: Card<'_>,
    ) -> Result<Self, Failure> {
        let number = card
            .numbers
            .first()
            .cloned()
            .ok_or(Reason::ConfigurationInvalid)
            .map_err(Failure::of("a telephone"))?;
        let recorder = Arc::new(Recorder::new(origin));
        let signer = SoftwareSigner::from_pkcs8_pem(&card.credential.key_pem)
            .map_err(Failure::of("the key"))?;
        let signer = Arc::new(RecordingSigner::new(signer, Arc::clone(&recorder)));
        let sight = way.sight.clone();
        let wire = Wire::new(stage.client()?, Arc::clone(&recorder), card.tamper, sight);
        let wire = Arc::new(wire);
        std::fs::create_dir_all(&card.folder).map_err(|error| Failure::System {
            what: "a telephone's folder",
            error,
        })?;
        let store = SqliteStore::open(card.folder.join("endpoint.sqlite"))
            .map_err(Failure::of("a telephone's state"))?;
        // The folder goes with the demonstration, and so may its key.
        let mut state_key = Zeroizing::new([0; 32]);
        AwsLcCrypto
            .fill_random(state_key.as_mut_slice())
            .map_err(Failure::of("a telephone's state"))?;
        let mut policy = Policy::default();
        policy.profile = Profile::Delegate;
        policy.token_stock = TOKEN_STOCK;
        policy.answer_deadline = PATIENCE;
        policy.suites = vec![card.suite];
        let mut builder = Endpoint::builder()
            .relay(way.relay.as_str())
            .credential(card.credential.chain_pem, stage.x5u(&number)?.as_str())
            .signer(signer.clone())
            .anchors_pem(stage.authority.root.pem())
            .service(service.base_url().as_str())
            .token_issuer(service.base_url().authority())
            .store(Arc::new(RecordingStore {
                store,
                recorder: Arc::clone(&recorder),
            }))
            .state_key(*state_key)
            .transport(wire.clone())
            .provider(Arc::new(RecordingCrypto {
                recorder: Arc::clone(&recorder),
            }))
            .policy(policy);
        for number in card.numbers {
            builder = builder.number(number.as_str());
        }
        if let Some(leaked) = card.leaked {
            builder = builder.key_agreement(Arc::new(leaked));
        }
        Ok(Self {
            who: card.who,
            number,
            endpoint: builder.build().map_err(Failure::of("a telephone"))?,
            recorder,
            signer,
            wire,
        })
    }
}

impl Phone {
    /// Gets storage tokens ahead of need, as a telephone does while nobody is calling.
    async fn fill_wallet(&self, service: &RunningService) -> Result<(), Failure> {
        let authority = service.base_url().authority();
        let issuer = IssuerName::parse(authority).map_err(Failure::of("the token issuer"))?;
        let wallet = WalletName::new(issuer, authority);
        let refilled = self.endpoint.refill_tokens(&wallet, None).await;
        match refilled.reasons.first() {
            Some(reason) if refilled.stock == 0 => {
                Err(Failure::of("getting storage tokens")(*reason))
            }
            _ => Ok(()),
        }
    }
}

/// One delegate certificate for several numbers.
fn credential_for(
    authority: &Authority,
    numbers: &[TelephoneNumber],
) -> Result<Credential, Failure> {
    let entries = numbers.iter().cloned().map(Entry::One).collect();
    TnAuthList::new(entries)
        .and_then(|scope| authority.issue(&LeafSpec::for_scope(Some(scope), unix_now())))
        .map_err(Failure::of("a certificate"))
}

#[cfg(test)]
mod tests {
    use ringtrue::TelephoneNumber;

    use super::{ALICE, BOB, BOB_SECOND, MALLORY, pretty};

    #[test]
    fn every_number_is_reserved_for_fiction() {
        for number in [ALICE, BOB, BOB_SECOND, MALLORY] {
            assert!(number.starts_with("120255501") && number.len() == 11);
        }
    }

    #[test]
    fn numbers_are_written_as_people_do() {
        let text = |number| pretty(&TelephoneNumber::from_canonical(number).unwrap());
        assert_eq!(text(ALICE), "+1 202 555 0143");
        assert_eq!(text("442079460000"), "+442079460000");
    }
}
