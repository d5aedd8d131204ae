//! Reading and writing the files of a lab.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::LabError;

/// The longest file that is read. A chain has about 2 KiB.
const MAX_LEN: u64 = 256 * 1024;

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Its owner: private keys.
    Owner,
    /// Whoever the system's defaults say.
    Default,
}

pub(crate) fn failed(file: &'static str) -> impl Fn(io::Error) -> LabError {
    move |error| LabError::Io {
        file,
        kind: error.kind(),
    }
}

/// Writes `dir/file`, whole or not at all, in the place of one that is there.
pub(crate) fn write(
    dir: &Path,
    file: &'static str,
    content: &str,
    access: Access,
) -> Result<(), LabError> {
    let failed = failed(file);
    let unfinished = dir.join(format!("{file}.new"));
    // Left behind by a run that was interrupted; its mode may be another.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut out = create(&unfinished, access).map_err(&failed)?;
    out.write_all(content.as_bytes()).map_err(&failed)?;
    out.sync_all().map_err(&failed)?;
    fs::rename(&unfinished, dir.join(file)).map_err(&failed)
}

fn create(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if access == Access::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    options.open(path)
}

/// Reads `dir/file`.
pub(crate) fn read(dir: &Path, file: &'static str) -> Result<Zeroizing<String>, LabError> {
    let failed = failed(file);
    let mut content = Zeroizing::new(String::new());
    File::open(dir.join(file))
        .and_then(|input| input.take(MAX_LEN).read_to_string(&mut content))
        .map_err(failed)?;
    Ok(content)
}
