//! Calls whose certificates did not travel with them: verified with those behind `x5u` where the
//! application allows a fetch, refused where it does not (W-1, CRT-43 to CRT-46).

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{
    CallPhase, Delivered, EndpointBuilder, FetchKind, FetchSettings, FetchSource, Fetcher, Policy,
    Reason, Verdict,
};
use ringtrue_net::REFRESH_PERIOD;
use ringtrue_oob::{Content, RecipientKey, RspRequest, Suite};
use serde_json::json;

use crate::support::certificate_host::CertificateHost;
use crate::support::forge::{inline_statement, statement_payload};
use crate::support::keys::{DeviceAgreement, Temper};
use crate::support::puppet::{Called, Puppet};
use crate::support::scene::{CALLER, Scene};
use crate::support::world::{World, X5U, number, patiently_with_answer, place};
use crate::support::{PATIENT, ends, next_second, now};

/// A callee as `change` changes it, and the means of its caller.
async fn scene(
    world: &Arc<World>,
    index: usize,
    change: impl FnOnce(EndpointBuilder) -> EndpointBuilder,
) -> Scene {
    let number = number(index);
    let credential = world.credential(&number);
    let callee = change(world.builder(&number, &credential)).build().unwrap();
    callee.publish_keys(Some(PATIENT)).await.unwrap();
    Scene::of(world, index, callee).await
}

