//! A scenario file while it is written: its parts with what most scenarios have in common.

use std::collections::BTreeMap;

use ringtrue::{BaseUrl, HttpResponse, Reason};
use ringtrue_oob::Blob;
use ringtrue_oob::http::route::ItemId;
use ringtrue_oob::http::{directory, placement};
use serde_json::{Map, Value, json};

use super::cast::{CALLEE, CALLEE_CPS, CALLER, CALLER_CPS, Cast, NOW, telephone, x5u};

/// A scenario, from its beginning to its last step.
pub(super) struct Draft {
    name: &'static str,
    about: &'static str,
    needs: Vec<&'static str>,
    config: Value,
    keys: Value,
    clock: Value,
    steps: Vec<Value>,
}

impl Draft {
    /// With the called number's endpoint, its encryption key in hardware.
    pub(super) fn callee(cast: &Cast, name: &'static str, about: &'static str) -> Self {
        let own = Own {
            number: CALLEE,
            service: CALLEE_CPS,
            leaf: "callee",
            signer: "callee signing",
            agreement: "callee S1",
        };
        Self::new(cast, name, about, &own)
    }

    /// With the calling number's endpoint.
    pub(super) fn caller(cast: &Cast, name: &'static str, about: &'static str) -> Self {
        let own = Own {
            number: CALLER,
            service: CALLER_CPS,
            leaf: "caller",
            signer: "caller signing",
            agreement: "caller S1",
        };
        Self::new(cast, name, about, &own)
    }

    fn new(cast: &Cast, name: &'static str, about: &'static str, own: &Own) -> Self {
        let key = |label: &str| json!({"private_pem": cast.private_pem(label), "public": cast.public_hex(label)});
        let mut signer = key(own.signer);
        signer["other_private_pem"] = Value::from(cast.private_pem("spare signing"));
        Self {
            name,
            about,
            needs: Vec::new(),
            config: json!({
                "numbers": [own.number],
                "services": [own.service],
                "anchors_pem": [cast.root_pem()],
                "allow_direct": true,
                "credential": {"chain_pem": cast.chain_pem(own.leaf), "x5u": x5u(own.number)},
                "policy": {"store_jitter_ms": 0},
            }),
            keys: json!({"signer": signer, "key_agreement": key(own.agreement)}),
            clock: Value::from(NOW * 1000),
            steps: Vec::new(),
        }
    }

    /// Only for runners that can do this.
    pub(super) fn needs(mut self, capability: &'static str) -> Self {
        self.needs.push(capability);
        self
    }

    /// With a clock that is not set.
    pub(super) fn without_clock(mut self) -> Self {
        self.clock = Value::Null;
        self
    }

    /// With encryption keys that the endpoint makes itself.
    pub(super) fn with_software_keys(mut self) -> Self {
        self.keys.as_object_mut().unwrap().remove("key_agreement");
        self
    }

    /// One more step.
    pub(super) fn then(mut self, step: Step) -> Self {
        self.steps.push(Value::Object(step.0));
        self
    }

    /// Opens the endpoint.
    pub(super) fn open(self) -> Self {
        self.then(Step::new("open"))
    }

    /// Opens the endpoint and publishes its keys.
    pub(super) fn published(self) -> Self {
        let number = self.config["numbers"][0].as_str().unwrap();
        let service = self.config["services"][0].as_str().unwrap();
        let directory = format!("{service}/keys/{number}");
        let step = Step::new("publish_keys")
            .answer("PUT", &directory, &directory::encode_published())
            .expect(json!({"numbers": [number], "rotated": true}));
        self.open().then(step)
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let mut codes = BTreeMap::new();
        for step in &self.steps {
            collect_codes(step, &mut codes);
        }
        let file = json!({
            "format": 1,
            "name": self.name,
            "about": self.about,
            "needs": self.needs,
            "codes": codes,
            "config": self.config,
            "keys": self.keys,
            "clock_unix_ms": self.clock,
            "steps": self.steps,
        });
        let mut text = serde_json::to_string_pretty(&file).unwrap();
        text.push('\n');
        text
    }
}

struct Own {
    number: &'static str,
    service: &'static str,
    leaf: &'static str,
    signer: &'static str,
    agreement: &'static str,
}

/// Finds the reasons that a step expects.
fn collect_codes(step: &Value, codes: &mut BTreeMap<String, u32>) {
    let expected = &step["expect"];
    let listed = expected["reasons"].as_array().into_iter().flatten();
    for name in listed.chain([&expected["error"]]).filter_map(Value::as_str) {
        let reason = Reason::ALL.iter().find(|reason| reason.name() == name);
        codes.insert(name.to_owned(), reason.expect(name).number());
    }
}

/// One step.
pub(super) struct Step(Map<String, Value>);

impl Step {
    pub(super) fn new(action: &str) -> Self {
        Self(Map::new()).with("do", action)
    }

    /// The call rings, with time enough for whatever the machine does beside.
    pub(super) fn ring() -> Self {
        Self::new("ring")
            .with("from", CALLER)
            .with("to", CALLEE)
            .with("deadline_ms", 30_000)
    }

