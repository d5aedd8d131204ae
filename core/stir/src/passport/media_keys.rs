//! The claim `mky`: fingerprints of the keys that protect the media.

use core::fmt;

use serde_json::{Value, json};

use crate::Reason;
use crate::json::MAX_ARRAY_LEN;

/// The longest digest of an algorithm that is not known here: room for twice SHA-512.
const MAX_UNKNOWN_LEN: usize = 128;

/// The longest name of an algorithm.
const MAX_ALGORITHM_LEN: usize = 32;

/// The hash functions of the SDP registry with the octets of their digests. Others are kept as they are.
const KNOWN: [(&str, usize); 7] = [
    ("md2", 16),
    ("md5", 16),
    ("sha-1", 20),
    ("sha-224", 28),
    ("sha-256", 32),
    ("sha-384", 48),
    ("sha-512", 64),
];

/// A key's fingerprint: the name of a hash function, in lower case, and the digest's octets.
///
/// Two are equal when these are, however they were written (PPT-34).
///
/// Source: RFC 8122 section 5; RFC 8225 section 5.2.2.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    algorithm: String,
    digest: Vec<u8>,
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

impl Fingerprint {
    /// Makes one from its parts.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedMky`] for a name that is no token, or a length that is not the algorithm's.
    pub fn new(algorithm: &str, digest: &[u8]) -> Result<Self, Reason> {
        let algorithm = algorithm.to_ascii_lowercase();
        let is_name = (1..=MAX_ALGORITHM_LEN).contains(&algorithm.len())
            && algorithm
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'+'));
        let known = KNOWN.iter().find(|(name, _)| *name == algorithm);
        let has_length = match known {
            Some((_, len)) => digest.len() == *len,
            None => (1..=MAX_UNKNOWN_LEN).contains(&digest.len()),
        };
        if is_name && has_length {
            Ok(Self {
                algorithm,
                digest: digest.to_vec(),
            })
        } else {
            Err(Reason::MalformedMky)
        }
    }

    /// Reads an SDP attribute: `a=fingerprint:sha-256 4A:AD:…`, or what stands behind the colon.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedMky`] for any other form.
    ///
    /// Source: RFC 8122 section 5.
    pub fn from_sdp(line: &str) -> Result<Self, Reason> {
        let value = line.strip_prefix("a=fingerprint:").unwrap_or(line).trim();
        let (algorithm, digest) = value.split_once(' ').ok_or(Reason::MalformedMky)?;
        // As every octet has two digits, a colon less or more cannot go unnoticed.
        let octets: Option<Vec<u8>> = digest
            .split(':')
            .take(MAX_UNKNOWN_LEN.saturating_add(1))
            .map(|pair| octets_of(pair).filter(|octets| octets.len() == 1))
            .map(|octets| octets.and_then(|octets| octets.first().copied()))
            .collect();
        Self::new(algorithm, &octets.ok_or(Reason::MalformedMky)?)
    }

    /// The hash function's name, lower case.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The digest as it stands in the claim: hexadecimal digits, upper case, no colons.
    fn dig(&self) -> String {
        self.digest
            .iter()
            .map(|octet| format!("{octet:02X}"))
            .collect()
    }

    /// What the elements are sorted by: the octets of `alg` followed by those of `dig`.
    fn sort_key(&self) -> String {
        format!("{}{}", self.algorithm, self.dig())
    }
}

/// The fingerprints of all keys of a session, distinct and in order. [`fmt::Debug`] hides them.
///
/// Source: RFC 8225 section 5.2.2; RFC 8224 section 4.1 (PPT-30, PPT-31).
#[derive(Clone, PartialEq, Eq)]
pub struct Mky(Vec<Fingerprint>);

impl fmt::Debug for Mky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mky(..)")
    }
}

impl Mky {
    /// Sorts them and drops repeats.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedMky`] for none, or more than 64.
    pub fn new(mut fingerprints: Vec<Fingerprint>) -> Result<Self, Reason> {
        fingerprints.sort_by_cached_key(Fingerprint::sort_key);
        fingerprints.dedup();
        if (1..=MAX_ARRAY_LEN).contains(&fingerprints.len()) {
            Ok(Self(fingerprints))
        } else {
            Err(Reason::MalformedMky)
        }
    }

    /// Collects every `a=fingerprint:` line of a session description, of the session and of each media
    /// alike; `None` if it has none. Any use of fingerprints counts, not only DTLS-SRTP.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedMky`] for a line in another form, or more than 64 of them.
    ///
    /// Source: RFC 8224 section 4.1 with erratum 5390 (PPT-30).
    pub fn from_sdp(sdp: &str) -> Result<Option<Self>, Reason> {
        let fingerprints = sdp
            .split(['\r', '\n'])
            .filter(|line| line.starts_with("a=fingerprint:"))
            .take(MAX_ARRAY_LEN.saturating_add(1))
            .map(Fingerprint::from_sdp)
            .collect::<Result<Vec<_>, _>>()?;
        match fingerprints.len() {
            0 => Ok(None),
            1..=MAX_ARRAY_LEN => Self::new(fingerprints).map(Some),
            _ => Err(Reason::MalformedMky),
        }
    }

    /// The fingerprints, in order.
    #[must_use]
    pub fn fingerprints(&self) -> &[Fingerprint] {
        &self.0
    }

    /// Whether these are exactly the keys of the session: one that is missing in either place breaks
    /// the binding of the media, though not the check of the number (PPT-34).
    #[must_use]
    pub fn matches(&self, session: &[Fingerprint]) -> bool {
        self.0.iter().all(|own| session.contains(own))
            && session.iter().all(|other| self.0.contains(other))
    }

    pub(super) fn from_claim(claim: &Value) -> Result<Self, Reason> {
        let elements = claim
            .as_array()
            .filter(|elements| !elements.is_empty())
            .ok_or(Reason::MalformedMky)?;
        let mut last = String::new();
        let mut fingerprints = Vec::with_capacity(elements.len());
        for element in elements {
            let members = element
                .as_object()
                .filter(|members| members.len() == 2)
                .ok_or(Reason::MalformedMky)?;
            let text = |name| members.get(name).and_then(Value::as_str);
            let (Some(alg), Some(dig)) = (text("alg"), text("dig")) else {
                return Err(Reason::MalformedMky);
            };
            // Strictly ascending: sorted and distinct.
            let key = format!("{alg}{dig}");
            if key <= last {
                return Err(Reason::MalformedMky);
            }
            last = key;
            let octets = octets_of(dig).ok_or(Reason::MalformedMky)?;
            fingerprints.push(Fingerprint::new(alg, &octets)?);
        }
        Ok(Self(fingerprints))
    }

    pub(super) fn to_claim(&self) -> Value {
        self.0
            .iter()
            .map(|own| json!({"alg": own.algorithm, "dig": own.dig()}))
            .collect()
    }
}

fn octets_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            core::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}
