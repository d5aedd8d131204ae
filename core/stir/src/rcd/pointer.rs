//! Where a digest points: JSON Pointers, relative to `rcd`.

use serde_json::Value;

use crate::Reason;

/// The longest pointer. The deepest one of use, `/jcl/1/63/18`, has 12 characters.
const MAX_POINTER_LEN: usize = 128;

/// A JSON Pointer to a member of `rcd` or something inside it, as it was written: no two spellings
/// mean the same. The empty one, for all of `rcd`, is not among them.
///
/// Source: RFC 6901 sections 3 and 4; RFC 9795 section 6 (PPT-73).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pointer(String);

impl Pointer {
    /// [`Reason::MalformedRcd`] for anything that is no pointer of this kind.
    pub(super) fn parse(text: &str) -> Result<Self, Reason> {
        let escapes_are_whole = text
            .split('~')
            .skip(1)
            .all(|after| after.starts_with('0') || after.starts_with('1'));
        if text.starts_with('/') && text.len() <= MAX_POINTER_LEN && escapes_are_whole {
            Ok(Self(text.to_owned()))
        } else {
            Err(Reason::MalformedRcd)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The value it points to.
    pub(super) fn resolve<'a>(&self, rcd: &'a Value) -> Option<&'a Value> {
        rcd.pointer(&self.0)
    }

    /// Whether it points into the card behind `jcl`, so that nothing is there until that was fetched.
    pub(super) fn is_inside_linked_card(&self) -> bool {
        self.0.starts_with("/jcl/")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{MAX_POINTER_LEN, Pointer};
    use crate::Reason;

    fn at(pointer: &str) -> Option<Value> {
        let rcd = json!({"nam": "Q", "": 1, "a/b": 2, "m~n": 3, "jcd": ["vcard", [["fn"]]]});
        Pointer::parse(pointer).unwrap().resolve(&rcd).cloned()
    }

    /// RFC 6901 section 5.
    #[test]
    fn pointers_name_members_and_elements() {
        assert_eq!(at("/nam"), Some(json!("Q")));
        assert_eq!(at("/"), Some(json!(1)));
        assert_eq!(at("/a~1b"), Some(json!(2)));
        assert_eq!(at("/m~0n"), Some(json!(3)));
        assert_eq!(at("/jcd/1/0/0"), Some(json!("fn")));
        for nothing in [
            "/x",
            "/jcd/2",
            "/jcd/-",
            "/jcd/01",
            "/jcd/+1",
            "/nam/0",
            "/jcd/1/0/0/",
        ] {
            assert_eq!(at(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn refuses_what_is_no_pointer_into_rcd() {
        let long = format!("/{}", "a".repeat(MAX_POINTER_LEN));
        for text in ["", "nam", "#/nam", " /nam", "/a~", "/a~2", "/~~0", &long] {
            assert_eq!(
                Pointer::parse(text).err(),
                Some(Reason::MalformedRcd),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn pointers_never_panic(text in "(/?[a-z~0-9]{0,4}){0,6}|.{0,20}") {
            if let Ok(pointer) = Pointer::parse(&text) {
                let _ = pointer.resolve(&json!({"nam": ["a", {"b": 1}]}));
            }
        }
    }
}
