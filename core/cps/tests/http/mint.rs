//! Storage tokens for tests: a service with an issuer whose keys are known, and tokens signed by them.

use std::path::Path;
use std::sync::LazyLock;

use ringtrue_cps::{ServiceConfig, TokenIssuer, TokenSettings};
use ringtrue_lab::Credential;
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::token::issuance::{self, AuthorizationDraft};
use ringtrue_oob::token::redemption::{self, Redemption, StoreProof};
use ringtrue_oob::token::{IssuerKey, IssuerName, OneTimeKey, PendingToken, Token, TokenChallenge};
use ringtrue_oob::{BaseUrl, Blob, Destination, Suite};
use ringtrue_raw_rsa::RsaIssuerKey;
use ringtrue_stir::UnixTime;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto};

use crate::client::Connection;
use crate::world::{START_MS, World, blob, number};

pub(crate) const DAY: u64 = 86_400;

/// The base URL of a service with tokens.
pub(crate) const BASE: &str = "https://cps.example.com";

/// Three keys for all tests: making one takes a while.
static KEYS: LazyLock<[RsaIssuerKey; 3]> =
    LazyLock::new(|| std::array::from_fn(|_| RsaIssuerKey::generate().unwrap()));

/// The first second of the day on which tests begin.
pub(crate) fn today() -> u64 {
    START_MS / 1000 / DAY * DAY
}

/// The public half of a key: 0 is yesterday's, 1 today's, 2 tomorrow's.
pub(crate) fn issuer_key(day: usize) -> IssuerKey {
    IssuerKey::from_modulus(KEYS[day].modulus()).unwrap()
}

/// Puts the keys of these days into a service's state folder.
pub(crate) fn put_keys(state: &Path, days: &[usize]) {
    let folder = state.join("issuer");
    std::fs::create_dir_all(&folder).unwrap();
    for day in days {
        let not_before = today() + DAY * u64::try_from(*day).unwrap() - DAY;
        let path = folder.join(format!("issuer-key-{not_before}.der"));
        std::fs::write(path, &*KEYS[*day].to_pkcs8().unwrap()).unwrap();
    }
}

/// A service that takes no store without a token and signs them itself.
pub(crate) fn token_required(config: &mut ServiceConfig, state: &Path) {
    put_keys(state, &[0, 1, 2]);
    config.state_folder = Some(state.to_owned());
    config.base_url = Some(BaseUrl::parse(BASE).unwrap());
    config.tokens = Some(TokenSettings::required());
}

/// The same with another quota, and one for providers.
pub(crate) fn with_quotas(config: &mut ServiceConfig, quota: u32, provider_quota: Option<u32>) {
    if let Some(tokens) = &mut config.tokens {
        tokens.issuer = TokenIssuer::Own {
            quota,
            provider_quota,
        };
    }
}

pub(crate) async fn token_world(state: &Path) -> World {
    World::with(|config| token_required(config, state)).await
}

pub(crate) fn issuer_name() -> IssuerName {
    IssuerName::parse("cps.example.com").unwrap()
}

pub(crate) fn challenge() -> TokenChallenge {
    TokenChallenge::new(&issuer_name(), "cps.example.com").unwrap()
}

/// A token with its key, signed without asking anybody.
pub(crate) fn mint_by(day: usize, challenge: &TokenChallenge) -> (Token, OneTimeKey) {
    let one_time_key = OneTimeKey::generate(&RustCrypto).unwrap();
    let pending =
        PendingToken::new(&RustCrypto, &issuer_key(day), challenge, one_time_key).unwrap();
    let blinded = pending.blinded_message().try_into().unwrap();
    let signature = KEYS[day].private_operation(blinded).unwrap();
    pending.complete(&signature).unwrap()
}

pub(crate) fn mint() -> (Token, OneTimeKey) {
    mint_by(1, &challenge())
}

pub(crate) fn proof_of(of: &str, blobs: &[Blob]) -> StoreProof {
    let destination = Destination::TelephoneNumber(number(of));
    StoreProof::new("cps.example.com", &destination, blobs).unwrap()
}

/// The headers of a store of `blobs` for a number, with these tokens.
pub(crate) fn paid(
    of: &str,
    blobs: &[Blob],
    tokens: &[(Token, OneTimeKey)],
) -> Vec<(String, String)> {
    let proof = proof_of(of, blobs);
    let redemptions: Vec<Redemption> = tokens
        .iter()
        .map(|(token, key)| proof.redeem(&RustCrypto, token, key, 0).unwrap())
        .collect();
    redemption::encode(&redemptions).unwrap()
}

pub(crate) fn body(blobs: &[Blob]) -> Vec<u8> {
    let lines: Vec<String> = blobs.iter().map(Blob::to_text).collect();
    lines.join("\n").into_bytes()
}

/// Sends a store with these headers.
pub(crate) async fn store(
    client: &mut Connection,
    of: &str,
    headers: &[(String, String)],
    blobs: &[Blob],
) -> HttpResponse {
    let mut all = vec![("content-type", "application/passport")];
    all.extend(
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let path = format!("/cps/{of}/ppts");
    client.request("POST", &path, &all, &body(blobs)).await
}

/// The signed authorization of a request for a token.
pub(crate) fn authorization(
    credential: &Credential,
    subject: &str,
    now: UnixTime,
    request: &[u8],
) -> String {
    let draft = AuthorizationDraft {
        issuer: &issuer_name(),
        number: &number(subject),
        now,
        body: request,
    };
    let unsigned = draft
        .build(&RustCrypto, &credential.bag().unwrap())
        .unwrap();
    let signature = RustCrypto
        .sign_es256(&credential.secret, unsigned.signing_input().as_bytes())
        .unwrap();
    let public = RustCrypto
        .public_key(Curve::P256, &credential.secret)
        .unwrap();
    let public = P256PublicKey::from_sec1(&public).unwrap();
    unsigned.complete(&RustCrypto, &public, &signature).unwrap()
}

pub(crate) fn pending() -> PendingToken {
    let one_time_key = OneTimeKey::generate(&RustCrypto).unwrap();
    PendingToken::new(&RustCrypto, &issuer_key(1), &challenge(), one_time_key).unwrap()
}

/// Sends a token request.
pub(crate) async fn ask(client: &mut Connection, bearer: &str, request: &[u8]) -> HttpResponse {
    let bearer = format!("Bearer {bearer}");
    let headers = [
        ("content-type", issuance::REQUEST_TYPE),
        ("authorization", bearer.as_str()),
    ];
    client
        .request("POST", "/token-request", &headers, request)
        .await
}

/// Asks for a token as an endpoint does, in one step.
pub(crate) async fn obtain(
    world: &World,
    client: &mut Connection,
    credential: &Credential,
    subject: &str,
) -> Result<(Token, OneTimeKey), HttpResponse> {
    let pending = pending();
    let request = issuance::request_body(&pending);
    let bearer = authorization(credential, subject, world.now(), &request);
    let answer = ask(client, &bearer, &request).await;
    match issuance::decode_response(&answer) {
        Ok(signature) => Ok(pending.complete(&signature).unwrap()),
        Err(_) => Err(answer),
    }
}

/// What a store to a number with keys of both classical suites holds.
pub(crate) fn two_blobs() -> [Blob; 2] {
    [blob(Suite::S1), blob(Suite::S2)]
}
