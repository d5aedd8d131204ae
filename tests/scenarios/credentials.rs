//! Right signatures by certificates that do not hold for the call.

use std::time::Duration;

use ringtrue::{Reason, UnixTime, Verdict};
use ringtrue_lab::{Authority, CaSpec, Credential, LeafSpec, Validity};
use ringtrue_oob::Content;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use serde_json::json;

use crate::support::forge::{content, header, payload, token, x5c};
use crate::support::scene::{Case, Scene, case, play};
use crate::support::world::number;

const HOUR: Duration = Duration::from_secs(3600);

fn list(entries: &[Entry]) -> Option<TnAuthList> {
    Some(TnAuthList::new(entries.to_vec()).unwrap())
}

/// A call signed by whoever `credential` makes.
fn signed(
    name: &'static str,
    reason: Reason,
    credential: impl Fn(&Scene) -> Credential + Send + Sync + 'static,
) -> Case {
    case(name, Verdict::Refused, &[reason], move |scene| {
        let credential = credential(scene);
        let token = token(&header(), &scene.payload(), &credential.secret);
        content(&[token], &credential)
    })
}

/// A leaf for the caller, changed.
fn leaf(scene: &Scene, change: impl FnOnce(&mut LeafSpec)) -> Credential {
    let mut spec = LeafSpec::for_number(&scene.from, scene.now);
    change(&mut spec);
    scene.world.authority.issue(&spec).unwrap()
}

/// A leaf for the caller below a CA of its own.
fn below(scene: &Scene, change: impl FnOnce(&mut CaSpec)) -> Credential {
    let scope = list(&[Entry::One(scene.from.clone())]);
    let mut spec = CaSpec::new(scope, scene.now);
    change(&mut spec);
    let ca = scene.world.authority.root.subordinate(&spec).unwrap();
    let leaf = LeafSpec::for_number(&scene.from, scene.now);
    ca.issue(&leaf).unwrap()
}

fn ended(now: UnixTime) -> Validity {
    Validity {
        not_before: now.minus(HOUR * 48),
        not_after: now.minus(HOUR),
    }
}

fn to_begin(now: UnixTime) -> Validity {
    Validity {
        not_before: now.plus(HOUR),
        not_after: now.plus(HOUR * 48),
    }
}

// RFC 5280 section 6.1, RFC 8226 section 9, RFC 9060 sections 4 to 6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_a_call_whose_signer_may_not_speak_for_the_number() {
    play(vec![
        signed("expired", Reason::CertificateExpired, |scene| {
            leaf(scene, |spec| spec.validity = ended(scene.now))
        }),
        signed("not yet valid", Reason::CertificateNotYetValid, |scene| {
            leaf(scene, |spec| spec.validity = to_begin(scene.now))
        }),
        signed("CA expired", Reason::CertificateExpired, |scene| {
            below(scene, |spec| spec.validity = ended(scene.now))
        }),
        signed(
            "CA not yet valid",
            Reason::CertificateNotYetValid,
            |scene| below(scene, |spec| spec.validity = to_begin(scene.now)),
        ),
        signed("another anchor", Reason::NoPathToAnchor, |scene| {
            let other =
                Authority::for_numbers(std::slice::from_ref(&scene.from), scene.now).unwrap();
            other.issue_number(&scene.from, scene.now).unwrap()
        }),
        signed("a CA signs", Reason::SignerIsCa, |scene| {
            scene.world.authority.intermediate.as_credential().unwrap()
        }),
        signed("issuer is no CA", Reason::IssuerNotCa, |scene| {
            below(scene, |spec| spec.is_ca = false)
        }),
        signed("another number", Reason::NumberNotCovered, |scene| {
            scene.world.credential(&number(98))
        }),
        signed(
            "outside its issuer's scope",
            Reason::ScopeNotEncompassed,
            |scene| below(scene, |spec| spec.scope = list(&[Entry::One(number(98))])),
        ),
        signed("provider code only", Reason::AuthorityBySpc, |scene| {
            let ca = CaSpec::new(None, scene.now);
            let ca = scene.world.authority.root.subordinate(&ca).unwrap();
            let spec = LeafSpec::for_scope(list(&[Entry::Spc("709J".to_owned())]), scene.now);
            ca.issue(&spec).unwrap()
        }),
        signed("no TNAuthList", Reason::TnAuthListMissing, |scene| {
            leaf(scene, |spec| spec.scope = None)
        }),
        signed("may not sign", Reason::KeyUsageMissing, |scene| {
            leaf(scene, |spec| spec.may_sign = false)
        }),
        case(
            "dated before its certificate",
            Verdict::Refused,
            &[Reason::IatOutsideCertificate],
            dated_before_its_certificate,
        ),
    ])
    .await;
}

