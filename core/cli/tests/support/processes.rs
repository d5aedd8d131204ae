//! The command as separate processes, in a laboratory of their own. Waits for events, never for time.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// How long an event may take that always comes. Only reached when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A deadline for what comes, whatever else the machine does.
pub(crate) const IN_TIME: [&str; 2] = ["--deadline", "30s"];

pub(crate) const ALICE: &str = "12025550143";
pub(crate) const BOB: &str = "12025550177";

/// What all numbers of these tests begin with.
const NUMBERS: &str = "20255501";

fn ringtrue() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringtrue"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Fails if a log or an error shows a number, or a word that is as long and as mixed as a key, a token, a
/// nonce or a blob.
pub(crate) fn assert_quiet(text: &str) {
    assert!(!text.contains(NUMBERS), "{text}");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for word in text.split(|c: char| !is_part(c)) {
        let has = |of: fn(&u8) -> bool| word.as_bytes().iter().any(of);
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        assert!(word.len() < 22 || !is_mixed, "{word} in {text}");
    }
}

/// Runs the command to its end. At no time does it name a number where logs and errors go.
pub(crate) fn run(arguments: &[&str]) -> Output {
    checked(ringtrue().args(arguments).output().unwrap())
}

fn checked(output: Output) -> Output {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_quiet(&errors);
    output
}

pub(crate) fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)))
}

/// A command that runs beside the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self(ringtrue().args(arguments).spawn().unwrap())
    }

    /// Waits for its end.
    pub(crate) fn finish(self) -> Output {
        checked(self.0.wait_with_output().unwrap())
    }
}

/// A laboratory with two numbers.
pub(crate) struct Laboratory {
    folder: TempDir,
}

impl Laboratory {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With further arguments of `lab init`.
    pub(crate) fn with(further: &[&str]) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let init = ["lab", "init", lab.dir(), "--number", ALICE, "--number", BOB];
        let init = run(&[&init, further].concat());
        assert_eq!(code(&init), Some(0));
        lab
    }

    pub(crate) fn dir(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub(crate) fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The path of a file as an argument.
    pub(crate) fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A service on a free port, with the laboratory's settings.
    pub(crate) fn serve(&self) -> Server {
        Server::start(&["--lab", self.dir()])
    }

    /// Publishes the keys of both numbers at `server`.
    pub(crate) fn publish(&self, server: &Server) {
        for number in [ALICE, BOB] {
            let published = self.run(server, &["publish", "--number", number]);
            assert_eq!(code(&published), Some(0));
        }
    }

    /// The arguments of an endpoint's command at `server`; of a call with time enough, unless it says how
    /// much.
    pub(crate) fn arguments<'a>(&'a self, server: &'a Server, command: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = command.to_vec();
        let is_call = matches!(command.first(), Some(&("place" | "ring" | "publish")));
        if is_call && !command.contains(&"--deadline") {
            arguments.extend(IN_TIME);
        }
        arguments.extend(["--lab", self.dir(), "--base", server.base(), "--json"]);
        arguments
    }

    /// Runs an endpoint's command at `server`.
    pub(crate) fn run(&self, server: &Server, command: &[&str]) -> Output {
        run(&self.arguments(server, command))
    }
}

/// `ringtrue cps serve` on a free port of loopback. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    base: String,
    address: String,
    metrics: Option<String>,
    log: Receiver<String>,
    output: Receiver<String>,
}

impl Server {
    /// Starts it and waits until it says where it is.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = ringtrue()
            .args(["cps", "serve", "--log", "info", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .spawn()
            .unwrap();
        let output = lines(process.stdout.take().unwrap());
        let log = lines(process.stderr.take().unwrap());
        let serving = output
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("not serving: {}", log.iter().collect::<String>()));
        let (base, address) = serving
            .strip_prefix("serving ")
            .and_then(|rest| rest.split_once(" on "))
            .unwrap();
        let metrics = arguments.contains(&"--metrics").then(|| {
            let line = output.recv_timeout(PATIENCE).unwrap();
            line.strip_prefix("metrics on ").unwrap().to_owned()
        });
        Self {
            base: base.to_owned(),
            address: address.to_owned(),
            metrics,
            process,
            log,
            output,
        }
    }

    /// The base URL that it printed.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The address that it printed.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The URL of its metrics that it printed.
    pub(crate) fn metrics(&self) -> &str {
        self.metrics.as_deref().unwrap()
    }

    /// Waits until it has logged a request of this kind with this status.
    pub(crate) fn await_request(&self, method: &str, route: &str, status: u16) {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            assert_quiet(&line);
            let event: Value = serde_json::from_str(&line).unwrap();
            let fields = &event["fields"];
            if fields["method"] == method && fields["route"] == route && fields["status"] == status
            {
                return;
            }
        }
    }

    /// Asks it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and checks that nothing it logged names a number.
    pub(crate) fn finish(mut self) -> ExitStatus {
        let status = self.process.wait().unwrap();
        for line in self.log.iter().chain(self.output.iter()) {
            assert_quiet(&line);
        }
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The lines of a stream as they come; ends with the stream.
pub(crate) fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
