//! The key directory on disk: one file, replaced as a whole, never half.
//!
//! It holds what is public anyway. It is trusted as far as the folder is: readers verify statements.

use std::fs::{File, OpenOptions, rename};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use ringtrue_oob::Suite;
use ringtrue_oob::http::directory::MAX_STATEMENT_LEN;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, base64url};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::directory::{CheckedStatement, Directory};

const FILE_NAME: &str = "directory.json";

const TEMPORARY_NAME: &str = "directory.json.new";

/// The version of the file's form.
const VERSION: u32 = 1;

/// A longer file is not ours: four times what the memory bound of a directory usually allows.
const MAX_FILE_LEN: u64 = 1024 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    v: u32,
    /// Counts the changes, so that an older snapshot never replaces a newer one.
    #[serde(skip)]
    change: u64,
    statements: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    number: String,
    text: String,
    signer: String,
    digest: String,
    seq: u64,
    iat: u64,
    exp: u64,
    suites: Vec<String>,
}

impl Directory {
    /// Everything, for [`DirectoryFile::save`].
    pub(crate) fn snapshot(&self) -> Snapshot {
        let statements = self
            .all()
            .into_iter()
            .map(|(number, statement)| Record {
                number: number.as_str().to_owned(),
                text: statement.text.clone(),
                signer: base64url::encode(&statement.signer),
                digest: base64url::encode(&statement.digest),
                seq: statement.seq,
                iat: statement.iat.as_secs(),
                exp: statement.exp.as_secs(),
                suites: statement
                    .suites
                    .iter()
                    .map(|suite| suite.name().to_owned())
                    .collect(),
            })
            .collect();
        Snapshot {
            v: VERSION,
            change: self.changes(),
            statements,
        }
    }

    /// Takes over what a file held; what ended meanwhile is left out.
    fn restore(&mut self, snapshot: Snapshot, now: UnixTime) -> Result<(), Reason> {
        if snapshot.v != VERSION {
            return Err(Reason::MalformedRecord);
        }
        for record in snapshot.statements {
            let (number, statement) = record.checked()?;
            // Full only if the bound was lowered: then the oldest stay and the rest is published anew.
            let _ = self.put(&number, statement, now);
        }
        self.forget_ended(now);
        Ok(())
    }
}

impl Record {
    fn checked(self) -> Result<(TelephoneNumber, CheckedStatement), Reason> {
        let digest = |text: &str| {
            base64url::decode(text)
                .ok()
                .and_then(|octets| <[u8; 32]>::try_from(octets).ok())
                .ok_or(Reason::MalformedRecord)
        };
        if self.text.len() > MAX_STATEMENT_LEN {
            return Err(Reason::MalformedRecord);
        }
        let number =
            TelephoneNumber::from_canonical(&self.number).map_err(|_| Reason::MalformedRecord)?;
        let statement = CheckedStatement {
            signer: digest(&self.signer)?,
            digest: digest(&self.digest)?,
            text: self.text,
            seq: self.seq,
            iat: UnixTime::from_secs(self.iat),
            exp: UnixTime::from_secs(self.exp),
            suites: self
                .suites
                .iter()
                .filter_map(|name| Suite::from_name(name))
                .collect(),
        };
        Ok((number, statement))
    }
}

/// The file of one directory.
pub(crate) struct DirectoryFile {
    folder: PathBuf,
    /// The change that is on disk. Holders write one after the other.
    saved: Mutex<u64>,
}

impl DirectoryFile {
    /// Opens the file in `folder`, makes the folder if it is missing, and loads what is there.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if it cannot be read, [`Reason::MalformedRecord`] if it is damaged.
    pub(crate) fn open(
        folder: &Path,
        directory: &mut Directory,
        now: UnixTime,
    ) -> Result<Self, Reason> {
        std::fs::create_dir_all(folder).map_err(|_| Reason::StateUnavailable)?;
        match File::open(folder.join(FILE_NAME)) {
            Ok(file) => {
                let mut octets = Vec::new();
                file.take(MAX_FILE_LEN)
                    .read_to_end(&mut octets)
                    .map_err(|_| Reason::StateUnavailable)?;
                let snapshot =
                    serde_json::from_slice(&octets).map_err(|_| Reason::MalformedRecord)?;
                directory.restore(snapshot, now)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(_) => return Err(Reason::StateUnavailable),
        }
        Ok(Self {
            folder: folder.to_owned(),
            saved: Mutex::new(0),
        })
    }

    /// Makes sure that every change made before this call is on disk. Callers that come together share
    /// one write.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if it cannot be written; the file before stays.
    pub(crate) async fn save(
        &self,
        change: u64,
        snapshot: impl FnOnce() -> Snapshot,
    ) -> Result<(), Reason> {
        let mut saved = self.saved.lock().await;
        if *saved >= change {
            return Ok(());
        }
        let snapshot = snapshot();
        let change = snapshot.change;
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || write(&folder, &snapshot))
            .await
            .map_err(|_| Reason::StateUnavailable)?
            .map_err(|_| Reason::StateUnavailable)?;
        *saved = change;
        Ok(())
    }
}

