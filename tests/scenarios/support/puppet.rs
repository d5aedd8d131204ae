//! A called party that the test plays, so that it can answer wrongly.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{
    CallPhase, CallVerdict, Endpoint, Placed, Placement, Reason, TelephoneNumber, UnixTime, Verdict,
};
use ringtrue_lab::Credential;
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::{CallState, Content, Destination, RecipientKey, Suite, open};
use serde_json::{Value, json};

use super::forge::{
    changed, content, header, keys_of, payload, seal_to, statement, statement_payload, token,
};
use super::keys::{DeviceAgreement, Temper};
use super::world::{World, number, patiently_with_answer, place, told};
use super::{PATIENT, ends, now};

/// How long a caller waits for an answer that is not going to be good: time for several looks.
const A_WHILE: Duration = Duration::from_secs(4);

/// A called party played by the test: it has the keys and can read what it is sent.
pub(crate) struct Puppet {
    pub(crate) world: Arc<World>,
    pub(crate) number: TelephoneNumber,
    pub(crate) credential: Credential,
    pub(crate) agreement: Arc<DeviceAgreement>,
    pub(crate) key: RecipientKey,
}

impl Puppet {
    pub(crate) async fn new(world: &Arc<World>, index: usize) -> Self {
        let number = number(index);
        let credential = world.credential(&number);
        let agreement = DeviceAgreement::new(Temper::Works);
        let public = ringtrue::KeyAgreement::public_key(agreement.as_ref());
        let key = RecipientKey::new(Suite::S1, public.as_sec1()).unwrap();
        let base = world.gateway.base();
        let payload = statement_payload(&number, &base, std::slice::from_ref(&key), world.now);
        let text = statement(&payload, &credential);
        assert_eq!(world.put_statement(&number, &text).await.status, 204);
        Self {
            world: Arc::clone(world),
            number,
            credential,
            agreement,
            key,
        }
    }

    /// Everything in its mailbox that it can open.
    pub(crate) async fn read(&self) -> Vec<Content> {
        let destination = Destination::TelephoneNumber(self.number.clone());
        let blobs = self.world.mailbox(&self.number).await;
        blobs
            .iter()
            .filter_map(|blob| {
                let secret = &self.agreement.secret;
                let opened = open(&AwsLcCrypto, blob, secret, &self.key, &destination);
                opened.ok().map(|octets| Content::parse(&octets).unwrap())
            })
            .collect()
    }
}

/// A placed call, as its called party sees it.
pub(crate) struct Called {
    pub(crate) world: Arc<World>,
    pub(crate) caller: Endpoint,
    pub(crate) from: TelephoneNumber,
    pub(crate) puppet: Puppet,
    pub(crate) placed: Placed,
    pub(crate) call: Content,
}

impl Called {
    pub(crate) async fn new(world: &Arc<World>, from: usize, to: usize) -> Self {
        let puppet = Puppet::new(world, to).await;
        let caller = world.published(from).await;
        let placed = place(&caller, from, to, patiently_with_answer()).await;
        assert_eq!(
            (placed.placement, told(&placed)),
            (Placement::Stored, vec![])
        );
        let call = puppet.read().await.remove(0);
        Self {
            world: Arc::clone(world),
            caller,
            from: number(from),
            puppet,
            placed,
            call,
        }
    }

    /// When the caller dated its call.
    pub(crate) fn iat(&self) -> UnixTime {
        let passport = ringtrue_stir::passport::Passport::parse(&self.call.ppts[0]).unwrap();
        passport.claims().iat()
    }

    /// An answer as it has to be, but for these changes.
    pub(crate) fn answer(&self, header_changes: &Value, payload_changes: &Value) -> Content {
        let credential = &self.puppet.credential;
        self.answer_by(credential, header_changes, payload_changes)
    }

    pub(crate) fn answer_by(
        &self,
        credential: &Credential,
        header_changes: &Value,
        payload_changes: &Value,
    ) -> Content {
        let header = changed(changed(header(), &json!({"ppt": "rsp"})), header_changes);
        let payload = payload(&self.from, &self.puppet.number, now());
        let payload = changed(payload, payload_changes);
        let token = token(&header, &payload, &credential.secret);
        Content {
            n: self.call.n,
            st: Some(CallState {
                s: CallPhase::Answered,
                t_ms: now().as_secs() * 1000,
                u_ms: None,
            }),
            ..content(&[token], credential)
        }
    }

    pub(crate) async fn leave(&self, content: &Content) {
        let keys = keys_of_eks(&self.call);
        let blobs = seal_to(&keys, &self.from, &content.to_octets().unwrap());
        self.world.leave(&self.from, &blobs).await;
    }

    /// What comes of waiting for an answer that is not going to be good: the deadline ends that, and is
    /// put off until a busy machine has looked at what was left.
    pub(crate) async fn verdict_on_what_was_left(&self) -> CallVerdict {
        let mut wait = A_WHILE;
        loop {
            let mut found = self.outcome(wait).await.verdict;
            // Another look may have been on its way.
            let reasons = &mut found.reasons;
            reasons.retain(|reason| *reason != Reason::DeadlinePassed);
            let looked = found.blobs.opened > 0 && found.verdict != Verdict::Unavailable;
            if looked || wait >= PATIENT {
                return found;
            }
            wait *= 2;
        }
    }

    pub(crate) async fn outcome(&self, wait: Duration) -> ringtrue::AnswerOutcome {
        let expected = self.placed.answer.clone().unwrap();
        ends(self.caller.await_answer(expected, Some(wait))).await
    }
}

fn keys_of_eks(content: &Content) -> Vec<RecipientKey> {
    keys_of(&content.rsp.as_ref().unwrap().eks)
}
