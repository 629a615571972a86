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
use rustls::ClientConnection;

use crate::accumulator::lock;
use crate::buffers::Buffers;
use crate::engine::{Effect, Engine, Node};
use crate::producer::{Delivery, Listener};
use crate::protocol::MAX_ANSWER_BYTES;
use crate::security::{Trouble, TroubleKind};
use crate::tls::Configs;

const WAKER: Token = Token(0);

/// Bytes that are read from a connection at once.
const READ_BYTES: usize = 64 * 1024;

/// Type and version of the message with which TLS refuses a connection (RFC 8446, 5.1).
const TLS_ALERT: &[u8] = &[21, 3];

/// Request of another thread to the event loop.
pub(crate) enum Command {
    /// Replies with the id of the cluster when a broker has answered.
    Probe(Sender<Option<String>>),
    /// Calls back when all is known about the limit of a topic.
    Limit {
        topic: String,
        answered: Answered,
    },
    Close,
    /// The addresses of a host are known, or why they are not.
    Resolved {
        node: Node,
        attempt: usize,
        addresses: Result<Vec<SocketAddr>, String>,
    },
}

/// Callback that is called once, at the latest when it is dropped.
pub(crate) struct Answered(Option<Box<dyn FnOnce() + Send>>);

impl Answered {
    pub(crate) fn new(callback: Box<dyn FnOnce() + Send>) -> Self {
        Self(Some(callback))
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        if let Some(callback) = self.0.take() {
            callback();
        }
    }
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
            tracing::warn!(target: "herald::kafka", %error, "the producer was not woken");
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
    host: String,
    port: u16,
    /// Addresses that are tried if this one fails.
    others: VecDeque<SocketAddr>,
    /// `None` while the addresses are looked up.
    stream: Option<TcpStream>,
    is_connected: bool,
    /// `None` without TLS, and until there is a connection.
    tls: Option<Box<ClientConnection>>,
    output: VecDeque<Vec<u8>>,
    /// Bytes of the first one that are written.
    written: usize,
    /// Pool for written requests.
    buffers: Arc<Buffers>,
    input: BytesMut,
}

pub(crate) struct EventLoop<D: Delivery> {
    engine: Engine<D>,
    poll: Poll,
    remote: Remote,
    listener: Arc<dyn Listener>,
    context: D::Context,
    connections: HashMap<Node, Connection>,
    attempts: usize,
    tls_configs: Configs,
    probes: Vec<Sender<Option<String>>>,
    /// Callbacks for the limit of a topic.
    limits: HashMap<String, Vec<Answered>>,
}

