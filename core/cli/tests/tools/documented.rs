//! The examples of `docs/command.md` give what it says.

use std::path::Path;
use std::process::Command;

use crate::vectors;

/// The arguments of a line, with double quotes as a shell takes them.
fn arguments(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            arguments.push(part.to_owned());
        } else {
            arguments.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    arguments
}

#[test]
fn every_example_of_the_documentation_gives_what_it_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command.md");
    let text = std::fs::read_to_string(file).unwrap();
    let mut examples = 0;
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for example in block.split("$ ringtrue ").skip(1) {
            let (line, expected) = example.split_once('\n').unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
                .args(arguments(line))
                .current_dir(vectors("stir-constructed"))
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                expected,
                "{line}"
            );
            examples += 1;
        }
    }
    assert!(examples >= 8, "{examples}");
}
