//! A token issuer that keeps its clients apart by their network addresses, from the first contact on:
//! real telephones, a real service that wants its tokens, and an operator who lies on the way out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue::{
    Endpoint, EndpointBuilder, HttpResponse, IssuerName, Placement, Policy, Reason, Refilled,
    Verdict, WalletName,
};
use ringtrue_oob::token::issuer_directory::{self, PublishedKey};
use ringtrue_oob::token::{IssuerKey, issuance};
use ringtrue_raw_rsa::RsaIssuerKey;

use crate::support::relayed::{RELAY_ADDRESS, RelayedWorld, address_of};
use crate::support::witness::{Fault, Seen};
use crate::support::world::{number, patiently, place};
use crate::support::{PATIENT, ends};

const CALLER: usize = 31;
const CALLEE: usize = 32;
const OTHER: usize = 33;

/// How many tokens each telephone keeps.
const STOCK: usize = 20;

fn issuer_of(world: &RelayedWorld) -> IssuerName {
    IssuerName::parse(&world.service.witness.name()).unwrap()
}

fn wallet(world: &RelayedWorld) -> WalletName {
    WalletName::new(issuer_of(world), world.service.witness.name())
}

/// A telephone that gets tokens when it is told to.
fn telephone(world: &RelayedWorld, index: usize) -> EndpointBuilder {
    with_tokens(world, world.builder(index))
}

fn with_tokens(world: &RelayedWorld, builder: EndpointBuilder) -> EndpointBuilder {
    let mut policy = Policy::default();
    policy.refill_within = Duration::ZERO;
    builder
        .policy(policy)
        .token_issuer(world.service.witness.name())
        .token_stock(STOCK)
}

async fn refill(world: &RelayedWorld, endpoint: &Endpoint) -> Refilled {
    ends(endpoint.refill_tokens(&wallet(world), Some(PATIENT))).await
}

/// What an operator keeps who wants to know his clients by their tokens: a key for each address.
#[derive(Clone)]
struct Operator {
    issuer: IssuerName,
    keys: Arc<Mutex<BTreeMap<IpAddr, Arc<RsaIssuerKey>>>>,
}

impl Operator {
    /// Whoever comes through the relay gets what the true issuer shows; everybody else a key of their
    /// own, and tokens under it.
    fn lie(world: &RelayedWorld) -> Self {
        let operator = Self {
            issuer: issuer_of(world),
            keys: Arc::default(),
        };
        let lying = operator.clone();
        world.service.witness.meddle(move |seen| {
            let known = seen.from != RELAY_ADDRESS;
            match seen.line() {
                ("GET", issuer_directory::PATH) if known => Some(lying.directory(seen)),
                ("POST", issuance::REQUEST_PATH) if known => Some(lying.token(seen)),
                _ => None,
            }
        });
        operator
    }

    fn key_of(&self, client: IpAddr) -> Arc<RsaIssuerKey> {
        let mut keys = self.keys.lock().unwrap();
        let key = keys.entry(client);
        Arc::clone(key.or_insert_with(|| Arc::new(RsaIssuerKey::generate().unwrap())))
    }

    /// The true directory, with this client's key for the one that signs.
    fn directory(&self, seen: &Seen) -> Fault {
        let (issuer, key) = (self.issuer.clone(), self.key_of(seen.from));
        Fault::Answer(Box::new(move |answer: HttpResponse| {
            let mut directory = issuer_directory::decode(&issuer, &answer).unwrap();
            let now = crate::support::now();
            let signing: &mut PublishedKey = directory
                .keys
                .iter_mut()
                .rfind(|published| published.not_before <= now)
                .unwrap();
            signing.key = IssuerKey::from_modulus(key.modulus()).unwrap();
            issuer_directory::encode(issuance::REQUEST_PATH, &directory.keys)
        }))
    }

    /// A token under this client's key.
    fn token(&self, seen: &Seen) -> Fault {
        let (key, body) = (self.key_of(seen.from), seen.body.clone());
        Fault::Answer(Box::new(move |_| {
            let asked =
                issuance::decode_request(Some("application/private-token-request"), &body).unwrap();
            let signed = key.private_operation(&asked.blinded_message).unwrap();
            issuance::encode_response(&signed)
        }))
    }

    /// How many clients it could tell apart.
    fn known(&self) -> usize {
        self.keys.lock().unwrap().len()
    }
}

/// What came to the service under its own address, by method and target.
fn direct(world: &RelayedWorld, line: (&str, &str)) -> Vec<IpAddr> {
    let seen = world.service.witness.seen();
    let asked = seen.iter().filter(|seen| seen.line() == line);
    asked.map(|seen| seen.from).collect()
}

