//! Tokens against stores: PRV-25, PRV-32 to PRV-34, W-29, W-30.

use std::sync::Arc;

use ringtrue_cps::{
    SpentInFolder, SpentInMemory, SpentMemory, SpentTokens, TokenIssuer, TokenSettings,
};
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::token::issuer_directory::{self, PublishedKey};
use ringtrue_oob::token::redemption::{self, MAX_TOKENS, Redemption, demand};
use ringtrue_oob::token::{IssuerName, OneTimeKey, Token, TokenChallenge};
use ringtrue_oob::{BaseUrl, Blob};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{UnixTime, base64url};

use crate::mint::{
    BASE, DAY, challenge, issuer_key, issuer_name, mint, mint_by, paid, proof_of, store, today,
    token_required, token_world, two_blobs,
};
use crate::world::{NUMBER, World, assert_common, assert_problem};

const OTHER: &str = "12025550177";

#[tokio::test]
async fn without_a_token_the_answer_says_what_is_asked_for() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    for body in [blobs.as_slice(), &[]] {
        let answer = store(&mut client, NUMBER, &[], body).await;
        assert_problem(&answer, Problem::TokenRequired);
        let demand = demand(&answer).unwrap();
        assert_eq!(demand.challenge, challenge());
        assert_eq!(demand.issuer_key, issuer_key(1));
    }
    let observed = world.service.observed();
    assert_eq!((observed.stores, observed.token_refusals), (0, 2));
    assert_eq!(world.service.placement_counts().live, 0);
}

#[tokio::test]
async fn a_token_pays_for_all_copies_and_a_retry_gets_the_same_answer() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    let headers = paid(NUMBER, &blobs, &[mint()]);
    let first = store(&mut client, NUMBER, &headers, &blobs).await;
    assert_eq!(first.status, 201);
    assert_common(&first);
    // Also on another connection, and with the blobs spelled otherwise.
    let mut again = world.connect().await;
    assert!(store(&mut again, NUMBER, &headers, &blobs).await == first);
    let observed = world.service.observed();
    assert_eq!((observed.stores, observed.tokens_spent), (1, 1));
    assert_eq!(world.service.placement_counts().live, 2);
    assert_eq!(world.service.spent_tokens(), 1);
}

#[tokio::test]
async fn a_token_never_pays_for_a_second_store() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let token = [mint()];
    let blobs = two_blobs();
    let headers = paid(NUMBER, &blobs, &token);
    assert_eq!(
        store(&mut client, NUMBER, &headers, &blobs).await.status,
        201
    );
    let others = two_blobs();
    for (of, blobs) in [(NUMBER, &others), (OTHER, &blobs), (OTHER, &others)] {
        let headers = paid(of, blobs, &token);
        let answer = store(&mut client, of, &headers, blobs).await;
        assert_problem(&answer, Problem::TokenRejected);
    }
    // Nor with a fresh one beside it, which stays good.
    let fresh = mint();
    let [first] = token;
    let both = paid(NUMBER, &others, &[fresh.clone(), first]);
    assert_problem(
        &store(&mut client, NUMBER, &both, &others).await,
        Problem::TokenRejected,
    );
    let headers = paid(NUMBER, &others, &[fresh]);
    assert_eq!(
        store(&mut client, NUMBER, &headers, &others).await.status,
        201
    );
}

