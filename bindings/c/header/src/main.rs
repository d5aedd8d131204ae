//! Writes `include/ringtrue.h` from the sources of the C interface; with `--check` only compares.
//!
//! `cargo xtask bindings --language c` runs it.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Names of structures in Rust and in C.
const NAMES: [(&str, &str); 14] = [
    ("Action", "ringtrue_action"),
    ("Check", "ringtrue_check"),
    ("ClientHandle", "ringtrue_client"),
    ("Config", "ringtrue_config"),
    ("Header", "ringtrue_header"),
    ("Http", "ringtrue_http"),
    ("Octets", "ringtrue_octets"),
    ("Outcome", "ringtrue_outcome"),
    ("Record", "ringtrue_record"),
    ("ResultCode", "ringtrue_result"),
    ("SessionHandle", "ringtrue_session"),
    ("Text", "ringtrue_text"),
    ("Time", "ringtrue_time"),
    ("Verdict", "ringtrue_verdict"),
];

const SOURCES: [&str; 8] = [
    "src/types.rs",
    "src/code.rs",
    "src/abi/utility.rs",
    "src/abi/client.rs",
    "src/abi/begin.rs",
    "src/abi/drive.rs",
    "src/abi/input.rs",
    "src/allocator.rs",
];

const INTRODUCTION: &str = include_str!("introduction.txt");

const ALLOCATOR: &str = "
/* Only with the library's feature `host-allocator`: the firmware defines both, and all memory of the
 * library comes from them. Called from the threads that call the library, and from no other. */

/* Gives `size` octets aligned to `alignment`, a power of two, or NULL: then the process ends. */
void *ringtrue_host_alloc(size_t size, size_t alignment);
/* Takes back what `ringtrue_host_alloc` gave for the same size and alignment. */
void ringtrue_host_free(void *memory, size_t size, size_t alignment);
";

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match run(check) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!(
                "include/ringtrue.h is not what the sources say: cargo xtask bindings --language c"
            );
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(check: bool) -> Result<bool, Box<dyn Error>> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crate_root = own.parent().ok_or("no folder above")?;
    let reasons = crate_root.join("../../core/stir/src/reason.rs");
    let header = generate(crate_root, &std::fs::read_to_string(reasons)?)?;
    let place = crate_root.join("include/ringtrue.h");
    if check {
        return Ok(std::fs::read_to_string(place)? == header);
    }
    std::fs::write(place, header)?;
    Ok(true)
}

fn generate(crate_root: &Path, reasons: &str) -> Result<String, Box<dyn Error>> {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        cpp_compat: true,
        include_guard: Some("RINGTRUE_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        header: Some(INTRODUCTION.trim_end().to_owned()),
        after_includes: Some(reason_codes(reasons)?),
        trailer: Some(ALLOCATOR.trim().to_owned()),
        usize_is_size_t: true,
        style: cbindgen::Style::Both,
        documentation_style: cbindgen::DocumentationStyle::C99,
        line_length: 100,
        tab_width: 4,
        ..cbindgen::Config::default()
    };
    config.export.exclude = vec![
        "ringtrue_host_alloc".to_owned(),
        "ringtrue_host_free".to_owned(),
    ];
    for (rust, c) in NAMES {
        config.export.rename.insert(rust.to_owned(), c.to_owned());
    }
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(crate_root.join(source));
    }
    let mut text = Vec::new();
    builder.generate()?.write(&mut text);
    Ok(without_safety(&String::from_utf8(text)?))
}

/// Leaves out what the sources say to Rust alone: sections on safety, to the end of their comment.
fn without_safety(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut skipping = false;
    for line in text.lines() {
        skipping = line == "// # Safety" || (skipping && line.starts_with("//"));
        if line == "// # Safety" && kept.last() == Some(&"//") {
            kept.pop();
        }
        if !skipping {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

/// The registry's lines, `1001 Malformed MalformedNumber "malformed_number" "not …";`, as constants.
fn reason_codes(source: &str) -> Result<String, Box<dyn Error>> {
    let mut text = String::from("\n/* Reasons: the same numbers in every language. */\n");
    let mut count = 0;
    for line in source.lines() {
        let line = line.trim();
        if !line.starts_with(|first: char| first.is_ascii_digit()) || !line.ends_with(';') {
            continue;
        }
        let number = line.split(' ').next().ok_or("no number")?;
        let mut quoted = line.split('"');
        let (name, about) = (quoted.nth(1), quoted.nth(1));
        let (name, about) = (name.ok_or("no name")?, about.ok_or("no text")?);
        write!(
            text,
            "/* {about} */\n#define RINGTRUE_RESULT_{} {number}\n",
            name.to_uppercase()
        )?;
        count += 1;
    }
    if count == 0 {
        return Err("no reason found".into());
    }
    Ok(text)
}
