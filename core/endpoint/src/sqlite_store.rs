//! The state store in a SQLite file.
//!
//! SQLite because it is the embedded library that several processes may open at once on every
//! platform: its locks are the kernel's, so a killed process leaves none behind
//! (`docs/adr/0006-state-store.md`).

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringtrue_session::Saved;
use ringtrue_stir::Reason;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use zeroize::Zeroizing;

use crate::StateStore;

/// The format of the file. A file of another format is not touched: format 1 held records unsealed.
const FORMAT: i64 = 2;

/// How long one process waits for another's transaction. It takes milliseconds, and seconds where the
/// storage has much else to write. Longer than the usual time for a call, which keeps that time itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A state store in one file (and two beside it while it is open).
///
/// Every transaction is on the medium before its method returns, and overwritten records are erased in
/// the file.
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens or makes the file, readable by its owner only. Its folder must exist.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if it cannot be opened or written, or is no state of this format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Reason> {
        let path = path.as_ref();
        make_private(path)?;
        Self::prepare(path).map_err(|error| {
            tracing::warn!(%error, "the state store cannot be opened");
            Reason::StateUnavailable
        })
    }

    fn prepare(path: &Path) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let format: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match format {
            0 => {
                transaction.execute_batch(
                    "CREATE TABLE record (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
                     CREATE TABLE claim (name TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
                     CREATE INDEX claim_expires ON claim (expires);",
                )?;
                transaction.pragma_update(None, "user_version", FORMAT)?;
                transaction.commit()?;
            }
            FORMAT => transaction.commit()?,
            _ => return Err(rusqlite::Error::InvalidQuery),
        }
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Does `work` while no other process writes or does the same.
    ///
    /// # Errors
    ///
    /// What `work` says; [`Reason::StateUnavailable`] if others have the file for too long.
    pub(crate) fn exclusively<T>(
        &self,
        work: impl FnOnce() -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(unavailable)?;
        let done = work()?;
        transaction.commit().map_err(unavailable)?;
        Ok(done)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the file before SQLite does, so that it is never readable by others; SQLite gives the files
/// beside it the same mode.
fn make_private(path: &Path) -> Result<(), Reason> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(|error| {
        tracing::warn!(kind = ?error.kind(), "the state file cannot be opened");
        Reason::StateUnavailable
    })
}

/// A failed transaction changed nothing. The text of the error names no value.
fn unavailable(error: rusqlite::Error) -> Reason {
    tracing::warn!(%error, "the state store failed");
    Reason::StateUnavailable
}

impl StateStore for SqliteStore {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        self.connection()
            .query_row("SELECT value FROM record WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()
            .map(|value: Option<Vec<u8>>| value.map(Zeroizing::new))
            .map_err(unavailable)
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        let written = match expected {
            Some(expected) => self.connection().execute(
                "UPDATE record SET value = ?3 WHERE name = ?1 AND value = ?2",
                params![name, expected, value],
            ),
            None => self.connection().execute(
                "INSERT INTO record (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![name, value],
            ),
        };
        match written.map_err(unavailable)? {
            0 => Ok(Saved::Changed),
            _ => Ok(Saved::Written),
        }
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        let seconds = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let mut connection = self.connection();
        let claim = |connection: &mut Connection| -> rusqlite::Result<bool> {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM claim WHERE expires < ?1", [seconds(now)])?;
            let inserted = transaction.execute(
                "INSERT INTO claim (name, expires) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![name, seconds(expires)],
            )?;
            transaction.commit()?;
            Ok(inserted == 1)
        };
        claim(&mut connection).map_err(unavailable)
    }
}
