//! Simulated cluster: the simulation decides when it writes and acknowledges, key by key.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::transport::{
    ConnectionListener, Connector, DeliveryCallback, LimitsAnswered, RecordMetadata, Transport,
};

/// Event that is stored on the cluster, or sent to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Event {
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) number: u64,
}

impl Event {
    pub(super) fn of(message: &Message) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            topic: message.topic().to_owned(),
            key: message.key().map(text).unwrap_or_default(),
            number: text(message.payload()).parse().unwrap(),
        }
    }

    fn is_of_key(&self, other: &Self) -> bool {
        (&self.topic, &self.key) == (&other.topic, &other.key)
    }
}

struct Sent {
    event: Event,
    delivery: Arc<dyn DeliveryCallback>,
    is_written: bool,
    /// Whether an earlier event of its key failed: then this one fails too, and is never written.
    is_failing: bool,
}

#[derive(Default)]
struct State {
    /// In the order of writing.
    log: Vec<Event>,
    is_up: bool,
    /// Topic that rejects all events.
    refuses: bool,
    /// Messages in flight on the open connection, in the order of sending.
    sent: VecDeque<Sent>,
    /// Messages with more to follow since the last flush: nothing is written while there are some.
    held_back: usize,
    /// Questions for the limits of topics.
    asked: VecDeque<LimitsAnswered>,
    listener: Option<Arc<dyn ConnectionListener>>,
    /// Number of the current connection; sends over an older one fail.
    connection: u64,
    is_broken: bool,
}

#[derive(Clone)]
pub(super) struct Cluster(Arc<Mutex<State>>);

struct Connection {
    cluster: Cluster,
    number: u64,
}

pub(super) const REFUSING_TOPIC: &str = "refusing";

fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, FailureCode::KafkaError, "simulated")
}

impl Cluster {
    pub(super) fn new() -> Self {
        let state = State {
            is_up: true,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.0)
    }

    pub(super) fn log(&self) -> Vec<Event> {
        self.state().log.clone()
    }

    pub(super) fn in_transit(&self) -> usize {
        self.state().sent.len()
    }

    pub(super) fn is_up(&self) -> bool {
        self.state().is_up
    }

    pub(super) fn start(&self) {
        self.state().is_up = true;
    }

