//! Connected identity under attack: answers that do not belong to the call, and callers who ask for
//! answers where none may go.

use std::sync::Arc;

use futures_util::future::join_all;
use ringtrue::{Answered, CallPhase, Placement, Reason, Verdict};
use ringtrue_oob::{CallState, Content, RecipientKey, RspRequest, Suite};
use serde_json::{Value, json};

use crate::support::forge::{inline_statement, nonce, seal_to, statement_payload, x5c};
use crate::support::gateway::Kind;
use crate::support::keys::{DeviceAgreement, Temper};
use crate::support::puppet::{Called, Puppet};
use crate::support::scene::Scene;
use crate::support::world::{World, number, patiently_with_answer, place};
use crate::support::{PATIENT, ends, now};

type Answer = Box<dyn Fn(&Called) -> Content + Send + Sync>;

fn answer_case(
    name: &'static str,
    verdict: Verdict,
    reasons: &[Reason],
    make: impl Fn(&Called) -> Content + Send + Sync + 'static,
) -> (&'static str, Verdict, Vec<Reason>, Answer) {
    (name, verdict, reasons.to_vec(), Box::new(make))
}

// RFC 9970 sections 4 to 6 (RSP-3, RSP-20 to RSP-23).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_believes_no_answer_but_the_called_party_s_to_this_call() {
    let refused = |name, reason, make: fn(&Called) -> Content| {
        answer_case(name, Verdict::Refused, &[reason], make)
    };
    let changed_payload = |name, reason, changes: fn(&Called) -> Value| {
        answer_case(name, Verdict::Refused, &[reason], move |called| {
            called.answer(&json!({}), &changes(called))
        })
    };
    let cases = vec![
        answer_case("right", Verdict::Verified, &[], |called| {
            called.answer(&json!({}), &json!({}))
        }),
        answer_case("another n", Verdict::NoRecord, &[], |called| Content {
            n: nonce(),
            ..called.answer(&json!({}), &json!({}))
        }),
        answer_case("only a state", Verdict::NoRecord, &[], |called| Content {
            ppts: Vec::new(),
            x5c: Vec::new(),
            ..called.answer(&json!({}), &json!({}))
        }),
        answer_case(
            "unsupported ppt",
            Verdict::NoRecord,
            &[Reason::PptUnsupported],
            |called| called.answer(&json!({"ppt": "div"}), &json!({})),
        ),
        answer_case(
            "no token",
            Verdict::NoRecord,
            &[Reason::MalformedToken],
            |called| Content {
                ppts: vec!["no token".to_owned()],
                ..called.answer(&json!({}), &json!({}))
            },
        ),
        refused("no rsp", Reason::UnexpectedRsp, |called| {
            called.answer(&json!({"ppt": null}), &json!({}))
        }),
        refused("by another party", Reason::NumberNotCovered, |called| {
            let other = called.world.credential(&number(97));
            called.answer_by(&other, &json!({}), &json!({}))
        }),
        refused("by the caller itself", Reason::NumberNotCovered, |called| {
            let caller = called.world.credential(&called.from);
            called.answer_by(&caller, &json!({}), &json!({}))
        }),
        refused(
            "without certificates",
            Reason::CredentialUnavailable,
            |called| Content {
                x5c: Vec::new(),
                ..called.answer(&json!({}), &json!({}))
            },
        ),
        refused("signature changed", Reason::SignatureInvalid, |called| {
            let mut content = called.answer(&json!({}), &json!({}));
            let other = called.answer(&json!({}), &json!({"iat": now().as_secs() - 1}));
            let signature = other.ppts[0].rsplit('.').next().unwrap().to_owned();
            let input = content.ppts[0].rsplit_once('.').unwrap().0.to_owned();
            content.ppts = vec![format!("{input}.{signature}")];
            content
        }),
        changed_payload(
            "to a call of somebody else",
            Reason::OrigMismatch,
            |_| json!({"orig": {"tn": number(97).as_str()}}),
        ),
        changed_payload("roles swapped", Reason::OrigMismatch, |called| {
            let (orig, dest) = (called.puppet.number.as_str(), called.from.as_str());
            json!({"orig": {"tn": orig}, "dest": {"tn": [dest]}})
        }),
        changed_payload(
            "to a call of another number",
            Reason::DestMismatch,
            |_| json!({"dest": {"tn": [number(97).as_str()]}}),
        ),
        changed_payload("a number more", Reason::DestMismatch, |called| {
            let mut dest = [
                number(97).as_str().to_owned(),
                called.puppet.number.as_str().to_owned(),
            ];
            dest.sort_unstable();
            json!({"dest": {"tn": dest}})
        }),
        changed_payload(
            "stale",
            Reason::IatStale,
            |_| json!({"iat": now().as_secs() - 70}),
        ),
        changed_payload(
            "from the future",
            Reason::IatInFuture,
            |_| json!({"iat": now().as_secs() + 30}),
        ),
        changed_payload(
            "before the call",
            Reason::RspBeforeCall,
            |called| json!({"iat": called.iat().as_secs() - 6}),
        ),
        answer_case("hardly before the call", Verdict::Verified, &[], |called| {
            called.answer(&json!({}), &json!({"iat": called.iat().as_secs() - 5}))
        }),
    ];
    let world = Arc::new(World::new().await);
    let told = cases.into_iter().enumerate().map(|(index, case)| {
        let world = Arc::clone(&world);
        async move {
            let (name, verdict, reasons, make) = case;
            let called = Called::new(&world, 2 * index, 2 * index + 1).await;
            called.leave(&make(&called)).await;
            let outcome = match verdict {
                Verdict::Verified => called.outcome(PATIENT).await.verdict,
                _ => called.verdict_on_what_was_left().await,
            };
            assert_eq!(
                (outcome.verdict, &outcome.reasons),
                (verdict, &reasons),
                "{name}"
            );
            if verdict != Verdict::Verified {
                // What came before does not keep the right answer out.
                called.leave(&called.answer(&json!({}), &json!({}))).await;
                let outcome = called.outcome(PATIENT).await.verdict;
                assert_eq!(
                    outcome.verdict,
                    Verdict::Verified,
                    "{name}: the right answer"
                );
            }
        }
    });
    join_all(told).await;
}