    /// The call rings, and something that the application is asked for never comes.
    pub(super) fn ring_into_silence() -> Self {
        Self::ring().with("deadline_ms", 700)
    }

    /// A call is announced.
    pub(super) fn place() -> Self {
        Self::new("place")
            .with("from", CALLER)
            .with("to", CALLEE)
            .with("deadline_ms", 30_000)
    }

    /// With an argument.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Changes a behaviour, or the clock, before the step.
    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        let changes = self.0.entry("set").or_insert_with(|| json!({}));
        changes[name] = value.into();
        self
    }

    fn rule(mut self, rule: Value) -> Self {
        let rules = self.0.entry("answers").or_insert_with(|| json!([]));
        rules.as_array_mut().unwrap().push(rule);
        self
    }

    /// How a service answers from now on.
    pub(super) fn answer(self, method: &str, url: &str, answer: &HttpResponse) -> Self {
        let mut rule = json!({
            "method": method, "url": url, "status": answer.status, "headers": answer.headers,
        });
        if !answer.body.is_empty() {
            rule["text"] = Value::from(str::from_utf8(&answer.body).unwrap());
        }
        self.rule(rule)
    }

    /// How it fails from now on.
    pub(super) fn fault(self, method: &str, url: &str, fault: &str) -> Self {
        self.rule(json!({"method": method, "url": url, "fault": fault}))
    }

    /// An answer without end, as far as anybody will read.
    pub(super) fn flood(self, method: &str, url: &str, media_type: &str, octets: u32) -> Self {
        self.rule(json!({
            "method": method, "url": url, "status": 200, "headers": [["content-type", media_type]],
            "filler": octets,
        }))
    }

    /// What is in the called number's mailbox from now on.
    pub(super) fn mailbox(self, blobs: &[Blob]) -> Self {
        self.answer("GET", &mailbox_of_callee(), &placement::encode_blobs(blobs))
    }

    /// What the directory shows for the called number from now on, to the caller.
    pub(super) fn callee_keys(self, statements: &[&str]) -> Self {
        let answer = directory::encode_statements(statements);
        self.answer("GET", &keys_of_callee(), &answer)
    }

    /// The called number's service takes a store of this many blobs.
    pub(super) fn store_accepted(self, blobs: u8) -> Self {
        let ids: Vec<_> = (1..=blobs).map(item).collect();
        let prefix = BaseUrl::parse(CALLEE_CPS).unwrap();
        let answer = placement::encode_stored(prefix.prefix(), &telephone(CALLEE), &ids);
        self.answer("POST", &mailbox_of_callee(), &answer)
    }

    /// The calling number's service takes a store of one blob.
    pub(super) fn stored_at_caller(self) -> Self {
        let prefix = BaseUrl::parse(CALLER_CPS).unwrap();
        let answer = placement::encode_stored(prefix.prefix(), &telephone(CALLER), &[item(1)]);
        self.answer("POST", &format!("{CALLER_CPS}/cps/{CALLER}/ppts"), &answer)
    }

    /// What has to come of it.
    pub(super) fn expect(mut self, expected: Value) -> Self {
        self.0.insert("expect".to_owned(), expected);
        self
    }

    /// It fails.
    pub(super) fn fails(self, reason: Reason) -> Self {
        self.expect(json!({"error": reason.name()}))
    }

    /// The verdict that has to come of it.
    pub(super) fn verdict(self, verdict: &str, reasons: &[Reason]) -> Self {
        let names: Vec<_> = reasons.iter().map(|reason| reason.name()).collect();
        self.expect(json!({"verdict": verdict, "reasons": names}))
    }

    /// More of the verdict.
    pub(super) fn and(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0["expect"][name] = value.into();
        self
    }

    /// No requests, unless others are named.
    pub(super) fn silent(mut self) -> Self {
        self.0.insert("requests".to_owned(), json!([]));
        self
    }

    /// A request that it makes once.
    pub(super) fn asks(self, method: &str, url: &str) -> Self {
        self.sends(json!({"method": method, "url": url, "count": 1}))
    }

    /// The called number's mailbox is asked.
    pub(super) fn polls(self) -> Self {
        let url = mailbox_of_callee();
        self.sends(json!({"method": "GET", "url": url, "at_least": 1, "body_octets": 0}))
    }

    /// Requests of this kind.
    pub(super) fn sends(mut self, request: Value) -> Self {
        let requests = self.0.entry("requests").or_insert_with(|| json!([]));
        requests.as_array_mut().unwrap().push(request);
        self
    }
}

fn item(number: u8) -> ItemId {
    ItemId::from_text(&ringtrue_stir::base64url::encode(&[number; 16])).unwrap()
}

pub(super) fn mailbox_of_callee() -> String {
    format!("{CALLEE_CPS}/cps/{CALLEE}/ppts")
}

/// Where the caller looks for the called number's keys.
pub(super) fn keys_of_callee() -> String {
    format!("{CALLER_CPS}/keys/{CALLEE}")
}

/// Where the endpoint of `service` publishes keys of `number`.
pub(super) fn own_keys(service: &str, number: &str) -> String {
    format!("{service}/keys/{number}")
}