    /// Makes all brokers unreachable.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.is_up = false;
        let listener = state.listener.clone();
        drop(state);
        if let Some(listener) = listener {
            listener.on_unreachable(failure(FailureKind::Retriable));
        }
    }

    /// Answers a question for the limits of a topic.
    pub(super) fn answer_limits(&self) {
        let mut state = self.state();
        if !state.is_up {
            return;
        }
        let answered = state.asked.pop_front();
        drop(state);
        if let Some(answered) = answered {
            answered();
        }
    }

    /// Makes a topic reject all events, or accept them again.
    pub(super) fn refuse(&self, refuses: bool) {
        self.state().refuses = refuses;
    }

    /// Writes the next message of the key of the message at this index. If its topic rejects it, reports
    /// that.
    pub(super) fn write(&self, place: usize) {
        let mut state = self.state();
        if !state.is_up || state.sent.is_empty() || state.held_back > 0 {
            return;
        }
        let place = place % state.sent.len();
        let event = state.sent[place].event.clone();
        let next = state
            .sent
            .iter()
            .position(|sent| sent.event.is_of_key(&event) && !sent.is_written && !sent.is_failing);
        let Some(next) = next else { return };
        if state.refuses && event.topic == REFUSING_TOPIC {
            let sent = state.sent.remove(next).unwrap();
            drop(state);
            return sent
                .delivery
                .on_delivery(Err(failure(FailureKind::Permanent)));
        }
        let written = state.sent[next].event.clone();
        show!("write {written:?}");
        state.sent[next].is_written = true;
        state.log.push(written);
    }

    /// Reports a message that was written, the first of its key.
    pub(super) fn acknowledge(&self, place: usize) {
        let mut state = self.state();
        if !state.is_up || state.sent.is_empty() {
            return;
        }
        let place = place % state.sent.len();
        let event = state.sent[place].event.clone();
        let first = state
            .sent
            .iter()
            .position(|sent| sent.event.is_of_key(&event));
        let Some(first) = first.filter(|first| state.sent[*first].is_written) else {
            return;
        };
        let sent = state.sent.remove(first).unwrap();
        show!("acknowledge {:?}", sent.event);
        let offset = i64::try_from(state.log.len()).unwrap();
        drop(state);
        sent.delivery.on_delivery(Ok(RecordMetadata {
            partition: 0,
            offset,
        }));
    }

    /// Fails the first message of a key, whether written or not. Messages of the key that were sent
    /// before its report returned fail too, in later steps.
    pub(super) fn fail(&self, place: usize) {
        let mut state = self.state();
        if state.sent.is_empty() {
            return;
        }
        let place = place % state.sent.len();
        let event = state.sent[place].event.clone();
        let first = state
            .sent
            .iter()
            .position(|sent| sent.event.is_of_key(&event))
            .unwrap();
        let sent = state.sent.remove(first).unwrap();
        drop(state);
        show!("fail {:?}", sent.event);
        self.mark_failing(&event);
        sent.delivery
            .on_delivery(Err(failure(FailureKind::Retriable)));
        self.mark_failing(&event);
    }

    fn mark_failing(&self, event: &Event) {
        for sent in &mut self.state().sent {
            sent.is_failing |= sent.event.is_of_key(event);
        }
    }

    /// Reports one message that fails behind an earlier one of its key.
    pub(super) fn fail_behind(&self) -> bool {
        let mut state = self.state();
        let Some(first) = state.sent.iter().position(|sent| sent.is_failing) else {
            return false;
        };
        let sent = state.sent.remove(first).unwrap();
        drop(state);
        sent.delivery
            .on_delivery(Err(failure(FailureKind::Retriable)));
        true
    }

    /// Breaks the connection for good. Written messages stay written.
    pub(super) fn break_connection(&self) {
        let mut state = self.state();
        if state.is_broken {
            return;
        }
        show!("break the connection");
        state.is_broken = true;
        let listener = state.listener.clone();
        let sent = std::mem::take(&mut state.sent);
        let asked = std::mem::take(&mut state.asked);
        drop(state);
        if let Some(listener) = listener {
            listener.on_fatal(failure(FailureKind::Fatal));
        }
        for answered in asked {
            answered();
        }
        for sent in sent {
            sent.delivery.on_delivery(Err(failure(FailureKind::Fatal)));
        }
    }

    /// Drops the connection of a killed process, without reports.
    pub(super) fn forget_client(&self) {
        let mut state = self.state();
        state.sent.clear();
        state.asked.clear();
        state.listener = None;
        state.connection += 1;
    }

    /// Returns the topics and keys with an event in flight.
    pub(super) fn keys_in_transit(&self) -> usize {
        let state = self.state();
        let keys: HashSet<_> = state
            .sent
            .iter()
            .map(|sent| (&sent.event.topic, &sent.event.key))
            .collect();
        keys.len()
    }
}

impl Connector for Cluster {
    fn connect(
        &self,
        listener: Arc<dyn ConnectionListener>,
        _: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure> {
        let mut state = self.state();
        state.connection += 1;
        state.is_broken = false;
        state.held_back = 0;
        state.listener = Some(listener);
        Ok(Arc::new(Connection {
            cluster: self.clone(),
            number: state.connection,
        }))
    }

    fn describe(&self) -> String {
        "a simulated cluster".to_owned()
    }
}

impl Connection {
    fn push(
        &self,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
        has_more: bool,
    ) -> Result<(), Failure> {
        let mut state = self.cluster.state();
        if state.is_broken || state.connection != self.number {
            return Err(failure(FailureKind::Fatal));
        }
        let event = Event::of(message);
        show!("send {event:?}");
        state.sent.push_back(Sent {
            event,
            delivery,
            is_written: false,
            is_failing: false,
        });
        state.held_back += usize::from(has_more);
        Ok(())
    }
}

impl Transport for Connection {
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure> {
        self.push(message, delivery, false)
    }

    fn send_with_more(
        &self,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Result<(), Failure> {
        self.push(message, delivery, true)
    }

    fn flush(&self) {
        let mut state = self.cluster.state();
        if state.connection == self.number {
            state.held_back = 0;
        }
    }

    fn ask_limits(&self, topic: &str, answered: LimitsAnswered) -> bool {
        let mut state = self.cluster.state();
        if state.is_broken || state.connection != self.number {
            return false;
        }
        show!("ask for the limits of {topic}");
        state.asked.push_back(answered);
        true
    }

    fn probe(&self, _: Duration) -> Result<(), Failure> {
        if self.cluster.is_up() {
            Ok(())
        } else {
            Err(failure(FailureKind::Retriable))
        }
    }

    fn close(&self, _: Duration) {
        let mut state = self.cluster.state();
        if state.connection != self.number {
            return;
        }
        let sent = std::mem::take(&mut state.sent);
        let asked = std::mem::take(&mut state.asked);
        state.connection += 1;
        drop(state);
        for answered in asked {
            answered();
        }
        for sent in sent {
            sent.delivery
                .on_delivery(Err(failure(FailureKind::Abandoned)));
        }
    }
}
