//! Generates the Kotlin, Swift and Python bindings with the generator of exactly the version that
//! the shared library is built with.

use std::fs;
use std::path::{Path, PathBuf};

use crate::options::{BindingsOptions, Language};
use crate::process::Stop;
use crate::workspace::Workspace;

/// `cargo xtask bindings`: the shared library and the binding for it, side by side in one folder.
///
/// # Errors
///
/// [`Stop::Failed`] if a build or the generator fails, or the folder cannot be written.
pub(crate) fn command(workspace: &mut Workspace, options: &BindingsOptions) -> Result<(), Stop> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", "ringtrue-uniffi", "--lib"]);
    if options.release {
        cargo.arg("--release");
    }
    workspace.run(&mut cargo)?;
    let profile = if options.release { "release" } else { "debug" };
    let library = library(workspace, profile);
    // The caller's folder, not the checkout's.
    let out = std::path::absolute(&options.out).map_err(|fault| unusable(&options.out, &fault))?;
    generate(workspace, &library, options.language, &out)?;
    println!(
        "{} binding and {} are in {}",
        options.language.name(),
        file_name(),
        out.display()
    );
    Ok(())
}

/// Generates the binding that the tests of `language` use, from the library that the tests built.
///
/// # Errors
///
/// [`Stop::Failed`] if a build or the generator fails.
pub(crate) fn for_tests(workspace: &mut Workspace, language: Language) -> Result<PathBuf, Stop> {
    workspace.build()?;
    let out = workspace.binding(language);
    let library = library(workspace, "debug");
    generate(workspace, &library, language, &out)?;
    Ok(out)
}

fn generate(
    workspace: &mut Workspace,
    library: &Path,
    language: Language,
    out: &Path,
) -> Result<(), Stop> {
    let generator = workspace.generator()?;
    fs::create_dir_all(out).map_err(|fault| unusable(out, &fault))?;
    let mut command = workspace.command(generator);
    command.args([
        "generate",
        "--no-format",
        "--language",
        language.name(),
        "--out-dir",
    ]);
    command.arg(out).arg(library);
    workspace.run(&mut command)?;
    match language {
        Language::Kotlin => check_checksums(&out.join("io/ringtrue/ringtrue.kt"), KOTLIN)?,
        Language::Python => check_checksums(&out.join("ringtrue.py"), PYTHON)?,
        Language::Swift => tell_whether_it_fits(out)?,
    }
    // Python loads the library from beside its module, the JVM from `jna.library.path`.
    let beside = out.join(file_name());
    fs::copy(library, &beside).map_err(|fault| unusable(&beside, &fault))?;
    Ok(())
}

/// What the generator writes for Kotlin before it would use the library, and the same with the comparison.
const KOTLIN: &[[&str; 2]] = &[[
    "\n        Native.register(UniffiLib::class.java,",
    "\n        IntegrityCheckingUniffiLib.ensureInitialized()\
     \n        Native.register(UniffiLib::class.java,",
]];

