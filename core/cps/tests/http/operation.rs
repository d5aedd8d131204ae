//! What an operator sees and does: health, draining, TLS reload, metrics, logs.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue_cps::TlsFiles;
use ringtrue_oob::Suite;
use ringtrue_oob::http::problem::Problem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Connection;
use crate::world::{NUMBER, World, assert_common, assert_problem, blob, tls_identity};

#[tokio::test]
async fn health_is_ok_and_503_while_draining_and_the_rest_goes_on() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let answer = client.request("GET", "/health", &[], b"").await;
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &br#"{"status":"ok"}"#[..])
    );
    assert_common(&answer);
    world.service.begin_drain();
    let answer = client.request("GET", "/health", &[], b"").await;
    assert_problem(&answer, Problem::Unavailable);
    assert_eq!(client.request("GET", "/keys/1", &[], b"").await.status, 200);
}

#[tokio::test]
async fn a_request_that_has_begun_is_finished_and_nothing_new_is_accepted() {
    let world = World::new().await;
    let addr = world.service.local_addr();
    let mut busy = world.connect().await;
    let mut idle = world.connect().await;
    assert_eq!(idle.request("GET", "/health", &[], b"").await.status, 200);
    let body = blob(Suite::S1).to_text();
    let head = format!(
        "POST /cps/{NUMBER}/ppts HTTP/1.1\r\nhost: x\r\ncontent-type: application/passport\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    busy.send(head.as_bytes()).await;
    // The service waits for the body now.
    assert_eq!(busy.answer().await.unwrap().status, 100);
    let stopping = tokio::spawn(world.service.shutdown());
    // An idle connection is closed at once, which shows that draining has begun.
    assert!(idle.answer().await.is_none());
    assert!(Connection::open(addr, &world.root_pem).await.is_err());
    assert!(!stopping.is_finished());
    busy.send(body.as_bytes()).await;
    assert_eq!(busy.answer().await.unwrap().status, 201);
    assert!(busy.answer().await.is_none());
    stopping.await.unwrap();
}

#[tokio::test]
async fn draining_does_not_wait_for_ever() {
    let world = World::with(|config| {
        config.network.drain_timeout = Duration::from_millis(200);
    })
    .await;
    let mut client = world.connect().await;
    client
        .send(b"POST /cps/1/ppts HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.unwrap().status, 100);
    let stopped = tokio::time::timeout(Duration::from_secs(120), world.service.shutdown()).await;
    assert!(stopped.is_ok());
    assert!(client.answer().await.is_none());
}

#[tokio::test]
async fn a_new_tls_certificate_is_used_for_new_connections_only() {
    let world = World::new().await;
    let addr = world.service.local_addr();
    let mut old = world.connect().await;
    let (new_tls, new_root) = tls_identity();
    world.service.reload_tls(&new_tls).unwrap();
    assert_eq!(old.request("GET", "/health", &[], b"").await.status, 200);
    assert!(Connection::open(addr, &world.root_pem).await.is_err());
    let new = Connection::open(addr, &new_root).await.unwrap();
    assert_ne!(new.certificate(), old.certificate());

    // A key that does not fit changes nothing.
    let (mut mixed, _) = tls_identity();
    mixed.key_pem = new_tls.key_pem.clone();
    assert!(world.service.reload_tls(&mixed).is_err());
    assert!(Connection::open(addr, &new_root).await.is_ok());
}

#[tokio::test]
async fn tls_files_are_read_again_when_they_change() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("tls.pem"),
        key: folder.path().join("tls.key"),
    };
    let write = |tls: &ringtrue_cps::TlsIdentity| {
        std::fs::write(&files.key, tls.key_pem.as_bytes()).unwrap();
        std::fs::write(&files.certificate, &tls.chain_pem).unwrap();
    };
    let (first, _) = tls_identity();
    write(&first);
    let (second, second_root) = tls_identity();
    let addr = world.service.local_addr();
    let interval = Duration::from_millis(20);
    let seen = async {
        // Written until it is noticed: file times may be coarse.
        loop {
            write(&second);
            tokio::time::sleep(interval).await;
            if Connection::open(addr, &second_root).await.is_ok() {
                return;
            }
        }
    };
    tokio::select! {
        () = files.watch(&world.service, interval) => {}
        seen = tokio::time::timeout(Duration::from_secs(120), seen) => seen.unwrap(),
    }
}

#[tokio::test]
async fn metrics_count_and_name_nobody() {
    let world = World::with(|config| {
        config.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    let mut client = world.connect().await;
    let path = format!("/cps/{NUMBER}/ppts");
    let passport = [("content-type", "application/passport")];
    let body = blob(Suite::S1).to_text();
    client
        .request("POST", &path, &passport, body.as_bytes())
        .await;
    client.request("GET", &path, &[], b"").await;
    client.request("BREW", &path, &[], b"").await;
    client.request("GET", &format!("/{NUMBER}"), &[], b"").await;
    let answer = world
        .connect()
        .await
        .request("GET", "/metrics", &[], b"")
        .await;
    assert_problem(&answer, Problem::NotFound);

    let mut stream = TcpStream::connect(world.service.metrics_addr().unwrap())
        .await
        .unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    for line in [
        r#"ringtrue_cps_requests_total{method="POST",route="/cps/{number}/ppts",status="201"} 1"#,
        r#"ringtrue_cps_requests_total{method="other",route="/cps/{number}/ppts",status="405"} 1"#,
        "ringtrue_cps_stores_total 1",
        "ringtrue_cps_retrievals_total 1",
        "ringtrue_cps_live_blobs 1",
        "ringtrue_cps_evicted_blobs 0",
        "ringtrue_cps_tls_handshake_failures_total 0",
        "ringtrue_cps_connections_total 2",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(NUMBER));
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_at_every_level_name_no_number_item_blob_or_client() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: what the services of the other tests log is looked at as well.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let world = World::new().await;
    let mut client = world.connect().await;
    let credential = world.credential(NUMBER);
    let statement = world
        .statement(&credential, &[NUMBER], 1, 3600, &[Suite::S1])
        .directory;
    let keys = format!("/keys/{NUMBER}");
    let path = format!("/cps/{NUMBER}/ppts");
    client
        .request(
            "PUT",
            &keys,
            &[("content-type", "application/jose")],
            statement.as_bytes(),
        )
        .await;
    client.request("GET", &keys, &[], b"").await;
    let body = blob(Suite::S1).to_text();
    let passport = [("content-type", "application/passport")];
    let stored = client
        .request("POST", &path, &passport, body.as_bytes())
        .await;
    let item = stored.header("location").unwrap().to_owned();
    client.request("GET", &item, &[], b"").await;
    client
        .request("GET", &path, &[("accept", "application/passport")], b"")
        .await;
    client.request("POST", &path, &passport, b"bad").await;
    client.request("DELETE", &path, &[], b"").await;
    client
        .request("GET", &format!("/odd/{NUMBER}"), &[], b"")
        .await;
    client
        .send(format!("BAD {NUMBER}\r\n\r\n").as_bytes())
        .await;
    let _ = client.answer().await;
    world.service.shutdown().await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("status=201") && text.contains("route=\"/cps/{number}/ppts\""),
        "{text}"
    );
    let id = item.rsplit('/').next().unwrap();
    for secret in [
        NUMBER,
        &NUMBER[1..],
        id,
        &body[40..80],
        &statement[..40],
        "127.0.0.1",
    ] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}
