//! The blinding itself, and the forms of keys and tokens.

use std::collections::BTreeSet;
use std::sync::Mutex;

use ringtrue_oob::token::blind::{RsaPublicKey, Variant};
use ringtrue_oob::token::{
    IssuerKey, OneTimeKey, PendingToken, SPKI_LEN, TOKEN_LEN, Token, TokenChallenge,
};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};

use crate::{challenge, issuer, issuer_key, pair, token};

/// Cryptography whose next random octets are these; then there are no more.
struct Draws(Mutex<Vec<Vec<u8>>>);

impl CryptoProvider for Draws {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        let draw = self.0.lock().unwrap().pop();
        out.copy_from_slice(&draw.ok_or(Reason::RandomnessUnavailable)?);
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}

fn pending() -> PendingToken {
    let key = OneTimeKey::generate(&RustCrypto).unwrap();
    PendingToken::new(&RustCrypto, &issuer_key(0), &challenge(), key).unwrap()
}

#[test]
fn the_issuer_never_sees_one_message_twice_nor_the_token_it_signs() {
    let mut seen = BTreeSet::new();
    let key = OneTimeKey::generate(&RustCrypto).unwrap();
    for _ in 0..4 {
        let again = PendingToken::new(&RustCrypto, &issuer_key(0), &challenge(), key.clone());
        let again = again.unwrap();
        assert!(seen.insert(again.blinded_message().to_vec()));
        let blinded = again.blinded_message().to_vec();
        let signed = pair(0)
            .private_operation(again.blinded_message().try_into().unwrap())
            .unwrap();
        let (token, _) = again.complete(&signed).unwrap();
        assert!(token.authenticator() != &signed);
        let opened = issuer_key(0)
            .rsa()
            .raw_public(token.authenticator())
            .unwrap();
        assert!(opened != blinded);
    }
}

/// Zero and what is not below the modulus are drawn again; one is a factor like any other.
#[test]
fn blinding_factors_are_drawn_until_one_is_in_range() {
    let key = issuer_key(0);
    let modulus = key.rsa().modulus().to_vec();
    let mut one = vec![0; 256];
    one[255] = 1;
    let draws = vec![one, vec![0xff; 256], modulus, vec![0; 256], vec![0x5a; 48]];
    let draws = Draws(Mutex::new(draws));
    let blinding = key
        .rsa()
        .blind(&draws, Variant::PssDeterministic, b"message");
    assert!(draws.0.lock().unwrap().is_empty());
    let signed = pair(0)
        .private_operation(
            blinding
                .as_ref()
                .unwrap()
                .blinded_message()
                .try_into()
                .unwrap(),
        )
        .unwrap();
    let signature = key
        .rsa()
        .finalize(
            Variant::PssDeterministic,
            b"message",
            &blinding.unwrap(),
            &signed,
        )
        .unwrap();
    assert_eq!(signature, signed, "blinded with one");
}

#[test]
fn without_randomness_nothing_is_blinded() {
    let draws = [vec![], vec![vec![1; 48]], vec![vec![0; 256], vec![1; 48]]];
    for draws in draws {
        let draws = Draws(Mutex::new(draws));
        let blinding = issuer_key(0)
            .rsa()
            .blind(&draws, Variant::PssDeterministic, b"message");
        assert_eq!(blinding.err(), Some(Reason::RandomnessUnavailable));
    }
}

#[test]
fn an_answer_that_is_no_signature_makes_no_token() {
    let modulus = issuer_key(0).rsa().modulus().to_vec();
    let mut below = modulus.clone();
    below[255] -= 1;
    let waiting = pending();
    let other_key = pair(1).private_operation(&[7; 256]).unwrap().to_vec();
    for answer in [
        vec![],
        vec![0; 256],
        vec![0; 255],
        vec![0; 257],
        vec![0xff; 256],
        waiting.blinded_message().to_vec(),
        modulus,
        below,
        other_key,
    ] {
        assert_eq!(
            pending().complete(&answer).err(),
            Some(Reason::TokenInvalid)
        );
    }
    // The answer to another request of the same client.
    let signed = pair(0)
        .private_operation(waiting.blinded_message().try_into().unwrap())
        .unwrap();
    assert_eq!(
        pending().complete(&signed).err(),
        Some(Reason::TokenInvalid)
    );
    assert!(waiting.complete(&signed).is_ok());
}

