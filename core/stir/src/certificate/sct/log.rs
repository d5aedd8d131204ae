//! The logs that a verifier believes.

use core::fmt;

use sha2::{Digest as _, Sha256};

use super::SignedCertificateTimestamp;
use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey};
use crate::der::{self, Reader};
use crate::{Reason, UnixTime};

/// The most logs of a list; the web's own list has about 50, retired ones included.
pub const MAX_LOGS: usize = 64;

/// The longest name of an operator, in octets.
const MAX_OPERATOR_LEN: usize = 128;

/// RSA keys of logs have at least as many bits (RFC 6962 section 2.1.4).
const MIN_RSA_BITS: usize = 2048;

/// Above it, a check costs more than a phone should spend on it.
const MAX_RSA_BITS: usize = 8192;

/// rsaEncryption with its NULL, as AlgorithmIdentifier content (RFC 3279 section 2.3.1).
const RSA_ENCRYPTION: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Whether a log's timestamps count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogState {
    /// None count.
    Rejected,
    /// Those up to this second, included, count.
    Retired(UnixTime),
    /// All count.
    Usable,
}

/// A log whose timestamps may count.
#[derive(Clone, PartialEq, Eq)]
pub struct TransparencyLog {
    id: [u8; 32],
    spki: Vec<u8>,
    key: LogKey,
    operator: String,
    state: LogState,
    since: UnixTime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LogKey {
    P256(P256PublicKey),
    Rsa,
}

impl fmt::Debug for TransparencyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransparencyLog({}, {:?})", self.operator, self.state)
    }
}

impl TransparencyLog {
    /// A usable log. `spki_der` is its key as DER SubjectPublicKeyInfo: P-256, or RSA of 2048 to 8192
    /// bits. `operator` says who runs it: policies ask for different ones.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] for another key, [`Reason::ConfigurationInvalid`] for an operator of 0
    /// or more than 128 octets.
    ///
    /// Source: RFC 6962 section 2.1.4.
    pub fn new(spki_der: &[u8], operator: &str) -> Result<Self, Reason> {
        if !(1..=MAX_OPERATOR_LEN).contains(&operator.len()) {
            return Err(Reason::ConfigurationInvalid);
        }
        let key = match P256PublicKey::from_spki_der(spki_der) {
            Ok(key) => LogKey::P256(key),
            Err(_) if is_rsa(spki_der) => LogKey::Rsa,
            Err(reason) => return Err(reason),
        };
        Ok(Self {
            id: Sha256::digest(spki_der).into(),
            spki: spki_der.to_vec(),
            key,
            operator: operator.to_owned(),
            state: LogState::Usable,
            since: UnixTime::from_secs(0),
        })
    }

    /// The same log in another state.
    #[must_use]
    pub fn with_state(mut self, state: LogState) -> Self {
        self.state = state;
        self
    }

    /// The same log, timestamps before `since` not counting.
    #[must_use]
    pub fn with_since(mut self, since: UnixTime) -> Self {
        self.since = since;
        self
    }

    /// SHA-256 of the key.
    #[must_use]
    pub const fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The key, DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Who runs it.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Whether its timestamps count.
    #[must_use]
    pub const fn state(&self) -> LogState {
        self.state
    }

    /// The first second whose timestamps count.
    #[must_use]
    pub const fn since(&self) -> UnixTime {
        self.since
    }

    fn counts_at(&self, timestamp_ms: u64) -> bool {
        let second = UnixTime::from_secs(timestamp_ms / 1000);
        let ended = match self.state {
            LogState::Rejected => true,
            LogState::Retired(last) => second > last,
            LogState::Usable => false,
        };
        !ended && second >= self.since
    }

    /// Whether this log signed `signed`. `None`: the provider cannot tell.
    pub(super) fn verify(
        &self,
        provider: &dyn CryptoProvider,
        signed: &[u8],
        timestamp: &SignedCertificateTimestamp,
    ) -> Option<bool> {
        match (self.key, timestamp.algorithm()) {
            (LogKey::P256(key), SignedCertificateTimestamp::ECDSA_SHA256) => {
                let signature = Es256Signature::from_der(timestamp.signature());
                Some(signature.is_ok_and(|value| provider.verify_es256(&key, signed, &value)))
            }
            (LogKey::Rsa, SignedCertificateTimestamp::RSA_SHA256) => {
                provider.verify_rs256(&self.spki, signed, timestamp.signature())
            }
            // A log signs with the algorithm of its key.
            _ => Some(false),
        }
    }
}

/// The form and size of an RSA key. Its arithmetic is for who verifies with it.
fn is_rsa(spki: &[u8]) -> bool {
    let modulus_bits = || {
        let mut members = Reader::new(der::only(spki, der::SEQUENCE)?);
        if members.expect(der::SEQUENCE)? != RSA_ENCRYPTION {
            return None;
        }
        let bits = members.expect(der::BIT_STRING)?.strip_prefix(&[0])?;
        let mut key = Reader::new(der::only(bits, der::SEQUENCE)?);
        let modulus = key.expect(der::INTEGER)?;
        der::unsigned(key.expect(der::INTEGER)?)?;
        if !members.is_empty() || !key.is_empty() {
            return None;
        }
        // Not negative and minimal: a leading zero octet only before a set bit.
        let modulus = match modulus {
            [0, digits @ ..] if digits.first().is_some_and(|first| *first >= 0x80) => digits,
            [1..=0x7f, ..] => modulus,
            _ => return None,
        };
        let unset = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        modulus.len().checked_mul(8)?.checked_sub(unset)
    };
    modulus_bits().is_some_and(|bits| (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits))
}

/// The configured logs. Loaded when a verifier starts and replaced when its trust data are; never
/// during a call (SCT-23).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogList {
    logs: Vec<TransparencyLog>,
}

impl LogList {
    /// Makes a list. An empty one believes no timestamp.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for more than [`MAX_LOGS`] or one key twice.
    pub fn new(logs: Vec<TransparencyLog>) -> Result<Self, Reason> {
        let mut ids: Vec<_> = logs.iter().map(|log| log.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if logs.len() > MAX_LOGS || ids.len() != logs.len() {
            return Err(Reason::ConfigurationInvalid);
        }
        Ok(Self { logs })
    }

    /// The logs.
    #[must_use]
    pub fn logs(&self) -> &[TransparencyLog] {
        &self.logs
    }

    /// The log of a timestamp, if it counts at that time.
    pub(super) fn usable(
        &self,
        timestamp: &SignedCertificateTimestamp,
    ) -> Option<&TransparencyLog> {
        self.logs
            .iter()
            .find(|log| log.id == *timestamp.log_id() && log.counts_at(timestamp.timestamp_ms()))
    }
}
