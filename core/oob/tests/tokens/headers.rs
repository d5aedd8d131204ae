//! The headers of a store and of the answer that asks for tokens; prices.

use proptest::prelude::*;
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::{self, Problem};
use ringtrue_oob::token::redemption::{self, Demand, MAX_TOKENS, Redemption};
use ringtrue_oob::token::{AUTHENTICATOR_LEN, OneTimeKey, Token, token_input};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto, SecretKey};

use crate::{challenge, issuer_key, redemption as one};

/// A redemption of the right form that nobody would take, made of a few octets.
fn shaped(seed: u8, counter: u32) -> Redemption {
    let mut secret = [7; 32];
    secret[31] = seed;
    let secret = SecretKey::new(secret);
    let key = OneTimeKey::from_secret(&RustCrypto, secret.clone()).unwrap();
    let input = token_input(&key.nonce(), &[1; 32], &[2; 32]);
    let octets = [&input[..], &[seed; AUTHENTICATOR_LEN]].concat();
    Redemption {
        token: Token::from_octets(&octets).unwrap(),
        one_time_key: *key.public(),
        counter,
        signature: RustCrypto.sign_es256(&secret, &[seed]).unwrap(),
    }
}

fn decode(headers: &[(String, String)]) -> Result<Vec<Redemption>, Reason> {
    let pairs = headers.iter();
    redemption::decode(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
}

#[test]
fn a_store_without_our_headers_pays_with_nothing() {
    assert_eq!(decode(&[]), Ok(vec![]));
    let other = [("accept".to_owned(), "application/json".to_owned())];
    assert_eq!(decode(&other), Ok(vec![]));
}

#[test]
fn one_token_rides_in_four_headers_and_each_further_one_in_one() {
    let paid = [shaped(1, 0), shaped(2, 0), shaped(3, 7)];
    let headers = redemption::encode(&paid).unwrap();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "authorization",
            "stir-oob-key",
            "stir-oob-ctr",
            "stir-oob-sig",
            "stir-oob-token",
            "stir-oob-token"
        ]
    );
    assert_eq!(headers[2].1, "0");
    let parts: Vec<&str> = headers[5].1.split('.').collect();
    assert_eq!((parts.len(), parts[2]), (4, "7"));
    assert_eq!(decode(&headers).unwrap(), paid);
}

#[test]
fn names_and_scheme_are_read_in_any_case_and_the_token_with_or_without_quotes() {
    let paid = one();
    let mut headers = redemption::encode(core::slice::from_ref(&paid)).unwrap();
    for (name, _) in &mut headers {
        *name = name.to_uppercase();
    }
    let value = headers[0].1.clone();
    for spelled in [
        value.replace("PrivateToken", "privatetoken"),
        value.replace('"', ""),
        value.replace("token=\"", "token = \""),
        value.replace("token=\"", "extra=1, token=\""),
    ] {
        headers[0].1 = spelled;
        assert_eq!(decode(&headers), Ok(vec![paid.clone()]), "{}", headers[0].1);
    }
}

#[test]
fn a_header_that_is_missing_repeated_or_odd_is_refused() {
    let good = redemption::encode(&[shaped(1, 0), shaped(2, 0)]).unwrap();
    let refused = |headers: &[(String, String)]| {
        assert_eq!(decode(headers), Err(Reason::MalformedStorageToken));
    };
    for missing in 0..4 {
        let mut headers = good.clone();
        headers.remove(missing);
        refused(&headers);
    }
    for repeated in 0..5 {
        let mut headers = good.clone();
        headers.push(good[repeated].clone());
        refused(&headers);
    }
    let value = good[0].1.as_str();
    let token = value.strip_prefix("PrivateToken token=").unwrap();
    let odd = [
        (0, String::new()),
        (0, token.to_owned()),
        (0, value.replace("PrivateToken", "Bearer")),
        (0, value.replace("token=", "challenge=")),
        (0, format!("{value}, token={token}")),
        (0, value.replace("token=\"AA", "token=\"AB")),
        (0, value[..value.len() - 1].to_owned()),
        (0, value.replace('"', "'")),
        (1, String::new()),
        (1, good[3].1.clone()),
        (1, format!("{}=", good[1].1)),
        (1, good[1].1.replacen('A', "B", 1)),
        (2, String::new()),
        (2, "-1".into()),
        (2, "+1".into()),
        (2, "01".into()),
        (2, "1.0".into()),
        (2, "4294967296".into()),
        (3, String::new()),
        (3, "A".repeat(86)),
        (3, good[1].1.clone()),
        (4, String::new()),
        (4, good[4].1.replacen('.', "", 1)),
        (4, format!("{}.", good[4].1)),
        (4, format!(".{}", good[4].1)),
        (4, "a.b.c.d".into()),
        (4, "x".repeat(1025)),
    ];
    for (index, value) in odd {
        let mut headers = good.clone();
        headers[index].1 = value;
        assert_eq!(
            decode(&headers),
            Err(Reason::MalformedStorageToken),
            "{:?}",
            headers[index]
        );
    }
}

