//! Addresses: name and port, as this machine reaches them.

use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Duration;

/// Time for a connection to one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Addresses that are tried.
const MAX_TRIED: usize = 20;

/// Returns why each address is not reached; `None` for one that is.
pub(super) fn reach(addresses: &[(String, u16)]) -> Vec<Option<String>> {
    thread::scope(|scope| {
        let tries: Vec<_> = addresses
            .iter()
            .take(MAX_TRIED)
            .map(|(host, port)| scope.spawn(|| reach_one(host, *port)))
            .collect();
        let outcomes = tries.into_iter().map(|one| one.join().unwrap_or_default());
        outcomes.collect()
    })
}

fn reach_one(host: &str, port: u16) -> Option<String> {
    let addresses = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => return Some(format!("the name is not resolved: {error}")),
    };
    let mut reason = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(_) => return None,
            Err(error) => reason = error.to_string(),
        }
    }
    Some(reason)
}

/// Parses `host:port` of several servers; those that are not understood are left out.
pub(super) fn addresses(servers: &str) -> Vec<(String, u16)> {
    let server = |text: &str| {
        let text = text.trim();
        let text = text.split_once("://").map_or(text, |(_, address)| address);
        let (host, port) = text.rsplit_once(':').unwrap_or((text, "9092"));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port.parse().ok()?))
    };
    servers.split(',').filter_map(server).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn tells_what_is_wrong_with_an_address() {
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let (open_port, closed_port) = (port(&open), port(&closed));
        drop(closed);
        let outcomes = reach(&[
            ("127.0.0.1".to_owned(), open_port),
            ("127.0.0.1".to_owned(), closed_port),
            ("no host".to_owned(), 1),
        ]);
        assert_eq!(outcomes[0], None);
        let refused = outcomes[1].as_deref().unwrap();
        assert!(refused.contains("refused"), "{refused}");
        let unknown = outcomes[2].as_deref().unwrap();
        assert!(unknown.contains("not resolved"), "{unknown}");
    }

    #[test]
    fn reads_addresses_as_clients_do() {
        let found = addresses("a:1, ssl://b:2,[::1]:3,c,d:x");
        let expected = [("a", 1), ("b", 2), ("::1", 3), ("c", 9092)];
        assert_eq!(found, expected.map(|(host, port)| (host.to_owned(), port)));
    }
}
