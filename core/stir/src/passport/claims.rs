//! The claims of a PASSporT in checked form.

use core::fmt;

use serde_json::Value;

use super::defects::Defects;
use super::{
    Destinations, Diversion, Identity, Mky, Passport, PassportType, ResourcePriorities, read,
};
use crate::integrity::IntegrityDigest;
use crate::{Reason, UnixTime};

/// The most digits of an `iat` that is text: those of the largest 64-bit number.
const MAX_IAT_DIGITS: usize = 20;

/// How sure a provider is of a caller. For display and statistics, never a verdict (PPT-45).
///
/// Source: RFC 8588 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attestation {
    /// `A`: knows the customer and its right to the number.
    Full,
    /// `B`: knows the customer, not its right to the number.
    Partial,
    /// `C`: knows only where the call came in.
    Gateway,
}

impl Attestation {
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "A" => Some(Self::Full),
            "B" => Some(Self::Partial),
            "C" => Some(Self::Gateway),
            _ => None,
        }
    }

    /// The claim's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "A",
            Self::Partial => "B",
            Self::Gateway => "C",
        }
    }
}

/// The claims of a PASSporT, in checked form. [`fmt::Debug`] prints none of them.
///
/// A typed accessor gives `None` for a claim that its type does not define, whatever the token says;
/// [`Claims::get`] gives any claim as it stands.
///
/// Source: RFC 8225 section 5; RFC 8443 section 3; RFC 8588 sections 4 and 5; RFC 8946 sections 3 to 5;
/// RFC 9027 section 4; RFC 9475 section 3.2.
#[derive(Clone)]
pub struct Claims {
    iat: UnixTime,
    orig: Identity,
    dest: Destinations,
    details: Details,
    payload: Value,
}

/// What belongs to some types only.
#[derive(Clone, Default)]
struct Details {
    attest: Option<Attestation>,
    div: Option<Diversion>,
    mky: Option<Mky>,
    msgi: Option<IntegrityDigest>,
    opt: Option<Passport>,
    rph: Option<ResourcePriorities>,
    is_callback: bool,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

impl Claims {
    /// Reads the payload of a token that is nested `level` deep and reports every defect.
    pub(super) fn read(
        kind: PassportType,
        payload: Value,
        level: usize,
        defects: &mut Defects,
    ) -> Option<Self> {
        if !payload.is_object() {
            defects.refuse(Reason::MalformedJson);
            return None;
        }
        let iat = read_iat(payload.get("iat"), defects);
        let orig = payload
            .get("orig")
            .ok_or(Reason::MalformedOrig)
            .and_then(|claim| Identity::from_claim(claim, Reason::MalformedOrig));
        let orig = defects.note(orig);
        let dest = payload
            .get("dest")
            .ok_or(Reason::DestMissing)
            .and_then(Destinations::from_claim);
        let dest = defects.note(dest);
        // Of a type nobody here knows, the rest may mean anything.
        let details = if kind == PassportType::Unsupported {
            Details::default()
        } else {
            Details::read(kind, &payload, level, defects)
        };
        let (Some(iat), Some(orig), Some(dest)) = (iat, orig, dest) else {
            return None;
        };
        if !dest.is_sorted() {
            defects.deviates(Reason::DestNotSorted);
        }
        Some(Self {
            iat,
            orig,
            dest,
            details,
            payload,
        })
    }

    /// When the call was originated.
    #[must_use]
    pub const fn iat(&self) -> UnixTime {
        self.iat
    }

    /// Who calls.
    #[must_use]
    pub const fn orig(&self) -> &Identity {
        &self.orig
    }

    /// Who is called.
    #[must_use]
    pub const fn dest(&self) -> &Destinations {
        &self.dest
    }

    /// The attestation of a `shaken` PASSporT; `None` in any other, whatever it claims. To be shown, not
    /// compared with signalling (PPT-43).
    #[must_use]
    pub const fn attest(&self) -> Option<Attestation> {
        self.details.attest
    }

    /// The origination identifier of a `shaken` PASSporT: a UUID.
    #[must_use]
    pub fn origid(&self) -> Option<&str> {
        self.details
            .attest
            .and_then(|_| self.payload.get("origid"))
            .and_then(Value::as_str)
    }

    /// From whom the call was diverted, of a `div` or `div-o` PASSporT.
    #[must_use]
    pub const fn div(&self) -> Option<&Diversion> {
        self.details.div.as_ref()
    }

    /// The earlier token inside a `div-o` PASSporT. It is parsed, not verified; its signer is another.
    #[must_use]
    pub const fn opt(&self) -> Option<&Passport> {
        self.details.opt.as_ref()
    }

    /// The resource priorities of an `rph` PASSporT. An endpoint grants none itself (PPT-93).
    #[must_use]
    pub const fn rph(&self) -> Option<&ResourcePriorities> {
        self.details.rph.as_ref()
    }