/// One redemption with something wrong.
fn faults(blobs: &[Blob], (token, key): &(Token, OneTimeKey)) -> Vec<(&'static str, Redemption)> {
    let proof = proof_of(NUMBER, blobs);
    let good = proof.redeem(&RustCrypto, token, key, 0).unwrap();
    let with_token = |octets: Vec<u8>| {
        let token = Token::from_octets(&octets).unwrap();
        // Signed anew, so that this token is the only fault.
        let input = proof.signing_input(&token.digest(), 0);
        let signature = sign(key, &input);
        Redemption {
            token,
            signature,
            ..good.clone()
        }
    };
    let flipped = |at: usize| {
        let mut octets = token.to_octets().to_vec();
        octets[at] ^= 1;
        octets
    };
    let mut faults: Vec<(&'static str, Redemption)> = vec![
        ("nonce", with_token(flipped(2))),
        ("end of the nonce", with_token(flipped(33))),
        ("challenge", with_token(flipped(34))),
        ("end of the challenge", with_token(flipped(65))),
        ("key id", with_token(flipped(66))),
        ("end of the key id", with_token(flipped(97))),
        ("authenticator", with_token(flipped(98))),
        ("end of the authenticator", with_token(flipped(353))),
        ("authenticator above the modulus", {
            let mut octets = token.to_octets().to_vec();
            octets[98..].fill(0xff);
            with_token(octets)
        }),
        ("authenticator of zeros", {
            let mut octets = token.to_octets().to_vec();
            octets[98..].fill(0);
            with_token(octets)
        }),
    ];
    let (_, another) = mint();
    faults.push(("another's key", {
        let mut wrong = good.clone();
        wrong.one_time_key = *another.public();
        wrong
    }));
    faults.push(("signature by another key", {
        let mut wrong = good.clone();
        wrong.signature = sign(&another, &proof.signing_input(&token.digest(), 0));
        wrong
    }));
    for counter in [1, 2, 3, 4, u32::MAX] {
        let redeemed = proof.redeem(&RustCrypto, token, key, counter).unwrap();
        faults.push(("counter", redeemed));
    }
    faults.push(("counter of another signature", {
        let mut wrong = good.clone();
        wrong.counter = 1;
        wrong
    }));
    let others = two_blobs();
    for (what, of, blobs) in [
        ("signed for another number", OTHER, blobs),
        ("signed for other blobs", NUMBER, others.as_slice()),
        ("signed for a part", NUMBER, &blobs[..1]),
    ] {
        let redeemed = proof_of(of, blobs)
            .redeem(&RustCrypto, token, key, 0)
            .unwrap();
        faults.push((what, redeemed));
    }
    let elsewhere = TokenChallenge::new(&issuer_name(), "other.example.com").unwrap();
    let impostor = IssuerName::parse("issuer.example.com").unwrap();
    let impostor = TokenChallenge::new(&impostor, "cps.example.com").unwrap();
    for (what, (token, key)) in [
        ("for another service", mint_by(1, &elsewhere)),
        ("of another issuer", mint_by(1, &impostor)),
        ("of tomorrow", mint_by(2, &challenge())),
    ] {
        faults.push((what, proof.redeem(&RustCrypto, &token, &key, 0).unwrap()));
    }
    faults
}

fn sign(key: &OneTimeKey, input: &[u8]) -> ringtrue_stir::crypto::Es256Signature {
    use ringtrue_stir::crypto::CryptoProvider as _;
    RustCrypto.sign_es256(key.secret(), input).unwrap()
}

#[tokio::test]
async fn every_wrong_field_is_refused_and_spends_nothing() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    let token = mint();
    let good = mint();
    let also_good = proof_of(NUMBER, &blobs)
        .redeem(&RustCrypto, &good.0, &good.1, 0)
        .unwrap();
    let faults = faults(&blobs, &token);
    assert_eq!(faults.len(), 24);
    for (what, wrong) in faults {
        for redemptions in [vec![wrong.clone()], vec![also_good.clone(), wrong]] {
            let headers = redemption::encode(&redemptions).unwrap();
            let answer = store(&mut client, NUMBER, &headers, &blobs).await;
            assert_eq!(
                Problem::decode(&answer),
                Some(Problem::TokenRejected),
                "{what}"
            );
            assert_common(&answer);
        }
    }
    assert_eq!(world.service.spent_tokens(), 0);
    assert_eq!(world.service.placement_counts().live, 0);
    for token in [token, good] {
        let blobs = two_blobs();
        let headers = paid(NUMBER, &blobs, &[token]);
        assert_eq!(
            store(&mut client, NUMBER, &headers, &blobs).await.status,
            201
        );
    }
}

