//! How the command ends.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use ringtrue::Reason;

/// The exit status: a documented contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: verified or confirmed; stored; done.
    Good,
    /// 1: could not be done.
    Failed,
    /// 2: wrong usage.
    Usage,
    /// 3: any other verdict.
    OtherVerdict,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::OtherVerdict => 3,
        })
    }
}

/// Why the command could not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file could not be read or written.
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    /// A configuration file is damaged; the text says where.
    Configuration { path: PathBuf, detail: String },
    /// The lab could not be made or opened.
    #[cfg(feature = "full")]
    Lab(ringtrue_lab::LabError),
    /// The SDK or the service says no.
    Reason { what: &'static str, reason: Reason },
    /// The operating system says no.
    System {
        what: &'static str,
        error: std::io::Error,
    },
}

impl Failure {
    /// Says what failed with `reason`.
    pub(crate) const fn of(what: &'static str) -> impl Fn(Reason) -> Self {
        move |reason| Self::Reason { what, reason }
    }

    /// Says what the system refused.
    pub(crate) const fn system(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::System { what, error }
    }

    /// The stable name of what failed, as it stands in JSON.
    #[cfg(feature = "full")]
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Configuration { .. } => Reason::ConfigurationInvalid.name(),
            #[cfg(feature = "full")]
            Self::Lab(_) => "lab",
            Self::Reason { reason, .. } => reason.name(),
            Self::System { .. } => "system",
        }
    }

    /// A number or name that cannot be right is the caller's mistake, not the world's.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Reason {
                reason: Reason::MalformedNumber | Reason::MalformedUrl | Reason::NumberNotOwned,
                ..
            } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Configuration { path, detail } => write!(f, "{}: {detail}", path.display()),
            #[cfg(feature = "full")]
            Self::Lab(error) => write!(f, "lab: {error}"),
            Self::Reason { what, reason } => {
                write!(
                    f,
                    "{what}: {reason} ({}, {})",
                    reason.name(),
                    reason.number()
                )
            }
            Self::System { what, error } => write!(f, "{what}: {error}"),
        }
    }
}
