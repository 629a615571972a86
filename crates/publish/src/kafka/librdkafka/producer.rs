//! Producer of librdkafka, with the thread that polls its reports.

use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, PurgeConfig,
};

use super::client_config::invalid;
use super::error::{code, error_code, failure_of, is_batch_verdict, is_topic_verdict};
use super::outstanding::Outstanding;
use super::refused_batches::RefusedBatchTopics;
use super::tokens::TokenKeeper;
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::classify;
use crate::kafka::config::Redactor;
use crate::kafka::connection_state::{ConnectionState, closed, no_thread};
use crate::kafka::error_code::ErrorCode;
use crate::message::Message;
use crate::transport::{DeliveryCallback, RecordMetadata};

/// Interval at which the polling thread checks the state of the connection. Reports end a poll at
/// once.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Poll interval while the producer closes or its connection is broken.
const CLOSING_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Time to wait for acknowledgements after the connection broke. Messages that are acknowledged in
/// it are not sent again by the next connection, so they are not duplicated.
const FINAL_ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// Batching of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchMode {
    /// Many messages in a batch. A batch that a broker refuses breaks the connection: librdkafka
    /// would go on with later messages of the same keys, and one bad message would fail the good
    /// ones of its batch.
    Batched,
    /// Batches of the size that a topic with a low limit allows. Larger messages are not sent, so no
    /// batch is refused for its size.
    Limited,
    /// One message in a batch, for topics of which a batch was refused. The verdict of the broker
    /// is about one message then.
    Single,
}

pub(super) type Producer = BaseProducer<Reports>;

/// Handle of a producer and of its polling thread.
pub(super) struct ProducerHandle {
    producer: Arc<Producer>,
    outstanding: Arc<Outstanding>,
    end: Arc<End>,
    thread: ThreadId,
}

/// Signal that the thread and the producer have ended.
#[derive(Default)]
struct End {
    gone: Mutex<bool>,
    changed: Condvar,
}

impl ProducerHandle {
    /// Starts a producer with these settings.
    ///
    /// # Errors
    /// `invalid_property`, and `no_thread` if the system can't start one.
    pub(super) fn start(
        config: &ClientConfig,
        redactor: &Redactor,
        batch_mode: BatchMode,
        state: Arc<ConnectionState>,
        refused: RefusedBatchTopics,
    ) -> Result<Self, Failure> {
        let outstanding = Arc::new(Outstanding::default());
        let reports = Reports {
            outstanding: outstanding.clone(),
            state,
            refused,
            batch_mode,
            producer: OnceLock::new(),
        };
        let producer: Producer = config
            .create_with_context(reports)
            .map_err(|error| invalid(&error, redactor))?;
        let producer = Arc::new(producer);
        // Set only here. The context needs the producer, and is created before it. Weak, because the
        // producer owns its context.
        let _ = producer.context().producer.set(Arc::downgrade(&producer));
        let tokens = TokenKeeper::new(&producer.context().state.options)?;
        let end = Arc::new(End::default());
        let shared = (producer.clone(), end.clone());
        let thread = thread::Builder::new()
            .name("herald-kafka".to_owned())
            .spawn(move || {
                let (producer, end) = shared;
                poll_reports(&producer, tokens);
                // Dropped on this thread, because librdkafka's destructor may block.
                drop(producer);
                *lock(&end.gone) = true;
                end.changed.notify_all();
            })
            .map_err(|error| no_thread(&error))?;
        Ok(Self {
            producer,
            outstanding,
            end,
            thread: thread.thread().id(),
        })
    }

    pub(super) fn producer(&self) -> &Arc<Producer> {
        &self.producer
    }

    /// Waits until all unacknowledged messages were reported and the producer has ended; at most
    /// until `deadline`. The state must be closing, so that nothing is sent any more.
    pub(super) fn close(self, deadline: Instant) {
        let Self {
            producer,
            outstanding,
            end,
            thread,
        } = self;
        // The thread has the other reference.
        drop(producer);
        // Called from a report, on the polling thread, it would wait for itself.
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
        // Some are left if librdkafka hangs, for example in a DNS request.
        for delivery in outstanding.take_all() {
            delivery.on_delivery(Err(classify::failure(ErrorCode::PurgeInflight, "Kafka")));
        }
    }
}

/// Puts a message into librdkafka's queue.
pub(super) fn send(
    producer: &Producer,
    message: &Message,
    delivery: Arc<dyn DeliveryCallback>,
) -> Result<(), Failure> {
    let reports = producer.context();
    let Reports {
        outstanding, state, ..
    } = &**reports;
    let number = outstanding.add(delivery);
    let record = BaseRecord {
        topic: message.topic(),
        partition: None,
        payload: Some(message.payload()),
        key: message.key(),
        timestamp: Some(message.created_milliseconds()),
        headers: headers(message),
        delivery_opaque: number,
    };
    producer.send(record).map_err(|(error, _)| {
        // librdkafka reports only messages that it accepted, so the callback is still here.
        outstanding.take(number);
        if error_code(&error) == Some(ErrorCode::Fatal) {
            reports.note_fatal_error();
        }
        match (state.broken(), error_code(&error)) {
            _ if state.is_closing() => closed(),
            (Some(failure), _) => failure.clone(),
            (None, Some(code)) => state.message_failure(code, message.topic()),
            (None, None) => failure_of(&error, message.topic()),
        }
    })
}

/// Makes librdkafka report messages instead of trying them further, without waiting for its
/// threads.
fn purge(producer: &Producer, what: PurgeConfig) {
    producer.purge(what.non_blocking());
}

