//! Asks MiniStack whether it is ready, with nothing but a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const CALL_LIMIT: Duration = Duration::from_secs(2);
/// A health answer is about 5 kB; whoever sends more is not MiniStack.
const ANSWER_MAX_BYTES: u64 = 256 * 1024;

/// Whether MiniStack answers on the port, and is the one with that identity.
pub(crate) fn is_ready(port: u16, identity: &str) -> bool {
    ask(port).is_ok_and(|answer| {
        answer.starts_with("HTTP/1.1 200") && answer.contains(&format!("\"edition\": \"{identity}\""))
    })
}

fn ask(port: u16) -> std::io::Result<String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, CALL_LIMIT)?;
    stream.set_read_timeout(Some(CALL_LIMIT))?;
    stream.set_write_timeout(Some(CALL_LIMIT))?;
    write!(
        stream,
        "GET /_localstack/health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
