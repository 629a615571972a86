//! One load, of which one property is varied at a time (`benches/report`):
//!
//! ```text
//! publish_bench herald-load TOPIC EVENTS [size=BYTES] [topics=N] [publishers=N] [in_flight=N]
//! ```
//!
//! Payloads differ, and their text compresses about as that of real ones. With several topics, their names are
//! `TOPIC-0`, `TOPIC-1` and so on. `in_flight` is the number of receipts that each publisher leaves open. A time is that
//! from the call to the receipt.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use herald_envelope::{Envelope, Origin, Uuid};
use herald_publish::kafka::KafkaOptions;
use herald_publish::{Message, Mode, Pending, Publisher, Receipt};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;
use serde::Serialize;
use tempfile::TempDir;

use crate::measure::{Figures, Measure};
use crate::{Anyhow, origin, publisher, raw_config, raw_headers};

pub(crate) struct Load {
    topics: Vec<String>,
    events: usize,
    publishers: usize,
    in_flight: usize,
    notes: Vec<String>,
}

/// Text of all payloads in memory, in bytes, and the number of texts.
const POOL_BYTES: usize = 16 << 20;
const POOL_LENGTHS: RangeInclusive<usize> = 64..=4_096;

#[derive(Clone, Copy, Serialize)]
struct Payload<'a> {
    operation: &'a str,
    order: usize,
    note: &'a str,
}

impl Load {
    pub(crate) fn of(topic: &str, events: usize, settings: &[String]) -> Anyhow<Self> {
        let [mut size, mut topics, mut publishers, mut in_flight] = [300, 1, 1_000, 1];
        for setting in settings {
            let (name, value) = setting.split_once('=').ok_or("expected NAME=VALUE")?;
            let place = match name {
                "size" => &mut size,
                "topics" => &mut topics,
                "publishers" => &mut publishers,
                "in_flight" => &mut in_flight,
                _ => return Err(format!("there is no setting `{name}`").into()),
            };
            *place = value.parse::<usize>()?.max(1);
        }
        let name = |number| format!("{topic}-{number}");
        Ok(Self {
            topics: match topics {
                1 => vec![topic.to_owned()],
                _ => (0..topics).map(name).collect(),
            },
            events,
            publishers,
            in_flight,
            notes: notes(size),
        })
    }

    fn topic(&self, number: usize) -> &str {
        &self.topics[number % self.topics.len()]
    }

    fn envelope<'a>(
        &'a self,
        origin: &'a Origin,
        number: usize,
    ) -> Envelope<'a, Payload<'a>, impl Serialize + use<>> {
        let payload = Payload {
            operation: "place_order",
            order: number,
            note: &self.notes[number % self.notes.len()],
        };
        origin
            .envelope("effect.place_order.completed", "node-orders-1", payload)
            .with_correlation_id(Uuid::from_u128(number as u128 % 5_000))
            .with_metadata(serde_json::Map::new())
    }
}

/// Texts of words, for payloads of this size in bytes.
fn notes(size: usize) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(7);
    let words: Vec<String> = (0..2_000)
        .map(|_| {
            (0..random.usize(2..10))
                .map(|_| random.lowercase())
                .collect()
        })
        .collect();
    let length =
        size.saturating_sub(r#"{"operation":"place_order","order":100000,"note":""}"#.len());
    let mut note = || {
        let mut text = String::with_capacity(length + 10);
        while text.len() < length {
            text.push_str(&words[random.usize(..words.len())]);
            text.push(' ');
        }
        text.truncate(length);
        text
    };
    let count = (POOL_BYTES / size).clamp(*POOL_LENGTHS.start(), *POOL_LENGTHS.end());
    (0..count).map(|_| note()).collect()
}

/// A client that publishes.
trait Client: Send + Sync + 'static {
    /// A receipt that is open.
    type Open: Future<Output: Debug> + Send;

    fn send(&self, topic: &str, number: usize) -> impl Future<Output = Anyhow<Self::Open>> + Send;

    fn is_delivered(outcome: &<Self::Open as Future>::Output) -> bool;
}

