//! Calls that are paid for: real endpoints, a service that wants tokens and issues them, real TLS.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringtrue::{
    Endpoint, IssuerName, MemoryStore, PlaceOptions, Placement, Policy, Reason, Verdict, WalletName,
};
use ringtrue_cps::{RunningService, Service, ServiceConfig, TokenSettings};
use ringtrue_lab::{Authority, TlsIdentity, tls_identity};
use ringtrue_stir::certificate::Profile;

use crate::support::secrets::Secrets;
use crate::support::world::{STATE_KEY, X5U, lab_http, number, patient_network, signer_of};
use crate::support::{PATIENT, ends, logs, next_second, now};

const CALLER: usize = 0;
const CALLEE: usize = 1;

struct World {
    authority: Authority,
    tls: TlsIdentity,
    service: RunningService,
    /// Keys, nonces and blinding factors of every endpoint here.
    secrets: Secrets,
    logged: usize,
}

/// Nothing of a token is in any party's log.
impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let logged = logs::recorded_since(self.logged);
            self.secrets.assert_absent_from("a log", &logged);
        }
    }
}

impl World {
    async fn new() -> Self {
        logs::record();
        let numbers = [number(CALLER), number(CALLEE)];
        let authority = Authority::for_numbers(&numbers, now()).unwrap();
        let tls = tls_identity(&["127.0.0.1", "localhost"], now()).unwrap();
        let mut config = ServiceConfig::new(authority.anchors().unwrap());
        config.profile = Profile::Stir;
        config.network = patient_network();
        config.tokens = Some(TokenSettings::required());
        let identity = ringtrue_cps::TlsIdentity {
            chain_pem: tls.chain_pem.clone(),
            key_pem: tls.key_pem.clone(),
        };
        let service = Service::start(config, &identity).await.unwrap();
        Self {
            authority,
            tls,
            service,
            secrets: Secrets::new(),
            logged: logs::length(),
        }
    }

    fn endpoint(&self, index: usize, refill_within: Duration) -> Endpoint {
        let base = self.service.base_url();
        let number = number(index);
        let credential = self.authority.issue_number(&number, now()).unwrap();
        let mut policy = Policy::default();
        policy.refill_within = refill_within;
        Endpoint::builder()
            .number(number.as_str())
            .anchors_pem(self.authority.root.pem())
            .service(base.as_str())
            .state_key(STATE_KEY)
            .allow_direct(true)
            .http(lab_http(&self.tls.root_pem))
            .credential(credential.chain_pem.clone(), X5U)
            .signer(signer_of(&credential))
            .store(Arc::new(MemoryStore::new()))
            .policy(policy)
            .provider(self.secrets.provider())
            .token_issuer(base.authority())
            .token_stock(20)
            .build()
            .unwrap()
    }

    fn wallet(&self) -> WalletName {
        let authority = self.service.base_url().authority();
        WalletName::new(IssuerName::parse(authority).unwrap(), authority)
    }

    async fn tokens(&self, endpoint: &Endpoint) -> usize {
        let status = ends(endpoint.wallet_status(&self.wallet())).await;
        status.unwrap().tokens
    }
}

async fn place(caller: &Endpoint) -> (Placement, Vec<Reason>) {
    let (from, to) = (number(CALLER), number(CALLEE));
    let options = PlaceOptions::default().within(PATIENT);
    let placed = ends(caller.place(from.as_str(), to.as_str(), options)).await;
    let placed = placed.unwrap();
    (placed.placement, placed.reasons)
}

async fn verdict(callee: &Endpoint) -> Verdict {
    let from = number(CALLER);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT))).await;
    call.unwrap().verdict().verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefetch_has_the_wallet_filled_later_and_calls_are_paid_from_it() {
    let world = World::new().await;
    let callee = world.endpoint(CALLEE, Duration::ZERO);
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let caller = world.endpoint(CALLER, Duration::from_secs(1));
    assert_eq!(caller.wallets(), []);
    let readers = ends(caller.prefetch_keys(number(CALLEE).as_str(), Some(PATIENT))).await;
    assert_eq!(readers, Ok(1));
    assert_eq!(caller.wallets(), [world.wallet()]);
    ends(async {
        while world.tokens(&caller).await < 20 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    for left in [19, 18] {
        assert_eq!(place(&caller).await, (Placement::Stored, vec![]));
        assert_eq!(world.tokens(&caller).await, left);
        assert_eq!(verdict(&callee).await, Verdict::Verified);
        next_second().await;
    }
}

// When tokens are fetched says nothing of when somebody telephoned, unless few are left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_is_not_short_yet_is_filled_in_another_part_of_the_day() {
    let world = World::new().await;
    let callee = world.endpoint(CALLEE, Duration::ZERO);
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let within = Duration::from_millis(200);
    let caller = world.endpoint(CALLER, within);
    ends(caller.refill_tokens(&world.wallet(), Some(PATIENT))).await;
    let readers = ends(caller.prefetch_keys(number(CALLEE).as_str(), Some(PATIENT))).await;
    assert_eq!(readers, Ok(1));
    for left in (10..20).rev() {
        assert_eq!(place(&caller).await, (Placement::Stored, vec![]));
        assert_eq!(world.tokens(&caller).await, left);
    }
    let before_the_last = Instant::now();
    assert_eq!(place(&caller).await, (Placement::Stored, vec![]));
    ends(async {
        while world.tokens(&caller).await < 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // Eight times the longest delay of a look, after a look.
    assert!(before_the_last.elapsed() > within * 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_with_an_empty_wallet_fetches_what_it_needs_and_says_so() {
    let world = World::new().await;
    let callee = world.endpoint(CALLEE, Duration::ZERO);
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let caller = world.endpoint(CALLER, Duration::ZERO);
    let (placement, reasons) = place(&caller).await;
    assert_eq!(placement, Placement::Stored, "{reasons:?}");
    assert!(reasons.contains(&Reason::TokenJustInTime), "{reasons:?}");
    assert_eq!(verdict(&callee).await, Verdict::Verified);
    assert_eq!(world.tokens(&caller).await, 0, "no more than it needed");
    assert_eq!(caller.wallets(), [], "this host fills wallets itself");
    let refilled = ends(caller.refill_tokens(&world.wallet(), Some(PATIENT))).await;
    assert_eq!(
        (refilled.added, refilled.stock),
        (20, 20),
        "{:?}",
        refilled.reasons
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_without_a_credential_of_this_hierarchy_gets_no_tokens() {
    let world = World::new().await;
    let stranger = World::new().await;
    let callee = world.endpoint(CALLEE, Duration::ZERO);
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let base = world.service.base_url();
    let credential = stranger
        .authority
        .issue_number(&number(CALLER), now())
        .unwrap();
    let caller = Endpoint::builder()
        .number(number(CALLER).as_str())
        .anchors_pem(world.authority.root.pem())
        .anchors_pem(stranger.authority.root.pem())
        .service(base.as_str())
        .state_key(STATE_KEY)
        .allow_direct(true)
        .http(lab_http(&world.tls.root_pem))
        .credential(credential.chain_pem.clone(), X5U)
        .signer(signer_of(&credential))
        .store(Arc::new(MemoryStore::new()))
        .build()
        .unwrap();
    let (placement, reasons) = place(&caller).await;
    assert_eq!(placement, Placement::Unprotected);
    assert!(reasons.contains(&Reason::IssuerRefused), "{reasons:?}");
    assert!(reasons.contains(&Reason::WalletEmpty), "{reasons:?}");
}
