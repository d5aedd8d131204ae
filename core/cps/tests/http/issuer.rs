//! The token issuer: PRV-30, PRV-31, W-30.

use ringtrue_cps::IssuerKeys;
use ringtrue_lab::{Authority, LeafSpec, Validity};
use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::{HttpRequest, HttpResponse};
use ringtrue_oob::ohttp::{binary, encapsulate, messages};
use ringtrue_oob::token::issuance;
use ringtrue_oob::token::issuer_directory::{self, ROTATION};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, UnixTime};

use crate::client::Connection;
use crate::mint::{
    BASE, DAY, ask, authorization, issuer_key, issuer_name, obtain, pending, put_keys, today,
    token_required, token_world, with_quotas,
};
use crate::world::{NUMBER, START_MS, World, assert_common, assert_problem, now, number};

const DIRECTORY: &str = "/.well-known/private-token-issuer-directory";

#[tokio::test]
async fn the_directory_shows_the_retired_the_signing_and_the_next_key() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let answer = client.request("GET", DIRECTORY, &[], b"").await;
    assert_common(&answer);
    let directory = issuer_directory::decode(&issuer_name(), &answer).unwrap();
    assert_eq!(
        directory.request_url,
        "https://cps.example.com/token-request"
    );
    let shown: Vec<_> = directory
        .keys
        .iter()
        .map(|published| (published.key.clone(), published.not_before.as_secs()))
        .collect();
    let expected = [
        (issuer_key(0), today() - DAY),
        (issuer_key(1), today()),
        (issuer_key(2), today() + DAY),
    ];
    assert_eq!(shown, expected);
    let current = directory.current(now(), ROTATION).unwrap();
    assert_eq!(current.key, issuer_key(1));
}

#[tokio::test]
async fn a_credential_gets_a_token_that_the_issuers_key_made() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let (token, _) = obtain(&world, &mut client, &world.credential(NUMBER), NUMBER)
        .await
        .unwrap();
    assert_eq!(issuer_key(1).verify(&token), Ok(()));
    assert_eq!(world.service.observed().tokens_issued, 1);
}

#[tokio::test]
async fn requests_of_the_wrong_form_are_malformed() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let request = issuance::request_body(&pending());
    let changed = |at: usize, to: u8| {
        let mut request = request.clone();
        request[at] = to;
        request
    };
    let mut above = request.clone();
    above[3..].fill(0xff);
    let mut one = request.clone();
    one[3..].fill(0);
    one[258] = 1;
    for (what, body) in [
        ("short", request[..258].to_vec()),
        ("another token type", changed(1, 1)),
        ("another key", changed(2, request[2] ^ 1)),
        ("not below the modulus", above),
        ("one", one),
    ] {
        let bearer = authorization(&credential, NUMBER, now(), &body);
        let answer = ask(&mut client, &bearer, &body).await;
        assert_eq!(
            Problem::decode(&answer),
            Some(Problem::MalformedTokenRequest),
            "{what}"
        );
        assert_problem(&answer, Problem::MalformedTokenRequest);
    }
    let long = [request.as_slice(), &[0]].concat();
    let bearer = authorization(&credential, NUMBER, now(), &long);
    assert_problem(
        &ask(&mut client, &bearer, &long).await,
        Problem::BodyTooLarge,
    );
    let headers = [("content-type", "application/json")];
    let answer = client
        .request("POST", "/token-request", &headers, &request)
        .await;
    assert_problem(&answer, Problem::UnsupportedMediaType);
    // Of the authorization: not a token, not over this body, for another time.
    for bearer in [
        "x".to_owned(),
        "a.b.c".to_owned(),
        "y".repeat(20_000),
        authorization(&credential, NUMBER, now(), b"another body"),
    ] {
        let mut client = world.connect().await;
        let answer = ask(&mut client, &bearer, &request).await;
        assert_problem(&answer, Problem::MalformedTokenRequest);
    }
    assert_eq!(world.service.observed().tokens_issued, 0);
}

