//! Two endpoints and whoever interferes.

use std::sync::Arc;

use ringtrue::{Endpoint, OutgoingCall, Placed, Placement, RingingCall};
use ringtrue_oob::{Content, RecipientKey};

use crate::support::confirming::Pair;
use crate::support::forge::seal_to;
use crate::support::gateway::Kind;
use crate::support::scene::CALLER;
use crate::support::world::{World, number, patiently_with_answer, place};
use crate::support::{PATIENT, ends};

pub(crate) const CALLEE: usize = 1;

/// A caller and a callee whose keys an attacker may have, at one service.
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) caller: Endpoint,
    pub(crate) callee: Endpoint,
    /// The callee's keys, for whoever tries to speak to it.
    pub(crate) callee_keys: Vec<RecipientKey>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let world = Arc::new(World::new().await);
        let caller = world.published(CALLER).await;
        let callee = world.published(CALLEE).await;
        let callee_keys = keys(&world, CALLEE).await;
        Self {
            world,
            caller,
            callee,
            callee_keys,
        }
    }

    pub(crate) async fn announce(&self) -> Placed {
        let placed = place(&self.caller, CALLER, CALLEE, patiently_with_answer()).await;
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        placed
    }

    /// The true caller announces a call and dials it.
    pub(crate) async fn call(&self) -> OutgoingCall {
        let placed = self.announce().await;
        self.caller.outgoing(&placed, Some(PATIENT))
    }

    /// A call with the true caller's number reaches the callee. Whose it is cannot be seen.
    pub(crate) async fn rings(&self) -> RingingCall {
        self.rings_from(CALLER).await
    }

    pub(crate) async fn rings_from(&self, from: usize) -> RingingCall {
        let (from, to) = (number(from), number(CALLEE));
        ends(
            self.callee
                .ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT)),
        )
        .await
        .unwrap()
    }

    /// Caller and callee.
    pub(crate) fn pair(&self) -> Pair<'_> {
        Pair {
            caller: &self.caller,
            callee: &self.callee,
            numbers: [CALLER, CALLEE],
        }
    }

    /// Leaves a content for the callee, as anybody can.
    pub(crate) async fn leave(&self, content: &Content) {
        let to = number(CALLEE);
        let blobs = seal_to(&self.callee_keys, &to, &content.to_octets().unwrap());
        self.world.leave(&to, &blobs).await;
    }

    /// Waits until the service has answered so many more stores than when `before` was counted.
    pub(crate) async fn stores(&self, before: usize, more: usize) {
        let gateway = &self.world.gateway;
        gateway.until_answered(Kind::Store, before + more).await;
    }

    pub(crate) fn stores_now(&self) -> usize {
        self.world.gateway.count(Kind::Store)
    }
}

pub(crate) async fn keys(world: &World, of: usize) -> Vec<RecipientKey> {
    world.statements(&number(of)).await[0].keys().to_vec()
}

/// The last verdict on a call that has ended.
pub(crate) async fn last(mut call: RingingCall) -> ringtrue::CallVerdict {
    call.ended();
    while ends(call.changed()).await.is_some() {}
    call.verdict()
}
