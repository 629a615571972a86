//! One producer of librdkafka, and the thread that hears its reports.

use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant, SystemTime};

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, PurgeConfig,
};

use super::classify;
use super::condition::Condition;
use super::options::invalid;
use super::outstanding::Outstanding;
use super::refused::Refused;
use super::secret::Scrub;
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::transport::{DeliveryCallback, RecordMetadata};

/// How often the thread looks at other things than reports, which it hears at once.
const GLANCE: Duration = Duration::from_millis(50);

/// The same when the lane is ending.
const SHORT_GLANCE: Duration = Duration::from_millis(5);

/// How long acknowledgements are waited for after a connection broke. What the broker took is
/// not sent again then.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(2);

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Travel {
    /// Many in a batch. A batch that a broker refuses breaks the connection: librdkafka would go
    /// on with later messages of the same keys, and one bad message would take the good ones of
    /// its batch along.
    Together,
    /// One by one, for topics of which a batch was refused. Whatever a broker says, it says
    /// about one message.
    Alone,
}

type Producer = BaseProducer<Reports>;

pub(super) struct Lane {
    producer: Arc<Producer>,
    outstanding: Arc<Outstanding>,
    end: Arc<End>,
    thread: ThreadId,
}

/// Whether the thread and the producer are gone.
#[derive(Default)]
struct End {
    gone: Mutex<bool>,
    changed: Condvar,
}

impl Lane {
    /// Starts a producer with these settings.
    ///
    /// # Errors
    /// `invalid_property`, and `no_thread` where the system has none left.
    pub(super) fn start(
        config: &ClientConfig,
        scrub: &Scrub,
        travel: Travel,
        condition: Arc<Condition>,
        refused: Refused,
    ) -> Result<Self, Failure> {
        let outstanding = Arc::new(Outstanding::default());
        let reports = Reports {
            outstanding: outstanding.clone(),
            condition,
            refused,
            travel,
            producer: OnceLock::new(),
        };
        let producer: Producer = config
            .create_with_context(reports)
            .map_err(|error| invalid(&error, scrub))?;
        let producer = Arc::new(producer);
        // Set once, here.
        let _ = producer.context().producer.set(Arc::downgrade(&producer));
        let end = Arc::new(End::default());
        let hears = (producer.clone(), end.clone());
        let thread = thread::Builder::new()
            .name("herald-kafka".to_owned())
            .spawn(move || {
                let (producer, end) = hears;
                hear(&producer);
                // Here, because librdkafka may take its time to end.
                drop(producer);
                *lock(&end.gone) = true;
                end.changed.notify_all();
            })
            .map_err(|error| {
                Failure::new(
                    FailureKind::Retriable,
                    FailureCode::NoThread,
                    format!("no thread for Kafka's reports: {error}"),
                )
            })?;
        Ok(Self {
            producer,
            outstanding,
            end,
            thread: thread.thread().id(),
        })
    }

    /// Puts a message of this topic into librdkafka's queue.
    pub(super) fn send(
        &self,
        topic: &str,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Result<(), Failure> {
        let number = self.outstanding.add(delivery);
        let record = BaseRecord {
            topic,
            partition: None,
            payload: Some(message.payload()),
            key: message.key(),
            timestamp: Some(milliseconds(message.created())),
            headers: headers(message),
            delivery_opaque: number,
        };
        self.producer.send(record).map_err(|(error, _)| {
            // Nobody else can have it: librdkafka reports only what it took.
            self.outstanding.take(number);
            let condition = &self.producer.context().condition;
            match condition.broken() {
                Some(failure) => failure.clone(),
                None => classify::failure_of(&error, topic),
            }
        })
    }

    /// What asks the cluster questions.
    pub(super) fn producer(&self) -> Arc<Producer> {
        self.producer.clone()
    }

    /// Waits until everything is given up that was not acknowledged, and the producer is gone;
    /// no longer than until `deadline`. The condition is closing, and nothing is sent any more.
    pub(super) fn close(self, deadline: Instant) {
        let Self {
            producer,
            outstanding,
            end,
            thread,
        } = self;
        // The thread has the other one.
        drop(producer);
        // Called from within a report, it would wait for itself.
        let is_own = thread::current().id() == thread;
        let mut gone = lock(&end.gone);
        while !*gone && !is_own {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            gone = match end.changed.wait_timeout(gone, left) {
                Ok((gone, _)) => gone,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        drop(gone);
        // Some are left where librdkafka hangs, for example in a name server.
        for delivery in outstanding.take_all() {
            delivery.on_delivery(Err(classify::failure(Code::PurgeInflight, "Kafka")));
        }
    }
}

/// Lets librdkafka report what it would still try. Without waiting for its threads.
fn give_up(producer: &Producer, what: PurgeConfig) {
    producer.purge(what.non_blocking());
}

/// Hears reports until the lane is closed and all of them came.
fn hear(producer: &Producer) {
    let reports = producer.context();
    let mut broken_since = None;
    loop {
        if reports.condition.is_closing() {
            if reports.outstanding.is_empty() {
                return;
            }
            // Again and again: what librdkafka moves between its queues slips through one time.
            give_up(producer, PurgeConfig::default().queue().inflight());
            producer.poll(SHORT_GLANCE);
        } else if reports.condition.broken().is_some() && !reports.outstanding.is_empty() {
            let since = *broken_since.get_or_insert_with(Instant::now);
            let what = PurgeConfig::default().queue();
            give_up(
                producer,
                if since.elapsed() < LAST_ACKNOWLEDGEMENTS {
                    what
                } else {
                    what.inflight()
                },
            );
            producer.poll(SHORT_GLANCE);
        } else {
            producer.poll(GLANCE);
        }
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    // librdkafka takes 0 for now; an event is not older than 1970.
    time.duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|passed| i64::try_from(passed.as_millis()).ok())
        .unwrap_or(0)
}

fn headers(message: &Message) -> Option<OwnedHeaders> {
    let headers = message.headers();
    (headers.len() > 0).then(|| {
        headers.fold(
            OwnedHeaders::new_with_capacity(message.headers().len()),
            |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(value),
                })
            },
        )
    })
}

