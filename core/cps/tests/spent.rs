//! The memory of spent tokens: PRV-32, threat T17. The same rules in memory and in a folder.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::path::Path;
use std::sync::Arc;

use ringtrue_cps::{SpentInFolder, SpentInMemory, SpentToken, SpentTokens};
use ringtrue_stir::{Reason, UnixTime};

const UNTIL: u64 = 1_800_000_120;

/// Token `number` of one of two keys; the second ends later.
fn token(key: u8, number: u32) -> SpentToken {
    let mut digest = [key; 32];
    for (to, from) in digest.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    SpentToken {
        digest,
        key_id: [key; 32],
        until: UnixTime::from_secs(UNTIL + u64::from(key)),
    }
}

fn both(folder: &Path, max: usize) -> [Arc<dyn SpentTokens>; 2] {
    [
        Arc::new(SpentInMemory::new(max)),
        Arc::new(SpentInFolder::open(folder, max).unwrap()),
    ]
}

#[test]
fn a_token_is_spent_once() {
    let folder = tempfile::tempdir().unwrap();
    for memory in both(folder.path(), 100) {
        assert_eq!(memory.spend(&[]), Ok(()));
        assert_eq!(memory.spend(&[token(1, 1)]), Ok(()));
        assert_eq!(memory.spend(&[token(1, 1)]), Err(Reason::TokenSpent));
        assert_eq!(memory.spend(&[token(2, 1)]), Ok(()));
        assert_eq!(memory.count(), 2);
    }
}

#[test]
fn tokens_are_spent_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    for memory in both(folder.path(), 100) {
        assert_eq!(memory.spend(&[token(1, 1), token(2, 1)]), Ok(()));
        let spent = Err(Reason::TokenSpent);
        assert_eq!(memory.spend(&[token(1, 2), token(2, 1)]), spent);
        assert_eq!(memory.spend(&[token(2, 2), token(1, 1)]), spent);
        assert_eq!(memory.spend(&[token(1, 3), token(1, 3)]), spent);
        // What came with a spent one was not spent by that.
        assert_eq!(
            memory.spend(&[token(1, 2), token(2, 2), token(1, 3)]),
            Ok(())
        );
        assert_eq!(memory.count(), 5);
    }
}

#[test]
fn the_memory_is_bounded_and_full_it_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for memory in both(folder.path(), 3) {
        assert_eq!(memory.spend(&[token(1, 1), token(2, 1)]), Ok(()));
        let full = Err(Reason::OverLimit);
        assert_eq!(memory.spend(&[token(1, 2), token(1, 3)]), full);
        assert_eq!(memory.spend(&[token(1, 2)]), Ok(()));
        assert_eq!(memory.spend(&[token(1, 3)]), full);
        // Room comes back with the end of a key.
        memory.tidy(UnixTime::from_secs(UNTIL + 1));
        assert_eq!(memory.count(), 1);
        assert_eq!(memory.spend(&[token(2, 2)]), Ok(()));
    }
}

#[test]
fn tokens_are_remembered_to_the_second_at_which_their_key_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    for memory in both(folder.path(), 100) {
        assert_eq!(memory.spend(&[token(1, 1), token(2, 1)]), Ok(()));
        memory.tidy(UnixTime::from_secs(UNTIL));
        assert_eq!(memory.spend(&[token(1, 1)]), Err(Reason::TokenSpent));
        memory.tidy(UnixTime::from_secs(UNTIL + 1));
        assert_eq!(memory.count(), 1);
        assert_eq!(memory.spend(&[token(2, 1)]), Err(Reason::TokenSpent));
    }
    // The file of the first key is gone, that of the second is not.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_outlasts_the_process_and_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let open = || SpentInFolder::open(folder.path(), 1000).unwrap();
    let one = open();
    for number in 0..100 {
        assert_eq!(one.spend(&[token(1, number)]), Ok(()));
    }
    let two = open();
    for number in 0..100 {
        assert_eq!(two.spend(&[token(1, number)]), Err(Reason::TokenSpent));
    }
    assert_eq!(two.spend(&[token(1, 100)]), Ok(()));
    assert_eq!(one.spend(&[token(1, 100)]), Err(Reason::TokenSpent));
    drop(one);
    assert_eq!(open().spend(&[token(1, 100)]), Err(Reason::TokenSpent));
}

#[test]
fn of_many_at_once_one_gets_each_token() {
    let folder = tempfile::tempdir().unwrap();
    let replicas: Vec<_> = (0..4)
        .map(|_| SpentInFolder::open(folder.path(), 10_000).unwrap())
        .collect();
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = replicas
            .iter()
            .map(|replica| {
                scope.spawn(move || {
                    (0..200)
                        .filter(|number| {
                            replica
                                .spend(&[token(1, *number), token(2, *number)])
                                .is_ok()
                        })
                        .count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(taken, 200);
}

#[test]
fn a_folder_that_is_gone_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spent");
    let memory = SpentInFolder::open(&path, 100).unwrap();
    std::fs::remove_dir(&path).unwrap();
    let unavailable = Err(Reason::StateUnavailable);
    assert_eq!(memory.spend(&[token(1, 1)]), unavailable);
    std::fs::write(&path, b"").unwrap();
    assert_eq!(SpentInFolder::open(&path, 100).err(), unavailable.err());
}
