//! In which order, and among which others, the keys of contacts are looked up ahead of calls.
//!
//! A directory behind a relay does not see who asks; but who asked for all numbers of an address book
//! one after the other would show it the address book. So the contacts are asked for in random order,
//! at random times, mixed with numbers that nobody asked for.

use core::time::Duration;

use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, TelephoneNumber};

/// The most contacts of one plan: one more needs another.
const MAX_CONTACTS: usize = 4096;

/// The fewest lookups of a plan, contacts and others together.
const MIN_LOOKUPS: usize = 8;

/// How many of the last digits another number differs in: it stays in the same kind of block.
const CHANGED_DIGITS: usize = 4;

/// One lookup of a plan.
#[derive(Clone, PartialEq, Eq)]
pub struct PlannedLookup {
    /// The time to wait after the lookup before.
    pub pause: Duration,
    /// The number to look up.
    pub number: TelephoneNumber,
    /// Whether it is no contact: its answer is to be thrown away.
    pub is_decoy: bool,
}

impl core::fmt::Debug for PlannedLookup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PlannedLookup(..)")
    }
}

/// Plans the lookups of `contacts` within `span`.
///
/// Their number is rounded up to the next power of two, at least eight, with numbers that differ from
/// a contact's in the last digits; the order is random, the pauses are random with the same mean.
///
/// # Errors
///
/// [`Reason::RandomnessUnavailable`]; [`Reason::ConfigurationInvalid`] for over 4096 contacts.
///
/// Source: docs/protocol.md section 19.2 (PRV-38, method L0).
pub fn plan_contacts(
    provider: &dyn CryptoProvider,
    contacts: &[TelephoneNumber],
    span: Duration,
) -> Result<Vec<PlannedLookup>, Reason> {
    if contacts.len() > MAX_CONTACTS {
        return Err(Reason::ConfigurationInvalid);
    }
    let mut chosen: Vec<(TelephoneNumber, bool)> = Vec::new();
    for contact in contacts {
        if !chosen.iter().any(|(known, _)| known == contact) {
            chosen.push((contact.clone(), false));
        }
    }
    let real = chosen.len();
    if real == 0 {
        return Ok(Vec::new());
    }
    let wanted = real.next_power_of_two().max(MIN_LOOKUPS);
    // A short code has no neighbours to draw; a few attempts more cost nothing.
    for _ in 0..wanted.saturating_mul(4) {
        if chosen.len() >= wanted {
            break;
        }
        let index = below(provider, real)?;
        let Some((model, _)) = chosen.get(index) else {
            break;
        };
        if let Some(decoy) = neighbour(provider, model)?
            && !chosen.iter().any(|(known, _)| *known == decoy)
        {
            chosen.push((decoy, true));
        }
    }
    let mean = u32::try_from(chosen.len())
        .ok()
        .and_then(|count| span.checked_div(count))
        .unwrap_or_default();
    let mut plan = Vec::with_capacity(chosen.len());
    while !chosen.is_empty() {
        let (number, is_decoy) = chosen.swap_remove(below(provider, chosen.len())?);
        plan.push(PlannedLookup {
            pause: random_pause(provider, mean)?,
            number,
            is_decoy,
        });
    }
    Ok(plan)
}

/// A number with other last digits; `None` for one that has too few.
fn neighbour(
    provider: &dyn CryptoProvider,
    number: &TelephoneNumber,
) -> Result<Option<TelephoneNumber>, Reason> {
    let text = number.as_str();
    let kept = text.len().saturating_sub(CHANGED_DIGITS);
    let Some(head) = text.get(..kept).filter(|head| head.len() >= CHANGED_DIGITS) else {
        return Ok(None);
    };
    let mut other = head.to_owned();
    for _ in 0..CHANGED_DIGITS {
        let digit = u32::try_from(below(provider, 10)?).unwrap_or_default();
        other.extend(char::from_digit(digit, 10));
    }
    Ok(TelephoneNumber::from_canonical(&other).ok())
}

/// A uniform position below `bound`, which is not zero and at most 2^31.
fn below(provider: &dyn CryptoProvider, bound: usize) -> Result<usize, Reason> {
    let drawn = uniform(provider, u64::try_from(bound).unwrap_or(u64::MAX))?;
    Ok(usize::try_from(drawn).unwrap_or_default())
}

