//! Performing requests, whichever way they came.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{
    CallPhase, CallVerdict, Endpoint, PlaceOptions, Placement, Reader, Reason, UnixTime, Verdict,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::Code;
use crate::calls::{Call, Calls, Owner};
use crate::config::DaemonConfig;
use crate::method::Method;
use crate::report::{AnswerReport, CallReport, names};
use crate::status::Record;

/// How long after a deadline the endpoint is waited for, which keeps its deadlines itself. A disk or a
/// key that hangs must not hold up a call.
const GRACE: Duration = Duration::from_millis(500);

/// The endpoint's own deadline for ringing and answering, where the client gives none.
const CALL_DEADLINE: Duration = Duration::from_millis(2500);

/// How much longer than twice the span, over which they are spread, lookups may take.
const PREFETCH_SLACK: Duration = Duration::from_secs(120);

/// What is told of a call.
#[derive(Serialize)]
pub(crate) struct CallResult {
    /// Its name; none once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<String>,
    #[serde(flatten)]
    pub(crate) report: CallReport,
}

/// What came of a request.
pub(crate) enum Done {
    /// A call, from now on to be followed if the client began it and stays.
    Began(Box<CallResult>),
    /// A call that was there.
    Told(Box<CallResult>),
    /// Anything else.
    Other(Value),
}

impl Done {
    /// As it stands in a response.
    pub(crate) fn value(&self) -> Value {
        match self {
            // Plain strings and numbers always serialise.
            Self::Began(call) | Self::Told(call) => serde_json::to_value(call).unwrap_or_default(),
            Self::Other(value) => value.clone(),
        }
    }
}

/// The endpoint with everything that clients share.
pub(crate) struct Desk {
    pub(crate) endpoint: Endpoint,
    pub(crate) config: DaemonConfig,
    pub(crate) calls: Calls,
    pub(crate) record: Record,
    stop: watch::Sender<bool>,
}

impl Desk {
    pub(crate) fn new(endpoint: Endpoint, config: DaemonConfig) -> Arc<Self> {
        Arc::new(Self {
            calls: Calls::new(config.calls),
            endpoint,
            config,
            record: Record::new(),
            stop: watch::Sender::new(false),
        })
    }

    /// Tells everybody that the daemon ends.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the daemon ends.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender is in `self`: this waits.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Whether text is one of the own numbers.
    pub(crate) fn owns(&self, text: &str) -> bool {
        let number = self.endpoint.read_number(text);
        number.is_ok_and(|number| self.endpoint.numbers().contains(&number))
    }

    /// Performs one request. Dropping the future gives it up.
    ///
    /// # Errors
    ///
    /// Why it could not be performed. That nobody is verified is none.
    pub(crate) async fn perform(&self, method: Method, owner: Owner) -> Result<Done, Code> {
        let started = Instant::now();
        match method {
            Method::Answer {
                call,
                phase,
                deadline,
            } => self.answer(&call, phase, deadline, started).await,
            Method::Answered { call } => {
                let found = self.calls.find(&call)?;
                found.answered();
                Ok(told(Some(call), &found.verdict(), started))
            }
            Method::Await {
                call,
                confirmed,
                deadline,
            } => {
                let mut found = self.calls.find(&call)?;
                let decided = async {
                    while !Call::is_decided(found.verdict().verdict, confirmed)
                        && found.changed().await.is_some()
                    {}
                };
                // What is known by then is what is told.
                let _ = timeout(deadline, decided).await;
                Ok(told(Some(call), &found.verdict(), started))
            }
            Method::Ended { call } => {
                let found = self.calls.take(&call)?;
                found.ended();
                Ok(told(None, &found.verdict(), started))
            }
            Method::Place {
                from,
                to,
                want_answer,
                keep,
                deadline,
                wait,
            } => {
                let from = match (from, self.endpoint.numbers()) {
                    (Some(from), _) => from,
                    (None, [only]) => only.as_str().to_owned(),
                    (None, _) => return Err(Code::MalformedRequest),
                };
                let mut options = PlaceOptions::default();
                options.want_answer = want_answer;
                options.deadline = deadline;
                let owner = if keep { Owner::Daemon } else { owner };
                self.place(&from, &to, options, wait, owner, started).await
            }
            Method::Prefetch { numbers, span } => {
                let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
                let longest = span.saturating_mul(2).saturating_add(PREFETCH_SLACK);
                let learned = self.endpoint.prefetch_contacts(&numbers, span);
                let learned = timeout(longest, learned).await.map_err(late)??;
                Ok(Done::Other(json!({
                    "found": learned.found,
                    "without_keys": learned.without_keys,
                    "failed": learned.failed,
                })))
            }
            Method::Publish { rotate, deadline } => {
                let published = if rotate {
                    self.endpoint.rotate_keys(deadline).await
                } else {
                    self.endpoint.publish_keys(deadline).await
                };
                self.record.published(&published);
                let published = published?;
                let numbers: Vec<_> = published.numbers.iter().map(|n| n.as_str()).collect();
                Ok(Done::Other(json!({
                    "published": numbers,
                    "exp": published.exp.as_secs(),
                    "new_keys": published.rotated,
                    "reasons": names(&published.notices),
                })))
            }
            Method::Readers { deadline } => {
                let listed = self.endpoint.readers(deadline).await;
                self.record.readers(&listed);
                let listed: Vec<_> = listed
                    .iter()
                    .map(|number| {
                        let readers: Vec<_> = number.readers.iter().map(reader).collect();
                        json!({"readers": readers, "reasons": names(&number.notices)})
                    })
                    .collect();
                Ok(Done::Other(json!({ "numbers": listed })))
            }
            Method::Ring {
                from,
                to,
                keep,
                deadline,
            } => {
                let owner = if keep { Owner::Daemon } else { owner };
                self.ring(from.as_deref(), to.as_deref(), deadline, owner, started)
                    .await
            }
            // The connection stops the daemon after the response.
            Method::Shutdown => Ok(Done::Other(json!({}))),
            Method::Status => Ok(Done::Other(self.status().await)),
        }
    }