/// A right content of the caller, without certificates.
fn bare(scene: &Scene) -> Content {
    Content {
        x5c: Vec::new(),
        ..scene.content(scene.token_at(now()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_certificates_is_verified_only_where_fetching_is_on() {
    let world = Arc::new(World::new().await);
    let caller = world.credential(&number(CALLER));
    let host = CertificateHost::start(&caller.chain_pem).await;

    let off = scene(&world, 1, |builder| builder).await;
    off.leave(&bare(&off)).await;
    let found = off.last_verdict().await;
    assert_eq!(found.verdict, Verdict::Refused);
    assert_eq!(found.reasons, [Reason::CredentialUnavailable]);
    assert_eq!(host.requests(), [""; 0]);

    let mut on = scene(&world, 2, |builder| builder.fetching(host.fetcher())).await;
    on.credential = caller;
    on.leave(&bare(&on)).await;
    let found = on.last_verdict().await;
    assert_eq!(found.verdict, Verdict::Verified, "{:?}", found.reasons);
    // One request for all polls, and nothing of the call in it.
    let requests = host.requests();
    assert_eq!(requests.len(), 1);
    for secret in [on.from.as_str(), on.to.as_str()] {
        assert!(!requests[0].contains(secret));
    }

    // The next call needs no request at all.
    next_second().await;
    on.leave(&bare(&on)).await;
    assert_eq!(on.last_verdict().await.verdict, Verdict::Verified);
    assert_eq!(host.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_travel_along_leave_the_host_alone() {
    let world = Arc::new(World::new().await);
    let host = CertificateHost::start("").await;
    let scene = scene(&world, 1, |builder| builder.fetching(host.fetcher())).await;
    scene.leave(&scene.content(scene.good())).await;
    assert_eq!(scene.last_verdict().await.verdict, Verdict::Verified);
    assert_eq!(host.requests(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_with_a_new_key_is_verified_after_one_refresh() {
    let world = Arc::new(World::new().await);
    let (old, new) = (
        world.credential(&number(CALLER)),
        world.credential(&number(CALLER)),
    );
    let host = CertificateHost::start(&old.chain_pem).await;
    let mut scene = scene(&world, 1, |builder| builder.fetching(host.fetcher())).await;
    scene.credential = old;
    scene.leave(&bare(&scene)).await;
    assert_eq!(scene.last_verdict().await.verdict, Verdict::Verified);

    host.serve(&new.chain_pem);
    scene.credential = new;
    next_second().await;
    // So soon after it was asked, the host is not asked again.
    scene.leave(&bare(&scene)).await;
    let found = scene.last_verdict().await;
    assert_eq!(found.verdict, Verdict::Refused);
    assert!(found.reasons.contains(&Reason::SignatureInvalid));
    assert_eq!(host.requests().len(), 1);

    host.pass(REFRESH_PERIOD.as_secs());
    next_second().await;
    scene.leave(&bare(&scene)).await;
    assert_eq!(scene.last_verdict().await.verdict, Verdict::Verified);
    assert_eq!(host.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_fetched_refuses_the_call_and_says_why() {
    let world = Arc::new(World::new().await);
    let host = CertificateHost::start("<html>").await;
    let garbage = scene(&world, 1, |builder| builder.fetching(host.fetcher())).await;
    let offline = host.fetcher();
    offline.set_offline(true);
    let offline = scene(&world, 2, |builder| builder.fetching(offline)).await;
    // A fetcher for public addresses, and a name that nobody has.
    let mut policy = Policy::default();
    policy.fetch_certificates = true;
    let nowhere = scene(&world, 3, |builder| builder.policy(policy)).await;
    for (scene, x5u, reason) in [
        (&garbage, X5U, Reason::MalformedPem),
        (&offline, X5U, Reason::FetchingOff),
        (&nowhere, "https://127.0.0.1/c", Reason::AddressNotAllowed),
    ] {
        let content = Content {
            x5c: Vec::new(),
            ..scene.content(scene.token(&json!({"x5u": x5u}), &json!({})))
        };
        scene.leave(&content).await;
        let found = scene.last_verdict().await;
        assert_eq!(found.verdict, Verdict::Refused);
        assert_eq!(found.reasons, [Reason::CredentialUnavailable, reason]);
    }
}

/// A store that an operator fills.
struct Store(String);

impl FetchSource for Store {
    fn get(&self, _: FetchKind, url: &str, _: Duration) -> Result<Delivered, Reason> {
        if url != X5U {
            return Err(Reason::CredentialUnavailable);
        }
        Ok(Delivered {
            octets: self.0.clone().into_bytes(),
            ..Delivered::default()
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_s_own_source_is_used_instead_of_the_network() {
    let world = Arc::new(World::new().await);
    let caller = world.credential(&number(CALLER));
    let store = Arc::new(Store(caller.chain_pem.clone()));
    let fetcher = Fetcher::with_source(&FetchSettings::default(), store);
    let mut scene = scene(&world, 1, |builder| builder.fetching(fetcher)).await;
    scene.credential = caller;
    scene.leave(&bare(&scene)).await;
    assert_eq!(scene.last_verdict().await.verdict, Verdict::Verified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_verified_with_fetched_certificates_can_be_answered() {
    let world = Arc::new(World::new().await);
    let caller = world.credential(&number(CALLER));
    let host = CertificateHost::start(&caller.chain_pem).await;
    let mut scene = scene(&world, 1, |builder| builder.fetching(host.fetcher())).await;
    scene.credential = caller;
    let key = DeviceAgreement::new(Temper::Works);
    let public = ringtrue::KeyAgreement::public_key(key.as_ref());
    let key = RecipientKey::new(Suite::S1, public.as_sec1()).unwrap();
    let base = world.gateway.base();
    let payload = statement_payload(&scene.from, &base, &[key], scene.now);
    let content = Content {
        rsp: Some(RspRequest {
            to: base,
            want: true,
            // Its signer is the one whose certificates were fetched.
            eks: inline_statement(&payload, &scene.credential),
        }),
        ..bare(&scene)
    };
    scene.leave(&content).await;
    let call = scene.ring().await;
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    let answered = scene
        .callee
        .answer(&call, CallPhase::Answered, Some(PATIENT));
    let answered = ends(answered).await.unwrap();
    assert!(answered.sent, "{:?}", answered.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_certificates_is_verified_only_where_fetching_is_on() {
    let world = Arc::new(World::new().await);
    for (from, to, on) in [(1, 2, true), (3, 4, false)] {
        let puppet = Puppet::new(&world, to).await;
        let host = CertificateHost::start(&puppet.credential.chain_pem).await;
        let number = number(from);
        let builder = world.builder(&number, &world.credential(&number));
        let builder = if on {
            builder.fetching(host.fetcher())
        } else {
            builder
        };
        let caller = builder.build().unwrap();
        caller.publish_keys(Some(PATIENT)).await.unwrap();
        let placed = place(&caller, from, to, patiently_with_answer()).await;
        let call = puppet.read().await.remove(0);
        let called = Called {
            world: Arc::clone(&world),
            caller,
            from: number,
            puppet,
            placed,
            call,
        };
        let answer = Content {
            x5c: Vec::new(),
            ..called.answer(&json!({}), &json!({}))
        };
        called.leave(&answer).await;
        let found = if on {
            called.outcome(PATIENT).await.verdict
        } else {
            called.verdict_on_what_was_left().await
        };
        if on {
            assert_eq!(found.verdict, Verdict::Verified, "{:?}", found.reasons);
        } else {
            assert_eq!(found.verdict, Verdict::Refused);
            assert_eq!(found.reasons, [Reason::CredentialUnavailable]);
        }
        assert_eq!(host.requests().len(), usize::from(on));
    }
}
