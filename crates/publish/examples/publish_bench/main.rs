//! Throughput of a publisher and of raw librdkafka, on the broker of `KAFKA_BOOTSTRAP_SERVERS`.
//!
//! `benches/run` starts the broker, makes the topic, and calls this once for each way and round:
//!
//! ```text
//! publish_bench WAY TOPIC EVENTS
//! ```
//!
//! The ways `…-load` take more: see [`load`].
//!
//! It prints one line of JSON: events a second, CPU seconds per million events of this process,
//! the largest resident memory, and for the sequential ways the median and 99th percentile.

mod load;
mod measure;

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use herald_envelope::headers::HeaderSet;
use herald_envelope::{Envelope, Origin, Uuid};
use herald_publish::kafka::KafkaOptions;
use herald_publish::spool::SpoolOptions;
use herald_publish::{Message, Mode, Pending, Publisher, PublisherOptions, Receipt};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, FutureProducer, FutureRecord, Producer, ProducerContext,
    ThreadedProducer,
};
use rdkafka::types::RDKafkaErrorCode;
use serde::Serialize;

use load::Load;
use measure::{Figures, Measure};

/// Allocator that the documentation advises for services that publish a lot. librdkafka has the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Anyhow<T> = Result<T, Box<dyn Error>>;

/// Herald's own.
const DEFAULT_LINGER: &str = "0";

/// Number of receipts that the pipelined ways leave open.
const IN_FLIGHT: usize = 10_000;

/// Number of receipts taken at a time. The last first: one sleep for all of them.
const TAKEN_TOGETHER: usize = 1_000;

#[derive(Clone, Copy, Serialize)]
struct Payload<'a> {
    operation: &'a str,
    order: &'a str,
    customer: &'a str,
    items: [&'a str; 3],
    amount: u32,
    note: &'a str,
}

const PAYLOAD: Payload<'static> = Payload {
    operation: "place_order",
    order: "A-2026-11-23-000017",
    customer: "c-7391-5582-1004",
    items: ["sku-8812-blue-xl", "sku-0021-red-m", "sku-4471-green-s"],
    amount: 129_900,
    note: "leave at the door of the neighbour on the left if nobody is at home",
};

fn origin() -> Origin {
    Origin::new("orders", "1.4.0", "production").with_instance("orders-7c9f-2xk4p")
}

fn envelope(
    origin: &Origin,
    number: u128,
) -> Envelope<'_, Payload<'static>, impl Serialize + use<>> {
    origin
        .envelope("effect.place_order.completed", "node-orders-1", PAYLOAD)
        .with_correlation_id(Uuid::from_u128(number % 5_000))
        .with_metadata(serde_json::Map::new())
}

fn raw_config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_servers())
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "100000");
    config
}

fn bootstrap_servers() -> String {
    std::env::var("KAFKA_BOOTSTRAP_SERVERS").expect("KAFKA_BOOTSTRAP_SERVERS names a broker")
}

#[derive(Default)]
struct Count {
    delivered: AtomicU64,
    failed: AtomicU64,
}

#[derive(Clone, Default)]
struct Counting(Arc<Count>);

impl ClientContext for Counting {}

