//! The folder that `lab init` writes.
#![cfg(test)]

use core::time::Duration;
use std::fs;
use std::path::Path;

use ringtrue_lab::{DEFAULT_BASE_URL, Lab, LabConfig, LabError, LabOptions};
use ringtrue_stir::certificate::{CertificateBag, Profile, TrustAnchors, verify_path};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use tempfile::TempDir;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

fn numbers(texts: &[&str]) -> Vec<TelephoneNumber> {
    texts.iter().map(|text| number(text)).collect()
}

fn create(texts: &[&str]) -> (TempDir, Lab) {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::create(dir.path(), &numbers(texts), &LabOptions::default(), NOW).unwrap();
    (dir, lab)
}

fn read(lab: &Lab, file: &str) -> String {
    fs::read_to_string(lab.dir().join(file)).unwrap()
}

/// Whether the credential of `text`, as it lies in the folder, speaks for it.
fn verify(lab: &Lab, text: &str, at: UnixTime) -> Result<(), Reason> {
    let anchors = TrustAnchors::from_pem(&lab.anchor_pem().unwrap())?;
    let bag = lab.credential(&number(text)).unwrap().bag()?;
    let signer = &bag.certificates()[0];
    let profile = Profile::from(lab.config().policy.profile);
    verify_path(&RustCrypto, signer, &bag, &anchors, at, profile)?.require_covered(&number(text))
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn create_writes_every_file_and_nothing_else() {
    let (_dir, lab) = create(&["12025550143", "442079460018"]);
    let expected = [
        "12025550143",
        "442079460018",
        "ca.key",
        "ca.pem",
        "lab.toml",
        "root.key",
        "root.pem",
        "tls-root.pem",
        "tls.key",
        "tls.pem",
    ];
    assert_eq!(files(lab.dir()), expected);
    for text in ["12025550143", "442079460018"] {
        assert_eq!(
            files(&lab.number_dir(&number(text))),
            ["chain.pem", "key.pem"]
        );
        assert_eq!(verify(&lab, text, NOW), Ok(()));
    }
    assert_eq!(
        lab.numbers().unwrap(),
        numbers(&["12025550143", "442079460018"])
    );
    assert!(lab.state_dir(&number("1")).ends_with("1/state"));
}

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_dir, lab) = create(&["12025550143"]);
    lab.add_numbers(&numbers(&["12025550143"]), NOW).unwrap();
    for file in ["root.key", "ca.key", "tls.key", "12025550143/key.pem"] {
        let mode = fs::metadata(lab.dir().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        assert!(
            read(&lab, file).starts_with("-----BEGIN PRIVATE KEY-----\n"),
            "{file}"
        );
    }
}

#[test]
fn certificate_files_hold_no_private_key() {
    let (_dir, lab) = create(&["12025550143"]);
    for (file, count) in [
        ("root.pem", 1),
        ("ca.pem", 1),
        ("tls-root.pem", 1),
        ("tls.pem", 1),
        ("12025550143/chain.pem", 2),
    ] {
        let text = read(&lab, file);
        assert!(!text.contains("PRIVATE"), "{file}");
        let bag = CertificateBag::from_pem(&text).unwrap();
        assert_eq!(bag.certificates().len(), count, "{file}");
    }
    let chain = read(&lab, "12025550143/chain.pem");
    assert!(chain.ends_with(&read(&lab, "ca.pem")));
}

#[test]
fn the_configuration_has_the_defaults_and_is_read_back() {
    let (dir, lab) = create(&["12025550143"]);
    assert_eq!(lab.config(), &LabConfig::default());
    assert_eq!(lab.config().base_url, DEFAULT_BASE_URL);
    assert_eq!(Lab::open(dir.path()), Ok(lab.clone()));
    assert!(read(&lab, "lab.toml").contains("allow_loopback = true"));
}

#[test]
fn create_refuses_a_folder_with_a_lab_and_changes_nothing() {
    let (dir, lab) = create(&["12025550143"]);
    let before = read(&lab, "root.key");
    let again = Lab::create(dir.path(), &numbers(&["1"]), &LabOptions::default(), NOW);
    assert_eq!(again, Err(LabError::Exists));
    // An interrupted run leaves no lab.toml but may leave a key that somebody uses already.
    fs::remove_file(dir.path().join("lab.toml")).unwrap();
    let again = Lab::create(dir.path(), &numbers(&["1"]), &LabOptions::default(), NOW);
    assert_eq!(again, Err(LabError::Exists));
    assert_eq!(read(&lab, "root.key"), before);
}

#[test]
fn overwriting_makes_new_keys_and_keeps_state() {
    let (dir, lab) = create(&["12025550143"]);
    let before = (read(&lab, "root.pem"), read(&lab, "12025550143/key.pem"));
    let state = lab.state_dir(&number("12025550143"));
    fs::create_dir(&state).unwrap();
    let options = LabOptions {
        overwrite: true,
        ..LabOptions::default()
    };
    let lab = Lab::create(dir.path(), &numbers(&["12025550143"]), &options, NOW).unwrap();
    assert_ne!(read(&lab, "root.pem"), before.0);
    assert_ne!(read(&lab, "12025550143/key.pem"), before.1);
    assert!(state.exists());
    assert_eq!(verify(&lab, "12025550143", NOW), Ok(()));
}