#[tokio::test]
async fn credentials_that_do_not_hold_are_not_accepted() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let request = issuance::request_body(&pending());
    let own = world.credential(NUMBER);
    let stranger = Authority::for_numbers(&[number(NUMBER)], now()).unwrap();
    let stranger = stranger
        .issue(&LeafSpec::for_number(&number(NUMBER), now()))
        .unwrap();
    let mut ended = LeafSpec::for_number(&number(NUMBER), now());
    ended.validity = Validity::days(UnixTime::from_secs(today() - 20 * DAY), 10);
    let ended = world.authority.issue(&ended).unwrap();
    let late = UnixTime::from_secs(now().as_secs() - 60);
    let early = UnixTime::from_secs(now().as_secs() + 61);
    let another = "12025550177";
    for (what, bearer) in [
        (
            "another root",
            authorization(&stranger, NUMBER, now(), &request),
        ),
        (
            "an ended certificate",
            authorization(&ended, NUMBER, now(), &request),
        ),
        (
            "another number",
            authorization(&own, another, now(), &request),
        ),
        ("at its end", authorization(&own, NUMBER, late, &request)),
        (
            "from the future",
            authorization(&own, NUMBER, early, &request),
        ),
    ] {
        let answer = ask(&mut client, &bearer, &request).await;
        assert_eq!(
            Problem::decode(&answer),
            Some(Problem::UntrustedCredential),
            "{what}"
        );
    }
    // A good one whose signature was changed.
    let bearer = authorization(&own, NUMBER, now(), &request);
    let (signed, _) = bearer.rsplit_once('.').unwrap();
    let other = authorization(&own, NUMBER, now(), &request);
    let (_, signature) = other.rsplit_once('.').unwrap();
    let answer = ask(&mut client, &format!("{signed}.{signature}"), &request).await;
    assert_problem(&answer, Problem::UntrustedCredential);
    // None at all.
    let headers = [("content-type", issuance::REQUEST_TYPE)];
    let answer = client
        .request("POST", "/token-request", &headers, &request)
        .await;
    assert_problem(&answer, Problem::UntrustedCredential);
    assert_eq!(world.service.observed().tokens_issued, 0);
    assert_eq!(ask(&mut client, &bearer, &request).await.status, 200);
}

#[tokio::test]
async fn an_authorization_is_used_once() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let request = issuance::request_body(&pending());
    let bearer = authorization(&world.credential(NUMBER), NUMBER, now(), &request);
    assert_eq!(ask(&mut client, &bearer, &request).await.status, 200);
    let again = ask(&mut client, &bearer, &request).await;
    assert_problem(&again, Problem::UntrustedCredential);
}

#[tokio::test]
async fn each_credential_gets_its_quota_a_day_also_over_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let config = |config: &mut _| {
        token_required(config, state.path());
        with_quotas(config, 3, None);
    };
    let authority = Authority::for_numbers(&[number(NUMBER)], now()).unwrap();
    let world = World::with_authority(authority, config).await;
    let (one, two) = (world.credential(NUMBER), world.credential(NUMBER));
    let mut client = world.connect().await;
    for _ in 0..3 {
        assert!(obtain(&world, &mut client, &one, NUMBER).await.is_ok());
    }
    let refused = obtain(&world, &mut client, &one, NUMBER).await.unwrap_err();
    assert_problem(&refused, Problem::OverLimit);
    let until_tomorrow = today() + DAY - now().as_secs();
    assert_eq!(
        refused.header("retry-after"),
        Some(until_tomorrow.to_string().as_str())
    );
    assert_eq!(issuance::decode_response(&refused), Err(Reason::OverQuota));
    // Another key of the same number has a quota of its own.
    assert!(obtain(&world, &mut client, &two, NUMBER).await.is_ok());

    let World {
        service, authority, ..
    } = world;
    service.shutdown().await;
    let world = World::with_authority(authority, config).await;
    let mut client = world.connect().await;
    let refused = obtain(&world, &mut client, &one, NUMBER).await.unwrap_err();
    assert_problem(&refused, Problem::OverLimit);
    assert!(obtain(&world, &mut client, &two, NUMBER).await.is_ok());
}

