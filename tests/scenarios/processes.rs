//! Endpoints as processes of their own: killed at any moment, and two at once on one state file.
//!
//! The process is `endpoint_process` of this package. The test plays callers and service.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringtrue::{Endpoint, Reason, SqliteStore, TelephoneNumber, Verdict};
use ringtrue_lab::{Lab, LabConfig, LabOptions, LabPolicy, LabProfile};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::statement::KeyStatement;
use ringtrue_stir::crypto::CryptoProvider as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::forge::{content, header, payload, seal_to, token};
use crate::support::gateway::Kind;
use crate::support::world::{World, number};
use crate::support::{PATIENT, ends, now};

/// How often a process is killed, of each kind.
const ROUNDS: usize = 30;

/// The index of the called number, whose endpoint is the process.
const CALLEE: usize = 1;

/// A lab in a folder, a service, and a state file for the called endpoint.
struct Home {
    world: World,
    dir: TempDir,
    next_caller: std::cell::Cell<usize>,
}

impl Home {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let config = LabConfig {
            policy: LabPolicy {
                profile: LabProfile::Stir,
                ..LabPolicy::default()
            },
            ..LabConfig::default()
        };
        let options = LabOptions {
            config,
            overwrite: false,
        };
        let lab = dir.path().join("lab");
        let lab = Lab::create(lab, &[number(CALLEE)], &options, now()).unwrap();
        let world = World::with(lab.authority().unwrap(), lab.tls_identity().unwrap()).await;
        Self {
            world,
            dir,
            next_caller: std::cell::Cell::new(2),
        }
    }

    /// Starts the called endpoint with this command.
    fn start(&self, arguments: &[&str]) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_endpoint_process"))
            .arg(self.dir.path().join("lab"))
            .arg(number(CALLEE).as_str())
            .arg(self.dir.path().join("state.sqlite"))
            .arg(self.world.gateway.base())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, lines }
    }

    /// A caller that has not called before.
    fn new_caller(&self) -> TelephoneNumber {
        let index = self.next_caller.get();
        self.next_caller.set(index + 1);
        number(index)
    }

    /// Leaves one call of `from`, sealed to the keys of `statement`.
    async fn call(&self, from: &TelephoneNumber, statement: &KeyStatement) {
        let credential = self.world.credential(from);
        let to = number(CALLEE);
        let token = token(&header(), &payload(from, &to, now()), &credential.secret);
        let content = content(&[token], &credential).to_octets().unwrap();
        let blobs = seal_to(statement.keys(), &to, &content);
        self.world.leave(&to, &blobs).await;
    }

    /// The statement that the directory serves.
    async fn acknowledged(&self) -> Option<KeyStatement> {
        let mut statements = self.world.statements(&number(CALLEE)).await;
        assert!(statements.len() <= 1, "one signer");
        statements.pop()
    }

    /// How long a new process takes until it has published, beyond its start: the longest of some.
    async fn time_to_publish(&self) -> Duration {
        let mut longest = Duration::ZERO;
        for _ in 0..3 {
            let mut process = self.start(&["rotate"]);
            assert_eq!(process.line().await.as_deref(), Some("ready"));
            let started = Instant::now();
            assert_eq!(process.line().await.as_deref(), Some("published"));
            longest = longest.max(started.elapsed());
            process.kill().await;
        }
        longest
    }

    /// What a process that is left alone makes of a call.
    async fn rings(&self, from: &TelephoneNumber) -> String {
        let mut process = self.start(&["ring", from.as_str()]);
        assert_eq!(process.line().await.as_deref(), Some("ready"));
        process.go().await;
        process.line().await.expect("a verdict")
    }
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// The next line, `None` when the process has ended.
    async fn line(&mut self) -> Option<String> {
        ends(self.lines.next_line()).await.ok().flatten()
    }

    async fn go(&mut self) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(b"go\n").await.unwrap();
    }

    /// SIGKILL, and every line that the process had written.
    async fn kill(mut self) -> Vec<String> {
        self.child.start_kill().unwrap();
        ends(self.child.wait()).await.unwrap();
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        lines
    }
}

