//! jCards: a vCard as JSON.
//!
//! Reads the structure and gives the few properties that a telephone shows. What a value means beyond
//! that (dates, languages, preferences) is left alone.

use core::fmt;

use serde_json::{Map, Value};

use crate::{Reason, TelephoneNumber, json};

/// The most octets of a fetched jCard. As a token itself; images are behind URIs.
pub const MAX_JCARD_LEN: usize = 16 * 1024;

/// The most properties; also the length of an array that a token may have (PPT-22).
const MAX_PROPERTIES: usize = 64;

/// The most values or parameters of a property. Addresses have seven components.
const MAX_VALUES: usize = 16;

/// The most values of type `uri`. Each may cost a fetch, and a screen shows one or two.
const MAX_URIS: usize = 16;

/// One property of a card.
#[derive(Clone)]
struct Property {
    name: String,
    /// Lower case, like `text` or `uri`.
    kind: String,
    values: Vec<Value>,
}

/// A value of type `uri` in a card, and where it stands.
pub(super) struct CardUri<'a> {
    pub(super) property: &'a str,
    /// Relative to the card: `/1/3/3`.
    pub(super) pointer: String,
    pub(super) uri: &'a str,
}

/// A card in checked form. All its texts are a stranger's: show them by
/// [`display_text`](super::display_text) only. [`fmt::Debug`] hides the content.
///
/// Source: RFC 7095 section 3.
#[derive(Clone)]
pub struct JCard(Vec<Property>);

impl fmt::Debug for JCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JCard(..)")
    }
}

impl JCard {
    /// Reads a card that is JSON already.
    ///
    /// A `version` other than 4.0 is refused; none at all is not, as nothing is read differently.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedJcard`] for another structure, [`Reason::TooDeep`] for more than 64
    /// properties, 16 values or parameters of one, or 16 URIs.
    ///
    /// Source: RFC 7095 sections 3.2 to 3.5.
    pub fn from_value(value: &Value) -> Result<Self, Reason> {
        let properties = match value.as_array().map(Vec::as_slice) {
            Some([Value::String(vcard), Value::Array(properties)]) if vcard == "vcard" => {
                properties
            }
            _ => return Err(Reason::MalformedJcard),
        };
        if properties.len() > MAX_PROPERTIES {
            return Err(Reason::TooDeep);
        }
        let properties: Vec<_> = properties
            .iter()
            .map(Property::from_value)
            .collect::<Result<_, _>>()?;
        let other_version = properties
            .iter()
            .filter(|property| property.name == "version")
            .any(|property| property.values != [Value::from("4.0")]);
        let card = Self(properties);
        if card.0.is_empty() || other_version {
            return Err(Reason::MalformedJcard);
        }
        // A URI is a text, or what stands there would be missed when digests are checked.
        let uri_values = card.0.iter().filter(|property| property.kind == "uri");
        let uri_values = uri_values.flat_map(|property| &property.values);
        if uri_values.clone().any(|value| !value.is_string()) {
            return Err(Reason::MalformedJcard);
        }
        if uri_values.count() > MAX_URIS {
            return Err(Reason::TooDeep);
        }
        Ok(card)
    }

    /// Reads a fetched card, together with the JSON that digests point into.
    pub(super) fn parse(octets: &[u8]) -> Result<(Self, Value), Reason> {
        let value = json::parse(octets, MAX_JCARD_LEN)?;
        Self::from_value(&value).map(|card| (card, value))
    }

    /// `fn`: the name.
    #[must_use]
    pub fn formatted_name(&self) -> Option<&str> {
        self.first_text("fn")
    }

    /// `org`: the organisation; of a structured one the first component.
    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        self.first_text("org")
    }

    /// `email`: the addresses, in order.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.texts("email")
    }

    /// `tel`: those numbers that have a canonical form, in order.
    pub fn telephone_numbers(&self) -> impl Iterator<Item = TelephoneNumber> {
        self.texts("tel")
            .filter_map(|text| TelephoneNumber::from_text(text).ok())
    }

    /// Every value of type `uri`.
    pub(super) fn uris(&self) -> impl Iterator<Item = CardUri<'_>> {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, property)| property.kind == "uri")
            .flat_map(|(at, property)| {
                let values = property.values.iter().zip(3_usize..);
                values.filter_map(move |(value, position)| {
                    Some(CardUri {
                        property: &property.name,
                        pointer: format!("/1/{at}/{position}"),
                        uri: value.as_str()?,
                    })
                })
            })
    }

    fn texts(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |property| property.name == name)
            .flat_map(|property| property.values.iter().filter_map(Value::as_str))
    }

    fn first_text(&self, name: &str) -> Option<&str> {
        let property = self.0.iter().find(|property| property.name == name)?;
        match property.values.first()? {
            Value::Array(components) => components.first()?.as_str(),
            value => value.as_str(),
        }
    }
}

