//! Answers look the same whomever they are about: a number that published keys, one that nobody knows,
//! one with calls and one that is full (PRV-17, PRV-34, PRV-39).

use std::time::Duration;

use ringtrue_cps::DummyLevel;
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::{Blob, Suite};

use crate::client::Connection;
use crate::world::{NUMBER, World, blob};

const PASSPORT: (&str, &str) = ("content-type", "application/passport");
const ACCEPT_BLOBS: (&str, &str) = ("accept", "application/passport");

/// Numbers of one length. Only the first has a statement.
const UNKNOWN: &str = "12025550144";
const CALLED: &str = "12025550145";
const FULL: &str = "12025550146";

fn body(blobs: &[Blob]) -> Vec<u8> {
    let lines: Vec<String> = blobs.iter().map(Blob::to_text).collect();
    lines.join("\n").into_bytes()
}

/// Everything about an answer but what differs between any two: the date, and the octets of a body.
fn shape(answer: &HttpResponse) -> (u16, Vec<(String, usize)>, usize) {
    let headers = answer.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.len()));
    (answer.status, headers.collect(), answer.body.len())
}

async fn store(client: &mut Connection, number: &str, blobs: &[Blob]) -> HttpResponse {
    let path = format!("/cps/{number}/ppts");
    client
        .request("POST", &path, &[PASSPORT], &body(blobs))
        .await
}

async fn retrieve(client: &mut Connection, number: &str) -> HttpResponse {
    let path = format!("/cps/{number}/ppts");
    client.request("GET", &path, &[ACCEPT_BLOBS], b"").await
}

/// A service with one number that is known, one with a call, and one that is full.
async fn busy_world(level: DummyLevel) -> World {
    let world = World::with(|config| config.placement.dummies = level).await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let suites = [Suite::S1, Suite::S2];
    let signed = world.statement(&credential, &[NUMBER], 1, 86_400, &suites);
    let path = format!("/keys/{NUMBER}");
    let jose = ("content-type", "application/jose");
    let put = client
        .request("PUT", &path, &[jose], signed.directory.as_bytes())
        .await;
    assert_eq!(put.status, 204);
    // A life later nothing reminds of the moment of the publication.
    world.clock.advance(120_000);
    let two = [blob(Suite::S1), blob(Suite::S2)];
    assert_eq!(store(&mut client, CALLED, &two).await.status, 201);
    let eight = vec![blob(Suite::S1); 8];
    for _ in 0..30 {
        assert_eq!(store(&mut client, FULL, &eight).await.status, 201);
    }
    world
}

#[tokio::test]
async fn a_store_is_answered_alike_for_every_number() {
    let world = busy_world(DummyLevel::D1).await;
    let mut client = world.connect().await;
    for blobs in [
        vec![blob(Suite::S1)],
        vec![blob(Suite::S1), blob(Suite::S2)],
        vec![blob(Suite::S2); 8],
    ] {
        let mut shapes = Vec::new();
        for number in [NUMBER, UNKNOWN, CALLED, FULL] {
            shapes.push(shape(&store(&mut client, number, &blobs).await));
        }
        assert_eq!(shapes[0].0, 201);
        assert!(shapes.iter().all(|other| *other == shapes[0]), "{shapes:?}");
    }
}

#[tokio::test]
async fn a_retrieval_has_the_same_headers_and_lines_for_every_number() {
    let world = busy_world(DummyLevel::D1).await;
    let mut client = world.connect().await;
    for number in [NUMBER, UNKNOWN, CALLED, FULL] {
        let answer = retrieve(&mut client, number).await;
        assert_eq!(answer.status, 200);
        let names: Vec<&str> = answer
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let expected = ["cache-control", "content-type", "date", "content-length"];
        assert_eq!(names, expected);
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.lines().count() >= 4);
        assert!(text.lines().all(|line| line.len() == 5462));
    }
}

/// At level D2 the whole answer is one size, with a call and without.
#[tokio::test]
async fn at_level_d2_a_retrieval_is_of_one_size_with_a_call_and_without() {
    let world = busy_world(DummyLevel::constant()).await;
    let mut client = world.connect().await;
    for _ in 0..40 {
        world.clock.advance(977);
        let quiet = shape(&retrieve(&mut client, UNKNOWN).await);
        assert_eq!(quiet, shape(&retrieve(&mut client, CALLED).await));
        assert_eq!(quiet, shape(&retrieve(&mut client, NUMBER).await));
        assert_eq!(quiet.2, 30 * 5463);
    }
}

#[tokio::test]
async fn at_level_d2_a_blob_is_there_within_an_epoch_and_cannot_be_asked_for_before() {
    let level = DummyLevel::D2 {
        epoch: Duration::from_secs(2),
        births: 1,
    };
    let world = World::with(|config| config.placement.dummies = level).await;
    let mut client = world.connect().await;
    world.clock.advance(500);
    let one = blob(Suite::S1);
    let stored = store(&mut client, UNKNOWN, std::slice::from_ref(&one)).await;
    let item = stored.header("location").unwrap().to_owned();
    for (ms, status) in [(0, 404), (1499, 404), (1, 200), (29_999, 200), (1, 404)] {
        world.clock.advance(ms);
        let text = String::from_utf8(retrieve(&mut client, UNKNOWN).await.body).unwrap();
        assert_eq!(text.contains(&one.to_text()), status == 200, "{ms}");
        assert_eq!(client.request("GET", &item, &[], b"").await.status, status);
    }
}

#[tokio::test]
async fn a_lookup_is_of_one_size_and_shape_for_every_number() {
    let world = busy_world(DummyLevel::D1).await;
    let mut client = world.connect().await;
    let mut shapes = Vec::new();
    for number in [NUMBER, UNKNOWN, CALLED, FULL] {
        let path = format!("/keys/{number}");
        shapes.push(shape(&client.request("GET", &path, &[], b"").await));
    }
    assert_eq!((shapes[0].0, shapes[0].2), (200, 8192));
    assert!(shapes.iter().all(|other| *other == shapes[0]), "{shapes:?}");
}

/// Refusals by rate are about the client, never about the number.
#[tokio::test]
async fn a_client_over_its_rate_is_refused_alike_for_every_number() {
    let world = World::with(|config| {
        config.network.limit_loopback = true;
        config.network.requests_per_minute = 10;
    })
    .await;
    let mut client = world.connect().await;
    while retrieve(&mut client, CALLED).await.status == 200 {}
    let mut shapes = Vec::new();
    for number in [NUMBER, UNKNOWN, CALLED, FULL] {
        shapes.push(shape(&store(&mut client, number, &[blob(Suite::S1)]).await));
        shapes.push(shape(&retrieve(&mut client, number).await));
    }
    assert_eq!(shapes[0].0, 429);
    assert!(shapes.iter().all(|other| *other == shapes[0]), "{shapes:?}");
}
