//! A flood at one number while genuine calls go on: real endpoints, the real service, real TLS (threats
//! T14 and T15). The same with exact time, and with more strategies, is `core/cps/tests/flood.rs`.
//!
//! By default a part of the flood, so that it ends within a minute. All of it, 100,000 stores without
//! tokens and ten quotas of 200 tokens, is
//! `RINGTRUE_FLOOD=full cargo test --release -p ringtrue-tests --test scenarios flood -- --nocapture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ringtrue::{
    Endpoint, HttpRequest, MemoryStore, PlaceOptions, Placement, Reason, TelephoneNumber, Verdict,
};
use ringtrue_cps::{RunningService, Service, ServiceConfig, TokenSettings, price};
use ringtrue_lab::{Authority, TlsIdentity, tls_identity};
use ringtrue_net::{AwsLcCrypto, HttpClient, Role};
use ringtrue_oob::http::{HttpResponse, placement, problem};
use ringtrue_oob::token::redemption::{self, StoreProof};
use ringtrue_oob::token::{IssuerKey, IssuerName, OneTimeKey, PendingToken, Token, TokenChallenge};
use ringtrue_oob::{BaseUrl, Blob, Destination, Suite, dummy};
use ringtrue_raw_rsa::RsaIssuerKey;
use ringtrue_stir::certificate::Profile;

use crate::support::world::{STATE_KEY, X5U, lab_http, number, patient_network, signer_of};
use crate::support::{PATIENT, ends, logs, now};

/// The number that everything is about.
const CALLEE: usize = 0;

/// How much of the flood is run.
struct Size {
    without_tokens: usize,
    hostile_tokens: usize,
    /// Genuine calls during each of the two floods, each from a number of its own.
    calls: usize,
}

impl Size {
    fn of_this_run() -> Self {
        if std::env::var("RINGTRUE_FLOOD").is_ok_and(|size| size == "full") {
            Self {
                without_tokens: 100_000,
                hostile_tokens: 10 * 200,
                calls: 20,
            }
        } else {
            Self {
                without_tokens: 2000,
                hostile_tokens: 300,
                calls: 4,
            }
        }
    }
}

struct World {
    authority: Authority,
    tls: TlsIdentity,
    service: RunningService,
    base: BaseUrl,
    state: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with_lifetime(Duration::from_secs(30)).await
    }

    async fn with_lifetime(lifetime: Duration) -> Self {
        logs::record();
        let authority = Authority::for_numbers(&[number(CALLEE)], now()).unwrap();
        let tls = tls_identity(&["127.0.0.1", "localhost"], now()).unwrap();
        let state = tempfile::tempdir().unwrap();
        let mut config = ServiceConfig::new(authority.anchors().unwrap());
        config.profile = Profile::Stir;
        config.network = patient_network();
        config.placement.lifetime = lifetime;
        config.state_folder = Some(state.path().to_owned());
        config.tokens = Some(TokenSettings::required());
        let identity = ringtrue_cps::TlsIdentity {
            chain_pem: tls.chain_pem.clone(),
            key_pem: tls.key_pem.clone(),
        };
        let service = Service::start(config, &identity).await.unwrap();
        Self {
            base: service.base_url().clone(),
            authority,
            tls,
            service,
            state,
        }
    }

    fn endpoint(&self, index: usize) -> Endpoint {
        let number = number(index);
        let credential = self.authority.issue_number(&number, now()).unwrap();
        Endpoint::builder()
            .number(number.as_str())
            .anchors_pem(self.authority.root.pem())
            .service(self.base.as_str())
            .state_key(STATE_KEY)
            .allow_direct(true)
            .http(lab_http(&self.tls.root_pem))
            .credential(credential.chain_pem.clone(), X5U)
            .signer(signer_of(&credential))
            .store(Arc::new(MemoryStore::new()))
            .token_issuer(self.base.authority())
            .build()
            .unwrap()
    }

    /// A telephone with a wallet that is full.
    async fn caller(&self, index: usize) -> Endpoint {
        let endpoint = self.endpoint(index);
        let issuer = IssuerName::parse(self.base.authority()).unwrap();
        let wallet = ringtrue::WalletName::new(issuer, self.base.authority());
        let refilled = ends(endpoint.refill_tokens(&wallet, Some(PATIENT))).await;
        assert!(refilled.stock >= 20, "{:?}", refilled.reasons);
        endpoint
    }

    fn client(&self) -> HttpClient {
        HttpClient::new(&lab_http(&self.tls.root_pem)).unwrap()
    }

    /// Tokens as ten credentials would have got them, blind signature by blind signature. What a
    /// credential gets a day is shown in the tests of the issuer.
    fn hostile_tokens(&self, count: usize) -> Vec<(Token, OneTimeKey)> {
        let begin = now().as_secs() / 86_400 * 86_400;
        let name = format!("issuer/issuer-key-{begin}.der");
        let der = std::fs::read(self.state.path().join(name)).unwrap();
        let private = RsaIssuerKey::from_pkcs8(&der).unwrap();
        let key = IssuerKey::from_modulus(private.modulus()).unwrap();
        let issuer = IssuerName::parse(self.base.authority()).unwrap();
        let challenge = TokenChallenge::new(&issuer, self.base.authority()).unwrap();
        (0..count)
            .map(|_| {
                let one_time = OneTimeKey::generate(&AwsLcCrypto).unwrap();
                let pending = PendingToken::new(&AwsLcCrypto, &key, &challenge, one_time).unwrap();
                let blinded = pending.blinded_message().try_into().unwrap();
                let signature = private.private_operation(blinded).unwrap();
                pending.complete(&signature).unwrap()
            })
            .collect()
    }

    fn request(&self, to: &TelephoneNumber, blobs: &[Blob]) -> HttpRequest {
        placement::encode_store(&self.base, to, blobs).unwrap()
    }

    fn paid(
        &self,
        to: &TelephoneNumber,
        blobs: &[Blob],
        tokens: &[(Token, OneTimeKey)],
    ) -> HttpRequest {
        let destination = Destination::TelephoneNumber(to.clone());
        let proof = StoreProof::new(self.base.authority(), &destination, blobs).unwrap();
        let redeemed: Vec<_> = tokens
            .iter()
            .map(|(token, key)| proof.redeem(&AwsLcCrypto, token, key, 0).unwrap())
            .collect();
        let mut request = self.request(to, blobs);
        request
            .headers
            .extend(redemption::encode(&redeemed).unwrap());
        request
    }
}

