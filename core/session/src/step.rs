//! What a session asks of its host, and what the host tells it.

use ringtrue_oob::http::{HttpRequest, HttpResponse, Role};
use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::crypto::{DeviceSignature, P256PublicKey};
use ringtrue_stir::{Reason, X5u};
use zeroize::Zeroizing;

use crate::{CallEvent, Monotonic, Now, RecordName};

/// Names one outstanding action of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub(crate) u32);

/// Something for the host to do.
///
/// Actions may be performed in any order and at the same time; each is answered by the [`Input`] that
/// carries its id, whatever came of it. A host that gives a session up answers nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Send this request on a connection of `role`; answered by [`Input::Response`].
    Request {
        /// Names this action.
        id: ActionId,
        /// Which connections to use.
        role: Role,
        /// What to send.
        request: HttpRequest,
        /// The most octets of body to read, before giving up with [`Reason::AnswerTooLarge`].
        max_answer_octets: usize,
        /// When to give up with [`Reason::DeadlinePassed`]. The host keeps this time: a session that has
        /// another service to turn to does so only when it is told.
        deadline: Monotonic,
    },
    /// Get the certificates behind the `x5u` of a token that came without any; answered by
    /// [`Input::Certificates`]. Only with [`Policy::fetch_certificates`](crate::Policy).
    ///
    /// The URL is the caller's choice: the host holds it to the rules for fetches (https, port,
    /// public addresses, limits; CRT-40 to CRT-42), keeps what it got and asks each URL seldom
    /// (CRT-43, CRT-44).
    FetchCertificates {
        /// Names this action.
        id: ActionId,
        /// Where they are.
        x5u: X5u,
        /// Whether what the host kept turned out not to fit: ask anew, unless that was done recently.
        refresh: bool,
        /// When to give up with [`Reason::DeadlinePassed`].
        deadline: Monotonic,
    },
    /// Get a file that trust is built on, outside of calls; answered by [`Input::TrustFile`].
    ///
    /// The same rules as for certificates hold for the connection (CRT-40 to CRT-42). What comes is
    /// signed and verified by the session; whoever answers in the host's place is as good.
    FetchTrust {
        /// Names this action.
        id: ActionId,
        /// What is there.
        file: TrustFile,
        /// Where it is: https.
        url: String,
        /// When to give up with [`Reason::DeadlinePassed`].
        deadline: Monotonic,
    },
    /// Sign with the endpoint's credential key; answered by [`Input::Signature`].
    Sign {
        /// Names this action.
        id: ActionId,
        /// What the signature is over; the SHA-256 of it is what a digest interface takes.
        message: Vec<u8>,
    },
    /// Raw ECDH with the hardware encryption key; answered by [`Input::Agreement`].
    Agree {
        /// Names this action.
        id: ActionId,
        /// The other point, already checked to be on the curve.
        peer: P256PublicKey,
    },
    /// Read a state record; answered by [`Input::Loaded`].
    Load {
        /// Names this action.
        id: ActionId,
        /// Which record.
        record: RecordName,
    },
    /// Write a state record, only if it still holds `expected` (`None`: does not exist), durably and
    /// in one transaction; answered by [`Input::Saved`].
    Save {
        /// Names this action.
        id: ActionId,
        /// Which record.
        record: RecordName,
        /// What the session read before.
        expected: Option<Zeroizing<Vec<u8>>>,
        /// What to write.
        value: Zeroizing<Vec<u8>>,
    },
    /// Insert a record that must not exist yet, durably and in one transaction; answered by
    /// [`Input::Claimed`]. This is the replay check: of several processes exactly one wins.
    Claim {
        /// Names this action.
        id: ActionId,
        /// Which record.
        record: RecordName,
        /// The Unix time, seconds, after which the record may be forgotten.
        expires: u64,
    },
}

/// A file that trust is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrustFile {
    /// An operator's trust bundle.
    Bundle,
    /// A certificate revocation list.
    RevocationList,
}

/// What came of a [`Action::Save`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Written and durable.
    Written,
    /// Not written: the record no longer held what was expected.
    Changed,
}

/// Certificates that were fetched.
#[derive(Clone, Debug)]
pub struct FoundCertificates {
    /// All that the host served, in its order.
    pub bag: CertificateBag,
    /// Whether they were at hand before they were asked for, so that a newer version may exist.
    pub from_cache: bool,
}

/// What the host tells a session. Errors are the host's own ([`Reason::ServiceUnreachable`],
/// [`Reason::SignerFailed`], [`Reason::StateUnavailable`], …) and end up among the reasons.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input {
    /// An HTTP response, or why there is none.
    Response(ActionId, Result<HttpResponse, Reason>),
    /// The certificates behind an `x5u`, or why there are none.
    Certificates(ActionId, Result<FoundCertificates, Reason>),
    /// The octets of a trust bundle or a revocation list, or why there are none.
    TrustFile(ActionId, Result<Vec<u8>, Reason>),
    /// A signature by the credential key.
    Signature(ActionId, Result<DeviceSignature, Reason>),
    /// The X coordinate of an ECDH agreement.
    Agreement(ActionId, Result<Zeroizing<Vec<u8>>, Reason>),
    /// A state record, `None` if there is none.
    Loaded(ActionId, Result<Option<Zeroizing<Vec<u8>>>, Reason>),
    /// What came of writing a record.
    Saved(ActionId, Result<Saved, Reason>),
    /// Whether this claim was the first.
    Claimed(ActionId, Result<bool, Reason>),
}

/// What to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<Output, Report = core::convert::Infallible> {
    /// Start this action, then ask again.
    Act(Action),
    /// Tell the application this, then ask again. The session goes on.
    Report(Report),
    /// Nothing until an input arrives or this time comes, whichever is first; then ask again. A time
    /// that has come already means: ask again at once, the session only paused in long work.
    Wait(Monotonic),
    /// The end. Outstanding actions may be dropped.
    Done(Output),
}

/// A conversation as a value.
pub trait Session {
    /// What it ends with.
    type Output;
    /// What it tells before it ends; [`core::convert::Infallible`] if nothing.
    type Report;

    /// What to do next. Does a bounded piece of work (milliseconds) and never blocks.
    ///
    /// After [`Step::Done`] the session is over: what further calls give has no meaning.
    fn next(&mut self, now: Now) -> Step<Self::Output, Self::Report>;

    /// Takes in what came of an action. Inputs that the session did not ask for are ignored.
    fn input(&mut self, input: Input, now: Now);

    /// Takes in what happened to the call. Sessions that have nothing to do with that ignore it.
    fn event(&mut self, event: CallEvent, now: Now) {
        let _ = (event, now);
    }
}

/// Hands out action ids.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ids(u32);

impl Ids {
    pub(crate) const fn starting_at(first: u32) -> Self {
        Self(first)
    }

    pub(crate) fn next(&mut self) -> ActionId {
        // Sessions end after at most some hundred actions.
        self.0 = self.0.wrapping_add(1);
        ActionId(self.0)
    }
}
