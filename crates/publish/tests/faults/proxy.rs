//! A network that can be cut and slowed: a TCP proxy in front of each broker.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Proxies in front of all brokers of a cluster.
///
/// Kafka tells its clients the addresses of brokers, so the proxies replace the ports in its
/// answers by their own: both are four bytes behind the same name.
pub struct Network {
    servers: String,
    state: Arc<State>,
}

struct State {
    /// Connections are closed as they come.
    cut: AtomicBool,
    /// Answers of brokers are swallowed.
    mute: AtomicBool,
    /// Milliseconds that each piece of data takes.
    delay: AtomicU64,
    /// Most bytes of a piece of data.
    piece: AtomicU64,
    connections: Mutex<HashMap<u64, [TcpStream; 2]>>,
    next: AtomicU64,
    /// Bytes of answers, and their replacement.
    ports: Vec<(Vec<u8>, [u8; 4])>,
}

const WHOLE: u64 = 64 * 1024;

impl Network {
    /// `None` where brokers are named otherwise than by IPv4 addresses.
    pub fn before(servers: &str) -> Option<Self> {
        let brokers: Vec<SocketAddr> = servers
            .split(',')
            .map(|server| server.parse().ok().filter(SocketAddr::is_ipv4))
            .collect::<Option<_>>()?;
        let listeners: Vec<TcpListener> = brokers
            .iter()
            .map(|broker| TcpListener::bind((broker.ip(), 0)).expect("a port"))
            .collect();
        let here = |listener: &TcpListener| listener.local_addr().expect("an address");
        let ports = brokers.iter().zip(&listeners).map(|(broker, listener)| {
            let port = |port: u16| u32::from(port).to_be_bytes();
            let mut told = broker.ip().to_string().into_bytes();
            told.extend(port(broker.port()));
            (told, port(here(listener).port()))
        });
        let state = Arc::new(State {
            cut: AtomicBool::new(false),
            mute: AtomicBool::new(false),
            delay: AtomicU64::new(0),
            piece: AtomicU64::new(WHOLE),
            connections: Mutex::default(),
            next: AtomicU64::new(0),
            ports: ports.collect(),
        });
        let servers: Vec<String> = listeners.iter().map(|l| here(l).to_string()).collect();
        for (broker, listener) in brokers.into_iter().zip(listeners) {
            let state = state.clone();
            thread::spawn(move || {
                while let Ok((client, _)) = listener.accept() {
                    state.connect(client, broker);
                }
            });
        }
        Some(Self {
            servers: servers.join(","),
            state,
        })
    }

    /// Address that a client connects to.
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// Ends all connections, and new ones as they come.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::Relaxed);
        self.state.end_connections();
    }

    /// Ends all connections; new ones work.
    pub fn end_connections(&self) {
        self.state.end_connections();
    }

    /// Lets requests through and no answers.
    pub fn mute(&self) {
        self.state.mute.store(true, Ordering::Relaxed);
    }

    /// Lets data through in small pieces, each after a delay.
    pub fn slow(&self, piece: u64, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).expect("a short delay");
        self.state.delay.store(delay, Ordering::Relaxed);
        self.state.piece.store(piece, Ordering::Relaxed);
    }

    /// Ends all faults. Answers that were swallowed stay away, so their connections end too.
    pub fn mend(&self) {
        self.state.cut.store(false, Ordering::Relaxed);
        if self.state.mute.swap(false, Ordering::Relaxed) {
            self.state.end_connections();
        }
        self.state.delay.store(0, Ordering::Relaxed);
        self.state.piece.store(WHOLE, Ordering::Relaxed);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.cut();
    }
}

impl State {
    fn connect(self: &Arc<Self>, client: TcpStream, broker: SocketAddr) {
        if self.cut.load(Ordering::Relaxed) {
            return;
        }
        let Ok(server) = TcpStream::connect(broker) else {
            return;
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let copies = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
        self.connections()
            .insert(number, [copies(&client), copies(&server)]);
        let (from_client, from_server) = (copies(&client), copies(&server));
        let requests = self.clone();
        thread::spawn(move || {
            let _ = requests.pass(from_client, server, None);
            requests.end(number);
        });
        let answers = self.clone();
        thread::spawn(move || {
            let _ = answers.pass(from_server, client, Some(&answers.ports));
            answers.end(number);
        });
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, HashMap<u64, [TcpStream; 2]>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, number: u64) {
        for stream in self.connections().remove(&number).into_iter().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn end_connections(&self) {
        for (_, streams) in self.connections().drain() {
            for stream in streams {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Frame by frame: four bytes of length, then as many.
    fn pass(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        ports: Option<&[(Vec<u8>, [u8; 4])]>,
    ) -> std::io::Result<()> {
        loop {
            let mut length = [0; 4];
            from.read_exact(&mut length)?;
            let bytes = usize::try_from(u32::from_be_bytes(length)).expect("it fits");
            let mut frame = vec![0; bytes];
            from.read_exact(&mut frame)?;
            if let Some(ports) = ports {
                if self.mute.load(Ordering::Relaxed) {
                    continue;
                }
                replace(&mut frame, ports);
            }
            to.write_all(&length)?;
            let mut rest = &frame[..];
            while !rest.is_empty() {
                let piece = usize::try_from(self.piece.load(Ordering::Relaxed)).expect("it fits");
                let (now, later) = rest.split_at(piece.min(rest.len()));
                to.write_all(now)?;
                rest = later;
                let delay = self.delay.load(Ordering::Relaxed);
                if delay > 0 {
                    thread::sleep(Duration::from_millis(delay));
                }
            }
        }
    }
}

fn replace(answer: &mut [u8], ports: &[(Vec<u8>, [u8; 4])]) {
    for (told, instead) in ports {
        let mut from = 0;
        while let Some(at) = answer[from..]
            .windows(told.len())
            .position(|bytes| bytes == told)
        {
            let end = from + at + told.len();
            answer[end - 4..end].copy_from_slice(instead);
            from = end;
        }
    }
}
