//! Getting a newer trust bundle and the revocation lists of its issuers, outside of calls.

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_stir::certificate::{Certificate, RevocationList};
use ringtrue_stir::trust_bundle::{BundleVersion, TrustBundle};
use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, Input, Monotonic, Now, RecordName, Saved, Session, Step, Trust,
    TrustFile, TrustSource,
};

/// How often a record that another process changed meanwhile is read again.
const MAX_RESTARTS: u32 = 3;

/// What came of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustUpdated {
    /// The number of the bundle in use.
    pub version: u64,
    /// Whether it is another one than before.
    pub is_new: bool,
    /// When it ends. Update again well before.
    pub expires: UnixTime,
    /// How many revocation lists are at hand.
    pub revocation_lists: usize,
    /// When the first of them is outdated; update again before.
    pub next_update: Option<UnixTime>,
    /// What went wrong with single revocation lists. The ones before stay in use.
    pub reasons: Vec<Reason>,
}

/// How a [`TrustUpdateSession`] ends.
#[derive(Debug)]
pub struct TrustUpdate {
    /// What to take into use, also where the bundle could not be renewed: its lists may have been.
    pub trust: Option<Trust>,
    /// What to tell.
    pub result: Result<TrustUpdated, Reason>,
}

/// A place of revocation lists that is still to be asked.
struct ListSource {
    issuer: Certificate,
    url: String,
}

enum Stage {
    Start,
    LoadingBundle(ActionId),
    FetchingBundle(ActionId),
    SavingBundle(ActionId, Box<Trust>),
    /// Between two lists.
    NextList,
    LoadingList(ActionId, ListSource),
    FetchingList(ActionId, ListSource, Option<Zeroizing<Vec<u8>>>),
    SavingList(ActionId),
    Done,
}

/// Fetches the trust bundle, keeps it and then takes it into use; then the revocation lists that it
/// names. One after the other: a list may have two mebibytes.
///
/// The version that was accepted last is read from the state store, not from memory, so that several
/// processes of one endpoint agree. If the bundle cannot be renewed, the one before stays, and its lists
/// are renewed all the same.
///
/// Source: docs/trust-bundle.md (CRT-30, CRT-60, CRT-61, SCT-23).
pub struct TrustUpdateSession {
    context: Arc<Context>,
    source: TrustSource,
    deadline: Monotonic,
    ids: Ids,
    outbox: Option<Action>,
    stage: Stage,
    stored: Option<Zeroizing<Vec<u8>>>,
    floor: Option<BundleVersion>,
    fetched: Option<String>,
    restarts: u32,
    trust: Option<Trust>,
    sources: VecDeque<ListSource>,
    /// Why the bundle could not be renewed.
    failed: Option<Reason>,
    reasons: Vec<Reason>,
}

impl TrustUpdateSession {
    /// Begins an update that ends by `deadline`.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] if `source` has no key, or more than eight.
    pub fn new(
        context: Arc<Context>,
        source: TrustSource,
        deadline: Monotonic,
    ) -> Result<Self, Reason> {
        source.check()?;
        Ok(Self {
            context,
            source,
            deadline,
            ids: Ids::default(),
            outbox: None,
            stage: Stage::Start,
            stored: None,
            floor: None,
            fetched: None,
            restarts: 0,
            trust: None,
            sources: VecDeque::new(),
            failed: None,
            reasons: Vec::new(),
        })
    }

    fn load(&mut self, record: RecordName) -> ActionId {
        let id = self.ids.next();
        self.outbox = Some(Action::Load { id, record });
        id
    }

    fn fetch(&mut self, file: TrustFile, url: &str) -> ActionId {
        let id = self.ids.next();
        self.outbox = Some(Action::FetchTrust {
            id,
            file,
            url: url.to_owned(),
            deadline: self.deadline,
        });
        id
    }

    fn save(
        &mut self,
        record: RecordName,
        expected: Option<Zeroizing<Vec<u8>>>,
        value: Vec<u8>,
    ) -> ActionId {
        let id = self.ids.next();
        self.outbox = Some(Action::Save {
            id,
            record,
            expected,
            value: value.into(),
        });
        id
    }

    /// The bundle is not renewed; the lists of the one in use may be.
    fn give_up_bundle(&mut self, reason: Reason, now: UnixTime) {
        self.failed.get_or_insert(reason);
        if self.trust.is_none() && self.context.trust.version().is_some() {
            self.trust = Some(self.context.trust.clone());
        }
        self.begin_lists(now);
    }

