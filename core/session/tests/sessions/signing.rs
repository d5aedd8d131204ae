//! The credential's key: whatever it gives is checked before it is used (PRV-22, OOB-1).

use std::sync::Arc;

use ringtrue_lab::{LeafSpec, Validity};
use ringtrue_session::{Action, Input, PeerKeys, Placed, Placement, Role};
use ringtrue_stir::crypto::{CryptoProvider as _, DeviceSignature, RustCrypto};
use ringtrue_stir::{Reason, UnixTime};
use sha2::Digest as _;

use crate::phone::{Phone, Reply};
use crate::placing::assert_unprotected;
use crate::publishing::scene;
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLER, START_MS, STRANGER, World, number};

fn place_with_signer(
    sign: impl Fn(&Phone, &[u8]) -> Result<DeviceSignature, Reason>,
) -> (World, Placed) {
    let (mut world, mut caller, _) = World::with_phones();
    // Only one message is signed, and it is the same whatever comes of it: ask twice.
    let message = std::rc::Rc::new(core::cell::RefCell::new(None));
    let heard = std::rc::Rc::clone(&message);
    caller.on(move |action, _| match action {
        Action::Sign { id, message } => {
            *heard.borrow_mut() = Some((*id, message.clone()));
            Some(Reply::Never)
        }
        _ => None,
    });
    let mut placing = crate::sim::Running::new(world.placing(&caller, CALLEE));
    let soon = world.ms + 100;
    placing.advance(&mut world, &mut caller, soon);
    let (id, message) = message.borrow_mut().take().unwrap();
    let signature = sign(&caller, &message);
    let now = caller.now(world.ms);
    ringtrue_session::Session::input(&mut placing.session, Input::Signature(id, signature), now);
    let end = world.ms + 10_000;
    placing.advance(&mut world, &mut caller, end);
    (world, placing.output.unwrap())
}

#[test]
fn signatures_are_taken_as_der_and_as_raw() {
    for der in [false, true] {
        let (_, placed) = place_with_signer(|phone, message| {
            let raw = RustCrypto.sign_es256(&phone.credential.secret, message);
            let raw = raw.unwrap().as_raw().to_vec();
            Ok(if der {
                DeviceSignature::Der(der_of(&raw))
            } else {
                DeviceSignature::Raw(raw)
            })
        });
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    }
}

/// A DER `ECDSA-Sig-Value` of r then s.
fn der_of(raw: &[u8]) -> Vec<u8> {
    let integer = |octets: &[u8]| {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let mut value = octets[zeros..].to_vec();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        let mut der = vec![2, u8::try_from(value.len()).unwrap()];
        der.extend(value);
        der
    };
    let body = [integer(&raw[..32]), integer(&raw[32..])].concat();
    let mut der = vec![0x30, u8::try_from(body.len()).unwrap()];
    der.extend(body);
    der
}

#[test]
fn what_a_signer_gives_is_checked_before_anything_is_stored() {
    type Signer = fn(&Phone, &[u8]) -> Result<DeviceSignature, Reason>;
    let cases: [(Signer, Reason); 7] = [
        (|_, _| Err(Reason::SignerFailed), Reason::SignerFailed),
        (
            |_, _| Ok(DeviceSignature::Raw(Vec::new())),
            Reason::MalformedSignature,
        ),
        (
            |_, _| Ok(DeviceSignature::Raw(vec![0; 64])),
            Reason::MalformedSignature,
        ),
        (
            |_, _| Ok(DeviceSignature::Der(vec![0x30, 0x00])),
            Reason::MalformedSignature,
        ),
        // Of right form, by another key.
        (
            |_, message| {
                let (other, _) = crate::attacker::hardware_key();
                let signature = RustCrypto.sign_es256(&other, message)?;
                Ok(DeviceSignature::Raw(signature.as_raw().to_vec()))
            },
            Reason::SignerFailed,
        ),
        // By a key store that hashes what is hashed already.
        (
            |phone, message| {
                let digest = sha2::Sha256::digest(message);
                let signature = RustCrypto.sign_es256(&phone.credential.secret, &digest)?;
                Ok(DeviceSignature::Raw(signature.as_raw().to_vec()))
            },
            Reason::SignerFailed,
        ),
        // Raw octets that are called DER.
        (
            |phone, message| {
                let signature = RustCrypto.sign_es256(&phone.credential.secret, message)?;
                Ok(DeviceSignature::Der(signature.as_raw().to_vec()))
            },
            Reason::MalformedSignature,
        ),
    ];
    for (signer, reason) in cases {
        let (world, placed) = place_with_signer(signer);
        assert_unprotected(&placed, &[reason]);
        assert_eq!(world.net.count(Role::Store), 0);
    }
}

