//! Records the delivery reports of a transport.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use herald_publish::{
    ConnectionListener, DeliveryCallback, Failure, Message, RecordMetadata, Transport,
};

use super::TEST_TIMEOUT;

pub type Outcome = Result<RecordMetadata, Failure>;

/// Reports for each message, in the order of sending.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Entries>);

#[derive(Default)]
struct Entries {
    messages: Mutex<Vec<Entry>>,
    changed: Condvar,
}

#[derive(Clone, Default)]
struct Entry {
    refused: Option<Failure>,
    reports: Vec<(Outcome, ThreadId)>,
}

struct EntryCallback {
    entries: Arc<Entries>,
    number: usize,
}

impl DeliveryCallback for EntryCallback {
    fn on_delivery(self: Arc<Self>, outcome: Outcome) {
        let thread = thread::current().id();
        self.entries.messages.lock().unwrap()[self.number]
            .reports
            .push((outcome, thread));
        self.entries.changed.notify_all();
    }
}

impl Ledger {
    /// Sends a message and gives its number.
    pub fn send(&self, transport: &dyn Transport, message: &Message) -> usize {
        self.send_by(|callback| transport.send(message, callback))
    }

    /// Sends a message that others follow; the caller flushes the transport behind them.
    pub fn send_with_more(&self, transport: &dyn Transport, message: &Message) -> usize {
        self.send_by(|callback| transport.send_with_more(message, callback))
    }

    fn send_by(
        &self,
        send: impl FnOnce(Arc<dyn DeliveryCallback>) -> Result<(), Failure>,
    ) -> usize {
        let number = {
            let mut messages = self.messages();
            messages.push(Entry::default());
            messages.len() - 1
        };
        let entry = EntryCallback {
            entries: self.0.clone(),
            number,
        };
        if let Err(failure) = send(Arc::new(entry)) {
            self.messages()[number].refused = Some(failure);
            self.0.changed.notify_all();
        }
        number
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.messages.lock().unwrap()
    }

    /// Whether the transport did not take a message.
    pub fn is_refused(&self, number: usize) -> bool {
        self.messages()[number].refused.is_some()
    }

    /// Number of messages that were refused or reported.
    pub fn settled(&self) -> usize {
        let messages = self.messages();
        messages.iter().filter(|entry| is_settled(entry)).count()
    }

    /// Waits until all messages so far are refused or reported.
    #[track_caller]
    pub fn wait(&self) {
        let deadline = Instant::now() + TEST_TIMEOUT;
        let mut messages = self.messages();
        let mut settled = 0;
        loop {
            // From where the last look ended: there may be a hundred thousand.
            settled += messages[settled..]
                .iter()
                .take_while(|entry| is_settled(entry))
                .count();
            if settled == messages.len() {
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let open = messages.iter().filter(|entry| !is_settled(entry));
            assert!(!left.is_zero(), "{} messages got no report", open.count());
            messages = self.0.changed.wait_timeout(messages, left).unwrap().0;
        }
    }

    /// Outcome of each message. Each has exactly one report, or was not taken.
    #[track_caller]
    pub fn outcomes(&self) -> Vec<Outcome> {
        let messages = self.messages();
        let outcome =
            |(number, entry): (usize, &Entry)| match (&entry.refused, entry.reports.as_slice()) {
                (Some(failure), []) => Err(failure.clone()),
                (None, [(outcome, _)]) => outcome.clone(),
                (refused, reports) => panic!(
                    "message {number} was {} and has {} reports",
                    if refused.is_some() {
                        "refused"
                    } else {
                        "taken"
                    },
                    reports.len()
                ),
            };
        messages.iter().enumerate().map(outcome).collect()
    }

    /// Waits, and gives the positions of all messages. None failed.
    #[track_caller]
    pub fn positions(&self) -> Vec<RecordMetadata> {
        self.wait();
        self.outcomes()
            .into_iter()
            .map(|outcome| outcome.expect("delivered"))
            .collect()
    }

    /// The threads that reported.
    pub fn threads(&self) -> Vec<ThreadId> {
        let messages = self.messages();
        let reports = messages.iter().flat_map(|entry| &entry.reports);
        reports.map(|(_, thread)| *thread).collect()
    }
}

fn is_settled(entry: &Entry) -> bool {
    entry.refused.is_some() || !entry.reports.is_empty()
}

/// Notifications that a listener received.
#[derive(Default)]
pub struct RecordingListener {
    notifications: Mutex<Notifications>,
    changed: Condvar,
}

#[derive(Default)]
struct Notifications {
    unreachable: Vec<Failure>,
    fatal: Vec<Failure>,
}

impl ConnectionListener for RecordingListener {
    fn on_unreachable(&self, failure: Failure) {
        self.notifications.lock().unwrap().unreachable.push(failure);
        self.changed.notify_all();
    }

    fn on_fatal(&self, failure: Failure) {
        self.notifications.lock().unwrap().fatal.push(failure);
        self.changed.notify_all();
    }
}

impl RecordingListener {
    /// Waits until the cluster is reported as unreachable.
    #[track_caller]
    pub fn unreachable(&self) -> Failure {
        self.wait(|notifications| notifications.unreachable.last().cloned())
    }

    /// Waits until the cluster is reported as unreachable for this reason.
    #[track_caller]
    pub fn unreachable_with(&self, code: &str) {
        self.wait(|notifications| {
            let mut failures = notifications.unreachable.iter();
            failures
                .find(|failure| failure.code.as_str() == code)
                .cloned()
        });
    }

    /// Waits until the connection is reported as broken.
    #[track_caller]
    pub fn fatal(&self) -> Failure {
        self.wait(|notifications| notifications.fatal.last().cloned())
    }

    /// Number of notifications that the connection is broken, so far.
    pub fn fatal_count(&self) -> usize {
        self.notifications.lock().unwrap().fatal.len()
    }

    #[track_caller]
    fn wait(&self, what: impl Fn(&Notifications) -> Option<Failure>) -> Failure {
        let deadline = Instant::now() + TEST_TIMEOUT;
        let mut notifications = self.notifications.lock().unwrap();
        loop {
            if let Some(failure) = what(&notifications) {
                return failure;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(left > Duration::ZERO, "no notification arrived");
            notifications = self.changed.wait_timeout(notifications, left).unwrap().0;
        }
    }
}