/// What librdkafka tells its client.
pub(super) struct Reports {
    outstanding: Arc<Outstanding>,
    condition: Arc<Condition>,
    refused: Refused,
    travel: Travel,
    /// Asked whether an error is fatal: the error itself does not say so.
    producer: OnceLock<Weak<Producer>>,
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.condition.log.line(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        tracing::debug!(
            target: "herald::kafka::statistics",
            "{}",
            String::from_utf8_lossy(statistics)
        );
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let fatal = self
            .producer
            .get()
            .and_then(Weak::upgrade)
            .and_then(|producer| producer.client().fatal_error());
        match (fatal, error.rdkafka_error_code()) {
            (Some((cause, text)), _) => self.condition.hear_fatal(cause, &text),
            (None, Some(code)) => self.condition.hear(code, reason),
            (None, None) => {}
        }
    }
}

impl ProducerContext<NoCustomPartitioner> for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let Some(delivery) = self.outstanding.take(number) else {
            return;
        };
        let outcome = match result {
            Ok(message) => {
                self.condition.good_news();
                let (partition, offset) = (message.partition(), message.offset());
                if offset < 0 {
                    Err(unconfirmed(message.topic(), partition))
                } else {
                    Ok(RecordMetadata { partition, offset })
                }
            }
            Err((error, message)) => Err(self.verdict(error, message.topic())),
        };
        delivery.on_delivery(outcome);
    }
}

/// A success that no broker has spoken of. librdkafka concludes it when a later message of the
/// partition was acknowledged, because a broker takes messages of a producer in their order. But a
/// broker that does not know the producer yet takes any: when it refuses the first batch, because
/// its partition is just coming up, and takes the second, the first is nowhere.
fn unconfirmed(topic: &str, partition: i32) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::Unconfirmed,
        format!("{topic}: partition {partition} acknowledged a later message, but not this one"),
    )
}

impl Reports {
    /// What follows from a message's failure. Known to everyone before it is reported, because
    /// the report may lead to a new connection.
    fn verdict(&self, error: &KafkaError, topic: &str) -> Failure {
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        let failure = classify::failure(code, topic);
        let broken = self.condition.broken();
        if classify::tells_of_absence(code) {
            self.condition.absent.note(topic);
        }
        match (failure.kind, self.travel) {
            // librdkafka gives up what it has when the connection is broken, too.
            (FailureKind::Abandoned, _) => {
                return match broken {
                    Some(broken) if !self.condition.is_closing() => broken.clone(),
                    _ => failure,
                };
            }
            // The publisher's own delivery_timeout ended.
            _ if code == Code::MessageTimedOut => return failure,
            (FailureKind::Permanent, Travel::Alone) => return failure,
            (_, Travel::Together) if classify::blames_one_of_many(code) => {
                self.refused.note(topic);
                let failure = classify::failure(Code::InvalidDifferentRecord, &failure.detail);
                self.condition.break_off(failure.clone());
                return failure;
            }
            (FailureKind::Permanent, Travel::Together) => {
                // Else librdkafka found out before it sent a batch.
                if broken.is_some() {
                    self.refused.note(topic);
                }
                return failure;
            }
            _ => {}
        }
        self.condition.break_off(failure.clone());
        failure
    }
}