impl Property {
    fn from_value(value: &Value) -> Result<Self, Reason> {
        let (name, parameters, kind, values) = match value.as_array().map(Vec::as_slice) {
            Some(
                [
                    Value::String(name),
                    Value::Object(parameters),
                    Value::String(kind),
                    values @ ..,
                ],
            ) => (name, parameters, kind, values),
            _ => return Err(Reason::MalformedJcard),
        };
        if parameters.len() > MAX_VALUES || values.len() > MAX_VALUES {
            return Err(Reason::TooDeep);
        }
        let well_formed = is_token(name)
            && is_token(kind)
            && !values.is_empty()
            && are_parameters(parameters)
            && values.iter().all(|value| is_value(value, 2));
        if !well_formed {
            return Err(Reason::MalformedJcard);
        }
        Ok(Self {
            name: name.clone(),
            kind: kind.clone(),
            values: values.to_vec(),
        })
    }
}

/// Names of properties, parameters and types are written in lower case.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn are_parameters(parameters: &Map<String, Value>) -> bool {
    parameters
        .iter()
        .all(|(name, value)| is_token(name) && is_value(value, 1))
}

/// A scalar, or a list of them nested up to `levels` deep (structured values have lists as components).
fn is_value(value: &Value, levels: usize) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(components) => levels.checked_sub(1).is_some_and(|levels| {
            components.len() <= MAX_VALUES && components.iter().all(|value| is_value(value, levels))
        }),
        Value::Null | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{JCard, MAX_JCARD_LEN};
    use crate::Reason;

    fn card() -> Value {
        json!(["vcard", [
            ["version", {}, "text", "4.0"],
            ["fn", {"language": "en"}, "text", "Q Branch"],
            ["org", {}, "text", ["MI6", "Q Branch"]],
            ["tel", {"type": ["work", "voice"]}, "uri", "tel:+1-202-555-0143"],
            ["tel", {}, "text", "call me"],
            ["email", {}, "text", "q@example.com", "m@example.com"],
            ["adr", {}, "text", ["", "", ["1 Main St", "Floor 2"], "London", "", "", "UK"]],
            ["photo", {}, "uri", "https://example.com/a.png", "https://example.com/b.png"]
        ]])
    }

    #[test]
    fn gives_the_properties_that_are_shown() {
        let card = JCard::from_value(&card()).unwrap();
        assert_eq!(card.formatted_name(), Some("Q Branch"));
        assert_eq!(card.organisation(), Some("MI6"));
        let numbers: Vec<_> = card.telephone_numbers().collect();
        assert_eq!(numbers.len(), 1);
        assert_eq!(numbers[0].as_str(), "12025550143");
        assert_eq!(
            card.emails().collect::<Vec<_>>(),
            ["q@example.com", "m@example.com"]
        );
        let uris: Vec<_> = card
            .uris()
            .map(|uri| (uri.property, uri.pointer, uri.uri))
            .collect();
        assert_eq!(
            uris,
            [
                ("tel", "/1/3/3".to_owned(), "tel:+1-202-555-0143"),
                ("photo", "/1/7/3".to_owned(), "https://example.com/a.png"),
                ("photo", "/1/7/4".to_owned(), "https://example.com/b.png"),
            ]
        );
        assert_eq!(format!("{card:?}"), "JCard(..)");
    }

    #[test]
    fn refuses_another_structure() {
        for card in [
            json!(null),
            json!({}),
            json!("vcard"),
            json!([]),
            json!(["vcard"]),
            json!(["vcard", []]),
            json!(["vcard", {}]),
            json!(["VCARD", [["fn", {}, "text", "Q"]]]),
            json!(["vcalendar", [["fn", {}, "text", "Q"]]]),
            json!(["vcard", [["fn", {}, "text", "Q"]], []]),
            json!(["vcard", ["fn"]]),
            json!(["vcard", [["fn"]]]),
            json!(["vcard", [["fn", {}, "text"]]]),
            json!(["vcard", [["fn", [], "text", "Q"]]]),
            json!(["vcard", [["fn", {}, 1, "Q"]]]),
            json!(["vcard", [[1, {}, "text", "Q"]]]),
            json!(["vcard", [["FN", {}, "text", "Q"]]]),
            json!(["vcard", [["", {}, "text", "Q"]]]),
            json!(["vcard", [["photo", {}, "URI", "https://example.com/"]]]),
            json!(["vcard", [["photo", {}, "uri", ["https://example.com/"]]]]),
            json!(["vcard", [["photo", {}, "uri", 1]]]),
            json!(["vcard", [["fn", {}, "text", null]]]),
            json!(["vcard", [["fn", {}, "text", {"a": 1}]]]),
            json!(["vcard", [["adr", {}, "text", [[["a"]]]]]]),
            json!(["vcard", [["fn", {"x": {}}, "text", "Q"]]]),
            json!(["vcard", [["fn", {"x": [["a"]]}, "text", "Q"]]]),
            json!(["vcard", [["version", {}, "text", "3.0"]]]),
            json!(["vcard", [["version", {}, "text", "4.0", "3.0"]]]),
        ] {
            assert_eq!(
                JCard::from_value(&card).err(),
                Some(Reason::MalformedJcard),
                "{card}"
            );
        }
    }

    #[test]
    fn counts_and_size_have_limits() {
        let name = json!(["fn", {}, "text", "Q"]);
        let of = |count| json!(["vcard", vec![name.clone(); count]]);
        assert!(JCard::from_value(&of(64)).is_ok());
        assert_eq!(JCard::from_value(&of(65)).err(), Some(Reason::TooDeep));
        let uris = |count| {
            let property = json!(["url", {}, "uri", "https://example.com/"]);
            json!(["vcard", vec![property; count]])
        };
        assert!(JCard::from_value(&uris(16)).is_ok());
        assert_eq!(JCard::from_value(&uris(17)).err(), Some(Reason::TooDeep));
        let mut many = vec![json!("email"), json!({}), json!("text")];
        many.extend(vec![json!("a"); 17]);
        assert_eq!(
            JCard::from_value(&json!(["vcard", [many]])).err(),
            Some(Reason::TooDeep)
        );
        let long = format!(
            "[\"vcard\",[[\"fn\",{{}},\"text\",\"{}\"]]]",
            "a".repeat(MAX_JCARD_LEN)
        );
        assert_eq!(JCard::parse(long.as_bytes()).err(), Some(Reason::TooLong));
        assert_eq!(
            JCard::parse(b"[\"vcard\",[[\"fn\",{\"a\":1,\"a\":2},\"text\",\"\"]]]").err(),
            Some(Reason::DuplicateMember)
        );
        assert_eq!(JCard::parse(b"\xff").err(), Some(Reason::MalformedJson));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<i8>().prop_map(Value::from),
            "(vcard|fn|org|tel|photo|uri|text|version|4.0)".prop_map(Value::from),
        ];
        scalar.prop_recursive(5, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..2)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn use_all(card: &JCard) {
        let _ = (card.formatted_name(), card.organisation());
        let _ = (
            card.emails().count(),
            card.telephone_numbers().count(),
            card.uris().count(),
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = JCard::parse(&octets);
        }

        #[test]
        fn structures_like_a_card_never_panic(
            properties in prop::collection::vec(any_json(), 0..4),
            any in any_json(),
        ) {
            for value in [json!(["vcard", properties]), any] {
                if let Ok(card) = JCard::from_value(&value) {
                    use_all(&card);
                }
            }
        }

        #[test]
        fn every_uri_stands_where_its_pointer_says(
            kinds in prop::collection::vec(
                ("(photo|logo|url)", "(uri|text)", prop::collection::vec("[a-z:/]{0,8}", 1..4)),
                1..5,
            ),
        ) {
            let property = |(name, kind, values): &(String, String, Vec<String>)| {
                let mut property = vec![json!(name), json!({}), json!(kind)];
                property.extend(values.iter().map(|value| json!(value)));
                Value::from(property)
            };
            let properties: Vec<_> = kinds.iter().map(property).collect();
            let value = json!(["vcard", properties]);
            let card = JCard::from_value(&value).unwrap();
            for uri in card.uris() {
                prop_assert_eq!(value.pointer(&uri.pointer).and_then(Value::as_str), Some(uri.uri));
            }
            let typed = kinds.iter().filter(|(_, kind, _)| kind == "uri");
            let expected: usize = typed.map(|(_, _, values)| values.len()).sum();
            prop_assert_eq!(card.uris().count(), expected);
        }
    }
}
