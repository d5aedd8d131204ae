//! TNAuthList: which telephone numbers and providers a certificate speaks for.
//!
//! Decoding is strict DER with the explicit tags of the standard's module. Comparing lists is pure
//! arithmetic; whether a service provider code holds a number is never guessed.

use core::fmt;

use crate::Reason;
use crate::der::{self, Reader};
use crate::number::{MAX_NUMBER_LEN, TelephoneNumber};

/// The longest encoded list that is read. A certificate with one is larger still, and is limited to
/// this as well, so no list of a certificate is cut off.
pub const MAX_LEN: usize = 16 * 1024;

/// The longest service provider code. Codes in use have four characters.
const MAX_SPC_LEN: usize = 64;

/// One entry of a list.
///
/// [`fmt::Debug`] hides the numbers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// A single telephone number.
    One(TelephoneNumber),
    /// `count` consecutive numbers from `start` on, all with as many digits as `start`.
    Range {
        /// The first number; digits only.
        start: TelephoneNumber,
        /// How many numbers, at least 2.
        count: u64,
    },
    /// A service provider code: says who, not which numbers.
    Spc(String),
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One(..)",
            Self::Range { .. } => "Range(..)",
            Self::Spc(_) => "Spc(..)",
        })
    }
}

/// How a list relates to that of a certificate below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encompass {
    /// Everything in the lower list is in the upper one.
    Inside,
    /// Some number of the lower list may belong to a provider code of the upper one; only numbering
    /// data could tell.
    Unknown,
    /// Something in the lower list is outside the upper one.
    Outside,
}

/// A well-formed, non-empty TNAuthList. The scope is the union of its entries (CRT-6).
///
/// Source: RFC 8226 section 9.
#[derive(Clone, PartialEq, Eq)]
pub struct TnAuthList {
    entries: Vec<Entry>,
    /// One figure per entry.
    ignored_members: Vec<usize>,
}

impl fmt::Debug for TnAuthList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TnAuthList({} entries)", self.entries.len())
    }
}

impl TnAuthList {
    /// Makes a list.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedTnAuthList`] if there is no entry, a range has fewer than two numbers, a
    /// start with `*` or `#` or leaves its number of digits, a code is empty, longer than 64
    /// characters or not visible ASCII, or the encoding would exceed [`MAX_LEN`].
    pub fn new(entries: Vec<Entry>) -> Result<Self, Reason> {
        let well_formed = !entries.is_empty()
            && entries.iter().all(|entry| match entry {
                Entry::One(_) => true,
                Entry::Range { start, count } => is_range(start, *count),
                Entry::Spc(spc) => is_spc(spc.as_bytes()),
            });
        let list = Self {
            ignored_members: vec![0; entries.len()],
            entries,
        };
        if well_formed && list.encode().len() <= MAX_LEN {
            Ok(list)
        } else {
            Err(Reason::MalformedTnAuthList)
        }
    }

    /// Reads a list: strict DER, explicit tags, nothing after it (CRT-1 to CRT-5).
    ///
    /// Members of a range behind `start` and `count` are an extension nobody has defined. They are
    /// counted in [`TnAuthList::ignored_members`] and grant nothing.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedTnAuthList`] for anything else.
    ///
    /// Source: RFC 8226 section 9.
    pub fn decode(der: &[u8]) -> Result<Self, Reason> {
        decode(der).ok_or(Reason::MalformedTnAuthList)
    }

