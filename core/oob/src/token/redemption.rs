//! The headers with which an anonymous sender pays for a store, and what a service asks for instead.
//!
//! The first token rides in `Authorization` with `STIR-OOB-Key`, `-Ctr` and `-Sig`; each further one in
//! a header `STIR-OOB-Token` of its own, whose four parts are what those four hold. Every token is
//! proven by its own one-time key over the same store ([`StoreProof`]).
//!
//! Source: docs/protocol.md section 19.1 (PRV-25, PRV-32, W-29, W-30); RFC 9577 section 2.

use core::fmt;

use ringtrue_stir::crypto::{CryptoProvider, Es256Signature, P256PublicKey};
use ringtrue_stir::{Reason, base64url};
use sha2::{Digest as _, Sha256};

use super::{IssuerKey, OneTimeKey, Token, TokenChallenge};
use crate::http::HttpResponse;
use crate::{Blob, Destination};

/// Tokens with one store. The highest price that a service can ask; 32 of them are some 20 KB of
/// headers, which every HTTP stack takes.
pub const MAX_TOKENS: usize = 32;

/// Characters of a header value that are read: a token with key, counter and signature has 617.
const MAX_VALUE_LEN: usize = 1024;

/// The label in front of what K_temp signs; the zero octet ends it.
const STORE_LABEL: &[u8] = b"STIR-OOB store v1\0";

const AUTHORIZATION: &str = "authorization";
const KEY: &str = "stir-oob-key";
const COUNTER: &str = "stir-oob-ctr";
const SIGNATURE: &str = "stir-oob-sig";
const FURTHER_TOKEN: &str = "stir-oob-token";
const CHALLENGE: &str = "www-authenticate";

/// The authentication scheme (RFC 9577 section 2).
const SCHEME: &str = "PrivateToken";

/// A token with the proof that its one-time key stands behind this store. Of the right form; nothing is
/// verified yet.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Redemption {
    /// The token.
    pub token: Token,
    /// K_temp.
    pub one_time_key: P256PublicKey,
    /// How often the token was used before: 0 for the first use.
    pub counter: u32,
    /// K_temp's signature over the store.
    pub signature: Es256Signature,
}

impl fmt::Debug for Redemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redemption(..)")
    }
}

/// What a store is, for the signatures of the tokens that pay for it.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct StoreProof {
    /// Label, authority and destination.
    head: Vec<u8>,
    body_digest: [u8; 32],
}

impl fmt::Debug for StoreProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreProof(..)")
    }
}

impl StoreProof {
    /// Describes a store of `blobs`, in the order of the request, for `destination` at the service with
    /// this authority. What is signed is the blobs themselves, not their spelling in the body (W-29).
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`], [`Reason::MalformedUrl`] for an authority or a destination that is empty or
    /// too long.
    pub fn new(authority: &str, destination: &Destination, blobs: &[Blob]) -> Result<Self, Reason> {
        let len = u16::try_from(authority.len()).map_err(|_| Reason::TooLong)?;
        let mut head = STORE_LABEL.to_vec();
        head.extend_from_slice(&len.to_be_bytes());
        head.extend_from_slice(authority.as_bytes());
        head.extend_from_slice(&destination.tagged()?);
        let mut body = Sha256::new();
        for blob in blobs {
            body.update(blob.as_octets());
        }
        Ok(Self {
            head,
            body_digest: body.finalize().into(),
        })
    }

    /// SHA-256 over the blobs: together with token and counter it tells a retry from another store.
    #[must_use]
    pub const fn body_digest(&self) -> &[u8; 32] {
        &self.body_digest
    }

    /// What K_temp signs.
    #[must_use]
    pub fn signing_input(&self, token_digest: &[u8; 32], counter: u32) -> Vec<u8> {
        [
            self.head.as_slice(),
            token_digest,
            &counter.to_be_bytes(),
            &self.body_digest,
        ]
        .concat()
    }

    /// Pays for the store with a token: the signature is by its one-time key.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`] if the token is not bound to this key; those of the provider.
    pub fn redeem(
        &self,
        provider: &dyn CryptoProvider,
        token: &Token,
        one_time_key: &OneTimeKey,
        counter: u32,
    ) -> Result<Redemption, Reason> {
        if !token.is_bound_to(one_time_key.public()) {
            return Err(Reason::TokenInvalid);
        }
        let input = self.signing_input(&token.digest(), counter);
        Ok(Redemption {
            token: token.clone(),
            one_time_key: *one_time_key.public(),
            counter,
            signature: one_time_key.sign(provider, &input)?,
        })
    }

    /// Verifies one redemption on the service, cheapest check first: the key's id, the challenge, the
    /// binding to K_temp, the issuer's signature, K_temp's signature over this store (PRV-32). Whether
    /// the token is spent is for the service's memory.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`].
    pub fn verify(
        &self,
        provider: &dyn CryptoProvider,
        issuer_key: &IssuerKey,
        challenge: &TokenChallenge,
        redemption: &Redemption,
    ) -> Result<(), Reason> {
        let token = &redemption.token;
        let fits = token.key_id() == issuer_key.key_id()
            && token.challenge_digest() == &challenge.digest()
            && token.is_bound_to(&redemption.one_time_key);
        if !fits {
            return Err(Reason::TokenInvalid);
        }
        issuer_key.verify(token)?;
        let input = self.signing_input(&token.digest(), redemption.counter);
        if provider.verify_es256(&redemption.one_time_key, &input, &redemption.signature) {
            Ok(())
        } else {
            Err(Reason::TokenInvalid)
        }
    }
}

