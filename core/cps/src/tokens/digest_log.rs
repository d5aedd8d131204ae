//! A file of 32-octet records that several processes may add to: spent tokens, counted issuances.
//!
//! Records are only ever appended, under an exclusive lock of the file, so that each process sees what
//! the others added before it adds. A file belongs to a key or a day and is deleted with it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use ringtrue_stir::Reason;

/// Octets of a record.
const RECORD_LEN: usize = 32;

/// A longer file is not ours, 64 million records.
const MAX_FILE_LEN: u64 = 2 * 1024 * 1024 * 1024;

/// Records that are read in one go.
const READ_AT_ONCE: usize = 4096;

/// An open file and how far it was read.
#[derive(Debug)]
pub(super) struct DigestLog {
    file: File,
    read_to: u64,
    unsynced: bool,
}

fn unavailable(_: std::io::Error) -> Reason {
    Reason::StateUnavailable
}

impl DigestLog {
    /// Opens a file, or makes it for this user alone. Nothing of it is read yet.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`].
    pub(super) fn open(path: &Path) -> Result<Self, Reason> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        only_for_this_user(&mut options);
        Ok(Self {
            file: options.open(path).map_err(unavailable)?,
            read_to: 0,
            unsynced: false,
        })
    }

    /// Waits until no other process is at the file, and gives each record that was added since the last
    /// time to `news`.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if the file cannot be locked or read, is absurdly long, or is shorter
    /// than before.
    pub(super) fn lock(
        &mut self,
        mut news: impl FnMut([u8; RECORD_LEN]),
    ) -> Result<Locked<'_>, Reason> {
        self.file.lock().map_err(unavailable)?;
        let locked = Locked { log: self };
        let log = &mut *locked.log;
        let record_len = u64::try_from(RECORD_LEN).unwrap_or(1);
        let len = log.file.metadata().map_err(unavailable)?.len();
        let torn = len.checked_rem(record_len).unwrap_or_default();
        let whole = len.saturating_sub(torn);
        if whole < log.read_to || whole > MAX_FILE_LEN {
            return Err(Reason::StateUnavailable);
        }
        if torn > 0 {
            // Whoever wrote this was cut off: nobody else can be writing now.
            log.file.set_len(whole).map_err(unavailable)?;
        }
        log.file
            .seek(SeekFrom::Start(log.read_to))
            .map_err(unavailable)?;
        while log.read_to < whole {
            let ahead = usize::try_from(whole.saturating_sub(log.read_to)).unwrap_or(usize::MAX);
            let mut buffer = vec![0; ahead.min(RECORD_LEN.saturating_mul(READ_AT_ONCE))];
            log.file.read_exact(&mut buffer).map_err(unavailable)?;
            for record in buffer.as_chunks::<RECORD_LEN>().0 {
                news(*record);
            }
            log.read_to = log
                .read_to
                .saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        }
        Ok(locked)
    }

    /// Puts what was appended on disk for good; without anything appended it does nothing.
    pub(super) fn sync(&mut self) {
        if self.unsynced {
            // Failing here leaves what a loss of power would have left.
            self.unsynced = self.file.sync_data().is_err();
        }
    }
}

/// A file that nobody else writes to until this is dropped.
pub(super) struct Locked<'a> {
    log: &'a mut DigestLog,
}

impl Locked<'_> {
    /// Appends records, all or none. A kill after this does not lose them; see [`DigestLog::sync`] for
    /// a loss of power.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`].
    pub(super) fn append(&mut self, records: &[[u8; RECORD_LEN]]) -> Result<(), Reason> {
        let octets = records.as_flattened();
        if self.log.file.write_all(octets).is_err() {
            // A part of it may be there, and nobody else looks before the lock is gone.
            let _ = self.log.file.set_len(self.log.read_to);
            return Err(Reason::StateUnavailable);
        }
        self.log.read_to = self
            .log
            .read_to
            .saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        self.log.unsynced = true;
        Ok(())
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // The system takes it back at the latest when the file is closed.
        let _ = self.log.file.unlock();
    }
}

/// A new file can be read and written by the service's own user alone.
pub(super) fn only_for_this_user(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use ringtrue_stir::Reason;

    use super::DigestLog;

    fn news(log: &mut DigestLog) -> Vec<u8> {
        let mut seen = Vec::new();
        drop(log.lock(|record| seen.push(record[0])).unwrap());
        seen
    }

    #[test]
    fn each_process_sees_what_the_others_added_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (mut one, mut two) = (
            DigestLog::open(&path).unwrap(),
            DigestLog::open(&path).unwrap(),
        );
        one.lock(|_| panic!("empty"))
            .unwrap()
            .append(&[[1; 32], [2; 32]])
            .unwrap();
        let mut seen = Vec::new();
        two.lock(|record| seen.push(record[0]))
            .unwrap()
            .append(&[[3; 32]])
            .unwrap();
        assert_eq!(seen, [1, 2]);
        assert_eq!(news(&mut one), [3]);
        assert!(news(&mut one).is_empty());
        assert!(news(&mut two).is_empty());
        assert_eq!(news(&mut DigestLog::open(&path).unwrap()), [1, 2, 3]);
    }

    #[test]
    fn a_record_that_was_cut_off_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&[7; 32 + 31]).unwrap();
        let mut log = DigestLog::open(&path).unwrap();
        let mut seen = 0;
        log.lock(|_| seen += 1).unwrap().append(&[[8; 32]]).unwrap();
        assert_eq!(seen, 1);
        assert_eq!(news(&mut DigestLog::open(&path).unwrap()), [7, 8]);
    }

    #[test]
    fn a_file_that_shrank_or_cannot_be_made_is_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = DigestLog::open(&path).unwrap();
        log.lock(|_| {}).unwrap().append(&[[1; 32]]).unwrap();
        std::fs::File::create(&path).unwrap();
        assert_eq!(log.lock(|_| {}).err(), Some(Reason::StateUnavailable));
        let nowhere = folder.path().join("missing").join("log");
        assert_eq!(
            DigestLog::open(&nowhere).err(),
            Some(Reason::StateUnavailable)
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        DigestLog::open(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
