//! The thread of a producer: owns the connections, and carries out what the engine decides.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::accumulator::lock;
use crate::engine::{Effect, Engine, Node};
use crate::producer::{Delivery, Listener};
use crate::protocol::MAX_ANSWER_BYTES;

const WAKER: Token = Token(0);

/// Bytes that are read from a connection at once.
const READ_BYTES: usize = 64 * 1024;

/// Request of another thread to the event loop.
pub(crate) enum Command {
    /// Replies with the id of the cluster when a broker has answered.
    Probe(Sender<Option<String>>),
    Close,
    /// The addresses of a host are known, or why they are not.
    Resolved {
        node: Node,
        attempt: usize,
        addresses: Result<Vec<SocketAddr>, String>,
    },
}

/// Access to the event loop from other threads.
#[derive(Clone)]
pub(crate) struct Remote {
    commands: Arc<Mutex<Vec<Command>>>,
    waker: Arc<Waker>,
}

impl Remote {
    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            // The event loop does not sleep for long.
            tracing::warn!(target: "herald::wire", %error, "the producer was not woken");
        }
    }

    pub(crate) fn command(&self, command: Command) {
        lock(&self.commands).push(command);
        self.wake();
    }
}

struct Connection {
    /// Number of the attempt: an address that comes for an earlier one is ignored.
    attempt: usize,
    address: String,
    /// Addresses that are tried if this one fails.
    others: VecDeque<SocketAddr>,
    /// `None` while the addresses are looked up.
    stream: Option<TcpStream>,
    is_connected: bool,
    output: VecDeque<Vec<u8>>,
    /// Bytes of the first one that are written.
    written: usize,
    input: BytesMut,
}

pub(crate) struct EventLoop<D> {
    engine: Engine<D>,
    poll: Poll,
    remote: Remote,
    listener: Arc<dyn Listener>,
    connections: HashMap<Node, Connection>,
    attempts: usize,
    probes: Vec<Sender<Option<String>>>,
}

