//! Threads that publish.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use herald_publish::{Mode, Pending, Publisher};

use crate::event::Event;
use crate::ledger::{Ledger, Outcome};

/// So long that only what hangs gets there.
pub const LONG: Duration = Duration::from_secs(120);

/// Events to publish, and their rate.
#[derive(Clone)]
pub struct Load {
    pub topic: String,
    pub threads: u32,
    pub keys_per_thread: u32,
    /// Number of the first event of each thread.
    pub first_number: u64,
    /// Events of each thread after which it ends by itself.
    pub events_per_thread: u64,
    /// Number of receipts that a thread leaves open when it goes on to the next event.
    pub open: usize,
    /// Pause of a thread after each event.
    pub pause: Duration,
    /// Bytes of an event beside the envelope's own.
    pub note_bytes: usize,
}

/// Progress of the threads.
#[derive(Default)]
pub struct Progress {
    delivered: AtomicU64,
    spooled: AtomicU64,
    others: AtomicU64,
    ended: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    /// About 1,500 events a second, from two threads with five keys each.
    pub fn gentle(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            threads: 2,
            keys_per_thread: 5,
            first_number: 1,
            events_per_thread: u64::MAX,
            open: 500,
            pause: Duration::from_millis(1),
            note_bytes: 200,
        }
    }

    pub fn starting_at(self, first_number: u64) -> Self {
        Self {
            first_number,
            ..self
        }
    }

    /// So many events in all, as fast as they go.
    pub fn burst(topic: &str, events: u64) -> Self {
        let gentle = Self::gentle(topic);
        Self {
            events_per_thread: events / u64::from(gentle.threads),
            pause: Duration::ZERO,
            ..gentle
        }
    }

    /// Publishes while `faults` run, and waits for all receipts.
    pub fn during(&self, publisher: &Publisher, faults: impl FnOnce(&Progress)) -> Ledger {
        self.during_with_callback(publisher, |_, _| (), faults)
    }

    /// Publishes as many events as were asked for.
    pub fn run(&self, publisher: &Publisher) -> Ledger {
        self.run_with_callback(publisher, |_, _| ())
    }

    /// Runs the load with a callback for each outcome.
    pub fn run_with_callback(
        &self,
        publisher: &Publisher,
        callback: impl Fn(Event, &Outcome) + Sync,
    ) -> Ledger {
        assert_ne!(self.events_per_thread, u64::MAX, "this would never end");
        let threads = u64::from(self.threads);
        self.during_with_callback(publisher, callback, |progress| {
            while progress.ended.load(Ordering::Relaxed) < threads {
                thread::sleep(Duration::from_millis(5));
            }
        })
    }

    /// Runs [`Load::during`] with a callback for each outcome.
    pub fn during_with_callback(
        &self,
        publisher: &Publisher,
        callback: impl Fn(Event, &Outcome) + Sync,
        faults: impl FnOnce(&Progress),
    ) -> Ledger {
        let progress = Progress::default();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|number| {
                    let (callback, progress) = (&callback, &progress);
                    scope.spawn(move || self.publish(publisher, number, callback, progress))
                })
                .collect();
            {
                let _stop = StopAtEnd(&progress);
                faults(&progress);
            }
            let mut all = Ledger::default();
            for thread in threads {
                all.append(thread.join().expect("a publishing thread ends well"));
            }
            all
        })
    }

    fn publish(
        &self,
        publisher: &Publisher,
        thread: u32,
        callback: &impl Fn(Event, &Outcome),
        progress: &Progress,
    ) -> Ledger {
        let _ended = CountAtEnd(&progress.ended);
        let mut ledger = Ledger::default();
        let mut note = |event: Event, outcome: Outcome| {
            progress.count(&outcome);
            callback(event, &outcome);
            ledger.note(event, outcome);
        };
        let mut longest_wait = Duration::ZERO;
        let mut open: VecDeque<(Event, Instant, Pending)> = VecDeque::new();
        for number in (self.first_number..).take(usize::try_from(self.events_per_thread).unwrap()) {
            if progress.stop.load(Ordering::Relaxed) {
                break;
            }
            let key = u32::try_from(number % u64::from(self.keys_per_thread)).unwrap();
            let event = Event {
                key: thread * self.keys_per_thread + key,
                number,
            };
            let began = Instant::now();
            match publisher.blocking_enqueue(event.message(&self.topic, self.note_bytes)) {
                Ok(pending) => open.push_back((event, began, pending)),
                Err(error) => note(event, Err(error).into()),
            }
            while let Some((event, began, pending)) = open.pop_front() {
                if open.len() < self.open && !pending.is_resolved() {
                    open.push_front((event, began, pending));
                    break;
                }
                note(event, outcome(pending));
                longest_wait = longest_wait.max(began.elapsed());
            }
            if !self.pause.is_zero() {
                thread::sleep(self.pause);
            }
        }
        for (event, began, pending) in open {
            note(event, outcome(pending));
            longest_wait = longest_wait.max(began.elapsed());
        }
        ledger.longest_wait = longest_wait;
        ledger
    }
}

fn outcome(pending: Pending) -> Outcome {
    pending
        .wait_timeout(LONG)
        .expect("a publish always ends")
        .into()
}

/// Ends the threads also when a case fails.
struct StopAtEnd<'a>(&'a Progress);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

struct CountAtEnd<'a>(&'a AtomicU64);

impl Drop for CountAtEnd<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress {
    fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Delivered { .. } => &self.delivered,
            Outcome::Spooled => &self.spooled,
            Outcome::Dead | Outcome::Failed(_) => &self.others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for so many more receipts of Kafka.
    pub fn wait_for_delivered(&self, more: u64) {
        wait_for_more("delivered", more, || self.delivered.load(Ordering::Relaxed));
    }

    /// Waits for so many more receipts of the spool.
    pub fn wait_for_spooled(&self, more: u64) {
        wait_for_more("spooled", more, || self.spooled.load(Ordering::Relaxed));
    }

    /// Waits for so many more receipts of the kind that the mode gives while Kafka is there; in
    /// write-ahead that is the first of both.
    pub fn wait_for_usual(&self, mode: Mode, events: u64) {
        match mode {
            Mode::Direct => self.wait_for_delivered(events),
            Mode::WriteAhead => self.wait_for_receipts(events),
        }
    }

    /// Waits for so many more receipts.
    pub fn wait_for_receipts(&self, more: u64) {
        wait_for_more("safe", more, || {
            self.delivered.load(Ordering::Relaxed) + self.spooled.load(Ordering::Relaxed)
        });
    }

    /// Waits for so many more events that got no receipt.
    pub fn wait_for_others(&self, more: u64) {
        wait_for_more("refused", more, || self.others.load(Ordering::Relaxed));
    }
}

#[track_caller]
fn wait_for_more(what: &str, more: u64, count: impl Fn() -> u64) {
    let wanted = count() + more;
    eventually(&format!("{wanted} events {what}"), || count() >= wanted);
}

#[track_caller]
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LONG, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
