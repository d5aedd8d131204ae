//! The endpoint.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    AnswerExpectation, AnswerOutcome, AnswerSession, Answered, AwaitAnswerSession, CallBacks,
    CallVerdict, Monotonic, PeerKeys, PlaceSession, Placed, Placement, PublishMode, PublishSession,
    Published, RingOutcome, RingSession, Verdict,
};
use ringtrue_stir::passport::Mky;
use ringtrue_stir::{NumberContext, Reason, TelephoneNumber};
use tokio::sync::{oneshot, watch};

use crate::calls::Calls;
use crate::driver::{drive, drive_call, drive_noting, note};
use crate::host::Host;
use crate::tokens::Wallets;
use crate::{EndpointBuilder, OutgoingCall, RingingCall};

/// The most numbers whose verified keys are kept in memory; beyond it all are forgotten, and read
/// from the state store again as they are needed.
const MAX_KNOWN: usize = 1024;

/// How a call is placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlaceOptions {
    /// The time within which the call must be announced; the policy's if `None`.
    pub deadline: Option<Duration>,
    /// Asks the callee to show who answers. Needs published keys of the own ([`Endpoint::publish_keys`]).
    pub want_answer: bool,
    /// Asks the key directory even if the callee's keys are at hand.
    pub fresh_keys: bool,
    /// For a call whose media travel over IP: the own keys' fingerprints, for the callee to compare with
    /// those of the session ([`Mky::from_sdp`]).
    pub media: Option<Mky>,
}

impl PlaceOptions {
    /// As the default, asking for connected identity.
    #[must_use]
    pub const fn with_answer() -> Self {
        Self {
            deadline: None,
            want_answer: true,
            fresh_keys: false,
            media: None,
        }
    }

    /// As this, with a deadline.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// As this, naming the own media keys.
    #[must_use]
    pub fn with_media(mut self, media: Mky) -> Self {
        self.media = Some(media);
        self
    }

    /// As this, with a fresh look at the key directory.
    #[must_use]
    pub const fn with_fresh_keys(mut self) -> Self {
        self.fresh_keys = true;
        self
    }
}

pub(crate) struct Inner {
    pub(crate) host: Arc<Host>,
    pub(crate) numbers: Vec<TelephoneNumber>,
    pub(crate) number_context: Option<NumberContext>,
    pub(crate) known: Mutex<HashMap<TelephoneNumber, PeerKeys>>,
    pub(crate) wallets: Wallets,
    /// How many calls were announced, for the cover traffic that they owe. A `usize`: not every 32-bit
    /// processor has atomic numbers of 64 bits.
    pub(crate) announced: AtomicUsize,
    pub(crate) calls: Arc<Calls>,
    pub(crate) call_backs: Mutex<CallBacks>,
}

/// A telephone that proves who is calling. Cheap to clone; clones share everything.
///
/// Methods run on the tokio runtime they are called on; its time driver must be enabled.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint(..)")
    }
}

/// Reads a number as the application states that numbers are written.
pub(crate) fn read_number(
    context: Option<&NumberContext>,
    text: &str,
) -> Result<TelephoneNumber, Reason> {
    match context {
        Some(context) => context.canonical(text),
        None => TelephoneNumber::from_text(text),
    }
}

impl Endpoint {
    /// Begins to make an endpoint.
    pub fn builder() -> EndpointBuilder {
        EndpointBuilder::new()
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) const fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    pub(crate) fn calls(&self) -> &Arc<Calls> {
        &self.0.calls
    }

    pub(crate) fn call_backs(&self) -> &Mutex<CallBacks> {
        &self.0.call_backs
    }

    /// The own numbers.
    #[must_use]
    pub fn numbers(&self) -> &[TelephoneNumber] {
        &self.0.numbers
    }

    /// Reads a number as it is written here: by the [`NumberContext`] if there is one, else it must be
    /// global.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`].
    pub fn read_number(&self, text: &str) -> Result<TelephoneNumber, Reason> {
        read_number(self.0.number_context.as_ref(), text)
    }

    pub(crate) fn deadline(&self, given: Option<Duration>, default: Duration) -> Monotonic {
        self.0.host.now().monotonic.plus(given.unwrap_or(default))
    }

    fn known(&self, number: &TelephoneNumber) -> PeerKeys {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(number).cloned().unwrap_or_default()
    }

