//! Numbers and URLs.

use ringtrue_oob::BaseUrl;
use ringtrue_stir::{MAX_NUMBER_LEN, TelephoneNumber, X5u};

use super::text;

pub(super) fn number(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    for number in [
        TelephoneNumber::from_text(text),
        TelephoneNumber::from_path(text),
    ]
    .into_iter()
    .flatten()
    {
        assert!(number.as_str().len() <= MAX_NUMBER_LEN, "within the limit");
        let again = TelephoneNumber::from_canonical(number.as_str());
        assert_eq!(
            again.as_ref(),
            Ok(&number),
            "canonical once is canonical always"
        );
    }
    if let Ok(number) = TelephoneNumber::from_canonical(text) {
        assert_eq!(
            number.as_str(),
            text,
            "a canonical number is kept as received"
        );
    }
}

/// The first line is a base URL, the others are references that its service answers with.
pub(super) fn base_url(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    let mut lines = text.lines();
    let Some(Ok(base)) = lines.next().map(BaseUrl::parse) else {
        return;
    };
    let again = BaseUrl::parse(base.as_str());
    assert_eq!(
        again.as_ref().map(BaseUrl::as_str),
        Ok(base.as_str()),
        "normal once is normal always"
    );
    assert!(base.as_str().starts_with("https://"), "no other scheme");
    for reference in lines {
        if let Ok(url) = base.resolve(reference) {
            assert!(
                url.starts_with(&base.join("/")),
                "no reference leads elsewhere"
            );
        }
    }
}

pub(super) fn x5u(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    if let Ok(x5u) = X5u::parse(text) {
        assert_eq!(x5u.as_str(), text, "a reference is kept as received");
        // A scheme may be written in any case.
        let scheme = text.get(..8).unwrap_or_default().to_ascii_lowercase();
        assert_eq!(scheme, "https://", "no other scheme");
    }
}
