//! The key directory: W-11 to W-16.

use ringtrue_lab::Authority;
use ringtrue_oob::Suite;
use ringtrue_oob::http::directory::decode_statements;
use ringtrue_oob::http::problem::Problem;

use crate::client::Connection;
use crate::world::{NUMBER, World, assert_common, assert_problem, blob, now, number};

const JOSE: (&str, &str) = ("content-type", "application/jose");

pub(crate) async fn put(
    client: &mut Connection,
    of: &str,
    statement: &str,
) -> ringtrue_oob::http::HttpResponse {
    client
        .request("PUT", &format!("/keys/{of}"), &[JOSE], statement.as_bytes())
        .await
}

async fn statements(client: &mut Connection, of: &str) -> Vec<String> {
    let answer = client
        .request("GET", &format!("/keys/{of}"), &[], b"")
        .await;
    assert_eq!((answer.status, answer.body.len()), (200, 8192));
    assert_common(&answer);
    decode_statements(&answer).unwrap()
}

#[tokio::test]
async fn answers_have_one_size_for_known_and_unknown_numbers() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let statement = world.statement(&credential, &[NUMBER], 1, 3600, &[Suite::S1]);
    assert!(statements(&mut client, NUMBER).await.is_empty());
    let answer = put(&mut client, NUMBER, &statement.directory).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_common(&answer);
    assert_eq!(
        statements(&mut client, NUMBER).await,
        [statement.directory.as_str()]
    );
    assert!(statements(&mut client, "12025550199").await.is_empty());
    let observed = world.service.observed();
    assert_eq!((observed.publications, observed.lookups), (1, 3));
    world.clock.advance(3_600_000);
    assert!(statements(&mut client, NUMBER).await.is_empty());
}

#[tokio::test]
async fn a_higher_sequence_replaces_and_everything_else_is_409_or_204() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let make = |seq| {
        world
            .statement(&credential, &[NUMBER], seq, 3600, &[Suite::S1])
            .directory
    };
    let five = make(5);
    assert_eq!(put(&mut client, NUMBER, &five).await.status, 204);
    assert_eq!(put(&mut client, NUMBER, &five).await.status, 204);
    assert_eq!(
        put(&mut client, NUMBER, &format!("{five}\n")).await.status,
        204
    );
    for other in [make(5), make(4)] {
        let answer = put(&mut client, NUMBER, &other).await;
        assert_problem(&answer, Problem::SupersededStatement);
    }
    let six = make(6);
    assert_eq!(put(&mut client, NUMBER, &six).await.status, 204);
    assert_eq!(statements(&mut client, NUMBER).await, [six.as_str()]);
    // A renewed key is a new signer.
    let renewed = world.credential(NUMBER);
    world.clock.advance(1000);
    let one = world
        .statement(&renewed, &[NUMBER], 1, 3600, &[Suite::S2])
        .directory;
    assert_eq!(put(&mut client, NUMBER, &one).await.status, 204);
    assert_eq!(
        statements(&mut client, NUMBER).await,
        [one.as_str(), six.as_str()]
    );
}

#[tokio::test]
async fn what_is_wrong_in_form_is_400_413_or_415() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let good = world.statement(&credential, &[NUMBER], 1, 3600, &[Suite::S1]);
    for bad in [
        good.inline.as_str(),
        "a.b.c",
        "{}",
        "é",
        &good.directory[..good.directory.len() - 2],
        &format!("{}\r\n", good.directory),
        &format!("{}.x", good.directory),
    ] {
        assert_problem(
            &put(&mut client, NUMBER, bad).await,
            Problem::MalformedStatement,
        );
    }
    assert_problem(
        &put(&mut client, NUMBER, "").await,
        Problem::MalformedStatement,
    );
    for len in [16 * 1024 + 1, 16 * 1024 + 2, 500_000] {
        let answer = put(&mut client, NUMBER, &"x".repeat(len)).await;
        assert_problem(&answer, Problem::BodyTooLarge);
        client = world.connect().await;
    }
    for headers in [&[][..], &[("content-type", "application/json")]] {
        let path = format!("/keys/{NUMBER}");
        let answer = client
            .request("PUT", &path, headers, good.directory.as_bytes())
            .await;
        assert_problem(&answer, Problem::UnsupportedMediaType);
    }
    let html = [("accept", "text/html")];
    let answer = client.request("GET", "/keys/1", &html, b"").await;
    assert_problem(&answer, Problem::NotAcceptable);
    assert_eq!(world.service.observed().publications, 0);
}