#[tokio::test]
async fn headers_of_another_form_are_refused() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    let token = mint();
    let good = paid(NUMBER, &blobs, std::slice::from_ref(&token));
    let replaced = |name: &str, value: &str| -> Vec<(String, String)> {
        good.iter()
            .map(|(known, old)| {
                let value = if known == name { value } else { old.as_str() };
                (known.clone(), value.to_owned())
            })
            .collect()
    };
    let octets = base64url::encode(&token.0.to_octets());
    let other_type = base64url::encode(&[&[0, 1], &token.0.to_octets()[2..]].concat());
    let mut wrong: Vec<Vec<(String, String)>> = vec![
        replaced("authorization", &format!("Bearer {octets}")),
        replaced("authorization", "PrivateToken"),
        replaced("authorization", "PrivateToken token=\"\""),
        replaced(
            "authorization",
            &format!("PrivateToken token=\"{octets}A\""),
        ),
        replaced(
            "authorization",
            &format!("PrivateToken token=\"{other_type}\""),
        ),
        replaced("authorization", &format!("PrivateToken token=\"{octets}")),
        replaced("stir-oob-key", "AA"),
        replaced(
            "stir-oob-key",
            &base64url::encode(token.1.public().as_sec1()),
        ),
        replaced("stir-oob-key", &base64url::encode(&[2; 33])),
        replaced("stir-oob-ctr", "00"),
        replaced("stir-oob-ctr", "+0"),
        replaced("stir-oob-ctr", "-1"),
        replaced("stir-oob-ctr", "4294967296"),
        replaced("stir-oob-ctr", ""),
        replaced("stir-oob-sig", ""),
        replaced("stir-oob-sig", &base64url::encode(&[0; 64])),
        replaced("stir-oob-sig", &base64url::encode(&[1; 63])),
        replaced("stir-oob-sig", &"A".repeat(2000)),
    ];
    // Each header missing, and each twice.
    for (index, header) in good.iter().enumerate() {
        let mut without = good.clone();
        without.remove(index);
        wrong.push(without);
        wrong.push([good.as_slice(), std::slice::from_ref(header)].concat());
    }
    // The same token again, a further one alone, a part missing.
    let further = |value: String| ("stir-oob-token".to_owned(), value);
    let parts = |of: &[(String, String)]| -> String {
        let token = of[0]
            .1
            .trim_start_matches("PrivateToken token=")
            .trim_matches('"');
        [token, &of[1].1, &of[2].1, &of[3].1].join(".")
    };
    let all = parts(&good);
    wrong.push([good.as_slice(), &[further(all.clone())]].concat());
    wrong.push(vec![further(all.clone())]);
    wrong.push(
        [
            good.as_slice(),
            &[further(all.rsplit_once('.').unwrap().0.to_owned())],
        ]
        .concat(),
    );
    wrong.push([good.as_slice(), &[further(format!("{all}.AA"))]].concat());
    for headers in wrong {
        let answer = store(&mut client, NUMBER, &headers, &blobs).await;
        assert_problem(&answer, Problem::TokenRejected);
    }
    assert_eq!(world.service.spent_tokens(), 0);
    assert_eq!(store(&mut client, NUMBER, &good, &blobs).await.status, 201);
}

#[tokio::test]
async fn more_tokens_than_any_store_is_worth_are_refused() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    let tokens: Vec<_> = (0..MAX_TOKENS).map(|_| mint()).collect();
    let all = paid(NUMBER, &blobs, &tokens);
    let one_more = paid(NUMBER, &blobs, &[mint()]);
    let value = [
        one_more[0]
            .1
            .trim_start_matches("PrivateToken token=")
            .trim_matches('"'),
        &one_more[1].1,
        &one_more[2].1,
        &one_more[3].1,
    ]
    .join(".");
    let mut more = all.clone();
    more.push(("stir-oob-token".to_owned(), value));
    let answer = store(&mut client, NUMBER, &more, &blobs).await;
    assert_problem(&answer, Problem::TokenRejected);
    assert_eq!(store(&mut client, NUMBER, &all, &blobs).await.status, 201);
    assert_eq!(world.service.spent_tokens(), MAX_TOKENS);
}

