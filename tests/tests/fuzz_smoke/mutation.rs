//! Small changes to valid input, the same on every run.

/// What parsers of tokens, numbers, URLs, JSON, DER and PEM stumble over.
const TOKENS: [&[u8]; 24] = [
    b"\"",
    b"\\u0000",
    b"{",
    b"}",
    b"[[[[[[[[[",
    b",",
    b":",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\xff\xff\xff\xff",
    b"\x00",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80",
    b".",
    b"..",
    b"%2f",
    b"https://",
    b"@",
    b"+",
    b"\n",
    b"\r\n\r\n",
    b"-----BEGIN CERTIFICATE-----",
];

/// A source of changed inputs. Seeded with a name, so that each target has its own sequence.
pub(crate) struct Mutator {
    state: u64,
}

impl Mutator {
    pub(crate) fn new(name: &str) -> Self {
        // FNV-1a.
        let state = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { state }
    }

    /// SplitMix64: short, and the same everywhere.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 if there is none.
    fn below(&mut self, limit: usize) -> usize {
        match u64::try_from(limit) {
            Ok(limit) if limit > 0 => usize::try_from(self.next() % limit).unwrap_or(0),
            _ => 0,
        }
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// `seed` with one to four changes, cut to `max_len` octets.
    pub(crate) fn mutate(&mut self, seed: &[u8], all: &[Vec<u8>], max_len: usize) -> Vec<u8> {
        let mut input = seed.to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut input, all);
        }
        input.truncate(max_len);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, all: &[Vec<u8>]) {
        let at = self.below(input.len());
        let rest = input.len().saturating_sub(at);
        let some = self.below(rest.min(64)).saturating_add(1).min(rest);
        let range = at..at.saturating_add(some);
        match self.below(9) {
            0 => {
                if let Some(octet) = input.get_mut(at) {
                    *octet ^= 1 << (self.octet() % 8);
                }
            }
            1 => {
                let new = self.octet();
                if let Some(octet) = input.get_mut(at) {
                    *octet = new;
                }
            }
            2 => input.truncate(at),
            3 => drop(input.drain(range)),
            4 => {
                let copy: Vec<u8> = input[range].to_vec();
                let to = self.below(input.len());
                input.splice(to..to, copy);
            }
            5 => {
                let token = TOKENS[self.below(TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
            6 => {
                let token = TOKENS[self.below(TOKENS.len())];
                input.splice(range, token.iter().copied());
            }
            7 => {
                // The head of this one, the tail of another.
                let other = &all[self.below(all.len())];
                let from = self.below(other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                // Many times the same: depth, counts and lengths.
                let copy: Vec<u8> = input[range].to_vec();
                let times = self.below(300);
                let copies = copy
                    .iter()
                    .copied()
                    .cycle()
                    .take(copy.len().saturating_mul(times));
                input.splice(at..at, copies.collect::<Vec<u8>>());
            }
        }
    }
}
