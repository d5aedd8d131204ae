//! What can go wrong with a lab's folder.

use std::io;

use ringtrue_stir::Reason;

/// Why a lab's folder could not be written or read.
///
/// Names a file by its kind, never a folder: those are telephone numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// `lab.toml` has members or values that it must not have.
    #[error("lab.toml is not valid")]
    Configuration,
    /// A file is not what the lab wrote.
    #[error("{file} is not what a lab wrote: {reason}")]
    Damaged {
        /// The file, `root.key` for example.
        file: &'static str,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The folder holds a lab already, which is not overwritten.
    #[error("the folder holds a lab already")]
    Exists,
    /// A file or folder could not be read or written.
    #[error("{file} could not be read or written: {kind}")]
    Io {
        /// The file, `root.key` for example.
        file: &'static str,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Issuing(Reason),
    /// The lab has no certificate for this number.
    #[error("the lab has no certificate for the number")]
    UnknownNumber,
}