async fn send(client: &HttpClient, request: HttpRequest) -> HttpResponse {
    ends(client.execute(Role::Store, request, 1 << 16))
        .await
        .unwrap()
}

/// Makes genuine calls one after another; how many of them were verified.
async fn calls(callers: &[Endpoint], callee: &Endpoint, first: usize) -> (usize, Vec<Reason>) {
    let (mut verified, mut reasons) = (0, Vec::new());
    for (index, caller) in callers.iter().enumerate() {
        let (from, to) = (number(first + index), number(CALLEE));
        let options = PlaceOptions::default().within(PATIENT);
        let placed = ends(caller.place(from.as_str(), to.as_str(), options))
            .await
            .unwrap();
        reasons.extend(placed.reasons.iter().copied());
        if placed.placement != Placement::Stored {
            println!("call {index} was not stored: {:?}", placed.reasons);
            continue;
        }
        let rung = ends(callee.ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT))).await;
        let found = rung.unwrap().verdict();
        if found.verdict == Verdict::Verified {
            verified += 1;
        } else {
            println!("call {index}: {:?}, {:?}", found.verdict, found.reasons);
        }
    }
    (verified, reasons)
}

/// Resident memory of this process, which is service and endpoints at once, in MiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<usize>().ok())
        .unwrap_or_default()
        / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_flooded_number_are_verified() {
    let size = Size::of_this_run();
    let world = Arc::new(World::new().await);
    let callee = world.endpoint(CALLEE);
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let mut callers = Vec::new();
    for index in 0..2 * size.calls {
        callers.push(world.caller(1 + index).await);
    }
    let (first_half, second_half) = callers.split_at(size.calls);
    let before = resident();

    // Without tokens: as many as eight connections carry, until the calls are over and all were sent.
    let sent = Arc::new(AtomicUsize::new(0));
    let calling = Arc::new(AtomicBool::new(true));
    let start = Instant::now();
    let flooders: Vec<_> = (0..8)
        .map(|_| {
            let (world, sent, calling) =
                (Arc::clone(&world), Arc::clone(&sent), Arc::clone(&calling));
            let total = size.without_tokens;
            tokio::spawn(async move {
                let client = world.client();
                let blobs = [dummy(&AwsLcCrypto, Suite::S1).unwrap()];
                let request = world.request(&number(CALLEE), &blobs);
                while calling.load(Ordering::SeqCst) || sent.load(Ordering::SeqCst) < total {
                    let answer = send(&client, request.clone()).await;
                    assert_eq!(answer.status, 401);
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let (verified, _) = calls(first_half, &callee, 1).await;
    calling.store(false, Ordering::SeqCst);
    for flooder in flooders {
        flooder.await.unwrap();
    }
    let counts = world.service.placement_counts();
    println!(
        "without tokens: {} stores in {:.1} s, {verified} of {} calls verified; service {} octets for \
         {} blobs; process {before} MiB before, {} MiB after",
        sent.load(Ordering::SeqCst),
        start.elapsed().as_secs_f64(),
        size.calls,
        counts.bytes,
        counts.live,
        resident(),
    );
    assert_eq!(verified, size.calls);

    // With the tokens of hostile credentials, as fast as they can be spent and at the lowest prices.
    let mut tokens = world.hostile_tokens(size.hostile_tokens);
    let start = Instant::now();
    let flood = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let (client, to) = (world.client(), number(CALLEE));
            loop {
                let load = world.service.placement_counts().live;
                let count = (1..=8)
                    .rev()
                    .find(|count| price(load, *count) == 1)
                    .unwrap_or(1);
                let due = usize::try_from(price(load, count)).unwrap();
                if due > tokens.len() || start.elapsed() > Duration::from_secs(30) {
                    return tokens.len();
                }
                let blobs: Vec<Blob> = (0..count)
                    .map(|_| dummy(&AwsLcCrypto, Suite::S1).unwrap())
                    .collect();
                let paying = tokens.split_off(tokens.len() - due);
                let answer = send(&client, world.paid(&to, &blobs, &paying)).await;
                // A call that came between has raised the price; those tokens are lost then.
                assert!(answer.status == 201 || problem::price(&answer).is_some());
            }
        })
    };
    let (verified, reasons) = calls(second_half, &callee, 1 + size.calls).await;
    let left = ends(flood).await.unwrap();
    let counts = world.service.placement_counts();
    println!(
        "hostile tokens: {} of {} spent in {:.1} s, {verified} of {} calls verified, {} of them at a \
         raised price; service {} octets for {} blobs, {} evicted, {} spent tokens; process {} MiB",
        size.hostile_tokens - left,
        size.hostile_tokens,
        start.elapsed().as_secs_f64(),
        size.calls,
        reasons
            .iter()
            .filter(|reason| **reason == Reason::PriceRaised)
            .count(),
        counts.bytes,
        counts.live,
        counts.evicted,
        world.service.spent_tokens(),
        resident(),
    );
    assert!(verified * 100 >= size.calls * 95);
    assert!(counts.live <= ringtrue_cps::MAX_STORED_PER_NUMBER);
}

/// The middle of some times, and what the middle half of them lies between.
fn quartiles(times: &mut [Duration]) -> [Duration; 3] {
    times.sort();
    [1, 2, 3].map(|quarter| times[times.len() * quarter / 4])
}

// ADR 10: whoever shows a token too few learns the price and no more. How long that takes is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_with_a_price_has_one_size_for_every_number_and_price() {
    const SAMPLES: usize = 24;
    let world = World::with_lifetime(Duration::from_secs(60)).await;
    let client = world.client();
    let mut tokens = world.hostile_tokens(32 + 2 * SAMPLES);
    let blobs = |count: usize| -> Vec<Blob> {
        (0..count)
            .map(|_| dummy(&AwsLcCrypto, Suite::S1).unwrap())
            .collect()
    };
    // To both numbers what is cheap; to the second one eight more blobs.
    let (quiet, loud) = (number(31), number(32));
    for (to, stores) in [(&quiet, [8, 8, 8, 8, 0]), (&loud, [8, 8, 8, 8, 8])] {
        let mut load = 0;
        for count in stores.into_iter().filter(|count| *count > 0) {
            let due = usize::try_from(price(load, count)).unwrap();
            let paying = tokens.split_off(tokens.len() - due);
            let answer = send(&client, world.paid(to, &blobs(count), &paying)).await;
            assert_eq!(answer.status, 201);
            load += count;
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    let mut shapes = std::collections::BTreeSet::new();
    for _ in 0..SAMPLES {
        for (to, times) in [&quiet, &loud].into_iter().zip(&mut times) {
            let paying = tokens.split_off(tokens.len() - 1);
            let request = world.paid(to, &blobs(1), &paying);
            let start = Instant::now();
            let answer = send(&client, request).await;
            times.push(start.elapsed());
            assert_eq!(answer.status, 429);
            let due = if *to == quiet { 2 } else { 4 };
            assert_eq!(problem::price(&answer), Some(due));
            let fields: Vec<_> = answer
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.len()))
                .collect();
            shapes.insert((answer.body.len(), fields));
        }
    }
    let [quiet, loud] = times.each_mut().map(|times| quartiles(times));
    println!(
        "answers with a price, {SAMPLES} each: at 32 units {:.2?} (middle half {:.2?} to {:.2?}), at 40 units \
         {:.2?} ({:.2?} to {:.2?})",
        quiet[1], quiet[0], quiet[2], loud[1], loud[0], loud[2]
    );
    assert_eq!(shapes.len(), 1, "{shapes:?}");
}
