use ringtrue_oob::Suite;
use ringtrue_stir::{TelephoneNumber, UnixTime};

use super::{CheckedStatement, Directory, MAX_SIGNERS, PutRefusal};
use crate::served::ServedKeys;

fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

fn statement(signer: u8, seq: u64, iat: u64, exp: u64) -> CheckedStatement {
    let mut digest = [signer; 32];
    digest[..8].copy_from_slice(&seq.to_be_bytes());
    CheckedStatement {
        text: format!("statement-{signer}-{seq}"),
        signer: [signer; 32],
        digest,
        seq,
        iat: at(iat),
        exp: at(exp),
        suites: vec![Suite::S1],
    }
}

fn texts(directory: &Directory, now: u64) -> Vec<&str> {
    directory
        .live(&number("1"), at(now))
        .into_iter()
        .map(|statement| statement.text.as_str())
        .collect()
}

#[test]
fn one_statement_per_signer_and_only_a_higher_sequence_replaces_it() {
    let mut directory = Directory::new(1 << 20);
    let n = number("1");
    assert_eq!(directory.put(&n, statement(1, 5, 10, 1000), at(10)), Ok(()));
    let mut other = statement(1, 5, 11, 1000);
    other.digest = [9; 32];
    assert_eq!(
        directory.put(&n, other, at(11)),
        Err(PutRefusal::Superseded)
    );
    assert_eq!(
        directory.put(&n, statement(1, 4, 12, 1000), at(12)),
        Err(PutRefusal::Superseded)
    );
    assert_eq!(texts(&directory, 12), ["statement-1-5"]);
    assert_eq!(directory.put(&n, statement(1, 6, 13, 1000), at(13)), Ok(()));
    assert_eq!(directory.put(&n, statement(2, 1, 12, 1000), at(13)), Ok(()));
    assert_eq!(texts(&directory, 13), ["statement-1-6", "statement-2-1"]);
    assert_eq!(directory.len(), 2);
}

#[test]
fn the_same_payload_again_is_accepted_and_the_first_stays() {
    let mut directory = Directory::new(1 << 20);
    let n = number("1");
    directory
        .put(&n, statement(1, 5, 10, 1000), at(10))
        .unwrap();
    let mut again = statement(1, 5, 10, 1000);
    again.text = "other encoding".into();
    assert_eq!(directory.put(&n, again, at(11)), Ok(()));
    assert_eq!(texts(&directory, 11), ["statement-1-5"]);
}

#[test]
fn a_statement_dies_at_exp_and_its_sequence_is_remembered_for_a_day() {
    let mut directory = Directory::new(1 << 20);
    let n = number("1");
    directory
        .put(&n, statement(1, 5, 10, 1000), at(10))
        .unwrap();
    assert_eq!(texts(&directory, 999).len(), 1);
    assert!(texts(&directory, 1000).is_empty());
    assert_eq!(
        directory.put(&n, statement(1, 3, 2000, 9000), at(2000)),
        Err(PutRefusal::Superseded)
    );
    let later = 1000 + 86_400;
    directory.forget_ended(at(later - 1));
    assert_eq!(directory.len(), 1);
    assert_eq!(
        directory.put(&n, statement(1, 3, later, later + 9), at(later)),
        Ok(())
    );
    assert_eq!(directory.len(), 1);
}

#[test]
fn at_most_eight_are_answered_newest_first_and_later_arrival_breaks_ties() {
    let mut directory = Directory::new(1 << 20);
    let n = number("1");
    for signer in 0..10 {
        let iat = if signer < 2 {
            50
        } else {
            10 + u64::from(signer)
        };
        directory
            .put(&n, statement(signer, 1, iat, 1000), at(60))
            .unwrap();
    }
    let texts = texts(&directory, 60);
    assert_eq!(texts.len(), 8);
    assert_eq!(
        &texts[..3],
        ["statement-1-1", "statement-0-1", "statement-9-1"]
    );
    assert!(!texts.contains(&"statement-2-1"));
}

#[test]
fn signers_and_memory_are_bounded_and_other_numbers_stay() {
    let mut directory = Directory::new(20_000);
    let n = number("1");
    for signer in 0..u8::try_from(MAX_SIGNERS).unwrap() {
        directory
            .put(&n, statement(signer, 1, 10, 1000), at(10))
            .unwrap();
    }
    assert_eq!(
        directory.put(&n, statement(99, 1, 10, 1000), at(10)),
        Err(PutRefusal::Full)
    );
    let mut large = statement(1, 1, 10, 1000);
    large.text = "x".repeat(16_000);
    assert_eq!(
        directory.put(&number("2"), large, at(10)),
        Err(PutRefusal::Full)
    );
    assert_eq!(directory.live(&n, at(10)).len(), 8);
    directory.forget_ended(at(1_000_000));
    assert_eq!((directory.len(), directory.bytes), (0, 0));
}

#[test]
fn what_is_served_follows_the_live_statements_into_the_future() {
    let mut directory = Directory::new(1 << 20);
    let n = number("1");
    let keys = |suites: &[Suite]| ServedKeys::from_keys(suites.iter().copied());
    assert_eq!(
        directory.served(&n, at(5)),
        [(at(5), ServedKeys::default())]
    );
    directory
        .put(&n, statement(1, 1, 10, 1000), at(10))
        .unwrap();
    let mut two = statement(2, 1, 11, 500);
    two.suites = vec![Suite::S2, Suite::S1];
    directory.put(&n, two, at(11)).unwrap();
    assert_eq!(
        directory.served(&n, at(12)),
        [
            (at(12), keys(&[Suite::S1, Suite::S1, Suite::S2])),
            (at(500), keys(&[Suite::S1])),
            (at(1000), ServedKeys::default()),
        ]
    );
}
