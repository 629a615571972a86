//! Deterministic simulation of a publisher: one thread, a manual clock, and a cluster and a disk that
//! fail. The seed determines every choice, and a failing seed is printed. To repeat it with its steps,
//! or to try more seeds:
//!
//! ```text
//! HERALD_SEED=17 cargo test -p herald-publish --lib simulator -- --nocapture
//! HERALD_SEEDS=100000 cargo test -p herald-publish --lib simulator
//! ```
//!
//! The publisher is the real one: its core, and the relay one step at a time. A step is the work of a
//! thread between two waits, so interleavings within a step are not tried here; the tests with threads
//! in `tests/publisher` and `tests/faults` try those.

/// Prints a step when a single seed is repeated.
macro_rules! show {
    ($($text:tt)*) => {
        if crate::simulator::SHOWS.load(std::sync::atomic::Ordering::Relaxed) {
            eprintln!($($text)*);
        }
    };
}

mod cluster;
mod disk;

static SHOWS: AtomicBool = AtomicBool::new(false);

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herald_envelope::schema_id::Framing;
use herald_spool::SpoolOptions;

use self::cluster::{Cluster, Event, REFUSING_TOPIC};
use self::disk::{Disk, Writer};
use crate::clock::{Clock, lock};
use crate::core::Core;
use crate::dead_letter;
use crate::error::PublishError;
use crate::in_flight_event::{InFlightEvent, Pending};
use crate::message::Message;
use crate::options::{Mode, PublisherOptions};
use crate::receipt::Receipt;
use crate::relay::{RelayThread, connect};
use crate::schemas::{SchemaId, SchemaLookup, SchemaOptions};
use crate::store::Store;

pub(crate) use self::disk::SimulatedSpool;

/// Returns the seeds to try.
const SEEDS: u64 = 2_000;

/// Number of steps with faults, and maximum number of steps without faults at the end.
const STEPS: usize = 400;
const MAX_STEPS_TO_DRAIN: usize = 20_000;

const MAX_IN_FLIGHT: usize = 12;
const DEADLINE: Duration = Duration::from_secs(2);

/// Random choices of a simulation (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn place(&mut self) -> usize {
        usize::try_from(self.below(1_000)).unwrap()
    }

    /// Returns true with the probability 1 / `times`.
    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// Events that a publisher was asked to publish, and their results.
#[derive(Default)]
struct Ledger {
    /// Every event that was handed over, in the order of publishing.
    published: Vec<Event>,
    safe: Vec<Event>,
    dead: Vec<Event>,
}

