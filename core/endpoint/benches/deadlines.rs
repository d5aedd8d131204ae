//! How closely calls end by their deadline against services that do not answer.
//!
//! `cargo bench -p ringtrue`. Prints, per kind of silence, how long after its deadline a call ended.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]
#![expect(clippy::indexing_slicing, reason = "fixed inputs")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ringtrue::{
    AddressPolicy, Endpoint, HttpSettings, MemoryStore, PlaceOptions, SoftwareSigner,
    TelephoneNumber, UnixTime,
};
use ringtrue_lab::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ROUNDS: usize = 30;
const DEADLINE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
enum Silence {
    /// Accepts and says nothing: the TLS handshake hangs.
    Mute,
    /// Drips the octets of a TLS record that takes minutes.
    Drip,
    /// The connection is never accepted by the program.
    Backlog,
}

async fn service(silence: Silence) -> (u16, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let keep = TcpListener::bind("127.0.0.1:0").await.unwrap();
    if matches!(silence, Silence::Backlog) {
        return (port, listener);
    }
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut octets = [0; 4096];
                let _ = connection.read(&mut octets).await;
                let drips = matches!(silence, Silence::Drip);
                // The header of a TLS handshake record of 16 KiB, whose body never ends.
                let header: &[u8] = if drips { &[22, 3, 3, 0x40, 0] } else { &[] };
                let _ = connection.write_all(header).await;
                if drips {
                    while connection.write_all(&[2]).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    return;
                }
                std::future::pending::<()>().await;
            });
        }
    });
    (port, keep)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let number = TelephoneNumber::from_canonical("12025550143").unwrap();
    let at = UnixTime::from_secs(now);
    let authority = Authority::for_numbers(std::slice::from_ref(&number), at).unwrap();
    let credential = authority.issue_number(&number, at).unwrap();
    println!("deadline {DEADLINE:?}, {ROUNDS} rounds; how long after it a call ended");
    for (name, silence) in [
        ("mute", Silence::Mute),
        ("drips", Silence::Drip),
        ("backlog", Silence::Backlog),
    ] {
        let (port, _keep) = service(silence).await;
        let endpoint = Endpoint::builder()
            .allow_direct(true)
            .number(number.as_str())
            .credential(
                credential.chain_pem.clone(),
                "https://certs.example.com/a.pem",
            )
            .signer(Arc::new(
                SoftwareSigner::new(credential.secret.clone()).unwrap(),
            ))
            .anchors_pem(authority.root.pem())
            .service(format!("https://localhost:{port}"))
            .store(Arc::new(MemoryStore::new()))
            .state_key([7; 32])
            .http(HttpSettings {
                addresses: AddressPolicy::public_only().allow_loopback(),
                ..HttpSettings::default()
            })
            .build()
            .unwrap();
        let mut late: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let options = PlaceOptions::default().within(DEADLINE);
            endpoint
                .place("12025550143", "12025550199", options)
                .await
                .unwrap();
            late[0].push(started.elapsed().saturating_sub(DEADLINE));
            let started = Instant::now();
            endpoint
                .ring(Some("12025550199"), None, Some(DEADLINE))
                .await
                .unwrap();
            late[1].push(started.elapsed().saturating_sub(DEADLINE));
        }
        for (what, mut late) in ["place", "ring"].into_iter().zip(late) {
            late.sort();
            println!(
                "{what:<6} {name:<8} median {:>8.2?}   largest {:>8.2?}",
                late[ROUNDS / 2],
                late[ROUNDS - 1]
            );
        }
    }
}