#[tokio::test]
async fn providers_get_tokens_of_the_same_key_where_that_is_allowed() {
    let spc = "1234";
    let list = TnAuthList::new(vec![Entry::Spc(spc.to_owned())]).unwrap();
    for allowed in [None, Some(2)] {
        let state = tempfile::tempdir().unwrap();
        let root = Authority::for_scope(list.clone(), now()).unwrap();
        let world = World::with_authority(root, |config| {
            token_required(config, state.path());
            with_quotas(config, 1, allowed);
        })
        .await;
        let spec = LeafSpec::for_scope(Some(list.clone()), now());
        let gateway = world.authority.issue(&spec).unwrap();
        let mut client = world.connect().await;
        let first = obtain(&world, &mut client, &gateway, spc).await;
        if allowed.is_none() {
            assert_problem(&first.unwrap_err(), Problem::UntrustedCredential);
            continue;
        }
        assert_eq!(issuer_key(1).verify(&first.unwrap().0), Ok(()));
        assert!(obtain(&world, &mut client, &gateway, spc).await.is_ok());
        let third = obtain(&world, &mut client, &gateway, spc).await;
        assert_problem(&third.unwrap_err(), Problem::OverLimit);
    }
}

#[tokio::test]
async fn an_issuer_is_at_the_root_whatever_the_prefix_of_the_rest() {
    let state = tempfile::tempdir().unwrap();
    let world = World::with(|config| {
        token_required(config, state.path());
        config.base_url = Some(BaseUrl::parse("https://cps.example.com/v1").unwrap());
    })
    .await;
    let mut client = world.connect().await;
    assert_eq!(client.request("GET", DIRECTORY, &[], b"").await.status, 200);
    assert!(
        obtain(&world, &mut client, &world.credential(NUMBER), NUMBER)
            .await
            .is_ok()
    );
    let answer = client
        .request("GET", &format!("/cps/{NUMBER}/ppts"), &[], b"")
        .await;
    assert_problem(&answer, Problem::NotFound);
}

#[tokio::test]
async fn a_service_without_an_issuer_has_neither_path() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let answer = client.request("GET", DIRECTORY, &[], b"").await;
    assert_problem(&answer, Problem::NotFound);
    let answer = client
        .request("POST", "/token-request", &[], &[0; 259])
        .await;
    assert_problem(&answer, Problem::NotFound);
}

/// Asks through the gateway below `prefix`, as a relay's client does: the answer that was inside, and
/// the length of what was around it.
async fn through_gateway(
    client: &mut Connection,
    prefix: &str,
    request: &HttpRequest,
) -> (HttpResponse, usize) {
    let path = format!("{prefix}/ohttp-keys");
    let keys = client.request("GET", &path, &[], b"").await;
    let keys = messages::decode_keys(&keys).unwrap();
    let plain = binary::encode_request(request, 512).unwrap();
    let suite = keys[0].suites()[0];
    let (message, key) = encapsulate(&RustCrypto, &keys[0], suite, &plain).unwrap();
    let headers = [("content-type", "message/ohttp-req")];
    let path = format!("{prefix}/gateway");
    let answer = client.request("POST", &path, &headers, &message).await;
    let inside = key.open(messages::decode_answer(&answer).unwrap()).unwrap();
    (binary::decode_response(&inside).unwrap(), answer.body.len())
}

// PRV-29: who asks is not known there, so it can be compared with what is shown to somebody.
#[tokio::test]
async fn the_gateway_shows_the_same_keys_as_the_issuer_and_gives_no_tokens() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    let base = BaseUrl::parse(BASE).unwrap();
    let shown = client.request("GET", DIRECTORY, &[], b"").await;
    let request = issuer_directory::encode_request(&base);
    let (answer, len) = through_gateway(&mut client, "", &request).await;
    assert_eq!((answer.status, &answer.body), (200, &shown.body));
    assert_eq!(len, 9_216 + 48, "as the answer to a lookup");

    let body = issuance::request_body(&pending());
    let bearer = authorization(&world.credential(NUMBER), NUMBER, now(), &body);
    let url = base.join("/token-request");
    let request = issuance::encode_request(&url, &bearer, body);
    let (answer, _) = through_gateway(&mut client, "", &request).await;
    assert_problem(&answer, Problem::NotFound);
    assert_eq!(world.service.observed().tokens_issued, 0);
}

#[tokio::test]
async fn the_gateway_of_an_issuer_is_at_the_root_too() {
    let state = tempfile::tempdir().unwrap();
    let world = World::with(|config| {
        token_required(config, state.path());
        config.base_url = Some(BaseUrl::parse("https://cps.example.com/v1").unwrap());
    })
    .await;
    let mut client = world.connect().await;
    let request = issuer_directory::encode_request(&BaseUrl::parse(BASE).unwrap());
    for prefix in ["", "/v1"] {
        let (answer, _) = through_gateway(&mut client, prefix, &request).await;
        assert!(issuer_directory::decode(&issuer_name(), &answer).is_ok());
    }
    // The rest of the service is where it was.
    let mut lookup = request.clone();
    lookup.url = format!("{BASE}/keys/{NUMBER}");
    let (answer, _) = through_gateway(&mut client, "", &lookup).await;
    assert_problem(&answer, Problem::NotFound);
}