impl<D: Delivery> EventLoop<D> {
    pub(crate) fn new(
        engine: Engine<D>,
        listener: Arc<dyn Listener>,
        context: D::Context,
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
            context,
            connections: HashMap::new(),
            attempts: 0,
            tls_configs: Configs::default(),
            probes: Vec::new(),
            limits: HashMap::new(),
        };
        Ok((event_loop, remote))
    }

    /// Runs until the producer is closed.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            self.work(Instant::now());
            if self.engine.is_closed() {
                // Those who still wait for an answer are told that there is none.
                let commands = std::mem::take(&mut *lock(&self.remote.commands));
                drop(commands);
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
                    tracing::error!(target: "herald::kafka", %error, "events can't be awaited");
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
                Command::Limit { topic, answered } => {
                    self.engine.on_limit_wanted(&topic, now);
                    self.limits.entry(topic).or_default().push(answered);
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
            Effect::Report(report) => report.deliver(&self.context),
            Effect::Unreachable(trouble) => self.listener.unreachable(&trouble),
            Effect::Absent(topic) => self.listener.absent(&topic),
            Effect::Limit { topic, bytes } => {
                if let Some(bytes) = bytes {
                    self.listener.limit(&topic, bytes);
                }
                self.limits.remove(&topic);
            }
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
                host: host.clone(),
                port,
                others: VecDeque::new(),
                stream: None,
                is_connected: false,
                tls: None,
                output: VecDeque::new(),
                written: 0,
                buffers: self.engine.request_buffers(),
                input: BytesMut::new(),
            },
        );
        let preparation = self.engine.preparation();
        if let Ok(address) = host.parse::<IpAddr>()
            && preparation.is_none()
        {
            return self.on_resolved(node, attempt, Ok(vec![SocketAddr::new(address, port)]));
        }
        let remote = self.remote.clone();
        // A name server may take its time, and other connections must not wait for it.
        let started = thread::Builder::new()
            .name("herald-dns".to_owned())
            .spawn(move || {
                if let Some(preparation) = preparation {
                    // The login tells why it failed.
                    let _ = preparation.read();
                }
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
            Err(cause) => self.lose(node, Trouble::network(cause)),
        }
    }

    /// Connects to the next address of a broker.
    fn connect_next(&mut self, node: Node, cause: &str) {
        let mut cause = cause.to_owned();
        while let Some(connection) = self.connections.get_mut(&node) {
            let Some(address) = connection.others.pop_front() else {
                return self.lose(node, Trouble::network(cause));
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
    fn lose(&mut self, node: Node, trouble: Trouble) {
        if let Some(connection) = self.connections.remove(&node) {
            let trouble = trouble.at(&format!("{}:{}", connection.host, connection.port));
            self.engine.on_disconnected(node, trouble, Instant::now());
        }
    }

    /// Finishes an attempt to connect, and writes what can be written without waiting.
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
            return self.begin(node);
        }
        if let Err(trouble) = connection.write() {
            self.lose(node, trouble);
        }
    }

    /// Begins TLS on a new connection, or its use without.
    fn begin(&mut self, node: Node) {
        let Some(source) = self.engine.tls() else {
            return self.engine.on_connected(node, Instant::now());
        };
        let Some(connection) = self.connections.get_mut(&node) else {
            return;
        };
        let tls = source
            .read()
            .and_then(|tls| self.tls_configs.begin(tls, &connection.host));
        let begun = tls.map_err(|cause| Trouble::new(TroubleKind::Tls, cause));
        let begun = begun.and_then(|tls| {
            connection.tls = Some(Box::new(tls));
            connection.write()
        });
        if let Err(trouble) = begun {
            self.lose(node, trouble);
        }
    }

    /// Reads what has come, and hands whole answers to the engine.
    fn read(&mut self, node: Node) {
        loop {
            let Some(connection) = self.connections.get_mut(&node) else {
                return;
            };
            let was_handshaking = connection.is_handshaking();
            match connection.read() {
                Ok(true) => {}
                Ok(false) => return,
                Err(trouble) => return self.lose(node, trouble),
            }
            if was_handshaking && !connection.is_handshaking() {
                self.engine.on_connected(node, Instant::now());
            }
            if let Err(trouble) = self.hand_over_answers(node) {
                return self.lose(node, trouble);
            }
        }
    }

    fn hand_over_answers(&mut self, node: Node) -> Result<(), Trouble> {
        while let Some(connection) = self.connections.get_mut(&node) {
            let input = &mut connection.input;
            let Some(size) = input.first_chunk() else {
                return Ok(());
            };
            let size = usize::try_from(i32::from_be_bytes(*size)).unwrap_or(usize::MAX);
            if input.starts_with(TLS_ALERT) && connection.tls.is_none() {
                let cause = "the broker expects TLS (security.protocol)";
                return Err(Trouble::new(TroubleKind::Tls, cause));
            }
            if size > MAX_ANSWER_BYTES {
                let cause = format!("an answer of {size} bytes: is this a Kafka broker?");
                return Err(Trouble::network(cause));
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

impl Connection {
    fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Writes until the stream takes no more.
    fn write(&mut self) -> Result<(), Trouble> {
        loop {
            let written = match (&mut self.stream, &mut self.tls) {
                (None, _) => return Ok(()),
                (Some(stream), Some(tls)) if tls.wants_write() => tls.write_tls(stream),
                // Before the end of the handshake it would wait in the memory of TLS.
                (_, Some(tls)) if tls.is_handshaking() => return Ok(()),
                (Some(stream), tls) => {
                    let Some(bytes) = self.output.front() else {
                        return Ok(());
                    };
                    let rest = &bytes[self.written..];
                    let taken = match tls {
                        Some(tls) => tls.writer().write(rest),
                        None => stream.write(rest),
                    };
                    self.written += *taken.as_ref().unwrap_or(&0);
                    if self.written == bytes.len()
                        && let Some(request) = self.output.pop_front()
                    {
                        self.buffers.give_back(request);
                        self.written = 0;
                    }
                    taken
                }
            };
            match written {
                Ok(0) => return Err(Trouble::network("the connection takes no more")),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::network(error.to_string())),
            }
        }
    }

    /// Reads once into `input`; returns whether there may be more.
    fn read(&mut self) -> Result<bool, Trouble> {
        let Some(stream) = self.stream.as_mut().filter(|_| self.is_connected) else {
            return Ok(false);
        };
        let read = match &mut self.tls {
            Some(tls) => tls.read_tls(stream),
            None => read_some(stream, &mut self.input, READ_BYTES),
        };
        match read {
            Ok(0) if self.is_handshaking() => {
                let cause = "the broker closed the connection during the TLS handshake: has this \
                             port TLS?";
                return Err(Trouble::new(TroubleKind::Tls, cause));
            }
            Ok(0) => return Err(Trouble::network("the broker closed the connection")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(Trouble::network(error.to_string())),
        }
        let Some(tls) = &mut self.tls else {
            return Ok(true);
        };
        let processed = tls.process_new_packets();
        // Answers of the handshake, or the reason why it failed.
        let written = self.write();
        let failed = |error: &dyn std::fmt::Display| {
            let cause = format!("TLS: {error}");
            Trouble::new(TroubleKind::Tls, cause)
        };
        let come = processed
            .map_err(|error| failed(&error))?
            .plaintext_bytes_to_read();
        written?;
        if let Some(tls) = self.tls.as_mut().filter(|_| come > 0) {
            read_some(&mut tls.reader(), &mut self.input, come).map_err(|error| failed(&error))?;
        }
        Ok(true)
    }
}

/// Reads at most so many bytes to the end of `input`.
fn read_some(source: &mut impl Read, input: &mut BytesMut, most: usize) -> io::Result<usize> {
    let filled = input.len();
    input.resize(filled + most, 0);
    let read = source.read(&mut input[filled..]);
    input.truncate(filled + *read.as_ref().unwrap_or(&0));
    read
}
