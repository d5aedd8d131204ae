//! What one client can take: connections, time, octets, requests.

use std::time::{Duration, Instant};

use ringtrue_oob::http::problem::Problem;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::client::{Connection, tls};
use crate::world::{NUMBER, World, assert_problem};

const SOON: Duration = Duration::from_millis(300);

/// What comes whatever else the machine does, if it comes at all.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for the end of the connection, without an answer.
async fn cut(client: &mut Connection) {
    let answer = tokio::time::timeout(PATIENCE, client.answer()).await;
    assert!(answer.unwrap().is_none());
}

#[tokio::test]
async fn a_header_that_drips_is_cut() {
    let world = World::with(|config| config.network.header_timeout = SOON).await;
    let begun = Instant::now();
    let mut client = world.connect().await;
    client
        .send(b"GET /health HTTP/1.1\r\nhost: x\r\nx-a: ")
        .await;
    cut(&mut client).await;
    assert!(begun.elapsed() >= SOON);
    // An idle connection ends by the same limit. A busy machine may be cut before it has asked.
    let mut was_answered = false;
    for _ in 0..20 {
        let mut client = world.connect().await;
        client
            .send(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        let answer = tokio::time::timeout(PATIENCE, client.answer()).await;
        if let Some(answer) = answer.unwrap() {
            assert_eq!(answer.status, 200);
            cut(&mut client).await;
            was_answered = true;
            break;
        }
    }
    assert!(was_answered);
}

#[tokio::test]
async fn a_body_that_drips_is_cut() {
    let world = World::with(|config| config.network.body_timeout = SOON).await;
    let begun = Instant::now();
    let mut client = world.connect().await;
    let head = format!(
        "POST /cps/{NUMBER}/ppts HTTP/1.1\r\nhost: x\r\ncontent-type: application/passport\r\n\
         content-length: 5462\r\n\r\nAAAA"
    );
    client.send(head.as_bytes()).await;
    cut(&mut client).await;
    assert!(begun.elapsed() >= SOON);
    assert_eq!(world.service.observed().stores, 0);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut_and_counted() {
    let world = World::with(|config| config.network.handshake_timeout = SOON).await;
    let mut stream = TcpStream::connect(world.service.local_addr())
        .await
        .unwrap();
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets).await;
    assert!(octets.is_empty());
    assert_eq!(world.service.observed().handshake_failures, 1);
}

#[tokio::test]
async fn nothing_but_tls_1_3_is_spoken() {
    let world = World::new().await;
    let stream = TcpStream::connect(world.service.local_addr())
        .await
        .unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connector = tls(&world.root_pem, &rustls::version::TLS12);
    assert!(connector.connect(name, stream).await.is_err());
    assert_eq!(world.service.observed().connections, 0);
}

#[tokio::test]
async fn a_body_over_its_limit_is_413_whether_announced_or_not() {
    let world = World::new().await;
    let path = format!("/cps/{NUMBER}/ppts");
    let passport = ("content-type", "application/passport");
    for len in [180 * 1024 + 1, 1_000_000] {
        let mut client = world.connect().await;
        let answer = client
            .request("POST", &path, &[passport], &vec![b'A'; len])
            .await;
        assert_problem(&answer, Problem::BodyTooLarge);
    }
    // Chunked: nothing announces the length.
    let mut client = world.connect().await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/passport\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let chunk = format!("10000\r\n{}\r\n", "A".repeat(0x10000));
    client.send(head.as_bytes()).await;
    for _ in 0..4 {
        client.send(chunk.as_bytes()).await;
    }
    client.send(b"0\r\n\r\n").await;
    assert_problem(&client.answer().await.unwrap(), Problem::BodyTooLarge);
}

#[tokio::test]
async fn headers_are_bounded_in_size_and_number() {
    let world = World::new().await;
    for headers in [
        format!("x-a: {}\r\n", "a".repeat(80_000)),
        "x-a: b\r\n".repeat(100),
    ] {
        let mut client = world.connect().await;
        let request = format!("GET /health HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        client.send(request.as_bytes()).await;
        // Refused by the parser itself, without the details of a problem.
        let status = client.answer().await.map(|answer| answer.status);
        assert!(matches!(status, None | Some(400 | 431)), "{status:?}");
    }
    let mut client = world.connect().await;
    assert_eq!(client.request("GET", "/health", &[], b"").await.status, 200);
}

#[tokio::test]
async fn a_hundred_idle_connections_disturb_nobody() {
    let world = World::new().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(world.connect().await);
    }
    let mut client = world.connect().await;
    let path = format!("/cps/{NUMBER}/ppts");
    assert_eq!(client.request("GET", &path, &[], b"").await.status, 200);
    for client in &mut idle {
        assert_eq!(client.request("GET", "/health", &[], b"").await.status, 200);
    }
    assert_eq!(world.service.observed().connections, 101);
}

#[tokio::test]
async fn connections_of_one_client_are_bounded_and_given_back() {
    let world = World::with(|config| {
        config.network.limit_loopback = true;
        config.network.max_connections_per_client = 2;
    })
    .await;
    let first = world.connect().await;
    let _second = world.connect().await;
    let addr = world.service.local_addr();
    assert!(Connection::open(addr, &world.root_pem).await.is_err());
    drop(first);
    // The service notices in its own time.
    let deadline = Instant::now() + PATIENCE;
    while Connection::open(addr, &world.root_pem).await.is_err() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_over_the_rate_are_429_and_look_the_same_for_every_number() {
    let world = World::with(|config| {
        config.network.limit_loopback = true;
        config.network.requests_per_minute = 3;
    })
    .await;
    let mut client = world.connect().await;
    for _ in 0..3 {
        let answer = client.request("GET", "/keys/1", &[], b"").await;
        assert_eq!(answer.status, 200);
    }
    let mut sizes = Vec::new();
    for path in [
        "/keys/1",
        "/keys/12025550143",
        "/cps/1/ppts",
        "/nowhere",
        "/keys/alice",
    ] {
        let answer = client.request("GET", path, &[], b"").await;
        assert_problem(&answer, Problem::OverLimit);
        assert_eq!(answer.header("retry-after"), Some("20"));
        sizes.push(answer.body.len());
    }
    sizes.dedup();
    assert_eq!(sizes.len(), 1);
    // Whether the service is up can always be asked.
    assert_eq!(client.request("GET", "/health", &[], b"").await.status, 200);
    world.clock.advance(20_000);
    assert_eq!(client.request("GET", "/keys/1", &[], b"").await.status, 200);
}
