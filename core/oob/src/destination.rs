//! Whom a blob is for: the part of HPKE's `info` that binds a blob to its destination.

use core::fmt;

use ringtrue_stir::{Reason, TelephoneNumber};

/// The label in front of `info`; the zero octet ends it.
const LABEL: &[u8] = b"STIR-OOB blob v1\0";

/// The longest URI that a blob is bound to. Far above any SIP address; bounds the work.
const MAX_URI_LEN: usize = 1024;

/// The called party that a blob is sealed for. A blob opens only for the same destination (PRV-6).
///
/// [`fmt::Debug`] hides the number or URI.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// A telephone number.
    TelephoneNumber(TelephoneNumber),
    /// A URI in its normalised form.
    Uri(String),
}

impl Destination {
    /// HPKE's `info`: label, kind, length (two octets, big-endian) and the destination.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`] for a URI of more than 1024 octets, [`Reason::MalformedUrl`] for an empty
    /// one.
    ///
    /// Source: docs/protocol.md section 6.3.
    pub fn info(&self) -> Result<Vec<u8>, Reason> {
        Ok([LABEL, &self.tagged()?].concat())
    }

    /// Kind, length (two octets, big-endian) and the destination.
    pub(crate) fn tagged(&self) -> Result<Vec<u8>, Reason> {
        let (kind, text) = match self {
            Self::TelephoneNumber(number) => (1, number.as_str()),
            Self::Uri(uri) => (2, uri.as_str()),
        };
        if text.is_empty() {
            return Err(Reason::MalformedUrl);
        }
        if text.len() > MAX_URI_LEN {
            return Err(Reason::TooLong);
        }
        let len = u16::try_from(text.len()).map_err(|_| Reason::TooLong)?;
        let mut tagged = vec![kind];
        tagged.extend_from_slice(&len.to_be_bytes());
        tagged.extend_from_slice(text.as_bytes());
        Ok(tagged)
    }
}

impl From<TelephoneNumber> for Destination {
    fn from(number: TelephoneNumber) -> Self {
        Self::TelephoneNumber(number)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TelephoneNumber(_) => "Destination::TelephoneNumber(..)",
            Self::Uri(_) => "Destination::Uri(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::{Reason, TelephoneNumber};

    use super::Destination;

    #[test]
    fn info_of_a_number_and_of_the_same_text_as_uri_differ() {
        let number = TelephoneNumber::from_canonical("123").unwrap();
        assert_eq!(
            Destination::from(number).info().unwrap(),
            b"STIR-OOB blob v1\0\x01\x00\x03123"
        );
        assert_eq!(
            Destination::Uri("123".into()).info().unwrap(),
            b"STIR-OOB blob v1\0\x02\x00\x03123"
        );
    }

    #[test]
    fn info_refuses_empty_and_endless_uris() {
        assert_eq!(
            Destination::Uri(String::new()).info(),
            Err(Reason::MalformedUrl)
        );
        assert_eq!(
            Destination::Uri("x".repeat(1025)).info(),
            Err(Reason::TooLong)
        );
    }

    #[test]
    fn debug_hides_the_destination() {
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        assert!(!format!("{:?}", Destination::from(number)).contains("555"));
        let uri = Destination::Uri("sip:alice@example.com".into());
        assert!(!format!("{uri:?}").contains("alice"));
    }
}
