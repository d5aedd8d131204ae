//! `ringtrue endpoint serve` and `ringtrue endpoint status`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use ringtrue::Reason;
#[cfg(feature = "full")]
use ringtrue::TelephoneNumber;
use ringtrue_daemon::Daemon;
use serde_json::Value;

#[cfg(feature = "full")]
use crate::args::number;
use crate::args::{EndpointArguments, Source};
use crate::exit::{Exit, Failure};
use crate::serve_section::DEFAULT_SOCKET;
use crate::settings;

/// How long the daemon may take to say how it stands.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most octets that it may say.
const MAX_ANSWER_OCTETS: u64 = 1 << 20;

/// The threads that may wait for the disk or a key at a time: calls are verified one after the other,
/// and each thread costs memory.
const BLOCKING_THREADS: usize = 4;

/// How long such a thread is kept without work.
const THREAD_KEEP: Duration = Duration::from_secs(1);

#[derive(Subcommand)]
pub(crate) enum EndpointCommand {
    /// Serve programs on a Unix socket, and Asterisk on a FastAGI port, until SIGTERM or SIGINT.
    Serve(ServeArguments),
    /// Ask a daemon how it stands.
    Status(StatusArguments),
}

#[derive(Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    source: Source,
    /// The own number, with --lab; otherwise the file says it.
    #[cfg(feature = "full")]
    #[arg(long, value_name = "N", value_parser = number, requires = "lab", conflicts_with = "config")]
    number: Option<TelephoneNumber>,
    /// The service's base URL, instead of the configured one.
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Send every request to services through the relay at this base URL, and none directly.
    #[arg(long, value_name = "URL")]
    relay: Option<String>,
    /// The path of the socket [default: the configured one, or /run/ringtrue/endpoint.sock].
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Where to listen for FastAGI, instead of the configured address.
    #[arg(long, value_name = "ADDR:PORT")]
    agi: Option<SocketAddr>,
}

#[derive(Args)]
pub(crate) struct StatusArguments {
    /// The path of the daemon's socket.
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn endpoint(command: EndpointCommand) -> Result<Exit, Failure> {
    match command {
        EndpointCommand::Serve(arguments) => serve(arguments),
        EndpointCommand::Status(arguments) => status(&arguments),
    }
}

fn serve(arguments: ServeArguments) -> Result<Exit, Failure> {
    let ServeArguments {
        source,
        #[cfg(feature = "full")]
        number,
        base,
        relay,
        socket,
        agi,
    } = arguments;
    let arguments = EndpointArguments {
        source,
        base,
        relay,
        json: false,
    };
    // One thread: a daemon waits nearly all the time, and its calls are few.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(THREAD_KEEP)
        .build()
        .map_err(Failure::system("the runtime"))?;
    let (endpoint, section, has_bundle) = settings::served_endpoint(
        &arguments,
        #[cfg(feature = "full")]
        number.as_ref(),
    )?;
    let config = section.config(socket, agi, has_bundle)?;
    let result = runtime.block_on(async {
        let daemon = Daemon::start(config, endpoint)
            .await
            .map_err(Failure::system("starting"))?;
        anstream::println!("serving {}", daemon.socket().display());
        if let Some(agi) = daemon.agi() {
            anstream::println!("FastAGI on {agi}");
        }
        daemon.run().await.map_err(Failure::system("serving"))
    });
    // A disk that hangs must not hold up the end.
    runtime.shutdown_background();
    result?;
    Ok(Exit::Good)
}

fn status(arguments: &StatusArguments) -> Result<Exit, Failure> {
    let status = ask(&arguments.socket)?;
    let is_well = status.get("well").and_then(Value::as_bool);
    if arguments.json {
        anstream::println!("{status}");
    } else {
        show(&status);
    }
    Ok(if is_well == Some(true) {
        Exit::Good
    } else {
        Exit::OtherVerdict
    })
}

/// Asks the daemon at `socket`.
fn ask(socket: &Path) -> Result<Value, Failure> {
    let asking = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(b"{\"id\":1,\"method\":\"status\"}\n")?;
        let mut lines = Vec::new();
        for line in BufReader::new(stream.take(MAX_ANSWER_OCTETS)).lines() {
            let value: Value = serde_json::from_str(&line?).unwrap_or_default();
            let is_event = value.get("event").is_some();
            lines.push(value);
            if !is_event {
                break;
            }
        }
        Ok(lines.pop().unwrap_or_default())
    };
    let mut answer = asking().map_err(Failure::system("the daemon"))?;
    match answer.get_mut("result").map(Value::take) {
        Some(status) if status.is_object() => Ok(status),
        _ => {
            let code = answer.get("error").and_then(Value::as_str);
            let code = code.unwrap_or(Reason::MalformedAnswer.name()).to_owned();
            Err(Failure::system("the daemon")(std::io::Error::other(code)))
        }
    }
}

fn show(status: &Value) {
    let text = |pointer: &str| match status.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let well = if text("/well") == "true" {
        "well"
    } else {
        "not well"
    };
    anstream::println!("{well}, for {} s", text("/uptime_s"));
    anstream::println!(
        "  certificate {}, expires {}; {}",
        text("/credential/state"),
        text("/credential/expires"),
        text("/credential/reason")
    );
    anstream::println!(
        "  keys until {}; {}",
        text("/keys/expires"),
        text("/keys/error")
    );
    anstream::println!(
        "  calls: {} open of {}, {} rang, {} of them good, {} placed, {} of them announced",
        text("/calls/open"),
        text("/calls/limit"),
        text("/calls/rang"),
        text("/calls/good"),
        text("/calls/placed"),
        text("/calls/stored")
    );
    anstream::println!(
        "  clients: {} on the socket, {} of FastAGI, {} times refused",
        text("/clients/socket"),
        text("/clients/agi"),
        text("/clients/refused")
    );
    anstream::println!(
        "  {} storage tokens, {} KiB of memory",
        text("/tokens"),
        text("/resident_kib/all")
    );
}
