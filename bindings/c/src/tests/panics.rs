//! A defect inside stays inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ringtrue_lab::Authority;
use ringtrue_session::PublishMode;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::abi::client::ClientHandle;
use crate::abi::drive::{ringtrue_session_free, ringtrue_session_next};
use crate::code;
use crate::held::nothing;
use crate::live_session::Answer;
use crate::tests::phone::{CALLEE, Phone, UNIX_S, settings};
use crate::types::{self, Time};

/// Cryptography with a defect that can be switched on.
#[derive(Default)]
struct Broken(AtomicBool);

impl CryptoProvider for Broken {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        RustCrypto.fill_random(out)
    }

    fn verify_es256(&self, key: &P256PublicKey, text: &[u8], by: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, text, by)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        assert!(!self.0.load(Ordering::Relaxed), "a defect");
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, key: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, key, peer)
    }
}

#[test]
#[expect(unsafe_code, reason = "calls what C calls")]
fn a_panic_becomes_a_code_and_takes_its_session_alone() {
    let number = TelephoneNumber::from_canonical(CALLEE).unwrap();
    let authority = Authority::for_numbers(&[number], UnixTime::from_secs(UNIX_S)).unwrap();
    let broken = Arc::new(Broken::default());
    let phone = Phone::with(settings(&authority, CALLEE), Arc::clone(&broken) as _);
    let now = phone.now();
    let time = Time {
        monotonic_ms: phone.ms,
        unix_ms: UNIX_S * 1000,
    };
    let other = phone.client.ring("", "", false, 0, now).unwrap();
    let session = phone.client.publish(PublishMode::Publish, 0, now).unwrap();
    let load = phone.client.next(session, now).unwrap();
    assert_eq!(load.kind, types::RINGTRUE_ACTION_LOAD);
    broken.0.store(true, Ordering::Relaxed);
    let client = ClientHandle::new(phone.client);
    let mut action = nothing(0);
    // SAFETY: a live client, and places to write to.
    unsafe {
        let loaded = crate::abi::input::ringtrue_input_loaded(
            &client,
            session,
            load.id,
            0,
            types::Octets {
                data: core::ptr::null(),
                len: 0,
            },
            time,
        );
        assert_eq!(loaded, Reason::Internal.number());
        let next = ringtrue_session_next(&client, session, time, &mut action);
        assert_eq!(next, code::RINGTRUE_RESULT_STALE_HANDLE);
        assert_eq!(action.kind, 0, "nothing is written without success");
        let next = ringtrue_session_next(&client, other, time, &mut action);
        assert_eq!(next, code::RINGTRUE_RESULT_OK);
        assert_eq!(
            ringtrue_session_free(&client, other),
            code::RINGTRUE_RESULT_OK
        );
    }
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let number = TelephoneNumber::from_canonical(CALLEE).unwrap();
    let authority = Authority::for_numbers(&[number], UnixTime::from_secs(UNIX_S)).unwrap();
    let phone = Phone::new(&authority, CALLEE);
    let session = phone.client.ring("", "", false, 0, phone.now()).unwrap();
    let answer = Answer::Claimed(true);
    let told = phone.client.input(session, 5, answer, phone.now());
    assert_eq!(told, Err(Reason::EventUnexpected.into()));
}
