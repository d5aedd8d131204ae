//! Storage tokens: the octets, the headers they ride in, issuers' directories and authorizations.

use ringtrue_oob::http::{HttpResponse, problem};
use ringtrue_oob::token::issuance::{self, Authorization, VerifyAuthorization};
use ringtrue_oob::token::issuer_directory::{self, MAX_TOKEN_KEYS, ROTATION};
use ringtrue_oob::token::redemption::{self, MAX_TOKENS};
use ringtrue_oob::token::{IssuerKey, IssuerName, Token, TokenChallenge};
use ringtrue_stir::UnixTime;
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::jws::CompactJws;

use super::any_signature::AnySignature;
use super::messages::message;
use super::text;

/// The issuer of every seed.
const ISSUER: &str = "issuer.example.com";

/// A time within the certificates of the vectors.
const NOW: u64 = 1_800_000_000;

/// Tokens, challenges, keys and requests: each has one spelling.
pub(super) fn storage_token(octets: &[u8]) {
    if let Ok(token) = Token::from_octets(octets) {
        assert_eq!(token.to_octets().as_slice(), octets, "a token is kept");
    }
    if let Ok(challenge) = TokenChallenge::decode(octets) {
        assert_eq!(challenge.encode(), octets, "a challenge is kept");
    }
    if let Ok(key) = IssuerKey::from_spki(octets) {
        assert_eq!(key.spki(), octets, "a key is kept");
        if let Ok(token) = Token::from_octets(octets.get(..354).unwrap_or_default()) {
            assert!(key.verify(&token).is_err(), "nobody signed this");
        }
    }
    let _ = issuance::decode_request(Some(issuance::REQUEST_TYPE), octets);
}

/// The headers of a store, and of an answer that asks for tokens.
pub(super) fn token_headers(octets: &[u8]) {
    let Some((first, answer)) = message(octets) else {
        return;
    };
    let pairs = answer.headers.iter();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
    if let Ok(paid) = redemption::decode(pairs)
        && !paid.is_empty()
    {
        assert!(paid.len() <= MAX_TOKENS, "within the limit");
        let again = redemption::encode(&paid).and_then(|headers| {
            let pairs = headers.iter();
            redemption::decode(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
        });
        assert!(
            again.is_ok_and(|again| again == paid),
            "redemptions are kept"
        );
    }
    let status = first.parse().unwrap_or(429);
    let answer = HttpResponse { status, ..answer };
    if let Some(demand) = redemption::demand(&answer) {
        let asked = HttpResponse {
            headers: Vec::new(),
            ..answer.clone()
        };
        let asked = redemption::with_challenge(asked, &demand.challenge, &demand.issuer_key);
        assert!(
            redemption::demand(&asked) == Some(demand),
            "a demand is kept"
        );
    }
    if let Some(price) = problem::price(&answer) {
        assert!(price.is_power_of_two(), "a price is a power of two");
    }
    let _ = issuance::decode_response(&answer);
}

/// What an issuer publishes.
pub(super) fn issuer_directory(octets: &[u8]) {
    let Ok(issuer) = IssuerName::parse(ISSUER) else {
        return;
    };
    let mut answer = issuer_directory::encode("/", &[]);
    answer.body = octets.to_vec();
    let Ok(directory) = issuer_directory::decode(&issuer, &answer) else {
        return;
    };
    assert!(directory.keys.len() <= MAX_TOKEN_KEYS, "within the limit");
    let home = issuer.base_url().join("/");
    assert!(directory.request_url.starts_with(&home), "at the issuer");
    let again = issuer_directory::encode(&directory.request_url, &directory.keys);
    let again = issuer_directory::decode(&issuer, &again);
    assert!(again.is_ok_and(|again| again == directory), "keys are kept");
    let _ = directory.current(UnixTime::from_secs(NOW), ROTATION);
}

/// Who asks an issuer for a token. The certificates in the header are their own anchors.
pub(super) fn token_authorization(octets: &[u8]) {
    let (Some(text), Ok(issuer)) = (text(octets), IssuerName::parse(ISSUER)) else {
        return;
    };
    let mut anchors = TrustAnchors::new();
    let bag = CompactJws::parse(text, issuance::MAX_AUTHORIZATION_LEN)
        .ok()
        .and_then(|jws| jws.x5c().ok().flatten());
    for certificate in bag.iter().flat_map(|bag| bag.certificates()) {
        let _ = anchors.add(certificate.clone());
    }
    let verified = Authorization::verify(
        text,
        &VerifyAuthorization {
            provider: &AnySignature,
            anchors: &anchors,
            rules: Profile::Stir.into(),
            issuer: &issuer,
            body: b"",
            now: UnixTime::from_secs(NOW),
        },
    );
    if let Ok(authorization) = verified {
        assert!(authorization.expires().as_secs() > NOW, "not over");
        assert!(!authorization.subject().is_empty() && !authorization.jti().is_empty());
    }
}
