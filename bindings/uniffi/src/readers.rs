//! Who else can open calls to the own numbers.

use crate::Reason;
use crate::reason::reasons;
use crate::show::show;

/// Who can open calls to one own number. Its text shows nothing of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct NumberReaders {
    /// The own number.
    pub number: String,
    /// Everybody whose key statement is live, this endpoint among them.
    pub readers: Vec<Reader>,
    /// What is worth knowing: `reader_added` if somebody is new, `statement_superseded` if somebody else
    /// signs with the own credential, `keys_not_published` if the directory does not show the own
    /// statement, and why a directory could not be asked.
    pub notices: Vec<Reason>,
}

show!(NumberReaders, |value, f| write!(
    f,
    "NumberReaders({} readers)",
    value.readers.len()
));

/// Somebody to whom callers seal. His text shows nothing of him.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Reader {
    /// SHA-256 of the public key in his certificate, 32 octets.
    pub signer: Vec<u8>,
    /// The subject of his certificate, for people. Nobody but its issuer vouches for it.
    pub subject: String,
    /// The suites of his keys, by name.
    pub suites: Vec<String>,
    /// Until when his statement holds, in seconds since the Unix epoch.
    pub expires_unix_s: u64,
    /// Since when this endpoint lists him, in seconds since the Unix epoch.
    pub since_unix_s: Option<u64>,
    /// Whether it is this endpoint itself.
    pub is_own: bool,
    /// Whether he was not there, or not noticed, when readers were listed last.
    pub is_new: bool,
}

show!(Reader, |_value, f| f.write_str("Reader(..)"));

impl From<ringtrue::NumberReaders> for NumberReaders {
    fn from(listed: ringtrue::NumberReaders) -> Self {
        Self {
            number: listed.number.as_str().to_owned(),
            readers: listed.readers.into_iter().map(Reader::from).collect(),
            notices: reasons(listed.notices),
        }
    }
}

impl From<ringtrue::Reader> for Reader {
    fn from(reader: ringtrue::Reader) -> Self {
        let suites = reader.suites.iter();
        Self {
            signer: reader.signer.to_vec(),
            subject: reader.subject,
            suites: suites.map(|suite| suite.name().to_owned()).collect(),
            expires_unix_s: reader.expires.as_secs(),
            since_unix_s: reader.since.map(ringtrue::UnixTime::as_secs),
            is_own: reader.is_own,
            is_new: reader.is_new,
        }
    }
}
