//! The platforms that the project is built for besides the one at hand, and what each needs.
//!
//! `docs/targets.md` says what was built and what was run where.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Stop};

/// A platform whose programs run here, under emulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Emulated {
    /// Rust's name of it.
    pub(crate) triple: &'static str,
    /// Debian's prefix of the cross tools, which is also the folder of the platform's libraries.
    pub(crate) gnu: &'static str,
    /// Debian's name of the architecture.
    pub(crate) debian: &'static str,
    /// The emulator of one process.
    pub(crate) emulator: &'static str,
    /// Debian's packages of compiler, C library and emulator.
    pub(crate) packages: [&'static str; 3],
}

/// A platform whose tools are not free to be had: its Rust code is checked, its C code is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Checked {
    /// Rust's name of it.
    pub(crate) triple: &'static str,
    /// What it is, for people.
    pub(crate) about: &'static str,
}

/// The most frequent processor of small adapters: 32 bits.
pub(crate) const ARMV7: Emulated = Emulated {
    triple: "armv7-unknown-linux-gnueabihf",
    gnu: "arm-linux-gnueabihf",
    debian: "armhf",
    emulator: "qemu-arm",
    packages: [
        "gcc-arm-linux-gnueabihf",
        "libc6-dev-armhf-cross",
        "qemu-user",
    ],
};

/// Larger adapters, small servers.
const AARCH64: Emulated = Emulated {
    triple: "aarch64-unknown-linux-gnu",
    gnu: "aarch64-linux-gnu",
    debian: "arm64",
    emulator: "qemu-aarch64",
    packages: [
        "gcc-aarch64-linux-gnu",
        "libc6-dev-arm64-cross",
        "qemu-user",
    ],
};

/// In the order in which they are tested.
pub(crate) const EMULATED: [Emulated; 2] = [ARMV7, AARCH64];

/// The four Android ABIs, and the Apple slices.
pub(crate) const CHECKED: [Checked; 7] = [
    Checked {
        triple: "aarch64-linux-android",
        about: "Android arm64-v8a",
    },
    Checked {
        triple: "armv7-linux-androideabi",
        about: "Android armeabi-v7a",
    },
    Checked {
        triple: "x86_64-linux-android",
        about: "Android x86_64",
    },
    Checked {
        triple: "i686-linux-android",
        about: "Android x86",
    },
    Checked {
        triple: "aarch64-apple-ios",
        about: "iOS device",
    },
    Checked {
        triple: "aarch64-apple-ios-sim",
        about: "iOS simulator on Apple silicon",
    },
    Checked {
        triple: "x86_64-apple-ios",
        about: "iOS simulator on Intel",
    },
];

/// The compiler's name of the platform at hand.
///
/// # Errors
///
/// [`Stop::Failed`] if it does not say.
pub(crate) fn host() -> Result<String, Stop> {
    let rustc = process::ask(Command::new("rustc").arg("-vV"));
    rustc
        .as_deref()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")))
        .map(str::to_owned)
        .ok_or_else(|| Stop::Failed("rustc does not say what it builds for".to_owned()))
}

/// All names, emulated ones first.
pub(crate) fn names() -> Vec<&'static str> {
    EMULATED
        .iter()
        .map(|target| target.triple)
        .chain(CHECKED.iter().map(|target| target.triple))
        .collect()
}

impl Emulated {
    /// The C compiler, which links too.
    pub(crate) fn compiler(&self) -> String {
        format!("{}-gcc", self.gnu)
    }

    /// A program of the cross binutils, such as `strip`.
    pub(crate) fn tool(&self, name: &str) -> String {
        format!("{}-{name}", self.gnu)
    }

    /// Where Debian's cross tools have the platform's libraries.
    pub(crate) fn libraries(&self) -> PathBuf {
        Path::new("/usr").join(self.gnu)
    }

    /// Starts a program of the platform, with the libraries below `root`.
    pub(crate) fn emulated(&self, root: &Path, program: &Path) -> Command {
        let mut command = Command::new(self.emulator);
        command.arg("-L").arg(root).arg(program);
        command
    }

    /// The name of one of cargo's settings for this target, as environment variable.
    pub(crate) fn setting(&self, name: &str) -> String {
        let triple = self.triple.to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{triple}_{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_as_cargo_reads_them() {
        assert_eq!(
            ARMV7.setting("LINKER"),
            "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER"
        );
        assert_eq!(ARMV7.libraries(), Path::new("/usr/arm-linux-gnueabihf"));
        assert_eq!(ARMV7.tool("strip"), "arm-linux-gnueabihf-strip");
    }

    #[test]
    fn no_target_is_named_twice() {
        let mut all = names();
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