struct Simulation {
    random: Random,
    clock: Clock,
    cluster: Cluster,
    disk: Arc<Mutex<Disk>>,
    mode: Mode,
    core: Arc<Core>,
    relay: RelayThread,
    writer: Writer,
    pending: Vec<(Event, Pending)>,
    ledger: Ledger,
    next_number: u64,
    /// Whether something happened after which an event may arrive twice.
    may_repeat: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let clock = Clock::manual();
        let cluster = Cluster::new();
        let disk = Arc::new(Mutex::new(Disk::default()));
        let mode = if random.one_in(3) {
            Mode::WriteAhead
        } else {
            Mode::Direct
        };
        let (core, relay, writer) = open(&clock, &cluster, &disk, mode, random.next());
        Self {
            random,
            clock,
            cluster,
            disk,
            mode,
            core,
            relay,
            writer,
            pending: Vec::new(),
            ledger: Ledger::default(),
            next_number: 0,
            may_repeat: false,
        }
    }

    fn run(mut self) {
        for _ in 0..STEPS {
            self.step();
            self.collect();
            self.check_bounds();
        }
        self.drain();
        self.check();
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..30 => self.publish(),
            30..47 => {
                let place = self.random.place();
                self.cluster.write(place);
            }
            47..60 => {
                let place = self.random.place();
                self.cluster.acknowledge(place);
            }
            60..70 => {
                self.relay.step();
            }
            70..80 => {
                let most = self.random.below(5);
                self.writer.commit(usize::try_from(most).unwrap());
            }
            80..86 => {
                let time = self.random.below(300);
                self.clock.advance(Duration::from_millis(time));
                show!("{:?}", self.clock.now());
                self.core.check_deadlines();
            }
            86..90 => {
                self.cluster.fail_behind();
            }
            90..92 => self.cluster.answer_limits(),
            _ => self.fault(),
        }
    }

    fn fault(&mut self) {
        match self.random.below(20) {
            0..7 => {
                self.may_repeat = true;
                let place = self.random.place();
                self.cluster.fail(place);
            }
            7..10 => {
                show!("stop");
                self.cluster.stop();
            }
            10..14 => {
                show!("start");
                self.cluster.start();
            }
            14 => {
                self.may_repeat = true;
                self.cluster.break_connection();
            }
            15 => {
                let is_full = self.random.one_in(2);
                // A row that can't be removed may be sent again.
                self.may_repeat |= is_full;
                show!("the disk is full: {is_full}");
                lock(&self.disk).is_full = is_full;
            }
            16 => {
                let refuses = self.random.one_in(2);
                show!("a topic refuses: {refuses}");
                self.cluster.refuse(refuses);
            }
            17 => {
                self.clock.advance(DEADLINE);
                self.core.check_deadlines();
            }
            18 if self.random.one_in(3) => self.kill(),
            _ => {}
        }
    }

    fn publish(&mut self) {
        let topic = if self.random.one_in(6) {
            REFUSING_TOPIC
        } else {
            "t"
        };
        let event = Event {
            topic: topic.to_owned(),
            key: self.random.below(3).to_string(),
            number: self.next_number,
        };
        self.next_number += 1;
        let payload = event.number.to_string().into_bytes();
        let message = Message::new(topic, Some(event.key.as_bytes()), payload).unwrap();
        if self.core.limiter.try_acquire(message.weight()).is_err() {
            return;
        }
        show!("publish {event:?}");
        let began = self.clock.now();
        let taken = self.core.dispatch(message, began, began + DEADLINE);
        self.pending
            .push((event.clone(), Pending::new(taken.unwrap())));
        self.ledger.published.push(event);
    }

    /// Notes what the publisher has said by now.
    fn collect(&mut self) {
        for (event, pending) in std::mem::take(&mut self.pending) {
            let outcome = pending.wait_timeout(Duration::ZERO);
            if let Ok(outcome) = &outcome {
                show!("{event:?}: {outcome:?}");
            }
            match outcome {
                Err(pending) => self.pending.push((event, pending)),
                Ok(Ok(_)) => self.ledger.safe.push(event),
                Ok(Err(PublishError::Rejected {
                    dead_letter: Some(Receipt::Spooled { .. } | Receipt::Delivered { .. }),
                    ..
                })) => self.ledger.dead.push(event),
                Ok(Err(_)) => {}
            }
        }
    }

    /// Kills the process (SIGKILL): a part of the work in flight is done, without reports.
    fn kill(&mut self) {
        show!("kill");
        self.may_repeat = true;
        self.collect();
        for _ in 0..self.random.below(4) {
            let place = self.random.place();
            self.cluster.write(place);
        }
        // What `write` reported was said by a process that is not dead yet.
        self.collect();
        let most = self.random.below(4);
        self.writer.commit_unheard(usize::try_from(most).unwrap());
        self.cluster.forget_client();
        self.pending.clear();
        let seed = self.random.next();
        (self.core, self.relay, self.writer) =
            open(&self.clock, &self.cluster, &self.disk, self.mode, seed);
    }

    fn check_bounds(&self) {
        let used = self.core.limiter.used().messages;
        assert!(used <= MAX_IN_FLIGHT, "{used} events in flight");
        // Those in flight, those whose copy is in the spool, and rows of the relay.
        let held = self.cluster.in_transit();
        assert!(held <= 3 * MAX_IN_FLIGHT, "{held} messages are held");
    }

    /// Ends all faults; then every event has to arrive.
    fn drain(&mut self) {
        show!("no more faults");
        lock(&self.disk).is_full = false;
        self.cluster.refuse(false);
        self.cluster.start();
        for _ in 0..MAX_STEPS_TO_DRAIN {
            let rows = lock(&self.disk).rows.len();
            let in_transit = self.cluster.in_transit();
            if rows == 0 && in_transit == 0 && self.pending.is_empty() && !self.writer.has_work() {
                return;
            }
            if !self.cluster.fail_behind() {
                let place = self.random.place();
                self.cluster.write(place);
                self.cluster.acknowledge(place);
            }
            self.cluster.answer_limits();
            self.writer.commit(usize::MAX);
            self.relay.step();
            self.clock.advance(Duration::from_millis(20));
            self.core.check_deadlines();
            self.collect();
        }
        panic!(
            "not drained: {} rows, {} messages of {} keys in transit, {} events without an answer",
            lock(&self.disk).rows.len(),
            self.cluster.in_transit(),
            self.cluster.keys_in_transit(),
            self.pending.len(),
        );
    }

    fn check(&self) {
        let log = self.cluster.log();
        let mut seen = HashSet::new();
        let mut last: HashMap<(&str, &str), u64> = HashMap::new();
        let mut repeated = 0;
        for event in log
            .iter()
            .filter(|event| !event.topic.ends_with(dead_letter::TOPIC_SUFFIX))
        {
            if !seen.insert(event) {
                repeated += 1;
                continue;
            }
            // A refused event is not part of the order, even if the topic accepts it later.
            if event.topic == REFUSING_TOPIC {
                continue;
            }
            let before = last.insert((&event.topic, &event.key), event.number);
            assert!(
                before.is_none_or(|before| before < event.number),
                "{event:?} came behind {before:?}"
            );
        }
        assert!(
            self.may_repeat || repeated == 0,
            "{repeated} events came twice without a reason"
        );
        let dead: HashSet<Event> = self.dead_letters(&log).collect();
        for event in &self.ledger.safe {
            assert!(
                seen.contains(event) || dead.contains(event),
                "{event:?} had a receipt and is lost"
            );
        }
        for event in &self.ledger.dead {
            let kept = dead.contains(event) || seen.contains(event);
            assert!(kept, "{event:?} was said to be kept and is lost");
        }
        let known: HashSet<&Event> = self.ledger.published.iter().collect();
        assert!(seen.iter().all(|event| known.contains(event)));
    }

    /// Events on a topic for dead letters, or among those of the spool.
    fn dead_letters(&self, log: &[Event]) -> impl Iterator<Item = Event> {
        let on_topics = log.iter().filter_map(|event| {
            let topic = event.topic.strip_suffix(".dlq")?;
            Some(Event {
                topic: topic.to_owned(),
                ..event.clone()
            })
        });
        let disk = lock(&self.disk);
        let in_spool = disk.dead.iter().map(|record| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            Event {
                topic: record.topic.clone(),
                key: record.key.as_deref().map(text).unwrap_or_default(),
                number: text(&record.payload).parse().unwrap(),
            }
        });
        let all: Vec<_> = on_topics.chain(in_spool).collect();
        all.into_iter()
    }
}

