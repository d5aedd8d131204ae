use proptest::prelude::*;

use super::{Encompass, Entry, MAX_LEN, TnAuthList};
use crate::{Reason, TelephoneNumber};

fn tn(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

fn one(text: &str) -> Entry {
    Entry::One(tn(text))
}

fn range(start: &str, count: u64) -> Entry {
    Entry::Range {
        start: tn(start),
        count,
    }
}

fn spc(text: &str) -> Entry {
    Entry::Spc(text.to_owned())
}

fn list(entries: &[Entry]) -> TnAuthList {
    TnAuthList::new(entries.to_vec()).unwrap()
}

#[test]
fn a_range_covers_its_ends_and_numbers_of_its_own_length_only() {
    let list = list(&[range("100", 50), one("*67")]);
    for inside in ["100", "149", "*67"] {
        assert!(list.covers(&tn(inside)), "{inside}");
    }
    for outside in ["099", "99", "150", "0100", "1000", "*68", "67"] {
        assert!(!list.covers(&tn(outside)), "{outside}");
    }
}

#[test]
fn leading_zeros_count_as_digits() {
    let list = list(&[range("0010", 5)]);
    assert!(list.covers(&tn("0014")));
    assert!(!list.covers(&tn("10")));
    assert!(!list.covers(&tn("010")));
}

#[test]
fn refuses_ranges_and_codes_out_of_bounds() {
    for entry in [
        range("100", 0),
        range("100", 1),
        range("990", 10),
        range("100", u64::MAX),
        range("999999999999999", 2),
        range("*67", 5),
        spc(""),
        spc("a b"),
        spc("é"),
        spc(&"7".repeat(65)),
    ] {
        assert_eq!(
            TnAuthList::new(vec![entry]),
            Err(Reason::MalformedTnAuthList)
        );
    }
    assert_eq!(TnAuthList::new(vec![]), Err(Reason::MalformedTnAuthList));
    assert!(TnAuthList::new(vec![one("12025550143"); MAX_LEN / 10]).is_err());
}

#[test]
fn refuses_implicit_tags_long_counts_and_non_minimal_lengths() {
    for hex in [
        "3006800431323334",
        "300582033a3637",
        "30810aa00616043132333400",
        "301da11b3019160b3132313235353531303030020a00ffffffffffffffffff",
        "3016a11430120c0b3132313235353531303030020203e8",
        "300ba0091604313233341603333333",
    ] {
        let der = unhex(hex);
        assert_eq!(
            TnAuthList::decode(&der),
            Err(Reason::MalformedTnAuthList),
            "{hex}"
        );
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn encompasses_by_arithmetic() {
    use Encompass::{Inside, Outside, Unknown};
    let block = [range("12025550100", 100)];
    let with_spc = [range("12025550100", 100), spc("709J")];
    for (upper, lower, relation) in [
        (&block[..], &[one("12025550100")][..], Inside),
        (&block, &[one("12025550199")], Inside),
        (&block, &[one("12025550200")], Outside),
        (&block, &[one("12025550099")], Outside),
        (&block, &[range("12025550100", 100)], Inside),
        (&block, &[range("12025550100", 101)], Outside),
        (&block, &[range("12025550099", 2)], Outside),
        (&block, &[one("12025550143"), one("13035550143")], Outside),
        (&block, &[spc("709J")], Outside),
        (&with_spc, &[spc("709J")], Inside),
        (&with_spc, &[spc("709j")], Outside),
        (&with_spc, &[one("13035550143")], Unknown),
        (&with_spc, &[one("13035550143"), spc("1234")], Outside),
        (&with_spc, &[one("12025550143"), spc("709J")], Inside),
        (&[spc("709J")], &[one("12025550143")], Unknown),
        (&[one("*67")], &[one("*67")], Inside),
        (&[one("*67")], &[one("*68")], Outside),
        (
            &[range("100", 50), range("150", 50)],
            &[range("120", 60)],
            Inside,
        ),
        (&[range("100", 50), one("150")], &[range("149", 2)], Inside),
        (&[range("100", 50), one("151")], &[range("149", 3)], Outside),
        (
            &[range("100", 90), range("110", 5)],
            &[range("120", 60)],
            Inside,
        ),
        (&[range("100", 50)], &[one("0120")], Outside),
    ] {
        assert_eq!(
            list(upper).encompasses(&list(lower)),
            relation,
            "{upper:?} {lower:?}"
        );
    }
}

#[test]
fn debug_hides_numbers_and_codes() {
    let list = list(&[one("12025550143"), spc("709J"), range("12025550100", 2)]);
    let text = format!("{list:?} {:?}", list.entries());
    assert!(!text.contains("1202") && !text.contains("709J"), "{text}");
}

fn any_entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        "[0-9#*]{1,15}".prop_map(|text| one(&text)),
        ("[0-8][0-9]{3,14}", 2u64..1000).prop_map(|(start, count)| range(&start, count)),
        "[!-~]{1,8}".prop_map(|text| spc(&text)),
    ]
}

fn any_small_list() -> impl Strategy<Value = TnAuthList> {
    let entry = prop_oneof![
        (100u64..400).prop_map(|n| one(&n.to_string())),
        (100u64..400, 2u64..60).prop_map(|(n, count)| range(&n.to_string(), count)),
    ];
    prop::collection::vec(entry, 1..6).prop_map(|entries| list(&entries))
}

proptest! {
    #[test]
    fn decode_never_panics(der in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = TnAuthList::decode(&der);
    }

    #[test]
    fn what_was_encoded_decodes(entries in prop::collection::vec(any_entry(), 1..12)) {
        let list = list(&entries);
        prop_assert_eq!(TnAuthList::decode(&list.encode()), Ok(list));
    }

    #[test]
    fn no_change_of_one_octet_panics_or_reads_as_two_spellings(
        entries in prop::collection::vec(any_entry(), 1..4), at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut der = list(&entries).encode();
        let at = at.index(der.len());
        der[at] = octet;
        if let Ok(read) = TnAuthList::decode(&der)
            && read.ignored_members() == 0
        {
            prop_assert_eq!(read.encode(), der);
        }
    }

    #[test]
    fn encompasses_agrees_with_counting(upper in any_small_list(), lower in any_small_list()) {
        let counted = (0..1000).map(|n| tn(&n.to_string()))
            .all(|n| !lower.covers(&n) || upper.covers(&n));
        let relation = if counted { Encompass::Inside } else { Encompass::Outside };
        prop_assert_eq!(upper.encompasses(&lower), relation);
    }
}