    /// What `bundle` says, with what is remembered of it if it is the one in use.
    fn trust_of(&self, bundle: &TrustBundle) -> Trust {
        let current = &self.context.trust;
        if current.version() == Some(bundle.version()) {
            current.clone()
        } else {
            Trust::from_bundle(bundle)
        }
    }

    fn bundle_loaded(&mut self, stored: Option<Zeroizing<Vec<u8>>>, now: UnixTime) {
        let octets = stored.as_ref().map(|octets| octets.as_slice());
        let provider = self.context.provider.as_ref();
        let kept = self.source.read(provider, Some(now), octets);
        self.stored = stored;
        self.floor = kept.floor;
        self.trust = kept.trust;
        match self.fetched.take() {
            Some(text) => self.bundle_fetched(&text, now),
            None => {
                let url = self.source.url.clone();
                let id = self.fetch(TrustFile::Bundle, &url);
                self.stage = Stage::FetchingBundle(id);
            }
        }
    }

    fn bundle_fetched(&mut self, text: &str, now: UnixTime) {
        let provider = self.context.provider.as_ref();
        // A line end behind it is what files have.
        let text = text.trim_ascii_end();
        let verified =
            TrustBundle::verify(text, &self.source.keys, provider, now, self.floor.as_ref());
        let record = verified.and_then(|bundle| {
            let record = TrustSource::to_record(text, &bundle)?;
            Ok((self.trust_of(&bundle), record))
        });
        match record {
            Err(reason) => self.give_up_bundle(reason, now),
            Ok((trust, record)) if self.stored.as_ref().is_some_and(|held| **held == record) => {
                self.trust = Some(trust);
                self.begin_lists(now);
            }
            Ok((trust, record)) => {
                self.fetched = Some(text.to_owned());
                let expected = self.stored.take();
                let id = self.save(self.source.record(), expected, record);
                self.stage = Stage::SavingBundle(id, Box::new(trust));
            }
        }
    }

    fn bundle_saved(&mut self, trust: Trust, saved: Result<Saved, Reason>, now: UnixTime) {
        match saved {
            Ok(Saved::Written) => {
                self.fetched = None;
                self.trust = Some(trust);
                self.begin_lists(now);
            }
            // Another process was faster; what it accepted may be newer.
            Ok(Saved::Changed) if self.restarts < MAX_RESTARTS => {
                self.restarts = self.restarts.saturating_add(1);
                let id = self.load(self.source.record());
                self.stage = Stage::LoadingBundle(id);
            }
            Ok(Saved::Changed) => self.give_up_bundle(Reason::StateUnavailable, now),
            Err(reason) => self.give_up_bundle(reason, now),
        }
    }

    /// Goes on with the lists. Those that calls use now are taken over, as far as the bundle still has
    /// their issuers.
    fn begin_lists(&mut self, now: UnixTime) {
        self.stage = Stage::NextList;
        let Some(trust) = &mut self.trust else {
            return;
        };
        self.sources = trust
            .list_sources()
            .map(|(issuer, url)| ListSource {
                issuer: issuer.certificate.clone(),
                url: url.to_owned(),
            })
            .collect();
        for source in &self.sources {
            if let Some(held) = self.context.trust.list_from(&source.url) {
                let provider = self.context.provider.as_ref();
                // One that does not hold any more is as good as none.
                let _ = trust.add_list(provider, &source.issuer, &source.url, held.list(), now);
            }
        }
    }

    fn next_list(&mut self) {
        match self.sources.pop_front() {
            Some(source) => {
                let id = self.load(RecordName::revocation_list(&source.url));
                self.stage = Stage::LoadingList(id, source);
            }
            None => self.stage = Stage::Done,
        }
    }

    /// Takes in the octets of a list. True if it is in use now.
    fn take_list(
        &mut self,
        source: &ListSource,
        octets: &[u8],
        now: UnixTime,
    ) -> Result<bool, Reason> {
        let provider = self.context.provider.as_ref();
        let trust = self.trust.as_mut().ok_or(Reason::Internal)?;
        let list = RevocationList::parse(octets)?;
        trust.add_list(provider, &source.issuer, &source.url, &list, now)
    }

    fn list_fetched(
        &mut self,
        source: &ListSource,
        stored: Option<Zeroizing<Vec<u8>>>,
        octets: Vec<u8>,
        now: UnixTime,
    ) {
        self.stage = Stage::NextList;
        let is_known = stored.as_ref().is_some_and(|stored| **stored == octets);
        match self.take_list(source, &octets, now) {
            Ok(true) if !is_known => {
                let record = RecordName::revocation_list(&source.url);
                let id = self.save(record, stored, octets);
                self.stage = Stage::SavingList(id);
            }
            Ok(_) => {}
            Err(reason) => add_reason(&mut self.reasons, reason),
        }
    }

