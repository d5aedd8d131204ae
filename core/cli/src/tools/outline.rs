//! JSON as it was written: the order and the repetition of members, and blanks between them, none of which
//! a reader of its values sees.

use std::fmt;

use ringtrue_stir::json;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// How many characters are shown of a difference.
const EXCERPT: usize = 16;

/// How many of them stand before it.
const BEFORE: usize = 4;

/// What matters of a text. [`serde_json`] bounds how deep it goes.
enum Outline {
    Array(Vec<Outline>),
    Object(Vec<(String, Outline)>),
    Scalar,
}

/// Which member of `text` stands twice.
pub(super) fn repeated(text: &[u8]) -> Option<String> {
    let outline: Outline = serde_json::from_slice(text).ok()?;
    outline.find("", &|members| {
        let mut names = members.iter().map(|(name, _)| name).enumerate();
        names.find_map(|(index, name)| {
            let mut before = members.iter().take(index);
            let is_repeated = before.any(|(other, _)| other == name);
            is_repeated.then(|| format!("{name:?} stands twice"))
        })
    })
}

/// What keeps `text` from being the deterministic one. `None` if it is, or is no JSON.
pub(super) fn deviation(text: &[u8]) -> Option<String> {
    if let Some(octet) = blank(text) {
        return Some(format!("there is white space at octet {octet}"));
    }
    let outline: Outline = serde_json::from_slice(text).ok()?;
    let unordered = outline.find("", &|members| {
        let mut pairs = members.iter().zip(members.iter().skip(1));
        let (earlier, later) = pairs.find(|((earlier, _), (later, _))| earlier > later)?;
        Some(format!("{:?} stands before {:?}", earlier.0, later.0))
    });
    unordered.or_else(|| difference(text))
}

/// Where the first blank outside of texts is.
fn blank(text: &[u8]) -> Option<usize> {
    let (mut is_inside, mut is_escaped) = (false, false);
    text.iter().position(|octet| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match octet {
            b'"' if !was_escaped => is_inside = !is_inside,
            b'\\' if is_inside && !was_escaped => is_escaped = true,
            b' ' | b'\t' | b'\n' | b'\r' => return !is_inside,
            _ => {}
        }
        false
    })
}

/// Escapes and numbers that are written otherwise.
fn difference(text: &[u8]) -> Option<String> {
    let canonical = json::canonical(&json::parse(text, text.len()).ok()?);
    let written = std::str::from_utf8(text).ok()?;
    let mut pairs = written.chars().zip(canonical.chars());
    let index = pairs.position(|(here, there)| here != there)?;
    let from = index.saturating_sub(BEFORE);
    let excerpt = |text: &str| text.chars().skip(from).take(EXCERPT).collect::<String>();
    Some(format!(
        "{} stands for {}",
        excerpt(written),
        excerpt(&canonical)
    ))
}

impl Outline {
    /// The first object of which `what` has something to say, with its place.
    fn find(
        &self,
        path: &str,
        what: &impl Fn(&[(String, Self)]) -> Option<String>,
    ) -> Option<String> {
        match self {
            Self::Scalar => None,
            Self::Array(elements) => elements.iter().find_map(|element| element.find(path, what)),
            Self::Object(members) => {
                let found = what(members).map(|found| match path {
                    "" => found,
                    path => format!("in {path}, {found}"),
                });
                found.or_else(|| {
                    members.iter().find_map(|(name, value)| {
                        let path = match path {
                            "" => name.clone(),
                            path => format!("{path}.{name}"),
                        };
                        value.find(&path, what)
                    })
                })
            }
        }
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Outline, E> {
        Ok(Outline::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Outline, E> {
        Ok(Outline::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Outline, E> {
        Ok(Outline::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Outline, E> {
        Ok(Outline::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Outline, E> {
        Ok(Outline::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Outline, E> {
        Ok(Outline::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Outline, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Outline::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Outline::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::{deviation, repeated};

    #[test]
    fn a_deviation_says_what_stands_where() {
        for (text, expected) in [
            (r#"{"a":1,"c":2,"b":3}"#, r#""c" stands before "b""#),
            (r#"{"a":{"z":1,"b":[]}}"#, r#"in a, "z" stands before "b""#),
            (
                r#"{"a":[{"x":{"q":0,"p":0}}]}"#,
                r#"in a.x, "q" stands before "p""#,
            ),
            ("{\"a\":1}\n", "there is white space at octet 7"),
            (r#"{"a": 1}"#, "there is white space at octet 5"),
            (r#"{"a \" \\":1 }"#, "there is white space at octet 12"),
            (r#"{"a":"\u0041"}"#, r#"a":"\u0041"} stands for a":"A"}"#),
            (r#"{"a":1.0e1}"#, r#"a":1.0e1} stands for a":10.0}"#),
        ] {
            assert_eq!(
                deviation(text.as_bytes()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_is_said_of_what_does_not_deviate() {
        for text in [r#"{"a":"b c","d":[1,2]}"#, "{}", "", "{", "[[[["] {
            assert_eq!(deviation(text.as_bytes()), None, "{text}");
            assert_eq!(repeated(text.as_bytes()), None, "{text}");
        }
        assert_eq!(deviation("[".repeat(100_000).as_bytes()), None);
    }

    #[test]
    fn a_repeated_member_is_named_with_its_place() {
        for (text, expected) in [
            (r#"{"a":1,"b":2,"a":3}"#, r#""a" stands twice"#),
            (
                r#"{"orig":{"tn":"1","tn":"2"}}"#,
                r#"in orig, "tn" stands twice"#,
            ),
            (r#"{"a":1,"\u0061":1}"#, r#""a" stands twice"#),
        ] {
            assert_eq!(
                repeated(text.as_bytes()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }
}
