//! Connection to the cluster in memory, and the thread that writes and reports its messages.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::queue::{Queue, QueueState, Reports, Sent, broken, closed};
use super::{Health, Shared, State};
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::transport::{ConnectionListener, DeliveryCallback, Transport};

/// Maximum wait, so that times can be added without overflow.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Maximum time to drop a connection that was not closed.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct Connection {
    shared: Arc<Shared>,
    number: u64,
    delivery_timeout: Option<Duration>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Connection {
    pub(super) fn open(
        shared: Arc<Shared>,
        listener: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Self, Failure> {
        let mut state = lock(&shared.state);
        let number = state.next_connection;
        state.next_connection += 1;
        let mut queue = Queue::default();
        if state.health == Health::Stopped {
            queue.stopped();
        }
        state.connections.insert(number, queue);
        drop(state);
        let worker = Worker {
            shared: shared.clone(),
            number,
            listener,
        };
        let thread = thread::Builder::new()
            .name("herald-memory".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| {
                Failure::new(
                    FailureKind::Retriable,
                    FailureCode::NoThread,
                    format!("no thread for the cluster in memory: {error}"),
                )
            })?;
        Ok(Self {
            shared,
            number,
            delivery_timeout,
            thread: Mutex::new(Some(thread)),
        })
    }
}

impl Transport for Connection {
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure> {
        let mut state = lock(&self.shared.state);
        state.queue(self.number)?.check()?;
        if let Some(failure) = state.next_full() {
            return Err(failure);
        }
        state.queue(self.number)?.push(Sent {
            message: message.clone(),
            delivery,
            due: self
                .delivery_timeout
                .map(|delivery_timeout| Instant::now() + delivery_timeout.min(MAX_WAIT)),
        })?;
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn probe(&self, _: Duration) -> Result<(), Failure> {
        let mut state = lock(&self.shared.state);
        state.queue(self.number)?.check()?;
        match state.health {
            Health::Up => Ok(()),
            Health::Stopped => Err(stopped()),
            Health::Paused => Err(timed_out("the cluster in memory")),
        }
    }

    fn cluster_id(&self, timeout: Duration) -> Result<Option<String>, Failure> {
        self.probe(timeout)?;
        Ok(Some(lock(&self.shared.state).cluster_id.clone()))
    }

    fn close(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout.min(MAX_WAIT);
        let thread = lock(&self.thread).take();
        let mut state = lock(&self.shared.state);
        if let Ok(queue) = state.queue(self.number) {
            queue.close();
        }
        self.shared.changed.notify_all();
        // Called from a report, on the connection's own thread, it would wait for itself.
        if thread.is_some_and(|thread| thread.thread().id() == thread::current().id()) {
            return;
        }
        while state.queue(self.number).is_ok_and(|queue| !queue.ended) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.wait(state, Some(left));
        }
        // Some messages are left if a report takes long.
        let left = match state.connections.remove(&self.number) {
            Some(mut queue) => queue.fail_all(&abandoned()),
            None => Reports::new(),
        };
        drop(state);
        report(left);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close(DROP_TIMEOUT);
    }
}

impl State {
    fn queue(&mut self, number: u64) -> Result<&mut Queue, Failure> {
        self.connections.get_mut(&number).ok_or_else(closed)
    }
}

impl Shared {
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        let Some(timeout) = timeout else {
            return self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.changed
            .wait_timeout(state, timeout)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// Thread of a connection.
struct Worker {
    shared: Arc<Shared>,
    number: u64,
    listener: Arc<dyn ConnectionListener>,
}

/// Next step of the thread, without the lock.
enum Step {
    /// Calls these reports. If the last one is a retriable failure, fails the later messages of its
    /// key that were sent before the report returned.
    Report(Reports),
    ReportStopped,
    ReportBroken(Reports),
    End(Reports),
}

impl Worker {
    fn run(self) {
        loop {
            match self.next_step() {
                Step::ReportStopped => self.listener.on_unreachable(stopped()),
                Step::ReportBroken(reports) => {
                    self.listener.on_fatal(broken());
                    report(reports);
                }
                Step::Report(reports) => {
                    report(reports);
                    self.fail_later_of_key();
                }
                Step::End(reports) => {
                    report(reports);
                    break;
                }
            }
        }
        if let Ok(queue) = lock(&self.shared.state).queue(self.number) {
            queue.ended = true;
        }
        self.shared.changed.notify_all();
    }

    /// Waits for something to do.
    fn next_step(&self) -> Step {
        let mut state = lock(&self.shared.state);
        let mut arrival = None;
        loop {
            let (health, delay) = (state.health, state.delay);
            let Ok(queue) = state.queue(self.number) else {
                return Step::End(Reports::new());
            };
            match queue.state() {
                QueueState::Closed => return Step::End(queue.fail_all(&abandoned())),
                QueueState::Broken if queue.take_unreported_break() => {
                    return Step::ReportBroken(queue.fail_all(&broken()));
                }
                QueueState::Broken => {
                    state = self.shared.wait(state, None);
                    continue;
                }
                QueueState::Open => {}
            }
            if queue.take_unreported_stop() && health == Health::Stopped {
                return Step::ReportStopped;
            }
            let now = Instant::now();
            let due = queue.due();
            if due.is_some_and(|due| due <= now)
                && let Some(sent) = queue.pop()
            {
                let failure = timed_out(sent.message.topic());
                queue.fails(Box::new(sent.message));
                return Step::Report(vec![(sent.delivery, Err(failure))]);
            }
            let mut next = due;
            if health == Health::Up && queue.len() > 0 {
                let arrival = *arrival.get_or_insert(now + delay);
                if arrival <= now {
                    return write_waiting(&mut state, self.number);
                }
                next = Some(next.map_or(arrival, |next| next.min(arrival)));
            }
            let left = next.map(|next| next.saturating_duration_since(now));
            state = self.shared.wait(state, left);
        }
    }

    /// Fails the messages that were sent after a failed one of the same key, up to now.
    fn fail_later_of_key(&self) {
        let behind = match lock(&self.shared.state).queue(self.number) {
            Ok(queue) => queue.take_later_of_key(),
            Err(_) => return,
        };
        for sent in behind {
            let topic = sent.message.topic();
            sent.delivery.on_delivery(Err(Failure::new(
                FailureKind::Retriable,
                FailureCode::BehindFailed,
                format!("{topic}: an earlier message of the key failed"),
            )));
        }
    }
}

/// Writes waiting messages up to the first failure that affects other messages.
fn write_waiting(state: &mut State, number: u64) -> Step {
    let mut reports = Reports::new();
    while let Some(sent) = state.queue(number).ok().and_then(Queue::pop) {
        let outcome = state.write(&sent.message);
        let kind = outcome.as_ref().err().map(|failure| failure.kind);
        reports.push((sent.delivery, outcome));
        match kind {
            None | Some(FailureKind::Permanent) => {}
            Some(FailureKind::Fatal) => {
                if let Ok(queue) = state.queue(number) {
                    queue.break_connection();
                }
                return Step::Report(reports);
            }
            Some(_) => {
                if let Ok(queue) = state.queue(number) {
                    queue.fails(Box::new(sent.message));
                }
                return Step::Report(reports);
            }
        }
    }
    Step::Report(reports)
}

fn report(reports: Reports) {
    for (delivery, outcome) in reports {
        delivery.on_delivery(outcome);
    }
}

fn abandoned() -> Failure {
    Failure::new(
        FailureKind::Abandoned,
        FailureCode::Abandoned,
        "the connection was closed before an acknowledgement came",
    )
}

fn stopped() -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::Unreachable,
        "the cluster in memory is stopped",
    )
}

fn timed_out(about: &str) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::TimedOut,
        format!("{about}: no answer came in time"),
    )
}