// PPT-18
fn dated_before_its_certificate(scene: &Scene) -> Content {
    let credential = leaf(scene, |spec| {
        spec.validity = Validity {
            not_before: UnixTime::from_secs(scene.now.as_secs() - 1),
            not_after: scene.now.plus(HOUR),
        };
    });
    let iat = UnixTime::from_secs(scene.now.as_secs() - 20);
    let payload = payload(&scene.from, &scene.to, iat);
    let token = token(&header(), &payload, &credential.secret);
    content(&[token], &credential)
}

// W-1: certificates travel with the token; a source is used when the one before is absent, never after
// a failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_a_call_whose_certificates_are_missing_or_broken() {
    let refused =
        |name, reason, leave: fn(&Scene) -> Content| case(name, Verdict::Refused, &[reason], leave);
    play(vec![
        refused("none", Reason::CredentialUnavailable, |scene| Content {
            x5c: Vec::new(),
            ..scene.content(scene.good())
        }),
        refused("not base64", Reason::MalformedCertificate, |scene| {
            Content {
                x5c: vec!["!".to_owned()],
                ..scene.content(scene.good())
            }
        }),
        refused("not DER", Reason::MalformedCertificate, |scene| Content {
            x5c: vec!["AAAA".to_owned()],
            ..scene.content(scene.good())
        }),
        refused("cut", Reason::MalformedCertificate, |scene| {
            let mut x5c = x5c(&scene.credential);
            x5c[0].truncate(400);
            Content {
                x5c,
                ..scene.content(scene.good())
            }
        }),
        refused("leaf alone", Reason::ChainIncomplete, |scene| Content {
            x5c: x5c(&scene.credential)[..1].to_vec(),
            ..scene.content(scene.good())
        }),
        refused("issuer alone", Reason::SignerIsCa, |scene| Content {
            x5c: x5c(&scene.credential)[1..].to_vec(),
            ..scene.content(scene.good())
        }),
        refused("of another", Reason::SignatureInvalid, |scene| {
            let other = scene.world.credential(&scene.from);
            Content {
                x5c: x5c(&other),
                ..scene.content(scene.good())
            }
        }),
        refused(
            "broken in the header, right beside it",
            Reason::MalformedCertificate,
            |scene| scene.content(scene.token(&json!({"x5c": ["AAAA"]}), &json!({}))),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepts_certificates_in_any_place_that_is_allowed() {
    let verified = |name, leave: fn(&Scene) -> Content| case(name, Verdict::Verified, &[], leave);
    play(vec![
        verified("issuer first", |scene| {
            let mut x5c = x5c(&scene.credential);
            x5c.reverse();
            Content {
                x5c,
                ..scene.content(scene.good())
            }
        }),
        verified("beside those of others", |scene| {
            let other = scene.world.credential(&number(98));
            let mut bag = x5c(&other)[..1].to_vec();
            bag.extend(x5c(&scene.credential));
            Content {
                x5c: bag,
                ..scene.content(scene.good())
            }
        }),
        verified("in the header", |scene| {
            let bag = x5c(&scene.credential);
            Content {
                x5c: Vec::new(),
                ..scene.content(scene.token(&json!({"x5c": bag}), &json!({})))
            }
        }),
        verified("a block", |scene| {
            let scope = list(&[Entry::Range {
                start: scene.from.clone(),
                count: 10,
            }]);
            let credential = leaf(scene, |spec| spec.scope = scope);
            let token = token(&header(), &scene.payload(), &credential.secret);
            content(&[token], &credential)
        }),
    ])
    .await;
}
