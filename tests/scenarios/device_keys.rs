//! Keys in hardware: that work, that are used wrongly, that fail, that hang.

use std::sync::Arc;

use ringtrue::{CallPhase, Endpoint, Placement, Policy, Reason, Suite, Verdict};

use crate::support::gateway::Kind;
use crate::support::keys::{DeviceAgreement, DeviceSigner, Form, Opener, Temper};
use crate::support::scene::Scene;
use crate::support::world::{World, X5U, number, patiently, patiently_with_answer, place, told};
use crate::support::{BRIEF, PATIENT, ends};

/// An endpoint whose credential key is behind an interface.
fn endpoint(world: &World, index: usize, form: Form, temper: Temper) -> Endpoint {
    let number = number(index);
    let credential = world.credential(&number);
    world
        .unsigned(&number)
        .credential(credential.chain_pem.clone(), X5U)
        .signer(DeviceSigner::new(&credential.secret, form, temper))
        .store(Arc::new(ringtrue::MemoryStore::new()))
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_in_hardware_serve_a_whole_call_in_both_forms_of_signature() {
    for form in [Form::Der, Form::Raw] {
        let world = Arc::new(World::new().await);
        let caller = endpoint(&world, 0, form, Temper::Works);
        caller.publish_keys(Some(PATIENT)).await.unwrap();
        let to = number(1);
        let credential = world.credential(&to);
        let callee = world
            .unsigned(&to)
            .credential(credential.chain_pem.clone(), X5U)
            .signer(DeviceSigner::new(&credential.secret, form, Temper::Works))
            .key_agreement(DeviceAgreement::new(Temper::Works))
            .store(Arc::new(ringtrue::MemoryStore::new()))
            .build()
            .unwrap();
        callee.publish_keys(Some(PATIENT)).await.unwrap();
        let placed = place(&caller, 0, 1, patiently_with_answer()).await;
        assert_eq!(
            (placed.placement, told(&placed)),
            (Placement::Stored, vec![])
        );
        let from = number(0);
        let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
            .await
            .unwrap();
        let found = call.verdict();
        assert_eq!((found.verdict, found.reasons), (Verdict::Verified, vec![]));
        assert_eq!(found.blobs.opened, 1);
        let answered = ends(callee.answer(&call, CallPhase::Answered, Some(PATIENT)))
            .await
            .unwrap();
        assert!(answered.sent);
        // The last look has one second, which is short on a busy machine.
        let mut reasons = answered.reasons.iter();
        assert!(reasons.all(|reason| *reason == Reason::DeadlinePassed));
        let outcome = ends(caller.await_answer(placed.answer.unwrap(), Some(PATIENT))).await;
        assert_eq!(outcome.verdict.verdict, Verdict::Verified);
        assert_eq!(outcome.state.unwrap().s, CallPhase::Answered);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_suites_of_software_keys_serve_a_call() {
    for suites in [vec![Suite::S2], vec![Suite::S1, Suite::S2]] {
        let world = Arc::new(World::new().await);
        let to = number(1);
        let credential = world.credential(&to);
        let mut policy = Policy::default();
        policy.suites.clone_from(&suites);
        let callee = world
            .builder(&to, &credential)
            .policy(policy)
            .build()
            .unwrap();
        callee.publish_keys(Some(PATIENT)).await.unwrap();
        let caller = world.endpoint(0);
        let placed = place(&caller, 0, 1, patiently()).await;
        assert_eq!(
            (placed.placement, placed.copies),
            (Placement::Stored, suites.len())
        );
        let from = number(0);
        let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
            .await
            .unwrap();
        assert_eq!(call.verdict().verdict, Verdict::Verified);
        assert_eq!(call.verdict().blobs.opened as usize, suites.len());
    }
}

// PRV-22: a signature that does not verify never leaves the endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_that_signs_something_else_leaves_the_call_unprotected() {
    for (form, temper, reason) in [
        (Form::HashedTwice, Temper::Works, Reason::SignerFailed),
        (Form::Der, Temper::Fails, Reason::SignerFailed),
        (Form::Der, Temper::Panics, Reason::SignerFailed),
        (Form::Short, Temper::Works, Reason::MalformedSignature),
    ] {
        let world = Arc::new(World::new().await);
        world.published(1).await;
        let caller = endpoint(&world, 0, form, temper);
        let placed = place(&caller, 0, 1, patiently()).await;
        assert_eq!(placed.placement, Placement::Unprotected);
        assert_eq!(told(&placed), [reason]);
        let published = ends(caller.publish_keys(Some(PATIENT))).await;
        assert_eq!(published.err(), Some(reason));
        assert_eq!(world.gateway.count(Kind::Store), 0, "nothing was sent");
        assert!(world.statements(&number(0)).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_for_another_certificate_is_refused_when_the_endpoint_is_made() {
    let world = Arc::new(World::new().await);
    let (mine, other) = (world.credential(&number(0)), world.credential(&number(0)));
    let endpoint = world
        .unsigned(&number(0))
        .credential(mine.chain_pem.clone(), X5U)
        .signer(DeviceSigner::new(&other.secret, Form::Der, Temper::Works))
        .store(Arc::new(ringtrue::MemoryStore::new()))
        .build();
    assert_eq!(endpoint.err(), Some(Reason::KeyMismatch));
}

// PRV-42: the call may be dialled in time, whatever the key store does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_that_hangs_holds_nothing_up_beyond_the_deadline() {
    let (gate, _opener) = Opener::closed();
    let world = Arc::new(World::new().await);
    world.published(1).await;
    let caller = endpoint(&world, 0, Form::Der, Temper::Hangs(Arc::clone(&gate)));
    ends(caller.prefetch_keys(number(1).as_str(), Some(PATIENT)))
        .await
        .unwrap();
    let placed = place(&caller, 0, 1, patiently().within(BRIEF)).await;
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(told(&placed), [Reason::DeadlinePassed]);
    for rotates in [false, true] {
        let published = if rotates {
            ends(caller.rotate_keys(Some(BRIEF))).await
        } else {
            ends(caller.publish_keys(Some(BRIEF))).await
        };
        assert_eq!(published.err(), Some(Reason::DeadlinePassed));
    }
    assert_eq!(world.gateway.count(Kind::Store), 0, "nothing was sent");
    assert_eq!(world.gateway.count(Kind::Publish), 1, "only the callee's");
}

/// A callee that rings with one key store and answers with another that hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_ends_by_its_deadline_when_its_signer_hangs() {
    let (gate, _opener) = Opener::closed();
    let world = Arc::new(World::new().await);
    let caller = world.published(0).await;
    let to = number(1);
    let credential = world.credential(&to);
    let store: Arc<dyn ringtrue::StateStore> = Arc::new(ringtrue::MemoryStore::new());
    let publisher = world.builder_without_store(&to, &credential);
    let publisher = publisher.store(Arc::clone(&store)).build().unwrap();
    publisher.publish_keys(Some(PATIENT)).await.unwrap();
    let callee = world
        .unsigned(&to)
        .credential(credential.chain_pem.clone(), X5U)
        .signer(DeviceSigner::new(
            &credential.secret,
            Form::Der,
            Temper::Hangs(gate),
        ))
        .store(store)
        .build()
        .unwrap();
    let placed = place(&caller, 0, 1, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let from = number(0);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    let stores = world.gateway.count(Kind::Store);
    let answered = ends(callee.answer(&call, CallPhase::Answered, Some(BRIEF)))
        .await
        .unwrap();
    assert_eq!(
        (answered.sent, answered.reasons),
        (false, vec![Reason::DeadlinePassed])
    );
    assert_eq!(world.gateway.count(Kind::Store), stores, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encryption_key_that_fails_finds_no_record_and_says_so() {
    for temper in [Temper::Fails, Temper::Panics] {
        let world = Arc::new(World::new().await);
        let callee = world.with_agreement(1, DeviceAgreement::new(temper)).await;
        let scene = Scene::of(&world, 1, callee).await;
        scene.leave(&scene.content(scene.good())).await;
        let found = scene.verdict().await;
        assert_eq!(found.verdict, Verdict::NoRecord);
        assert_eq!(found.reasons, [Reason::KeyAgreementFailed]);
        assert_eq!(found.blobs.opened, 0);
    }
}

// Nothing opened, but not because nothing was there: the verdict has to say that time was up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encryption_key_that_hangs_ends_by_the_deadline_and_says_so() {
    let (gate, _opener) = Opener::closed();
    let world = Arc::new(World::new().await);
    let callee = world
        .with_agreement(1, DeviceAgreement::new(Temper::Hangs(gate)))
        .await;
    let scene = Scene::of(&world, 1, callee).await;
    scene.leave(&scene.content(scene.good())).await;
    let (from, to) = (scene.from.as_str(), scene.to.as_str());
    let mut deadline = BRIEF * 3;
    let found = loop {
        let call = ends(scene.callee.ring(Some(from), Some(to), Some(deadline)));
        let found = call.await.unwrap().verdict();
        // A busy machine may need longer until there is anything to open.
        if found.blobs.received > 0 || deadline > PATIENT {
            break found;
        }
        deadline *= 2;
    };
    assert_eq!(found.verdict, Verdict::NoRecord);
    assert_eq!(found.reasons, [Reason::DeadlinePassed]);
    assert!(found.blobs.received > 0);
}

/// The last look into the mailbox may hold an answer up for a while, not for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encryption_key_that_hangs_does_not_keep_an_answer_from_being_sent() {
    let (gate, _opener) = Opener::closed();
    let world = Arc::new(World::new().await);
    let caller = world.published(0).await;
    let to = number(1);
    let credential = world.credential(&to);
    let store: Arc<dyn ringtrue::StateStore> = Arc::new(ringtrue::MemoryStore::new());
    let agreement = DeviceAgreement::new(Temper::Works);
    let hanging = agreement.with(Temper::Hangs(gate));
    let callee = |agreement: Arc<DeviceAgreement>| {
        let builder = world.builder_without_store(&to, &credential);
        builder
            .key_agreement(agreement)
            .store(Arc::clone(&store))
            .build()
            .unwrap()
    };
    let rings = callee(agreement);
    rings.publish_keys(Some(PATIENT)).await.unwrap();
    let placed = place(&caller, 0, 1, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let from = number(0);
    let call = ends(rings.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    let answered = ends(callee(hanging).answer(&call, CallPhase::Answered, Some(PATIENT))).await;
    let answered = answered.unwrap();
    assert_eq!(
        (answered.sent, answered.reasons),
        (true, vec![Reason::DeadlinePassed])
    );
    let outcome = ends(caller.await_answer(placed.answer.unwrap(), Some(PATIENT))).await;
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}
