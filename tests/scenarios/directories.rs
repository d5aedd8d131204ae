//! Key directories that hide, roll back and split what they show, with a second one to compare, and
//! somebody else who reads: over the real service.

use std::sync::Arc;

use ringtrue::{Endpoint, HttpResponse, MemoryStore, Placement, Reason, StateStore, Verdict};
use ringtrue_lab::Credential;
use ringtrue_oob::http::directory;

use crate::support::gateway::{Behaviour, Kind};
use crate::support::world::{World, number, patiently, place};
use crate::support::{PATIENT, ends, next_second};

/// The first directory is behind the gateway, which may lie; the second is the service itself.
fn endpoint(world: &World, index: usize, credential: &Credential) -> Endpoint {
    world
        .builder(&number(index), credential)
        .mirror_directory(world.service.base_url().as_str())
        .build()
        .unwrap()
}

/// A caller, and a callee who has published.
async fn scene(world: &World) -> (Endpoint, Endpoint) {
    let caller = endpoint(world, 0, &world.credential(&number(0)));
    let callee = endpoint(world, 1, &world.credential(&number(1)));
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    (caller, callee)
}

/// From now on the first directory shows these statements to everybody who asks it.
fn show(world: &World, texts: Vec<String>) {
    let answer = Behaviour::Answer(Arc::new(move |_| {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        directory::encode_statements(&texts)
    }));
    world.gateway.set(Kind::Lookup, answer);
}

async fn assert_verified(callee: &Endpoint) {
    let from = number(0);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)));
    let verdict = call.await.unwrap().verdict();
    assert_eq!(verdict.verdict, Verdict::Verified);
    assert_eq!(verdict.reasons, []);
}

// T24
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_hides_keys_is_found_out_and_the_call_is_verified() {
    let world = World::new().await;
    let (caller, callee) = scene(&world).await;
    show(&world, Vec::new());
    let placed = place(&caller, 0, 1, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    assert!(placed.reasons.contains(&Reason::DirectoryInconsistent));
    assert_verified(&callee).await;
    // The owner of the keys sees it too.
    let listed = ends(callee.readers(Some(PATIENT))).await;
    let told = [Reason::DirectoryInconsistent, Reason::KeysNotPublished];
    assert_eq!(listed[0].notices, told);
}

// T24
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_rolls_back_is_found_out_by_who_has_never_asked_before() {
    let world = World::new().await;
    let (caller, callee) = scene(&world).await;
    let old = world.statements(&number(1)).await;
    next_second().await;
    ends(callee.rotate_keys(Some(PATIENT))).await.unwrap();
    next_second().await;
    ends(callee.rotate_keys(Some(PATIENT))).await.unwrap();
    show(
        &world,
        old.iter().map(|one| one.text().to_owned()).collect(),
    );
    let placed = place(&caller, 0, 1, patiently()).await;
    assert!(placed.reasons.contains(&Reason::DirectoryInconsistent));
    // Sealed to the newest keys: the ones before the ones before are gone.
    assert_verified(&callee).await;
}

// T26, T27: somebody with a certificate for the number, rightly or not, whom the directory shows to
// callers and hides from others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_shows_one_more_reader_than_others_do_is_found_out() {
    let world = World::new().await;
    let (caller, callee) = scene(&world).await;
    // Published in the split view alone: the gateway takes it and passes nothing on.
    let taken = Behaviour::Answer(Arc::new(|_| HttpResponse {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    }));
    world.gateway.set(Kind::Publish, taken);
    let spy = world.credential(&number(1));
    let spying = world.builder(&number(1), &spy).build().unwrap();
    ends(spying.publish_keys(Some(PATIENT))).await.unwrap();
    let exchanges = world.gateway.exchanges();
    let published = exchanges.iter().rfind(|one| one.kind == Kind::Publish);
    let spied = String::from_utf8(published.unwrap().body.clone()).unwrap();
    let own = world.statements(&number(1)).await;
    assert_eq!(own.len(), 1);
    show(
        &world,
        vec![spied.trim().to_owned(), own[0].text().to_owned()],
    );
    let placed = place(&caller, 0, 1, patiently()).await;
    assert!(placed.reasons.contains(&Reason::DirectoryInconsistent));
    assert_eq!(placed.keys.list(world.now).len(), 2);
    // The owner, if he is shown it, is told of both.
    let listed = ends(callee.readers(Some(PATIENT))).await;
    let told = [Reason::DirectoryInconsistent, Reason::ReaderAdded];
    assert_eq!(listed[0].notices, told);
}

// T27
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_reader_is_told_once_also_over_a_restart_and_kept_out_by_a_policy() {
    let world = World::new().await;
    let credential = world.credential(&number(1));
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let open = || {
        let builder = world.builder_without_store(&number(1), &credential);
        builder.store(Arc::clone(&store)).build().unwrap()
    };
    let callee = open();
    ends(callee.publish_keys(Some(PATIENT))).await.unwrap();
    let listed = ends(callee.readers(Some(PATIENT))).await;
    assert_eq!(listed[0].notices, []);
    let own = listed[0].readers[0].signer;

    let other = world.credential(&number(1));
    let other = world.builder(&number(1), &other).build().unwrap();
    ends(other.publish_keys(Some(PATIENT))).await.unwrap();
    let listed = ends(callee.readers(Some(PATIENT))).await;
    assert_eq!(listed[0].notices, [Reason::ReaderAdded]);
    let new = listed[0].readers.iter().find(|reader| reader.is_new);
    assert_ne!(new.unwrap().signer, own);
    let listed = ends(open().readers(Some(PATIENT))).await;
    assert_eq!(listed[0].notices, []);
    assert_eq!(listed[0].readers.len(), 2);

    let mut policy = ringtrue::Policy::default();
    policy.reader_signers = vec![own];
    let credential = world.credential(&number(0));
    let caller = world.builder(&number(0), &credential);
    let caller = caller.policy(policy).build().unwrap();
    let placed = place(&caller, 0, 1, patiently()).await;
    assert_eq!(placed.copies, 1);
    assert!(placed.reasons.contains(&Reason::ReaderNotAllowed));
    assert_verified(&callee).await;
    let from = number(0);
    let call = ends(other.ring(Some(from.as_str()), None, Some(PATIENT)));
    assert_eq!(call.await.unwrap().verdict().verdict, Verdict::NoRecord);
}