#[tokio::test]
async fn what_is_not_to_be_trusted_is_403() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let other = "12025550144";
    let make = |numbers: &[&str], life| {
        world
            .statement(&credential, numbers, 1, life, &[Suite::S1])
            .directory
    };
    let good = make(&[NUMBER], 3600);
    // Another number than it speaks for; a number that the certificate does not cover.
    for (of, statement) in [
        (other, good.clone()),
        (other, make(&[other], 3600)),
        (NUMBER, make(&[NUMBER, other], 3600)),
    ] {
        assert_problem(
            &put(&mut client, of, &statement).await,
            Problem::UntrustedStatement,
        );
    }
    // Another signature.
    let second = make(&[NUMBER], 3600);
    let (body, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = second.rsplit_once('.').unwrap();
    let answer = put(&mut client, NUMBER, &format!("{body}.{signature}")).await;
    assert_problem(&answer, Problem::UntrustedStatement);
    // Another anchor.
    let stranger = World::with_authority(
        Authority::for_numbers(&[number(NUMBER)], now()).unwrap(),
        |_| {},
    )
    .await;
    let foreign = stranger.statement(
        &stranger.credential(NUMBER),
        &[NUMBER],
        1,
        3600,
        &[Suite::S1],
    );
    let answer = put(&mut client, NUMBER, &foreign.directory).await;
    assert_problem(&answer, Problem::UntrustedStatement);
    // From the future, and expired.
    stranger.clock.advance(61_000);
    let mut early = World::with_authority(
        Authority::for_numbers(&[number(NUMBER)], now()).unwrap(),
        |_| {},
    )
    .await;
    let credential = early.credential(NUMBER);
    early.clock.advance(61_000);
    let future = early.statement(&credential, &[NUMBER], 1, 3600, &[Suite::S1]);
    early = World::with_authority(early.authority, |_| {}).await;
    let mut its_client = early.connect().await;
    let answer = put(&mut its_client, NUMBER, &future.directory).await;
    assert_problem(&answer, Problem::UntrustedStatement);
    early.clock.advance(1000);
    assert_eq!(
        put(&mut its_client, NUMBER, &future.directory).await.status,
        204
    );
    world.clock.advance(3_600_000);
    assert_problem(
        &put(&mut client, NUMBER, &good).await,
        Problem::UntrustedStatement,
    );
    assert!(statements(&mut client, NUMBER).await.is_empty());
}

#[tokio::test]
async fn keys_decide_which_suites_a_mailbox_takes_and_shows() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let path = format!("/cps/{NUMBER}/ppts");
    let passport = [("content-type", "application/passport")];
    let s2 = blob(Suite::S2).to_text();
    assert_eq!(
        client
            .request("POST", &path, &passport, s2.as_bytes())
            .await
            .status,
        201
    );
    let credential = world.credential(NUMBER);
    let statement = world.statement(&credential, &[NUMBER], 1, 3600, &[Suite::S1]);
    put(&mut client, NUMBER, &statement.directory).await;
    world.clock.advance(60_000);
    let answer = client
        .request("POST", &path, &passport, s2.as_bytes())
        .await;
    assert_problem(&answer, Problem::MalformedBlob);
    let accept = [("accept", "application/passport")];
    let answer = client.request("GET", &path, &accept, b"").await;
    let blobs = ringtrue_oob::http::placement::decode_blobs(&answer)
        .unwrap()
        .blobs;
    assert!(blobs.len() >= 2 && blobs.iter().all(|blob| blob.suite() == Suite::S1));
    // The statement ends, and the default holds again.
    world.clock.advance(3_600_000);
    assert_eq!(
        client
            .request("POST", &path, &passport, s2.as_bytes())
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn published_keys_survive_a_restart_and_blobs_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let world = World::with(|config| config.state_folder = Some(state.clone())).await;
    let mut client = world.connect().await;
    let statement = world.statement(&world.credential(NUMBER), &[NUMBER], 7, 3600, &[Suite::S1]);
    assert_eq!(
        put(&mut client, NUMBER, &statement.directory).await.status,
        204
    );
    let authority = world.authority;
    world.service.shutdown().await;

    let world = World::with_authority(authority, |config| config.state_folder = Some(state)).await;
    let mut client = world.connect().await;
    assert_eq!(
        statements(&mut client, NUMBER).await,
        [statement.directory.as_str()]
    );
    world.clock.advance(10);
    let answer = client
        .request(
            "POST",
            &format!("/cps/{NUMBER}/ppts"),
            &[("content-type", "application/passport")],
            blob(Suite::S2).to_text().as_bytes(),
        )
        .await;
    assert_problem(&answer, Problem::MalformedBlob);
}
