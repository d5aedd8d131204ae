//! A world with a relay: service, key directory and relay, each behind a witness, and endpoints with
//! addresses of their own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ringtrue::{BaseUrl, Endpoint, EndpointBuilder, HttpSettings, MemoryStore};
use ringtrue_cps::{
    RelayConfig, RelayService, RunningRelay, RunningService, Service, ServiceConfig, TokenSettings,
};
use ringtrue_net::HttpClient;
use ringtrue_oob::ohttp::{GatewayKey, binary, binary::BinaryRequest, decapsulate};
use ringtrue_stir::base64url;
use ringtrue_stir::certificate::Profile;
use ringtrue_stir::crypto::{RustCrypto, SecretKey};
use tempfile::TempDir;

use super::secrets::Secrets;
use super::witness::{Seen, Witness};
use super::world::{World, lab_http, number, patient_network};
use super::{PATIENT, logs};

/// Where the relay's own connections come from.
pub(crate) const RELAY_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 21));

/// Where an endpoint's connections come from.
pub(crate) fn address_of(index: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 1, u8::try_from(index).unwrap() + 1))
}

/// One of the two services, with what it keeps.
pub(crate) struct Party {
    pub(crate) witness: Witness,
    running: RunningService,
    state: TempDir,
    wants_tokens: bool,
}

impl Party {
    async fn start(world: &World, wants_tokens: bool) -> Self {
        let state = TempDir::new().unwrap();
        let witness = Witness::start(&world.tls).await;
        let running = serve(world, &state, &witness, wants_tokens).await;
        let party = Self {
            witness,
            running,
            state,
            wants_tokens,
        };
        party.stand_in_front(world);
        party
    }

    fn stand_in_front(&self, world: &World) {
        let client = HttpClient::new(&lab_http(&world.tls.root_pem)).unwrap();
        let base = format!("https://{}", self.running.local_addr());
        self.witness.lead_to(client, &base);
    }

    /// Ends the service and starts it again: with what it kept, or with nothing.
    pub(crate) async fn restart(&mut self, world: &World, forgets_gateway_keys: bool) {
        if forgets_gateway_keys {
            std::fs::remove_file(self.state.path().join("gateway-keys.json")).unwrap();
        }
        self.running = serve(world, &self.state, &self.witness, self.wants_tokens).await;
        self.stand_in_front(world);
    }

    /// The gateway's secrets, from its file: what the operator has.
    fn keys(&self) -> Vec<GatewayKey> {
        let text = std::fs::read(self.state.path().join("gateway-keys.json")).unwrap();
        let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let keys = file["keys"].as_array().unwrap().iter();
        keys.map(|key| {
            let secret = base64url::decode(key["secret"].as_str().unwrap()).unwrap();
            let id = u8::try_from(key["id"].as_u64().unwrap()).unwrap();
            GatewayKey::from_secret(&RustCrypto, id, SecretKey::from_slice(&secret).unwrap())
                .unwrap()
        })
        .collect()
    }

    /// The requests that were inside what came, with the address that each came from: everything that
    /// the operator of this service can know.
    pub(crate) fn opened(&self) -> Vec<(Seen, BinaryRequest)> {
        let keys = self.keys();
        let seen = self.witness.seen().into_iter();
        seen.filter(|seen| seen.line() == ("POST", "/gateway"))
            .map(|seen| {
                let (octets, _) = decapsulate(&RustCrypto, &keys, &seen.body).unwrap();
                let request = binary::decode_request(&octets).unwrap();
                (seen, request)
            })
            .collect()
    }
}

async fn serve(
    world: &World,
    state: &TempDir,
    witness: &Witness,
    wants_tokens: bool,
) -> RunningService {
    let mut config = ServiceConfig::new(world.authority.anchors().unwrap());
    config.profile = Profile::Stir;
    config.network = patient_network();
    config.state_folder = Some(state.path().to_owned());
    if wants_tokens {
        // It is known by the name under which it is reached, as its tokens name it.
        config.base_url = Some(BaseUrl::parse(&witness.base()).unwrap());
        config.tokens = Some(TokenSettings::required());
    }
    let tls = ringtrue_cps::TlsIdentity {
        chain_pem: world.tls.chain_pem.clone(),
        key_pem: world.tls.key_pem.clone(),
    };
    Service::start(config, &tls).await.unwrap()
}

