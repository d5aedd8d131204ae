//! How a library's octets divide among the crates and C libraries in it.
//!
//! From the symbols' sizes as `nm` prints them. What has no symbol (texts and tables without a name,
//! unwind tables, relocations) is given by section instead; and an instance of a generic function
//! counts for the crate that wrote the function, because only that is in the name.

use std::collections::{BTreeMap, BTreeSet};

/// Which C library defines a symbol, by name.
#[derive(Debug, Default)]
pub(crate) struct Foreign(BTreeMap<String, &'static str>);

impl Foreign {
    /// Adds the symbols of an archive, from `nm --defined-only ARCHIVE`.
    pub(crate) fn add(&mut self, library: &'static str, nm: &str) {
        for line in nm.lines() {
            let mut words = line.split_whitespace();
            // `ADDRESS TYPE NAME`; the lines that name the members are shorter.
            if let (Some(_), Some(kind), Some(name)) = (words.next(), words.next(), words.next())
                && kind.len() == 1
            {
                self.0.insert(name.to_owned(), library);
            }
        }
    }
}

/// The octets that each crate's named code and data take, largest first.
///
/// `nm` is what `nm --print-size --defined-only --demangle` printed for the unstripped library.
/// Names for the same octets (aliases, folded functions) count once; what takes no room in the file
/// does not count.
pub(crate) fn by_crate(nm: &str, foreign: &Foreign) -> Vec<(String, u64)> {
    let mut seen = BTreeSet::new();
    let mut shares: BTreeMap<&str, u64> = BTreeMap::new();
    for line in nm.lines() {
        let Some((address, octets, kind, name)) = symbol(line) else {
            continue;
        };
        // b, B: zeroed memory, which is not in the file.
        if kind.eq_ignore_ascii_case("b") || !seen.insert(address) {
            continue;
        }
        let share = shares.entry(owner(name, foreign)).or_default();
        *share = share.saturating_add(octets);
    }
    let mut shares: Vec<(String, u64)> = shares
        .into_iter()
        .map(|(name, octets)| (name.to_owned(), octets))
        .collect();
    shares.sort_by(|(one, octets), (other, more)| more.cmp(octets).then_with(|| one.cmp(other)));
    shares
}

/// `ADDRESS SIZE TYPE NAME`, both numbers in hexadecimal.
fn symbol(line: &str) -> Option<(u64, u64, &str, &str)> {
    let mut words = line.splitn(4, ' ');
    let address = u64::from_str_radix(words.next()?, 16).ok()?;
    let octets = u64::from_str_radix(words.next()?, 16).ok()?;
    let kind = words.next().filter(|kind| kind.len() == 1)?;
    Some((address, octets, kind, words.next()?.trim()))
}

/// The crate or C library that a symbol belongs to.
fn owner<'a>(name: &'a str, foreign: &Foreign) -> &'a str {
    if let Some(library) = foreign.0.get(name) {
        return library;
    }
    // The compiler's own: dropping a value is the value's affair.
    let name = name
        .strip_prefix("core::ptr::drop_in_place::<")
        .or_else(|| name.strip_prefix("core::ptr::drop_in_place<"))
        .unwrap_or(name);
    let crate_name = first_path(name).or_else(|| {
        // `<u8 as some::Trait>::method`: a primitive type is nobody's, the trait is.
        let (_, after) = name.split_once(" as ")?;
        first_path(after)
    });
    match crate_name {
        Some("std" | "core" | "alloc" | "compiler_builtins" | "gimli" | "addr2line") => "std",
        Some("object" | "miniz_oxide" | "rustc_demangle" | "panic_unwind" | "unwind") => "std",
        Some(other) => other,
        None => "(no crate)",
    }
}