/// The headers that pay for a store, names in lower case.
///
/// # Errors
///
/// [`Reason::MalformedStorageToken`] for none, more than [`MAX_TOKENS`], or one token twice.
pub fn encode(redemptions: &[Redemption]) -> Result<Vec<(String, String)>, Reason> {
    require_distinct(redemptions)?;
    let (first, further) = redemptions
        .split_first()
        .ok_or(Reason::MalformedStorageToken)?;
    let [token, key, counter, signature] = parts(first);
    let mut headers = vec![
        (
            AUTHORIZATION.to_owned(),
            format!("{SCHEME} token=\"{token}\""),
        ),
        (KEY.to_owned(), key),
        (COUNTER.to_owned(), counter),
        (SIGNATURE.to_owned(), signature),
    ];
    headers.extend(
        further
            .iter()
            .map(|redemption| (FURTHER_TOKEN.to_owned(), parts(redemption).join("."))),
    );
    Ok(headers)
}

fn parts(redemption: &Redemption) -> [String; 4] {
    [
        base64url::encode(&redemption.token.to_octets()),
        base64url::encode(&redemption.one_time_key.to_compressed()),
        redemption.counter.to_string(),
        base64url::encode(redemption.signature.as_raw()),
    ]
}

/// Reads the headers of a store on the service: `name` and value in the order of the request, names in
/// any case. Other headers are ignored; no header of ours is no redemption.
///
/// # Errors
///
/// [`Reason::MalformedStorageToken`] for a header that is missing, repeated, too long or of another
/// form, over [`MAX_TOKENS`], or one token twice.
pub fn decode<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<Redemption>, Reason> {
    let mut single: [Option<&str>; 4] = [None; 4];
    let mut further = Vec::new();
    for (name, value) in headers {
        let names = [AUTHORIZATION, KEY, COUNTER, SIGNATURE];
        let found = names
            .iter()
            .zip(single.iter_mut())
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let is_further = name.eq_ignore_ascii_case(FURTHER_TOKEN);
        if (found.is_some() || is_further) && value.len() > MAX_VALUE_LEN {
            return Err(Reason::MalformedStorageToken);
        }
        match found {
            Some((_, slot)) if slot.is_none() => *slot = Some(value),
            Some(_) => return Err(Reason::MalformedStorageToken),
            None if is_further && further.len() < MAX_TOKENS => further.push(value),
            None if is_further => return Err(Reason::MalformedStorageToken),
            None => {}
        }
    }
    let first = match single {
        [None, None, None, None] if further.is_empty() => return Ok(Vec::new()),
        [
            Some(authorization),
            Some(key),
            Some(counter),
            Some(signature),
        ] => {
            let token = parameter(authorization, "token").ok_or(Reason::MalformedStorageToken)?;
            redemption([token.as_str(), key.trim(), counter.trim(), signature.trim()])?
        }
        _ => return Err(Reason::MalformedStorageToken),
    };
    let mut redemptions = vec![first];
    for value in further {
        let mut parts = value.trim().split('.');
        let four = [parts.next(), parts.next(), parts.next(), parts.next()];
        match (four, parts.next()) {
            ([Some(token), Some(key), Some(counter), Some(signature)], None) => {
                redemptions.push(redemption([token, key, counter, signature])?);
            }
            _ => return Err(Reason::MalformedStorageToken),
        }
    }
    require_distinct(&redemptions)?;
    Ok(redemptions)
}