/// A uniform number below `bound`, which is not zero. The bias of at most `bound` / 2^64 shows nobody
/// anything.
fn uniform(provider: &dyn CryptoProvider, bound: u64) -> Result<u64, Reason> {
    let mut octets = [0; 8];
    provider.fill_random(&mut octets)?;
    let drawn = u64::from_be_bytes(octets);
    Ok(drawn.checked_rem(bound).unwrap_or_default())
}

/// Uniform between nothing and twice the mean. Milliseconds of months do not fit 32 bits, so they are
/// never a `usize`.
fn random_pause(provider: &dyn CryptoProvider, mean: Duration) -> Result<Duration, Reason> {
    let mean_ms = u64::try_from(mean.as_millis()).unwrap_or(u64::MAX);
    let drawn = uniform(provider, mean_ms.saturating_mul(2).saturating_add(1))?;
    Ok(Duration::from_millis(drawn))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ringtrue_stir::crypto::RustCrypto;

    use super::*;

    fn number(text: &str) -> TelephoneNumber {
        TelephoneNumber::from_canonical(text).unwrap()
    }

    fn contacts(count: usize) -> Vec<TelephoneNumber> {
        (0..count)
            .map(|index| number(&format!("12025551{index:03}")))
            .collect()
    }

    fn plan(count: usize) -> Vec<PlannedLookup> {
        plan_contacts(&RustCrypto, &contacts(count), Duration::from_secs(80)).unwrap()
    }

    #[test]
    fn every_contact_is_looked_up_once_among_others() {
        for (count, planned) in [(1, 8), (8, 8), (9, 16), (100, 128)] {
            let plan = plan(count);
            assert_eq!(plan.len(), planned);
            let numbers: BTreeSet<_> = plan.iter().map(|one| one.number.as_str()).collect();
            assert_eq!(numbers.len(), planned, "no number twice");
            let real = plan.iter().filter(|one| !one.is_decoy);
            let real: BTreeSet<_> = real.map(|one| one.number.as_str().to_owned()).collect();
            let wanted: BTreeSet<_> = contacts(count)
                .iter()
                .map(|n| n.as_str().to_owned())
                .collect();
            assert_eq!(real, wanted);
        }
    }

    #[test]
    fn others_look_like_contacts() {
        for one in plan(3) {
            assert!(one.number.as_str().starts_with("1202555") && one.number.as_str().len() == 11);
        }
    }

    #[test]
    fn order_and_pauses_are_random_within_the_span() {
        let orders: BTreeSet<Vec<String>> = (0..8)
            .map(|_| {
                plan(8)
                    .iter()
                    .map(|one| one.number.as_str().to_owned())
                    .collect()
            })
            .collect();
        assert!(orders.len() > 4);
        let total: Duration = plan(64).iter().map(|one| one.pause).sum();
        assert!(total <= Duration::from_secs(160), "{total:?}");
        assert!(total >= Duration::from_secs(40), "{total:?}");
    }

    /// On a 32-bit processor too: half a year of milliseconds is more than 2^32.
    #[test]
    fn pauses_of_half_a_year_keep_their_mean() {
        const DAY: Duration = Duration::from_secs(86_400);
        let span = 64 * 182 * DAY;
        let plan = plan_contacts(&RustCrypto, &contacts(64), span).unwrap();
        let total: Duration = plan.iter().map(|one| one.pause).sum();
        assert!(total <= 2 * span, "{total:?}");
        assert!(total >= span / 2, "{total:?}");
    }

    #[test]
    fn a_contact_twice_is_one_and_none_is_nothing() {
        let twice = [contacts(1), contacts(1)].concat();
        let plan = plan_contacts(&RustCrypto, &twice, Duration::ZERO).unwrap();
        assert_eq!(plan.iter().filter(|one| !one.is_decoy).count(), 1);
        assert!(
            plan_contacts(&RustCrypto, &[], Duration::ZERO)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn short_codes_have_no_neighbours_and_too_many_contacts_are_refused() {
        let plan = plan_contacts(&RustCrypto, &[number("112")], Duration::ZERO).unwrap();
        assert_eq!(plan.len(), 1);
        let many = vec![number("112"); MAX_CONTACTS + 1];
        assert_eq!(
            plan_contacts(&RustCrypto, &many, Duration::ZERO).err(),
            Some(Reason::ConfigurationInvalid)
        );
    }
}