// W-7 holds for answers too: the key holder may seal an answer again under another `n`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_for_one_call_only() {
    let world = Arc::new(World::new().await);
    let first = Called::new(&world, 0, 1).await;
    let answer = first.answer(&json!({}), &json!({}));
    first.leave(&answer).await;
    assert_eq!(
        first.outcome(PATIENT).await.verdict.verdict,
        Verdict::Verified
    );

    let placed = place(&first.caller, 0, 1, patiently_with_answer()).await;
    let calls = first.puppet.read().await;
    let call = calls
        .into_iter()
        .find(|call| call.n != first.call.n)
        .unwrap();
    let second = Called {
        placed,
        call,
        ..first
    };
    second
        .leave(&Content {
            n: second.call.n,
            ..answer
        })
        .await;
    let outcome = second.verdict_on_what_was_left().await;
    assert_eq!(outcome.verdict, Verdict::Refused);
    assert_eq!(outcome.reasons, [Reason::Replayed]);
}

type Ask = fn(&Scene, &mut RspRequest, &mut Value, &mut Vec<String>);

/// A verified call that asks for an answer in this way, and what became of the answer.
async fn asked(world: &Arc<World>, index: usize, ask: Ask) -> Result<Answered, Reason> {
    let scene = Scene::new(world, index).await;
    let key = DeviceAgreement::new(Temper::Works);
    let public = ringtrue::KeyAgreement::public_key(key.as_ref());
    let key = RecipientKey::new(Suite::S1, public.as_sec1()).unwrap();
    let base = world.gateway.base();
    let mut payload = statement_payload(&scene.from, &base, &[key], scene.now);
    let mut rsp = RspRequest {
        to: base,
        want: true,
        eks: String::new(),
    };
    let mut bag = x5c(&scene.credential);
    ask(&scene, &mut rsp, &mut payload, &mut bag);
    if rsp.eks.is_empty() {
        rsp.eks = inline_statement(&payload, &scene.credential);
    }
    let content = Content {
        rsp: Some(rsp),
        x5c: bag,
        ..scene.content(scene.good())
    };
    scene.leave(&content).await;
    let call = scene.ring().await;
    assert_eq!(
        call.verdict().verdict,
        Verdict::Verified,
        "{:?}",
        call.verdict().reasons
    );
    ends(
        scene
            .callee
            .answer(&call, CallPhase::Answered, Some(PATIENT)),
    )
    .await
}