/// What the generator writes for Python, and as it has to be: the comparison, which it leaves out; what is
/// raised where the library is missing or another one, which otherwise has neither code nor name and is no
/// `ImportError`; and an interpreter that does not end while a thread of the library is in Python, as the one
/// that tells of an endpoint's end: such a thread ends the process with a signal when it goes on.
const PYTHON: &[[&str; 2]] = &[
    [
        "\
def _uniffi_continuation_callback(future_ptr, poll_code):
    (eventloop, future) = _UniffiContinuationHandleMap.remove(future_ptr)
    eventloop.call_soon_threadsafe(_uniffi_set_future_result, future, poll_code)
",
        "\
def _uniffi_continuation_callback(future_ptr, poll_code):
    thread = threading.get_ident()
    _RINGTRUE_TELLING.add(thread)
    try:
        (eventloop, future) = _UniffiContinuationHandleMap.remove(future_ptr)
        eventloop.call_soon_threadsafe(_uniffi_set_future_result, future, poll_code)
    finally:
        _RINGTRUE_TELLING.discard(thread)

_RINGTRUE_TELLING = set()

@atexit.register
def _ringtrue_let_threads_leave():
    # Bounded, as a forked process has not the threads that were there.
    for _ in range(2000):
        if not _RINGTRUE_TELLING:
            break
        time.sleep(0.001)
    # The way out of the callback itself.
    time.sleep(0.01)
",
    ],
    [
        "\nimport asyncio\n",
        "\nimport asyncio\nimport atexit\nimport time\n",
    ],
    [
        "\n# _uniffi_check_api_checksums(_UniffiLib)\n",
        "\n_uniffi_check_api_checksums(_UniffiLib)\n",
    ],
    [
        "\nclass InternalError(Exception):\n    pass\n",
        r#"
class InternalError(Exception):
    pass

class LibraryMismatch(ImportError):
    """The shared library beside this module is missing or another one. The module cannot be imported then."""

    code = 9101

    def __init__(self, found):
        super().__init__("library_mismatch (9101): %s" % found, name="library_mismatch")

class _RingTrueLibrary(ctypes.CDLL):
    def __init__(self, path):
        try:
            super().__init__(path)
        except OSError as error:
            raise LibraryMismatch("the library beside the module cannot be loaded") from error

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError as error:
            raise LibraryMismatch("the library lacks a function of this module") from error
"#,
    ],
    [
        "    lib = ctypes.cdll.LoadLibrary(path)\n",
        "    lib = _RingTrueLibrary(path)\n",
    ],
    [
        "raise InternalError(\"UniFFI contract version mismatch: try cleaning and rebuilding your project\")",
        "raise LibraryMismatch(\"the library has another contract version\")",
    ],
    [
        "raise InternalError(\"UniFFI API checksum mismatch: try cleaning and rebuilding your project\")",
        "raise LibraryMismatch(\"a function of the library has another checksum\")",
    ],
];

/// Lets a binding compare the interface with the library's when it is loaded: the generator writes that
/// comparison for every language, and of its own accord only Swift makes it.
fn check_checksums(binding: &Path, changes: &[[&str; 2]]) -> Result<(), Stop> {
    let mut text = fs::read_to_string(binding).map_err(|fault| unusable(binding, &fault))?;
    for [written, changed] in changes {
        if !text.contains(written) {
            return Err(Stop::Failed(format!(
                "{}: no place for the comparison of checksums; look at what the generator writes",
                binding.display()
            )));
        }
        text = text.replace(written, changed);
    }
    fs::write(binding, text).map_err(|fault| unusable(binding, &fault))
}

/// Lets the Swift package ask whether the library is the one that the file was generated for: the generated code itself
/// would end the process at its first call.
fn tell_whether_it_fits(out: &Path) -> Result<(), Stop> {
    const COMPARED: &str = "\nprivate let initializationResult: InitializationResult = {";
    const ASKED: &str = "
/// Whether the library that is loaded is the one that this file was generated for. Nothing else here may be used if it is not.
public func ringTrueFFIFitsItsLibrary() -> Bool {
    if case .ok = initializationResult { return true }
    return false
}
";
    let module = out.join("RingTrueFFI.swift");
    let text = fs::read_to_string(&module).map_err(|fault| unusable(&module, &fault))?;
    if !text.contains(COMPARED) {
        return Err(Stop::Failed(format!(
            "{}: no comparison of checksums; look at what the generator writes",
            module.display()
        )));
    }
    fs::write(&module, text + ASKED).map_err(|fault| unusable(&module, &fault))
}

fn library(workspace: &Workspace, profile: &str) -> PathBuf {
    workspace.target(profile).join(file_name())
}

/// The shared library's file name on this machine.
fn file_name() -> String {
    format!(
        "{}ringtrue_ffi{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

fn unusable(path: &Path, fault: &std::io::Error) -> Stop {
    Stop::Failed(format!("{}: {fault}", path.display()))
}
