//! A called endpoint and somebody who leaves things for it.

use std::sync::Arc;

use futures_util::future::join_all;
use ringtrue::{CallVerdict, Endpoint, Reason, RingingCall, TelephoneNumber, UnixTime, Verdict};
use ringtrue_lab::Credential;
use ringtrue_oob::{Blob, Content, RecipientKey};
use serde_json::Value;

use super::forge::{self, content, header, payload, seal_to, token};
use super::world::{World, number};
use super::{PATIENT, ends};

/// The index of the calling number in every scene.
pub(crate) const CALLER: usize = 0;

/// A callee with published keys, and the means of its caller.
pub(crate) struct Scene {
    pub(crate) world: Arc<World>,
    pub(crate) callee: Endpoint,
    pub(crate) keys: Vec<RecipientKey>,
    pub(crate) from: TelephoneNumber,
    pub(crate) to: TelephoneNumber,
    pub(crate) credential: Credential,
    pub(crate) now: UnixTime,
}

impl Scene {
    /// With the number of this index as the called one.
    pub(crate) async fn new(world: &Arc<World>, index: usize) -> Self {
        let callee = world.published(index).await;
        Self::of(world, index, callee).await
    }

    /// With an endpoint that was made and published elsewhere.
    pub(crate) async fn of(world: &Arc<World>, index: usize, callee: Endpoint) -> Self {
        let to = number(index);
        let statements = world.statements(&to).await;
        let from = number(CALLER);
        Self {
            callee,
            keys: statements[0].keys().to_vec(),
            credential: world.credential(&from),
            from,
            to,
            world: Arc::clone(world),
            now: super::now(),
        }
    }

    /// A payload of a call that is made now.
    pub(crate) fn payload(&self) -> Value {
        payload(&self.from, &self.to, self.now)
    }

    /// A right token, but for these changes of header and payload.
    pub(crate) fn token(&self, header_changes: &Value, payload_changes: &Value) -> String {
        let header = forge::changed(header(), header_changes);
        let payload = forge::changed(self.payload(), payload_changes);
        token(&header, &payload, &self.credential.secret)
    }

    /// A right token dated `iat`.
    pub(crate) fn token_at(&self, iat: UnixTime) -> String {
        let payload = payload(&self.from, &self.to, iat);
        token(&header(), &payload, &self.credential.secret)
    }

    /// A right token.
    pub(crate) fn good(&self) -> String {
        self.token_at(self.now)
    }

    /// A content with this token, certificates included.
    pub(crate) fn content(&self, token: String) -> Content {
        content(&[token], &self.credential)
    }

    pub(crate) fn seal(&self, content: &Content) -> Vec<Blob> {
        seal_to(&self.keys, &self.to, &content.to_octets().unwrap())
    }

    pub(crate) async fn leave(&self, content: &Content) {
        self.world.leave(&self.to, &self.seal(content)).await;
    }

    /// Rings as the caller.
    pub(crate) async fn ring(&self) -> RingingCall {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        ends(self.callee.ring(Some(from), Some(to), Some(PATIENT)))
            .await
            .unwrap()
    }

    /// The first verdict.
    pub(crate) async fn verdict(&self) -> CallVerdict {
        self.ring().await.verdict()
    }

    /// The last verdict. After it no poll in the background can find what comes next.
    pub(crate) async fn last_verdict(&self) -> CallVerdict {
        let mut call = self.ring().await;
        call.ended();
        while ends(call.changed()).await.is_some() {}
        call.verdict()
    }
}

/// What is left for the callee in one case, as contents in octets.
pub(crate) type Leave = Box<dyn Fn(&Scene) -> Vec<Vec<u8>> + Send + Sync>;

/// Something that is left for a callee, and what the callee makes of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) leave: Leave,
    pub(crate) verdict: Verdict,
    pub(crate) reasons: Vec<Reason>,
}

/// A case with one content.
pub(crate) fn case(
    name: &'static str,
    verdict: Verdict,
    reasons: &[Reason],
    leave: impl Fn(&Scene) -> Content + Send + Sync + 'static,
) -> Case {
    octets_case(name, verdict, reasons, move |scene| {
        leave(scene).to_octets().unwrap().to_vec()
    })
}

/// A case with one token, in a content with the certificates of the caller.
pub(crate) fn token_case(
    name: &'static str,
    verdict: Verdict,
    reasons: &[Reason],
    make: impl Fn(&Scene) -> String + Send + Sync + 'static,
) -> Case {
    case(name, verdict, reasons, move |scene| {
        scene.content(make(scene))
    })
}

/// A case with one content that need not be one.
pub(crate) fn octets_case(
    name: &'static str,
    verdict: Verdict,
    reasons: &[Reason],
    leave: impl Fn(&Scene) -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    Case {
        name,
        leave: Box::new(move |scene| vec![leave(scene)]),
        verdict,
        reasons: reasons.to_vec(),
    }
}

/// Plays every case, each with a callee of its own, and then a right call with the same callee.
pub(crate) async fn play(cases: Vec<Case>) {
    let world = Arc::new(World::new().await);
    assert!(cases.len() < 99, "a number for each");
    let played = cases.into_iter().enumerate().map(|(index, case)| {
        let world = Arc::clone(&world);
        async move {
            let name = case.name;
            let scene = Scene::new(&world, index + 1).await;
            let contents = (case.leave)(&scene);
            let mut copies = 0;
            for octets in &contents {
                let blobs = seal_to(&scene.keys, &scene.to, octets);
                copies += blobs.len();
                world.leave(&scene.to, &blobs).await;
            }
            let mut call = scene.ring().await;
            let found = call.verdict();
            assert_eq!(found.verdict, case.verdict, "{name}: {:?}", found.reasons);
            assert_eq!(found.reasons, case.reasons, "{name}");
            assert_eq!(found.blobs.opened as usize, copies, "{name}: what opened");

            // The polls in the background change nothing. They have to end, or they would find the next
            // call and take it for theirs.
            call.ended();
            assert_eq!(ends(call.changed()).await, None, "{name}");

            // Nothing of it stays: a right call of this second is found, unless it was the right one.
            let right = scene.content(scene.token_at(super::now()));
            scene.leave(&right).await;
            let found = scene.verdict().await.verdict;
            if case.verdict == Verdict::Verified {
                assert!(
                    matches!(found, Verdict::Verified | Verdict::Refused),
                    "{name}"
                );
            } else {
                assert_eq!(found, Verdict::Verified, "{name}: the next call");
            }
        }
    });
    // Within one task: the cases wait most of the time.
    join_all(played).await;
}