const LOOK: (&str, &str) = ("GET", issuer_directory::PATH);
const ASK: (&str, &str) = ("POST", issuance::REQUEST_PATH);

// PRV-29, threat T9: two telephones that have never asked before, each with a key for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_with_a_key_for_each_address_is_found_out_at_the_first_contact() {
    let world = RelayedWorld::with_tokens().await;
    let operator = Operator::lie(&world);
    for index in [CALLER, OTHER] {
        let endpoint = telephone(&world, index).build().unwrap();
        let refused = refill(&world, &endpoint).await;
        assert_eq!((refused.added, refused.stock), (0, 0));
        assert_eq!(refused.reasons, [Reason::IssuerInconsistent]);
    }
    assert_eq!(operator.known(), 2, "it had lied to both");
    let looked = direct(&world, LOOK);
    assert_eq!(looked, [address_of(CALLER), address_of(OTHER)]);
    let told = direct(&world, ASK);
    assert!(told.is_empty(), "it learned whose they are: {told:?}");
    // The other look came from the relay, and holds nothing of who asks.
    let opened = world.service.opened();
    assert_eq!(opened.len(), 2);
    for (seen, inner) in &opened {
        assert_eq!(seen.from, RELAY_ADDRESS);
        assert_eq!((inner.method.as_str(), inner.path.as_str()), LOOK);
        assert_eq!(inner.headers, opened[0].1.headers);
        assert!(inner.body.is_empty());
    }
    println!(
        "an issuer with a key for each of 2 addresses: found out by {} of 2 at the first contact, 0 token requests",
        opened.len()
    );
}

// The same operator against telephones whose application wants no relay: this is what it would have got.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_relay_such_an_issuer_gives_each_address_tokens_that_name_it() {
    let world = RelayedWorld::with_tokens().await;
    let operator = Operator::lie(&world);
    let mut endpoints = Vec::new();
    for index in [CALLER, OTHER] {
        let builder = world.builder_without_relay(index).allow_direct(true);
        let endpoint = with_tokens(&world, builder).build().unwrap();
        let filled = refill(&world, &endpoint).await;
        assert_eq!(
            (filled.added, filled.reasons),
            (STOCK, vec![]),
            "not found out"
        );
        endpoints.push(endpoint);
    }
    assert_eq!(operator.known(), 2);
    assert_eq!(direct(&world, ASK).len(), 2 * STOCK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_has_the_relayed_look_fail_gives_no_tokens_either() {
    let world = RelayedWorld::with_tokens().await;
    let operator = Operator::lie(&world);
    let endpoint = telephone(&world, CALLER)
        .allow_direct(true)
        .build()
        .unwrap();
    world.relay.meddle(|seen| {
        (seen.line().0 == "POST").then(|| {
            Fault::Answer(Box::new(|mut answer: HttpResponse| {
                answer.status = 502;
                answer
            }))
        })
    });
    let refused = refill(&world, &endpoint).await;
    assert_eq!(refused.added, 0);
    assert_eq!(refused.reasons, [Reason::RelayFailed]);
    assert_eq!(direct(&world, LOOK), [address_of(CALLER)], "not twice");
    assert!(direct(&world, ASK).is_empty());
    assert_eq!(operator.known(), 1);
}

// What goes with an honest issuer: tokens ahead of need, and a call that is paid through the relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_an_issuer_that_both_ways_agree_on_pay_calls_through_the_relay() {
    let world = RelayedWorld::with_tokens().await;
    let callee = telephone(&world, CALLEE).build().unwrap();
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let caller = telephone(&world, CALLER).build().unwrap();
    let readers = ends(caller.prefetch_keys(number(CALLEE).as_str(), Some(PATIENT))).await;
    assert_eq!(readers, Ok(1));
    let filled = refill(&world, &caller).await;
    assert_eq!((filled.added, filled.reasons), (STOCK, vec![]));
    for line in [LOOK, ASK] {
        let asked = direct(&world, line);
        assert!(asked.iter().all(|from| *from == address_of(CALLER)));
    }
    world.service.witness.forget();
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(
        (placed.placement, placed.reasons),
        (Placement::Stored, vec![])
    );
    // PRV-27: redeemed from another address than issued.
    let seen = world.service.witness.seen();
    let came: Vec<_> = seen.iter().map(|seen| (seen.line(), seen.from)).collect();
    assert_eq!(came, [(("POST", "/gateway"), RELAY_ADDRESS)]);
    let from = number(CALLER);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT))).await;
    let verdict = call.unwrap().verdict();
    assert_eq!(verdict.verdict, Verdict::Verified, "{:?}", verdict.reasons);
}
