//! Who else can open calls to the own numbers.

use std::time::Duration;

use crate::reason::reasons;
use crate::show::show;
use crate::{Endpoint, Reason, RingTrueError};

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

#[uniffi::export]
impl Endpoint {
    /// Asks the key directory who can open what callers seal for the own numbers: everybody with a
    /// certificate for a number may publish keys for it, a carrier rightly, a thief not. Show it to the
    /// user, and tell `reader_added`, which comes once for each new reader. One entry for each own number.
    ///
    /// # Errors
    ///
    /// `cancelled` if the endpoint was shut down. What went wrong is among the notices.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn readers(
        &self,
        deadline_ms: Option<u64>,
    ) -> Result<Vec<NumberReaders>, RingTrueError> {
        let core = self.core().clone();
        let listed = async move { core.readers(deadline_ms.map(Duration::from_millis)).await };
        let listed = self.work().run(listed).await?;
        Ok(listed.into_iter().map(NumberReaders::from).collect())
    }
}
