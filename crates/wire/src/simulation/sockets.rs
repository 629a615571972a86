//! The event loop with sockets: brokers whose connections are torn, end at any byte, or carry anything
//! but the protocol.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::cluster::{BROKERS, Cluster, Session, damaged};
use super::{Numbered, Random, Sent, TOPIC, settings, with_seeds};
use crate::accumulator::lock;
use crate::engine::Node;
use crate::producer::{Listener, Producer};
use crate::security::Trouble;

/// Time that everything takes at most, on a slow machine too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Faults of connections.
#[derive(Default)]
struct Faults {
    /// Whether brokers refuse batches, lose answers, and end connections at random.
    at_random: AtomicBool,
    /// Whether answers are damaged, or something else altogether.
    are_hostile: AtomicBool,
    /// Number of bytes, of requests or of answers, with which one connection ends.
    last_byte: Option<(Direction, usize)>,
    /// Bytes so far, on all connections.
    bytes: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Requests,
    Answers,
}

impl Faults {
    /// Returns how many of these bytes are passed on before the connection ends, if it does.
    fn cut(&self, direction: Direction, bytes: usize) -> Option<usize> {
        let (cut, last) = self.last_byte?;
        if cut != direction {
            return None;
        }
        let before = self.bytes.fetch_add(bytes, Ordering::SeqCst);
        (before < last && last <= before + bytes).then(|| last - before)
    }
}

/// Brokers that listen on ports of this machine until it is dropped.
struct Brokers {
    cluster: Arc<Mutex<Cluster>>,
    faults: Arc<Faults>,
    is_over: Arc<AtomicBool>,
    servers: Vec<(String, u16)>,
}

impl Brokers {
    fn start(seed: u64, faults: Faults) -> Self {
        let mut cluster = Cluster::new();
        let listeners: [TcpListener; BROKERS] =
            std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a port"));
        let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
        cluster.ports = listeners.each_ref().map(port);
        let brokers = Self {
            servers: vec![("127.0.0.1".to_owned(), cluster.ports[0])],
            cluster: Arc::new(Mutex::new(cluster)),
            faults: Arc::new(faults),
            is_over: Arc::default(),
        };
        for (node, listener) in (0..).zip(listeners) {
            let (cluster, faults) = (brokers.cluster.clone(), brokers.faults.clone());
            let is_over = brokers.is_over.clone();
            let mut random = Random(seed.rotate_left(8 + u32::try_from(node).unwrap()) | 1);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let connection = Connection {
                        node,
                        stream: stream.expect("a connection"),
                        cluster: cluster.clone(),
                        faults: faults.clone(),
                        random: Random(random.next(1 << 40) as u64 | 1),
                    };
                    thread::spawn(move || connection.run());
                }
            });
        }
        brokers
    }

    fn producer(&self) -> Producer<Numbered> {
        Producer::start(settings(self.servers.clone()), Arc::new(Deaf), ()).expect("a thread")
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        for port in lock(&self.cluster).ports {
            // The listener looks whether it is over.
            let _ = TcpStream::connect(("127.0.0.1", port));
        }
    }
}

struct Deaf;

impl Listener for Deaf {
    fn unreachable(&self, _: &Trouble) {}

    fn absent(&self, _: &str) {}

    fn limit(&self, _: &str, _: usize) {}
}

struct Connection {
    node: Node,
    stream: TcpStream,
    cluster: Arc<Mutex<Cluster>>,
    faults: Arc<Faults>,
    random: Random,
}

impl Connection {
    /// Answers requests until the connection ends.
    fn run(mut self) {
        let mut session = Session::default();
        while let Some(request) = self.read() {
            let faults = self.faults.at_random.load(Ordering::SeqCst);
            if faults && self.random.one_in(200) {
                let leader = i32::try_from(self.random.next(BROKERS)).unwrap();
                let partition = self.random.next(super::PARTITIONS);
                lock(&self.cluster).logs[partition].elect(leader);
            }
            let answer = lock(&self.cluster).answer(
                self.node,
                &mut session,
                request,
                &mut self.random,
                Instant::now(),
                faults,
            );
            if !answer.is_some_and(|answer| self.write(&answer)) {
                break;
            }
        }
        // The client may have closed it before.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Reads a request, without its size.
    fn read(&mut self) -> Option<Bytes> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).ok()?;
        let mut request = vec![0; u32::from_be_bytes(size) as usize];
        self.stream.read_exact(&mut request).ok()?;
        let ends = self.faults.at_random.load(Ordering::SeqCst) && self.random.one_in(60);
        let is_cut = self.faults.cut(Direction::Requests, 4 + request.len());
        (!ends && is_cut.is_none()).then(|| request.into())
    }

    /// Writes an answer in pieces. Returns whether the connection goes on.
    fn write(&mut self, answer: &Bytes) -> bool {
        let is_hostile = self.faults.are_hostile.load(Ordering::SeqCst);
        let mut bytes = if is_hostile && self.random.one_in(3) {
            self.hostile(answer)
        } else {
            framed(answer)
        };
        let mut goes_on = true;
        if let Some(rest) = self.faults.cut(Direction::Answers, bytes.len()) {
            bytes.truncate(rest);
            goes_on = false;
        }
        if self.faults.at_random.load(Ordering::SeqCst) && self.random.one_in(60) {
            bytes.truncate(self.random.next(bytes.len() + 1));
            goes_on = false;
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let whole = self.random.one_in(2);
            let piece = if whole {
                rest.len()
            } else {
                1 + self.random.next(rest.len())
            };
            if self.stream.write_all(&rest[..piece]).is_err() {
                return false;
            }
            rest = &rest[piece..];
        }
        goes_on
    }

    /// Returns what a broken or hostile broker may send instead of an answer.
    fn hostile(&mut self, answer: &Bytes) -> Vec<u8> {
        match self.random.next(7) {
            // An answer to no request.
            0 => framed(&[&[0x55; 4], &answer[4..]].concat()),
            // Sizes that nobody can have.
            1 => [&0x7fff_ffff_u32.to_be_bytes()[..], answer].concat(),
            2 => [&(-1_i32).to_be_bytes()[..], answer].concat(),
            // Twice.
            3 => framed(answer).repeat(2),
            // Another protocol.
            4 => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            5 => {
                let random = &mut self.random;
                let bytes = std::iter::repeat_with(|| u8::try_from(random.next(256)).unwrap());
                bytes.take(200).collect()
            }
            _ => framed(&damaged(answer, &mut self.random)),
        }
    }
}