/// Anything up to `most`.
fn some_of(most: Duration) -> Duration {
    let mut octets = [0; 4];
    AwsLcCrypto.fill_random(&mut octets).unwrap();
    most.mul_f64(f64::from(u32::from_be_bytes(octets)) / f64::from(u32::MAX))
}

// "`kill -9` of an endpoint process at any point loses no published key."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_published_key_is_lost_when_a_process_is_killed_while_it_rotates() {
    let home = Home::new().await;
    // The kills are spread over the first rotations of a process.
    let span = home.time_to_publish().await.mul_f64(1.5);

    let (mut rotations, mut interrupted) = (0, 0);
    for round in 0..ROUNDS {
        let before = home.acknowledged().await.unwrap();
        let publications = home.world.gateway.count(Kind::Publish);
        let mut process = home.start(&["rotate"]);
        assert_eq!(process.line().await.as_deref(), Some("ready"));
        if round % 2 == 0 {
            tokio::time::sleep(some_of(span)).await;
        } else {
            // Around the acknowledgement, where most can go wrong.
            home.world
                .gateway
                .until(Kind::Publish, publications + 1)
                .await;
            tokio::time::sleep(some_of(span / 8)).await;
        }
        let told = process.kill().await;
        rotations += told.len();
        let after = home.acknowledged().await.unwrap();
        let moved = after.seq() != before.seq();
        interrupted += usize::from(moved && told.is_empty());
        // What the directory has acknowledged opens, whether the process came to know of it or not.
        let from = home.new_caller();
        home.call(&from, &after).await;
        assert_eq!(
            home.rings(&from).await,
            "verified",
            "round {round}: {told:?}"
        );
    }
    println!(
        "{ROUNDS} kills over {span:?}: {rotations} rotations reported, \
         {interrupted} acknowledged but not reported"
    );

    // The generation before opens too: callers hold its statement still.
    let before = home.acknowledged().await.unwrap();
    let mut process = home.start(&["rotate", "once"]);
    assert_eq!(process.line().await.as_deref(), Some("ready"));
    assert_eq!(process.line().await.as_deref(), Some("published"));
    drop(process);
    let from = home.new_caller();
    home.call(&from, &before).await;
    let verdict = home.rings(&from).await;
    assert!(verdict == "verified", "{verdict}");
}

// The same with an endpoint that only publishes: whatever the directory shows can be opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_published_key_is_lost_when_a_process_is_killed_while_it_publishes_first() {
    let span = Home::new().await.time_to_publish().await.mul_f64(1.2);
    let mut shown = 0;
    for _ in 0..8 {
        let home = Home::new().await;
        let mut process = home.start(&["rotate"]);
        assert_eq!(process.line().await.as_deref(), Some("ready"));
        tokio::time::sleep(some_of(span)).await;
        process.kill().await;
        if let Some(statement) = home.acknowledged().await {
            shown += 1;
            let from = home.new_caller();
            home.call(&from, &statement).await;
            assert_eq!(home.rings(&from).await, "verified");
        }
    }
    println!("8 first publications killed, {shown} of them after the directory had acknowledged");
}

