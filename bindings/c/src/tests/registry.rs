//! The header knows every reason by its number.

use ringtrue_stir::Reason;

use crate::code;

const HEADER: &str = include_str!("../../include/ringtrue.h");

#[test]
fn every_reason_is_in_the_header_and_no_other() {
    let constant = |name: &str, number: u32| {
        format!("#define RINGTRUE_RESULT_{} {number}\n", name.to_uppercase())
    };
    for reason in Reason::ALL {
        assert!(
            HEADER.contains(&constant(reason.name(), reason.number())),
            "{reason:?}"
        );
        assert_eq!(code::name(reason.number()), reason.name());
    }
    let own = HEADER
        .lines()
        .filter(|line| line.starts_with("#define RINGTRUE_RESULT_"));
    // Success and seven codes of the interface.
    assert_eq!(own.count(), Reason::ALL.len() + 8);
}
