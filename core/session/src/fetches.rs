//! Certificates that did not travel with a token: fetched from where its `x5u` points, if the policy
//! allows it.
//!
//! Shared by ringing and by waiting for an answer. One conversation asks for few URLs, each once, and
//! once more only if what a cache held turns out to be older than the signer's key. Tokens wait here
//! in the meantime. Whoever can seal a content to this endpoint chooses the URL, so a token is only
//! worth a fetch if everything else about it that needs no certificate is right; that is for
//! [`crate::evaluate`] to say.
//!
//! Requirements: W-1, CRT-44, CRT-46.

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_stir::passport::Passport;
use ringtrue_stir::{Reason, X5u};

use crate::evaluate::Bag;
use crate::mailbox::Opened;
use crate::step::{FoundCertificates, Ids};
use crate::verdict::add_reason;
use crate::{Action, ActionId, Input, Monotonic, Policy};

/// Apart from the ranges of the mailboxes' and the claims' ids, as all may be outstanding together.
const OWN_IDS: u32 = 2 << 16;

/// A token that waits for certificates.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) opened: Arc<Opened>,
    /// Its place in the content.
    pub(crate) token: usize,
}

/// One URL of this conversation.
#[derive(Clone)]
struct Fetch {
    x5u: X5u,
    /// The action that is outstanding.
    asked: Option<ActionId>,
    /// What came of the last one.
    found: Option<Result<FoundCertificates, Reason>>,
    refreshed: bool,
    waiting: Vec<Waiting>,
}

/// What is fetched in one conversation.
#[derive(Clone)]
pub(crate) struct Fetches {
    /// The most URLs; none if fetching is off.
    limit: usize,
    fetches: Vec<Fetch>,
    ready: VecDeque<Waiting>,
    ids: Ids,
    outbox: VecDeque<Action>,
    reasons: Vec<Reason>,
}

impl Fetches {
    pub(crate) fn new(policy: &Policy) -> Self {
        let limit = if policy.fetch_certificates {
            policy.max_fetches
        } else {
            0
        };
        Self {
            limit,
            fetches: Vec::new(),
            ready: VecDeque::new(),
            ids: Ids::starting_at(OWN_IDS),
            outbox: VecDeque::new(),
            reasons: Vec::new(),
        }
    }

    fn find(&self, x5u: &str) -> Option<&Fetch> {
        self.fetches.iter().find(|fetch| fetch.x5u.as_str() == x5u)
    }

    /// Whether a token with this `x5u` has to wait: its certificates are under way, or can be asked
    /// for.
    fn can_wait_for(&self, x5u: &str) -> bool {
        match self.find(x5u) {
            Some(fetch) => fetch.found.is_none(),
            // The port is the business of whoever connects.
            None => self.fetches.len() < self.limit && X5u::parse_with_any_port(x5u).is_ok(),
        }
    }

    /// Whether what is known under `x5u` was known before this call, so that the signer may have a
    /// newer certificate there.
    fn can_refresh(&self, x5u: &str) -> bool {
        self.find(x5u).is_some_and(|fetch| {
            let cached = matches!(&fetch.found, Some(Ok(found)) if found.from_cache);
            // A refresh that is under way is waited for.
            cached && (!fetch.refreshed || fetch.asked.is_some())
        })
    }

    /// The certificates that were fetched from `x5u`.
    fn known(&self, x5u: &str) -> Bag {
        match self.find(x5u).and_then(|fetch| fetch.found.as_ref()) {
            Some(Ok(found)) => Ok(found.bag.clone()),
            // Why is among the reasons; to the check it is the same as nothing at all.
            _ => Err(Reason::CredentialUnavailable),
        }
    }

