//! Filling a wallet ahead of need.

use std::sync::Arc;

use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

use crate::issuance::Issuance;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::wallet::{HeldToken, MAX_TOKENS, Wallet};
use crate::{Action, ActionId, Context, Input, Monotonic, Now, Saved, Session, Step, WalletName};

/// The issuance and own actions draw ids from different ranges, as they may be outstanding together.
const ISSUANCE_IDS: u32 = 1 << 16;

/// How often the wallet is read again because another process wrote it.
const MAX_CONFLICTS: usize = 8;

/// What came of filling a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refilled {
    /// How many tokens came.
    pub added: usize,
    /// How many are in stock now.
    pub stock: usize,
    /// What went wrong, if anything.
    pub reasons: Vec<Reason>,
}

enum Stage {
    Start,
    Loading(ActionId),
    Issuing,
    /// The wallet is read again, to add to what it holds by now.
    Reloading(ActionId),
    Saving(ActionId),
    Done,
}

/// Fills one wallet up to [`Policy::token_stock`](crate::Policy): the issuer's directory, then a request
/// for each token, each token verified before it is kept.
///
/// Hosts run it at a random time after a call, never because of one (PRV-27): the issuer sees who asks,
/// and must not see when that party telephones.
///
/// Source: docs/protocol.md section 19.1 (PRV-26, PRV-27, PRV-29, W-33).
pub struct RefillSession {
    context: Arc<Context>,
    name: WalletName,
    deadline: Monotonic,
    ids: Ids,
    stage: Stage,
    issuance: Option<Issuance>,
    fresh: Vec<HeldToken>,
    conflicts: usize,
    added: usize,
    stock: usize,
    outbox: Option<Action>,
    reasons: Vec<Reason>,
}

impl RefillSession {
    /// Begins to fill the wallet `name`, to be done by `deadline`.
    #[must_use]
    pub fn new(context: Arc<Context>, name: WalletName, deadline: Monotonic) -> Self {
        Self {
            context,
            name,
            deadline,
            ids: Ids::default(),
            stage: Stage::Start,
            issuance: None,
            fresh: Vec::new(),
            conflicts: 0,
            added: 0,
            stock: 0,
            outbox: None,
            reasons: Vec::new(),
        }
    }

    fn fail(&mut self, reason: Reason) {
        add_reason(&mut self.reasons, reason);
        self.stage = Stage::Done;
    }

    fn load(&mut self) -> ActionId {
        let id = self.ids.next();
        self.outbox = Some(Action::Load {
            id,
            record: self.name.record(),
        });
        id
    }

    fn begin(&mut self, octets: Option<&[u8]>, now: Now) -> Result<(), Reason> {
        let unix = self.unix(now)?;
        let wallet = Wallet::from_record(octets)?;
        self.stock = wallet.len(unix);
        let target = self.context.policy.token_stock.min(MAX_TOKENS);
        let missing = target.saturating_sub(self.stock);
        if missing == 0 {
            self.stage = Stage::Done;
            return Ok(());
        }
        let number = self
            .context
            .numbers
            .iter()
            .find(|number| self.context.signer_for(number, unix).is_ok());
        let number = number.ok_or(Reason::CredentialUnavailable)?.clone();
        self.issuance = Some(Issuance::new(
            Arc::clone(&self.context),
            self.name.clone(),
            number,
            missing,
            ISSUANCE_IDS,
            self.deadline,
        ));
        self.stage = Stage::Issuing;
        Ok(())
    }

    /// Adds what came to what the wallet holds by now.
    fn save(&mut self, octets: Option<Zeroizing<Vec<u8>>>, now: Now) -> Result<(), Reason> {
        let unix = self.unix(now)?;
        let mut wallet = Wallet::from_record(octets.as_ref().map(|octets| octets.as_slice()))?;
        wallet.forget_expired(unix);
        for held in &self.fresh {
            wallet.add(held);
        }
        self.stock = wallet.len(unix);
        let value = wallet.into_record()?;
        let id = self.ids.next();
        self.outbox = Some(Action::Save {
            id,
            record: self.name.record(),
            expected: octets,
            value,
        });
        self.stage = Stage::Saving(id);
        Ok(())
    }

    fn unix(&self, now: Now) -> Result<UnixTime, Reason> {
        now.unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)
    }
}

impl Session for RefillSession {
    type Output = Refilled;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Refilled> {
        if let Stage::Start = self.stage {
            let id = self.load();
            self.stage = Stage::Loading(id);
        }
        if let Some(action) = self.outbox.take() {
            return Step::Act(action);
        }
        let late = now.monotonic >= self.deadline;
        if let Some(issuance) = &mut self.issuance {
            if let Some(action) = issuance.action(now).filter(|_| !late) {
                return Step::Act(action);
            }
            self.fresh.extend(issuance.take_tokens());
            if issuance.is_done() || late {
                for reason in issuance.reasons() {
                    add_reason(&mut self.reasons, *reason);
                }
                self.issuance = None;
                // What came is kept also when the time is up: it has been counted by the issuer.
                self.stage = if self.fresh.is_empty() {
                    Stage::Done
                } else {
                    Stage::Reloading(self.load())
                };
                if let Some(action) = self.outbox.take() {
                    return Step::Act(action);
                }
            }
        }
        let keeping = matches!(self.stage, Stage::Reloading(_) | Stage::Saving(_));
        if late && !keeping && !matches!(self.stage, Stage::Done) {
            self.fail(Reason::DeadlinePassed);
        }
        if let Stage::Done = self.stage {
            return Step::Done(Refilled {
                added: self.added,
                stock: self.stock,
                reasons: core::mem::take(&mut self.reasons),
            });
        }
        Step::Wait(if keeping {
            // The state store has no deadline of its own, and tokens that came are worth waiting for.
            now.monotonic.plus(core::time::Duration::from_secs(1))
        } else {
            self.deadline
        })
    }

    fn input(&mut self, input: Input, now: Now) {
        match (&self.stage, input) {
            (Stage::Loading(awaited), Input::Loaded(id, result)) if *awaited == id => {
                let begun = result.and_then(|octets| {
                    self.begin(octets.as_ref().map(|octets| octets.as_slice()), now)
                });
                if let Err(reason) = begun {
                    self.fail(reason);
                }
            }
            (Stage::Reloading(awaited), Input::Loaded(id, result)) if *awaited == id => {
                if let Err(reason) = result.and_then(|octets| self.save(octets, now)) {
                    self.fail(reason);
                }
            }
            (Stage::Saving(awaited), Input::Saved(id, result)) if *awaited == id => match result {
                Ok(Saved::Written) => {
                    self.added = self.fresh.len();
                    self.fresh.clear();
                    self.stage = Stage::Done;
                }
                Ok(Saved::Changed) if self.conflicts < MAX_CONFLICTS => {
                    self.conflicts = self.conflicts.saturating_add(1);
                    self.stage = Stage::Reloading(self.load());
                }
                Ok(Saved::Changed) => self.fail(Reason::StateUnavailable),
                Err(reason) => self.fail(reason),
            },
            (_, input) => {
                if let Some(issuance) = &mut self.issuance {
                    let _ = issuance.input(input, now);
                }
            }
        }
    }
}