// W-5: the answer goes to a service that the caller's own statement names, and to no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_called_party_answers_only_where_the_caller_s_statement_says() {
    let cases: Vec<(&str, Reason, Ask)> = vec![
        ("elsewhere", Reason::RspServiceNotAllowed, |_, rsp, _, _| {
            rsp.to = "https://elsewhere.example".to_owned();
        }),
        (
            "same host, another port",
            Reason::RspServiceNotAllowed,
            |_, rsp, _, _| {
                rsp.to = "https://127.0.0.1:1".to_owned();
            },
        ),
        (
            "same host, another prefix",
            Reason::RspServiceNotAllowed,
            |_, rsp, _, _| {
                rsp.to.push_str("/other");
            },
        ),
        ("not https", Reason::MalformedUrl, |_, rsp, _, _| {
            rsp.to = rsp.to.replace("https", "http");
        }),
        ("no URL", Reason::MalformedUrl, |_, rsp, _, _| {
            rsp.to = "elsewhere".to_owned()
        }),
        (
            "private address",
            Reason::AddressNotAllowed,
            |_, rsp, payload, _| {
                rsp.to = "https://10.0.0.1".to_owned();
                payload["cps"] = json!(["https://10.0.0.1"]);
            },
        ),
        (
            "link-local address",
            Reason::AddressNotAllowed,
            |_, rsp, payload, _| {
                rsp.to = "https://169.254.169.254".to_owned();
                payload["cps"] = json!(["https://169.254.169.254"]);
            },
        ),
        (
            "statement of another number",
            Reason::StatementNumberMissing,
            |_, _, payload, _| {
                payload["sub"] = json!({"tn": [number(97).as_str()]});
            },
        ),
        (
            "statement for a number more",
            Reason::NumberNotCovered,
            |scene, _, payload, _| {
                payload["sub"] = json!({"tn": [scene.from.as_str(), number(97).as_str()]});
            },
        ),
        (
            "statement by another",
            Reason::SignatureInvalid,
            |scene, rsp, payload, _| {
                let other = scene.world.credential(&number(97));
                rsp.eks = inline_statement(payload, &other);
            },
        ),
        (
            "statement by another, known one",
            Reason::NumberNotCovered,
            |scene, rsp, payload, bag| {
                let other = scene.world.credential(&number(97));
                rsp.eks = inline_statement(payload, &other);
                bag.push(x5c(&other).remove(0));
            },
        ),
        (
            "statement expired",
            Reason::StatementExpired,
            |scene, _, payload, _| {
                payload["iat"] = json!(scene.now.as_secs() - 600);
                payload["exp"] = json!(scene.now.as_secs() - 1);
            },
        ),
        (
            "statement from the future",
            Reason::StatementNotYetValid,
            |scene, _, payload, _| {
                payload["iat"] = json!(scene.now.as_secs() + 300);
            },
        ),
        ("no statement", Reason::MalformedToken, |_, rsp, _, _| {
            rsp.eks = "x".to_owned()
        }),
        (
            "a PASSporT for a statement",
            Reason::TypeMismatch,
            |scene, rsp, _, _| rsp.eks = scene.good(),
        ),
        ("low-order key", Reason::MalformedKey, |_, _, payload, _| {
            payload["keys"] = json!([{"suite": "S2", "kid": "A", "pub": "A".repeat(43)}]);
        }),
    ];
    let world = Arc::new(World::new().await);
    let told = cases
        .into_iter()
        .enumerate()
        .map(|(index, (name, reason, ask))| {
            let world = &world;
            async move {
                let answered = asked(world, index + 1, ask).await.unwrap();
                assert!(!answered.sent && !answered.caller_gone, "{name}");
                // The last look has one second, which is short on a busy machine.
                let mut reasons = answered.reasons;
                reasons.retain(|reason| *reason != Reason::DeadlinePassed);
                assert_eq!(reasons, [reason], "{name}");
            }
        });
    join_all(told).await;
    assert_eq!(world.gateway.count(Kind::Store), 0, "nothing was sent");
    // As it has to be, it is sent.
    let answered = asked(&world, 60, |_, _, _, _| {}).await.unwrap();
    assert!(answered.sent, "{:?}", answered.reasons);
    assert_eq!(world.gateway.count(Kind::Store), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_made_to_a_call_that_did_not_ask_or_did_not_verify() {
    let world = Arc::new(World::new().await);
    let unwanted: Ask = |_, rsp, _, _| rsp.want = false;
    let answered = asked(&world, 1, unwanted).await;
    assert_eq!(answered.err(), Some(Reason::RspNotRequested));

    let scene = Scene::new(&world, 2).await;
    scene.leave(&scene.content(scene.good())).await;
    let call = scene.ring().await;
    let answer = |phase| ends(scene.callee.answer(&call, phase, Some(PATIENT)));
    assert_eq!(
        answer(CallPhase::Answered).await.err(),
        Some(Reason::RspNotRequested)
    );

    // The same PASSporT again is no verified call.
    call.ended();
    let again = scene.ring().await;
    assert_eq!(again.verdict().verdict, Verdict::Refused);
    let answered = ends(
        scene
            .callee
            .answer(&again, CallPhase::Answered, Some(PATIENT)),
    )
    .await;
    assert_eq!(answered.err(), Some(Reason::NotVerified));
    assert_eq!(world.gateway.count(Kind::Store), 0);
}

// W-8: what the caller has given up is not answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_caller_is_gone_is_not_answered() {
    let world = Arc::new(World::new().await);
    let caller = world.published(0).await;
    let agreement = DeviceAgreement::new(Temper::Works);
    let callee = world
        .with_agreement(1, Arc::clone(&agreement) as Arc<_>)
        .await;
    let scene = Scene::of(&world, 1, callee).await;
    let placed = place(&caller, 0, 1, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let call = scene.ring().await;
    assert_eq!(call.verdict().verdict, Verdict::Verified);

    let puppet = Puppet {
        key: RecipientKey::new(
            Suite::S1,
            ringtrue::KeyAgreement::public_key(agreement.as_ref()).as_sec1(),
        )
        .unwrap(),
        world: Arc::clone(&world),
        number: scene.to.clone(),
        credential: world.credential(&scene.to),
        agreement,
    };
    let n = puppet.read().await[0].n;
    let gone = Content {
        st: Some(CallState {
            s: CallPhase::Gone,
            t_ms: 1,
            u_ms: None,
        }),
        ..Content::new(n)
    };
    let blobs = seal_to(
        std::slice::from_ref(&puppet.key),
        &scene.to,
        &gone.to_octets().unwrap(),
    );
    world.leave(&scene.to, &blobs).await;
    for _ in 0..20 {
        let stores = world.gateway.count(Kind::Store);
        match ends(
            scene
                .callee
                .answer(&call, CallPhase::Answered, Some(PATIENT)),
        )
        .await
        {
            // The last look has one second, which is short on a busy machine.
            Ok(answered) if answered.reasons == [Reason::DeadlinePassed] => continue,
            Ok(answered) => {
                assert!(!answered.sent && answered.caller_gone);
                assert_eq!(answered.reasons, [Reason::CallerGone]);
            }
            // A poll in the background has seen it before.
            Err(reason) => {
                assert_eq!(reason, Reason::NotVerified);
                assert_eq!(call.verdict().verdict, Verdict::Conflicting);
            }
        }
        assert_eq!(world.gateway.count(Kind::Store), stores, "nothing was sent");
        return;
    }
    panic!("no last look ended in time");
}
