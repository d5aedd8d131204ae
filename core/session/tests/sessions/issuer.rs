//! A token issuer and a service that wants its tokens, with real keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ringtrue_oob::Destination;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::Route;
use ringtrue_oob::http::{HttpRequest, HttpResponse, placement};
use ringtrue_oob::token::issuance::{self, Authorization, VerifyAuthorization};
use ringtrue_oob::token::issuer_directory::{self, PublishedKey};
use ringtrue_oob::token::redemption::{self, Redemption, StoreProof};
use ringtrue_oob::token::{IssuerKey, IssuerName, TokenChallenge};
use ringtrue_raw_rsa::RsaIssuerKey;
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{TelephoneNumber, UnixTime};

use crate::world::START_MS;

/// The issuer of these tests.
pub(crate) const ISSUER: &str = "issuer.example";

pub(crate) const DAY: u64 = 86_400;

/// When the world begins.
pub(crate) const START: u64 = START_MS / 1000;

pub(crate) fn issuer_name() -> IssuerName {
    IssuerName::parse(ISSUER).unwrap()
}

/// Keys take a while to make: all tests share them.
fn key_pair(index: usize) -> &'static RsaIssuerKey {
    static PAIRS: OnceLock<Vec<RsaIssuerKey>> = OnceLock::new();
    let pairs = PAIRS.get_or_init(|| (0..4).map(|_| RsaIssuerKey::generate().unwrap()).collect());
    &pairs[index]
}

pub(crate) fn public_key(index: usize) -> IssuerKey {
    IssuerKey::from_modulus(key_pair(index).modulus()).unwrap()
}

/// An issuer. Its keys are named by their place in the pool of all tests.
pub(crate) struct FakeIssuer {
    /// Which keys it shows, and from when each signs.
    pub(crate) keys: Vec<(usize, u64)>,
    /// What it shows every second asker instead.
    pub(crate) other_keys: Option<Vec<(usize, u64)>>,
    /// What it shows whoever comes through a relay instead.
    pub(crate) keys_for_anybody: Option<Vec<(usize, u64)>>,
    shown: usize,
    /// How many tokens it still gives.
    pub(crate) quota: usize,
    /// Whether it signs with a key that it does not show.
    pub(crate) cheats: bool,
    /// In whose name tokens were asked for.
    pub(crate) subjects: Vec<String>,
    pub(crate) authorizations: BTreeSet<String>,
}

impl FakeIssuer {
    /// An honest one whose key signs since an hour before the world begins.
    pub(crate) fn new() -> Self {
        Self {
            keys: vec![(0, START - 3600), (1, START - 3600 + DAY)],
            other_keys: None,
            keys_for_anybody: None,
            shown: 0,
            quota: usize::MAX,
            cheats: false,
            subjects: Vec::new(),
            authorizations: BTreeSet::new(),
        }
    }

    pub(crate) fn answer(
        &mut self,
        request: &HttpRequest,
        path: &str,
        knows_who: bool,
        anchors: &TrustAnchors,
        now: UnixTime,
    ) -> Result<HttpResponse, Problem> {
        match Route::decode("", request.method.as_str(), path).unwrap() {
            Route::IssuerDirectory => {
                issuer_directory::decode_request(request.header("accept"))?;
                self.shown += 1;
                let keys = match (&self.other_keys, &self.keys_for_anybody) {
                    (Some(others), _) if self.shown.is_multiple_of(2) => others,
                    (_, Some(others)) if !knows_who => others,
                    _ => &self.keys,
                };
                let keys: Vec<PublishedKey> = keys
                    .iter()
                    .map(|(index, not_before)| PublishedKey {
                        key: public_key(*index),
                        not_before: UnixTime::from_secs(*not_before),
                    })
                    .collect();
                Ok(issuer_directory::encode(issuance::REQUEST_PATH, &keys))
            }
            Route::TokenRequest => self.issue(request, anchors, now),
            other => panic!("nobody asks an issuer for {other:?}"),
        }
    }

