//! The endpoint's own credential: how it is kept, and how long it lasts.

use core::time::Duration;

use proptest::prelude::*;
use ringtrue_lab::{Authority, Credential as LabCredential, LeafSpec, Validity};
use ringtrue_session::{Credential, CredentialState, Placement, RecordName};
use ringtrue_stir::{Reason, UnixTime};

use crate::world::{CALLEE, CALLER, CPS_CALLER, START_MS, World, number};

const X5U: &str = "https://certs.example/chain.pem";

fn credential(of: &LabCredential) -> Credential {
    Credential::new(of.bag().unwrap(), X5U).unwrap()
}

fn record() -> serde_json::Value {
    let world = World::new();
    let record = credential(&world.credential(&[CALLER])).to_record();
    serde_json::from_slice(&record).unwrap()
}

#[test]
fn a_credential_comes_back_from_its_record() {
    let world = World::new();
    let lab = world.credential(&[CALLER]);
    let own = credential(&lab);
    let back = Credential::from_record(&own.to_record()).unwrap();
    assert_eq!(back.leaf(), own.leaf());
    assert_eq!(back.x5u().as_str(), X5U);
    assert_eq!(back.bag().to_x5c(), lab.bag().unwrap().to_x5c());
    assert_eq!(back.to_record(), own.to_record());
    assert_eq!(format!("{own:?}"), "Credential(..)");
}

#[test]
fn the_record_of_the_credential_has_a_name_of_its_own() {
    let name = RecordName::credential();
    assert!(name.as_str().starts_with("credential."));
    assert_eq!(name.as_str().len(), "credential.".len() + 43);
}

#[test]
fn what_is_no_record_of_a_credential_is_refused() {
    let good = record();
    let changed = |name: &str, value: serde_json::Value| {
        let mut record = good.clone();
        record[name] = value;
        record.to_string()
    };
    let without = |name: &str| {
        let mut record = good.clone();
        record.as_object_mut().unwrap().remove(name);
        record.to_string()
    };
    let world = World::new();
    let ca = world.authority.intermediate.as_credential().unwrap();
    let ca = ca.bag().unwrap().to_x5c();
    let cases = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        good.to_string().replace('}', ""),
        changed("v", 2.into()),
        changed("v", "1".into()),
        changed("x5u", "http://certs.example/chain.pem".into()),
        changed("x5u", "".into()),
        changed("x5c", Vec::<String>::new().into()),
        changed("x5c", vec!["!"].into()),
        changed("x5c", vec!["AAAA"].into()),
        changed("x5c", ca.into()),
        changed("x5c", vec![good["x5c"][0].clone(); 9].into()),
        without("v"),
        without("x5u"),
        without("x5c"),
        format!("{good}{}", " ".repeat(192 * 1024)),
    ];
    for text in cases {
        let found = Credential::from_record(text.as_bytes()).err();
        let start = &text[..text.len().min(80)];
        assert_eq!(found, Some(Reason::MalformedRecord), "{start}");
    }
}

proptest! {
    #[test]
    fn no_octets_make_reading_a_record_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Credential::from_record(&octets).is_err());
    }
}

#[test]
fn a_credential_needs_a_chain_whose_first_certificate_is_no_ca_s() {
    let world = World::new();
    let ca = world.authority.intermediate.as_credential().unwrap();
    let made = Credential::new(ca.bag().unwrap(), X5U);
    assert_eq!(made.err(), Some(Reason::ConfigurationInvalid));
    let lab = world.credential(&[CALLER]);
    for x5u in [
        "",
        "http://certs.example/c.pem",
        "https://certs.example/c?q",
    ] {
        let made = Credential::new(lab.bag().unwrap(), x5u);
        assert_eq!(made.err(), Some(Reason::MalformedUrl), "{x5u}");
    }
}

#[test]
fn a_credential_is_for_one_key() {
    let world = World::new();
    let lab = world.credential(&[CALLER]);
    let own = credential(&lab);
    let key = *own.leaf().public_key().unwrap();
    assert_eq!(own.require_key(&key), Ok(()));
    let other = credential(&world.credential(&[CALLER]));
    assert_eq!(other.require_key(&key), Err(Reason::KeyMismatch));
}

