//! Whose tokens a service takes: those of its own issuer, or of another one, as its directory says.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::token::IssuerName;
use ringtrue_oob::token::issuer_directory::{self, MAX_LEN, MEDIA_TYPE, PublishedKey};
use ringtrue_stir::{Reason, UnixTime};

use super::MAX_SKEW;
use super::issuer_keys::IssuerKeys;

/// Where the keys come from.
#[derive(Debug)]
pub(crate) enum AcceptedKeys {
    /// This service's own issuer.
    Own {
        keys: Arc<IssuerKeys>,
        rotation: Duration,
    },
    /// Another issuer's directory in a file, which the operator keeps up to date.
    File(DirectoryOfAnother),
}

/// The directory of another issuer.
#[derive(Debug)]
pub(crate) struct DirectoryOfAnother {
    issuer: IssuerName,
    path: PathBuf,
    rotation: Duration,
    read: RwLock<(Option<SystemTime>, Vec<PublishedKey>)>,
}

impl DirectoryOfAnother {
    /// Reads the file, which holds a directory as its issuer answers with it.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if it cannot be read, and those of [`issuer_directory::decode`].
    pub(crate) fn open(
        issuer: IssuerName,
        path: PathBuf,
        rotation: Duration,
    ) -> Result<Self, Reason> {
        let directory = Self {
            issuer,
            path,
            rotation,
            read: RwLock::default(),
        };
        directory.refresh()?;
        Ok(directory)
    }

    /// Reads the file again if it changed.
    ///
    /// # Errors
    ///
    /// As [`DirectoryOfAnother::open`]; the keys before stay.
    pub(crate) fn refresh(&self) -> Result<(), Reason> {
        let unavailable = |_| Reason::StateUnavailable;
        let metadata = std::fs::metadata(&self.path).map_err(unavailable)?;
        let changed = metadata.modified().ok();
        let known = self.read.read().unwrap_or_else(PoisonError::into_inner).0;
        if changed.is_some() && changed == known {
            return Ok(());
        }
        if metadata.len() > u64::try_from(MAX_LEN).unwrap_or(u64::MAX) {
            return Err(Reason::MalformedIssuerDirectory);
        }
        let answer = HttpResponse {
            status: 200,
            headers: vec![("content-type".to_owned(), MEDIA_TYPE.to_owned())],
            body: std::fs::read(&self.path).map_err(unavailable)?,
        };
        let directory = issuer_directory::decode(&self.issuer, &answer)?;
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = (changed, directory.keys);
        Ok(())
    }
}

impl AcceptedKeys {
    fn published(&self) -> Vec<PublishedKey> {
        match self {
            Self::Own { keys, .. } => keys.published(),
            Self::File(directory) => directory
                .read
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .1
                .clone(),
        }
    }

    fn rotation(&self) -> Duration {
        match self {
            Self::Own { rotation, .. } => *rotation,
            Self::File(directory) => directory.rotation,
        }
    }

    /// The key with this id, if its tokens are taken at `now`, and the first second at which they are
    /// not any more.
    pub(crate) fn find(
        &self,
        key_id: &[u8; 32],
        now: UnixTime,
    ) -> Option<(PublishedKey, UnixTime)> {
        let rotation = self.rotation();
        self.published()
            .into_iter()
            .find(|published| published.key.key_id() == key_id)
            .filter(|published| {
                let from = published.not_before;
                now < published.end(rotation) && now.plus(MAX_SKEW) >= from
            })
            .map(|published| {
                let end = published.end(rotation);
                (published, end)
            })
    }

    /// The key that tokens are to be of: the newest that signs at `now`, or else the newest.
    pub(crate) fn wanted(&self, now: UnixTime) -> Option<PublishedKey> {
        let published = self.published();
        published
            .iter()
            .rfind(|published| published.not_before <= now)
            .or(published.last())
            .cloned()
    }
}
