//! Lines of bounded length and time, as both protocols have them.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::time::{Instant, timeout_at};

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The connection ended. What was begun and not ended by a line feed is no line.
    End,
    /// A line, without its end.
    Text(Vec<u8>),
    /// More octets than a line may have. There is no reading on.
    TooLong,
    /// A line was begun and not ended in time.
    TooSlow,
}

/// Reads lines. What was read of one is kept when the future is dropped.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    held: Vec<u8>,
    /// By when the line that was begun must be whole.
    until: Option<Instant>,
    max_octets: usize,
    patience: Duration,
}

/// Octets that are read at once: an idle client costs little more.
const BUFFER: usize = 1024;

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `max_octets`, each whole within `patience` of its first octet.
    pub(crate) fn new(reader: R, max_octets: usize, patience: Duration) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, reader),
            held: Vec::new(),
            until: None,
            max_octets,
            patience,
        }
    }

    /// What is read from.
    pub(crate) fn inner(&self) -> &R {
        self.reader.get_ref()
    }

    /// The next line; waits for its beginning for ever.
    pub(crate) async fn next(&mut self) -> Line {
        loop {
            let filled = match self.until {
                None => self.reader.fill_buf().await,
                Some(until) => match timeout_at(until, self.reader.fill_buf()).await {
                    Ok(filled) => filled,
                    Err(_) => return Line::TooSlow,
                },
            };
            let octets = match filled {
                Ok(octets) if !octets.is_empty() => octets,
                _ => return Line::End,
            };
            let end = octets.iter().position(|octet| *octet == b'\n');
            let content = octets
                .get(..end.unwrap_or(octets.len()))
                .unwrap_or_default();
            if self.held.len().saturating_add(content.len()) > self.max_octets {
                return Line::TooLong;
            }
            self.held.extend_from_slice(content);
            let used = content.len().saturating_add(usize::from(end.is_some()));
            self.reader.consume(used);
            if end.is_some() {
                self.until = None;
                let mut line = core::mem::take(&mut self.held);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Line::Text(line);
            }
            if self.until.is_none() {
                self.until = Instant::now().checked_add(self.patience);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;

    use super::{Line, Lines};

    const PATIENCE: Duration = Duration::from_millis(10);

    fn text(line: &str) -> Line {
        Line::Text(line.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_end_with_a_line_feed_and_may_come_in_pieces() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut lines = Lines::new(server, 8, Duration::from_secs(60));
        client.write_all(b"one\r\n\ntwo").await.unwrap();
        assert_eq!(lines.next().await, text("one"));
        assert_eq!(lines.next().await, text(""));
        client.write_all(b"12345\nrest").await.unwrap();
        assert_eq!(lines.next().await, text("two12345"));
        drop(client);
        assert_eq!(lines.next().await, Line::End);
    }

    #[tokio::test]
    async fn a_line_beyond_the_limit_is_not_collected() {
        let (mut client, server) = tokio::io::duplex(4096);
        let mut lines = Lines::new(server, 8, Duration::from_secs(60));
        client.write_all(b"123456789").await.unwrap();
        assert_eq!(lines.next().await, Line::TooLong);
    }

    #[tokio::test]
    async fn a_line_that_does_not_end_is_given_up_and_a_client_that_says_nothing_is_not() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut lines = Lines::new(server, 8, PATIENCE);
        let nothing = tokio::time::timeout(4 * PATIENCE, lines.next()).await;
        assert!(nothing.is_err(), "it waits");
        client.write_all(b"12").await.unwrap();
        assert_eq!(lines.next().await, Line::TooSlow);
    }
}