    fn issue(
        &mut self,
        request: &HttpRequest,
        anchors: &TrustAnchors,
        now: UnixTime,
    ) -> Result<HttpResponse, Problem> {
        let asked = issuance::decode_request(request.header("content-type"), &request.body)?;
        let bearer = issuance::bearer(request.header("authorization")).unwrap();
        let authorization = Authorization::verify(
            bearer,
            &VerifyAuthorization {
                provider: &RustCrypto,
                anchors,
                rules: Profile::Stir.into(),
                issuer: &issuer_name(),
                body: &request.body,
                now,
            },
        )
        .unwrap();
        assert!(
            self.authorizations.insert(authorization.jti().to_owned()),
            "every request has an authorization of its own"
        );
        self.subjects.push(authorization.subject().to_owned());
        self.quota = self.quota.checked_sub(1).ok_or(Problem::OverLimit)?;
        let index = self
            .keys
            .iter()
            .rfind(|(_, not_before)| *not_before <= now.as_secs())
            .map(|(index, _)| *index)
            .unwrap();
        assert!(asked.is_for(&public_key(index)));
        let index = if self.cheats { 3 } else { index };
        let signed = key_pair(index).private_operation(&asked.blinded_message);
        Ok(issuance::encode_response(
            &signed.map_err(|_| Problem::MalformedTokenRequest)?,
        ))
    }
}

/// What a service asks of those who store.
#[derive(Default)]
pub(crate) struct Till {
    /// How many tokens a store costs; nought is one.
    pub(crate) price: usize,
    /// How many more each of its blobs costs.
    pub(crate) each: usize,
    /// Whether it refuses every token, whatever it is.
    pub(crate) closed: usize,
    /// The digests of what was spent.
    pub(crate) spent: BTreeSet<[u8; 32]>,
    /// What was paid with, store by store.
    pub(crate) paid: Vec<Vec<Redemption>>,
}

impl Till {
    /// Takes the tokens of a store, or says why not.
    pub(crate) fn take(
        &mut self,
        authority: &str,
        number: &TelephoneNumber,
        request: &HttpRequest,
        issuers: &BTreeMap<String, FakeIssuer>,
    ) -> Result<(), HttpResponse> {
        let challenge = TokenChallenge::new(&issuer_name(), authority).unwrap();
        let headers = request.headers.iter();
        let paid = redemption::decode(headers.map(|(name, value)| (name.as_str(), value.as_str())));
        let paid = paid.map_err(|_| Problem::TokenRejected.encode())?;
        if paid.is_empty() {
            let answer = Problem::TokenRequired.encode();
            return Err(redemption::with_challenge(
                answer,
                &challenge,
                &public_key(0),
            ));
        }
        if let Some(left) = self.closed.checked_sub(1) {
            self.closed = left;
            return Err(Problem::TokenRejected.encode());
        }
        let content_type = request.header("content-type");
        let blobs = placement::decode_store(content_type, &request.body).unwrap();
        let proof = StoreProof::new(authority, &Destination::from(number.clone()), &blobs).unwrap();
        let keys = &issuers[ISSUER].keys;
        for one in &paid {
            let key = keys
                .iter()
                .map(|(index, _)| public_key(*index))
                .find(|key| key.key_id() == one.token.key_id())
                .ok_or_else(|| Problem::TokenRejected.encode())?;
            let verified = proof.verify(&RustCrypto, &key, &challenge, one);
            assert_eq!(verified, Ok(()));
            assert_eq!(one.counter, 0);
        }
        let price = (self.price + self.each * blobs.len()).max(1);
        if paid.len() < price {
            return Err(Problem::encode_price(u32::try_from(price).unwrap()));
        }
        for one in &paid {
            assert!(self.spent.insert(one.token.digest()), "spent twice");
        }
        self.paid.push(paid);
        Ok(())
    }
}