fn open(
    clock: &Clock,
    cluster: &Cluster,
    disk: &Arc<Mutex<Disk>>,
    mode: Mode,
    seed: u64,
) -> (Arc<Core>, RelayThread, Writer) {
    open_with(options(clock, cluster, mode, seed), disk)
}

fn options(clock: &Clock, cluster: &Cluster, mode: Mode, seed: u64) -> PublisherOptions {
    PublisherOptions::new(cluster.clone())
        // Only signals that there is one.
        .spool(SpoolOptions::new("simulated"))
        .mode(mode)
        .clock(clock.clone())
        .deadline(DEADLINE)
        .max_in_flight(MAX_IN_FLIGHT)
        .relay_window(MAX_IN_FLIGHT / 2)
        .simulated(seed)
}

fn open_with(
    options: PublisherOptions,
    disk: &Arc<Mutex<Disk>>,
) -> (Arc<Core>, RelayThread, Writer) {
    let (spool, writer) = SimulatedSpool::open(disk);
    let core = Arc::new(Core::new(options, Some(Store::Simulated(spool))));
    let transport = connect(&core).unwrap();
    core.lock_routing_exclusive().transport = Some(transport);
    let relay = RelayThread::new(core.clone());
    (core, relay, writer)
}

/// Runs one seed, and prints it if it fails.
fn simulate(seed: u64) {
    let outcome = std::panic::catch_unwind(|| Simulation::new(seed).run());
    if let Err(panic) = outcome {
        eprintln!("HERALD_SEED={seed}");
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn no_seed_loses_or_reorders_an_event() {
    if let Some(seed) = std::env::var_os("HERALD_SEED") {
        SHOWS.store(true, Ordering::Relaxed);
        return simulate(seed.to_str().unwrap().parse().unwrap());
    }
    let seeds = std::env::var("HERALD_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        simulate(seed);
    }
}

/// Guards against a simulation that never reaches an outcome, and so would find no bugs.
#[test]
fn simulations_reach_every_kind_of_outcome() {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..100 {
        let mut simulation = Simulation::new(seed);
        for _ in 0..STEPS {
            simulation.step();
            simulation.collect();
        }
        let stats = &simulation.core.counters;
        for (kind, count) in [
            ("delivered", stats.delivered.get()),
            ("spooled", stats.spooled.get()),
            ("drained", stats.drained.get()),
            ("retried", stats.retried.get()),
            ("dead", stats.dead.get()),
            ("failed", stats.failed.get()),
            ("outages", stats.outages.get()),
        ] {
            *kinds.entry(kind).or_default() += usize::from(count > 0);
        }
    }
    assert!(kinds.values().all(|seeds| *seeds >= 5), "{kinds:?}");
}

/// Registry that can't be reached.
struct AwayRegistry;

impl SchemaLookup for AwayRegistry {
    fn latest(&self, _: &str) -> Result<Option<SchemaId>, String> {
        Err("for a test".to_owned())
    }
}

#[test]
fn event_without_its_schema_id_is_not_sent_once_its_spool_is_lost() {
    let (clock, cluster) = (Clock::manual(), Cluster::new());
    let schemas = SchemaOptions::new(AwayRegistry, Framing::Prefix);
    let options = options(&clock, &cluster, Mode::WriteAhead, 0).schemas(schemas);
    let (core, mut relay, _writer) = open_with(options, &Arc::default());
    let subject = core.schemas.as_ref().unwrap().of_record("t", "");
    let message = Message::new("t", Some(b"0"), b"0".to_vec()).unwrap();
    let message = message.with_schema(&subject);
    core.limiter.try_acquire(message.weight()).unwrap();
    let now = clock.now();
    let flight = core.dispatch(message, now, now + DEADLINE).unwrap();
    // It waits for the limits of its topic.
    core.lock_routing_exclusive().spool = None;
    cluster.answer_limits();
    relay.step();
    assert_eq!(cluster.in_transit(), 0);
    clock.advance(DEADLINE);
    core.check_deadlines();
    let outcome = Pending::new(flight).wait_timeout(Duration::ZERO);
    assert!(matches!(outcome, Ok(Err(PublishError::Deadline { .. }))));
}

/// Hands an event to a publisher that has room for it.
fn dispatch(core: &Arc<Core>) -> Arc<InFlightEvent> {
    let message = Message::new("t", Some(b"0"), b"0".to_vec()).unwrap();
    core.limiter.try_acquire(message.weight()).unwrap();
    let now = core.clock.now();
    core.dispatch(message, now, now + DEADLINE).unwrap()
}

#[test]
fn event_is_resolved_once_its_outcome_can_be_taken() {
    let (clock, cluster, disk) = (Clock::manual(), Cluster::new(), Arc::default());
    let (core, mut relay, writer) = open(&clock, &cluster, &disk, Mode::WriteAhead, 0);
    let flight = dispatch(&core);
    cluster.answer_limits();
    relay.step();
    lock(&disk).is_full = true;
    writer.commit(usize::MAX);
    let pending = Pending::new(flight.clone());
    // The outcome is known once the transport fails the event too, and given once no event of its key
    // can overtake it.
    let routing = core.routing();
    std::thread::scope(|scope| {
        scope.spawn(|| cluster.fail(0));
        while !flight.is_over() {
            std::thread::yield_now();
        }
        assert!(!pending.is_resolved());
        drop(routing);
    });
    assert!(pending.is_resolved());
}

#[test]
fn deadline_of_an_event_that_the_spool_refuses_is_kept() {
    let (clock, cluster, disk) = (Clock::manual(), Cluster::new(), Arc::default());
    let (core, mut relay, writer) = open(&clock, &cluster, &disk, Mode::WriteAhead, 0);
    dispatch(&core);
    cluster.answer_limits();
    relay.step();
    // The deadline thread looks while the spool has not answered.
    core.timer.set_next(DEADLINE * 2);
    lock(&disk).is_full = true;
    writer.commit(usize::MAX);
    assert_eq!(core.timer.next(), DEADLINE);
}

#[test]
fn relay_sleeps_during_a_trial_without_rows_to_send() {
    let (clock, cluster, disk) = (Clock::manual(), Cluster::new(), Arc::default());
    let (core, mut relay, writer) = open(&clock, &cluster, &disk, Mode::Direct, 0);
    relay.step();
    dispatch(&core);
    cluster.stop();
    writer.commit(usize::MAX);
    relay.step();
    cluster.start();
    // The cluster answers a probe, and acknowledges nothing.
    let probe_at = relay.next_wakeup();
    clock.advance(probe_at);
    relay.step();
    relay.step();
    clock.advance(DEADLINE / 2);
    relay.step();
    assert_eq!(cluster.in_transit(), 1);
    assert!(relay.next_wakeup() > clock.now());
}

#[test]
fn one_late_event_is_not_an_outage() {
    let (clock, cluster, disk) = (Clock::manual(), Cluster::new(), Arc::default());
    let (core, _relay, writer) = open(&clock, &cluster, &disk, Mode::Direct, 0);
    let [first, late] = [0, 1].map(|_| dispatch(&core));
    clock.advance(DEADLINE / 2);
    cluster.write(0);
    cluster.acknowledge(0);
    clock.advance(DEADLINE / 2);
    core.check_deadlines();
    writer.commit(usize::MAX);
    let outcomes = [first, late].map(|flight| Pending::new(flight).wait());
    assert!(matches!(outcomes[0], Ok(Receipt::Delivered { .. })));
    assert!(matches!(outcomes[1], Ok(Receipt::Spooled { .. })));
    assert_eq!(core.counters.outages.get(), 0);
}
