//! What an attacker may leave in a mailbox: malformed tokens, contents and blobs, and right ones in
//! the wrong place.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{Reason, UnixTime, Verdict};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{Blob, Content, StatementDigest, Suite, dummy};
use ringtrue_stir::{base64url, json};
use serde_json::{Value, json};

use crate::support::forge::{self, content, header, seal_to, token_of_text};
use crate::support::gateway::{Behaviour, Kind};
use crate::support::scene::{Case, Scene, case, octets_case, play, token_case};
use crate::support::world::{World, number};

/// A token with one of its three parts rewritten.
fn with_part(token: &str, index: usize, change: impl FnOnce(&str) -> String) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[index] = change(&parts[index]);
    parts.join(".")
}

fn header_case(name: &'static str, reason: Reason, changes: Value) -> Case {
    token_case(name, Verdict::Refused, &[reason], move |scene| {
        scene.token(&changes, &json!({}))
    })
}

fn payload_case(name: &'static str, reason: Reason, changes: Value) -> Case {
    token_case(name, Verdict::Refused, &[reason], move |scene| {
        scene.token(&json!({}), &changes)
    })
}

// RFC 8225 sections 4 to 9; W-9: what names this call and fails is refused with its reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_a_malformed_token_that_names_the_call() {
    let refused = |name, reason, make: fn(&Scene) -> String| {
        token_case(name, Verdict::Refused, &[reason], make)
    };
    let mut cases = vec![
        header_case(
            "alg none",
            Reason::AlgorithmNotAllowed,
            json!({"alg": "none"}),
        ),
        header_case(
            "alg ES384",
            Reason::AlgorithmNotAllowed,
            json!({"alg": "ES384"}),
        ),
        header_case(
            "alg HS256",
            Reason::AlgorithmNotAllowed,
            json!({"alg": "HS256"}),
        ),
        header_case("no alg", Reason::AlgorithmNotAllowed, json!({"alg": null})),
        header_case("typ JWT", Reason::TypeMismatch, json!({"typ": "JWT"})),
        header_case("no typ", Reason::TypeMismatch, json!({"typ": null})),
        header_case("no x5u", Reason::X5uMissing, json!({"x5u": null})),
        header_case(
            "x5u http",
            Reason::MalformedUrl,
            json!({"x5u": "http://certs.example/c"}),
        ),
        header_case("crit", Reason::MalformedToken, json!({"crit": ["ppt"]})),
        payload_case("no iat", Reason::IatMissing, json!({"iat": null})),
        payload_case(
            "iat text",
            Reason::IatNotNumber,
            json!({"iat": "1793491200"}),
        ),
        payload_case(
            "iat fraction",
            Reason::IatNotNumber,
            json!({"iat": 1_793_491_200.5}),
        ),
        payload_case("iat negative", Reason::IatNotNumber, json!({"iat": -1})),
        payload_case("no dest", Reason::DestMissing, json!({"dest": null})),
        payload_case(
            "dest empty",
            Reason::MalformedDest,
            json!({"dest": {"tn": []}}),
        ),
        payload_case(
            "dest text",
            Reason::MalformedDest,
            json!({"dest": {"tn": "1"}}),
        ),
    ];
    cases.extend([
        refused("orig not canonical", Reason::MalformedNumber, |scene| {
            let orig = json!({"orig": {"tn": format!("+{}", scene.from.as_str())}});
            scene.token(&json!({}), &orig)
        }),
        refused("orig twofold", Reason::MalformedOrig, |scene| {
            let orig = json!({"orig": {"tn": scene.from.as_str(), "uri": "sip:a@b.example"}});
            scene.token(&json!({}), &orig)
        }),
        refused("two parts", Reason::MalformedToken, |scene| {
            let token = scene.good();
            token.rsplit_once('.').unwrap().0.to_owned()
        }),
        refused("four parts", Reason::MalformedToken, |scene| {
            format!("{}.e30", scene.good())
        }),
        refused("signature padded", Reason::MalformedToken, |scene| {
            with_part(&scene.good(), 2, |part| format!("{part}=="))
        }),
        refused(
            "signature of 63 octets",
            Reason::MalformedSignature,
            |scene| with_part(&scene.good(), 2, |_| base64url::encode(&[1; 63])),
        ),
        refused("signature zero", Reason::MalformedSignature, |scene| {
            with_part(&scene.good(), 2, |_| base64url::encode(&[0; 64]))
        }),
        refused("signature DER", Reason::MalformedSignature, |scene| {
            with_part(&scene.good(), 2, |_| {
                base64url::encode(&[&[0x30, 0x44, 0x02, 0x20][..], &[1; 66]].concat())
            })
        }),
        refused("signature of another", Reason::SignatureInvalid, |scene| {
            with_part(&scene.good(), 2, |_| base64url::encode(&[1; 64]))
        }),
        refused("payload changed", Reason::SignatureInvalid, |scene| {
            let other = forge::payload(
                &scene.from,
                &scene.to,
                UnixTime::from_secs(scene.now.as_secs() - 1),
            );
            let other = base64url::encode(json::canonical(&other).as_bytes());
            with_part(&scene.good(), 1, |_| other)
        }),
        refused("header changed", Reason::SignatureInvalid, |scene| {
            let other = forge::changed(header(), &json!({"x5u": "https://other.example/c"}));
            let other = base64url::encode(json::canonical(&other).as_bytes());
            with_part(&scene.good(), 0, |_| other)
        }),
        refused("white space", Reason::NotCanonical, |scene| {
            let payload = json::canonical(&scene.payload()).replace(':', ": ");
            let header = json::canonical(&header());
            token_of_text(&header, &payload, &scene.credential.secret)
        }),
        refused("members out of order", Reason::NotCanonical, |scene| {
            let (orig, dest) = (scene.from.as_str(), scene.to.as_str());
            let iat = scene.now.as_secs();
            let payload =
                format!(r#"{{"orig":{{"tn":"{orig}"}},"iat":{iat},"dest":{{"tn":["{dest}"]}}}}"#);
            let header = json::canonical(&header());
            token_of_text(&header, &payload, &scene.credential.secret)
        }),
        refused("dest out of order", Reason::DestNotSorted, |scene| {
            let dest = json!({"dest": {"tn": [scene.to.as_str(), "0"]}});
            scene.token(&json!({}), &dest)
        }),
        refused("dest of another", Reason::DestMismatch, |scene| {
            let dest = json!({"dest": {"tn": ["12025550999"]}});
            scene.token(&json!({}), &dest)
        }),
    ]);
    play(cases).await;
}

