//! `ringtrue endpoint serve` as a process, and clients of its socket and its FastAGI port.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::{Value, json};

use crate::processes::{Laboratory, PATIENCE, assert_quiet, lines};

/// A daemon of one number. Killed when dropped.
pub(crate) struct Daemon {
    process: Child,
    socket: PathBuf,
    agi: Option<String>,
    log: Receiver<String>,
}

impl Daemon {
    /// Of a laboratory's number, with its service at `base`.
    pub(crate) fn of(lab: &Laboratory, number: &str, base: &str) -> Self {
        let socket = lab.file(&format!("{number}.sock"));
        Self::start(&[
            "--lab",
            lab.dir(),
            "--number",
            number,
            "--base",
            base,
            "--socket",
            &socket,
            "--agi",
            "127.0.0.1:0",
        ])
    }

    /// Starts it and waits until it says where it is.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
            .args(["endpoint", "serve", "--log", "info"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = lines(process.stdout.take().unwrap());
        let log = lines(process.stderr.take().unwrap());
        let said = |what: &str| {
            let line = output
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("not serving: {}", log.iter().collect::<String>()));
            line.strip_prefix(what).unwrap().to_owned()
        };
        let socket = PathBuf::from(said("serving "));
        let agi = arguments.contains(&"--agi").then(|| said("FastAGI on "));
        Self {
            process,
            socket,
            agi,
            log,
        }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.socket)
    }

    /// Waits until it has logged this.
    pub(crate) fn await_log(&self, message: &str) {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            assert_quiet(&line);
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["fields"]["message"] == message {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and checks that nothing it logged names a number.
    pub(crate) fn finish(mut self) -> ExitStatus {
        let status = self.process.wait().unwrap();
        for line in self.log.iter() {
            assert_quiet(&line);
        }
        status
    }

    /// Plays Asterisk: sends `head` and an empty line, acknowledges what is set, and gives that.
    pub(crate) fn agi(&self, head: &[&str]) -> Vec<(String, String)> {
        let mut text = head.join("\n");
        text.push_str("\n\n");
        self.agi_octets(text.as_bytes())
    }

    /// As [`Self::agi`], with anything.
    pub(crate) fn agi_octets(&self, head: &[u8]) -> Vec<(String, String)> {
        let mut stream = TcpStream::connect(self.agi.as_ref().unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may have heard enough before all is sent.
        let _ = stream.write_all(head);
        let mut set = Vec::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 0 {
            let rest = line.trim_end().strip_prefix("SET VARIABLE ").unwrap();
            let (name, value) = rest.split_once(' ').unwrap();
            set.push((name.to_owned(), value.trim_matches('"').to_owned()));
            line.clear();
            let _ = stream.write_all(b"200 result=1\n");
        }
        set
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The value of one variable.
pub(crate) fn variable<'a>(set: &'a [(String, String)], name: &str) -> &'a str {
    let found = set.iter().find(|(held, _)| held == name);
    &found.unwrap_or_else(|| panic!("no {name}")).1
}

/// A client of the socket.
pub(crate) struct Client {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
    next_id: u64,
    events: Vec<Value>,
}

impl Client {
    /// Connects, and reads the greeting.
    pub(crate) fn connect(socket: &Path) -> Self {
        let mut client = Self::connect_silently(socket);
        let hello = client.read().unwrap();
        assert_eq!(hello, json!({"event": "hello", "version": 1}));
        client
    }

    /// Connects, and reads nothing.
    pub(crate) fn connect_silently(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self {
            stream,
            reader,
            next_id: 1,
            events: Vec::new(),
        }
    }

    /// The next line; none at the end.
    pub(crate) fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            // The daemon may close before it has read everything.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(octets)
    }

    /// Says that it sends no more; it goes on reading.
    pub(crate) fn send_no_more(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Begins a request, and gives its name.
    pub(crate) fn begin(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({"id": id, "method": method, "params": params});
        self.send(format!("{request}\n").as_bytes()).unwrap();
        id
    }

    /// The response to a request; events are kept.
    pub(crate) fn response(&mut self, id: u64) -> Value {
        loop {
            let value = self.read().expect("a response");
            if value.get("event").is_some() {
                self.events.push(value);
            } else if value["id"] == id {
                return value;
            }
        }
    }

    /// Asks, and gives the result.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, &params);
        let mut response = self.response(id);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].take()
    }

    /// Asks, and gives the code of the error.
    pub(crate) fn refused(&mut self, method: &str, params: Value) -> String {
        let id = self.begin(method, &params);
        let response = self.response(id);
        response["error"].as_str().unwrap().to_owned()
    }

    /// Waits for an event of this kind about this call.
    pub(crate) fn event(&mut self, kind: &str, call: &Value) -> Value {
        let is_it = |event: &Value| event["event"] == kind && event["call"] == *call;
        if let Some(index) = self.events.iter().position(is_it) {
            return self.events.remove(index);
        }
        loop {
            let value = self.read().expect("an event");
            if is_it(&value) {
                return value;
            }
        }
    }
}