/// Polls reports until the producer is closed and all reports have come.
fn poll_reports(producer: &Producer, mut tokens: Option<TokenKeeper>) {
    let reports = producer.context();
    let mut broken_since = None;
    loop {
        if let Some(tokens) = &mut tokens
            && !reports.state.is_closing()
            && let Err(problem) = tokens.keep(producer.client())
        {
            let state = &reports.state;
            state.on_unreachable(ErrorCode::Authentication, &problem);
        }
        if reports.state.is_closing() {
            if reports.outstanding.is_empty() {
                return;
            }
            // Repeated in each round: a message that librdkafka moves between two of its queues is
            // missed by a single purge.
            purge(producer, PurgeConfig::default().queue().inflight());
            producer.poll(CLOSING_POLL_INTERVAL);
        } else if reports.state.broken().is_some() && !reports.outstanding.is_empty() {
            let since = *broken_since.get_or_insert_with(Instant::now);
            let what = PurgeConfig::default().queue();
            purge(
                producer,
                if since.elapsed() < FINAL_ACK_TIMEOUT {
                    what
                } else {
                    what.inflight()
                },
            );
            producer.poll(CLOSING_POLL_INTERVAL);
        } else {
            producer.poll(POLL_INTERVAL);
        }
    }
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

/// Context of a producer: receives librdkafka's logs, errors and delivery reports.
pub(super) struct Reports {
    outstanding: Arc<Outstanding>,
    state: Arc<ConnectionState>,
    refused: RefusedBatchTopics,
    batch_mode: BatchMode,
    /// Producer, to ask it for the fatal error: the error of the callback does not contain it.
    producer: OnceLock<Weak<Producer>>,
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.state.log.line(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        tracing::debug!(
            target: "herald::kafka::statistics",
            "{}",
            String::from_utf8_lossy(statistics)
        );
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note_fatal_error();
        if let (None, Some(code)) = (self.state.broken(), error_code(&error)) {
            self.state.on_error(code, reason);
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
                self.state.on_success();
                let (partition, offset) = (message.partition(), message.offset());
                if offset < 0 {
                    Err(unconfirmed(message.topic(), partition))
                } else {
                    Ok(RecordMetadata { partition, offset })
                }
            }
            Err((error, message)) => Err(self.classify_failure(error, message.topic())),
        };
        delivery.on_delivery(outcome);
    }
}

/// Returns the failure of a success without an offset. librdkafka reports one for a batch that the
/// broker calls a duplicate, and infers one when a later message of the partition was acknowledged, because a broker accepts the sequence numbers of a producer only
/// in order. But a broker that does not know the producer id yet accepts any first sequence number:
/// if it refuses the first batch, because its partition is just coming up, and accepts the second,
/// the first was never written.
fn unconfirmed(topic: &str, partition: i32) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::Unconfirmed,
        format!("{topic}: partition {partition} acknowledged a later message, but not this one"),
    )
}

impl Reports {
    /// Checks whether a message to this topic may be sent: see [`ConnectionState::check`].
    pub(super) fn check(&self, topic: &str) -> Result<(), Failure> {
        self.state.check(topic)
    }

    /// Marks the connection as broken if librdkafka met a fatal error. Its code `Fatal` does not say
    /// which, and the error callback, which could, may run later than a report or a refused send.
    fn note_fatal_error(&self) {
        let producer = self.producer.get().and_then(Weak::upgrade);
        if let Some((cause, text)) = producer.and_then(|it| it.client().fatal_error()) {
            self.state.on_fatal_error(code(cause), &text);
        }
    }

    /// Classifies the failure of a message. The shared state is updated before the report, because
    /// the report may lead to a new connection.
    fn classify_failure(&self, error: &KafkaError, topic: &str) -> Failure {
        let code = error_code(error).unwrap_or(ErrorCode::Fail);
        if code == ErrorCode::Fatal {
            self.note_fatal_error();
            if let Some(broken) = self.state.broken() {
                return broken.clone();
            }
        }
        // A topic that is denied loses its partitions in librdkafka, and messages in their queues
        // are reported with that.
        let code = match self.state.rejected_topics.get(topic) {
            Some(verdict) if code == ErrorCode::UnknownPartition => verdict,
            _ => code,
        };
        let failure = self.state.message_failure(code, topic);
        let broken = self.state.broken();
        if is_topic_verdict(code) {
            self.state.rejected_topics.insert(topic, code);
        }
        match (failure.kind, self.batch_mode) {
            // After a fatal error, librdkafka purges its queues as it does when it closes.
            (FailureKind::Abandoned, _) => {
                return match broken {
                    Some(broken) if !self.state.is_closing() => broken.clone(),
                    _ => failure,
                };
            }
            // `delivery_timeout` has passed.
            _ if code == ErrorCode::MessageTimedOut => return failure,
            (FailureKind::Permanent, BatchMode::Single) => return failure,
            (_, BatchMode::Batched | BatchMode::Limited) if is_batch_verdict(code) => {
                self.refused.insert(topic);
                let failure = classify::failure(ErrorCode::InvalidDifferentRecord, &failure.detail);
                self.state.fail_fatally(failure.clone());
                return failure;
            }
            (FailureKind::Permanent, BatchMode::Batched | BatchMode::Limited) => {
                // Otherwise librdkafka found the error before it sent a batch.
                if broken.is_some() {
                    self.refused.insert(topic);
                }
                return failure;
            }
            _ => {}
        }
        self.state.fail_fatally(failure.clone());
        failure
    }
}
