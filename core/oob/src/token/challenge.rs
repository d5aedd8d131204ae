//! What a token is for: which issuer's, and for which service.

use core::fmt;

use ringtrue_stir::Reason;
use sha2::{Digest as _, Sha256};

use super::{IssuerName, TOKEN_TYPE_OCTETS};

/// The longest authority of a service; see [`IssuerName`].
const MAX_ORIGIN_LEN: usize = 261;

/// A token challenge of this profile: type 0x0002, no redemption context, one origin.
///
/// Everybody who stores at one service with tokens of one issuer has the same challenge, so it marks
/// nobody.
///
/// Source: RFC 9577 section 2.1.1; docs/protocol.md section 19.1.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenChallenge {
    issuer: IssuerName,
    origin: String,
}

impl fmt::Debug for TokenChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenChallenge({}, {})", self.issuer, self.origin)
    }
}

impl TokenChallenge {
    /// The challenge for tokens of `issuer` that are redeemed at the service with this authority (W-29).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] if the authority is empty, over 261 characters or not visible ASCII.
    pub fn new(issuer: &IssuerName, authority: &str) -> Result<Self, Reason> {
        let well_formed = (1..=MAX_ORIGIN_LEN).contains(&authority.len())
            && authority
                .bytes()
                .all(|b| b.is_ascii_graphic() && b != b',' && !b.is_ascii_uppercase());
        if !well_formed {
            return Err(Reason::MalformedUrl);
        }
        Ok(Self {
            issuer: issuer.clone(),
            origin: authority.to_owned(),
        })
    }

    /// The issuer whose tokens are asked for.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerName {
        &self.issuer
    }

    /// The authority of the service where they are redeemed.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The octets that are hashed and shown.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = TOKEN_TYPE_OCTETS.to_vec();
        push_short(&mut octets, self.issuer.as_str());
        octets.push(0);
        push_short(&mut octets, &self.origin);
        octets
    }

    /// Reads a challenge.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedStorageToken`] for another type, a redemption context, none or several
    /// origins, an issuer that is no authority, or a wrong length.
    pub fn decode(octets: &[u8]) -> Result<Self, Reason> {
        Self::read(octets).ok_or(Reason::MalformedStorageToken)
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let rest = octets.strip_prefix(&TOKEN_TYPE_OCTETS)?;
        let (issuer, rest) = take_short(rest)?;
        let rest = rest.strip_prefix(&[0])?;
        let (origin, rest) = take_short(rest)?;
        if !rest.is_empty() {
            return None;
        }
        Self::new(&IssuerName::parse(issuer).ok()?, origin).ok()
    }

    /// SHA-256 of [`TokenChallenge::encode`]: what a token holds.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}

/// Appends a text with its length in two octets. Texts here are bounded far below 65536.
fn push_short(octets: &mut Vec<u8>, text: &str) {
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    octets.extend_from_slice(&len.to_be_bytes());
    octets.extend_from_slice(text.as_bytes());
}

/// Splits off a text with its length in two octets.
fn take_short(octets: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = octets.split_first_chunk::<2>()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    Some((core::str::from_utf8(text).ok()?, rest))
}
