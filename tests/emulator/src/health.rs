//! Asks an emulator whether it is ready, with nothing but a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::kind::Kind;

const CALL_LIMIT: Duration = Duration::from_secs(2);
/// A health answer is at most about 5 kB; whoever sends more is no emulator.
const ANSWER_MAX_BYTES: u64 = 256 * 1024;

/// Whether an emulator answers on the port, and is the one with that identity.
pub(crate) fn is_ready(kind: Kind, port: u16, identity: &str) -> bool {
    let path = match kind {
        Kind::MiniStack => "/_localstack/health",
        Kind::LocalStack | Kind::LocalStackInDocker => "/_localstack/info",
    };
    ask(port, path).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.contains(identity))
}

fn ask(port: u16, path: &str) -> std::io::Result<String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, CALL_LIMIT)?;
    stream.set_read_timeout(Some(CALL_LIMIT))?;
    stream.set_write_timeout(Some(CALL_LIMIT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
