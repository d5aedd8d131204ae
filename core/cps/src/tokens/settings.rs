//! The settings of storage tokens as values.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::token::IssuerName;
use ringtrue_oob::token::issuer_directory::ROTATION;

use super::issuer::DEFAULT_QUOTA;
use super::spent::{DEFAULT_MAX_SPENT, SpentTokens};

/// Who signs the storage tokens of a service, and whether it takes stores without.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// Whether every store needs a token. Otherwise everyone may store and tokens are not looked at:
    /// for laboratories, where the issuer may still be tried.
    pub required: bool,
    /// Who signs.
    pub issuer: TokenIssuer,
    /// How often the issuer changes its key: a day. Tests have shorter days.
    pub rotation: Duration,
    /// Where the issuer's keys and counts and the spent tokens are kept over a restart. Absent: in the
    /// state folder of the service; if it has none, nowhere.
    pub folder: Option<PathBuf>,
    /// Where spent tokens are remembered.
    pub spent: SpentMemory,
    /// The spent tokens that are remembered at most, unless the memory is given.
    pub max_spent: usize,
}

/// Where spent tokens are remembered. Replicas that are reached under one name share it, or a token is
/// spent once at each.
#[derive(Clone, Debug, Default)]
pub enum SpentMemory {
    /// In the folder of the service itself, or in memory if it has none.
    #[default]
    Own,
    /// In a folder that all replicas write to.
    Folder(PathBuf),
    /// Wherever this keeps them.
    Given(Arc<dyn SpentTokens>),
}

/// A token issuer, seen from the service that takes its tokens.
#[derive(Clone, Debug)]
pub enum TokenIssuer {
    /// The service itself. Its name is the authority of the base URL.
    Own {
        /// Tokens a day for each credential that speaks for telephone numbers.
        quota: u32,
        /// Tokens a day for each credential of a provider (contract credentials of gateways), which get
        /// them from the same key. Absent: they get none.
        provider_quota: Option<u32>,
    },
    /// Another service.
    Other {
        /// Its name.
        name: IssuerName,
        /// A file with its directory as it answers with it. Read anew when it changes; the operator
        /// fetches it.
        directory: PathBuf,
    },
}

impl TokenSettings {
    /// A service that is its own issuer with the usual quota, and takes no store without a token.
    #[must_use]
    pub fn required() -> Self {
        Self {
            required: true,
            issuer: TokenIssuer::Own {
                quota: DEFAULT_QUOTA,
                provider_quota: None,
            },
            rotation: ROTATION,
            folder: None,
            spent: SpentMemory::Own,
            max_spent: DEFAULT_MAX_SPENT,
        }
    }
}