pub(crate) struct RelayedWorld {
    pub(crate) world: World,
    pub(crate) service: Party,
    pub(crate) directory: Party,
    pub(crate) relay: Witness,
    running_relay: RunningRelay,
    /// How much had been logged when it began.
    logged: usize,
}

/// Nothing of what went through the relay, sealed or inside, is in any party's log.
impl Drop for RelayedWorld {
    fn drop(&mut self) {
        // One failure is enough to say.
        if std::thread::panicking() {
            return;
        }
        let secrets = Secrets::new();
        for party in [&self.service, &self.directory] {
            let keys = party.keys();
            for seen in party.witness.seen() {
                secrets.octets(&seen.body);
                // A test may have made the gateway forget its keys.
                if let Ok((octets, _)) = decapsulate(&RustCrypto, &keys, &seen.body)
                    && let Ok(inner) = binary::decode_request(&octets)
                {
                    secrets.body(&inner.body);
                    for (name, value) in &inner.headers {
                        if name == "authorization" || name.starts_with("stir-oob-") {
                            secrets.body(value.as_bytes());
                        }
                    }
                }
            }
        }
        secrets.assert_absent_from("a log", &logs::recorded_since(self.logged));
    }
}

impl RelayedWorld {
    pub(crate) async fn new() -> Self {
        Self::with(false).await
    }

    /// A world whose service takes stores for tokens alone, and issues them itself.
    pub(crate) async fn with_tokens() -> Self {
        Self::with(true).await
    }

    async fn with(tokens: bool) -> Self {
        let world = World::new().await;
        let logged = logs::length();
        let service = Party::start(&world, tokens).await;
        let directory = Party::start(&world, false).await;
        let gateways = [&service, &directory].map(|party| {
            let base = BaseUrl::parse(&party.witness.base()).unwrap();
            (party.witness.name(), base)
        });
        let mut config = RelayConfig::new(BTreeMap::from(gateways));
        config.network = patient_network();
        config.gateway_timeout = PATIENT;
        config.http = HttpSettings {
            local_address: Some(RELAY_ADDRESS),
            ..lab_http(&world.tls.root_pem)
        };
        let tls = ringtrue_cps::TlsIdentity {
            chain_pem: world.tls.chain_pem.clone(),
            key_pem: world.tls.key_pem.clone(),
        };
        let running_relay = RelayService::start(config, &tls).await.unwrap();
        let relay = Witness::start(&world.tls).await;
        let client = HttpClient::new(&lab_http(&world.tls.root_pem)).unwrap();
        relay.lead_to(client, running_relay.base_url().as_str());
        Self {
            world,
            service,
            directory,
            relay,
            running_relay,
            logged,
        }
    }

    /// How many requests the relay itself carried.
    pub(crate) fn carried(&self) -> u64 {
        self.running_relay.observed().carried
    }

    /// Where the relay itself listens.
    pub(crate) fn relay_address(&self) -> SocketAddr {
        let base = self.running_relay.base_url().as_str();
        base.strip_prefix("https://").unwrap().parse().unwrap()
    }

    /// An endpoint with an address of its own that knows the relay.
    pub(crate) fn builder(&self, index: usize) -> EndpointBuilder {
        self.builder_without_relay(index).relay(self.relay.base())
    }

    /// An endpoint with an address of its own.
    pub(crate) fn builder_without_relay(&self, index: usize) -> EndpointBuilder {
        let number = number(index);
        let credential = self.world.credential(&number);
        Endpoint::builder()
            .number(number.as_str())
            .anchors_pem(self.world.authority.root.pem())
            .credential(credential.chain_pem.clone(), super::world::X5U)
            .signer(super::world::signer_of(&credential))
            .store(Arc::new(MemoryStore::new()))
            .state_key(super::world::STATE_KEY)
            .policy(super::world::patient_policy())
            .service(self.service.witness.base())
            .directory(self.directory.witness.base())
            .http(HttpSettings {
                local_address: Some(address_of(index)),
                ..lab_http(&self.world.tls.root_pem)
            })
    }

    /// The same, published.
    pub(crate) async fn published(&self, index: usize) -> Endpoint {
        let endpoint = self.builder(index).build().unwrap();
        endpoint.publish_keys(Some(PATIENT)).await.unwrap();
        endpoint
    }
}
