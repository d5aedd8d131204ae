//! The block of numbers that a lab's intermediate may delegate.

use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};

/// Numbers per block: the last two digits.
const BLOCK: u64 = 100;

/// The entries for the blocks of 100 around `numbers`: each number with its last two digits 00 and 99
/// more, every block once, in the order of the numbers.
///
/// A number that is in no such block stands for itself: service codes with `*` or `#`, numbers of one
/// or two digits, and those whose block ends with the last number of its length, which a range cannot
/// say (CRT-3).
#[must_use]
pub fn blocks_around<'a>(numbers: impl IntoIterator<Item = &'a TelephoneNumber>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in numbers {
        let entry = block_around(number).unwrap_or_else(|| Entry::One(number.clone()));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

fn block_around(number: &TelephoneNumber) -> Option<Entry> {
    let digits = number.as_str();
    let kept = digits.len().checked_sub(2).filter(|kept| *kept > 0)?;
    let start = format!("{}00", digits.get(..kept)?);
    let entry = Entry::Range {
        start: TelephoneNumber::from_canonical(&start).ok()?,
        count: BLOCK,
    };
    TnAuthList::new(vec![entry.clone()])
        .ok()
        .filter(|list| list.covers(number))
        .map(|_| entry)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_stir::TelephoneNumber;
    use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};

    use super::blocks_around;

    fn number(text: &str) -> TelephoneNumber {
        TelephoneNumber::from_canonical(text).unwrap()
    }

    fn blocks(texts: &[&str]) -> Vec<Entry> {
        let numbers: Vec<_> = texts.iter().map(|text| number(text)).collect();
        blocks_around(&numbers)
    }

    fn range(start: &str) -> Entry {
        Entry::Range {
            start: number(start),
            count: 100,
        }
    }

    #[test]
    fn a_number_gets_the_block_of_its_last_two_digits() {
        assert_eq!(blocks(&["12025550143"]), [range("12025550100")]);
        assert_eq!(blocks(&["12025550100"]), [range("12025550100")]);
        assert_eq!(blocks(&["12025550199"]), [range("12025550100")]);
        assert_eq!(blocks(&["112"]), [range("100")]);
        assert_eq!(blocks(&["007"]), [range("000")]);
    }

    #[test]
    fn numbers_of_one_block_share_it() {
        let found = blocks(&["12025550143", "12025550144", "12025550243", "12025550101"]);
        assert_eq!(found, [range("12025550100"), range("12025550200")]);
    }

    #[test]
    fn a_number_without_a_block_stands_for_itself() {
        for text in [
            "1",
            "42",
            "*67",
            "#31#",
            "*123456",
            "12345*",
            "999",
            "99999999901",
        ] {
            assert_eq!(blocks(&[text]), [Entry::One(number(text))], "{text}");
        }
        // 999 is in the last block of three digits, 12025559999 is not in the last of eleven.
        assert_eq!(blocks(&["12025559999"]), [range("12025559900")]);
    }

    proptest! {
        #[test]
        fn every_number_is_covered_by_its_entry(text in "[0-9*#]{1,15}") {
            let list = TnAuthList::new(blocks(&[&text])).unwrap();
            prop_assert!(list.covers(&number(&text)));
        }
    }
}
