//! One endpoint whose host answers at once and from memory, and the clock that compares two works.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringtrue_lab::{Authority, Credential as LabCredential};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::{HttpRequest, HttpResponse};
use ringtrue_session::{
    Action, Context, ContextBuilder, Credential, Input, Monotonic, Now, Policy, Saved, Services,
    Session, Step, WallClock,
};
use ringtrue_stir::crypto::{CryptoProvider as _, DeviceSignature, SecretKey};
use ringtrue_stir::{TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

pub(crate) const CALLER: &str = "12025550143";
pub(crate) const CALLEE: &str = "12025550199";
pub(crate) const SERVICE: &str = "https://cps.example.com";

/// One endpoint with everything its sessions ask for, answered at once and from memory.
pub(crate) struct Phone {
    pub(crate) context: Arc<Context>,
    pub(crate) secret: SecretKey,
    pub(crate) records: BTreeMap<String, Vec<u8>>,
    pub(crate) now: Now,
    /// The last request that was sent, and what it is answered with.
    pub(crate) sent: Option<HttpRequest>,
    pub(crate) answer: HttpResponse,
}

impl Phone {
    pub(crate) fn new(
        number: &str,
        credential: &LabCredential,
        authority: &Authority,
        now: u64,
        mut policy: Policy,
    ) -> Self {
        // The clock stands still here.
        policy.store_jitter = Duration::ZERO;
        let number = TelephoneNumber::from_canonical(number).unwrap();
        let service = BaseUrl::parse(SERVICE).unwrap();
        // Work is measured here, not waiting.
        policy.store_jitter = Duration::ZERO;
        let x5u = format!("https://certs.example.com/{}.pem", number.as_str());
        let context = ContextBuilder {
            provider: Arc::new(AwsLcCrypto),
            anchors: authority.anchors().unwrap(),
            policy,
            numbers: vec![number],
            services: Services {
                own: vec![service.clone()],
                directory: service,
                placement: None,
                mirror: None,
            },
            credential: Some(Credential::new(credential.bag().unwrap(), &x5u).unwrap()),
            hardware_key: None,
        };
        Self {
            context: Arc::new(context.build(Some(UnixTime::from_secs(now))).unwrap()),
            secret: credential.secret.clone(),
            records: BTreeMap::new(),
            now: Now {
                monotonic: Monotonic::from_ms(0),
                wall: WallClock::UnixMs(now * 1000),
            },
            sent: None,
            answer: HttpResponse {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            },
        }
    }

    pub(crate) fn perform(&mut self, action: Action) -> Input {
        match action {
            Action::Request { id, request, .. } => {
                self.sent = Some(request);
                Input::Response(id, Ok(self.answer.clone()))
            }
            Action::Sign { id, message } => {
                let signature = AwsLcCrypto.sign_es256(&self.secret, &message).unwrap();
                Input::Signature(id, Ok(DeviceSignature::Raw(signature.as_raw().to_vec())))
            }
            Action::Load { id, record } => {
                let value = self.records.get(record.as_str()).cloned();
                Input::Loaded(id, Ok(value.map(Zeroizing::new)))
            }
            Action::Save {
                id, record, value, ..
            } => {
                self.records
                    .insert(record.as_str().to_owned(), value.to_vec());
                Input::Saved(id, Ok(Saved::Written))
            }
            Action::Claim { id, .. } => Input::Claimed(id, Ok(true)),
            other => panic!("not asked for here: {other:?}"),
        }
    }

    /// Drives a session to its end, or to its first report.
    pub(crate) fn drive<S: Session>(&mut self, mut session: S) -> Result<S::Output, S::Report> {
        loop {
            match session.next(self.now) {
                Step::Act(action) => {
                    let input = self.perform(action);
                    session.input(input, self.now);
                }
                Step::Done(output) => return Ok(output),
                Step::Report(report) => return Err(report),
                Step::Wait(_) => {}
                other => drop(other),
            }
        }
    }
}

/// Keeps the time each of two works takes per round, measured in turn.
pub(crate) fn compare(
    rounds: usize,
    batch: u32,
    mut a: impl FnMut(),
    mut b: impl FnMut(),
) -> (Duration, Duration, f64) {
    let mut times = Vec::new();
    for round in 0..=rounds {
        let time = |work: &mut dyn FnMut()| {
            let started = Instant::now();
            for _ in 0..batch {
                work();
            }
            started.elapsed() / batch
        };
        let pair = (time(&mut a), time(&mut b));
        // The first round warms up.
        if round > 0 {
            times.push(pair);
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratio = median(
        times
            .iter()
            .map(|(a, b)| a.as_secs_f64() / b.as_secs_f64())
            .collect(),
    );
    let a = median(times.iter().map(|(a, _)| a.as_secs_f64()).collect());
    let b = median(times.iter().map(|(_, b)| b.as_secs_f64()).collect());
    (
        Duration::from_secs_f64(a),
        Duration::from_secs_f64(b),
        ratio,
    )
}

pub(crate) fn json(body: String) -> HttpResponse {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    HttpResponse {
        status: 200,
        headers,
        body: body.into_bytes(),
    }
}