#[test]
fn a_number_of_a_known_block_leaves_the_intermediate_as_it_is() {
    let (_dir, lab) = create(&["12025550143"]);
    let before = (read(&lab, "root.pem"), read(&lab, "ca.pem"));
    lab.add_numbers(&numbers(&["12025550199"]), NOW).unwrap();
    assert_eq!((read(&lab, "root.pem"), read(&lab, "ca.pem")), before);
    assert_eq!(verify(&lab, "12025550199", NOW), Ok(()));
}

#[test]
fn a_number_of_another_block_renews_the_intermediate_and_the_old_ones_stay_good() {
    let (_dir, lab) = create(&["12025550143"]);
    let root = (
        read(&lab, "root.pem"),
        read(&lab, "root.key"),
        read(&lab, "ca.key"),
    );
    let (ca, tls) = (read(&lab, "ca.pem"), read(&lab, "tls.pem"));
    lab.add_numbers(&numbers(&["442079460018", "*67"]), NOW)
        .unwrap();
    assert_eq!(
        (
            read(&lab, "root.pem"),
            read(&lab, "root.key"),
            read(&lab, "ca.key")
        ),
        root
    );
    assert_ne!(read(&lab, "ca.pem"), ca);
    assert_eq!(read(&lab, "tls.pem"), tls);
    for text in ["12025550143", "442079460018", "*67"] {
        assert_eq!(verify(&lab, text, NOW), Ok(()), "{text}");
    }
    // The renewed one holds the first block still.
    let ca = read(&lab, "ca.pem");
    lab.add_numbers(&numbers(&["12025550144"]), NOW).unwrap();
    assert_eq!(read(&lab, "ca.pem"), ca);
    assert_eq!(verify(&lab, "12025550144", NOW), Ok(()));
}

#[test]
fn adding_a_number_again_renews_its_certificate_with_the_same_key() {
    let (_dir, lab) = create(&["12025550143"]);
    let key = read(&lab, "12025550143/key.pem");
    let (chain, tls) = (read(&lab, "12025550143/chain.pem"), read(&lab, "tls.pem"));
    let later = NOW.plus(DAY * 350);
    assert_eq!(
        verify(&lab, "12025550143", later),
        Err(Reason::CertificateExpired)
    );
    lab.add_numbers(&numbers(&["12025550143"]), later).unwrap();
    assert_eq!(read(&lab, "12025550143/key.pem"), key);
    assert_ne!(read(&lab, "12025550143/chain.pem"), chain);
    assert_ne!(read(&lab, "tls.pem"), tls);
    assert_eq!(verify(&lab, "12025550143", later), Ok(()));
    // The intermediate, of which 16 days were left, was renewed with it.
    assert_eq!(verify(&lab, "12025550143", later.plus(DAY * 89)), Ok(()));
}

#[test]
fn open_and_credential_say_what_is_missing_or_damaged() {
    let empty = tempfile::tempdir().unwrap();
    let kind = std::io::ErrorKind::NotFound;
    let found = Lab::open(empty.path());
    assert_eq!(
        found,
        Err(LabError::Io {
            file: "lab.toml",
            kind
        })
    );

    let (_dir, lab) = create(&["12025550143"]);
    let found = lab.credential(&number("12025550144")).err();
    assert_eq!(found, Some(LabError::UnknownNumber));

    fs::write(
        lab.number_dir(&number("12025550143")).join("key.pem"),
        "none",
    )
    .unwrap();
    let error = lab.credential(&number("12025550143")).unwrap_err();
    let reason = Reason::MalformedPem;
    assert_eq!(
        error,
        LabError::Damaged {
            file: "key.pem",
            reason
        }
    );
    assert!(!error.to_string().contains("2025"), "{error}");

    fs::write(lab.dir().join("root.key"), read(&lab, "root.pem")).unwrap();
    assert!(matches!(
        lab.authority().unwrap_err(),
        LabError::Damaged {
            file: "root.key",
            ..
        }
    ));
    fs::write(lab.dir().join("lab.toml"), "base_url = 7").unwrap();
    assert_eq!(Lab::open(lab.dir()), Err(LabError::Configuration));
}

#[test]
fn a_lab_without_numbers_or_with_a_bad_configuration_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("lab");
    let found = Lab::create(&target, &[], &LabOptions::default(), NOW);
    assert_eq!(found, Err(LabError::Issuing(Reason::MalformedTnAuthList)));
    let mut options = LabOptions::default();
    options.config.base_url = "http://localhost".to_owned();
    let found = Lab::create(&target, &numbers(&["1"]), &options, NOW);
    assert_eq!(found, Err(LabError::Configuration));
    assert!(!target.exists());
}

#[test]
fn the_authority_of_a_lab_issues_more_credentials() {
    let (_dir, lab) = create(&["12025550143"]);
    let impostor = number("12025550150");
    let credential = lab
        .authority()
        .unwrap()
        .issue_number(&impostor, NOW)
        .unwrap();
    let anchors = TrustAnchors::from_pem(&lab.anchor_pem().unwrap()).unwrap();
    let bag = credential.bag().unwrap();
    let signer = &bag.certificates()[0];
    let path = verify_path(&RustCrypto, signer, &bag, &anchors, NOW, Profile::Delegate).unwrap();
    assert_eq!(path.require_covered(&impostor), Ok(()));
    assert_eq!(lab.numbers().unwrap(), numbers(&["12025550143"]));
    let tls = lab.tls_identity().unwrap();
    assert_eq!(tls.chain_pem, read(&lab, "tls.pem"));
    assert_eq!(tls.root_pem, read(&lab, "tls-root.pem"));
}
