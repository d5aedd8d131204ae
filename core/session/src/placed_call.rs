//! A call that was announced: what is needed to say more about it later.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use ringtrue_oob::statement::VerifiedStatement;
use ringtrue_oob::{BaseUrl, CallNonce};
use ringtrue_stir::TelephoneNumber;

use crate::service_clock::{Moment, ServiceClock};
use crate::{Context, Monotonic, Now};

/// An announcement is for a call that is dialled within this time (measure M1 of the substitution race,
/// docs/protocol.md section 11): the longer it lies there, the longer somebody else can use it.
const DIAL_WITHIN: Duration = Duration::from_secs(2);

/// One copy of the announcement: which key of which statement it was sealed to.
#[derive(Clone)]
pub(crate) struct SealedCopy {
    pub(crate) statement: Arc<VerifiedStatement>,
    pub(crate) key: usize,
}

/// The copies that one service took.
#[derive(Clone)]
pub(crate) struct StoredCopies {
    pub(crate) service: BaseUrl,
    pub(crate) copies: Vec<SealedCopy>,
    pub(crate) clock: ServiceClock,
}

/// An announced call, for [`StateReportSession`](crate::StateReportSession): who can open what is said
/// about it, and where that has to lie. Opaque, because it knows the call's secret. Cheap to clone.
#[derive(Clone)]
pub struct PlacedCall {
    pub(crate) nonce: CallNonce,
    pub(crate) orig: TelephoneNumber,
    pub(crate) dest: TelephoneNumber,
    pub(crate) stored: Arc<[StoredCopies]>,
    /// When the announcement was complete.
    pub(crate) at: Monotonic,
}

impl fmt::Debug for PlacedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacedCall")
            .field("services", &self.stored.len())
            .finish_non_exhaustive()
    }
}

impl PlacedCall {
    /// The calling number: one of the endpoint's own.
    #[must_use]
    pub const fn orig(&self) -> &TelephoneNumber {
        &self.orig
    }

    /// The called number.
    #[must_use]
    pub const fn dest(&self) -> &TelephoneNumber {
        &self.dest
    }

    /// Whether the call may still be dialled by this announcement: 2 s after it at the latest. Later,
    /// announce it anew.
    #[must_use]
    pub fn may_be_dialled(&self, now: Monotonic) -> bool {
        now.since(self.at) <= DIAL_WITHIN
    }

    /// What the services at which the call was announced call `at`. With several, what they have in
    /// common: the callee may have found it at either. `seen` is what was learned of a clock since.
    pub(crate) fn moment(
        &self,
        at: Monotonic,
        seen: impl Fn(&BaseUrl) -> ServiceClock,
        context: &Context,
        now: Now,
    ) -> Option<Moment> {
        let clocks = self.stored.iter();
        let clocks = clocks.map(|stored| stored.clock.and(seen(&stored.service)));
        ServiceClock::spanning(clocks).moment(at, now, context.policy.earliest_time)
    }
}
