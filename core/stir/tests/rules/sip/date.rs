//! Date header values (RFC 3261 section 20.17).

use proptest::prelude::*;
use ringtrue_stir::sip::date::{format_date, parse_date};
use ringtrue_stir::{Reason, UnixTime};

#[test]
fn reads_dates_of_sip() {
    for (text, secs) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
        ("Thu, 21 Feb 2002 13:02:03 GMT", 1_014_296_523),
        ("Sat, 21 Nov 2026 22:00:00 GMT", 1_795_298_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ] {
        assert_eq!(parse_date(text), Ok(UnixTime::from_secs(secs)), "{text}");
        assert_eq!(format_date(UnixTime::from_secs(secs)).as_deref(), Ok(text));
    }
    assert!(parse_date("\tSat, 21 Nov 2026 22:00:00 GMT ").is_ok());
}

#[test]
fn refuses_every_other_date() {
    for text in [
        "",
        "Sun, 21 Nov 2026 22:00:00 GMT",
        "Sat, 21 Nov 2026 22:00:00 UTC",
        "Sat, 21 Nov 2026 22:00:00 +00",
        "Sat, 21 Nov 2026 22:00:60 GMT",
        "Sat, 21 Nov 2026 24:00:00 GMT",
        "Sat, 21 Nov 2026 22:60:00 GMT",
        "Sat, 21 Nov 0026 22:00:00 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "Sat, 00 Nov 2026 22:00:00 GMT",
        "Tue, 31 Nov 2026 22:00:00 GMT",
        "Mon, 29 Feb 2027 22:00:00 GMT",
        "Mon, 29 Feb 2100 22:00:00 GMT",
        "sat, 21 nov 2026 22:00:00 gmt",
        "Sat, 21-Nov-2026 22:00:00 GMT",
        "Sat, 1 Nov 2026 022:00:00 GMT",
        "Sat,  1 Nov 2026 22:00:00 GMT",
        "Sat, 21 Nov 2026 22:00:00 GMTx",
        "Saturday, 21-Nov-26 22:00:00 GMT",
        "1795298400",
        "Sat, 21 N\u{f6}v 2026 22:00:00 GM",
    ] {
        assert_eq!(parse_date(text), Err(Reason::MalformedDate), "{text:?}");
    }
    let after = UnixTime::from_secs(253_402_300_800);
    assert_eq!(format_date(after), Err(Reason::MalformedDate));
    let last = UnixTime::from_secs(u64::MAX);
    assert_eq!(format_date(last), Err(Reason::MalformedDate));
}

proptest! {
    #[test]
    fn a_written_date_reads_back(secs in 0_u64..253_402_300_800) {
        let time = UnixTime::from_secs(secs);
        prop_assert_eq!(parse_date(&format_date(time).unwrap()), Ok(time));
    }

    #[test]
    fn reading_never_panics(text in ".{0,40}", near in "[A-Z][a-z]{2}, [0-9]{2} [JFMASOND][a-z]{2} [0-9]{4} [0-9:]{8} GMT") {
        let _ = parse_date(&text);
        let _ = parse_date(&near);
    }
}
