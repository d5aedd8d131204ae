//! What is sealed in a blob: PASSporTs with their certificates, or a control message about a call.
//!
//! Not here: whether anything in it is true. The PASSporTs are texts until the receiver verifies them.

use core::fmt;

use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, base64url, json};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{SizeClass, StatementDigest, Suite};

/// PASSporTs in one content; more are never needed for one call (docs/protocol.md section 6.5).
pub const MAX_PPTS: usize = 8;

/// Certificates in one content (W-1).
pub const MAX_CERTIFICATES: usize = 8;

/// The longest content of any blob: S2 in class two.
const MAX_LEN: usize = Suite::S2.max_content_len_in(SizeClass::Two);

/// Times in milliseconds stay exact in every JSON reader up to here (2^53).
const MAX_TIME_MS: u64 = 1 << 53;

/// The random value that ties everything about one call attempt together: member `n`.
///
/// Whoever knows it is the caller or holds a key that the call was sealed to, so it is kept secret:
/// compared in constant time, never printed (PRV-51).
#[derive(Clone, Copy)]
pub struct CallNonce([u8; 16]);

impl CallNonce {
    /// Draws a fresh one.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the generator fails.
    pub fn generate(provider: &dyn CryptoProvider) -> Result<Self, Reason> {
        let mut octets = [0; 16];
        provider.fill_random(&mut octets)?;
        Ok(Self(octets))
    }

    /// Takes 16 octets.
    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The 16 octets.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 16] {
        &self.0
    }
}

impl PartialEq for CallNonce {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CallNonce {}

impl fmt::Debug for CallNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallNonce(..)")
    }
}

/// How far a call has come, as the sender of the content sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallPhase {
    /// The called telephone rings.
    Alerting,
    /// The call was answered.
    Answered,
    /// The caller gave up before an answer (W-8).
    Gone,
}

impl CallPhase {
    const ALL: [Self; 3] = [Self::Alerting, Self::Answered, Self::Gone];

    /// The word that stands for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alerting => "alerting",
            Self::Answered => "answered",
            Self::Gone => "gone",
        }
    }
}

/// A call-state report: member `st`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallState {
    /// The state.
    pub s: CallPhase,
    /// Since when, in milliseconds since the Unix epoch, by the clock of the service at which the call
    /// was announced.
    pub t_ms: u64,
    /// By how much `t_ms` may be off that service's clock, in milliseconds, as far as the sender could
    /// see; `None` if the sender does not say.
    pub u_ms: Option<u64>,
}

/// The caller asks for connected identity: member `rsp`.
///
/// Everything in it is the caller's word. W-5 says what must hold before anything is sent to `to`.
#[derive(Clone, PartialEq, Eq)]
pub struct RspRequest {
    /// The base URL where the caller awaits the answer, as the caller wrote it.
    pub to: String,
    /// Whether an answer is wanted.
    pub want: bool,
    /// The caller's own key statement.
    pub eks: String,
}

/// The content object of a blob.
///
/// [`fmt::Debug`] shows counts only.
///
/// Source: docs/protocol.md section 6.5 (W-1, W-8, W-10).
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// Full-form PASSporTs, at most 8; none only in a control message, one with `st`.
    pub ppts: Vec<String>,
    /// Certificates for all tokens of this content, standard base64 of DER, at most 8; no root.
    pub x5c: Vec<String>,
    /// The authority of the service that the sender stored at.
    pub cps: Option<String>,
    /// The digest of the key statement that this copy was sealed by.
    pub ksd: Option<StatementDigest>,
    /// The call attempt.
    pub n: CallNonce,
    /// The request for connected identity.
    pub rsp: Option<RspRequest>,
    /// The call's state.
    pub st: Option<CallState>,
}

impl Content {
    /// Content about the call attempt `n`, with nothing else in it yet.
    #[must_use]
    pub const fn new(n: CallNonce) -> Self {
        Self {
            ppts: Vec::new(),
            x5c: Vec::new(),
            cps: None,
            ksd: None,
            n,
            rsp: None,
            st: None,
        }
    }

    /// Reads opened content. Unknown members are ignored.
    ///
    /// # Errors
    ///
    /// - [`Reason::MalformedContent`]: not JSON, `v` is not 1, a member is missing or of the wrong form.
    /// - [`Reason::DuplicateMember`], [`Reason::TooDeep`], [`Reason::TooLong`] as [`json::parse`].
    pub fn parse(octets: &[u8]) -> Result<Self, Reason> {
        let value = json::parse(octets, MAX_LEN).map_err(|reason| match reason {
            Reason::MalformedJson => Reason::MalformedContent,
            other => other,
        })?;
        let members = value.as_object().ok_or(Reason::MalformedContent)?;
        if members.get("v").and_then(Value::as_u64) != Some(1) {
            return Err(Reason::MalformedContent);
        }
        let st = members.get("st").map(call_state).transpose()?;
        let ppts = texts(members, "ppts", MAX_PPTS)?;
        if ppts.is_none() && st.is_none() {
            return Err(Reason::MalformedContent);
        }
        let n = base64url_array(members.get("n").ok_or(Reason::MalformedContent)?)?;
        Ok(Self {
            ppts: ppts.unwrap_or_default(),
            x5c: texts(members, "x5c", MAX_CERTIFICATES)?.unwrap_or_default(),
            cps: members.get("cps").map(text).transpose()?,
            ksd: members
                .get("ksd")
                .map(|value| base64url_array(value).map(StatementDigest::from_octets))
                .transpose()?,
            n: CallNonce(n),
            rsp: members.get("rsp").map(rsp_request).transpose()?,
            st,
        })
    }

