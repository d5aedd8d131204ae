//! The endpoint.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::Reason;

use crate::cancellation::Work;
use crate::clock::HostClock;
use crate::fetch::HostFetchSource;
use crate::keys::{HostKeyAgreement, HostSigner};
use crate::outcome::count;
use crate::store::HostStore;
use crate::tasks::Tasks;
use crate::transport::HostTransport;
use crate::{
    AnswerExpectation, AnswerOutcome, Answered, CallPhase, Cancellation, Clock, EndpointConfig,
    FetchSource, KeyAgreement, MediaKeys, OutgoingCall, Placed, PlacedCall, Published,
    RingTrueError, RingingCall, Signer, StateStore, Transport,
};

/// A telephone that proves who is calling.
///
/// May be used from any thread, by several at once. Its work, network and state store included, is
/// done on threads of its own; callers only wait. Every call takes a deadline in milliseconds, or the
/// policy's, and ends by it whatever the network does.
///
/// Closing the endpoint stops its threads and whatever it still does in the background.
#[derive(uniffi::Object)]
pub struct Endpoint {
    core: ringtrue::Endpoint,
    /// None where there is nothing to fetch.
    fetcher: Option<ringtrue::Fetcher>,
    work: Work,
}

#[uniffi::export]
impl Endpoint {
    /// Checks everything and makes the endpoint. Opens the state store, but no connection.
    ///
    /// `signer` is the private key of the credential. `key_agreement` is a hardware encryption key for
    /// suite S1, instead of keys in the state file. `transport` and `clock` replace the built-in ones;
    /// `fetch_source` stands in for the network where a URL is fetched; `store` takes the place of the
    /// configuration's state file and needs its state key.
    ///
    /// # Errors
    ///
    /// `configuration_invalid` if something is missing or contradicts something else, `key_mismatch`
    /// if the credential is not for the signer's key, `malformed_…` for a part that cannot be read,
    /// what path verification says if the credential leads to no anchor, `state_unavailable`,
    /// `signer_failed` or `key_agreement_failed` if a public key cannot be had.
    #[uniffi::constructor(default(
        signer = None,
        key_agreement = None,
        transport = None,
        clock = None,
        fetch_source = None,
        store = None
    ))]
    pub async fn open(
        config: EndpointConfig,
        signer: Option<Arc<dyn Signer>>,
        key_agreement: Option<Arc<dyn KeyAgreement>>,
        transport: Option<Arc<dyn Transport>>,
        clock: Option<Arc<dyn Clock>>,
        fetch_source: Option<Arc<dyn FetchSource>>,
        store: Option<Arc<dyn StateStore>>,
    ) -> Result<Self, RingTrueError> {
        let tasks = Tasks::start()?;
        // The application's objects are called apart from the rest, so that one that breaks is named.
        let signer = match signer {
            None => None,
            Some(signer) => {
                let ask = move || HostSigner::new(signer);
                Some(tasks.run_blocking(Reason::SignerFailed, ask).await?)
            }
        };
        let key_agreement = match key_agreement {
            None => None,
            Some(agreement) => {
                let ask = move || HostKeyAgreement::new(agreement);
                Some(tasks.run_blocking(Reason::KeyAgreementFailed, ask).await?)
            }
        };
        let build = move || {
            let source: Option<Arc<dyn ringtrue::FetchSource>> = match fetch_source {
                Some(source) => Some(Arc::new(HostFetchSource(source))),
                None => None,
            };
            let (mut builder, fetcher) = config.into_builder(source)?;
            if let Some(signer) = signer {
                builder = builder.signer(Arc::new(signer));
            }
            if let Some(agreement) = key_agreement {
                builder = builder.key_agreement(Arc::new(agreement));
            }
            if let Some(transport) = transport {
                builder = builder.transport(Arc::new(HostTransport(transport)));
            }
            if let Some(clock) = clock {
                builder = builder.clock(Arc::new(HostClock(clock)));
            }
            if let Some(store) = store {
                builder = builder.store(Arc::new(HostStore(store)));
            }
            Ok((builder.build()?, fetcher))
        };
        let (core, fetcher) = tasks.run_blocking(Reason::Internal, build).await?;
        Ok(Self {
            core,
            fetcher,
            work: Work::new(tasks),
        })
    }

    /// This endpoint, for work that can be given up from outside: what is begun on the endpoint that
    /// this returns fails with `cancelled` as soon as `cancellation` is cancelled, and stops.
    ///
    /// Both are one endpoint: shutting down one shuts down the other.
    #[must_use]
    pub fn cancelled_by(&self, cancellation: Arc<Cancellation>) -> Arc<Self> {
        Arc::new(Self {
            core: self.core.clone(),
            fetcher: self.fetcher.clone(),
            work: self.work.cancelled_by(cancellation),
        })
    }

    /// The own numbers, canonical: digits without `+` and separators.
    #[must_use]
    pub fn numbers(&self) -> Vec<String> {
        self.core
            .numbers()
            .iter()
            .map(|number| number.as_str().to_owned())
            .collect()
    }

    /// Reads a number as it is written here and gives the canonical one.
    ///
    /// # Errors
    ///
    /// `malformed_number`.
    pub fn read_number(&self, text: String) -> Result<String, RingTrueError> {
        Ok(self.core.read_number(&text)?.as_str().to_owned())
    }

    /// Announces a call before it is dialled.
    ///
    /// `from` is one of the own numbers. `want_answer` asks the callee to show who answers; it needs
    /// published keys of the own. `fresh_keys` asks the key directory even if the callee's keys are
    /// at hand. `media` names the own media keys, for a call whose media travel over IP. When this
    /// returns, dial: also after `Placement.Unprotected`, which is no error. Dial within 2 s, or announce
    /// the call anew; then say what becomes of it (`outgoing`).
    ///
    /// # Errors
    ///
    /// `malformed_number`; `malformed_mky` for the media keys; `number_not_owned` for a `from` that is not an own number;
    /// `randomness_unavailable`; `cancelled` if the endpoint was shut down.
    #[uniffi::method(default(
        want_answer = false,
        fresh_keys = false,
        deadline_ms = None,
        media = None
    ))]
    pub async fn place(
        &self,
        from: String,
        to: String,
        want_answer: bool,
        fresh_keys: bool,
        deadline_ms: Option<u64>,
        media: Option<MediaKeys>,
    ) -> Result<Placed, RingTrueError> {
        let core = self.core.clone();
        let mut options = ringtrue::PlaceOptions::default();
        options.want_answer = want_answer;
        options.fresh_keys = fresh_keys;
        options.deadline = deadline(deadline_ms);
        options.media = media.map(|media| media.to_core()).transpose()?;
        let placed = async move { core.place(&from, &to, options).await };
        Ok(self.work.run(placed).await??.into())
    }

    /// The call that was announced, from when it is dialled: waits for the called side to show who it is
    /// and to see the same call, and takes what becomes of it. `call` is `call` of a placed call; `wait_ms`
    /// is how long to look for the called side's answer, or the policy's.
    ///
    /// Instead of `await_answer`. Also for a call that is unprotected: then there is nothing to wait for
    /// and nobody to tell. Once the endpoint was shut down, nothing is waited for or told either.
    #[uniffi::method(default(wait_ms = None))]
    pub fn outgoing(&self, call: &PlacedCall, wait_ms: Option<u64>) -> Arc<OutgoingCall> {
        let (wait, threads) = (deadline(wait_ms), self.work.tasks.threads());
        Arc::new(OutgoingCall::begin(&self.core, &call.0, wait, threads))
    }

    /// Waits for the called side to show who answered; `expected` is `answer` of a placed call.
    ///
    /// Ends with the first verified answer or at the deadline. It never hangs up: what a verdict means
    /// for the call is the application's business.
    ///
    /// # Errors
    ///
    /// `cancelled` if the endpoint was shut down.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn await_answer(
        &self,
        expected: Arc<AnswerExpectation>,
        deadline_ms: Option<u64>,
    ) -> Result<AnswerOutcome, RingTrueError> {
        let core = self.core.clone();
        let outcome = async move {
            core.await_answer(expected.0.clone(), deadline(deadline_ms))
                .await
        };
        Ok(self.work.run(outcome).await?.into())
    }

    /// Verifies a ringing call. Returns with the first verdict that decides, by the deadline at the
    /// latest.
    ///
    /// `from` is the calling number as signalling gives it, nothing if it is withheld. `to` is the
    /// called number, nothing if the host cannot tell which of its own it was.
    ///
    /// Giving it up before it returns stops everything; afterwards the mailbox is polled on in the
    /// background for some seconds, whatever was found.
    ///
    /// # Errors
    ///
    /// `number_not_owned` or `malformed_number` for `to`; `cancelled` if the endpoint was shut down. A
    /// calling number that is no number counts as withheld.
    #[uniffi::method(default(to = None, deadline_ms = None))]
    pub async fn ring(
        &self,
        from: Option<String>,
        to: Option<String>,
        deadline_ms: Option<u64>,
    ) -> Result<Arc<RingingCall>, RingTrueError> {
        let core = self.core.clone();
        let call = async move {
            core.ring(from.as_deref(), to.as_deref(), deadline(deadline_ms))
                .await
        };
        Ok(Arc::new(RingingCall::new(self.work.run(call).await??)))
    }

    /// Shows the caller who is here: connected identity. Only for a call with a good verdict whose
    /// caller asked, and only if the user or the application's policy allows it.
    ///
    /// # Errors
    ///
    /// `not_verified` without a good verdict; `rsp_not_requested` if the caller did not ask;
    /// `configuration_invalid` for a phase that is not the callee's to report; `cancelled` if the
    /// endpoint was shut down.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn answer(
        &self,
        call: Arc<RingingCall>,
        phase: CallPhase,
        deadline_ms: Option<u64>,
    ) -> Result<Answered, RingTrueError> {
        let core = self.core.clone();
        let answered = async move {
            core.answer(call.core(), phase.into(), deadline(deadline_ms))
                .await
        };
        Ok(self.work.run(answered).await??.into())
    }

    /// Publishes the own encryption keys, making them first if there are none or their statement is in
    /// the last third of its life. Call it at start and then some times a day.
    ///
    /// # Errors
    ///
    /// `credential_unavailable` and other reasons of the credential; `signer_failed`;
    /// `statement_rejected`, `statement_superseded` and reasons of the network; `state_unavailable`;
    /// `clock_unset`; `deadline_passed`; `cancelled` if the endpoint was shut down.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn publish_keys(&self, deadline_ms: Option<u64>) -> Result<Published, RingTrueError> {
        let core = self.core.clone();
        let published = async move { core.publish_keys(deadline(deadline_ms)).await };
        Ok(self.work.run(published).await??.into())
    }

    /// Makes and publishes new encryption keys. The ones before still open what is sealed to them.
    ///
    /// # Errors
    ///
    /// As for publishing.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn rotate_keys(&self, deadline_ms: Option<u64>) -> Result<Published, RingTrueError> {
        let core = self.core.clone();
        let published = async move { core.rotate_keys(deadline(deadline_ms)).await };
        Ok(self.work.run(published).await??.into())
    }

    /// Learns the keys of a number ahead of a call, so that placing one takes a single request.
    /// Returns how many parties can read what is sealed for it.
    ///
    /// # Errors
    ///
    /// `malformed_number`; `no_usable_key` if no key was found, or the reason why none could be
    /// looked for; `cancelled` if the endpoint was shut down.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn prefetch_keys(
        &self,
        number: String,
        deadline_ms: Option<u64>,
    ) -> Result<u32, RingTrueError> {
        let core = self.core.clone();
        let readers = async move { core.prefetch_keys(&number, deadline(deadline_ms)).await };
        Ok(count(self.work.run(readers).await??))
    }

    /// Switches fetching off or on: trust bundles, revocation lists and certificates during calls. It
    /// is on at first, for what the configuration lets be fetched at all.
    pub fn set_fetching(&self, on: bool) {
        if let Some(fetcher) = &self.fetcher {
            fetcher.set_offline(!on);
        }
    }

    /// Stops the endpoint's threads and whatever they do. Calls that run, and calls that come later,
    /// end with `cancelled`. Repeating it does nothing.
    ///
    /// Ends when nothing of the application's is being called any more, after a second at the latest.
    /// Closing the endpoint instead, or letting it go, stops the same without waiting.
    pub async fn shut_down(&self) {
        self.work.tasks.shut_down().await;
    }
}

impl Endpoint {
    /// The endpoint itself.
    pub(crate) const fn core(&self) -> &ringtrue::Endpoint {
        &self.core
    }

    /// The threads for its work.
    pub(crate) const fn work(&self) -> &Work {
        &self.work
    }
}

fn deadline(ms: Option<u64>) -> Option<Duration> {
    ms.map(Duration::from_millis)
}
