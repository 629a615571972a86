//! Receipts of publishers, compared with the delivered events.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io::Write;
use std::time::Duration;

use herald_envelope::Uuid;
use herald_publish::{PublishError, Receipt};

use crate::event::Event;

/// Outcome of each event that was published. Events without an outcome, because their process was
/// killed, are missing: nothing was promised about them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    outcomes: BTreeMap<Event, Outcome>,
    /// Longest time between a publish and its outcome.
    pub longest_wait: Duration,
}

/// Result of a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Kafka has it at this partition and offset.
    Delivered { partition: i32, offset: i64 },
    /// The spool has it.
    Spooled,
    /// Kafka rejected it, and it is a dead letter.
    Dead,
    /// The publish failed with this code.
    Failed(String),
}

impl From<Result<Receipt, PublishError>> for Outcome {
    fn from(outcome: Result<Receipt, PublishError>) -> Self {
        match outcome {
            Ok(Receipt::Delivered {
                partition, offset, ..
            }) => Self::Delivered { partition, offset },
            Ok(Receipt::Spooled { .. }) => Self::Spooled,
            Err(PublishError::Rejected {
                dead_letter: Some(_),
                ..
            }) => Self::Dead,
            Err(error) => Self::Failed(error.code().as_str().to_owned()),
        }
    }
}

/// An event as it lies on Kafka.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub event: Event,
    pub id: Uuid,
    pub partition: i32,
    pub offset: i64,
}

/// Places where events were found.
#[derive(Debug, Default)]
pub struct Found {
    /// On the topic: each partition in its order.
    pub on_topic: Vec<Seen>,
    /// On the topic for dead letters.
    pub on_dead_letter_topic: BTreeSet<Event>,
    /// In the queue of the spool, in its order.
    pub queued: Vec<Event>,
    /// Among the dead letters of the spool.
    pub dead: BTreeSet<Event>,
    /// Dead letters of the spool that can't be read any more, and rows that the spool has said
    /// it lost.
    pub declared_lost: u64,
}

/// Result of the comparison.
#[derive(Debug, Default)]
pub struct Account {
    pub events: usize,
    pub delivered: usize,
    pub spooled: usize,
    pub dead: usize,
    pub failed: BTreeMap<String, usize>,
    /// Copies on the topic beyond the first.
    pub duplicates: usize,
    pub queued: usize,
    pub declared_lost: u64,
    /// Events with a receipt that are nowhere.
    pub lost: Vec<Event>,
    /// Events that came behind a later one of their key.
    pub out_of_order: Vec<Event>,
    /// Receipts that name a place where the event does not lie, and copies of an event under
    /// another id.
    pub false_receipts: Vec<Event>,
    /// Longest time between a publish and its outcome, of publishers that were not killed.
    pub longest_wait: Duration,
}

impl Ledger {
    pub fn note(&mut self, event: Event, outcome: Outcome) {
        let before = self.outcomes.insert(event, outcome);
        assert_eq!(before, None, "{event:?} was published twice");
    }

    pub fn append(&mut self, other: Self) {
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        for (event, outcome) in other.outcomes {
            self.note(event, outcome);
        }
    }

    pub fn count(&self, which: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes
            .values()
            .filter(|outcome| which(outcome))
            .count()
    }

    /// Compares the outcomes with the events that were found.
    pub fn settle(&self, found: &Found) -> Account {
        let mut account = Account {
            events: self.outcomes.len(),
            queued: found.queued.len(),
            declared_lost: found.declared_lost,
            longest_wait: self.longest_wait,
            ..Account::default()
        };
        let mut first: HashMap<Event, &Seen> = HashMap::new();
        let mut order: HashMap<u32, u64> = HashMap::new();
        let mut partitions: HashMap<u32, i32> = HashMap::new();
        let mut comes = |event: Event, account: &mut Account| {
            let last = order.entry(event.key).or_default();
            if event.number < *last {
                account.out_of_order.push(event);
            }
            *last = event.number.max(*last);
        };
        for seen in &found.on_topic {
            let partition = *partitions.entry(seen.event.key).or_insert(seen.partition);
            assert_eq!(partition, seen.partition, "a key has one partition");
            if let Some(earlier) = first.get(&seen.event) {
                account.duplicates += 1;
                if earlier.id != seen.id {
                    account.false_receipts.push(seen.event);
                }
            } else {
                first.insert(seen.event, seen);
                comes(seen.event, &mut account);
            }
        }
        let mut queued = BTreeSet::new();
        for event in &found.queued {
            // What is on the topic too is a row that was not removed yet.
            if queued.insert(*event) && !first.contains_key(event) {
                comes(*event, &mut account);
            }
        }
        let places: BTreeMap<(i32, i64), Event> = found
            .on_topic
            .iter()
            .map(|seen| ((seen.partition, seen.offset), seen.event))
            .collect();
        for (event, outcome) in &self.outcomes {
            let on_topic = first.contains_key(event);
            let is_dead = found.on_dead_letter_topic.contains(event) || found.dead.contains(event);
            let is_kept = match outcome {
                Outcome::Delivered { partition, offset } => {
                    account.delivered += 1;
                    let place = places.get(&(*partition, *offset));
                    if place != Some(event) {
                        account.false_receipts.push(*event);
                    }
                    on_topic
                }
                Outcome::Spooled => {
                    account.spooled += 1;
                    on_topic || queued.contains(event) || is_dead
                }
                Outcome::Dead => {
                    account.dead += 1;
                    on_topic || queued.contains(event) || is_dead
                }
                Outcome::Failed(code) => {
                    *account.failed.entry(code.clone()).or_default() += 1;
                    true
                }
            };
            if !is_kept {
                account.lost.push(*event);
            }
        }
        account
    }
}

impl Account {
    /// Prints the result, even if the output of tests is captured.
    pub fn show(&self, case: &str) {
        let _ = writeln!(std::io::stderr(), "fault: {case}: {self}");
    }

    /// All receipts are accounted for, and each key is in order.
    #[track_caller]
    pub fn assert_kept(&self) {
        assert!(self.events > 0, "nothing was published");
        let lost = self.lost.len() as u64;
        assert!(lost <= self.declared_lost, "lost: {}", some(&self.lost));
        let in_order = self.out_of_order.is_empty();
        assert!(in_order, "out of order: {}", some(&self.out_of_order));
        let true_ones = self.false_receipts.is_empty();
        assert!(true_ones, "false receipts: {}", some(&self.false_receipts));
    }

    /// No publish ended as an error, dead letters aside.
    #[track_caller]
    pub fn assert_no_errors(&self) {
        assert_eq!(self.failed, BTreeMap::new());
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: usize = self.failed.values().sum();
        write!(
            f,
            "{} events, {} delivered, {} spooled, {} dead, {errors} errors",
            self.events, self.delivered, self.spooled, self.dead
        )?;
        if errors > 0 {
            write!(f, " {:?}", self.failed)?;
        }
        write!(
            f,
            "; {} still queued, {} duplicates, {} lost, {} out of order",
            self.queued,
            self.duplicates,
            self.lost.len(),
            self.out_of_order.len(),
        )?;
        if self.declared_lost > 0 {
            write!(f, ", {} declared as damaged", self.declared_lost)?;
        }
        if !self.longest_wait.is_zero() {
            write!(f, "; longest wait {:.1?}", self.longest_wait)?;
        }
        Ok(())
    }
}

fn some(events: &[Event]) -> String {
    let first = &events[..events.len().min(10)];
    format!("{} events, first {first:?}", events.len())
}
