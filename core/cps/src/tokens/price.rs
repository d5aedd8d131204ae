//! How many storage tokens a store is worth: one, unless the number is being flooded.
//!
//! Pure. What the figures defend against, and why they are these, is in
//! docs/adr/0010-price-in-storage-tokens.md: all that ten hostile credentials may spend in a day, spent
//! on one number within one lifetime of a blob, does not fill its mailbox, so that nothing of anybody
//! else is pushed out, while two units, which is one call to one device, never cost more than 32.
//!
//! Source: docs/protocol.md section 19.1 (PRV-34, threat T15, W-22, W-30).

use ringtrue_oob::Blob;

/// Octets that count as one unit of load: a blob of the smallest class. Larger ones count as several,
/// because an answer holds fewer of them.
const UNIT_LEN: usize = 4096;

/// Units at one number up to which every store is worth one token. It is sixteen calls within one
/// lifetime, and the number of stored blobs beyond which an answer's timing may tell that there are so
/// many (`view.rs`).
pub const FREE_UNITS: usize = 32;

/// Units after which the price of a unit doubles.
const STEP_UNITS: usize = 8;

/// The most that a unit costs, as a power of two: 16.
const MAX_DOUBLINGS: u32 = 4;

/// The load of a blob in units.
#[must_use]
pub(crate) fn units_of(blob: &Blob) -> usize {
    blob.as_octets().len().div_ceil(UNIT_LEN)
}

/// The tokens that a store of `units` is worth at a number that holds `load` units of stored blobs: a
/// power of two.
///
/// Up to [`FREE_UNITS`], this store included, it is 1, however many blobs the store has. Above, each
/// unit costs 2, and twice as much for every 8 units more, up to 16; the sum is rounded up to a power
/// of two.
#[must_use]
pub fn price(load: usize, units: usize) -> u32 {
    let Some(above) = load
        .saturating_add(units)
        .checked_sub(FREE_UNITS)
        .filter(|above| *above > 0)
    else {
        return 1;
    };
    let steps = above.div_ceil(STEP_UNITS);
    let doublings = u32::try_from(steps).unwrap_or(u32::MAX).min(MAX_DOUBLINGS);
    let per_unit = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    let units = u32::try_from(units.max(1)).unwrap_or(u32::MAX);
    per_unit
        .saturating_mul(units)
        .checked_next_power_of_two()
        .unwrap_or(1 << 31)
}

#[cfg(test)]
mod tests {
    use super::{FREE_UNITS, price};

    #[test]
    fn every_store_is_worth_one_token_up_to_the_free_load() {
        for units in 1..=8 {
            assert_eq!(price(0, units), 1);
            assert_eq!(price(FREE_UNITS - units, units), 1);
            assert!(price(FREE_UNITS - units + 1, units) > 1);
        }
    }

    #[test]
    fn above_it_a_unit_doubles_every_eight_up_to_sixteen() {
        for (load, one, two) in [
            (31, 1, 4),
            (32, 2, 4),
            (39, 2, 8),
            (40, 4, 8),
            (48, 8, 16),
            (56, 16, 32),
            (199, 16, 32),
            (100_000, 16, 32),
        ] {
            assert_eq!(price(load, 1), one, "{load}");
            assert_eq!(price(load, 2), two, "{load}");
        }
        assert_eq!(price(56, 3), 64);
        assert_eq!(price(usize::MAX, usize::MAX), 1 << 31);
    }

    #[test]
    fn two_thousand_tokens_do_not_fill_a_mailbox() {
        // Single blobs are the cheapest above the free load; eight at once below it.
        let (mut load, mut tokens) = (0, 2000_u32);
        loop {
            let units = if load < FREE_UNITS { 8 } else { 1 };
            let Some(rest) = tokens.checked_sub(price(load, units)) else {
                break;
            };
            tokens = rest;
            load += units;
        }
        assert_eq!(load, 173);
    }

    #[test]
    fn it_is_a_power_of_two_and_never_falls_with_the_load_or_the_store() {
        for load in 0..300 {
            for units in 1..=32 {
                let now = price(load, units);
                assert!(now.is_power_of_two());
                assert!(price(load + 1, units) >= now);
                assert!(price(load, units + 1) >= now);
            }
        }
    }
}