impl ProducerContext for Counting {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let counter = match result {
            Ok(_) => &self.0.delivered,
            Err(_) => &self.0.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Bytes of a thousand messages, made beforehand.
fn made_beforehand() -> Vec<Message> {
    let origin = origin();
    (0..1_000)
        .map(|number| {
            Message::of_envelope("t", &envelope(&origin, number)).expect("it is an envelope")
        })
        .collect()
}

fn raw_headers(message: &Message) -> OwnedHeaders {
    let headers = OwnedHeaders::new_with_capacity(4);
    message.headers().fold(headers, |headers, (key, value)| {
        let value = Some(value);
        headers.insert(Header { key, value })
    })
}

/// The limit: librdkafka with callbacks, bytes made beforehand.
fn raw_callback(topic: &str, events: usize, with_headers: bool) -> Anyhow<Figures> {
    let context = Counting::default();
    let producer: ThreadedProducer<Counting> = raw_config().create_with_context(context.clone())?;
    let messages = made_beforehand();
    warm_up(&producer, topic, &context, &messages[0])?;
    let measure = Measure::start();
    for message in messages.iter().cycle().take(events) {
        loop {
            let mut record = BaseRecord::to(topic)
                .key(message.key().unwrap_or_default())
                .payload(message.payload());
            if with_headers {
                record = record.headers(raw_headers(message));
            }
            match producer.send(record) {
                Ok(()) => break,
                Err((error, _))
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) =>
                {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }
    while context.0.delivered.load(Ordering::Relaxed) < events as u64 + 1 {
        std::thread::sleep(Duration::from_micros(200));
    }
    let figures = measure.stop(events);
    assert_eq!(context.0.failed.load(Ordering::Relaxed), 0);
    Ok(figures)
}

fn warm_up(
    producer: &ThreadedProducer<Counting>,
    topic: &str,
    context: &Counting,
    message: &Message,
) -> Anyhow<()> {
    let record = BaseRecord::to(topic)
        .key(message.key().unwrap_or_default())
        .payload(message.payload());
    producer.send(record).map_err(|(error, _)| error)?;
    producer.flush(Duration::from_secs(30))?;
    while context.0.delivered.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Wakes the threads that wait for a delivery.
struct Waking(Sender<bool>);

impl ClientContext for Waking {}

impl ProducerContext for Waking {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        // Nobody listens any more at the end.
        let _ = self.0.send(result.is_ok());
    }
}

/// Raw librdkafka that waits for each delivery.
struct RawWaiting {
    producer: ThreadedProducer<Waking>,
    delivered: Receiver<bool>,
}

impl RawWaiting {
    fn new() -> Anyhow<Self> {
        let (deliveries, delivered) = channel();
        let mut config = raw_config();
        config.set("linger.ms", "0");
        Ok(Self {
            producer: config.create_with_context(Waking(deliveries))?,
            delivered,
        })
    }

    fn publish(&self, topic: &str, message: &Message) -> Anyhow<()> {
        let record = BaseRecord::to(topic)
            .key(message.key().unwrap_or_default())
            .payload(message.payload())
            .headers(raw_headers(message));
        self.producer.send(record).map_err(|(error, _)| error)?;
        assert!(self.delivered.recv()?);
        Ok(())
    }
}

/// One at a time with raw librdkafka.
fn raw_sequential(topic: &str, events: usize) -> Anyhow<Figures> {
    let client = RawWaiting::new()?;
    let messages = made_beforehand();
    client.publish(topic, &messages[0])?;
    let mut measure = Measure::start();
    for message in messages.iter().cycle().take(events) {
        let started = Instant::now();
        client.publish(topic, message)?;
        measure.times.push(started.elapsed());
    }
    Ok(measure.stop(events))
}

/// The async interface of rdkafka.
fn future_producer(topic: &str, events: usize) -> Anyhow<Figures> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let producer: FutureProducer = raw_config().create()?;
    let messages = Arc::new(made_beforehand());
    runtime.block_on(async {
        let record = |message: &Message| {
            (
                message.key().unwrap_or_default().to_vec(),
                message.payload().to_vec(),
                raw_headers(message),
            )
        };
        let (key, payload, headers) = record(&messages[0]);
        let first = FutureRecord::to(topic)
            .key(&key)
            .payload(&payload)
            .headers(headers);
        producer
            .send(first, Duration::from_secs(30))
            .await
            .map_err(|(error, _)| error)?;
        let measure = Measure::start();
        let mut open = VecDeque::with_capacity(IN_FLIGHT);
        for message in messages.iter().cycle().take(events) {
            let record = FutureRecord::to(topic)
                .key(message.key().unwrap_or_default())
                .payload(message.payload())
                .headers(raw_headers(message));
            open.push_back(producer.send_result(record).map_err(|(error, _)| error)?);
            if open.len() >= 1_000
                && let Some(oldest) = open.pop_front()
            {
                oldest.await?.map_err(|(error, _)| error)?;
            }
        }
        for oldest in open {
            oldest.await?.map_err(|(error, _)| error)?;
        }
        Ok(measure.stop(events))
    })
}

fn publisher(mode: Mode, kafka: KafkaOptions) -> Anyhow<(Publisher, tempfile::TempDir)> {
    let folder = tempfile::tempdir_in(spool_folder())?;
    let spool = SpoolOptions::new(folder.path().join("spool.db"));
    let headers = std::env::var("HERALD_BENCH_HEADERS");
    let headers = headers.map_or(Ok(HeaderSet::ALL), |names| {
        HeaderSet::of(names.split(',').filter(|name| !name.is_empty()))
    });
    // Even a slow machine delivers all events, and spools none.
    let options = PublisherOptions::new(kafka)
        .spool(spool)
        .deadline(Duration::from_secs(60))
        .headers(headers?);
    Ok((Publisher::open(options.mode(mode))?, folder))
}

/// Options of Herald's clients. `linger` is that of librdkafka; the native transport has its own.
fn kafka(way: &str, linger_ms: &str) -> KafkaOptions {
    let mut kafka = KafkaOptions::new(bootstrap_servers());
    kafka = if way.starts_with("herald-native") {
        kafka.property("transport", "native")
    } else {
        let kafka = kafka.property("transport", "librdkafka");
        kafka.property("linger.ms", linger_ms)
    };
    for (name, value) in more_properties() {
        kafka = kafka.property(name, value);
    }
    kafka
}

/// Properties to try: `HERALD_BENCH_PROPERTIES=name=value,name=value`.
fn more_properties() -> Vec<(String, String)> {
    let properties = std::env::var("HERALD_BENCH_PROPERTIES").unwrap_or_default();
    let pairs = properties
        .split(',')
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Folder on a disk that can be flushed, not in memory.
fn spool_folder() -> String {
    std::env::var("SPOOL_FOLDER").unwrap_or_else(|_| ".".into())
}

/// Envelope to receipt, many in flight, from one thread.
fn herald(topic: &str, events: usize, mode: Mode, kafka: KafkaOptions) -> Anyhow<Figures> {
    let (publisher, _folder) = publisher(mode, kafka)?;
    let origin = origin();
    publisher
        .blocking_enqueue(publisher.message_to(topic, envelope(&origin, 0))?)?
        .wait()?;
    let measure = Measure::start();
    let mut open = VecDeque::with_capacity(IN_FLIGHT);
    let mut receipts = 0;
    for number in 0..events {
        if open.len() == IN_FLIGHT {
            receipts += take(open.drain(..TAKEN_TOGETHER))?;
        }
        let message = publisher.message_to(topic, envelope(&origin, number as u128))?;
        open.push_back(publisher.blocking_enqueue(message)?);
    }
    receipts += take(open.drain(..))?;
    assert_eq!(receipts, events);
    let mut figures = measure.stop(events);
    let started = Instant::now();
    let closed = publisher.close(Duration::from_secs(60))?;
    assert_eq!((closed.spooled, closed.dead), (0, 0));
    figures.drained_after = started.elapsed();
    Ok(figures)
}

fn take(pending: impl DoubleEndedIterator<Item = Pending>) -> Anyhow<usize> {
    let mut receipts = 0;
    for pending in pending.rev() {
        pending.wait()?;
        receipts += 1;
    }
    Ok(receipts)
}

/// Publishes from async code with a thousand tasks.
fn herald_async(topic: &str, events: usize, kafka: KafkaOptions) -> Anyhow<Figures> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let (publisher, _folder) = publisher(Mode::Direct, kafka)?;
    let publisher = Arc::new(publisher);
    let topic: Arc<str> = topic.into();
    runtime.block_on(async {
        publisher.publish_to(&topic, envelope(&origin(), 0)).await?;
        let measure = Measure::start();
        let tasks: Vec<_> = (0..1_000)
            .map(|task| {
                let (publisher, topic) = (publisher.clone(), topic.clone());
                tokio::spawn(async move {
                    let origin = origin();
                    for number in 0..events / 1_000 {
                        let number = (number * 1_000 + task) as u128;
                        publisher
                            .publish_to(&topic, envelope(&origin, number))
                            .await
                            .expect("the broker is there");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        Ok(measure.stop(events / 1_000 * 1_000))
    })
}

fn herald_sequential(topic: &str, events: usize, kafka: KafkaOptions) -> Anyhow<Figures> {
    let (publisher, _folder) = publisher(Mode::Direct, kafka)?;
    let origin = origin();
    publisher
        .blocking_enqueue(publisher.message_to(topic, envelope(&origin, 0))?)?
        .wait()?;
    let mut measure = Measure::start();
    for number in 0..events {
        let started = Instant::now();
        let message = publisher.message_to(topic, envelope(&origin, number as u128))?;
        let receipt = publisher.blocking_enqueue(message)?.wait()?;
        measure.times.push(started.elapsed());
        assert!(matches!(receipt, Receipt::Delivered { .. }));
    }
    Ok(measure.stop(events))
}

/// From nothing to the first receipt: a client for each event.
fn herald_first(topic: &str, events: usize, way: &str) -> Anyhow<Figures> {
    let origin = origin();
    let mut measure = Measure::start();
    for number in 0..events {
        let folder = tempfile::tempdir_in(spool_folder())?;
        let spool = SpoolOptions::new(folder.path().join("spool.db"));
        let started = Instant::now();
        let options = PublisherOptions::new(kafka(way, DEFAULT_LINGER)).spool(spool);
        let publisher = Publisher::open(options)?;
        let message = publisher.message_to(topic, envelope(&origin, number as u128))?;
        let receipt = publisher.blocking_enqueue(message)?.wait()?;
        measure.times.push(started.elapsed());
        assert!(receipt.is_delivered());
        publisher.close(Duration::from_secs(5))?;
    }
    Ok(measure.stop(events))
}

/// From nothing to the first callback of raw librdkafka.
fn raw_first(topic: &str, events: usize) -> Anyhow<Figures> {
    let messages = made_beforehand();
    let mut measure = Measure::start();
    for message in messages.iter().cycle().take(events) {
        let started = Instant::now();
        let client = RawWaiting::new()?;
        client.publish(topic, message)?;
        measure.times.push(started.elapsed());
    }
    Ok(measure.stop(events))
}

/// One at a time while nothing listens where the broker should be.
fn herald_away(topic: &str, events: usize) -> Anyhow<Figures> {
    let folder = tempfile::tempdir_in(spool_folder())?;
    let kafka = KafkaOptions::new("127.0.0.1:1");
    let spool = SpoolOptions::new(folder.path().join("spool.db"));
    let publisher = Publisher::open(PublisherOptions::new(kafka).spool(spool))?;
    let origin = origin();
    publisher
        .blocking_enqueue(publisher.message_to(topic, envelope(&origin, 0))?)?
        .wait()?;
    let mut measure = Measure::start();
    for number in 0..events {
        let started = Instant::now();
        let message = publisher.message_to(topic, envelope(&origin, number as u128))?;
        publisher.blocking_enqueue(message)?.wait()?;
        measure.times.push(started.elapsed());
    }
    Ok(measure.stop(events))
}

/// Delivers events that were spooled before to the cluster.
fn herald_drain(topic: &str, events: usize, kafka: KafkaOptions) -> Anyhow<Figures> {
    let folder = tempfile::tempdir_in(spool_folder())?;
    let path = folder.path().join("spool.db");
    let away = KafkaOptions::new("127.0.0.1:1");
    let options = |kafka| PublisherOptions::new(kafka).spool(SpoolOptions::new(&path));
    let publisher = Publisher::open(options(away).mode(Mode::WriteAhead))?;
    let origin = origin();
    let mut open = VecDeque::new();
    for number in 0..events {
        if open.len() == IN_FLIGHT {
            take(open.drain(..TAKEN_TOGETHER))?;
        }
        let message = publisher.message_to(topic, envelope(&origin, number as u128))?;
        open.push_back(publisher.blocking_enqueue(message)?);
    }
    take(open.drain(..))?;
    publisher.close(Duration::ZERO)?;
    let publisher = Publisher::open(options(kafka))?;
    let measure = Measure::start();
    while publisher
        .stats()
        .spool
        .is_none_or(|spool| spool.records > 0)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(measure.stop(events))
}

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, way, topic, events, more @ ..] = arguments.as_slice() else {
        return Err("publish_bench WAY TOPIC EVENTS [NAME=VALUE…]".into());
    };
    let events = events.parse()?;
    let linger = if way == "herald-linger" {
        "5"
    } else {
        DEFAULT_LINGER
    };
    let kafka = kafka(way, linger);
    let figures = match way.as_str() {
        "raw-callback" => raw_callback(topic, events, false)?,
        "raw-callback-headers" => raw_callback(topic, events, true)?,
        "raw-future" => future_producer(topic, events)?,
        "raw-sequential" => raw_sequential(topic, events)?,
        "herald" | "herald-linger" | "herald-native" => herald(topic, events, Mode::Direct, kafka)?,
        "herald-write-ahead" | "herald-native-write-ahead" => {
            herald(topic, events, Mode::WriteAhead, kafka)?
        }
        "herald-async" | "herald-native-async" => herald_async(topic, events, kafka)?,
        "herald-sequential" | "herald-native-sequential" => {
            herald_sequential(topic, events, kafka)?
        }
        "herald-first" | "herald-native-first" => herald_first(topic, events, way)?,
        "raw-first" => raw_first(topic, events)?,
        "herald-away" => herald_away(topic, events)?,
        "herald-drain" | "herald-native-drain" => herald_drain(topic, events, kafka)?,
        "herald-load" | "herald-native-load" => {
            load::herald(Load::of(topic, events, more)?, kafka)?
        }
        "raw-load" => load::raw(Load::of(topic, events, more)?)?,
        other => return Err(format!("there is no way `{other}`").into()),
    };
    figures.print(way);
    Ok(())
}
