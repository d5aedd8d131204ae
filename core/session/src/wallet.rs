//! Storage tokens in stock: one state record for each issuer and service (W-33).
//!
//! Whoever takes a token removes it durably first: a process that dies has lost a token, never spent one
//! twice. Of several processes that take at once, each gets tokens of its own.

use core::fmt;

use ringtrue_oob::token::{IssuerName, OneTimeKey, Token};
use ringtrue_stir::crypto::{CryptoProvider, SecretKey};
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::RecordName;

/// The most tokens of one wallet: a full stock, and what another process added at the same time.
pub(crate) const MAX_TOKENS: usize = 200;

/// Octets of the largest record: a token has some 570.
const MAX_RECORD_OCTETS: usize = 131_072;

/// A token that ends within this many seconds is not worth a round trip.
const MARGIN: u64 = 30;

/// Names a wallet: tokens of this issuer, good at the service with this authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WalletName {
    issuer: IssuerName,
    service: String,
}

impl WalletName {
    /// Names the wallet for `service`, the authority of a placement service (W-29).
    #[must_use]
    pub fn new(issuer: IssuerName, service: impl Into<String>) -> Self {
        Self {
            issuer,
            service: service.into(),
        }
    }

    /// Whose tokens.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerName {
        &self.issuer
    }

    /// The authority of the service where they are good.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The state record.
    #[must_use]
    pub fn record(&self) -> RecordName {
        RecordName::wallet(self.issuer.as_str(), &self.service)
    }
}

/// A token with the secret that makes it worth something.
pub(crate) struct HeldToken {
    pub(crate) token: Token,
    pub(crate) one_time_key: OneTimeKey,
    /// When the issuer's key ends.
    pub(crate) end: UnixTime,
}

/// What is in stock, as it is stored.
#[derive(Default)]
pub(crate) struct Wallet {
    entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    token: Zeroizing<String>,
    key: Zeroizing<String>,
    end: u64,
}

#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    tokens: Vec<Entry>,
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({} tokens)", self.entries.len())
    }
}

impl Wallet {
    /// Reads the record; none is an empty wallet.
    pub(crate) fn from_record(octets: Option<&[u8]>) -> Result<Self, Reason> {
        let Some(octets) = octets else {
            return Ok(Self::default());
        };
        if octets.len() > MAX_RECORD_OCTETS {
            return Err(Reason::MalformedRecord);
        }
        let record: Record = serde_json::from_slice(octets).map_err(|_| Reason::MalformedRecord)?;
        if record.v != 1 || record.tokens.len() > MAX_TOKENS {
            return Err(Reason::MalformedRecord);
        }
        Ok(Self {
            entries: record.tokens,
        })
    }

    /// The record. Overwritten on drop, as it holds secrets.
    pub(crate) fn into_record(self) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let record = Record {
            v: 1,
            tokens: self.entries,
        };
        // One allocation of the final size, so that growing leaves no copies of secrets behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(MAX_RECORD_OCTETS));
        serde_json::to_writer(&mut *octets, &record).map_err(|_| Reason::Internal)?;
        Ok(octets)
    }

    /// How many tokens are good at `now`.
    pub(crate) fn len(&self, now: UnixTime) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.is_good(now))
            .count()
    }

    /// When the last of them ends.
    pub(crate) fn end(&self, now: UnixTime) -> Option<UnixTime> {
        let good = self.entries.iter().filter(|entry| entry.is_good(now));
        good.map(|entry| UnixTime::from_secs(entry.end)).max()
    }

    pub(crate) fn forget_expired(&mut self, now: UnixTime) {
        self.entries.retain(|entry| entry.end > now.as_secs());
    }

    pub(crate) fn add(&mut self, held: &HeldToken) {
        if self.entries.len() < MAX_TOKENS {
            self.entries.push(Entry {
                token: Zeroizing::new(base64url::encode(&held.token.to_octets())),
                key: Zeroizing::new(base64url::encode(held.one_time_key.secret().expose())),
                end: held.end.as_secs(),
            });
        }
    }

    /// Removes up to `count` tokens that are good at `now` and whose key ends after `after`: those that
    /// end first, otherwise at random, so that the order of issuance does not show (threat T10).
    pub(crate) fn take(
        &mut self,
        provider: &dyn CryptoProvider,
        count: usize,
        now: UnixTime,
        after: UnixTime,
    ) -> Vec<HeldToken> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let usable = |entry: &&Entry| entry.is_good(now) && entry.end > after.as_secs();
            let Some(first_end) = self
                .entries
                .iter()
                .filter(usable)
                .map(|entry| entry.end)
                .min()
            else {
                break;
            };
            let positions: Vec<usize> = (0..)
                .zip(&self.entries)
                .filter(|(_, entry)| entry.end == first_end)
                .map(|(position, _)| position)
                .collect();
            let mut octets = [0; 4];
            // Without randomness the order is that of issuance; the token is good all the same.
            let _ = provider.fill_random(&mut octets);
            let draw = usize::try_from(u32::from_le_bytes(octets)).unwrap_or_default();
            let chosen = draw.checked_rem(positions.len()).unwrap_or_default();
            let Some(position) = positions.get(chosen) else {
                break;
            };
            let entry = self.entries.swap_remove(*position);
            // What cannot be read was not written here; it is gone with the next save.
            taken.extend(entry.read(provider));
        }
        taken
    }
}

impl Entry {
    fn is_good(&self, now: UnixTime) -> bool {
        self.end > now.as_secs().saturating_add(MARGIN)
    }

    fn read(&self, provider: &dyn CryptoProvider) -> Option<HeldToken> {
        let token = Token::from_octets(&base64url::decode(&self.token).ok()?).ok()?;
        let secret = Zeroizing::new(base64url::decode(&self.key).ok()?);
        let secret = SecretKey::from_slice(&secret).ok()?;
        let one_time_key = OneTimeKey::from_secret(provider, secret).ok()?;
        token
            .is_bound_to(one_time_key.public())
            .then_some(HeldToken {
                token,
                one_time_key,
                end: UnixTime::from_secs(self.end),
            })
    }
}

/// How a wallet stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletStatus {
    /// Which wallet.
    pub name: WalletName,
    /// How many tokens are good now.
    pub tokens: usize,
    /// When the last of them ends, Unix seconds.
    pub end: Option<UnixTime>,
}

impl WalletStatus {
    /// Reads a wallet's state record, as the host's store holds it.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedRecord`].
    pub fn from_record(
        name: &WalletName,
        octets: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<Self, Reason> {
        let wallet = Wallet::from_record(octets)?;
        Ok(Self {
            name: name.clone(),
            tokens: wallet.len(now),
            end: wallet.end(now),
        })
    }
}