    fn finish(&mut self) -> TrustUpdate {
        self.stage = Stage::Done;
        let status = self.trust.as_ref().map(Trust::status);
        let updated = status.and_then(|status| {
            Some(TrustUpdated {
                version: status.version?,
                is_new: self.trust.as_ref()?.version() != self.context.trust.version(),
                expires: status.expires?,
                revocation_lists: status.revocation_lists,
                next_update: status.next_update,
                reasons: core::mem::take(&mut self.reasons),
            })
        });
        TrustUpdate {
            trust: self.trust.take(),
            result: match (self.failed, updated) {
                (Some(reason), _) => Err(reason),
                (None, updated) => updated.ok_or(Reason::DeadlinePassed),
            },
        }
    }
}

impl Session for TrustUpdateSession {
    type Output = TrustUpdate;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<TrustUpdate> {
        if let Some(action) = self.outbox.take() {
            return Step::Act(action);
        }
        if now.unix(self.context.policy.earliest_time).is_none() {
            self.failed.get_or_insert(Reason::ClockUnset);
            return Step::Done(self.finish());
        }
        if now.monotonic >= self.deadline {
            match self.stage {
                Stage::Done => {}
                Stage::Start
                | Stage::LoadingBundle(_)
                | Stage::FetchingBundle(_)
                | Stage::SavingBundle(..) => {
                    self.failed.get_or_insert(Reason::DeadlinePassed);
                }
                _ => add_reason(&mut self.reasons, Reason::DeadlinePassed),
            }
            return Step::Done(self.finish());
        }
        match self.stage {
            Stage::Start => {
                let id = self.load(self.source.record());
                self.stage = Stage::LoadingBundle(id);
            }
            Stage::NextList => {
                self.next_list();
            }
            Stage::Done => return Step::Done(self.finish()),
            _ => return Step::Wait(self.deadline),
        }
        match self.outbox.take() {
            Some(action) => Step::Act(action),
            None => Step::Done(self.finish()),
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        let Some(unix) = now.unix(self.context.policy.earliest_time) else {
            // What comes next says so.
            return;
        };
        let stage = core::mem::replace(&mut self.stage, Stage::Done);
        match (stage, input) {
            (Stage::LoadingBundle(awaited), Input::Loaded(id, result)) if awaited == id => {
                match result {
                    Ok(stored) => self.bundle_loaded(stored, unix),
                    // Without the version that was accepted last, nothing new can be accepted.
                    Err(reason) => self.give_up_bundle(reason, unix),
                }
            }
            (Stage::FetchingBundle(awaited), Input::TrustFile(id, result)) if awaited == id => {
                let text = result.and_then(|octets| {
                    String::from_utf8(octets).map_err(|_| Reason::MalformedTrustBundle)
                });
                match text {
                    Ok(text) => self.bundle_fetched(&text, unix),
                    Err(reason) => self.give_up_bundle(reason, unix),
                }
            }
            (Stage::SavingBundle(awaited, trust), Input::Saved(id, result)) if awaited == id => {
                self.bundle_saved(*trust, result, unix);
            }
            (Stage::LoadingList(awaited, source), Input::Loaded(id, result)) if awaited == id => {
                let stored = result.unwrap_or_else(|reason| {
                    add_reason(&mut self.reasons, reason);
                    None
                });
                if let Some(octets) = &stored {
                    // A record that does not hold any more is as good as none.
                    let _ = self.take_list(&source, octets, unix);
                }
                let id = self.fetch(TrustFile::RevocationList, &source.url);
                self.stage = Stage::FetchingList(id, source, stored);
            }
            (Stage::FetchingList(awaited, source, stored), Input::TrustFile(id, result))
                if awaited == id =>
            {
                match result {
                    Ok(octets) => self.list_fetched(&source, stored, octets, unix),
                    Err(reason) => {
                        add_reason(&mut self.reasons, reason);
                        self.stage = Stage::NextList;
                    }
                }
            }
            (Stage::SavingList(awaited), Input::Saved(id, result)) if awaited == id => {
                // Losing a race against another process loses nothing: it fetched the same. A list that
                // cannot be kept is used all the same, until the next start.
                if let Err(reason) = result {
                    add_reason(&mut self.reasons, reason);
                }
                self.stage = Stage::NextList;
            }
            (stage, _) => self.stage = stage,
        }
    }
}
