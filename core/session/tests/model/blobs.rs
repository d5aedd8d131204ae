//! Every blob of the model once, with what is in it: blobs are numbers to the rest of the model.

use std::collections::HashMap;

use ringtrue_oob::{Blob, Content};
use ringtrue_stir::crypto::SecretKey;

use crate::cast::{Cast, Opener, Who};

/// Names a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlobId(pub(crate) u16);

/// A blob, who can read it, and what is in it.
pub(crate) struct Known {
    pub(crate) blob: Blob,
    pub(crate) reader: Reader,
    pub(crate) content: Content,
}

/// Who has the key that a blob is sealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Party(Who),
    /// The second reader of what is meant for D.
    K,
}

/// All blobs so far.
#[derive(Default)]
pub(crate) struct Blobs {
    ids: HashMap<Vec<u8>, Option<BlobId>>,
    known: Vec<Known>,
}

impl Blobs {
    /// The number of a blob; `None` for one that opens for nobody, of which nothing can come.
    pub(crate) fn intern(&mut self, cast: &Cast, blob: Blob) -> Option<BlobId> {
        if let Some(id) = self.ids.get(blob.as_octets()) {
            return *id;
        }
        let parties = Who::ALL.map(|who| (Reader::Party(who), who, &cast.party(who).opener));
        let readers = parties
            .into_iter()
            .chain([(Reader::K, Who::D, &cast.k_opener)]);
        let found = readers.into_iter().find_map(|(reader, at, opener)| {
            let content = open(cast, &blob, at, opener)?;
            Some((reader, content))
        });
        let octets = blob.as_octets().to_vec();
        let id = found.map(|(reader, content)| {
            let id = BlobId(u16::try_from(self.known.len()).unwrap());
            self.known.push(Known {
                blob,
                reader,
                content,
            });
            id
        });
        self.ids.insert(octets, id);
        id
    }

    pub(crate) fn get(&self, id: BlobId) -> &Known {
        &self.known[usize::from(id.0)]
    }
}

fn open(cast: &Cast, blob: &Blob, at: Who, opener: &Opener) -> Option<Content> {
    let secret: &SecretKey = &opener.secret;
    let octets = ringtrue_oob::open(
        cast.crypto.as_ref(),
        blob,
        secret,
        &opener.key,
        &at.destination(),
    );
    Content::parse(&octets.ok()?).ok()
}