    /// The special priority that goes with an `esnet` resource priority: `psap-callback`, the only one
    /// there is. The signalling's Priority header must say the same (PPT-92).
    #[must_use]
    pub const fn sph(&self) -> Option<&'static str> {
        if self.details.is_callback {
            Some(PSAP_CALLBACK)
        } else {
            None
        }
    }

    /// What the message body of a `msg` PASSporT hashes to, if the signer says so; `None` in any other
    /// type, where the claim is ignored (PPT-94).
    #[must_use]
    pub const fn msgi(&self) -> Option<&IntegrityDigest> {
        self.details.msgi.as_ref()
    }

    /// The fingerprints of the media keys; a claim of any type, required in `msec` (PPT-30).
    #[must_use]
    pub const fn mky(&self) -> Option<&Mky> {
        self.details.mky.as_ref()
    }

    /// `rcd` as it stands, of any type (PPT-79). Its content is checked by whoever shows it.
    #[must_use]
    pub fn rcd(&self) -> Option<&Value> {
        self.payload.get("rcd")
    }

    /// `rcdi` as it stands: the digests of parts of `rcd`.
    #[must_use]
    pub fn rcdi(&self) -> Option<&Value> {
        self.payload.get("rcdi")
    }

    /// `crn` as it stands, of any type: the reason for the call. Hostile text until it was cleaned.
    #[must_use]
    pub fn crn(&self) -> Option<&Value> {
        self.payload.get("crn")
    }

    /// Any claim by its name. Claims nobody knows are ignored, not refused (PPT-15).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.payload.get(name)
    }

    /// The payload object.
    #[must_use]
    pub const fn payload(&self) -> &Value {
        &self.payload
    }
}

/// The one value of `sph` (RFC 9027 section 4).
pub(super) const PSAP_CALLBACK: &str = "psap-callback";

impl Details {
    fn read(kind: PassportType, payload: &Value, level: usize, defects: &mut Defects) -> Self {
        let mut details = Self::default();
        let claim = |name: &str| payload.get(name);
        match kind {
            PassportType::Shaken => {
                let attest = claim("attest").and_then(Value::as_str);
                details.attest = attest.and_then(Attestation::from_text);
                if details.attest.is_none() {
                    defects.refuse(Reason::AttestNotAllowed);
                }
                if !claim("origid").and_then(Value::as_str).is_some_and(is_uuid) {
                    defects.refuse(Reason::MalformedOrigid);
                }
            }
            PassportType::Div | PassportType::DivO => {
                let div = claim("div")
                    .ok_or(Reason::MalformedDiv)
                    .and_then(Diversion::from_claim);
                details.div = defects.note(div);
                if kind == PassportType::DivO {
                    details.opt = read::nested(claim("opt"), level, defects);
                }
            }
            PassportType::Rph => {
                let rph = claim("rph")
                    .ok_or(Reason::MalformedRph)
                    .and_then(ResourcePriorities::from_claim);
                details.rph = defects.note(rph);
            }
            PassportType::Msg => {
                details.msgi = claim("msgi").and_then(|msgi| {
                    let text = msgi.as_str().ok_or(Reason::MalformedDigest);
                    defects.note(text.and_then(IntegrityDigest::parse))
                });
            }
            PassportType::Msec if claim("mky").is_none() => defects.refuse(Reason::MalformedMky),
            _ => {}
        }
        // Rich call data, there or not, decide about themselves alone (PPT-77).
        details.mky = claim("mky").and_then(|mky| defects.note(Mky::from_claim(mky)));
        details.is_callback = claim("sph").is_some_and(|sph| {
            let is_emergency = details
                .rph
                .as_ref()
                .is_some_and(|rph| rph.has_namespace("esnet"));
            let is_allowed = is_emergency && sph.as_str() == Some(PSAP_CALLBACK);
            if !is_allowed {
                defects.refuse(Reason::SphNotAllowed);
            }
            is_allowed
        });
        details
    }
}

/// An integer number. Text of digits is the commonest defect of deployed signers and tolerable: there
/// is one way to read it (PPT-6). A fraction is not.
fn read_iat(claim: Option<&Value>, defects: &mut Defects) -> Option<UnixTime> {
    let Some(claim) = claim else {
        defects.refuse(Reason::IatMissing);
        return None;
    };
    if let Some(secs) = claim.as_u64() {
        return Some(UnixTime::from_secs(secs));
    }
    let quoted = claim
        .as_str()
        .filter(|text| (1..=MAX_IAT_DIGITS).contains(&text.len()))
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok());
    match quoted {
        Some(secs) => {
            defects.deviates(Reason::IatNotNumber);
            Some(UnixTime::from_secs(secs))
        }
        None => {
            defects.refuse(Reason::IatNotNumber);
            None
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits (RFC 4122 section 3).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, b)| match index {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
