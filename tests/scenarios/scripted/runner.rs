//! Takes the steps of a scenario file with the Rust endpoint.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ringtrue::{
    CallPhase, CallVerdict, CheckResult, Endpoint, MemoryStore, PlaceOptions, Policy, Reason,
    RingingCall,
};
use serde_json::{Value, json};

use super::host::{Script, ScriptedClock, ScriptedKey, ScriptedTransport, Sent, text};
use crate::support::ends;

/// What the Rust interface can do of `needs`. An endpoint ends when its last value is dropped, so there
/// is nothing to call after; public keys are values.
const CAPABILITIES: [&str; 2] = ["threads", "background"];

/// How long a verdict is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is needed that this runner cannot do.
pub(super) fn missing(file: &Value) -> Vec<String> {
    let needs = file["needs"].as_array().unwrap().iter().map(text);
    needs
        .filter(|need| !CAPABILITIES.contains(&need.as_str()))
        .collect()
}

/// Runs a scenario.
pub(super) async fn run(file: &Value) {
    let name = text(&file["name"]);
    assert_eq!(file["format"], 1, "{name}");
    let mut run = Run::new(file);
    for (at, step) in file["steps"].as_array().unwrap().iter().enumerate() {
        let what = format!("{name}, step {}: {}", at + 1, step["do"]);
        run.script.apply(step);
        let outcome = match ends(run.step(step)).await {
            Ok(outcome) => outcome,
            Err(reason) => json!({"error": reason.name()}),
        };
        compare(&what, &step["expect"], &outcome);
        run.has_rung |= step["do"] == "ring";
        run.compare_requests(&what, step);
    }
    run.script.end();
}

struct Run<'file> {
    file: &'file Value,
    script: Arc<Script>,
    store: Arc<MemoryStore>,
    endpoint: Option<Endpoint>,
    calls: HashMap<String, RingingCall>,
    has_rung: bool,
}

impl<'file> Run<'file> {
    fn new(file: &'file Value) -> Self {
        let script = Arc::new(Script::default());
        script.set_clock(&file["clock_unix_ms"]);
        Self {
            file,
            script,
            store: Arc::new(MemoryStore::new()),
            endpoint: None,
            calls: HashMap::new(),
            has_rung: false,
        }
    }

    fn open(&self) -> Result<Endpoint, Reason> {
        let (config, keys) = (&self.file["config"], &self.file["keys"]);
        let mut builder = Endpoint::builder()
            .allow_direct(config["allow_direct"] == true)
            .store(Arc::clone(&self.store) as Arc<_>)
            .state_key([7; 32])
            .transport(Arc::new(ScriptedTransport(Arc::clone(&self.script))))
            .clock(Arc::new(ScriptedClock(Arc::clone(&self.script))))
            .policy(policy(&config["policy"]));
        for (name, value) in config.as_object().unwrap() {
            let listed = || value.as_array().unwrap().iter().map(text);
            builder = match name.as_str() {
                "allow_direct" | "policy" => builder,
                "numbers" => listed().fold(builder, ringtrue::EndpointBuilder::number),
                "services" => listed().fold(builder, ringtrue::EndpointBuilder::service),
                "anchors_pem" => listed().fold(builder, ringtrue::EndpointBuilder::anchors_pem),
                "directory" => builder.directory(text(value)),
                "mirror_directory" => builder.mirror_directory(text(value)),
                "placement" => builder.placement(text(value)),
                "credential" => builder.credential(text(&value["chain_pem"]), text(&value["x5u"])),
                other => panic!("{other} is no member of a configuration"),
            };
        }
        builder = builder.signer(ScriptedKey::new(&self.script, &keys["signer"]));
        if !keys["key_agreement"].is_null() {
            let key = ScriptedKey::new(&self.script, &keys["key_agreement"]);
            builder = builder.key_agreement(key);
        }
        builder.build()
    }

    fn call(&mut self, step: &Value) -> &mut RingingCall {
        self.calls
            .get_mut(&call_name(step))
            .expect("a ringing call of this name")
    }