// W-9: what does not name this call changes nothing, and what was dropped is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_no_record_in_what_does_not_name_the_call() {
    let dropped = |name, reasons: &[Reason], make: fn(&Scene) -> String| {
        token_case(name, Verdict::NoRecord, reasons, make)
    };
    let malformed = &[Reason::MalformedToken][..];
    play(vec![
        dropped("no token", malformed, |_| "no token".to_owned()),
        dropped("dots", malformed, |_| "..".to_owned()),
        dropped("payload not JSON", malformed, |scene| {
            with_part(&scene.good(), 1, |_| base64url::encode(b"not JSON"))
        }),
        dropped("member repeated", malformed, |scene| {
            let payload = json::canonical(&scene.payload());
            let payload = payload.replacen('{', r#"{"iat":1,"#, 1);
            let header = json::canonical(&header());
            token_of_text(&header, &payload, &scene.credential.secret)
        }),
        dropped("too deep", malformed, |scene| {
            let deep = format!("{}{}", "[".repeat(20), "]".repeat(20));
            let payload = json::canonical(&scene.payload());
            let payload = payload.replacen('{', &format!(r#"{{"a":{deep},"#), 1);
            let header = json::canonical(&header());
            token_of_text(&header, &payload, &scene.credential.secret)
        }),
        dropped("malformed for another call", malformed, |scene| {
            let orig = json!({"orig": {"tn": number(98).as_str()}});
            scene.token(&json!({"typ": "JWT"}), &orig)
        }),
        dropped("right for another call", &[], |scene| {
            let orig = json!({"orig": {"tn": number(98).as_str()}});
            scene.token(&json!({}), &orig)
        }),
        // W-28
        dropped("unsupported ppt", &[Reason::PptUnsupported], |scene| {
            scene.token(&json!({"ppt": "div"}), &json!({}))
        }),
        // An answer is no call.
        dropped("rsp as a call", &[Reason::UnexpectedRsp], |scene| {
            scene.token(&json!({"ppt": "rsp"}), &json!({}))
        }),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_no_record_in_malformed_contents() {
    fn document(scene: &Scene) -> Value {
        let octets = scene.content(scene.good()).to_octets().unwrap();
        serde_json::from_slice(&octets).unwrap()
    }
    fn refused(name: &'static str, reason: Reason, changes: Value) -> Case {
        octets_case(name, Verdict::NoRecord, &[reason], move |scene| {
            let changed = forge::changed(document(scene), &changes);
            changed.to_string().into_bytes()
        })
    }
    let malformed = Reason::MalformedContent;
    play(vec![
        octets_case("empty", Verdict::NoRecord, &[malformed], |_| Vec::new()),
        octets_case("not UTF-8", Verdict::NoRecord, &[malformed], |_| {
            vec![0xff; 99]
        }),
        octets_case("cut", Verdict::NoRecord, &[malformed], |scene| {
            let text = document(scene).to_string();
            text.as_bytes()[..text.len() - 1].to_vec()
        }),
        octets_case("twice", Verdict::NoRecord, &[malformed], |scene| {
            format!("{}{{}}", document(scene)).into_bytes()
        }),
        octets_case(
            "member repeated",
            Verdict::NoRecord,
            &[malformed],
            |scene| {
                document(scene)
                    .to_string()
                    .replacen('{', r#"{"v":1,"#, 1)
                    .into_bytes()
            },
        ),
        refused("version 2", malformed, json!({"v": 2})),
        refused("no version", malformed, json!({"v": null})),
        refused("no n", malformed, json!({"n": null})),
        refused(
            "n of 15 octets",
            malformed,
            json!({"n": base64url::encode(&[7; 15])}),
        ),
        refused("no ppts", malformed, json!({"ppts": null})),
        refused("ppts empty", malformed, json!({"ppts": []})),
        refused("ppts a text", malformed, json!({"ppts": "token"})),
        refused("nine ppts", malformed, json!({"ppts": vec!["a.b.c"; 9]})),
        refused(
            "nine certificates",
            malformed,
            json!({"x5c": vec!["AAAA"; 9]}),
        ),
        refused("ksd short", malformed, json!({"ksd": "AAAA"})),
        refused(
            "rsp without eks",
            malformed,
            json!({"rsp": {"to": "https://a.example", "want": true}}),
        ),
        refused(
            "st unknown",
            malformed,
            json!({"st": {"s": "busy", "t": 1}}),
        ),
    ])
    .await;
}

// W-34, W-27: what is odd is told, what is right still counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifies_a_right_token_in_an_odd_content_and_says_what_is_odd() {
    let verified = |name, reasons: &[Reason], leave: fn(&Scene) -> Content| {
        case(name, Verdict::Verified, reasons, leave)
    };
    let both = |scene: &Scene, good_first: bool| {
        let bad = scene.token(&json!({"typ": "JWT"}), &json!({}));
        let mut tokens = vec![bad, scene.good()];
        if good_first {
            tokens.reverse();
        }
        content(&tokens, &scene.credential)
    };
    play(vec![
        verified("as it should be", &[], |scene| scene.content(scene.good())),
        verified(
            "moved from another service",
            &[Reason::CpsMismatch],
            |scene| Content {
                cps: Some("cps.example:444".to_owned()),
                ..scene.content(scene.good())
            },
        ),
        verified("from here, in capitals", &[], |scene| Content {
            cps: Some(scene.world.gateway.authority().to_ascii_uppercase()),
            ..scene.content(scene.good())
        }),
        verified(
            "by a statement of somebody",
            &[Reason::KsdUnknown],
            |scene| Content {
                ksd: Some(StatementDigest::from_octets([9; 32])),
                ..scene.content(scene.good())
            },
        ),
        case(
            "bad token first",
            Verdict::Verified,
            &[Reason::TypeMismatch],
            move |scene| both(scene, false),
        ),
        case(
            "good token first",
            Verdict::Verified,
            &[Reason::TypeMismatch],
            move |scene| both(scene, true),
        ),
        verified(
            "shaken and unsupported",
            &[Reason::PptUnsupported],
            |scene| {
                let attested =
                    json!({"attest": "A", "origid": "7ad5a8c1-5d3a-4f0e-8f6c-2f5a3e0b1c9d"});
                let shaken = scene.token(&json!({"ppt": "shaken"}), &attested);
                let other = scene.token(&json!({"ppt": "div"}), &json!({}));
                content(&[other, shaken], &scene.credential)
            },
        ),
        verified("unknown claim", &[], |scene| {
            scene.content(scene.token(&json!({}), &json!({"zzz": [1, 2]})))
        }),
        verified("several numbers called", &[], |scene| {
            let mut dest = ["12025550000", scene.to.as_str()];
            dest.sort_unstable();
            scene.content(scene.token(&json!({}), &json!({"dest": {"tn": dest}})))
        }),
    ])
    .await;
}

/// The regions of an S1 blob after the form: key share, ciphertext and tag.
const REGIONS: [(&str, usize); 4] = [
    ("key share", 40),
    ("ciphertext", 200),
    ("filler", 3000),
    ("tag", 4095),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_nothing_that_was_tampered_with_or_sealed_for_another() {
    let world = Arc::new(World::new().await);
    let scene = Scene::new(&world, 1).await;
    let octets = scene.content(scene.good()).to_octets().unwrap();
    let sealed = || {
        scene.seal(&scene.content(scene.good()))[0]
            .as_octets()
            .to_vec()
    };
    for (region, at) in REGIONS {
        let mut blob = sealed();
        blob[at] ^= 1;
        let blob = Blob::from_octets(blob).expect(region);
        scene.world.leave(&scene.to, &[blob]).await;
    }
    // RFC 8816 section 6: a blob is bound to the number it is for.
    world
        .leave(&scene.to, &seal_to(&scene.keys, &number(2), &octets))
        .await;
    // And one that nobody can open.
    world
        .leave(&scene.to, &[dummy(&AwsLcCrypto, Suite::S1).unwrap()])
        .await;

    let found = scene.verdict().await;
    assert_eq!(found.verdict, Verdict::NoRecord);
    assert_eq!(found.reasons, []);
    assert_eq!(found.blobs.opened, 0);
    assert!(found.blobs.received >= 6, "{:?}", found.blobs);

    scene.leave(&scene.content(scene.good())).await;
    assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
}

// W-19: the form in the clear is checked by the service, and again by the endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_over_blobs_whose_form_was_tampered_with() {
    let world = Arc::new(World::new().await);
    let scene = Scene::new(&world, 1).await;
    let good = scene.seal(&scene.content(scene.good()))[0].to_text();
    let mut lines = Vec::new();
    for at in 0..8 {
        let mut blob = base64url::decode(&good).unwrap();
        blob[at] ^= 0x40;
        assert_eq!(
            Blob::from_octets(blob.clone()).err(),
            Some(Reason::MalformedBlob),
            "{at}"
        );
        lines.push(base64url::encode(&blob));
    }
    lines.push(good[..good.len() - 4].to_owned());
    lines.push(format!("{good}AAAA"));
    lines.push(String::new());
    lines.push("<html>".to_owned());
    let answer = |lines: &[String]| {
        let body = lines.join("\n").into_bytes();
        Behaviour::Answer(Arc::new(move |_| ringtrue::HttpResponse {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/passport".to_owned())],
            body: body.clone(),
        }))
    };
    world.gateway.set(Kind::Retrieve, answer(&lines));
    let found = scene.verdict().await;
    assert_eq!((found.verdict, found.reasons), (Verdict::NoRecord, vec![]));
    assert_eq!(found.blobs.received, 0);

    lines.push(good);
    world.gateway.set(Kind::Retrieve, answer(&lines));
    let found = scene.verdict().await;
    assert_eq!((found.verdict, found.reasons), (Verdict::Verified, vec![]));
    assert_eq!((found.blobs.received, found.blobs.opened), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_refuses_blobs_of_suites_that_the_number_has_no_key_for() {
    let world = Arc::new(World::new().await);
    let scene = Scene::new(&world, 1).await;
    let blob = dummy(&AwsLcCrypto, Suite::S2).unwrap();
    let answer = world.post(&scene.to, &[blob]).await;
    assert_eq!(Problem::decode(&answer), Some(Problem::MalformedBlob));
}

// Whoever knows the public key can seal many: the work is bounded and the right one still found where
// the bound allows (PRV-10).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_the_right_token_among_many_wrong_ones() {
    let world = Arc::new(World::new().await);
    let scene = Scene::new(&world, 1).await;
    for _ in 0..60 {
        let wrong = scene.token(&json!({}), &json!({"iat": scene.now.as_secs() - 600}));
        scene.leave(&scene.content(wrong)).await;
    }
    scene.leave(&scene.content(scene.good())).await;
    let found = scene.verdict().await;
    assert_eq!(found.verdict, Verdict::Verified);
    assert_eq!(found.reasons, [Reason::IatStale]);
    assert_eq!(found.blobs.opened, 61);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_full_of_blobs_for_others_is_no_record() {
    let world = Arc::new(World::new().await);
    let scene = Scene::new(&world, 1).await;
    let lines: Vec<String> = (0..256)
        .map(|_| dummy(&AwsLcCrypto, Suite::S1).unwrap().to_text())
        .collect();
    let body = lines.join("\n").into_bytes();
    world.gateway.set(
        Kind::Retrieve,
        Behaviour::Answer(Arc::new(move |_| ringtrue::HttpResponse {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/passport".to_owned())],
            body: body.clone(),
        })),
    );
    // Decided by the deadline, however little of it was tried by then.
    let call = crate::support::ends(scene.callee.ring(
        Some(scene.from.as_str()),
        Some(scene.to.as_str()),
        Some(Duration::from_secs(20)),
    ))
    .await
    .unwrap();
    let found = call.verdict();
    assert_eq!((found.verdict, found.reasons), (Verdict::NoRecord, vec![]));
    assert_eq!((found.blobs.received, found.blobs.opened), (256, 0));
}
