//! What a certificate speaks for: its own list and the one that it refers to.

use super::{Certificate, ReferencedLists};
use crate::tn_auth_list::TnAuthList;

/// The numbers and providers of a certificate.
pub(super) struct Scope {
    /// Everything that is known, by value and by reference together (CRT-6, CRT-8).
    pub(super) list: Option<TnAuthList>,
    /// Whether there is more behind a URL that was not fetched (CRT-9).
    pub(super) is_open: bool,
}

/// The scope of `certificate` with what was fetched for it.
pub(super) fn scope_of(certificate: &Certificate, fetched: Option<&ReferencedLists>) -> Scope {
    let by_reference = certificate.has_tn_auth_list_by_reference();
    let fetched = fetched.and_then(|lists| lists.list_of(certificate));
    let list = match (certificate.tn_auth_list(), fetched) {
        (Some(own), Some(fetched)) => Some(own.union(fetched)),
        (own, fetched) => own.or(fetched).cloned(),
    };
    Scope {
        list,
        is_open: by_reference && fetched.is_none(),
    }
}
