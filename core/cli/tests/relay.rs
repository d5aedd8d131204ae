//! `ringtrue relay serve` as a process of its own, between processes that call and a service.

#![cfg(unix)]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

#[path = "support/processes.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod processes;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use processes::{ALICE, BOB, Laboratory, Server, code, json, run};

/// A relay on a free port. Killed when dropped.
struct Relay {
    process: Child,
    base: String,
}

impl Relay {
    fn start(lab: &Laboratory, server: &Server) -> Self {
        let name = server.base().strip_prefix("https://").unwrap();
        let config = lab.path("relay.toml");
        let settings = format!(
            "listen = \"127.0.0.1:0\"\n\
             allow_loopback = true\n\
             tls_root = \"tls-root.pem\"\n\
             [tls]\n\
             certificate = \"tls.pem\"\n\
             key = \"tls.key\"\n\
             [gateways]\n\
             \"{name}\" = \"{}\"\n",
            server.base()
        );
        fs::write(&config, settings).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
            .args(["relay", "serve", "--log", "info", "--config"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let base = line.strip_prefix("relaying ").unwrap();
        let base = base.split(' ').next().unwrap().to_owned();
        Self { process, base }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_call_between_processes_goes_through_the_relay_alone() {
    let lab = Laboratory::new();
    let server = lab.serve();
    let mut relay = Relay::start(&lab, &server);
    let through = |command: &[&str]| {
        let mut arguments = lab.arguments(&server, command);
        arguments.extend(["--relay", relay.base.as_str()]);
        run(&arguments)
    };
    for number in [ALICE, BOB] {
        let published = through(&["publish", "--number", number]);
        assert_eq!(code(&published), Some(0), "{}", json(&published));
    }
    let placed = through(&["place", "--from", ALICE, "--to", BOB]);
    assert_eq!(
        json(&placed)["placement"]["result"],
        "stored",
        "{}",
        json(&placed)
    );
    let rung = through(&["ring", "--from", ALICE, "--to", BOB]);
    assert_eq!(json(&rung)["verdict"], "verified", "{}", json(&rung));

    // Without the relay nothing is sent elsewhere.
    relay.process.kill().unwrap();
    relay.process.wait().unwrap();
    let arguments = ["place", "--from", ALICE, "--to", BOB, "--cached"];
    let mut arguments = lab.arguments(&server, &arguments);
    arguments.extend(["--relay", relay.base.as_str()]);
    let placed = run(&arguments);
    let placed = json(&placed);
    assert_eq!(placed["placement"]["result"], "unprotected");
    assert!(placed.to_string().contains("relay_failed"), "{placed}");
}

#[test]
fn a_relay_that_cannot_work_says_why_and_ends() {
    let lab = Laboratory::new();
    for settings in ["", "listen = \"127.0.0.1:0\"\n", "nonsense = 1\n"] {
        let config = lab.path("relay.toml");
        fs::write(&config, settings).unwrap();
        let ended = run(&["relay", "serve", "--config", config.to_str().unwrap()]);
        assert_ne!(code(&ended), Some(0));
    }
}
