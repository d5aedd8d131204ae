//! The raw operation through the crate's public interface.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use ringtrue_raw_rsa::{MAX_PKCS8_LEN, MODULUS_LEN, RsaIssuerKey};
use ringtrue_stir::Reason;
use std::sync::LazyLock;

/// Making a key takes a while; one serves all tests.
static KEY: LazyLock<RsaIssuerKey> = LazyLock::new(|| RsaIssuerKey::generate().unwrap());

fn number(last: u8) -> [u8; MODULUS_LEN] {
    let mut octets = [0; MODULUS_LEN];
    octets[MODULUS_LEN - 1] = last;
    octets
}

/// The modulus less `less`; it ends in an odd octet, from which 1 can be taken without borrowing.
fn modulus_less(less: u8) -> [u8; MODULUS_LEN] {
    let mut octets = *KEY.modulus();
    let mut borrow = u16::from(less);
    for octet in octets.iter_mut().rev() {
        let value = 0x100 + u16::from(*octet) - borrow;
        *octet = u8::try_from(value & 0xff).unwrap();
        borrow = 1 - (value >> 8);
    }
    octets
}

#[test]
fn a_result_leads_back_to_its_input() {
    let mut input = [0x5a; MODULUS_LEN];
    input[0] = 0;
    for input in [input, number(2), modulus_less(2)] {
        let result = KEY.private_operation(&input).unwrap();
        assert_ne!(result, input);
        assert_eq!(KEY.public_operation(&result), Ok(input));
        // Blinding does not change what comes out.
        assert_eq!(KEY.private_operation(&input), Ok(result));
    }
}

#[test]
fn inputs_outside_the_open_interval_are_refused() {
    let refused = Err(Reason::MalformedTokenRequest);
    for input in [
        number(0),
        number(1),
        modulus_less(1),
        *KEY.modulus(),
        [0xff; MODULUS_LEN],
    ] {
        assert_eq!(KEY.private_operation(&input), refused);
    }
    assert_eq!(
        KEY.public_operation(KEY.modulus()),
        Err(Reason::TokenInvalid)
    );
    assert_eq!(
        KEY.public_operation(&[0xff; MODULUS_LEN]),
        Err(Reason::TokenInvalid)
    );
}

#[test]
fn a_stored_key_is_the_same_key() {
    let der = KEY.to_pkcs8().unwrap();
    assert!(der.len() < MAX_PKCS8_LEN);
    let again = RsaIssuerKey::from_pkcs8(&der).unwrap();
    assert_eq!(again.modulus(), KEY.modulus());
    let input = number(7);
    assert_eq!(
        again.private_operation(&input),
        KEY.private_operation(&input)
    );
    assert_eq!(again.to_pkcs8().unwrap(), der);
}

#[test]
fn two_keys_differ_and_have_full_length() {
    let other = RsaIssuerKey::generate().unwrap();
    assert_ne!(other.modulus(), KEY.modulus());
    assert!(other.modulus()[0] >= 0x80);
    assert_eq!(other.modulus()[MODULUS_LEN - 1] % 2, 1);
    let input = number(7);
    assert_ne!(
        other.private_operation(&input),
        KEY.private_operation(&input)
    );
}

#[test]
fn anything_but_a_whole_key_is_malformed() {
    let der = KEY.to_pkcs8().unwrap();
    let malformed = |octets: &[u8]| RsaIssuerKey::from_pkcs8(octets).err();
    let expected = Some(Reason::MalformedRecord);
    assert_eq!(malformed(&[]), expected);
    for cut in [1, 20, 300, der.len() - 1] {
        assert_eq!(malformed(&der[..cut]), expected, "{cut}");
    }
    let mut longer = der.to_vec();
    longer.push(0);
    assert_eq!(malformed(&longer), expected);
    longer.resize(MAX_PKCS8_LEN + 1, 0);
    assert_eq!(malformed(&longer), expected);
}

#[test]
fn a_damaged_key_is_malformed_or_at_least_never_gives_a_wrong_result() {
    let der = KEY.to_pkcs8().unwrap();
    let input = number(9);
    for position in (0..der.len()).step_by(13) {
        let mut damaged = der.to_vec();
        damaged[position] ^= 1;
        if let Ok(key) = RsaIssuerKey::from_pkcs8(&damaged) {
            let result = key.private_operation(&input).unwrap();
            assert_eq!(key.public_operation(&result), Ok(input));
        }
    }
}

#[test]
fn keys_of_other_kinds_sizes_and_exponents_are_malformed() {
    for (what, der) in [
        ("P-256", include_bytes!("keys/p256.der").as_slice()),
        ("RSA-1024", include_bytes!("keys/rsa1024.der").as_slice()),
        ("RSA-3072", include_bytes!("keys/rsa3072.der").as_slice()),
        (
            "exponent 3",
            include_bytes!("keys/exponent3.der").as_slice(),
        ),
    ] {
        assert_eq!(
            RsaIssuerKey::from_pkcs8(der).err(),
            Some(Reason::MalformedRecord),
            "{what}"
        );
    }
    // The same way of reading takes the right kind.
    assert!(RsaIssuerKey::from_pkcs8(include_bytes!("keys/rsa2048.der")).is_ok());
}

#[test]
fn several_threads_use_one_key_at_once() {
    std::thread::scope(|scope| {
        for last in 2..6 {
            scope.spawn(move || {
                for _ in 0..8 {
                    let result = KEY.private_operation(&number(last)).unwrap();
                    assert_eq!(KEY.public_operation(&result), Ok(number(last)));
                }
            });
        }
    });
}

#[test]
fn debug_shows_nothing_of_the_key() {
    assert_eq!(format!("{:?}", *KEY), "RsaIssuerKey(..)");
}
