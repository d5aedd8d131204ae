//! Numbers with keys of the hybrid suites: class three throughout, and the limit of an answer.

use ringtrue_oob::http::placement::{MAX_ANSWER_LEN, decode_blobs};
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{Blob, SizeClass, Suite};

use crate::directory::put;
use crate::world::{NUMBER, World, assert_problem, blob};

const PASSPORT: (&str, &str) = ("content-type", "application/passport");

fn body(blobs: &[Blob]) -> Vec<u8> {
    let lines: Vec<String> = blobs.iter().map(Blob::to_text).collect();
    lines.join("\n").into_bytes()
}

#[tokio::test]
async fn a_number_with_hybrid_keys_takes_and_shows_class_three_alone() {
    for suite in [Suite::S3, Suite::S4] {
        let world = World::new().await;
        let mut client = world.connect().await;
        let credential = world.credential(NUMBER);
        let statement = world.statement(&credential, &[NUMBER], 1, 3600, &[suite]);
        assert_eq!(
            put(&mut client, NUMBER, &statement.directory).await.status,
            204
        );
        world.clock.advance(60_000);
        let path = format!("/cps/{NUMBER}/ppts");
        for other in Suite::ALL.iter().filter(|other| **other != suite) {
            let refused = body(&[blob(*other)]);
            let answer = client.request("POST", &path, &[PASSPORT], &refused).await;
            assert_problem(&answer, Problem::MalformedBlob);
        }
        let stored = blob(suite);
        // Eight of the larger class are far below the limit of a body.
        let eight = body(&vec![stored.clone(); 8]);
        assert_eq!(eight.len(), 8 * 10_924 - 1);
        let answer = client.request("POST", &path, &[PASSPORT], &eight).await;
        assert_eq!(answer.status, 201);
        let accept = [("accept", "application/passport")];
        let answer = client.request("GET", &path, &accept, b"").await;
        let blobs = decode_blobs(&answer).unwrap().blobs;
        assert!(blobs.iter().filter(|blob| **blob == stored).count() == 8);
        for blob in blobs {
            assert_eq!((blob.suite(), blob.class()), (suite, SizeClass::Three));
        }
    }
}

/// W-22: 1.5 MiB come before 256 blobs.
#[tokio::test]
async fn an_answer_of_class_three_ends_at_its_octets() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let statement = world.statement(&credential, &[NUMBER], 1, 3600, &[Suite::S3]);
    put(&mut client, NUMBER, &statement.directory).await;
    world.clock.advance(60_000);
    let path = format!("/cps/{NUMBER}/ppts");
    let eight = body(&vec![blob(Suite::S3); 8]);
    for _ in 0..25 {
        let answer = client.request("POST", &path, &[PASSPORT], &eight).await;
        assert_eq!(answer.status, 201);
    }
    let accept = [("accept", "application/passport")];
    let answer = client.request("GET", &path, &accept, b"").await;
    assert!(answer.body.len() <= MAX_ANSWER_LEN);
    assert_eq!(decode_blobs(&answer).unwrap().blobs.len(), 143);
}
