//! `mezhved health`: asks the gateway on this machine whether it is ready; for a container without a shell.
//!
//! Promises: an answer within 3 s. Never: needs a shell, a key or a library of HTTP.

use crate::config::Config;
use anyhow::Context as _;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// The gateway answers its own health within this time, or it is not healthy.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of the answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Exit code 0 when the gateway is ready, 1 when it is not or does not answer.
///
/// # Errors
/// When nothing listens where the configuration says.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let address = reachable(config.http.listen);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(|| {
        format!("nothing listens on {address}; is `mezhved serve` running with this configuration?")
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        return Ok(ExitCode::SUCCESS);
    }
    let reasons = answer.split("\r\n\r\n").nth(1).unwrap_or("no answer").trim();
    anyhow::bail!("not ready: {reasons}")
}

/// Where a listener on «all addresses» is reached from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
