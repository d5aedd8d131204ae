//! What is fetched ahead of calls.

use std::time::Duration;

use crate::outcome::count;
use crate::{Endpoint, RingTrueError};

/// What came of looking contacts up ahead of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Prefetched {
    /// Contacts whose keys are known now.
    pub found: u32,
    /// Contacts that have none, as far as the directory shows.
    pub without_keys: u32,
    /// Contacts that could not be asked for.
    pub failed: u32,
}

impl From<ringtrue::Prefetched> for Prefetched {
    fn from(prefetched: ringtrue::Prefetched) -> Self {
        Self {
            found: count(prefetched.found),
            without_keys: count(prefetched.without_keys),
            failed: count(prefetched.failed),
        }
    }
}

#[uniffi::export]
impl Endpoint {
    /// Learns the keys of contacts ahead of calls. Keys live for a day or so; once a day is enough.
    ///
    /// The directory sees neither who asks (with a relay) nor the address book: the lookups are spread
    /// over `span_ms` at random, in random order, among lookups of other numbers. Ends after about that
    /// time, at twice of it at the latest but for the network; giving it up stops it.
    ///
    /// # Errors
    ///
    /// `malformed_number`; `configuration_invalid` for over 4096 contacts; `randomness_unavailable`;
    /// `cancelled` if the endpoint was shut down.
    pub async fn prefetch_contacts(
        &self,
        contacts: Vec<String>,
        span_ms: u64,
    ) -> Result<Prefetched, RingTrueError> {
        let core = self.core().clone();
        let prefetched = async move {
            let contacts: Vec<_> = contacts.iter().map(String::as_str).collect();
            let span = Duration::from_millis(span_ms);
            core.prefetch_contacts(&contacts, span).await
        };
        Ok(self.work().run(prefetched).await??.into())
    }

    /// Makes sure that the keys of the gateways of the own services and of the key directory are at hand.
    /// Publishing does it too; nothing to do without a relay.
    ///
    /// # Errors
    ///
    /// What went wrong with one of them; the others are there all the same. `gateway_keys_inconsistent`
    /// for a gateway that shows different keys to different askers: it is not used. `cancelled` if the
    /// endpoint was shut down.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn refresh_gateways(&self, deadline_ms: Option<u64>) -> Result<(), RingTrueError> {
        let core = self.core().clone();
        let deadline = deadline_ms.map(Duration::from_millis);
        let refreshed = async move { core.refresh_gateways(deadline).await };
        Ok(self.work().run(refreshed).await??)
    }
}