#[tokio::test]
async fn a_bad_body_is_told_only_with_a_good_token_which_stays_good() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let path = format!("/cps/{NUMBER}/ppts");
    let token = mint();
    let blobs = two_blobs();
    let good = paid(NUMBER, &blobs, std::slice::from_ref(&token));
    let bad = paid(NUMBER, &blobs, &[mint_by(2, &challenge())]);
    for (headers, problem) in [
        (&good, Problem::MalformedBlob),
        (&bad, Problem::TokenRejected),
    ] {
        let mut all = vec![("content-type", "application/passport")];
        all.extend(
            headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let answer = client.request("POST", &path, &all, b"no blob").await;
        assert_problem(&answer, problem);
    }
    assert_eq!(world.service.spent_tokens(), 0);
    assert_eq!(store(&mut client, NUMBER, &good, &blobs).await.status, 201);
}

#[tokio::test]
async fn tokens_are_taken_until_a_day_after_their_key_stopped_signing() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    let of_yesterday = paid(NUMBER, &blobs, &[mint_by(0, &challenge())]);
    assert_eq!(
        store(&mut client, NUMBER, &of_yesterday, &blobs)
            .await
            .status,
        201
    );
    // To the last second, and no longer.
    let late = mint_by(0, &challenge());
    let ends = (today() + DAY) * 1000;
    world
        .clock
        .advance(ends - world.now().as_secs() * 1000 - 1000);
    let blobs = two_blobs();
    let headers = paid(NUMBER, &blobs, &[late]);
    assert_eq!(
        store(&mut client, NUMBER, &headers, &blobs).await.status,
        201
    );
    world.clock.advance(1000);
    let blobs = two_blobs();
    let headers = paid(NUMBER, &blobs, &[mint_by(0, &challenge())]);
    assert_problem(
        &store(&mut client, NUMBER, &headers, &blobs).await,
        Problem::TokenRejected,
    );
}

#[tokio::test]
async fn a_token_is_not_spent_again_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let token = [mint()];
    let (blobs, others) = (two_blobs(), two_blobs());
    let headers = paid(NUMBER, &blobs, &token);
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    assert_eq!(
        store(&mut client, NUMBER, &headers, &blobs).await.status,
        201
    );
    world.service.shutdown().await;
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let again = paid(NUMBER, &others, &token);
    assert_problem(
        &store(&mut client, NUMBER, &again, &others).await,
        Problem::TokenRejected,
    );
    // The blobs went with the restart; a retry is not told that they were there.
    assert_problem(
        &store(&mut client, NUMBER, &headers, &blobs).await,
        Problem::TokenRejected,
    );
    assert_eq!(world.service.placement_counts().live, 0);
}

#[tokio::test]
async fn replicas_take_a_token_once_whether_they_share_memory_or_a_folder() {
    let state = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let shared = tempfile::tempdir().unwrap();
    let memory: Arc<dyn SpentTokens> = Arc::new(SpentInMemory::new(1000));
    let folder =
        || -> Arc<dyn SpentTokens> { Arc::new(SpentInFolder::open(shared.path(), 1000).unwrap()) };
    for memories in [[Arc::clone(&memory), memory], [folder(), folder()]] {
        let mut replicas = Vec::new();
        for (state, spent) in state.iter().zip(memories) {
            let world = World::with(|config| {
                token_required(config, state.path());
                if let Some(tokens) = &mut config.tokens {
                    tokens.spent = SpentMemory::Given(spent);
                }
            })
            .await;
            let client = world.connect().await;
            replicas.push((world, client));
        }
        let [(_one, first), (_two, second)] = replicas.as_mut_slice() else {
            panic!("two replicas");
        };
        let token = [mint()];
        let (blobs, others) = (two_blobs(), two_blobs());
        let headers = paid(NUMBER, &blobs, &token);
        assert_eq!(store(first, NUMBER, &headers, &blobs).await.status, 201);
        for blobs in [&others, &blobs] {
            let headers = paid(NUMBER, blobs, &token);
            let answer = store(second, NUMBER, &headers, blobs).await;
            assert_problem(&answer, Problem::TokenRejected);
        }
        // At once at both: one of them takes it.
        for _ in 0..10 {
            let token = [mint()];
            let (blobs, others) = (two_blobs(), two_blobs());
            let (one, two) = (paid(NUMBER, &blobs, &token), paid(OTHER, &others, &token));
            let (one, two) = tokio::join!(
                store(first, NUMBER, &one, &blobs),
                store(second, OTHER, &two, &others)
            );
            let mut statuses = [one.status, two.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 403]);
        }
    }
}

