//! What a token says, whether it is right or not.

use ringtrue::UnixTime;
use ringtrue_stir::base64url;
use serde_json::{Map, Value};

use super::explain::Explanation;
use crate::date;

/// Header and payload as JSON. Nothing of it is checked.
pub(crate) struct TokenText {
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
    /// `None` if it is not base64url.
    pub(crate) signature_octets: Option<usize>,
}

impl TokenText {
    /// Takes a token of at most `max_len` characters apart. `None`: there is nothing to be shown.
    pub(crate) fn read(token: &str, max_len: usize) -> Option<Self> {
        if token.len() > max_len {
            return None;
        }
        let mut parts = token.split('.');
        let mut object = || {
            // Padding is refused elsewhere; here it only hides what was meant.
            let part = parts.next()?.trim_end_matches('=');
            let octets = base64url::decode(part).ok()?;
            serde_json::from_slice(&octets).ok()
        };
        let (header, payload) = (object()?, object()?);
        let signature = parts.next().and_then(|part| base64url::decode(part).ok());
        Some(Self {
            header,
            payload,
            signature_octets: signature.map(|octets| octets.len()),
        })
    }

    /// The type, if it is a text.
    pub(crate) fn ppt(&self) -> Option<String> {
        self.header.get("ppt")?.as_str().map(str::to_owned)
    }

    /// The payload; rich call data only if it holds.
    pub(crate) fn claims(&self, with_rcd: bool) -> Map<String, Value> {
        let mut claims = self.payload.clone();
        if !with_rcd {
            claims.remove("rcd");
            claims.remove("rcdi");
        }
        claims
    }

    /// Shows both parts, a line for each member.
    pub(crate) fn explain(&self, explanation: &mut Explanation) {
        for (title, members) in [("header", &self.header), ("payload", &self.payload)] {
            explanation.heading(title);
            for (name, value) in members {
                explanation.field(name, &shown(name, value));
            }
        }
    }
}

/// A member's value; of a time also the date.
fn shown(name: &str, value: &Value) -> String {
    match (name, value.as_u64()) {
        ("iat" | "exp", Some(seconds)) => {
            format!("{seconds}, {}", date::text(UnixTime::from_secs(seconds)))
        }
        _ => value.to_string(),
    }
}
