//! The pieces of code in a guide, so that each can be compiled.
//!
//! A comment in the line before a piece says what it is: `<!-- file: NAME -->` a whole file of the quick
//! start, `<!-- apple -->` for Apple's systems alone. Without one it is the body of a function.

use std::fs;
use std::path::Path;

use crate::process::Stop;

/// One piece of code.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Snippet {
    /// Only to be type-checked.
    Apple { text: String },
    /// To be compiled as the body of a function.
    Body { text: String },
    /// A file of the quick start.
    File { name: String, text: String },
}

/// The pieces of one guide in one language.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Guide {
    pub(crate) snippets: Vec<Snippet>,
}

impl Guide {
    /// Reads the pieces in `language` from a Markdown file.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the file cannot be read or has no such piece.
    pub(crate) fn read(path: &Path, language: &str) -> Result<Self, Stop> {
        let text = fs::read_to_string(path)
            .map_err(|fault| Stop::Failed(format!("{}: {fault}", path.display())))?;
        let guide = Self::parse(&text, language);
        if guide.snippets.is_empty() {
            return Err(Stop::Failed(format!("{} has no code", path.display())));
        }
        Ok(guide)
    }

    fn parse(text: &str, language: &str) -> Self {
        let mut snippets = Vec::new();
        let mut mark = "";
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.strip_prefix("```") == Some(language) {
                let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                let text = code.join("\n") + "\n";
                snippets.push(match mark.split_once(": ") {
                    Some(("file", name)) => Snippet::File {
                        name: name.to_owned(),
                        text,
                    },
                    _ if mark == "apple" => Snippet::Apple { text },
                    _ => Snippet::Body { text },
                });
            }
            mark = line
                .strip_prefix("<!-- ")
                .and_then(|line| line.strip_suffix(" -->"))
                .unwrap_or_default();
        }
        Self { snippets }
    }
}

#[cfg(test)]
mod tests {
    use super::{Guide, Snippet};

    #[test]
    fn pieces_are_told_apart_by_the_comment_before_them() {
        let text = "a\n<!-- file: Sources/main.swift -->\n```swift\none\ntwo\n```\n```sh\nno\n```\n\
                    <!-- apple -->\n```swift\nthree\n```\n<!-- apple -->\n\n```swift\nfour\n```\n";
        let piece = |text: &str| text.to_owned();
        let expected = [
            Snippet::File {
                name: piece("Sources/main.swift"),
                text: piece("one\ntwo\n"),
            },
            Snippet::Apple {
                text: piece("three\n"),
            },
            Snippet::Body {
                text: piece("four\n"),
            },
        ];
        assert_eq!(Guide::parse(text, "swift").snippets, expected);
    }
}