    /// All numbers whose keys are held in memory.
    pub(crate) fn all_known(&self) -> Vec<(TelephoneNumber, PeerKeys)> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all = known.iter();
        all.map(|(number, keys)| (number.clone(), keys.clone()))
            .collect()
    }

    /// How many calls were announced since the start.
    pub(crate) fn announced(&self) -> usize {
        self.0.announced.load(Ordering::Relaxed)
    }

    /// Forgets the keys that are held in memory. They are read from the state store again, and verified
    /// again, as they are needed.
    pub(crate) fn forget_known(&self) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
    }

    pub(crate) fn remember(&self, number: TelephoneNumber, keys: PeerKeys) {
        self.plan_refills_for(&keys);
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN && !known.contains_key(&number) {
            known.clear();
        }
        known.insert(number, keys);
    }

    /// Announces a call before it is dialled: RFC 8816 section 8.1.
    ///
    /// `from` is one of the own numbers. When this returns, dial: also after
    /// [`Placement::Unprotected`](crate::Placement::Unprotected), which is no error (PRV-42). Give up
    /// by dropping the future.
    ///
    /// Dial within 2 s ([`Endpoint::may_be_dialled`]), or announce the call anew: an announcement that
    /// waits is one that somebody else can use. Then say what becomes of the call ([`Endpoint::outgoing`]).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`]; [`Reason::NumberNotOwned`] for a `from` that is not an own number;
    /// [`Reason::RandomnessUnavailable`].
    pub async fn place(
        &self,
        from: &str,
        to: &str,
        options: PlaceOptions,
    ) -> Result<Placed, Reason> {
        let from = self.read_number(from)?;
        let to = self.read_number(to)?;
        let host = &self.0.host;
        let deadline = self.deadline(options.deadline, host.context().policy().place_deadline);
        let session = PlaceSession::new(
            host.context(),
            from,
            to.clone(),
            self.known(&to),
            options.want_answer,
            options.fresh_keys,
            deadline,
        )?;
        let session = match options.media {
            Some(media) => session.with_media(media),
            None => session,
        };
        let (mut placed, notices) = drive_noting(host, session, |never, _| match never {}).await;
        note(&mut placed.reasons, notices);
        let (placement, reasons) = (placed.placement.name(), &placed.reasons);
        tracing::debug!(placement, ?reasons, "a call is about to be dialled");
        if placed.placement == Placement::Stored {
            self.0.announced.fetch_add(1, Ordering::Relaxed);
        }
        self.remember(to, placed.keys.clone());
        Ok(placed)
    }

    /// The call that was announced, from when it is dialled: waits for the called side to show who it is
    /// and to see the same call, and takes what becomes of it. `wait` is how long to look for the called
    /// side's answer; the policy's (30 s) if `None`.
    ///
    /// Also for a call that is unprotected: then there is nothing to wait for and nobody to tell.
    pub fn outgoing(&self, placed: &Placed, wait: Option<Duration>) -> OutgoingCall {
        OutgoingCall::begin(self, placed, wait)
    }

    /// Waits for the called side to show who answered; `expected` is [`Placed::answer`].
    ///
    /// Ends with the first verified answer or at the deadline (30 s by default). It never hangs up:
    /// what a verdict means for the call is the application's business.
    pub async fn await_answer(
        &self,
        expected: AnswerExpectation,
        deadline: Option<Duration>,
    ) -> AnswerOutcome {
        let host = &self.0.host;
        let deadline = self.deadline(deadline, host.context().policy().await_answer);
        let session = AwaitAnswerSession::new(host.context(), expected, deadline, host.now());
        let (mut outcome, notices) = drive_noting(host, session, |_, _| {}).await;
        note(&mut outcome.verdict.reasons, notices);
        outcome
    }

    /// Verifies a ringing call: RFC 8816 section 8.2. Returns with the first verdict that decides, by
    /// the deadline at the latest (2.5 s by default).
    ///
    /// `from` is the calling number as signalling gives it, `None` if it is withheld. `to` is the
    /// called number, `None` if the host cannot tell which of its own it was (W-38).
    ///
    /// Two calls of one caller to one number whose tokens are of the same second are one call to the
    /// replay check (W-7): the second is [`Verdict::Refused`](crate::Verdict::Refused) with
    /// [`Reason::Replayed`].
    ///
    /// Dropping the future before it returns stops everything; afterwards the mailbox is polled on in
    /// the background for some seconds, whatever was found (W-32).
    ///
    /// # Errors
    ///
    /// [`Reason::NumberNotOwned`] or [`Reason::MalformedNumber`] for `to`. A calling number that is no
    /// number counts as withheld: what a network delivers is not the application's fault.
    pub async fn ring(
        &self,
        from: Option<&str>,
        to: Option<&str>,
        deadline: Option<Duration>,
    ) -> Result<RingingCall, Reason> {
        let from = from.and_then(|from| self.read_number(from).ok());
        let to = to.map(|to| self.read_number(to)).transpose()?;
        let host = Arc::clone(&self.0.host);
        let deadline = self.deadline(deadline, host.context().policy().ring_deadline);
        let now = host.now();
        let session = RingSession::new(host.context(), from.clone(), to, deadline, now)?;
        let session = session.staying(now);
        // Leaves the table again if this future is dropped.
        let (entry, events) = self.0.calls.ring(from, now.monotonic);
        let (calls, id) = (Arc::clone(&self.0.calls), entry.id());
        let (first, verdict) = oneshot::channel();
        let driving = Arc::clone(&host);
        let task = tokio::spawn(async move {
            let mut first = Some(first);
            let mut later: Option<watch::Sender<RingOutcome>> = None;
            drive_call(
                &driving,
                session,
                events,
                |mut outcome: RingOutcome, notices| {
                    note(&mut outcome.verdict.reasons, notices.iter().copied());
                    let CallVerdict {
                        verdict, reasons, ..
                    } = &outcome.verdict;
                    tracing::debug!(verdict = verdict.name(), ?reasons, "a call rings");
                    if outcome.verdict.verdict == Verdict::Confirmed {
                        calls.confirmed(id);
                    }
                    match (&later, first.take()) {
                        (None, Some(first)) => {
                            let (sender, receiver) = watch::channel(outcome);
                            later = Some(sender);
                            let _ = first.send(receiver);
                        }
                        (Some(later), _) => drop(later.send(outcome)),
                        (None, None) => {}
                    }
                },
            )
            .await;
        });
        let mut abort = AbortOnDrop(Some(task.abort_handle()));
        let outcome = verdict.await.map_err(|_| Reason::Internal)?;
        abort.0 = None;
        Ok(RingingCall::new(outcome, host, entry))
    }

    /// Shows the caller who is here: connected identity, RFC 9970. Only for a call with a good verdict
    /// whose caller asked, and only if the user or the application's policy allows it.
    ///
    /// With [`CallPhase::Answered`] this is [`RingingCall::answered`] as well: the caller that gave up
    /// meanwhile is not answered. Dropping the future stops the answer, not the call.
    ///
    /// # Errors
    ///
    /// [`Reason::NotVerified`] without a good verdict; [`Reason::RspNotRequested`] if the caller did
    /// not ask; [`Reason::ConfigurationInvalid`] for a `phase` that is not the callee's to report.
    pub async fn answer(
        &self,
        call: &RingingCall,
        phase: CallPhase,
        deadline: Option<Duration>,
    ) -> Result<Answered, Reason> {
        let verified = call.verified().ok_or(Reason::NotVerified)?;
        let host = &self.0.host;
        let deadline = self.deadline(deadline, host.context().policy().answer_deadline);
        let mut session = AnswerSession::new(host.context(), verified, phase, deadline)?;
        if let Some(media) = call.own_media() {
            session = session.with_media(media);
        }
        if phase == CallPhase::Answered {
            // The session looks into the mailbox by itself.
            session = session.since(call.answered_with(false));
        }
        let (mut answered, notices) = drive_noting(host, session, |never, _| match never {}).await;
        note(&mut answered.reasons, notices);
        if answered.caller_gone {
            call.caller_gone();
        }
        if let Some(wallet) = &answered.refill {
            self.plan_refill(wallet.clone());
        }
        Ok(answered)
    }

    /// Publishes the own encryption keys, making them first if there are none or their statement is in
    /// the last third of its life. Call it at start and then some times a day.
    ///
    /// # Errors
    ///
    /// [`Reason::CredentialUnavailable`] and other reasons of the credential;
    /// [`Reason::StatementRejected`], [`Reason::StatementSuperseded`] and reasons of the network;
    /// [`Reason::StateUnavailable`]; [`Reason::ClockUnset`]; [`Reason::DeadlinePassed`].
    pub async fn publish_keys(&self, deadline: Option<Duration>) -> Result<Published, Reason> {
        self.publish(PublishMode::Publish, deadline).await
    }

    /// Makes and publishes new encryption keys. The ones before still open what is sealed to them.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::publish_keys`].
    pub async fn rotate_keys(&self, deadline: Option<Duration>) -> Result<Published, Reason> {
        self.publish(PublishMode::Rotate, deadline).await
    }

    async fn publish(
        &self,
        mode: PublishMode,
        within: Option<Duration>,
    ) -> Result<Published, Reason> {
        let host = &self.0.host;
        let deadline = self.deadline(within, host.context().policy().directory_deadline);
        let session = PublishSession::new(host.context(), mode, deadline);
        let published = drive(host, session, |never| match never {}).await;
        // Calls come when keys are published: the gateways are to be known by then. What fails here is
        // tried again, and told, when it is needed.
        let _ = self.refresh_gateways(within).await;
        match &published {
            Ok(published) => tracing::debug!(rotated = published.rotated, "keys are published"),
            Err(reason) => tracing::warn!(reason = reason.name(), "keys could not be published"),
        }
        published
    }

    /// Learns the keys of a number ahead of a call, so that placing one takes a single request.
    /// Returns how many parties can read what is sealed for it.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`]; [`Reason::NoUsableKey`] if no key was found, or the reason why
    /// none could be looked for; [`Reason::ReaderNotAllowed`] if the policy allows none of those who
    /// can read.
    pub async fn prefetch_keys(
        &self,
        number: &str,
        deadline: Option<Duration>,
    ) -> Result<usize, Reason> {
        let number = self.read_number(number)?;
        self.learn_keys(number, deadline).await
    }
}

/// Stops a task when the future that waits for it is dropped.
struct AbortOnDrop(Option<tokio::task::AbortHandle>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}
