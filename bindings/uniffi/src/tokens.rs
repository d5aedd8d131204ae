//! Storage tokens in stock.

use std::time::Duration;

use crate::outcome::count;
use crate::reason::reasons;
use crate::show::show;
use crate::{Endpoint, Reason, RingTrueError};

/// Names a wallet: tokens of this issuer, good at this service. Its text shows nothing of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct WalletName {
    /// Whose tokens: the authority of the issuer's base URL, `tokens.example`.
    pub issuer: String,
    /// Where they are good: the authority of the placement service, `cps.example`.
    pub service: String,
}

show!(WalletName, |_value, f| f.write_str("WalletName(..)"));

impl WalletName {
    pub(crate) fn into_core(self) -> Result<ringtrue::WalletName, ringtrue::Reason> {
        let issuer = ringtrue::IssuerName::parse(&self.issuer)?;
        Ok(ringtrue::WalletName::new(issuer, self.service))
    }
}

impl From<ringtrue::WalletName> for WalletName {
    fn from(name: ringtrue::WalletName) -> Self {
        Self {
            issuer: name.issuer().as_str().to_owned(),
            service: name.service().to_owned(),
        }
    }
}

/// How a wallet stands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WalletStatus {
    /// Which wallet.
    pub name: WalletName,
    /// How many tokens are good now.
    pub tokens: u32,
    /// When the last of them ends, in seconds since the Unix epoch.
    pub end_unix_s: Option<u64>,
}

impl From<ringtrue::WalletStatus> for WalletStatus {
    fn from(status: ringtrue::WalletStatus) -> Self {
        Self {
            name: status.name.into(),
            tokens: count(status.tokens),
            end_unix_s: status.end.map(ringtrue::UnixTime::as_secs),
        }
    }
}

/// What came of filling a wallet.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Refilled {
    /// How many tokens came.
    pub added: u32,
    /// How many are in stock now.
    pub stock: u32,
    /// What went wrong, if anything.
    pub reasons: Vec<Reason>,
}

impl From<ringtrue::Refilled> for Refilled {
    fn from(refilled: ringtrue::Refilled) -> Self {
        Self {
            added: count(refilled.added),
            stock: count(refilled.stock),
            reasons: reasons(refilled.reasons),
        }
    }
}

#[uniffi::export]
impl Endpoint {
    /// The wallets of storage tokens that calls since the start needed or will need, also empty ones.
    #[must_use]
    pub fn wallets(&self) -> Vec<WalletName> {
        let names = self.core().wallets().into_iter();
        names.map(WalletName::from).collect()
    }

    /// How a wallet of storage tokens stands.
    ///
    /// # Errors
    ///
    /// What is wrong with the name; `clock_unset`; `state_unavailable`, `record_not_opened`,
    /// `malformed_record`; `cancelled` if the endpoint was shut down.
    pub async fn wallet_status(&self, name: WalletName) -> Result<WalletStatus, RingTrueError> {
        let name = name.into_core()?;
        let core = self.core().clone();
        let status = async move { core.wallet_status(&name).await };
        Ok(self.work().run(status).await??.into())
    }

    /// Fills a wallet of storage tokens up to the stock now, within 30 s or the policy's time.
    ///
    /// The endpoint does that by itself, at a random time after a call or a prefetch, for wallets that
    /// have fewer than half left. Call it at set-up or on a schedule, never because a user is about to
    /// dial: the issuer would learn when the credential's holder telephones.
    ///
    /// # Errors
    ///
    /// What is wrong with the name; `cancelled` if the endpoint was shut down. What went wrong
    /// otherwise is among the reasons.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn refill_tokens(
        &self,
        name: WalletName,
        deadline_ms: Option<u64>,
    ) -> Result<Refilled, RingTrueError> {
        let name = name.into_core()?;
        let core = self.core().clone();
        let refilled = async move {
            core.refill_tokens(&name, deadline_ms.map(Duration::from_millis))
                .await
        };
        Ok(self.work().run(refilled).await?.into())
    }
}

#[cfg(test)]
mod tests {
    use ringtrue::{Reason as CoreReason, UnixTime};

    use super::{Refilled, WalletName, WalletStatus};

    fn name() -> WalletName {
        WalletName {
            issuer: "tokens.example".to_owned(),
            service: "cps.example".to_owned(),
        }
    }

    #[test]
    fn names_convert_both_ways_and_their_text_shows_nothing() {
        let core = name().into_core().unwrap();
        assert_eq!(WalletName::from(core), name());
        assert_eq!(
            format!("{} {:?}", name(), name()),
            "WalletName(..) WalletName(..)"
        );
    }

    #[test]
    fn an_issuer_that_is_no_authority_is_refused() {
        for issuer in ["", "https://tokens.example", "tokens.example/path"] {
            let wrong = WalletName {
                issuer: issuer.to_owned(),
                ..name()
            };
            assert!(wrong.into_core().is_err(), "{issuer}");
        }
    }

    #[test]
    fn states_and_refills_keep_everything() {
        let status = WalletStatus::from(ringtrue::WalletStatus {
            name: name().into_core().unwrap(),
            tokens: 7,
            end: Some(UnixTime::from_secs(1_800_000_000)),
        });
        let expected = WalletStatus {
            name: name(),
            tokens: 7,
            end_unix_s: Some(1_800_000_000),
        };
        assert_eq!(status, expected);
        let refilled = Refilled::from(ringtrue::Refilled {
            added: 3,
            stock: 40,
            reasons: vec![CoreReason::DeadlinePassed],
        });
        assert_eq!((refilled.added, refilled.stock), (3, 40));
        assert_eq!(refilled.reasons, [CoreReason::DeadlinePassed.into()]);
    }
}
