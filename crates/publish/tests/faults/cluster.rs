//! A real Kafka: its topics, what lies there, and its nodes, which may be stopped.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use herald_publish::kafka::{Admin, KafkaOptions, WantedTopic};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::event::Event;
use crate::ledger::Seen;
use crate::load::LONG;

/// Held for reading by cases that need the nodes up, for writing by those that stop them.
static NODES: RwLock<()> = RwLock::new(());

/// Time that one request may take.
const ANSWER: Duration = Duration::from_secs(30);

pub struct Cluster {
    servers: String,
    _up: RwLockReadGuard<'static, ()>,
}

impl Cluster {
    /// The cluster, with all of its nodes up for as long as the value is there. `None`, and a
    /// printed line, if there is none.
    pub fn up() -> Option<Self> {
        let servers = servers()?;
        Some(Self {
            servers,
            _up: NODES.read().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// The cluster, if it keeps ACLs, which `scripts/kafka` configures for a single node only.
    pub fn with_authorizer() -> Option<Self> {
        let cluster = Self::up()?;
        if cluster.servers.contains(',') {
            skipped("it needs ACLs, which only a cluster of one node has: scripts/kafka run");
            return None;
        }
        Some(cluster)
    }

    pub fn servers(&self) -> &str {
        &self.servers
    }
}

/// Nodes that this process may stop, kill and pause.
pub struct Nodes {
    servers: String,
    _turn: RwLockWriteGuard<'static, ()>,
}

impl Nodes {
    /// So many nodes, all for the caller. `None`, and a printed line, if there are not
    /// so many, or they are not the tests' own.
    pub fn take(count: usize) -> Option<Self> {
        let servers = servers()?;
        let nodes = servers.split(',').count();
        if nodes != count {
            skipped(&format!(
                "there are {nodes} nodes, and it needs {count}: scripts/kafka run --nodes {count}"
            ));
            return None;
        }
        if std::env::var_os("KAFKA_CLUSTER").is_none() {
            skipped("it stops nodes, and may do that only below `scripts/kafka run`");
            return None;
        }
        Some(Self {
            servers,
            _turn: NODES.write().unwrap_or_else(PoisonError::into_inner),
        })
    }

    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// Runs a verb of `scripts/kafka node` on a node, and returns when it is done.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "who has it may stop nodes")]
    pub fn node(&self, number: u32, verb: &str) {
        let output = control(number, verb).output().expect("scripts/kafka runs");
        assert!(
            output.status.success(),
            "node {number} {verb}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Nodes {
    /// The next case finds all nodes up, also after one that failed.
    fn drop(&mut self) {
        for verb in ["resume", "start"] {
            for number in 1..=self.servers.split(',').count() {
                let number = u32::try_from(number).expect("a few nodes");
                let running = control(number, "status").status();
                if !running.is_ok_and(|status| status.success()) {
                    let _ = control(number, verb).status();
                }
            }
        }
    }
}

fn control(number: u32, verb: &str) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka");
    let mut command = Command::new(script);
    command
        .args(["node", &number.to_string(), verb])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn servers() -> Option<String> {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").ok();
    if servers.is_none() {
        skipped("KAFKA_BOOTSTRAP_SERVERS names no Kafka; `scripts/kafka run` does");
    }
    servers
}

/// Prints the reason that a case does not run, even if the output of tests is captured.
pub fn skipped(why: &str) {
    use std::io::Write;
    let thread = std::thread::current();
    let case = thread.name().unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "skipped: {case}: {why}");
}

/// The name of a topic that no other case has.
pub fn fresh_topic() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("faults.{}-{number}", std::process::id())
}

/// Makes a topic with as many replicas as there are brokers, and with this configuration.
pub fn create_topic(servers: &str, topic: &str, partitions: u32, config: &[(&str, &str)]) {
    let brokers = servers.split(',').count();
    let wanted = WantedTopic {
        partitions: Some(partitions),
        replication_factor: Some(u32::try_from(brokers).expect("a few brokers")),
        config: config
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..WantedTopic::new(topic)
    };
    let admin = Admin::connect(&KafkaOptions::new(servers), ANSWER).expect("a cluster");
    let plan = admin.plan(vec![wanted]).expect("a plan");
    for outcome in admin.apply(&plan) {
        assert_eq!(outcome.failure, None, "{topic}");
    }
}

/// Principal of clients that do not log in.
pub const ANONYMOUS: &str = "User:ANONYMOUS";

/// Operation of an ACL, with Kafka's number.
#[derive(Clone, Copy)]
pub enum Operation {
    Write = 4,
    Describe = 8,
}

/// Allows one operation on a topic to one principal, and with it nothing else to anybody.
pub fn allow_only(servers: &str, topic: &str, principal: &str, operation: Operation) {
    let string = |text: &str| {
        [
            &u16::try_from(text.len()).expect("a name").to_be_bytes(),
            text.as_bytes(),
        ]
        .concat()
    };
    let (create_acls, version, correlation) = (30_u16, 1_u16, 7_u32);
    let (one, a_topic, literal, allowed) = (1_u32, 2_u8, 3_u8, 3_u8);
    let body = [
        &create_acls.to_be_bytes()[..],
        &version.to_be_bytes(),
        &correlation.to_be_bytes(),
        &string("faults"),
        &one.to_be_bytes(),
        &[a_topic],
        &string(topic),
        &[literal],
        &string(principal),
        &string("*"),
        &[operation as u8, allowed],
    ]
    .concat();
    let address = servers.split(',').next().expect("an address");
    let mut broker = TcpStream::connect(address).expect("a broker");
    broker.set_read_timeout(Some(ANSWER)).expect("a time-out");
    broker
        .write_all(&u32::try_from(body.len()).expect("a request").to_be_bytes())
        .expect("sent");
    broker.write_all(&body).expect("sent");
    // Length, correlation, throttle time, number of results, and the error of the first one.
    let mut answer = [0; 18];
    broker.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[16..], [0, 0], "{answer:?}");
    // Brokers learn of it a moment later.
    std::thread::sleep(Duration::from_secs(1));
}

/// A fresh topic with three partitions.
pub fn topic(servers: &str) -> String {
    let topic = fresh_topic();
    create_topic(servers, &topic, 3, &[]);
    topic
}

/// Calls `each` with everything that lies on the topic, partition by partition in order.
pub fn read(servers: &str, topic: &str, mut each: impl FnMut(&BorrowedMessage<'_>)) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "faults")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10")
        .create()
        .expect("a consumer");
    let metadata = patiently("metadata", || {
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER).ok()?;
        let partitions: Vec<i32> = metadata.topics()[0]
            .partitions()
            .iter()
            .map(rdkafka::metadata::MetadataPartition::id)
            .collect();
        (!partitions.is_empty()).then_some(partitions)
    });
    for partition in metadata {
        let (low, high) = patiently("the ends of a partition", || {
            consumer.fetch_watermarks(topic, partition, ANSWER).ok()
        });
        let mut assignment = TopicPartitionList::new();
        assignment
            .add_partition_offset(topic, partition, Offset::Offset(low))
            .expect("an offset");
        consumer.assign(&assignment).expect("a partition");
        let mut next = low;
        let started = Instant::now();
        while next < high {
            assert!(started.elapsed() < LONG, "{topic} ends at {next} of {high}");
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                next = message.offset() + 1;
                each(&message);
            }
        }
    }
}

fn patiently<T>(what: &str, ask: impl Fn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < LONG, "no answer: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The events on a topic.
pub fn events(servers: &str, topic: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    read(servers, topic, |message| {
        let (event, id) = Event::read(message.payload().unwrap_or_default());
        seen.push(Seen {
            event,
            id,
            partition: message.partition(),
            offset: message.offset(),
        });
    });
    seen
}