struct Herald {
    publisher: Publisher,
    origin: Origin,
    load: Arc<Load>,
    _folder: TempDir,
}

impl Client for Herald {
    type Open = Pending;

    async fn send(&self, topic: &str, number: usize) -> Anyhow<Pending> {
        let envelope = self.load.envelope(&self.origin, number);
        let message = self.publisher.message_to(topic, envelope)?;
        Ok(self.publisher.enqueue(message).await?)
    }

    fn is_delivered(outcome: &<Pending as Future>::Output) -> bool {
        matches!(outcome, Ok(Receipt::Delivered { .. }))
    }
}

/// rdkafka, whose messages are made before.
struct Raw {
    producer: FutureProducer,
    messages: Vec<Message>,
}

impl Client for Raw {
    type Open = DeliveryFuture;

    async fn send(&self, topic: &str, number: usize) -> Anyhow<DeliveryFuture> {
        let message = &self.messages[number % self.messages.len()];
        let mut record = FutureRecord::to(topic)
            .key(message.key().unwrap_or_default())
            .payload(message.payload())
            .headers(raw_headers(message));
        loop {
            match self.producer.send_result(record) {
                Ok(open) => return Ok(open),
                Err((error, again))
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) =>
                {
                    record = again;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    fn is_delivered(outcome: &<DeliveryFuture as Future>::Output) -> bool {
        matches!(outcome, Ok(Ok(_)))
    }
}

/// Herald: envelope to receipt.
pub(crate) fn herald(load: Load, kafka: KafkaOptions) -> Anyhow<Figures> {
    let load = Arc::new(load);
    let (publisher, folder) = publisher(Mode::Direct, kafka)?;
    let client = Herald {
        publisher,
        origin: origin(),
        load: Arc::clone(&load),
        _folder: folder,
    };
    run(&load, client)
}

/// rdkafka's `FutureProducer`, bytes made before, with Herald's headers.
pub(crate) fn raw(load: Load) -> Anyhow<Figures> {
    let load = Arc::new(load);
    let origin = origin();
    let messages = (0..load.notes.len())
        .map(|number| Message::of_envelope("t", &load.envelope(&origin, number)));
    let client = Raw {
        messages: messages.collect::<Result<_, _>>()?,
        producer: raw_config()
            .set("linger.ms", "0")
            .set("queue.buffering.max.messages", "1000000")
            .create()?,
    };
    run(&load, client)
}

fn run<C: Client>(load: &Arc<Load>, client: C) -> Anyhow<Figures> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build()?;
    let client = Arc::new(client);
    runtime.block_on(async {
        // Each topic is known before.
        for (number, topic) in load.topics.iter().enumerate() {
            let outcome = client.send(topic, number).await?.await;
            assert!(C::is_delivered(&outcome), "{outcome:?}");
        }
        let mut measure = Measure::start();
        let publishers: Vec<_> = (0..load.publishers)
            .map(|first| tokio::spawn(publish(Arc::clone(load), Arc::clone(&client), first)))
            .collect();
        for publisher in publishers {
            measure.times.append(&mut publisher.await?);
        }
        assert_eq!(measure.times.len(), load.events);
        Ok(measure.stop(load.events))
    })
}

/// Publishes the share of one publisher, and returns the times to its receipts.
async fn publish<C: Client>(load: Arc<Load>, client: Arc<C>, first: usize) -> Vec<Duration> {
    let mut open = VecDeque::with_capacity(load.in_flight);
    let mut times = Vec::with_capacity(load.events / load.publishers + 1);
    let mut finish = async |(started, receipt): (Instant, C::Open)| {
        let outcome = receipt.await;
        times.push(started.elapsed());
        assert!(C::is_delivered(&outcome), "{outcome:?}");
    };
    for number in (first..load.events).step_by(load.publishers) {
        if open.len() == load.in_flight
            && let Some(oldest) = open.pop_front()
        {
            finish(oldest).await;
        }
        let started = Instant::now();
        let sent = client.send(load.topic(number), number).await;
        open.push_back((started, sent.expect("the broker is there")));
    }
    for oldest in open {
        finish(oldest).await;
    }
    times
}