#[test]
fn a_token_pays_once_within_a_store_and_there_is_a_limit() {
    let twice = [shaped(1, 0), shaped(1, 1)];
    assert_eq!(
        redemption::encode(&twice).err(),
        Some(Reason::MalformedStorageToken)
    );
    let mut headers = redemption::encode(&twice[..1]).unwrap();
    let further = redemption::encode(&[shaped(9, 0), twice[1].clone()]).unwrap();
    headers.push(further[4].clone());
    assert_eq!(decode(&headers), Err(Reason::MalformedStorageToken));

    let many = |count: usize| -> Vec<Redemption> {
        (1..=count)
            .map(|seed| shaped(u8::try_from(seed).unwrap(), 0))
            .collect()
    };
    let full = redemption::encode(&many(MAX_TOKENS)).unwrap();
    assert_eq!(decode(&full).unwrap().len(), MAX_TOKENS);
    for count in [0, MAX_TOKENS + 1] {
        assert_eq!(
            redemption::encode(&many(count)).err(),
            Some(Reason::MalformedStorageToken)
        );
    }
    let mut over = full;
    over.push((
        "stir-oob-token".into(),
        redemption::encode(&[shaped(98, 0), shaped(99, 0)]).unwrap()[4]
            .1
            .clone(),
    ));
    assert_eq!(decode(&over), Err(Reason::MalformedStorageToken));
}

#[test]
fn what_a_service_asks_for_comes_back() {
    let answer = Problem::TokenRequired.encode();
    let answer = redemption::with_challenge(answer, &challenge(), &issuer_key(0));
    let wanted = Demand {
        challenge: challenge(),
        issuer_key: issuer_key(0),
    };
    assert_eq!(redemption::demand(&answer), Some(wanted.clone()));
    // Without padding, as others may write it.
    let with = |value: String| HttpResponse {
        status: 401,
        headers: vec![("WWW-Authenticate".into(), value)],
        body: Vec::new(),
    };
    let value = answer.header("www-authenticate").unwrap();
    let unpadded = with(
        value
            .replace("=\"", "\u{0}")
            .replace('=', "")
            .replace('\u{0}', "=\""),
    );
    assert_eq!(redemption::demand(&unpadded), Some(wanted));
    for odd in [
        String::new(),
        "PrivateToken".into(),
        value.replace("PrivateToken", "Basic"),
        value.replace("challenge", "challengé"),
        value.replace("token-key", "key"),
        value.replace("challenge=\"AAI", "challenge=\"AAE"),
        format!("{value}, challenge=\"x\""),
        format!("{value}{}", " ".repeat(2048)),
    ] {
        assert_eq!(redemption::demand(&with(odd.clone())), None, "{odd}");
    }
    assert_eq!(redemption::demand(&Problem::TokenRequired.encode()), None);
}

#[test]
fn a_price_is_a_power_of_two_whether_it_can_be_paid_or_not() {
    let size = Problem::encode_price(1).body.len();
    for price in [1, 2, 4, 8, 16, 32, 64, 128, 1 << 31] {
        let answer = Problem::encode_price(price);
        assert_eq!(answer.status, 429);
        assert_eq!(Problem::decode(&answer), Some(Problem::OverLimit));
        let read = problem::price(&answer).unwrap();
        assert_eq!(u32::try_from(read), Ok(price));
        assert_eq!(answer.body.len(), size);
    }
    for odd in [0, 3, 6, 33, u32::MAX] {
        assert_eq!(problem::price(&Problem::encode_price(odd)), None, "{odd}");
    }
    assert_eq!(problem::price(&Problem::OverLimit.encode()), None);
    let mut other = Problem::encode_price(4);
    other.status = 503;
    assert_eq!(problem::price(&other), None);
    let mut worded = Problem::encode_price(4);
    worded.body = String::from_utf8(worded.body)
        .unwrap()
        .replace(":4,", ":\"4\",")
        .into_bytes();
    assert_eq!(problem::price(&worded), None);
}

proptest! {
    #[test]
    fn redemptions_come_back(seeds in prop::collection::btree_set(1_u8..=200, 1..6), counter: u32) {
        let paid: Vec<Redemption> = seeds.into_iter().map(|seed| shaped(seed, counter)).collect();
        let headers = redemption::encode(&paid).unwrap();
        prop_assert_eq!(decode(&headers).unwrap(), paid);
    }

    #[test]
    fn reading_never_panics(authorization in ".{0,60}", key in ".{0,50}", counter in ".{0,12}", further in ".{0,80}") {
        let headers = [
            ("authorization", authorization.as_str()),
            ("stir-oob-key", key.as_str()),
            ("stir-oob-ctr", counter.as_str()),
            ("stir-oob-sig", key.as_str()),
            ("stir-oob-token", further.as_str()),
        ];
        let read = redemption::decode(headers);
        prop_assert_eq!(read, Err(Reason::MalformedStorageToken));
        let answer = HttpResponse {
            status: 401,
            headers: vec![("www-authenticate".into(), authorization)],
            body: further.into_bytes(),
        };
        prop_assert_eq!(redemption::demand(&answer), None);
    }
}