    async fn ring(
        &self,
        from: Option<&str>,
        to: Option<&str>,
        deadline: Option<Duration>,
        owner: Owner,
        started: Instant,
    ) -> Result<Done, Code> {
        let slot = self.calls.slot()?;
        let longest = deadline.unwrap_or(CALL_DEADLINE).saturating_add(GRACE);
        let ring = self.endpoint.ring(from, to, deadline);
        let call = timeout(longest, ring).await.map_err(late)??;
        let verdict = call.verdict();
        self.record.rang(verdict.verdict);
        let name = self.calls.enter(slot, Call::Incoming(call), owner)?;
        Ok(Done::Began(Box::new(CallResult {
            call: Some(name),
            report: CallReport::of(&verdict, started.elapsed()),
        })))
    }

    async fn place(
        &self,
        from: &str,
        to: &str,
        options: PlaceOptions,
        wait: Option<Duration>,
        owner: Owner,
        started: Instant,
    ) -> Result<Done, Code> {
        let slot = self.calls.slot()?;
        let longest = options
            .deadline
            .unwrap_or(CALL_DEADLINE)
            .saturating_add(GRACE);
        let place = self.endpoint.place(from, to, options);
        let placed = timeout(longest, place).await.map_err(late)??;
        self.record.placed(placed.placement == Placement::Stored);
        let verdict = placed.placement.name();
        let report = CallReport::of_placed(&placed, verdict, started.elapsed());
        let call = Call::Outgoing(self.endpoint.outgoing(&placed, wait));
        let name = self.calls.enter(slot, call, owner)?;
        Ok(Done::Began(Box::new(CallResult {
            call: Some(name),
            report,
        })))
    }

    async fn answer(
        &self,
        name: &str,
        phase: CallPhase,
        deadline: Option<Duration>,
        started: Instant,
    ) -> Result<Done, Code> {
        let Call::Incoming(call) = self.calls.find(name)? else {
            return Err(Code::UnknownCall);
        };
        let longest = deadline.unwrap_or(CALL_DEADLINE).saturating_add(GRACE);
        let answer = self.endpoint.answer(&call, phase, deadline);
        let answered = timeout(longest, answer).await.map_err(late)??;
        let mut verdict = call.verdict();
        if answered.caller_gone {
            verdict.verdict = Verdict::Conflicting;
            if !verdict.reasons.contains(&Reason::CallerGone) {
                verdict.reasons.insert(0, Reason::CallerGone);
            }
        }
        let mut report = CallReport::of(&verdict, started.elapsed());
        report.answer = Some(AnswerReport {
            sent: answered.sent,
            reasons: names(&answered.reasons),
        });
        Ok(Done::Told(Box::new(CallResult {
            call: Some(name.to_owned()),
            report,
        })))
    }
}

fn told(call: Option<String>, verdict: &CallVerdict, started: Instant) -> Done {
    Done::Told(Box::new(CallResult {
        call,
        report: CallReport::of(verdict, started.elapsed()),
    }))
}

fn late(_: tokio::time::error::Elapsed) -> Code {
    Reason::DeadlinePassed.into()
}

fn reader(reader: &Reader) -> Value {
    let signer = base16ct::lower::encode_string(&reader.signer);
    let suites: Vec<_> = reader.suites.iter().map(|suite| suite.name()).collect();
    json!({
        "signer": signer,
        "subject": reader.subject,
        "suites": suites,
        "since": reader.since.map(UnixTime::as_secs),
        "expires": reader.expires.as_secs(),
        "own": reader.is_own,
        "new": reader.is_new,
    })
}
