//! HTTP server that stops the run: `POST /stop`, and `GET /` for its state.
//!
//! Only programs of this computer reach it: it listens on 127.0.0.1, and refuses requests of web pages,
//! which have an `Origin` or were sent to another host name.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::Error;

/// Bytes and fields of a request's head.
const MAX_HEAD_BYTES: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// Time for one read or write. Requests are answered one after the other.
const IO_TIMEOUT: Duration = Duration::from_secs(2);

/// The server. It ends with the process.
pub struct StopServer {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_stopped: AtomicBool,
    records: AtomicU64,
}

impl StopServer {
    /// Listens on a port of this computer; 0 is a free one.
    pub fn start(port: u16) -> Result<Self, Error> {
        let cannot =
            |error: io::Error| Error::Message(format!("can't listen on 127.0.0.1:{port}: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::Builder::new()
            .name("herald-stop".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    // A client that is gone needs no answer.
                    let _ = serve(stream, &shared);
                }
            })
            .map_err(cannot)?;
        Ok(Self { address, state })
    }

    /// The address for requests.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether a request has stopped the run.
    pub fn is_stopped(&self) -> bool {
        self.state.is_stopped.load(Ordering::Relaxed)
    }

    /// Sets the number of records, which `GET /` returns.
    pub fn report(&self, records: u64) {
        self.state.records.store(records, Ordering::Relaxed);
    }
}

fn serve(mut stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    let (status, body) = loop {
        if let Some(answer) = answer(&head, state) {
            break answer;
        }
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        head.extend_from_slice(&buffer[..read]);
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )?;
    // A close with unread bytes of a body would discard the answer.
    stream.shutdown(Shutdown::Write)?;
    let mut rest = (&stream).take(MAX_HEAD_BYTES as u64);
    io::copy(&mut rest, &mut io::sink())?;
    Ok(())
}

/// Status and body of the answer; `None` while the head is not complete.
fn answer(head: &[u8], state: &State) -> Option<(&'static str, String)> {
    let error = |status, text: &str| Some((status, format!("{{\"error\":\"{text}\"}}\n")));
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if head.len() < MAX_HEAD_BYTES => return None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return error(
                "431 Request Header Fields Too Large",
                "the head is too large",
            );
        }
        Err(_) => return error("400 Bad Request", "not an HTTP request"),
    }
    let mut headers = request.headers.iter();
    let is_local = headers.all(|header| {
        let name = header.name.to_ascii_lowercase();
        match name.as_str() {
            "host" => is_loopback(header.value),
            "origin" => false,
            _ => true,
        }
    });
    if !is_local {
        return error("403 Forbidden", "only for programs of this computer");
    }
    match (request.method, request.path) {
        (Some("POST"), Some("/stop")) => {
            state.is_stopped.store(true, Ordering::Relaxed);
            Some(("202 Accepted", "{\"stopping\":true}\n".to_owned()))
        }
        (Some("GET"), Some("/")) => {
            let records = state.records.load(Ordering::Relaxed);
            Some(("200 OK", format!("{{\"records\":{records}}}\n")))
        }
        (_, Some("/stop" | "/")) => error(
            "405 Method Not Allowed",
            "use POST /stop, or GET / for the state",
        ),
        _ => error("404 Not Found", "use POST /stop, or GET / for the state"),
    }
}

/// Whether a host, with or without a port, is this computer.
fn is_loopback(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &str) -> Option<(&'static str, bool)> {
        let state = State::default();
        let (status, _) = answer(request.as_bytes(), &state)?;
        Some((status, state.is_stopped.load(Ordering::Relaxed)))
    }

    #[test]
    fn only_a_post_to_stop_stops() {
        let stop = "POST /stop HTTP/1.1\r\nHost: localhost:4545\r\n\r\n";
        assert_eq!(status(stop), Some(("202 Accepted", true)));
        for (request, expected) in [
            ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "200 OK"),
            ("GET /stop HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("POST /stopp HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("hello\r\n\r\n", "400 Bad Request"),
        ] {
            assert_eq!(status(request), Some((expected, false)), "{request}");
        }
    }

    #[test]
    fn web_pages_are_refused() {
        for header in [
            "Origin: http://127.0.0.1:4545",
            "Host: attacker.example",
            "host: 10.0.0.1:4545",
        ] {
            let request = format!("POST /stop HTTP/1.1\r\n{header}\r\n\r\n");
            assert_eq!(status(&request), Some(("403 Forbidden", false)), "{header}");
        }
    }

    #[test]
    fn heads_are_limited() {
        assert_eq!(status("POST /stop HTTP/1.1\r\nHost: local"), None);
        let long = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(MAX_HEAD_BYTES));
        let many = format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            "A: a\r\n".repeat(MAX_HEADERS + 1)
        );
        for request in [long, many] {
            let (found, _) = status(&request).unwrap();
            assert_eq!(found, "431 Request Header Fields Too Large");
        }
    }

    #[test]
    fn a_request_in_pieces_is_answered() {
        let server = StopServer::start(0).unwrap();
        let mut stream = TcpStream::connect(server.address).unwrap();
        for piece in ["POST /st", "op HTTP/1.1\r\nContent-Length: 2\r\n\r", "\n{}"] {
            stream.write_all(piece.as_bytes()).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
        assert!(server.is_stopped());
    }
}