fn framed(answer: &[u8]) -> Vec<u8> {
    let size = u32::try_from(answer.len()).unwrap();
    [&size.to_be_bytes()[..], answer].concat()
}

/// Sends this many records, half of them with others to follow, and waits a moment after some.
fn send(producer: &Producer<Numbered>, sent: &mut Sent, random: &mut Random, count: usize) {
    for _ in 0..count {
        let (key, value) = sent.next(random);
        let has_more = random.one_in(2);
        sent.send(key, &value, |record, delivery| {
            let accepted = producer.send(TOPIC, record, delivery, has_more);
            accepted.expect("it is open");
        });
        if random.one_in(10) {
            producer.flush();
            thread::sleep(Duration::from_millis(1));
        }
    }
    producer.flush();
}

fn settle(sent: &Sent) {
    let end = Instant::now() + PATIENCE;
    while !sent.is_settled() {
        assert!(Instant::now() < end, "not all records have an outcome");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Sends three records to brokers that end a connection once with this byte. Returns the number of
/// bytes in this direction.
fn run_with_end(direction: Direction, last: usize) -> usize {
    let faults = Faults {
        last_byte: Some((direction, last)),
        ..Faults::default()
    };
    let brokers = Brokers::start(1, faults);
    let producer = brokers.producer();
    let mut sent = Sent::default();
    for number in 0..3 {
        let value = format!(" {number}");
        sent.send(0, value.as_bytes(), |record, delivery| {
            let accepted = producer.send(TOPIC, record, delivery, false);
            accepted.expect("it is open");
        });
        settle(&sent);
    }
    producer.close(PATIENCE);
    let cluster = lock(&brokers.cluster);
    sent.check(&cluster);
    let records: usize = cluster.logs.iter().map(|log| log.records.len()).sum();
    assert_eq!(records, 3, "each record is written once");
    brokers.faults.bytes.load(Ordering::SeqCst)
}

/// Everything arrives once, whatever was lost.
#[test]
fn a_connection_may_end_at_every_byte() {
    for direction in [Direction::Requests, Direction::Answers] {
        let bytes = run_with_end(direction, usize::MAX);
        assert!(bytes > 300, "{bytes} bytes");
        let next = AtomicUsize::new(1);
        thread::scope(|scope| {
            // They mostly wait.
            for _ in 0..48 {
                scope.spawn(|| {
                    loop {
                        let last = next.fetch_add(1, Ordering::SeqCst);
                        if last > bytes {
                            return;
                        }
                        run_with_end(direction, last);
                    }
                });
            }
        });
    }
}

/// Sends records to brokers with faults, then without.
fn run(seed: u64) {
    let brokers = Brokers::start(seed, Faults::default());
    brokers.faults.at_random.store(true, Ordering::SeqCst);
    let (mut sent, mut random) = (Sent::default(), Random(seed | 1));
    let producer = brokers.producer();
    send(&producer, &mut sent, &mut random, 300);
    brokers.faults.at_random.store(false, Ordering::SeqCst);
    send(&producer, &mut sent, &mut random, 20);
    settle(&sent);
    producer.close(PATIENCE);
    sent.check(&lock(&brokers.cluster));
}

/// Checks nothing of what was delivered: a damaged answer may tell a lie.
fn run_with_hostile_brokers(seed: u64) {
    let brokers = Brokers::start(seed, Faults::default());
    brokers.faults.are_hostile.store(true, Ordering::SeqCst);
    let (mut sent, mut random) = (Sent::default(), Random(seed | 1));
    let producer = brokers.producer();
    send(&producer, &mut sent, &mut random, 200);
    thread::sleep(Duration::from_millis(random.next(200) as u64));
    let begun = Instant::now();
    producer.close(PATIENCE);
    assert!(begun.elapsed() < PATIENCE, "its thread has ended");
    sent.check_told_once();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_lost_or_reordered_on_torn_connections(seed in any::<u64>()) {
        run(seed);
    }

    #[test]
    fn hostile_brokers_do_no_harm(seed in any::<u64>()) {
        run_with_hostile_brokers(seed);
    }
}

/// Runs more seeds: `HERALD_SEEDS=1000 cargo test -p herald-wire --release -- --ignored sockets`.
#[test]
#[ignore = "HERALD_SEEDS chooses the number of runs"]
fn many_seeds_with_sockets() {
    with_seeds(200, |seed| {
        run(seed);
        run_with_hostile_brokers(seed);
    });
}