/// The first part of the path at the front, `None` if there is none.
fn first_path(name: &str) -> Option<&str> {
    let mut rest = name;
    loop {
        let before = rest;
        for front in [
            "<", "[", "(", "&", "*const ", "*mut ", "mut ", "dyn ", "impl ",
        ] {
            rest = rest.strip_prefix(front).unwrap_or(rest);
        }
        if rest == before {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (first, after) = rest.split_at(end);
    // Some demanglers print a crate's disambiguator: `name[0123]::…`.
    let after = match after.strip_prefix('[') {
        Some(inside) => inside.split_once(']').map_or(after, |(_, after)| after),
        None => after,
    };
    (!first.is_empty() && after.starts_with("::")).then_some(first)
}

/// The sections that are loaded, from `size -A -d`: name and octets, without those that are only
/// reserved memory.
pub(crate) fn sections(size: &str) -> Vec<(String, u64)> {
    size.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, octets) = (words.next()?, words.next()?.parse().ok()?);
            let address: u64 = words.next()?.parse().ok()?;
            let loaded = address > 0 && name.starts_with('.');
            let reserved = [".bss", ".tbss", ".relro_padding"].contains(&name);
            (loaded && !reserved && octets > 0).then(|| (name.to_owned(), octets))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NM: &str = "\
0000000000001000 0000000000000100 t <tokio::runtime::Handle as core::fmt::Debug>::fmt
0000000000001000 0000000000000100 T folded_with_the_above
0000000000002000 0000000000000010 t core::ptr::drop_in_place::<reqwest::Error>
0000000000002010 0000000000000020 t <u8 as ringtrue_oob::Wire>::put
0000000000002030 0000000000000030 t alloc::vec::Vec<T>::push
0000000000002060 0000000000000001 t <&mut dyn rustls::Io as core::fmt::Debug>::fmt
0000000000002070 0000000000000002 t balance_nonroot
0000000000002080 0000000000000004 r std[0f3a]::sys::TABLE
0000000000003000 0000000000009000 b tokio::runtime::ZEROED
                 U malloc
0000000000003000 t no_size";

    fn share(shares: &[(String, u64)], name: &str) -> Option<u64> {
        shares
            .iter()
            .find_map(|(other, octets)| (other == name).then_some(*octets))
    }

    #[test]
    fn each_symbol_counts_once_and_for_its_crate() {
        let mut foreign = Foreign::default();
        foreign.add("sqlite3", "sqlite3.o:\n00000000 t balance_nonroot\n");
        let shares = by_crate(NM, &foreign);
        assert_eq!(shares.first(), Some(&("tokio".to_owned(), 0x100)));
        assert_eq!(share(&shares, "reqwest"), Some(0x10));
        assert_eq!(share(&shares, "ringtrue_oob"), Some(0x20));
        assert_eq!(share(&shares, "std"), Some(0x34));
        assert_eq!(share(&shares, "rustls"), Some(1));
        assert_eq!(share(&shares, "sqlite3"), Some(2));
        let sum: u64 = shares.iter().map(|(_, octets)| octets).sum();
        assert_eq!(sum, 0x167);
    }

    #[test]
    fn a_c_function_of_nobody_is_listed_as_such() {
        let shares = by_crate("10 4 T main", &Foreign::default());
        assert_eq!(shares, [("(no crate)".to_owned(), 4)]);
    }

    #[test]
    fn lines_that_are_no_symbols_do_not_count() {
        for line in ["", "zz 4 t a::b", "10 4", "10 4 text a::b", "10 zz t a::b"] {
            assert!(by_crate(line, &Foreign::default()).is_empty(), "{line}");
        }
    }

    #[test]
    fn only_sections_of_the_file_that_are_loaded_count() {
        let size = "lib.so  :\nsection  size  addr\n.text  500  4096\n.bss  70  8192\n\
            .comment  30  0\n.eh_frame  60  512\nTotal  660\n";
        assert_eq!(
            sections(size),
            [(".text".to_owned(), 500), (".eh_frame".to_owned(), 60)]
        );
    }
}
