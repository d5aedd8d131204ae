//! The claim `rph`: resource priorities that the signer is entitled to.
//!
//! They are read, never acted upon: granting priority is the network's business (PPT-93).

use core::fmt;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::Reason;

/// The longest name or value: namespaces and priorities are a few characters long.
const MAX_VALUE_LEN: usize = 64;

/// Resource-Priority values by what they are for (`auth`, `ESorig`). [`fmt::Debug`] hides them.
///
/// Source: RFC 8443 section 3; RFC 9027 section 3; RFC 4412 section 3.1 (PPT-90, PPT-91).
#[derive(Clone, PartialEq, Eq)]
pub struct ResourcePriorities(BTreeMap<String, Vec<String>>);

impl fmt::Debug for ResourcePriorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResourcePriorities(..)")
    }
}

impl ResourcePriorities {
    /// One kind of them: `new("auth", &["ets.0", "wps.0"])`.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedRph`] without a value, or for one that is not `namespace.priority`.
    pub fn new(kind: &str, values: &[&str]) -> Result<Self, Reason> {
        Self::default_empty().and(kind, values)
    }

    const fn default_empty() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds another kind, or replaces the one of this name.
    ///
    /// # Errors
    ///
    /// As [`ResourcePriorities::new`].
    pub fn and(mut self, kind: &str, values: &[&str]) -> Result<Self, Reason> {
        let good =
            is_name(kind) && !values.is_empty() && values.iter().all(|value| is_value(value));
        if !good {
            return Err(Reason::MalformedRph);
        }
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.0.insert(kind.to_owned(), values);
        Ok(self)
    }

    /// Every kind with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(kind, values)| (kind.as_str(), values.as_slice()))
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(String::as_str)
    }

    /// Whether a value is of this namespace. Names are compared without regard to case.
    #[must_use]
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.values().any(|value| {
            value
                .split_once('.')
                .is_some_and(|(own, _)| own.eq_ignore_ascii_case(namespace))
        })
    }

    /// Requires every value of the Resource-Priority header to be one of these.
    ///
    /// # Errors
    ///
    /// [`Reason::PriorityMismatch`] otherwise.
    ///
    /// Source: RFC 8443 section 4.
    pub fn require(&self, signalled: &[&str]) -> Result<(), Reason> {
        let all = signalled
            .iter()
            .all(|value| self.values().any(|own| own.eq_ignore_ascii_case(value)));
        if all {
            Ok(())
        } else {
            Err(Reason::PriorityMismatch)
        }
    }

    pub(super) fn from_claim(claim: &Value) -> Result<Self, Reason> {
        let members = claim
            .as_object()
            .filter(|members| !members.is_empty())
            .ok_or(Reason::MalformedRph)?;
        members
            .iter()
            .try_fold(Self::default_empty(), |all, (kind, values)| {
                let values: Option<Vec<_>> = values
                    .as_array()
                    .and_then(|values| values.iter().map(Value::as_str).collect());
                all.and(kind, &values.ok_or(Reason::MalformedRph)?)
            })
    }

    pub(super) fn to_claim(&self) -> Value {
        let members = self.0.iter().map(|(kind, values)| {
            let values = values.iter().map(String::as_str).map(Value::from);
            (kind.clone(), values.collect())
        });
        Value::Object(members.collect())
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_VALUE_LEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// `namespace.priority`, each out of the `token-nodot` characters of RFC 4412 section 3.1.
fn is_value(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| {
                b.is_ascii_alphanumeric()
                    || matches!(
                        b,
                        b'-' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
                    )
            })
    };
    text.len() <= MAX_VALUE_LEN
        && text
            .split_once('.')
            .is_some_and(|(namespace, priority)| is_part(namespace) && is_part(priority))
}
