//! Rich call data and the cards in them: text by strangers that ends on a display.

use ringtrue_stir::json;
use ringtrue_stir::rcd::{JCard, MAX_NAME_CHARS, RichCallData, usable};

/// Above every limit of what is read here.
const MAX_LEN: usize = 64 * 1024;

pub(super) fn jcard(octets: &[u8]) {
    let Ok(value) = json::parse(octets, MAX_LEN) else {
        return;
    };
    if let Ok(card) = JCard::from_value(&value) {
        let _ = (card.formatted_name(), card.organisation());
        let _ = (card.emails().count(), card.telephone_numbers().count());
    }
}

/// The claims up to the first line feed; what is behind it is taken for fetched content.
pub(super) fn rcd(octets: &[u8]) {
    let end = octets.iter().position(|octet| *octet == b'\n');
    let (claims, fetched) = octets.split_at(end.unwrap_or(octets.len()));
    let Ok(claims) = json::parse(claims, MAX_LEN) else {
        return;
    };
    let _ = usable(&claims, Ok(()));
    let Ok(Some(mut data)) = RichCallData::from_claims(&claims) else {
        return;
    };
    if let Some(name) = data.shown_name() {
        assert!(name.chars().count() <= MAX_NAME_CHARS, "names are cut");
        assert!(!name.chars().any(char::is_control), "no control is shown");
    }
    let _ = (data.shown_call_reason(), data.check_for_signing());
    let wanted = data.wanted_fetches();
    for pointer in wanted.iter().map(|fetch| fetch.pointer.clone()) {
        let _ = data.accept_fetched(&pointer, fetched.get(1..).unwrap_or_default());
    }
    let _ = (data.warnings(), data.contents().count());
}