    /// Writes the content: no white space, members in the order `v ppts x5c cps ksd n rsp st`, those
    /// that are empty left out.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedContent`] for what [`Content::parse`] would refuse.
    pub fn to_octets(&self) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let countable = self.ppts.len() <= MAX_PPTS
            && self.x5c.len() <= MAX_CERTIFICATES
            && (!self.ppts.is_empty() || self.st.is_some());
        let texts_present = self.ppts.iter().chain(&self.x5c).chain(&self.cps);
        let timely = self
            .st
            .is_none_or(|st| st.t_ms <= MAX_TIME_MS && st.u_ms.unwrap_or_default() <= MAX_TIME_MS);
        if !countable || !timely || texts_present.into_iter().any(String::is_empty) {
            return Err(Reason::MalformedContent);
        }
        // Room for everything from the beginning, so that no copy is left behind while it grows.
        let mut members = Members(String::with_capacity(MAX_LEN));
        members.push("v", "1");
        if !self.ppts.is_empty() {
            members.push_texts("ppts", &self.ppts);
        }
        if !self.x5c.is_empty() {
            members.push_texts("x5c", &self.x5c);
        }
        if let Some(cps) = &self.cps {
            members.push_text("cps", cps);
        }
        if let Some(ksd) = &self.ksd {
            members.push_text("ksd", &base64url::encode(ksd.as_octets()));
        }
        members.push_text("n", &base64url::encode(self.n.as_octets()));
        if let Some(rsp) = &self.rsp {
            let mut inner = Members::new();
            inner.push_text("to", &rsp.to);
            inner.push("want", if rsp.want { "true" } else { "false" });
            inner.push_text("eks", &rsp.eks);
            members.push("rsp", &inner.finish());
        }
        if let Some(st) = &self.st {
            let mut inner = Members::new();
            inner.push_text("s", st.s.name());
            inner.push("t", &st.t_ms.to_string());
            if let Some(u_ms) = st.u_ms {
                inner.push("u", &u_ms.to_string());
            }
            members.push("st", &inner.finish());
        }
        Ok(Zeroizing::new(members.finish().into_bytes()))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("ppts", &self.ppts.len())
            .field("x5c", &self.x5c.len())
            .field("rsp", &self.rsp.is_some())
            .field("st", &self.st)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RspRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RspRequest(..)")
    }
}

fn text(value: &Value) -> Result<String, Reason> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Reason::MalformedContent),
    }
}

/// An array of 1 to `max` texts, or nothing.
fn texts(
    members: &Map<String, Value>,
    name: &str,
    max: usize,
) -> Result<Option<Vec<String>>, Reason> {
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    match value.as_array() {
        Some(elements) if (1..=max).contains(&elements.len()) => elements
            .iter()
            .map(text)
            .collect::<Result<_, _>>()
            .map(Some),
        _ => Err(Reason::MalformedContent),
    }
}

fn base64url_array<const LEN: usize>(value: &Value) -> Result<[u8; LEN], Reason> {
    let text = value.as_str().ok_or(Reason::MalformedContent)?;
    base64url::decode(text)
        .ok()
        .and_then(|octets| octets.try_into().ok())
        .ok_or(Reason::MalformedContent)
}

fn rsp_request(value: &Value) -> Result<RspRequest, Reason> {
    let member = |name: &str| value.get(name).ok_or(Reason::MalformedContent);
    Ok(RspRequest {
        to: text(member("to")?)?,
        want: member("want")?.as_bool().ok_or(Reason::MalformedContent)?,
        eks: text(member("eks")?)?,
    })
}

fn call_state(value: &Value) -> Result<CallState, Reason> {
    let name = value.get("s").and_then(Value::as_str);
    let s = CallPhase::ALL
        .into_iter()
        .find(|phase| Some(phase.name()) == name)
        .ok_or(Reason::MalformedContent)?;
    let time = |value: &Value| {
        value
            .as_u64()
            .filter(|t| *t <= MAX_TIME_MS)
            .ok_or(Reason::MalformedContent)
    };
    Ok(CallState {
        s,
        t_ms: time(value.get("t").ok_or(Reason::MalformedContent)?)?,
        u_ms: value.get("u").map(time).transpose()?,
    })
}

/// A JSON object written member by member, in the order of the calls.
struct Members(String);

impl Members {
    fn new() -> Self {
        Self(String::new())
    }

    /// Adds a member whose value is JSON already. Names are ours and need no escapes.
    fn push(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(value);
    }

    fn push_text(&mut self, name: &str, text: &str) {
        self.push(name, &json::canonical(&Value::from(text)));
    }

    fn push_texts(&mut self, name: &str, texts: &[String]) {
        self.push(name, &json::canonical(&Value::from(texts)));
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests;
