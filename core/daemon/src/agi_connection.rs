//! One FastAGI request. Whatever happens, the call goes on: what cannot be told is `unavailable`.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{Reason, Verdict};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, timeout, timeout_at};

use crate::Code;
use crate::agi::{AgiRequest, MAX_HEAD_LINE, MAX_HEAD_LINES, MAX_HEAD_OCTETS};
use crate::calls::Owner;
use crate::connection::drained;
use crate::desk::{CallResult, Desk, Done};
use crate::lines::{Line, Lines};
use crate::method::Method;

/// How long Asterisk may take to say what it wants, and to take each variable.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a dialplan is told.
struct Variables {
    verdict: &'static str,
    reasons: Vec<&'static str>,
    call: Option<String>,
}

impl Variables {
    /// On doubt.
    fn unavailable(code: Code) -> Self {
        Self {
            verdict: Verdict::Unavailable.name(),
            reasons: vec![code.name()],
            call: None,
        }
    }

    fn of(result: CallResult, is_kept: bool) -> Self {
        Self {
            verdict: result.report.verdict,
            reasons: result.report.reasons,
            call: result.call.filter(|_| is_kept),
        }
    }
}

/// Serves one request. `refused` is why it is not even looked at, if it is not.
pub(crate) async fn serve(stream: TcpStream, desk: Arc<Desk>, client: u64, refused: Option<Code>) {
    // Small lines that are waited for.
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(read, MAX_HEAD_LINE, PATIENCE);
    let result = match (head(&mut lines).await, refused) {
        (Ok(_), Some(code)) | (Err(code), _) => Err(code),
        (Ok(head), None) => run(&desk, &head, client).await,
    };
    let variables = result.unwrap_or_else(|code| {
        desk.record.refused();
        tracing::info!(code = code.name(), "FastAGI request not performed");
        Variables::unavailable(code)
    });
    let told = tell(&mut write, &mut lines, &variables).await;
    if told.is_none() {
        tracing::debug!("a FastAGI client went");
    }
    desk.calls.release(client);
}

/// Everything up to the empty line.
async fn head(lines: &mut Lines<OwnedReadHalf>) -> Result<Vec<u8>, Code> {
    let until = Instant::now().checked_add(PATIENCE);
    let until = until.ok_or(Code::TooSlow)?;
    let mut head = Vec::new();
    for _ in 0..MAX_HEAD_LINES {
        let read = timeout_at(until, lines.next()).await;
        let text = match read.map_err(|_| Code::TooSlow)? {
            Line::Text(text) => text,
            Line::TooLong => return Err(Reason::TooLong.into()),
            Line::TooSlow => return Err(Code::TooSlow),
            Line::End => return Err(Code::MalformedRequest),
        };
        if text.is_empty() {
            return Ok(head);
        }
        head.extend_from_slice(&text);
        head.push(b'\n');
        if head.len() > MAX_HEAD_OCTETS {
            return Err(Reason::TooLong.into());
        }
    }
    Err(Reason::TooLong.into())
}

async fn run(desk: &Desk, head: &[u8], client: u64) -> Result<Variables, Code> {
    let request = AgiRequest::parse(head)?;
    let key = desk.config.agi.as_ref().and_then(|agi| agi.key.as_deref());
    if let Some(key) = key {
        let shown = request.key.as_deref().unwrap_or_default();
        if !is_same(key.as_bytes(), shown.as_bytes()) {
            return Err(Code::NotPermitted);
        }
    }
    let method = request.method(|text| desk.owns(text))?;
    // The calls of others are not let go with this connection.
    let is_kept = match &method {
        Method::Place { keep, .. } | Method::Ring { keep, .. } => *keep,
        _ => true,
    };
    let done = tokio::select! {
        biased;
        done = desk.perform(method, Owner::Client(client)) => done?,
        () = drained(desk) => return Err(Code::ShuttingDown),
    };
    match done {
        Done::Began(result) | Done::Told(result) => Ok(Variables::of(*result, is_kept)),
        // Scripts are about calls alone.
        Done::Other(_) => Err(Code::UnknownMethod),
    }
}

/// Compares without telling by the time how much is right; the length is no secret.
fn is_same(key: &[u8], shown: &[u8]) -> bool {
    let differences = key.iter().zip(shown).fold(0, |all, (a, b)| all | (a ^ b));
    key.len() == shown.len() && std::hint::black_box(differences) == 0
}

/// Sets the variables, each acknowledged. `None` if the client went or does not speak the protocol.
async fn tell(
    write: &mut OwnedWriteHalf,
    lines: &mut Lines<OwnedReadHalf>,
    variables: &Variables,
) -> Option<()> {
    let reasons = variables.reasons.join(",");
    let call = variables.call.as_deref().unwrap_or_default();
    for (name, value) in [
        ("RINGTRUE_VERDICT", variables.verdict),
        ("RINGTRUE_REASONS", &reasons),
        ("RINGTRUE_CALL", call),
    ] {
        // Values are names of the registry and hexadecimal digits: nothing in them needs escaping.
        let command = format!("SET VARIABLE {name} \"{value}\"\n");
        let written = timeout(PATIENCE, write.write_all(command.as_bytes())).await;
        written.ok()?.ok()?;
        acknowledged(lines).await?;
    }
    Some(())
}

async fn acknowledged(lines: &mut Lines<OwnedReadHalf>) -> Option<()> {
    // Asterisk may say once that the call has ended, before it answers.
    for _ in 0..2 {
        match timeout(PATIENCE, lines.next()).await.ok()? {
            Line::Text(text) if text.starts_with(b"200") => return Some(()),
            Line::Text(text) if text.starts_with(b"HANGUP") => {}
            _ => return None,
        }
    }
    None
}
