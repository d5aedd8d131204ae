//! Taking a path for the socket, without taking it away from anybody.
//!
//! A lock on a file beside it is held for as long as the daemon runs, so that of two that start at once
//! one gives up. The socket is made in a folder of the daemon's own, given its mode there, and then
//! linked to its place: at no moment is it there with other rights, and a link replaces nothing.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _, chown,
};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::config::SocketAccess;

/// The longest path of a socket: what all systems take, with room for the folder that it is made in.
const MAX_PATH_OCTETS: usize = 80;

/// A socket that listens at its place. Dropping it takes the socket away, if it is still this one.
pub(crate) struct ClaimedSocket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// Given up last.
    _lock: File,
}

impl ClaimedSocket {
    /// Claims `path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AddrInUse`] if another daemon listens there; [`ErrorKind::AlreadyExists`] if
    /// something else than a socket is there; [`ErrorKind::PermissionDenied`] if others could put
    /// something else in its place; [`ErrorKind::InvalidInput`] for a path that is too long; what the
    /// system says.
    pub(crate) fn claim(path: &Path, access: &SocketAccess) -> Result<Self> {
        if path.as_os_str().len() > MAX_PATH_OCTETS || path.file_name().is_none() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the path of the socket is empty or longer than 80 octets",
            ));
        }
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => Path::new("/"),
        };
        require_own_place(folder)?;
        let lock = lock(path)?;
        clear(path)?;
        let (listener, identity) = bind(path, access)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity,
            _lock: lock,
        })
    }
}

impl Drop for ClaimedSocket {
    fn drop(&mut self) {
        let is_own = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if is_own {
            // It may be gone in this moment, which is what is wanted.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// In a folder that everybody may write to, and take away from, a socket is nobody's.
fn require_own_place(folder: &Path) -> Result<()> {
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let mode = std::fs::metadata(folder)?.mode();
    if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            "everybody may replace files in the folder of the socket",
        ));
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(with_suffix(path, ".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn in_use() -> Error {
    Error::new(ErrorKind::AddrInUse, "another process listens there")
}

/// Makes room: takes away a socket that nobody listens at, and nothing else.
fn clear(path: &Path) -> Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(Error::new(
            ErrorKind::AlreadyExists,
            "something else than a socket is there",
        ));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(in_use()),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
    }
}

fn bind(path: &Path, access: &SocketAccess) -> Result<(UnixListener, (u64, u64))> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|_| Error::other("no randomness"))?;
    let made_in = with_suffix(path, &format!(".{:08x}", u32::from_le_bytes(random)));
    DirBuilder::new().mode(0o700).create(&made_in)?;
    let made = made_in.join("s");
    let bound = (|| {
        let listener = UnixListener::bind(&made)?;
        if access.group_id.is_some() {
            chown(&made, None, access.group_id)?;
        }
        let mode = if access.group { 0o660 } else { 0o600 };
        std::fs::set_permissions(&made, Permissions::from_mode(mode))?;
        let found = std::fs::symlink_metadata(&made)?;
        std::fs::hard_link(&made, path)?;
        listener.set_nonblocking(true)?;
        Ok((listener, (found.dev(), found.ino())))
    })();
    // What is left of them hurts nobody.
    let _ = std::fs::remove_file(&made);
    let _ = std::fs::remove_dir(&made_in);
    bound
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    use super::ClaimedSocket;
    use crate::config::SocketAccess;

    fn claim(path: &Path) -> Result<ClaimedSocket, ErrorKind> {
        ClaimedSocket::claim(path, &SocketAccess::default()).map_err(|error| error.kind())
    }

    #[test]
    fn the_socket_is_its_owners_alone_and_goes_with_the_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let claimed = claim(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        UnixStream::connect(&path).unwrap();
        drop(claimed);
        assert!(!path.exists());
        // The lock file stays; nothing else does.
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1);
    }

    #[test]
    fn a_group_is_let_in_where_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let access = SocketAccess {
            group: true,
            ..SocketAccess::default()
        };
        let _claimed = ClaimedSocket::claim(&path, &access).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o660);
    }

    #[test]
    fn a_second_daemon_does_not_take_the_socket_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _first = claim(&path).unwrap();
        assert_eq!(claim(&path).err(), Some(ErrorKind::AddrInUse));
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_socket_of_another_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let other = UnixListener::bind(&path).unwrap();
        assert_eq!(claim(&path).err(), Some(ErrorKind::AddrInUse));
        // Once nobody listens any more, it is left over.
        drop(other);
        assert!(path.exists());
        let _claimed = claim(&path).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_file_or_a_link_in_its_place_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        fs::write(&path, "precious").unwrap();
        assert_eq!(claim(&path).err(), Some(ErrorKind::AlreadyExists));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let link = folder.path().join("l");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(claim(&link).err(), Some(ErrorKind::AlreadyExists));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_folder_that_everybody_may_change_is_no_place_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(folder.path(), open).unwrap();
        let path = folder.path().join("s");
        assert_eq!(claim(&path).err(), Some(ErrorKind::PermissionDenied));
    }

    #[test]
    fn what_took_its_place_is_not_removed_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let claimed = claim(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        drop(claimed);
        assert!(path.exists());
    }
}