/// A token pays once, also within one store.
fn require_distinct(redemptions: &[Redemption]) -> Result<(), Reason> {
    let repeated = redemptions.iter().enumerate().any(|(index, one)| {
        redemptions
            .iter()
            .take(index)
            .any(|other| other.token.nonce() == one.token.nonce())
    });
    if repeated || redemptions.len() > MAX_TOKENS {
        return Err(Reason::MalformedStorageToken);
    }
    Ok(())
}

fn redemption([token, key, counter, signature]: [&str; 4]) -> Result<Redemption, Reason> {
    let read = || {
        let key = base64url::decode(key).ok()?;
        let signature = base64url::decode(signature).ok()?;
        // One spelling: no sign, no leading zero.
        let value: u32 = counter.parse().ok()?;
        (value.to_string() == counter).then_some(())?;
        Some(Redemption {
            token: Token::from_octets(&base64url::decode(token).ok()?).ok()?,
            one_time_key: P256PublicKey::from_compressed(&key).ok()?,
            counter: value,
            signature: Es256Signature::from_raw(&signature).ok()?,
        })
    };
    read().ok_or(Reason::MalformedStorageToken)
}

/// Adds what a service asks for to its answer 401: the challenge, and the key that tokens are to be of.
///
/// Source: RFC 9577 section 2.1.
#[must_use]
pub fn with_challenge(
    answer: HttpResponse,
    challenge: &TokenChallenge,
    issuer_key: &IssuerKey,
) -> HttpResponse {
    let challenge = padded(&challenge.encode());
    let key = padded(issuer_key.spki());
    answer.with_header(
        CHALLENGE,
        format!("{SCHEME} challenge=\"{challenge}\", token-key=\"{key}\""),
    )
}

/// What a service asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The challenge.
    pub challenge: TokenChallenge,
    /// The issuer's key.
    pub issuer_key: IssuerKey,
}

/// Reads what an answer 401 asks for; `None` if it asks for nothing that this profile has.
///
/// Nobody follows a challenge to an issuer: a service could name one of its own and learn from it who is
/// calling. It only says whether the tokens at hand are the right ones.
#[must_use]
pub fn demand(answer: &HttpResponse) -> Option<Demand> {
    /// Challenge and key in base64, with names and quotes.
    const MAX_CHALLENGE_LEN: usize = 2048;
    let value = answer
        .header(CHALLENGE)
        .filter(|value| value.len() <= MAX_CHALLENGE_LEN)?;
    let octets = |name| base64url::decode(&parameter(value, name)?).ok();
    Some(Demand {
        challenge: TokenChallenge::decode(&octets("challenge")?).ok()?,
        issuer_key: IssuerKey::from_spki(&octets("token-key")?).ok()?,
    })
}

/// The parameter of a `PrivateToken` credential or challenge, without quotes and padding.
fn parameter(value: &str, name: &str) -> Option<String> {
    let value = value.trim();
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let mut found = rest.split(',').filter_map(|parameter| {
        let (known, value) = parameter.trim().split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then_some(value)
    });
    let value = found.next()?.trim();
    if found.next().is_some() {
        return None;
    }
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    Some(value.trim_end_matches('=').to_owned())
}

/// Base64url with padding, as RFC 9577 writes challenges and keys.
pub(super) fn padded(octets: &[u8]) -> String {
    let mut text = base64url::encode(octets);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}