#[test]
fn a_credential_that_does_not_cover_the_number_signs_nothing() {
    let (mut world, _, _) = World::with_phones();
    let credential = world.credential(&[STRANGER]);
    let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |_| {});
    let session = world.placing_with(&caller, CALLEE, PeerKeys::default(), false);
    let placed = run(&mut world, &mut caller, session);
    assert_unprotected(&placed, &[Reason::NumberNotCovered]);
}

#[test]
fn a_credential_outside_its_validity_signs_nothing() {
    let (mut world, _, _) = World::with_phones();
    let at = START_MS / 1000;
    let spec = LeafSpec {
        validity: Validity {
            not_before: UnixTime::from_secs(at - 10),
            not_after: UnixTime::from_secs(at + 60),
        },
        ..LeafSpec::for_number(&number(CALLER), UnixTime::from_secs(at))
    };
    let credential = world.authority.issue(&spec).unwrap();
    let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |_| {});
    world.ms = 61_000;
    let session = world.placing_with(&caller, CALLEE, PeerKeys::default(), false);
    let placed = run(&mut world, &mut caller, session);
    assert_unprotected(&placed, &[Reason::CertificateExpired]);
}

#[test]
fn an_endpoint_without_a_credential_places_nothing() {
    let (mut world, caller, _) = World::with_phones();
    let credential = caller.credential.clone();
    let mut caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.credential = None;
    });
    let session = world.placing_with(&caller, CALLEE, PeerKeys::default(), false);
    let placed = run(&mut world, &mut caller, session);
    assert_unprotected(&placed, &[Reason::CredentialUnavailable]);
}

#[test]
fn signatures_are_checked_before_anything_is_saved() {
    type Signer = fn(&Phone, &[u8]) -> Result<DeviceSignature, Reason>;
    let cases: [(Signer, Reason); 4] = [
        (|_, _| Err(Reason::SignerFailed), Reason::SignerFailed),
        (
            |_, _| Ok(DeviceSignature::Raw(vec![1; 63])),
            Reason::MalformedSignature,
        ),
        (
            |_, _| Ok(DeviceSignature::Der(b"der".to_vec())),
            Reason::MalformedSignature,
        ),
        (
            |phone, message| {
                let other = [message, b"x"].concat();
                let signature = RustCrypto.sign_es256(&phone.credential.secret, &other)?;
                Ok(DeviceSignature::Raw(signature.as_raw().to_vec()))
            },
            Reason::SignerFailed,
        ),
    ];
    for (signer, reason) in cases {
        let (mut world, mut phone) = scene();
        let twin = Phone::new(Arc::clone(&phone.context), phone.credential.clone());
        let mut signatures = 0;
        phone.on(move |action, _| match action {
            Action::Sign { id, message } => {
                signatures += 1;
                // The first one is right: both count.
                (signatures == 2)
                    .then(|| Reply::With(Input::Signature(*id, signer(&twin, message))))
            }
            _ => None,
        });
        assert_eq!(world.publish(&mut phone), Err(reason));
        assert!(phone.records.is_empty());
        assert_eq!(world.net.sent.len(), 0);
    }
}