    /// Lets a token wait for the certificates behind `x5u`, and asks for them unless that is done.
    pub(crate) fn wait(&mut self, x5u: &str, waiting: Waiting, deadline: Monotonic) {
        let at = self
            .fetches
            .iter()
            .position(|fetch| fetch.x5u.as_str() == x5u);
        let known = at.and_then(|at| self.fetches.get_mut(at));
        if let Some(fetch) = known {
            fetch.waiting.push(waiting);
            if fetch.asked.is_none() {
                let id = self.ids.next();
                fetch.asked = Some(id);
                fetch.refreshed = true;
                self.outbox.push_back(Action::FetchCertificates {
                    id,
                    x5u: fetch.x5u.clone(),
                    refresh: true,
                    deadline,
                });
            }
            return;
        }
        let Ok(x5u) = X5u::parse_with_any_port(x5u) else {
            return;
        };
        let id = self.ids.next();
        self.outbox.push_back(Action::FetchCertificates {
            id,
            x5u: x5u.clone(),
            refresh: false,
            deadline,
        });
        self.fetches.push(Fetch {
            x5u,
            asked: Some(id),
            found: None,
            refreshed: false,
            waiting: vec![waiting],
        });
    }

    /// The next action to start, if any.
    pub(crate) fn action(&mut self) -> Option<Action> {
        self.outbox.pop_front()
    }

    /// Takes in what came of a fetch.
    pub(crate) fn input(&mut self, input: Input) -> Result<(), Input> {
        let Input::Certificates(id, result) = input else {
            return Err(input);
        };
        let asked = self
            .fetches
            .iter_mut()
            .find(|fetch| fetch.asked == Some(id));
        let Some(fetch) = asked else {
            return Err(Input::Certificates(id, result));
        };
        if let Err(reason) = &result {
            add_reason(&mut self.reasons, *reason);
        }
        fetch.asked = None;
        // A refresh that failed takes nothing away: the failure to show is that of the token.
        if result.is_ok() || fetch.found.is_none() {
            fetch.found = Some(result);
        }
        self.ready.extend(fetch.waiting.drain(..));
        Ok(())
    }

    /// The next token whose certificates came, or will not come.
    pub(crate) fn take_ready(&mut self) -> Option<Waiting> {
        self.ready.pop_front()
    }

    /// Whether there are tokens that can be looked at again.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether no token waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.fetches.iter().all(|fetch| fetch.asked.is_none())
    }

    /// Forgets the tokens that could be looked at again: without a clock nothing can be judged.
    pub(crate) fn drop_ready(&mut self) {
        self.ready.clear();
    }

    pub(crate) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}

/// Where the certificates of a content's tokens come from.
///
/// The token's own header, else the content, else what was fetched: the next source is used when the
/// one before is absent, never after it failed (W-1).
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) content: &'a Bag,
    pub(crate) fetches: &'a Fetches,
}

impl Sources<'_> {
    /// The certificates for a token.
    pub(crate) fn bag_of(&self, passport: &Passport) -> Bag {
        match passport.header_x5c()? {
            Some(bag) => Ok(bag),
            None => self.bag_beside(passport.x5u()),
        }
    }

    /// The certificates for whatever came with a token that has this `x5u`.
    pub(crate) fn bag_beside(&self, x5u: &str) -> Bag {
        match self.content {
            Err(Reason::CredentialUnavailable) => self.fetches.known(x5u),
            bag => bag.clone(),
        }
    }

    /// Whether nothing came with the token.
    fn are_absent(&self, passport: &Passport) -> bool {
        matches!(self.content, Err(Reason::CredentialUnavailable))
            && matches!(passport.header_x5c(), Ok(None))
    }

    /// Whether the token has to wait for a fetch.
    pub(crate) fn can_wait_for(&self, passport: &Passport) -> bool {
        self.fetches.limit != 0
            && self.are_absent(passport)
            && self.fetches.can_wait_for(passport.x5u())
    }

    /// Whether the token failed by certificates that may have been replaced since.
    pub(crate) fn can_refresh(&self, passport: &Passport) -> bool {
        self.fetches.limit != 0
            && self.are_absent(passport)
            && self.fetches.can_refresh(passport.x5u())
    }
}
