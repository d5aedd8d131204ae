//! Tokens against a store: what is checked in which order, and what a second request gets.
//!
//! A token that passed every check belongs to the store that it came with: to this number, these blobs,
//! this counter. It is remembered as spent from then on, also when the price was not met, so that the
//! price of a number cannot be asked for twice with one token; but the same store may come again, with
//! more tokens, and is then completed with those it came with before.
//!
//! What is kept of a store beyond the digest of its token is the digest of what the token signed and the
//! answer, for as long as the blob lives, so that a retry gets the same answer (PRV-32, PRV-33).
//!
//! Source: docs/protocol.md section 19.1.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::token::redemption::{self, Redemption, StoreProof, with_challenge};
use ringtrue_oob::token::{IssuerKey, TokenChallenge};
use ringtrue_oob::{Blob, Destination};
use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use sha2::{Digest as _, Sha256};

use super::SPENT_MARGIN;
use super::accepted_keys::AcceptedKeys;
use super::spent::{SpentToken, SpentTokens};

/// Uses of one token. RFC 8816 section 7.5 lets a service count to more; one use cannot be linked to
/// another.
const USES: u32 = 1;

/// What is asked of stores, and what was seen of them.
#[derive(Debug)]
pub(crate) struct RedemptionDesk {
    challenge: TokenChallenge,
    keys: AcceptedKeys,
    spent: Arc<dyn SpentTokens>,
    /// How long answers are kept for retries, in milliseconds: as long as blobs live.
    remembered_ms: u64,
    stores: Mutex<HashMap<[u8; 32], Seen>>,
}

/// The store that a token came with, by the digest of the token.
#[derive(Debug)]
struct Seen {
    /// SHA-256 of what the token signed.
    store: [u8; 32],
    /// The answer, once the store was done.
    answer: Option<Arc<HttpResponse>>,
    until_ms: u64,
}

/// A token that passed every check but the memory's.
pub(crate) struct CheckedToken {
    token: SpentToken,
    store: [u8; 32],
}

/// How a store went that was paid for, for a given number of tokens.
pub(crate) enum Outcome {
    /// It is done: every retry gets this answer.
    Done(HttpResponse),
    /// It is not, and may come again.
    NotDone(HttpResponse),
}

impl RedemptionDesk {
    pub(crate) fn new(
        challenge: TokenChallenge,
        keys: AcceptedKeys,
        spent: Arc<dyn SpentTokens>,
        remembered_ms: u64,
    ) -> Self {
        Self {
            challenge,
            keys,
            spent,
            remembered_ms,
            stores: Mutex::default(),
        }
    }

