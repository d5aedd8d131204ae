//! A service fetches nothing: what it is told has to come with everything that is needed to check it.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Whatever connects or fetches has one of these names. A service uses none of them, so no key
/// statement, token or blob can make it ask a host of a stranger's choice. The relay, which is another
/// service, connects to the gateways of its configuration and has the one name for that.
#[test]
fn a_service_names_nothing_that_connects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("Cargo.toml")];
    sources(&root.join("src"), &mut found);
    assert!(found.len() > 20, "the sources were found");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("[dev-dependencies]").next().unwrap_or_default();
        let is_relay = path
            .file_name()
            .is_some_and(|name| name == "relay.rs" || name == "relay_service.rs");
        for name in [
            "Fetcher",
            "FetchSettings",
            "HttpClient",
            "TcpStream::connect",
            "TcpSocket",
            "reqwest",
            "ringtrue-session",
        ] {
            let is_forwarding = is_relay && name == "HttpClient";
            assert!(
                !text.contains(name) || is_forwarding,
                "{} names {name}",
                path.display()
            );
        }
    }
}