#[test]
fn a_token_with_any_part_changed_does_not_verify() {
    let key = issuer_key(0);
    let (token, _) = token();
    assert_eq!(key.verify(&token), Ok(()));
    assert_eq!(issuer_key(1).verify(&token), Err(Reason::TokenInvalid));
    // One octet of each part: nonce, challenge, key id, authenticator at both ends.
    for index in [2, 33, 34, 65, 66, 97, 98, 353] {
        let mut octets = token.to_octets();
        octets[index] ^= 1;
        let changed = Token::from_octets(&octets).unwrap();
        assert!(changed != token);
        assert_eq!(key.verify(&changed), Err(Reason::TokenInvalid), "{index}");
    }
}

#[test]
fn tokens_have_one_length_and_one_type() {
    let octets = token().0.to_octets();
    assert!(Token::from_octets(&octets).is_ok());
    let mut longer = octets.to_vec();
    longer.push(0);
    for wrong in [&[][..], &octets[..TOKEN_LEN - 1], &longer] {
        assert_eq!(
            Token::from_octets(wrong).err(),
            Some(Reason::MalformedStorageToken)
        );
    }
    for kind in [0x0000_u16, 0x0001, 0x0003, 0x0200, 0xda7a] {
        let mut other = octets;
        other[..2].copy_from_slice(&kind.to_be_bytes());
        assert_eq!(
            Token::from_octets(&other).err(),
            Some(Reason::MalformedStorageToken)
        );
    }
}

#[test]
fn an_issuer_key_has_one_spelling() {
    let spki = issuer_key(0).spki().to_vec();
    assert_eq!(spki.len(), SPKI_LEN);
    // Every octet around the modulus counts, and its lowest bit and highest.
    for index in (0..81).chain(337..SPKI_LEN) {
        let mut changed = spki.clone();
        changed[index] ^= 1;
        assert_eq!(
            IssuerKey::from_spki(&changed).err(),
            Some(Reason::IssuerKeyUnusable),
            "{index}"
        );
    }
    for (index, bit) in [(81, 0x80), (336, 1)] {
        let mut changed = spki.clone();
        changed[index] ^= bit;
        let refused = IssuerKey::from_spki(&changed).err();
        assert_eq!(refused, Some(Reason::IssuerKeyUnusable), "{index}");
    }
    let longer = [spki.as_slice(), &[0]].concat();
    for wrong in [&[][..], &spki[1..], &spki[..SPKI_LEN - 1], &longer] {
        assert!(IssuerKey::from_spki(wrong).is_err());
    }
    // Larger keys are for RFC 9474's vectors, not for tokens.
    let modulus = [&[0xc0][..], &[0; 382], &[1]].concat();
    assert!(RsaPublicKey::from_modulus(&modulus).is_ok());
    assert_eq!(
        IssuerKey::from_modulus(&modulus).err(),
        Some(Reason::IssuerKeyUnusable)
    );
    for len in [0, 1, 128, 255, 513] {
        let refused = RsaPublicKey::from_modulus(&vec![0xff; len]).err();
        assert_eq!(refused, Some(Reason::IssuerKeyUnusable), "{len}");
    }
}

#[test]
fn a_challenge_has_one_form() {
    let good = challenge().encode();
    assert_eq!(TokenChallenge::decode(&good), Ok(challenge()));
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = good.clone();
        change(&mut octets);
        TokenChallenge::decode(&octets)
    };
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let changes: [Change<'_>; 8] = [
        &|octets| octets[1] = 1,
        &|octets| octets[3] += 1,
        &|octets| octets[3] -= 1,
        // A redemption context.
        &|octets| octets[22] = 1,
        &|octets| octets.push(0),
        &|octets| octets.truncate(octets.len() - 1),
        &|octets| octets[4] = b'I',
        // Several origins.
        &|octets| octets[30] = b',',
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(with(change), Err(Reason::MalformedStorageToken), "{index}");
    }
    assert_eq!(
        TokenChallenge::decode(&[]),
        Err(Reason::MalformedStorageToken)
    );
    for authority in ["", "CPS.example", "a,b", "a b", "\u{e4}"] {
        let refused = TokenChallenge::new(&issuer(), authority).err();
        assert_eq!(refused, Some(Reason::MalformedUrl), "{authority}");
    }
}

#[test]
fn debug_shows_nothing_of_tokens_and_keys() {
    let (token, key) = token();
    assert_eq!(format!("{token:?}"), "Token(..)");
    assert_eq!(format!("{key:?}"), "OneTimeKey(..)");
    assert_eq!(format!("{:?}", pending()), "PendingToken(..)");
    assert_eq!(format!("{:?}", issuer_key(0)), "IssuerKey(..)");
    assert_eq!(format!("{:?}", issuer_key(0).rsa()), "RsaPublicKey(..)");
}
