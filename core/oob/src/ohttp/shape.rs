//! How long messages are, so that a relay, and whoever watches its connections, learns from a length
//! no more than what kind of request it is and, for stores, how many blobs it carries.
//!
//! A binary message is padded to the first length of its kind's list that holds it.
//!
//! Source: docs/protocol.md section 19.2 (PRV-39, PRV-40); RFC 9458 section 6.2.3.

use crate::http::Role;

/// Lookups and retrievals. The second is for a service with a very long base URL.
const SHORT_REQUESTS: &[usize] = &[512, 1024];

/// Stores: one, two, four and eight blobs of 4096 octets, then of 8192 and 16384, each with its
/// storage tokens.
const STORES: &[usize] = &[8_192, 16_384, 32_768, 65_536, 131_072, 196_608];

/// Publications: one statement of at most 16 KiB, most of them half as long.
const PUBLICATIONS: &[usize] = &[8_192, 20_480];

/// The answers to lookups: 8192 or 16384 octets of content and the fields, or a problem.
const LOOKUP_ANSWERS: &[usize] = &[9_216, 17_408];

/// The answers to stores: up to eight references, or a problem.
const STORE_ANSWERS: &[usize] = &[4_096, 20_480];

/// The answers to retrievals: the number of blobs, rounded up to the next of these.
const RETRIEVAL_ANSWERS: &[usize] = &[
    32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576, 1_589_248,
];

/// Octets that encapsulation adds to an answer at most: the random value and the tag.
const ANSWER_OVERHEAD: usize = 32 + 16;

/// The length that a request of `role` is padded to, whose binary form has `len` octets; `None` if it
/// is longer than any of its kind. Roles that are never relayed have no lengths.
#[must_use]
pub fn request_len(role: Role, len: usize) -> Option<usize> {
    let lengths = match role {
        Role::Lookup | Role::Retrieve => SHORT_REQUESTS,
        Role::Store => STORES,
        Role::Publish => PUBLICATIONS,
        Role::Configuration | Role::Issue => &[],
    };
    first_holding(lengths, len)
}

/// The length that the answer to a request of `role` is padded to; as it is if longer than any.
#[must_use]
pub fn answer_len(role: Role, len: usize) -> usize {
    first_holding(answers(role), len).unwrap_or(len)
}

/// The most octets of an encapsulated answer to a request of `role`.
#[must_use]
pub fn max_encapsulated_answer_len(role: Role) -> usize {
    answers(role)
        .last()
        .copied()
        .unwrap_or_default()
        .saturating_add(ANSWER_OVERHEAD)
}

const fn answers(role: Role) -> &'static [usize] {
    match role {
        Role::Lookup => LOOKUP_ANSWERS,
        Role::Retrieve => RETRIEVAL_ANSWERS,
        Role::Configuration | Role::Issue | Role::Publish | Role::Store => STORE_ANSWERS,
    }
}

fn first_holding(lengths: &[usize], len: usize) -> Option<usize> {
    lengths.iter().copied().find(|length| *length >= len)
}

#[cfg(test)]
mod tests {
    use super::{answer_len, max_encapsulated_answer_len, request_len};
    use crate::http::{Role, directory, placement};

    #[test]
    fn lookups_and_retrievals_look_alike() {
        for role in [Role::Lookup, Role::Retrieve] {
            assert_eq!(request_len(role, 1), Some(512));
            assert_eq!(request_len(role, 512), Some(512));
            assert_eq!(request_len(role, 513), Some(1024));
            assert_eq!(request_len(role, 1025), None);
        }
    }

    #[test]
    fn stores_show_the_number_of_blobs_and_neither_number_nor_token() {
        // A blob of class one or three as a line.
        for (line, lengths) in [
            (5463, [8_192, 16_384, 32_768, 65_536]),
            (10_924, [16_384, 32_768, 65_536, 131_072]),
        ] {
            for (blobs, padded) in [1, 2, 4, 8].into_iter().zip(lengths) {
                let body = line * blobs;
                assert_eq!(request_len(Role::Store, body + 150), Some(padded));
                assert_eq!(request_len(Role::Store, body + 2600), Some(padded));
            }
        }
        let most = placement::MAX_STORE_LEN + 12_000;
        assert_eq!(request_len(Role::Store, most), Some(196_608));
        assert_eq!(request_len(Role::Store, 196_609), None);
    }

    #[test]
    fn a_publication_has_room_for_the_longest_statement() {
        assert_eq!(request_len(Role::Publish, 3_000), Some(8_192));
        let most = directory::MAX_PUBLISH_LEN + 1_200;
        assert_eq!(request_len(Role::Publish, most), Some(20_480));
        assert_eq!(answer_len(Role::Publish, 60), 4_096);
    }

    #[test]
    fn roles_that_are_never_relayed_have_no_length() {
        for role in [Role::Issue, Role::Configuration] {
            assert_eq!(request_len(role, 1), None);
        }
    }

    #[test]
    fn every_answer_within_its_limits_has_a_length() {
        assert_eq!(answer_len(Role::Lookup, 150), 9_216);
        let known = directory::ANSWER_LEN + 200;
        assert_eq!(answer_len(Role::Lookup, known), 9_216);
        let most = directory::MAX_ANSWER_LEN + 200;
        assert_eq!(answer_len(Role::Lookup, most), 17_408);
        assert_eq!(answer_len(Role::Store, 150), 4_096);
        let most = placement::MAX_STORE_ANSWER_LEN + 1000;
        assert_eq!(answer_len(Role::Store, most), 20_480);
        let most = placement::MAX_ANSWER_LEN + 200;
        assert_eq!(answer_len(Role::Retrieve, most), 1_589_248);
        assert_eq!(answer_len(Role::Retrieve, 40_000), 65_536);
        for role in [Role::Lookup, Role::Store, Role::Retrieve] {
            let longest = max_encapsulated_answer_len(role);
            assert_eq!(answer_len(role, longest - 48) + 48, longest);
        }
    }
}