/// The telephone of a credential that is valid from 1000 s after the start, for 3000 s.
fn brief() -> (World, crate::phone::Phone) {
    let world = World::new();
    let start = UnixTime::from_secs(START_MS / 1000);
    let mut spec = LeafSpec::for_number(&number(CALLER), start);
    spec.validity = Validity {
        not_before: start.plus(Duration::from_secs(1000)),
        not_after: start.plus(Duration::from_secs(4000)),
    };
    let lab = world.authority.issue(&spec).unwrap();
    let phone = world.phone_with(&[CALLER], &[CPS_CALLER], lab.clone(), |builder| {
        builder.credential = None;
    });
    let context = phone.context.as_ref().clone();
    let at = Some(start.plus(Duration::from_secs(1000)));
    let context = context.with_credential(credential(&lab), at).unwrap();
    (world, crate::phone::Phone::new(context.into(), lab))
}

// SCT-40: asked for in time, a new one is there before the old one ends.
#[test]
fn the_status_follows_the_credential_s_life_to_the_second() {
    let (_, phone) = brief();
    let start = UnixTime::from_secs(START_MS / 1000);
    let at = |secs| start.plus(Duration::from_secs(secs));
    let cases = [
        (
            999,
            CredentialState::NotYetValid,
            Some(Reason::CertificateNotYetValid),
        ),
        (1000, CredentialState::Valid, None),
        (2999, CredentialState::Valid, None),
        (
            3000,
            CredentialState::Expiring,
            Some(Reason::CredentialExpiring),
        ),
        (
            4000,
            CredentialState::Expiring,
            Some(Reason::CredentialExpiring),
        ),
        (
            4001,
            CredentialState::Expired,
            Some(Reason::CertificateExpired),
        ),
    ];
    for (secs, state, reason) in cases {
        let status = phone.context.credential_status(at(secs));
        assert_eq!((status.state, status.reason), (state, reason), "{secs}");
        assert_eq!(status.expires, Some(at(4000)));
        assert_eq!(status.renew_from, Some(at(3000)));
    }
}

#[test]
fn without_a_credential_the_status_says_so_and_nothing_is_signed() {
    let (mut world, caller, _) = World::with_phones();
    let lab = caller.credential.clone();
    let mut bare = world.phone_with(&[CALLER], &[CPS_CALLER], lab, |builder| {
        builder.credential = None;
    });
    let status = bare.context.credential_status(world.unix());
    assert_eq!(status.state, CredentialState::Missing);
    assert_eq!(status.reason, Some(Reason::CredentialMissing));
    assert_eq!((status.expires, status.renew_from), (None, None));
    assert_eq!(bare.context.require_scope(), Err(Reason::CredentialMissing));
    let placed = world.place(&mut bare, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::CredentialUnavailable));
}

#[test]
fn publishing_tells_that_the_credential_will_end() {
    let (mut world, mut phone) = brief();
    world.ms = 2_000_000;
    assert_eq!(world.publish(&mut phone).unwrap().notices, []);
    world.ms = 3_000_000;
    let notices = world.publish(&mut phone).unwrap().notices;
    assert_eq!(notices, [Reason::CredentialExpiring]);
    world.ms = 4_001_000;
    let published = world.publish(&mut phone);
    assert_eq!(published.err(), Some(Reason::CertificateExpired));
}

#[test]
fn another_credential_takes_the_place_of_the_first_only_if_its_path_holds() {
    let world = World::new();
    let phone = world.phone(&[CALLER], &[CPS_CALLER]);
    let now = Some(world.unix());
    let renewed = credential(&world.credential(&[CALLER]));
    let context = phone.context.as_ref().clone();
    let context = context.with_credential(renewed.clone(), now).unwrap();
    assert_eq!(context.credential().unwrap().leaf(), renewed.leaf());
    let stranger = Authority::for_numbers(&[number(CALLER)], world.unix()).unwrap();
    let stranger = stranger
        .issue_number(&number(CALLER), world.unix())
        .unwrap();
    let refused = context.with_credential(credential(&stranger), now);
    assert_eq!(refused.err(), Some(Reason::NoPathToAnchor));
}

#[test]
fn a_credential_has_to_speak_for_every_own_number() {
    let world = World::new();
    let lab = world.credential(&[CALLER]);
    let phone = world.phone_with(&[CALLER, CALLEE], &[CPS_CALLER], lab, |_| {});
    assert_eq!(phone.context.require_scope(), Err(Reason::NumberNotCovered));
    let both = world.phone(&[CALLER, CALLEE], &[CPS_CALLER]);
    assert_eq!(both.context.require_scope(), Ok(()));
}