    /// Reads the tokens of a request, before its body. None at all is answered with a challenge.
    pub(crate) fn read<'a>(
        &self,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        now: UnixTime,
    ) -> Result<Vec<Redemption>, HttpResponse> {
        match redemption::decode(headers) {
            Ok(redemptions) if redemptions.is_empty() => Err(self.demand(now)),
            Ok(redemptions) => Ok(redemptions),
            Err(_) => Err(Problem::TokenRejected.encode()),
        }
    }

    fn demand(&self, now: UnixTime) -> HttpResponse {
        match self.keys.wanted(now) {
            Some(wanted) => with_challenge(
                Problem::TokenRequired.encode(),
                &self.challenge,
                &wanted.key,
            ),
            None => Problem::Unavailable.encode(),
        }
    }

    /// Checks what a token says of itself: its key, its challenge, its one-time key, its issuer's
    /// signature. Needs no body.
    pub(crate) fn check_tokens(
        &self,
        redemptions: &[Redemption],
        now: UnixTime,
    ) -> Result<(), HttpResponse> {
        for redemption in redemptions {
            let (key, _) = self.key_of(redemption, now)?;
            let token = &redemption.token;
            let holds = token.challenge_digest() == &self.challenge.digest()
                && token.is_bound_to(&redemption.one_time_key)
                && key.verify(token).is_ok();
            if !holds {
                return Err(rejected(Reason::TokenInvalid));
            }
        }
        Ok(())
    }

    /// Checks everything, in the order of docs/protocol.md: key, challenge, one-time key, the issuer's
    /// signature, the one-time key's signature over this store, the counter.
    pub(crate) fn check(
        &self,
        provider: &dyn CryptoProvider,
        number: &TelephoneNumber,
        blobs: &[Blob],
        redemptions: &[Redemption],
        now: UnixTime,
    ) -> Result<Vec<CheckedToken>, HttpResponse> {
        let destination = Destination::TelephoneNumber(number.clone());
        let proof =
            StoreProof::new(self.challenge.origin(), &destination, blobs).map_err(rejected)?;
        redemptions
            .iter()
            .map(|redemption| {
                let (key, end) = self.key_of(redemption, now)?;
                proof
                    .verify(provider, &key, &self.challenge, redemption)
                    .map_err(rejected)?;
                if redemption.counter >= USES {
                    return Err(rejected(Reason::TokenSpent));
                }
                let digest = redemption.token.digest();
                let signed = proof.signing_input(&digest, redemption.counter);
                Ok(CheckedToken {
                    token: SpentToken {
                        digest,
                        key_id: *key.key_id(),
                        until: end.plus(SPENT_MARGIN),
                    },
                    store: Sha256::digest(signed).into(),
                })
            })
            .collect()
    }

    fn key_of(
        &self,
        redemption: &Redemption,
        now: UnixTime,
    ) -> Result<(IssuerKey, UnixTime), HttpResponse> {
        let (published, end) = self
            .keys
            .find(redemption.token.key_id(), now)
            .ok_or_else(|| rejected(Reason::TokenInvalid))?;
        Ok((published.key, end))
    }

    /// Spends the tokens and lets the store go ahead with their number; a store that was done before is
    /// answered as it was then. Two requests with one token never get here at once.
    ///
    /// # Errors
    ///
    /// The answer to a token that was spent for another store, or that cannot be remembered.
    pub(crate) fn spend(
        &self,
        tokens: &[CheckedToken],
        now_ms: u64,
        store: impl FnOnce(usize) -> Outcome,
    ) -> Result<HttpResponse, HttpResponse> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = Vec::new();
        for checked in tokens {
            match stores.get(&checked.token.digest) {
                Some(seen) if seen.store != checked.store => {
                    return Err(rejected(Reason::TokenSpent));
                }
                Some(Seen {
                    answer: Some(answer),
                    ..
                }) => return Ok(HttpResponse::clone(answer)),
                Some(_) => {}
                None => fresh.push(checked.token),
            }
        }
        self.spent.spend(&fresh).map_err(rejected)?;
        let until_ms = now_ms.saturating_add(self.remembered_ms);
        let (answer, done) = match store(tokens.len()) {
            Outcome::Done(answer) => (answer.clone(), Some(Arc::new(answer))),
            Outcome::NotDone(answer) => (answer, None),
        };
        for checked in tokens {
            let seen = Seen {
                store: checked.store,
                answer: done.clone(),
                until_ms,
            };
            stores.insert(checked.token.digest, seen);
        }
        Ok(answer)
    }

    /// Forgets stores whose blobs are gone and tokens whose keys are, and looks whether the keys changed.
    pub(crate) fn tidy(&self, now: UnixTime, now_ms: u64) {
        self.stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, seen| seen.until_ms > now_ms);
        self.spent.tidy(now);
        if let AcceptedKeys::File(directory) = &self.keys
            && let Err(reason) = directory.refresh()
        {
            tracing::warn!(
                reason = reason.name(),
                "the token issuer's directory could not be read anew"
            );
        }
    }

    /// Tokens that are remembered as spent.
    pub(crate) fn spent_count(&self) -> usize {
        self.spent.count()
    }
}

/// What a client is told about a token that is not taken: nothing but that.
fn rejected(reason: Reason) -> HttpResponse {
    match reason {
        Reason::OverLimit | Reason::StateUnavailable => Problem::Unavailable.encode(),
        _ => Problem::TokenRejected.encode(),
    }
}
