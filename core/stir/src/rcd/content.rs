//! Content that rich call data refer to: what it is, where it is, and whether it holds.

use core::fmt;

use super::digests::Digests;
use super::image::{MAX_IMAGE_LEN, is_data_url, read_data_url};
use super::jcard::{CardUri, JCard, MAX_JCARD_LEN};
use crate::integrity::IntegrityDigest;
use crate::{Reason, X5u};

/// URIs that name somebody or something and have no content to fetch, so no digest either.
const IDENTIFIER_SCHEMES: [&str; 8] = ["geo", "im", "mailto", "sip", "sips", "tel", "urn", "xmpp"];

/// What some content is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RcdContentKind {
    /// The jCard behind `jcl`.
    Card,
    /// The image of `icn`.
    Icon,
    /// An image of a jCard's `logo`.
    Logo,
    /// Behind another property of a jCard. Never fetched: nothing here shows it.
    Other,
    /// An image of a jCard's `photo`.
    Photo,
}

impl RcdContentKind {
    /// The most octets that are read of it; `None` if it is never fetched.
    #[must_use]
    pub const fn max_len(self) -> Option<usize> {
        match self {
            Self::Card => Some(MAX_JCARD_LEN),
            Self::Icon | Self::Logo | Self::Photo => Some(MAX_IMAGE_LEN),
            Self::Other => None,
        }
    }
}

/// Whether some content is there and holds. [`fmt::Debug`] hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RcdContent<'a> {
    /// There is none.
    Absent,
    /// Behind a URL with a digest, and not fetched: not verified, nothing to show.
    NotFetched,
    /// These octets, which the signature covers.
    Held(&'a [u8]),
    /// Not to be used, for this reason.
    Void(Reason),
}

impl fmt::Debug for RcdContent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::NotFetched => f.write_str("NotFetched"),
            Self::Held(_) => f.write_str("Held(..)"),
            Self::Void(reason) => f.debug_tuple("Void").field(reason).finish(),
        }
    }
}

/// What to fetch, if it is going to be shown. [`fmt::Debug`] hides where from.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RcdFetch {
    /// Which content: what [`RichCallData::accept_fetched`](super::RichCallData::accept_fetched) wants.
    pub pointer: String,
    /// Where it is. The form and the rules of fetching are those of certificates (PPT-84).
    pub url: X5u,
    /// What it must be.
    pub digest: IntegrityDigest,
    /// What it is for.
    pub kind: RcdContentKind,
    /// The most octets to read.
    pub max_len: usize,
}

impl fmt::Debug for RcdFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RcdFetch")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(super) enum State {
    /// Waits to be fetched.
    Remote {
        url: X5u,
        digest: IntegrityDigest,
    },
    Held(Vec<u8>),
    Void(Reason),
}

/// One reference to content.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) pointer: String,
    pub(super) kind: RcdContentKind,
    pub(super) uri: String,
    /// Whether the content is elsewhere, and not in the URI itself.
    pub(super) is_remote: bool,
    pub(super) state: State,
}

impl Content {
    /// What `uri` refers to; `None` if it only names somebody.
    ///
    /// Source: RFC 9795 sections 6.1.2 to 6.1.4 (PPT-75).
    pub(super) fn new(
        pointer: String,
        uri: &str,
        kind: RcdContentKind,
        digests: &Digests,
    ) -> Option<Self> {
        let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
        let state = if is_data_url(uri) {
            read_data_url(uri).map_or_else(State::Void, State::Held)
        } else if IDENTIFIER_SCHEMES
            .iter()
            .any(|name| scheme.eq_ignore_ascii_case(name))
        {
            return None;
        } else {
            match (X5u::parse(uri), digests.of(&pointer)) {
                (Err(reason), _) => State::Void(reason),
                (Ok(_), None) => State::Void(Reason::RcdDigestMissing),
                (Ok(url), Some(digest)) => State::Remote {
                    url,
                    digest: digest.clone(),
                },
            }
        };
        Some(Self {
            pointer,
            kind,
            uri: uri.to_owned(),
            is_remote: !is_data_url(uri),
            state,
        })
    }

    /// What the URIs of a card refer to. `root` is where the card is: `/jcd` or `/jcl`.
    pub(super) fn of_card(root: &str, card: &JCard, digests: &Digests) -> Vec<Self> {
        let content = |uri: CardUri<'_>| {
            let kind = match uri.property {
                "logo" => RcdContentKind::Logo,
                "photo" => RcdContentKind::Photo,
                _ => RcdContentKind::Other,
            };
            Self::new(format!("{root}{}", uri.pointer), uri.uri, kind, digests)
        };
        card.uris().filter_map(content).collect()
    }

    pub(super) fn view(&self) -> RcdContent<'_> {
        match &self.state {
            State::Remote { .. } => RcdContent::NotFetched,
            State::Held(octets) => RcdContent::Held(octets),
            State::Void(reason) => RcdContent::Void(*reason),
        }
    }

    pub(super) fn fetch(&self) -> Option<RcdFetch> {
        let State::Remote { url, digest } = &self.state else {
            return None;
        };
        Some(RcdFetch {
            pointer: self.pointer.clone(),
            url: url.clone(),
            digest: digest.clone(),
            kind: self.kind,
            max_len: self.kind.max_len()?,
        })
    }
}
