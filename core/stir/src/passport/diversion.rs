//! The claim `div`: from whom a call was diverted.

use core::fmt;

use serde_json::Value;

use super::Identity;
use crate::Reason;

/// The longest History-Info index that is read: more levels than any retargeting limit allows.
const MAX_HISTORY_INDEX_LEN: usize = 64;

/// From whom a call was diverted. [`fmt::Debug`] hides whom.
///
/// Source: RFC 8946 sections 3 and 8 (PPT-50, PPT-62).
#[derive(Clone, PartialEq, Eq)]
pub struct Diversion {
    identity: Identity,
    history_index: Option<String>,
}

impl fmt::Debug for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Diversion(..)")
    }
}

impl Diversion {
    /// A diversion from `identity`.
    #[must_use]
    pub const fn of(identity: Identity) -> Self {
        Self {
            identity,
            history_index: None,
        }
    }

    /// Adds the index of the History-Info entry, `1` or `1.2.1` (PPT-62).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedDiv`] for anything but at most 64 characters of numbers joined by dots.
    ///
    /// Source: RFC 8946 section 8; RFC 7044 section 10.3.
    pub fn with_history_index(mut self, index: &str) -> Result<Self, Reason> {
        self.history_index = Some(checked_index(index)?);
        Ok(self)
    }

    /// Who diverted the call.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// `hi`: the index of the History-Info entry.
    #[must_use]
    pub fn history_index(&self) -> Option<&str> {
        self.history_index.as_deref()
    }

    pub(super) fn from_claim(claim: &Value) -> Result<Self, Reason> {
        let members = claim.as_object().ok_or(Reason::MalformedDiv)?;
        let mut identity = None;
        let mut history_index = None;
        for (name, value) in members {
            let text = value.as_str().ok_or(Reason::MalformedDiv)?;
            if name == "hi" {
                history_index = Some(checked_index(text)?);
            } else if identity.is_some() {
                return Err(Reason::MalformedDiv);
            } else {
                identity = Some(Identity::from_member(name, text, Reason::MalformedDiv)?);
            }
        }
        Ok(Self {
            identity: identity.ok_or(Reason::MalformedDiv)?,
            history_index,
        })
    }

    pub(super) fn to_claim(&self) -> Value {
        let mut claim = self.identity.to_claim();
        if let (Value::Object(members), Some(index)) = (&mut claim, &self.history_index) {
            members.insert("hi".to_owned(), Value::from(index.as_str()));
        }
        claim
    }
}

fn checked_index(text: &str) -> Result<String, Reason> {
    let well_formed = text.len() <= MAX_HISTORY_INDEX_LEN
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Reason::MalformedDiv)
    }
}
