//! Telling systemd how the daemon stands: the protocol of `sd_notify(3)`, without its library.

use std::os::unix::net::UnixDatagram;

/// The daemon serves.
pub(crate) const READY: &str = "READY=1\nSTATUS=serving";

/// The daemon is ending.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Tells the service manager, if there is one. That it cannot be told changes nothing.
pub(crate) fn tell(state: &str) {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if send(&address, state).is_err() {
        tracing::warn!("the service manager was not told");
    }
}

fn send(address: &std::ffi::OsStr, state: &str) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::ffi::OsStrExt as _;
        if let Some(name) = address.as_bytes().strip_prefix(b"@") {
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(state.as_bytes(), &address)?;
            return Ok(());
        }
    }
    socket.send_to(state.as_bytes(), address)?;
    Ok(())
}
