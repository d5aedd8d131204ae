//! The key of the state file, where the platform has no key store: a file beside it.
//!
//! It keeps a copied or backed-up state file closed as long as the key file is not copied with it. Where
//! there is a key store, the application gives a key from there instead
//! ([`EndpointBuilder::state_key`](crate::EndpointBuilder::state_key)).

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;
use zeroize::Zeroizing;

/// Where the key of the state file `path` is.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Reads the key of the state file `path`, or makes it if there is none. The caller sees to it that no
/// other process does so meanwhile.
///
/// # Errors
///
/// [`Reason::StateUnavailable`] if it cannot be read or written, is no key, or others than the owner of
/// the file may read it; [`Reason::RandomnessUnavailable`].
pub(crate) fn read_or_make(
    path: &Path,
    provider: &dyn CryptoProvider,
) -> Result<Zeroizing<[u8; 32]>, Reason> {
    let file = beside(path, ".key");
    match read(&file) {
        Ok(key) => Ok(key),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = Zeroizing::new([0; 32]);
            provider.fill_random(key.as_mut_slice())?;
            // Complete before it has its name: whoever dies in between leaves no half of a key.
            let unfinished = beside(path, ".key.new");
            write(&unfinished, &key)
                .and_then(|()| std::fs::rename(&unfinished, &file))
                .and_then(|()| sync_folder(&file))
                .map_err(|error| unavailable(&error))?;
            tracing::info!("a key for the state file was made");
            Ok(key)
        }
        Err(error) => Err(unavailable(&error)),
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<[u8; 32]>> {
    let mut file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(ErrorKind::PermissionDenied.into());
        }
    }
    if file.metadata()?.len() != 32 {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut_slice())?;
    Ok(key)
}

fn write(path: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    // Left behind by a process that died here. A new file gets the mode below, an old one keeps its own.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

/// Makes the name durable. Only Unix has folders to flush.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

fn unavailable(error: &std::io::Error) -> Reason {
    tracing::warn!(kind = ?error.kind(), "the key of the state file cannot be used");
    Reason::StateUnavailable
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringtrue_net::AwsLcCrypto;
    use ringtrue_stir::Reason;

    use super::read_or_make;

    fn key_of(state: &Path) -> Result<[u8; 32], Reason> {
        read_or_make(state, &AwsLcCrypto).map(|key| *key)
    }

    #[test]
    fn a_key_is_made_once_and_differs_from_file_to_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let key = key_of(&one).unwrap();
        assert_eq!(key_of(&one), Ok(key));
        assert_ne!(key_of(&two), Ok(key));
        assert_eq!(std::fs::read(folder.path().join("one.key")).unwrap(), key);
        assert!(!folder.path().join("one.key.new").exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_a_key_file() {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let key = key_of(&state).unwrap();
        let file = folder.path().join("state.key");
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(key_of(&state), Err(Reason::StateUnavailable));
        }
        std::fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        assert_eq!(key_of(&state), Ok(key));
    }

    #[test]
    fn a_file_that_is_no_key_is_neither_used_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        key_of(&state).unwrap();
        let file = folder.path().join("state.key");
        for content in [&b""[..], &[1; 31], &[1; 33]] {
            std::fs::write(&file, content).unwrap();
            assert_eq!(key_of(&state), Err(Reason::StateUnavailable));
            assert_eq!(std::fs::read(&file).unwrap(), content);
        }
    }

    #[test]
    fn what_a_process_left_behind_when_it_died_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::write(folder.path().join("state.key.new"), b"half").unwrap();
        let key = key_of(&state).unwrap();
        assert_eq!(key_of(&state), Ok(key));
    }
}