// "… and never lets a replay through afterwards."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_verified_twice_when_a_process_is_killed_while_it_rings() {
    let home = Home::new().await;
    let mut process = home.start(&["rotate"]);
    assert_eq!(process.line().await.as_deref(), Some("ready"));
    assert_eq!(process.line().await.as_deref(), Some("published"));
    process.kill().await;
    let statement = home.acknowledged().await.unwrap();
    // How long a verdict takes.
    let from = home.new_caller();
    home.call(&from, &statement).await;
    let mut process = home.start(&["ring", from.as_str()]);
    assert_eq!(process.line().await.as_deref(), Some("ready"));
    let started = Instant::now();
    process.go().await;
    assert_eq!(process.line().await.as_deref(), Some("verified"));
    let span = started.elapsed().mul_f64(1.3);
    process.kill().await;

    let (mut reported, mut lost, mut later) = (0, 0, 0);
    for round in 0..ROUNDS {
        let statement = home.acknowledged().await.unwrap();
        let from = home.new_caller();
        home.call(&from, &statement).await;
        let mut process = home.start(&["ring", from.as_str()]);
        assert_eq!(process.line().await.as_deref(), Some("ready"));
        let polls = home.world.gateway.count(Kind::Retrieve);
        process.go().await;
        if round % 2 == 0 {
            tokio::time::sleep(some_of(span)).await;
        } else {
            // Around the mark, where most can go wrong.
            home.world.gateway.until(Kind::Retrieve, polls + 1).await;
            tokio::time::sleep(some_of(span)).await;
        }
        let told = process.kill().await;
        let was_verified = told.iter().any(|line| line == "verified");
        let next = [home.rings(&from).await, home.rings(&from).await];
        let verified = usize::from(was_verified)
            + next
                .iter()
                .filter(|line| line.as_str() == "verified")
                .count();
        assert!(verified <= 1, "round {round}: {told:?}, then {next:?}");
        assert_eq!(next[1], "refused replayed", "round {round}");
        match (was_verified, verified) {
            (true, _) => reported += 1,
            (false, 0) => lost += 1,
            (false, _) => later += 1,
        }
    }
    println!(
        "{ROUNDS} kills over {span:?}: {reported} after the verdict, {lost} between mark and \
         verdict, {later} before the mark"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_that_ring_at_once_exactly_one_verifies() {
    let home = Home::new().await;
    let mut process = home.start(&["rotate"]);
    assert_eq!(process.line().await.as_deref(), Some("ready"));
    assert_eq!(process.line().await.as_deref(), Some("published"));
    process.kill().await;
    let statement = home.acknowledged().await.unwrap();
    for round in 0..10 {
        let from = home.new_caller();
        home.call(&from, &statement).await;
        let mut both = [
            home.start(&["ring", from.as_str()]),
            home.start(&["ring", from.as_str()]),
        ];
        for process in &mut both {
            assert_eq!(process.line().await.as_deref(), Some("ready"));
        }
        for process in &mut both {
            process.go().await;
        }
        let [one, other] = &mut both;
        let (one, other) = tokio::join!(one.line(), other.line());
        let mut verdicts = [one.unwrap(), other.unwrap()];
        verdicts.sort_unstable();
        assert_eq!(verdicts, ["refused replayed", "verified"], "round {round}");
    }
}

// An application and its extension: two endpoints of one process are no different.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_endpoints_on_one_file_exactly_one_verifies_and_both_keep_one_set_of_keys() {
    let home = Home::new().await;
    let (to, file) = (number(CALLEE), home.dir.path().join("shared.sqlite"));
    let credential = home.world.credential(&to);
    let endpoint = || -> Endpoint {
        let builder = home.world.builder_without_store(&to, &credential);
        let store = Arc::new(SqliteStore::open(&file).unwrap());
        builder.store(store).build().unwrap()
    };
    let (one, other) = (endpoint(), endpoint());
    for _ in 0..5 {
        let (a, b) = tokio::join!(
            ends(one.rotate_keys(Some(PATIENT))),
            ends(other.rotate_keys(Some(PATIENT)))
        );
        for published in [a, b] {
            // The slower one may publish what the faster one has superseded meanwhile.
            let reason = published.err();
            assert!(
                matches!(reason, None | Some(Reason::StatementSuperseded)),
                "{reason:?}"
            );
        }
        let statement = home.acknowledged().await.unwrap();
        let from = home.new_caller();
        home.call(&from, &statement).await;
        let ring = async |endpoint: &Endpoint| {
            let call = ends(endpoint.ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT)));
            call.await.unwrap().verdict()
        };
        let (a, b) = tokio::join!(ring(&one), ring(&other));
        let mut verdicts = [(a.verdict.name(), a.reasons), (b.verdict.name(), b.reasons)];
        verdicts.sort_unstable();
        let refused = Verdict::Refused.name();
        assert_eq!(verdicts[0], (refused, vec![Reason::Replayed]));
        assert_eq!(verdicts[1], (Verdict::Verified.name(), vec![]));
    }
}
