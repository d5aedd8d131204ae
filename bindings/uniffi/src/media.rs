//! The keys that protect a call's media, where they travel over IP.

use crate::RingTrueError;
use crate::show::show;

/// A media key's fingerprint. Its text shows nothing of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Fingerprint {
    /// The name of the hash function as in SDP: `sha-256`.
    pub algorithm: String,
    /// The digest.
    pub digest: Vec<u8>,
}

show!(Fingerprint, |_value, f| f.write_str("Fingerprint(..)"));

/// The fingerprints of all media keys of one side of a session, 1 to 64. Its text shows how many.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct MediaKeys {
    /// The fingerprints, in any order.
    pub fingerprints: Vec<Fingerprint>,
}

show!(MediaKeys, |value, f| write!(
    f,
    "MediaKeys({})",
    value.fingerprints.len()
));

impl MediaKeys {
    /// # Errors
    ///
    /// [`ringtrue::Reason::MalformedMky`].
    pub(crate) fn to_core(&self) -> Result<ringtrue::Mky, ringtrue::Reason> {
        let fingerprints = self.fingerprints.iter().map(|fingerprint| {
            ringtrue::Fingerprint::new(&fingerprint.algorithm, &fingerprint.digest)
        });
        ringtrue::Mky::new(fingerprints.collect::<Result<_, _>>()?)
    }
}

impl From<ringtrue::Mky> for MediaKeys {
    fn from(keys: ringtrue::Mky) -> Self {
        let fingerprint = |key: &ringtrue::Fingerprint| Fingerprint {
            algorithm: key.algorithm().to_owned(),
            digest: key.digest().to_vec(),
        };
        Self {
            fingerprints: keys.fingerprints().iter().map(fingerprint).collect(),
        }
    }
}

/// Collects every `a=fingerprint:` line of a session description; nothing if it has none.
///
/// # Errors
///
/// `malformed_mky` for a line in another form, or more than 64 of them.
#[uniffi::export]
pub fn media_keys_from_sdp(sdp: String) -> Result<Option<MediaKeys>, RingTrueError> {
    Ok(ringtrue::Mky::from_sdp(&sdp)?.map(MediaKeys::from))
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, MediaKeys, media_keys_from_sdp};

    fn keys(octet: u8, octets: usize) -> MediaKeys {
        MediaKeys {
            fingerprints: vec![Fingerprint {
                algorithm: "sha-256".to_owned(),
                digest: vec![octet; octets],
            }],
        }
    }

    #[test]
    fn fingerprints_convert_both_ways_and_their_text_shows_nothing() {
        let keys = keys(0xab, 32);
        assert_eq!(MediaKeys::from(keys.to_core().unwrap()), keys);
        assert_eq!(
            format!("{keys} {:?}", keys.fingerprints),
            "MediaKeys(1) [Fingerprint(..)]"
        );
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        let none = MediaKeys {
            fingerprints: Vec::new(),
        };
        for wrong in [keys(1, 31), none] {
            let reason = wrong.to_core().err();
            assert_eq!(reason, Some(ringtrue::Reason::MalformedMky));
        }
    }

    #[test]
    fn they_are_read_from_a_session_description() {
        let line = format!("a=fingerprint:sha-256 {}", vec!["AB"; 32].join(":"));
        let sdp = format!("v=0\r\n{line}\r\n");
        assert_eq!(media_keys_from_sdp(sdp), Ok(Some(keys(0xab, 32))));
        assert_eq!(media_keys_from_sdp("v=0\r\n".to_owned()), Ok(None));
        assert!(media_keys_from_sdp("a=fingerprint:sha-256 AB".to_owned()).is_err());
    }
}