    async fn step(&mut self, step: &Value) -> Result<Value, Reason> {
        let argument = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let deadline = step["deadline_ms"].as_u64().map(Duration::from_millis);
        let endpoint = self.endpoint.clone();
        let endpoint = || endpoint.expect("an open endpoint");
        Ok(match step["do"].as_str().unwrap() {
            "open" => {
                self.endpoint = Some(self.open()?);
                json!({})
            }
            "close" => {
                self.endpoint = None;
                self.calls.clear();
                json!({})
            }
            "publish_keys" => published(endpoint().publish_keys(deadline).await?),
            "rotate_keys" => published(endpoint().rotate_keys(deadline).await?),
            "prefetch_keys" => {
                let number = argument("number");
                json!({"readers": endpoint().prefetch_keys(&number, deadline).await?})
            }
            "place" => {
                let mut options = PlaceOptions::default();
                options.deadline = deadline;
                options.want_answer = step["want_answer"] == true;
                options.fresh_keys = step["fresh_keys"] == true;
                let (from, to) = (argument("from"), argument("to"));
                let placed = endpoint().place(&from, &to, options).await?;
                json!({
                    "placement": placed.placement.name(),
                    "reasons": names(&placed.reasons),
                    "copies": placed.copies,
                })
            }
            "ring" => {
                let (from, to) = (step["from"].as_str(), step["to"].as_str());
                let call = endpoint().ring(from, to, deadline).await?;
                let outcome = shown(&call.verdict());
                self.calls.insert(call_name(step), call);
                outcome
            }
            "verdict" => shown(&self.call(step).verdict()),
            "await_verdict" => {
                let wanted = text(&step["expect"]["verdict"]);
                let call = self.call(step);
                let changes = async {
                    while call.verdict().verdict.name() != wanted && call.changed().await.is_some()
                    {
                    }
                };
                let _ = tokio::time::timeout(PATIENCE, changes).await;
                shown(&call.verdict())
            }
            "answered" => {
                self.call(step).answered();
                json!({})
            }
            "ended" => {
                self.call(step).ended();
                self.calls.remove(&call_name(step));
                json!({})
            }
            "answer" => {
                let phase = match step["phase"].as_str().unwrap() {
                    "alerting" => CallPhase::Alerting,
                    "answered" => CallPhase::Answered,
                    _ => CallPhase::Gone,
                };
                let endpoint = endpoint();
                let answered = endpoint.answer(self.call(step), phase, deadline).await?;
                json!({
                    "sent": answered.sent,
                    "caller_gone": answered.caller_gone,
                    "reasons": names(&answered.reasons),
                })
            }
            other => panic!("{other} is no step"),
        })
    }

    /// Compares what went out since the step before.
    fn compare_requests(&self, what: &str, step: &Value) {
        let sent = self.script.take_sent();
        for request in &sent {
            assert!(
                request.expected,
                "{what}: no rule for {} {}",
                request.method, request.url
            );
        }
        let Some(wanted) = step["requests"].as_array() else {
            return;
        };
        let matches = |request: &Sent, wanted: &Value| {
            request.method == wanted["method"] && request.url == wanted["url"]
        };
        for request in &sent {
            let poll = self.has_rung && request.method == "GET" && request.url.ends_with("/ppts");
            let named = wanted.iter().any(|wanted| matches(request, wanted));
            assert!(
                named || poll,
                "{what}: {} {} as well",
                request.method,
                request.url
            );
        }
        for wanted in wanted {
            let made: Vec<_> = sent.iter().filter(|sent| matches(sent, wanted)).collect();
            let made_count = u64::try_from(made.len()).unwrap();
            if let Some(count) = wanted["count"].as_u64() {
                assert_eq!(made_count, count, "{what}: {wanted}");
            }
            if let Some(least) = wanted["at_least"].as_u64() {
                assert!(made_count >= least, "{what}: {wanted}");
            }
            for request in made {
                if let Some(octets) = wanted["body_octets"].as_u64() {
                    assert_eq!(u64::try_from(request.body.len()).unwrap(), octets, "{what}");
                }
                if let Some(blobs) = wanted["blobs"].as_u64() {
                    let lines = str::from_utf8(&request.body).unwrap().lines().count();
                    assert_eq!(u64::try_from(lines).unwrap(), blobs, "{what}");
                }
            }
        }
    }
}

/// Whatever a step expects is compared, reasons without regard to their order.
fn compare(what: &str, expected: &Value, outcome: &Value) {
    assert_eq!(expected["error"], outcome["error"], "{what}: {outcome}");
    for (name, expected) in expected.as_object().into_iter().flatten() {
        let set = |value: &Value| -> Option<BTreeSet<String>> {
            Some(value.as_array()?.iter().map(text).collect())
        };
        let same = match name.as_str() {
            "reasons" => set(expected) == set(&outcome[name]),
            _ => *expected == outcome[name],
        };
        assert!(
            same,
            "{what}: {name} is {} of {outcome}, not {expected}",
            outcome[name]
        );
    }
}

fn call_name(step: &Value) -> String {
    step["call"].as_str().unwrap_or("call").to_owned()
}

fn names(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.name()).collect()
}

fn published(published: ringtrue::Published) -> Value {
    let numbers: Vec<_> = published
        .numbers
        .iter()
        .map(|number| number.as_str())
        .collect();
    json!({"numbers": numbers, "rotated": published.rotated})
}

fn shown(verdict: &CallVerdict) -> Value {
    let mut checks = verdict.checks.iter();
    let failed = checks.find(|check| matches!(check.result, CheckResult::Failed(_)));
    json!({
        "verdict": verdict.verdict.name(),
        "reasons": names(&verdict.reasons),
        "failed_check": failed.map(|check| check.check.name()),
        "received": verdict.blobs.received,
        "opened": verdict.blobs.opened,
    })
}

/// The members that scenarios change.
fn policy(members: &Value) -> Policy {
    let mut policy = Policy::default();
    for (name, value) in members.as_object().into_iter().flatten() {
        let ms = || Duration::from_millis(value.as_u64().unwrap());
        match name.as_str() {
            "store_jitter_ms" => policy.store_jitter = ms(),
            "freshness_ms" => policy.freshness = ms(),
            "clock_skew_ms" => policy.clock_skew = ms(),
            other => panic!("{other} is no member of a policy that this runner knows"),
        }
    }
    policy
}
