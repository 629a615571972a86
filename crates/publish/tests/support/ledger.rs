//! Keeps the books over reports.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use herald_publish::{
    ConnectionListener, DeliveryCallback, Failure, Message, RecordMetadata, Transport,
};

use super::PATIENCE;

pub type Outcome = Result<RecordMetadata, Failure>;

/// Reports for each message, in the order of sending.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Books>);

#[derive(Default)]
struct Books {
    accounts: Mutex<Vec<Account>>,
    changed: Condvar,
}

#[derive(Clone, Default)]
struct Account {
    refused: Option<Failure>,
    reports: Vec<(Outcome, ThreadId)>,
}

struct Entry {
    books: Arc<Books>,
    number: usize,
}

impl DeliveryCallback for Entry {
    fn on_delivery(self: Arc<Self>, outcome: Outcome) {
        let thread = thread::current().id();
        self.books.accounts.lock().unwrap()[self.number]
            .reports
            .push((outcome, thread));
        self.books.changed.notify_all();
    }
}

impl Ledger {
    /// Sends a message and gives its number.
    pub fn send(&self, transport: &dyn Transport, message: &Message) -> usize {
        let number = {
            let mut accounts = self.accounts();
            accounts.push(Account::default());
            accounts.len() - 1
        };
        let entry = Entry {
            books: self.0.clone(),
            number,
        };
        if let Err(failure) = transport.send(message, Arc::new(entry)) {
            self.accounts()[number].refused = Some(failure);
            self.0.changed.notify_all();
        }
        number
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Account>> {
        self.0.accounts.lock().unwrap()
    }

    /// Whether the transport did not take a message.
    pub fn is_refused(&self, number: usize) -> bool {
        self.accounts()[number].refused.is_some()
    }

    /// Number of messages that were refused or reported.
    pub fn settled(&self) -> usize {
        let accounts = self.accounts();
        accounts
            .iter()
            .filter(|account| is_settled(account))
            .count()
    }

    /// Waits until all messages so far are refused or reported.
    #[track_caller]
    pub fn wait(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut accounts = self.accounts();
        while !accounts.iter().all(is_settled) {
            let left = deadline.saturating_duration_since(Instant::now());
            let open = accounts.iter().filter(|account| !is_settled(account));
            assert!(!left.is_zero(), "{} messages got no report", open.count());
            accounts = self.0.changed.wait_timeout(accounts, left).unwrap().0;
        }
    }

    /// Outcome of each message. Each has exactly one report, or was not taken.
    #[track_caller]
    pub fn outcomes(&self) -> Vec<Outcome> {
        let accounts = self.accounts();
        let outcome = |(number, account): (usize, &Account)| match (
            &account.refused,
            account.reports.as_slice(),
        ) {
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
        accounts.iter().enumerate().map(outcome).collect()
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
        let accounts = self.accounts();
        let reports = accounts.iter().flat_map(|account| &account.reports);
        reports.map(|(_, thread)| *thread).collect()
    }
}

fn is_settled(account: &Account) -> bool {
    account.refused.is_some() || !account.reports.is_empty()
}

/// Notifications that a listener received.
#[derive(Default)]
pub struct Heard {
    news: Mutex<News>,
    changed: Condvar,
}

#[derive(Default)]
struct News {
    unreachable: Vec<Failure>,
    fatal: Vec<Failure>,
}

impl ConnectionListener for Heard {
    fn on_unreachable(&self, failure: Failure) {
        self.news.lock().unwrap().unreachable.push(failure);
        self.changed.notify_all();
    }

    fn on_fatal(&self, failure: Failure) {
        self.news.lock().unwrap().fatal.push(failure);
        self.changed.notify_all();
    }
}

impl Heard {
    /// Waits until the watch hears that the cluster is away.
    #[track_caller]
    pub fn unreachable(&self) -> Failure {
        self.wait(|news| news.unreachable.last().cloned())
    }

    /// Waits until the watch hears that the cluster is away for this reason.
    #[track_caller]
    pub fn unreachable_with(&self, code: &str) {
        self.wait(|news| {
            let mut failures = news.unreachable.iter();
            failures
                .find(|failure| failure.code.as_str() == code)
                .cloned()
        });
    }

    /// Waits until the watch hears that the connection is broken.
    #[track_caller]
    pub fn fatal(&self) -> Failure {
        self.wait(|news| news.fatal.last().cloned())
    }

    /// Number of notifications that the connection is broken, so far.
    pub fn fatal_count(&self) -> usize {
        self.news.lock().unwrap().fatal.len()
    }

    #[track_caller]
    fn wait(&self, what: impl Fn(&News) -> Option<Failure>) -> Failure {
        let deadline = Instant::now() + PATIENCE;
        let mut news = self.news.lock().unwrap();
        loop {
            if let Some(failure) = what(&news) {
                return failure;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(left > Duration::ZERO, "nobody told the watch");
            news = self.changed.wait_timeout(news, left).unwrap().0;
        }
    }
}
