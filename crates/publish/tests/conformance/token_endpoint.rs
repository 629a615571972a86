//! Token endpoint of OAuth 2 on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Endpoint with prepared answers. It answers the last one again and again.
pub struct TokenEndpoint {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TokenEndpoint {
    /// Starts it with answers: a status with its body, which is the address for a redirection.
    pub fn start(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut seen = seen.lock().unwrap();
                let Some((status, body)) = answers.get(seen.len()).or(answers.last()) else {
                    continue;
                };
                seen.push(exchange(stream.unwrap(), *status, body));
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}/oauth2/token", self.address)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads a request, answers it, and returns it as text.
fn exchange(stream: TcpStream, status: u16, body: &str) -> String {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let begin = request.len();
        reader.read_line(&mut request).unwrap();
        let line = request[begin..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut form = vec![0; length];
    reader.read_exact(&mut form).unwrap();
    request += &String::from_utf8(form).unwrap();
    let location = match status {
        302 => format!("location: {body}\r\n"),
        _ => String::new(),
    };
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} Status\r\n{location}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
    )
    .unwrap();
    request
}