impl<D: Delivery> EventLoop<D> {
    pub(crate) fn new(
        engine: Engine<D>,
        listener: Arc<dyn Listener>,
    ) -> io::Result<(Self, Remote)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let remote = Remote {
            commands: Arc::default(),
            waker: Arc::new(waker),
        };
        let event_loop = Self {
            engine,
            poll,
            remote: remote.clone(),
            listener,
            connections: HashMap::new(),
            attempts: 0,
            probes: Vec::new(),
        };
        Ok((event_loop, remote))
    }

    /// Runs until the producer is closed.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            self.work(Instant::now());
            if self.engine.is_closed() {
                return;
            }
            let sleep = if self.engine.has_news() {
                std::time::Duration::ZERO
            } else {
                self.engine.sleep(Instant::now())
            };
            match self.poll.poll(&mut events, Some(sleep)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(target: "herald::wire", %error, "events can't be awaited");
                    thread::sleep(sleep);
                }
            }
            for event in &events {
                let Some(node) = self.node_of(event.token()) else {
                    continue;
                };
                if event.is_writable() || event.is_error() {
                    self.write(node);
                }
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    self.read(node);
                }
            }
        }
    }

    fn node_of(&self, token: Token) -> Option<Node> {
        let mut connections = self.connections.iter();
        let found = connections.find(|(_, connection)| connection.attempt == token.0);
        found.map(|(node, _)| *node)
    }

    fn work(&mut self, now: Instant) {
        let commands = std::mem::take(&mut *lock(&self.remote.commands));
        for command in commands {
            match command {
                Command::Probe(reply) => {
                    self.probes.push(reply);
                    self.engine.on_probe(now);
                }
                Command::Close => self.engine.on_close(),
                Command::Resolved {
                    node,
                    attempt,
                    addresses,
                } => self.on_resolved(node, attempt, addresses),
            }
        }
        self.engine.on_ready(now);
        self.engine.tick(now);
        loop {
            let effects = self.engine.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                self.carry_out(effect);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect<D>) {
        match effect {
            Effect::Connect { node, host, port } => self.resolve(node, host, port),
            Effect::Disconnect(node) => drop(self.connections.remove(&node)),
            Effect::Write { node, bytes } => {
                if let Some(connection) = self.connections.get_mut(&node) {
                    connection.output.push_back(bytes);
                    self.write(node);
                }
            }
            Effect::Report(report) => report.tell(),
            Effect::Unreachable(cause) => self.listener.unreachable(&cause),
            Effect::Answered(cluster) => {
                for probe in self.probes.drain(..) {
                    // Who asked may have stopped waiting.
                    let _ = probe.send(cluster.clone());
                }
            }
        }
    }

    fn resolve(&mut self, node: Node, host: String, port: u16) {
        self.attempts += 1;
        let attempt = self.attempts;
        self.connections.insert(
            node,
            Connection {
                attempt,
                address: format!("{host}:{port}"),
                others: VecDeque::new(),
                stream: None,
                is_connected: false,
                output: VecDeque::new(),
                written: 0,
                input: BytesMut::new(),
            },
        );
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.on_resolved(node, attempt, Ok(vec![SocketAddr::new(address, port)]));
        }
        let remote = self.remote.clone();
        // A name server may take its time, and other connections must not wait for it.
        let started = thread::Builder::new()
            .name("herald-dns".to_owned())
            .spawn(move || {
                let addresses = (host.as_str(), port).to_socket_addrs();
                remote.command(Command::Resolved {
                    node,
                    attempt,
                    addresses: addresses
                        .map(Iterator::collect)
                        .map_err(|error| error.to_string()),
                });
            });
        if let Err(error) = started {
            self.on_resolved(node, attempt, Err(error.to_string()));
        }
    }

    fn on_resolved(
        &mut self,
        node: Node,
        attempt: usize,
        addresses: Result<Vec<SocketAddr>, String>,
    ) {
        let Some(connection) = self.connections.get_mut(&node) else {
            return;
        };
        if connection.attempt != attempt {
            return;
        }
        match addresses {
            Ok(addresses) => {
                connection.others = addresses.into();
                self.connect_next(node, "the name has no address");
            }
            Err(cause) => self.lose(node, &cause),
        }
    }

    /// Connects to the next address of a broker.
    fn connect_next(&mut self, node: Node, cause: &str) {
        let mut cause = cause.to_owned();
        while let Some(connection) = self.connections.get_mut(&node) {
            let Some(address) = connection.others.pop_front() else {
                return self.lose(node, &cause);
            };
            let token = Token(connection.attempt);
            let connected = TcpStream::connect(address).and_then(|mut stream| {
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.poll
                    .registry()
                    .register(&mut stream, token, interest)?;
                Ok(stream)
            });
            match connected {
                Ok(stream) => {
                    connection.stream = Some(stream);
                    return;
                }
                Err(error) => cause = error.to_string(),
            }
        }
    }

    /// Ends a connection.
    fn lose(&mut self, node: Node, cause: &str) {
        if let Some(connection) = self.connections.remove(&node) {
            let cause = format!("{}: {cause}", connection.address);
            self.engine.on_disconnected(node, &cause, Instant::now());
        }
    }

    /// Writes what can be written without waiting.
    fn write(&mut self, node: Node) {
        let Some(connection) = self.connections.get_mut(&node) else {
            return;
        };
        let Some(stream) = &mut connection.stream else {
            return;
        };
        if !connection.is_connected {
            let error = match stream.take_error() {
                Ok(error) => error,
                Err(error) => Some(error),
            };
            match (error, stream.peer_addr()) {
                (Some(error), _) => return self.connect_next(node, &error.to_string()),
                (None, Ok(_)) => {}
                // Not yet.
                (None, Err(_)) => return,
            }
            connection.is_connected = true;
            // Requests are written whole; the last bytes must not wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            self.engine.on_connected(node, Instant::now());
            return;
        }
        while let Some(bytes) = connection.output.front() {
            match stream.write(&bytes[connection.written..]) {
                Ok(0) => return self.lose(node, "the connection takes no more"),
                Ok(count) => {
                    connection.written += count;
                    if connection.written == bytes.len() {
                        connection.output.pop_front();
                        connection.written = 0;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.lose(node, &error.to_string()),
            }
        }
    }

    /// Reads what has come, and hands whole answers to the engine.
    fn read(&mut self, node: Node) {
        loop {
            let Some(connection) = self.connections.get_mut(&node) else {
                return;
            };
            let Some(stream) = connection
                .stream
                .as_mut()
                .filter(|_| connection.is_connected)
            else {
                return;
            };
            let filled = connection.input.len();
            connection.input.resize(filled + READ_BYTES, 0);
            let read = stream.read(&mut connection.input[filled..]);
            let count = *read.as_ref().unwrap_or(&0);
            connection.input.truncate(filled + count);
            match read {
                Ok(0) => return self.lose(node, "the broker closed the connection"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return self.lose(node, &error.to_string()),
            }
            if let Err(cause) = self.hand_over_answers(node) {
                return self.lose(node, &cause);
            }
        }
    }

    fn hand_over_answers(&mut self, node: Node) -> Result<(), String> {
        while let Some(connection) = self.connections.get_mut(&node) {
            let input = &mut connection.input;
            let Some(size) = input.first_chunk() else {
                return Ok(());
            };
            let size = usize::try_from(i32::from_be_bytes(*size)).unwrap_or(usize::MAX);
            if size > MAX_ANSWER_BYTES {
                return Err(format!(
                    "an answer of {size} bytes: is this a Kafka broker?"
                ));
            }
            if input.len() < 4 + size {
                return Ok(());
            }
            input.advance(4);
            let answer = input.split_to(size).freeze();
            self.engine.on_answer(node, answer, Instant::now());
        }
        Ok(())
    }
}