#[tokio::test]
async fn an_open_service_looks_at_no_tokens_and_issues_them_if_told_to() {
    let state = tempfile::tempdir().unwrap();
    let world = World::with(|config| {
        token_required(config, state.path());
        if let Some(tokens) = &mut config.tokens {
            tokens.required = false;
        }
    })
    .await;
    let mut client = world.connect().await;
    let blobs = two_blobs();
    let wrong = [("stir-oob-ctr".to_owned(), "x".to_owned())];
    for headers in [&[], wrong.as_slice()] {
        assert_eq!(
            store(&mut client, NUMBER, headers, &blobs).await.status,
            201
        );
    }
    let credential = world.credential(NUMBER);
    assert!(
        crate::mint::obtain(&world, &mut client, &credential, NUMBER)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_tokens_of_another_issuer_are_taken_as_its_directory_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("issuer.json");
    let publish = |days: &[usize]| {
        let keys: Vec<PublishedKey> = days
            .iter()
            .map(|day| PublishedKey {
                key: issuer_key(*day),
                not_before: UnixTime::from_secs(today() + DAY * u64::try_from(*day).unwrap() - DAY),
            })
            .collect();
        let answer = issuer_directory::encode("/token-request", &keys);
        std::fs::write(&path, answer.body).unwrap();
    };
    publish(&[0, 1]);
    let name = IssuerName::parse("issuer.example.com").unwrap();
    let settings = TokenSettings {
        issuer: TokenIssuer::Other {
            name: name.clone(),
            directory: path.clone(),
        },
        ..TokenSettings::required()
    };
    let world = World::with(|config| {
        config.base_url = Some(BaseUrl::parse(BASE).unwrap());
        config.tokens = Some(settings.clone());
    })
    .await;
    let mut client = world.connect().await;
    let theirs = TokenChallenge::new(&name, "cps.example.com").unwrap();
    let blobs = two_blobs();
    let answer = store(&mut client, NUMBER, &[], &blobs).await;
    assert_eq!(demand(&answer).unwrap().challenge, theirs);
    let headers = paid(NUMBER, &blobs, &[mint_by(1, &theirs)]);
    assert_eq!(
        store(&mut client, NUMBER, &headers, &blobs).await.status,
        201
    );
    let headers = paid(NUMBER, &blobs, &[mint()]);
    assert_problem(
        &store(&mut client, NUMBER, &headers, &blobs).await,
        Problem::TokenRejected,
    );
    let answer = client
        .request("POST", "/token-request", &[], &[0; 259])
        .await;
    assert_problem(&answer, Problem::NotFound);

    // Directories that are missing or damaged are noticed at the start.
    for damaged in [b"{}".as_slice(), b"", &[b' '; 20_000]] {
        std::fs::write(&path, damaged).unwrap();
        let (tls, _) = crate::world::tls_identity();
        let mut config = ringtrue_cps::ServiceConfig::new(world.authority.anchors().unwrap());
        config.tokens = Some(settings.clone());
        let reason = ringtrue_cps::Service::start(config, &tls).await.err();
        let malformed = ringtrue_stir::Reason::MalformedIssuerDirectory;
        assert_eq!(reason, Some(malformed));
    }
}