#[tokio::test]
async fn a_gateway_without_an_issuer_has_no_issuers_keys() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let request = issuer_directory::encode_request(&BaseUrl::parse(BASE).unwrap());
    let (answer, _) = through_gateway(&mut client, "", &request).await;
    assert_problem(&answer, Problem::NotFound);

    let world = World::with(|config| {
        config.base_url = Some(BaseUrl::parse("https://cps.example.com/v1").unwrap());
    })
    .await;
    let mut client = world.connect().await;
    let answer = client.request("GET", "/ohttp-keys", &[], b"").await;
    assert_problem(&answer, Problem::NotFound);
    let answer = client.request("POST", "/gateway", &[], b"x").await;
    assert_problem(&answer, Problem::NotFound);
}

#[test]
fn keys_are_announced_a_day_before_and_outlast_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        |at: u64| IssuerKeys::open(Some(folder.path()), ROTATION, UnixTime::from_secs(at)).unwrap();
    let ids = |keys: &IssuerKeys| -> Vec<[u8; 32]> {
        keys.published()
            .iter()
            .map(|published| *published.key.key_id())
            .collect()
    };
    let start = START_MS / 1000;
    let first = open(start);
    let [one, two] = *ids(&first) else {
        panic!("two keys")
    };
    assert_eq!(ids(&open(start + 5)), [one, two]);
    // A day later the announced key signs and the first is still shown, after a restart as well.
    first.advance(UnixTime::from_secs(start + DAY)).unwrap();
    let [_, _, three] = *ids(&first) else {
        panic!("three keys")
    };
    assert_eq!(ids(&first), [one, two, three]);
    assert_eq!(ids(&open(start + DAY)), [one, two, three]);
    // Another day, and the first is gone, from the folder as well.
    first.advance(UnixTime::from_secs(start + 2 * DAY)).unwrap();
    assert_eq!(ids(&first)[..2], [two, three]);
    assert_eq!(ids(&first).len(), 3);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    // Times differ by exactly one period, also after a service was down for a while.
    let later = open(start + 7 * DAY);
    let times: Vec<u64> = later
        .published()
        .iter()
        .map(|published| published.not_before.as_secs())
        .collect();
    assert_eq!(times, [today() + 7 * DAY, today() + 8 * DAY]);
}

#[test]
fn replicas_that_share_a_folder_have_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let now = UnixTime::from_secs(START_MS / 1000);
    let ids = std::thread::scope(|scope| {
        let replicas: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let keys = IssuerKeys::open(Some(folder.path()), ROTATION, now).unwrap();
                    keys.published()
                        .iter()
                        .map(|p| *p.key.key_id())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        replicas
            .into_iter()
            .map(|replica| replica.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(ids[0], ids[1]);
}

#[cfg(unix)]
#[test]
fn key_files_are_for_this_user_alone_and_damage_is_noticed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let now = UnixTime::from_secs(START_MS / 1000);
    IssuerKeys::open(Some(folder.path()), ROTATION, now).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let path = folder.path().join(format!("issuer-key-{}.der", today()));
    std::fs::write(path, b"damaged").unwrap();
    let damaged = IssuerKeys::open(Some(folder.path()), ROTATION, now);
    assert_eq!(damaged.err(), Some(Reason::MalformedRecord));
    let zero = IssuerKeys::open(None, std::time::Duration::ZERO, now);
    assert_eq!(zero.err(), Some(Reason::ConfigurationInvalid));
}

#[test]
fn the_keys_of_tests_are_where_a_service_looks() {
    let state = tempfile::tempdir().unwrap();
    put_keys(state.path(), &[0, 1, 2]);
    let folder = state.path().join("issuer");
    let keys = IssuerKeys::open(Some(&folder), ROTATION, now()).unwrap();
    let shown: Vec<_> = keys
        .published()
        .into_iter()
        .map(|published| published.key)
        .collect();
    assert_eq!(shown, [issuer_key(0), issuer_key(1), issuer_key(2)]);
}
