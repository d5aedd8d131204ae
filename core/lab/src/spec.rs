//! What certificates are to say, right or wrong.

use core::time::Duration;

use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{TelephoneNumber, UnixTime};

use crate::ExtraExtension;
use crate::authority::INTERMEDIATE_NAME;

/// How long before the time of issue a certificate is valid already: clocks differ.
const BACKDATED: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(86_400);

/// The first and the last second at which a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: UnixTime,
    /// The last second.
    pub not_after: UnixTime,
}

impl Validity {
    /// From an hour before `now`, because clocks differ, until `days` days after it.
    #[must_use]
    pub fn days(now: UnixTime, days: u32) -> Self {
        Self {
            not_before: now.minus(BACKDATED),
            not_after: now.plus(DAY.saturating_mul(days)),
        }
    }

    /// Ten years, as a lab's root has it.
    #[must_use]
    pub fn of_root(now: UnixTime) -> Self {
        Self::days(now, 3653)
    }

    /// From an hour before `now`, because clocks differ, until `life` after it: a short-lived
    /// certificate.
    #[must_use]
    pub fn short(now: UnixTime, life: Duration) -> Self {
        Self {
            not_before: now.minus(BACKDATED),
            not_after: now.plus(life),
        }
    }

    /// One year, as a lab's intermediate has it.
    #[must_use]
    pub fn of_intermediate(now: UnixTime) -> Self {
        Self::days(now, 366)
    }

    /// 90 days, as a lab's delegate certificates have it.
    #[must_use]
    pub fn of_leaf(now: UnixTime) -> Self {
        Self::days(now, 90)
    }
}

/// How a certificate names the key of its issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthorityKeyId {
    /// Not at all.
    Absent,
    /// By the issuer's subject key identifier.
    #[default]
    Right,
    /// By an identifier that no key has.
    Wrong,
}

/// What a subordinate CA certificate says.
#[derive(Clone, Debug)]
pub struct CaSpec {
    /// The common name.
    pub name: String,
    /// The path length constraint, if there is one.
    pub path_len: Option<u8>,
    /// The TNAuthList, if there is one. Not compared with the issuer's.
    pub scope: Option<TnAuthList>,
    /// The validity. Not compared with the issuer's.
    pub validity: Validity,
    /// Whether the certificate says that it is a CA's. A test can leave that out.
    pub is_ca: bool,
    /// Further extensions.
    pub extensions: Vec<ExtraExtension>,
    /// Whether the certificate names its issuer's key.
    pub authority_key_id: AuthorityKeyId,
}

impl CaSpec {
    /// A CA for `scope`, valid for one year, that may only issue end-entity certificates.
    #[must_use]
    pub fn new(scope: Option<TnAuthList>, now: UnixTime) -> Self {
        Self {
            name: INTERMEDIATE_NAME.to_owned(),
            path_len: Some(0),
            scope,
            validity: Validity::of_intermediate(now),
            is_ca: true,
            extensions: Vec::new(),
            authority_key_id: AuthorityKeyId::Right,
        }
    }
}

/// What an end-entity certificate says.
#[derive(Clone, Debug)]
pub struct LeafSpec {
    /// The TNAuthList, if there is one. Not compared with the issuer's.
    pub scope: Option<TnAuthList>,
    /// The validity. Not compared with the issuer's.
    pub validity: Validity,
    /// Whether the key usage allows signatures. If not, the certificate says keyAgreement.
    pub may_sign: bool,
    /// Further extensions.
    pub extensions: Vec<ExtraExtension>,
    /// Whether the certificate names its issuer's key.
    pub authority_key_id: AuthorityKeyId,
}

impl LeafSpec {
    /// A delegate certificate for one number, valid for 90 days.
    #[must_use]
    pub fn for_number(number: &TelephoneNumber, now: UnixTime) -> Self {
        let scope = TnAuthList::new(vec![Entry::One(number.clone())]).ok();
        Self::for_scope(scope, now)
    }

    /// A certificate for any scope, or none, valid for 90 days.
    #[must_use]
    pub fn for_scope(scope: Option<TnAuthList>, now: UnixTime) -> Self {
        Self {
            scope,
            validity: Validity::of_leaf(now),
            may_sign: true,
            extensions: Vec::new(),
            authority_key_id: AuthorityKeyId::Right,
        }
    }
}
