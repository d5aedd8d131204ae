//! What a build made, from the lines that cargo prints for programs (`--message-format json`).
//!
//! It deliberately reads the few members that it wants by their names: cargo writes one object per line,
//! and xtask has no dependencies.

use std::path::{Path, PathBuf};

/// A program with tests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    /// The package that the tests are of.
    pub(super) package: String,
    /// The package's folder, in which cargo starts its tests.
    pub(super) folder: PathBuf,
    pub(super) path: PathBuf,
}

/// Everything a build made that is of use here.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Artefacts {
    pub(super) programs: Vec<Program>,
    /// The static library of the C interface.
    pub(super) library: Option<PathBuf>,
}

/// The file name of the C interface's static library.
const LIBRARY: &str = "libringtrue.a";

impl Artefacts {
    /// Reads what cargo printed; lines that say something else are passed over.
    pub(super) fn read(lines: &str) -> Self {
        let mut made = Self::default();
        for line in lines.lines() {
            if let Some(program) = program(line) {
                made.programs.push(program);
            }
            let file = values(line).find(|value| value.ends_with(&format!("/{LIBRARY}")));
            if let Some(file) = file {
                made.library = Some(PathBuf::from(file));
            }
        }
        made
    }
}

fn program(line: &str) -> Option<Program> {
    let path = member(line, "executable")?;
    let manifest = member(line, "manifest_path")?;
    // `path+file:///…/core/stir#ringtrue-stir@0.1.0`
    let (_, id) = member(line, "package_id")?.rsplit_once('#')?;
    let (package, _) = id.split_once('@')?;
    Some(Program {
        package: package.to_owned(),
        folder: Path::new(manifest).parent()?.to_path_buf(),
        path: PathBuf::from(path),
    })
}

/// The text that is a member's value.
fn member<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value)
}

/// Everything between quotation marks, and between those.
fn values(line: &str) -> impl Iterator<Item = &str> {
    line.split('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/core/stir#ringtrue-stir@0.1.0","manifest_path":"/w/core/stir/Cargo.toml","target":{"kind":["test"],"name":"rules"},"filenames":["/t/debug/deps/rules-07"],"executable":"/t/debug/deps/rules-07","fresh":true}"#;
    const RUST: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/core/stir#ringtrue-stir@0.1.0","manifest_path":"/w/core/stir/Cargo.toml","filenames":["/t/debug/libringtrue_stir.rlib"],"executable":null,"fresh":true}"#;
    const C: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/bindings/c#ringtrue-c@0.1.0","manifest_path":"/w/bindings/c/Cargo.toml","filenames":["/t/debug/libringtrue.so","/t/debug/libringtrue.a"],"executable":null,"fresh":true}"#;

    #[test]
    fn finds_programs_and_the_library() {
        let made = Artefacts::read(&[TEST, RUST, C].join("\n"));
        let program = Program {
            package: "ringtrue-stir".to_owned(),
            folder: PathBuf::from("/w/core/stir"),
            path: PathBuf::from("/t/debug/deps/rules-07"),
        };
        assert_eq!(made.programs, [program]);
        assert_eq!(made.library, Some(PathBuf::from("/t/debug/libringtrue.a")));
    }

    #[test]
    fn other_lines_make_nothing() {
        let lines = "\nwarning: unused\n{\"reason\":\"build-finished\",\"success\":true}\n{\"executable\":\"";
        assert_eq!(Artefacts::read(lines), Artefacts::default());
        assert_eq!(Artefacts::read(RUST), Artefacts::default());
    }
}