/// Writes beside the file, flushes to the disk and renames over it: a crash leaves the old or the new.
fn write(folder: &Path, snapshot: &Snapshot) -> std::io::Result<()> {
    let temporary = folder.join(TEMPORARY_NAME);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(&serde_json::to_vec(snapshot)?)?;
    file.sync_all()?;
    rename(&temporary, folder.join(FILE_NAME))?;
    // The rename itself must survive as well. Not every system lets a folder be opened for that.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ringtrue_oob::Suite;
    use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

    use super::{DirectoryFile, FILE_NAME, TEMPORARY_NAME};
    use crate::directory::{CheckedStatement, Directory};

    fn statement(seq: u64, exp: u64) -> CheckedStatement {
        CheckedStatement {
            text: format!("a.{seq}.c"),
            signer: [1; 32],
            digest: [u8::try_from(seq).unwrap(); 32],
            seq,
            iat: UnixTime::from_secs(10),
            exp: UnixTime::from_secs(exp),
            suites: vec![Suite::S1, Suite::S3],
        }
    }

    #[tokio::test]
    async fn what_was_published_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper");
        let now = UnixTime::from_secs(20);
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        let mut directory = Directory::new(1 << 20);
        let file = DirectoryFile::open(&path, &mut directory, now).unwrap();
        directory.put(&number, statement(3, 1000), now).unwrap();
        file.save(directory.changes(), || directory.snapshot())
            .await
            .unwrap();
        directory.put(&number, statement(4, 1000), now).unwrap();
        file.save(directory.changes(), || directory.snapshot())
            .await
            .unwrap();
        // Half a write of a crashed process changes nothing.
        std::fs::write(path.join(TEMPORARY_NAME), b"{\"v\":1,").unwrap();

        let mut again = Directory::new(1 << 20);
        DirectoryFile::open(&path, &mut again, now).unwrap();
        assert!(again.live(&number, now) == directory.live(&number, now));
        assert_eq!(again.live(&number, now).len(), 1);

        // Past its end only the sequence number is remembered, and then nothing.
        let mut later = Directory::new(1 << 20);
        DirectoryFile::open(&path, &mut later, UnixTime::from_secs(2000)).unwrap();
        assert_eq!(
            (
                later.len(),
                later.live(&number, UnixTime::from_secs(2000)).len()
            ),
            (1, 0)
        );
        let mut much_later = Directory::new(1 << 20);
        DirectoryFile::open(&path, &mut much_later, UnixTime::from_secs(90_000)).unwrap();
        assert_eq!(much_later.len(), 0);
    }

    #[tokio::test]
    async fn a_snapshot_that_is_on_disk_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixTime::from_secs(20);
        let mut directory = Directory::new(1 << 20);
        let file = DirectoryFile::open(folder.path(), &mut directory, now).unwrap();
        let number = TelephoneNumber::from_canonical("1").unwrap();
        directory.put(&number, statement(3, 1000), now).unwrap();
        file.save(1, || directory.snapshot()).await.unwrap();
        std::fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
        file.save(1, || directory.snapshot()).await.unwrap();
        assert!(!folder.path().join(FILE_NAME).exists());
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixTime::from_secs(20);
        for damaged in [
            "",
            "{}",
            "{\"v\":2,\"statements\":[]}",
            "{\"v\":1,\"statements\":[{}]}",
        ] {
            std::fs::write(folder.path().join(FILE_NAME), damaged).unwrap();
            let mut directory = Directory::new(1 << 20);
            let error = DirectoryFile::open(folder.path(), &mut directory, now).err();
            assert_eq!(error, Some(Reason::MalformedRecord), "{damaged}");
            let left = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
            assert_eq!(left, damaged);
        }
    }
}