    /// Writes the list as DER. Ignored members are not written.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        let number =
            |number: &TelephoneNumber| der::element(der::IA5_STRING, number.as_str().as_bytes());
        for entry in &self.entries {
            let (tag, inner) = match entry {
                Entry::Spc(spc) => (0, der::element(der::IA5_STRING, spc.as_bytes())),
                Entry::Range { start, count } => {
                    let mut members = number(start);
                    members.extend(der::unsigned_element(*count));
                    (1, der::element(der::SEQUENCE, &members))
                }
                Entry::One(one) => (2, number(one)),
            };
            content.extend(der::element(der::context(tag), &inner));
        }
        der::element(der::SEQUENCE, &content)
    }

    /// Both lists together: the scope of a certificate that has one by value and one by reference.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.entries.extend_from_slice(&other.entries);
        union
            .ignored_members
            .extend_from_slice(&other.ignored_members);
        union
    }

    /// The entries in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many undefined members ranges of this list carried.
    #[must_use]
    pub fn ignored_members(&self) -> usize {
        self.ignored_members
            .iter()
            .fold(0, |sum, members| sum.saturating_add(*members))
    }

    /// How many undefined members each entry carried, in the order of [`TnAuthList::entries`].
    #[must_use]
    pub fn ignored_members_by_entry(&self) -> &[usize] {
        &self.ignored_members
    }

    /// Whether a number is listed, alone or in a range. Provider codes list no numbers (CRT-11).
    #[must_use]
    pub fn covers(&self, number: &TelephoneNumber) -> bool {
        let as_interval = Interval::of_one(number);
        self.entries.iter().any(|entry| match entry {
            Entry::One(one) => one == number,
            Entry::Range { start, count } => as_interval
                .zip(Interval::of_range(start, *count))
                .is_some_and(|(one, range)| range.holds(one)),
            Entry::Spc(_) => false,
        })
    }

    /// The first provider code, if there is one.
    #[must_use]
    pub fn spc(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Spc(spc) => Some(spc.as_str()),
            _ => None,
        })
    }

    /// Whether every provider code of `lower` is one of this list's.
    pub(crate) fn holds_codes_of(&self, lower: &Self) -> bool {
        lower
            .entries
            .iter()
            .all(|entry| !matches!(entry, Entry::Spc(_)) || self.entries.contains(entry))
    }

    /// Whether everything in `lower`, the list of a certificate issued under this one, is in here.
    ///
    /// Codes are compared as text (CRT-12), numbers by arithmetic. A number outside the numbers here
    /// may still belong to a provider code here: that is [`Encompass::Unknown`].
    ///
    /// Source: RFC 9060 sections 4 and 4.1 (CRT-31, CRT-33).
    #[must_use]
    pub fn encompasses(&self, lower: &Self) -> Encompass {
        let intervals = self.intervals();
        let missing_number = if self.spc().is_some() {
            Encompass::Unknown
        } else {
            Encompass::Outside
        };
        let holds = |wanted: Option<Interval>| {
            wanted.is_some_and(|wanted| {
                // The last interval that starts at or before the wanted one.
                let after = intervals.partition_point(|known| {
                    (known.digits, known.first) <= (wanted.digits, wanted.first)
                });
                after
                    .checked_sub(1)
                    .and_then(|index| intervals.get(index))
                    .is_some_and(|known| known.holds(wanted))
            })
        };
        let relation = |entry: &Entry| match entry {
            Entry::One(one) if holds(Interval::of_one(one)) => Encompass::Inside,
            // Service codes with * or # have no order; only the same code holds one.
            Entry::One(_) if self.entries.contains(entry) => Encompass::Inside,
            Entry::Range { start, count } if holds(Interval::of_range(start, *count)) => {
                Encompass::Inside
            }
            Entry::One(_) | Entry::Range { .. } => missing_number,
            Entry::Spc(_) if self.entries.contains(entry) => Encompass::Inside,
            Entry::Spc(_) => Encompass::Outside,
        };
        lower
            .entries
            .iter()
            .map(relation)
            .max()
            .unwrap_or(Encompass::Inside)
    }

    /// The numbers as sorted intervals, overlapping and adjoining ones joined.
    fn intervals(&self) -> Vec<Interval> {
        let mut intervals: Vec<Interval> = self
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::One(one) => Interval::of_one(one),
                Entry::Range { start, count } => Interval::of_range(start, *count),
                Entry::Spc(_) => None,
            })
            .collect();
        intervals.sort_unstable();
        intervals.dedup_by(|next, joined| {
            let adjoins = joined.digits == next.digits
                && joined
                    .last
                    .checked_add(1)
                    .is_some_and(|end| next.first <= end);
            if adjoins {
                joined.last = joined.last.max(next.last);
            }
            adjoins
        });
        intervals
    }
}

/// Numbers of one length, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Interval {
    digits: usize,
    first: u64,
    last: u64,
}

impl Interval {
    fn of_one(number: &TelephoneNumber) -> Option<Self> {
        // At most 15 digits fit 64 bits; * and # do not parse.
        let value = number.as_str().parse().ok()?;
        Some(Self {
            digits: number.as_str().len(),
            first: value,
            last: value,
        })
    }

    fn of_range(start: &TelephoneNumber, count: u64) -> Option<Self> {
        let one = Self::of_one(start)?;
        Some(Self {
            last: one.first.checked_add(count.checked_sub(1)?)?,
            ..one
        })
    }

    const fn holds(&self, other: Self) -> bool {
        self.digits == other.digits && self.first <= other.first && other.last <= self.last
    }
}

/// CRT-3: at least two numbers, digits only, and start + count has no more digits than start.
fn is_range(start: &TelephoneNumber, count: u64) -> bool {
    let limit = u32::try_from(start.as_str().len())
        .ok()
        .and_then(|digits| 10u64.checked_pow(digits));
    let end = start
        .as_str()
        .parse::<u64>()
        .ok()
        .and_then(|start| start.checked_add(count));
    count >= 2 && end.zip(limit).is_some_and(|(end, limit)| end < limit)
}

fn is_spc(octets: &[u8]) -> bool {
    (1..=MAX_SPC_LEN).contains(&octets.len()) && octets.iter().all(u8::is_ascii_graphic)
}

fn number(ia5: &[u8]) -> Option<TelephoneNumber> {
    if ia5.len() > MAX_NUMBER_LEN {
        return None;
    }
    TelephoneNumber::from_canonical(core::str::from_utf8(ia5).ok()?).ok()
}

fn decode(der: &[u8]) -> Option<TnAuthList> {
    if der.len() > MAX_LEN {
        return None;
    }
    let mut list = Reader::new(der::only(der, der::SEQUENCE)?);
    let mut entries = Vec::new();
    let mut ignored_members = Vec::new();
    while !list.is_empty() {
        let (tag, explicit) = list.next()?;
        let mut ignored = 0usize;
        let entry = if tag == der::context(0) {
            let spc = der::only(explicit, der::IA5_STRING).filter(|spc| is_spc(spc))?;
            Entry::Spc(core::str::from_utf8(spc).ok()?.to_owned())
        } else if tag == der::context(1) {
            let mut members = Reader::new(der::only(explicit, der::SEQUENCE)?);
            let start = number(members.expect(der::IA5_STRING)?)?;
            let count = der::unsigned(members.expect(der::INTEGER)?)?;
            if !is_range(&start, count) {
                return None;
            }
            while !members.is_empty() {
                members.next()?;
                ignored = ignored.saturating_add(1);
            }
            Entry::Range { start, count }
        } else if tag == der::context(2) {
            Entry::One(number(der::only(explicit, der::IA5_STRING)?)?)
        } else {
            return None;
        };
        entries.push(entry);
        ignored_members.push(ignored);
    }
    (!entries.is_empty()).then_some(TnAuthList {
        entries,
        ignored_members,
    })
}

#[cfg(test)]
mod tests;
