//! Who else can open calls to the own numbers.

use std::time::Duration;

use ringtrue_session::{NumberReaders, ReadersSession};

use crate::Endpoint;
use crate::driver::drive;

impl Endpoint {
    /// Asks the key directory who can open what callers seal for the own numbers: everybody with a
    /// certificate for a number may publish keys for it, a carrier rightly, a thief not (T27). Show it to
    /// the user, and tell [`Reason::ReaderAdded`](crate::Reason::ReaderAdded), which comes once for each
    /// new reader. Call it now and then, outside of calls.
    ///
    /// One entry for each own number; what went wrong is among its notices. Ends by the deadline
    /// (10 s by default).
    pub async fn readers(&self, deadline: Option<Duration>) -> Vec<NumberReaders> {
        let host = self.host();
        let deadline = self.deadline(deadline, host.context().policy().directory_deadline);
        let session = ReadersSession::new(host.context(), deadline);
        drive(host, session, |never| match never {}).await
    }
}
