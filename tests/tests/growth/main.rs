//! Nothing grows from call to call. The only test of its process, because it counts what the process holds.
#![deny(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test: what surprises them must stop it"
)]

mod heap;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringtrue::{
    Endpoint, HttpRequest, HttpResponse, MemoryStore, PlaceOptions, Placement, Reason, RingingCall,
    Role, SoftwareSigner, TelephoneNumber, Transport, UnixTime,
};
use ringtrue_lab::Authority;

const OWN: &str = "12025550143";
const OTHER: &str = "12025550199";

const CALLS: usize = 1000;

/// Fewer than one thing for ten calls: threads come and go.
const LIMIT: usize = CALLS / 10;

/// What leaks does so in every round; threads and caches that come with the first calls do not.
const ROUNDS: usize = 5;

/// Knows nobody's keys and has no mail, at once.
struct EmptyService;

impl Transport for EmptyService {
    fn execute(
        &self,
        role: Role,
        _: HttpRequest,
        _: usize,
        _: Duration,
    ) -> Result<HttpResponse, Reason> {
        let (status, headers) = match role {
            Role::Retrieve => {
                let mail = ("content-type".to_owned(), "application/passport".to_owned());
                (200, vec![mail])
            }
            _ => (404, Vec::new()),
        };
        Ok(HttpResponse {
            status,
            headers,
            body: Vec::new(),
        })
    }
}

fn endpoint() -> Endpoint {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = UnixTime::from_secs(since.as_secs());
    let number = TelephoneNumber::from_canonical(OWN).unwrap();
    let authority = Authority::for_numbers(std::slice::from_ref(&number), now).unwrap();
    let credential = authority.issue_number(&number, now).unwrap();
    let signer = SoftwareSigner::new(credential.secret.clone()).unwrap();
    Endpoint::builder()
        .allow_direct(true)
        .number(OWN)
        .credential(credential.chain_pem, "https://certs.example/chain.pem")
        .signer(Arc::new(signer))
        .anchors_pem(authority.root.pem())
        .service("https://cps.example")
        .store(Arc::new(MemoryStore::new()))
        .state_key([7; 32])
        .transport(Arc::new(EmptyService))
        .build()
        .unwrap()
}

/// Calls somebody, is called by nobody known, looks who can read, and is refused another's number.
async fn call(endpoint: &Endpoint) -> RingingCall {
    let options = PlaceOptions::default().with_fresh_keys();
    let placed = endpoint.place(OWN, OTHER, options).await.unwrap();
    assert_eq!(placed.placement, Placement::Unprotected);
    endpoint.outgoing(&placed, None).ended();
    let deadline = Some(Duration::from_millis(1));
    let ringing = endpoint.ring(Some(OTHER), Some(OWN), deadline);
    let ringing = ringing.await.unwrap();
    assert!(!ringing.verdict().verdict.is_good());
    ringing.ended();
    assert_eq!(endpoint.readers(None).await.len(), 1);
    let refused = endpoint.place(OTHER, OWN, PlaceOptions::default()).await;
    assert_eq!(refused.err(), Some(Reason::NumberNotOwned));
    ringing
}

/// Makes calls and follows each to its end, some seconds later.
async fn calls(endpoint: &Endpoint) {
    let mut made = Vec::new();
    for _ in 0..CALLS {
        made.push(call(endpoint).await);
    }
    for mut call in made {
        while call.changed().await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_leave_nothing_behind() {
    let endpoint = endpoint();
    calls(&endpoint).await;
    let mut growths = Vec::new();
    while growths.len() < ROUNDS && growths.iter().all(|growth| *growth >= LIMIT) {
        let before = heap::held();
        calls(&endpoint).await;
        growths.push(heap::held().saturating_sub(before));
    }
    assert!(growths.iter().any(|growth| *growth < LIMIT), "{growths:?}");
}
