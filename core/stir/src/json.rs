//! Strict JSON: what PASSporTs, key statements and sealed contents are read and written with.
//!
//! [`parse`] refuses what two readers could understand differently (repeated members) and what costs
//! more than it may (depth, long arrays, size). [`canonical`] writes the one deterministic form.
//!
//! Schema checks are not done here.

use core::cell::Cell;
use core::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::Reason;

/// How deep arrays and objects may nest (PPT-22). No registered claim needs more than four levels.
pub const MAX_DEPTH: usize = 8;

/// How many elements an array may have (PPT-22). Bounds the work on `dest`, `x5c` and the like.
pub const MAX_ARRAY_LEN: usize = 64;

/// Reads one JSON text of at most `max_len` octets.
///
/// White space around it is accepted, anything else is not.
///
/// # Errors
///
/// - [`Reason::TooLong`]: more than `max_len` octets.
/// - [`Reason::TooDeep`]: nested deeper than [`MAX_DEPTH`] or an array longer than [`MAX_ARRAY_LEN`].
/// - [`Reason::DuplicateMember`]: an object repeats a member name.
/// - [`Reason::MalformedJson`]: not JSON, or not UTF-8.
///
/// Source: RFC 8259 section 4; RFC 8225 section 9 (PPT-11, PPT-13, PPT-22).
pub fn parse(text: &[u8], max_len: usize) -> Result<Value, Reason> {
    if text.len() > max_len {
        return Err(Reason::TooLong);
    }
    let refusal = Cell::new(Reason::MalformedJson);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let strict = Strict {
        levels_left: MAX_DEPTH,
        refusal: &refusal,
    };
    let value = strict
        .deserialize(&mut deserializer)
        .map_err(|_| refusal.get())?;
    deserializer.end().map_err(|_| Reason::MalformedJson)?;
    Ok(value)
}

/// Writes `value` in the deterministic form: no white space, members in the order of their Unicode
/// code points, characters unescaped where JSON allows it, at every level.
///
/// Source: RFC 8225 section 9 (PPT-11, PPT-11a).
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_string(out, text),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, element);
            }
            out.push(']');
        }
        Value::Object(members) => {
            // The map keeps this order by default, but another crate of the build can change that.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|one, other| one.0.cmp(other.0));
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, name);
                out.push(':');
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Builds a [`Value`] and refuses on the way.
struct Strict<'a> {
    levels_left: usize,
    /// Why reading stopped, if it was not the syntax: the deserializer's own error type is opaque.
    refusal: &'a Cell<Reason>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&self, reason: Reason) -> E {
        self.refusal.set(reason);
        E::custom("")
    }

    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self {
                levels_left,
                refusal: self.refusal,
            }),
            None => Err(self.refuse(Reason::TooDeep)),
        }
    }

    const fn again(&self) -> Self {
        Self {
            levels_left: self.levels_left,
            refusal: self.refusal,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom(""))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(inner.again())? {
            if elements.len() == MAX_ARRAY_LEN {
                return Err(self.refuse(Reason::TooDeep));
            }
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(self.refuse(Reason::DuplicateMember));
            }
            let value = map.next_value_seed(inner.again())?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{MAX_ARRAY_LEN, MAX_DEPTH, canonical, parse};
    use crate::Reason;

    fn read(text: &str) -> Result<Value, Reason> {
        parse(text.as_bytes(), 4096)
    }

    #[test]
    fn canonical_orders_members_by_code_point_at_every_level() {
        let value = json!({"b": {"z": 1, "a": [true, null]}, "a": "x", "B": -2, "é": "\u{1F4DE}"});
        assert_eq!(
            canonical(&value),
            "{\"B\":-2,\"a\":\"x\",\"b\":{\"a\":[true,null],\"z\":1},\"é\":\"\u{1F4DE}\"}"
        );
    }

    #[test]
    fn canonical_escapes_only_what_json_demands() {
        let value = json!("\"\\/\u{8}\t\n\u{c}\r\u{1}\u{7f}");
        assert_eq!(
            canonical(&value),
            "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\u{7f}\""
        );
        assert_eq!(canonical(&value), value.to_string());
    }

    #[test]
    fn refuses_a_repeated_member_at_any_level_and_however_it_is_escaped() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
        ] {
            assert_eq!(read(text), Err(Reason::DuplicateMember), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_single_json_text() {
        for text in [
            "",
            " ",
            "{",
            "{}{}",
            "{}x",
            "nul",
            "{'a':1}",
            "[1,]",
            "01",
            "+1",
            "\"\\ud800\"",
            "\"\n\"",
            "\u{feff}{}",
            "{\"a\"}",
            "NaN",
        ] {
            assert_eq!(read(text), Err(Reason::MalformedJson), "{text:?}");
        }
        assert_eq!(parse(b"\"\xff\"", 16), Err(Reason::MalformedJson));
    }

    #[test]
    fn depth_array_length_and_size_have_exact_limits() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(Reason::TooDeep));
        assert_eq!(read(&"[".repeat(4096)), Err(Reason::TooDeep));
        let array = |len: usize| format!("[{}]", vec!["0"; len].join(","));
        assert!(read(&array(MAX_ARRAY_LEN)).is_ok());
        assert_eq!(read(&array(MAX_ARRAY_LEN + 1)), Err(Reason::TooDeep));
        assert!(parse(b"[1]", 3).is_ok());
        assert_eq!(parse(b"[1]", 2), Err(Reason::TooLong));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&text, 4096);
        }

        #[test]
        fn parse_never_panics_on_json_like_text(text in r#"[\[\]{}",:0-9a-e\\. -]{0,120}"#) {
            let _ = read(&text);
        }

        #[test]
        fn what_was_written_reads_back_and_is_written_the_same(value in any_value()) {
            let text = canonical(&value);
            let again = parse(text.as_bytes(), usize::MAX).unwrap();
            prop_assert_eq!(canonical(&again), text);
            prop_assert_eq!(again, value);
        }
    }
}
