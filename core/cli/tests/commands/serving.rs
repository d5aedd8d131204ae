//! The service: how it is configured, starts and ends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::processes::{Laboratory, Server, code, run};

#[test]
fn sigterm_drains_and_ends_with_0() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    // A connection that never says anything does not hold it up.
    let idle = TcpStream::connect(server.address()).unwrap();
    let address = server.address().to_owned();
    server.terminate();
    assert_eq!(server.finish().code(), Some(0));
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}

#[test]
fn a_service_may_be_configured_by_arguments_or_by_a_file() {
    let lab = Laboratory::new();
    let (anchor, chain, key) = (
        lab.file("root.pem"),
        lab.file("tls.pem"),
        lab.file("tls.key"),
    );
    let server = Server::start(&[
        "--anchor",
        &anchor,
        "--tls-cert",
        &chain,
        "--tls-key",
        &key,
        "--ttl",
        "5",
        "--metrics",
        "127.0.0.1:0",
    ]);
    lab.publish(&server);
    let metrics = http_get(server.metrics());
    assert!(
        metrics.contains("ringtrue_cps_publications_total 2"),
        "{metrics}"
    );
    assert!(!metrics.contains("20255501"));
    drop(server);

    let config = lab.file("cps.toml");
    let settings = "listen = \"127.0.0.1:8443\"\n\
                    anchors = [\"root.pem\"]\n\
                    state = \"cps-state\"\n\
                    [tls]\n\
                    certificate = \"tls.pem\"\n\
                    key = \"tls.key\"\n";
    fs::write(&config, settings).unwrap();
    let server = Server::start(&["--config", &config]);
    lab.publish(&server);
    server.terminate();
    assert!(server.finish().success());
    // Key statements outlive the process.
    let server = Server::start(&["--config", &config, "--metrics", "127.0.0.1:0"]);
    let metrics = http_get(server.metrics());
    assert!(metrics.contains("ringtrue_cps_statements 2"), "{metrics}");
}

/// The answer to a plain HTTP request.
fn http_get(url: &str) -> String {
    let (address, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_service_that_cannot_start_ends_with_1() {
    let lab = Laboratory::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = ["cps", "serve", "--lab", lab.dir(), "--listen"];
    assert_eq!(
        code(&run(&[serve.as_slice(), &[&address]].concat())),
        Some(1)
    );

    let nowhere = lab.file("nowhere");
    assert_eq!(code(&run(&["cps", "serve", "--lab", &nowhere])), Some(1));
    assert_eq!(code(&run(&["cps", "serve", "--config", &nowhere])), Some(1));
    let root = lab.file("root.pem");
    let wrong_key = [
        "cps",
        "serve",
        "--anchor",
        &root,
        "--tls-cert",
        &root,
        "--tls-key",
        &root,
    ];
    assert_eq!(code(&run(&wrong_key)), Some(1));
}
