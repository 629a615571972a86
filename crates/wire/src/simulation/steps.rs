//! The engine by itself, driven step by step. A run is given by its seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::cluster::{Cluster, Session, damaged};
use super::{Numbered, Outcome, PARTITIONS, Random, Sent, TOPIC, settings, with_seeds};
use crate::accumulator::Accumulator;
use crate::engine::{Effect, Engine, Node};
use crate::producer::Failed;
use crate::security::Trouble;

#[derive(Default)]
struct Link {
    requests: VecDeque<Bytes>,
    answers: VecDeque<Bytes>,
    session: Session,
}

/// Brokers and their open connections.
struct Network {
    cluster: Cluster,
    links: BTreeMap<Node, Link>,
}

impl Network {
    /// Handles the oldest request of a connection. Returns false if the broker closes it, because it
    /// has no session.
    fn serve(&mut self, node: Node, random: &mut Random, now: Instant, faults: bool) -> bool {
        let Some(link) = self.links.get_mut(&node) else {
            return true;
        };
        let Some(request) = link.requests.pop_front() else {
            return true;
        };
        // Behind its size. A bootstrap server is the first broker.
        let request = request.slice(4..);
        let answer = (self.cluster).answer(node, &mut link.session, request, random, now, faults);
        let is_open = answer.is_some();
        link.answers.extend(answer);
        is_open
    }
}

struct Simulation {
    random: Random,
    now: Instant,
    accumulator: Arc<Accumulator<Numbered>>,
    engine: Engine<Numbered>,
    network: Rc<RefCell<Network>>,
    sent: Sent,
    are_answers_damaged: bool,
    /// Whether no broker can be reached.
    is_outage: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let settings = settings(vec![("127.0.0.1".to_owned(), 9_092)]);
        let accumulator = Arc::new(Accumulator::new(settings.batch_bytes));
        let now = Instant::now();
        Self {
            random: Random(seed | 1),
            now,
            engine: Engine::new(settings, accumulator.clone(), now),
            accumulator,
            network: Rc::new(RefCell::new(Network {
                cluster: Cluster::new(),
                links: BTreeMap::new(),
            })),
            sent: Sent::default(),
            are_answers_damaged: false,
            is_outage: false,
        }
    }

    fn send(&mut self) {
        let (key, value) = self.sent.next(&mut self.random);
        self.send_value(key, &value);
    }

    fn send_value(&mut self, key: usize, value: &[u8]) {
        let accumulator = &self.accumulator;
        self.sent.send(key, value, |record, delivery| {
            accumulator.push(TOPIC, record, delivery).unwrap();
        });
    }

    /// One random step.
    fn step(&mut self, faults: bool) {
        let network = self.network.clone();
        let mut network = network.borrow_mut();
        let nodes: Vec<Node> = network.links.keys().copied().collect();
        let node = if nodes.is_empty() {
            0
        } else {
            self.random.choose(&nodes)
        };
        match self.random.next(10) {
            0..4 => {
                if !network.serve(node, &mut self.random, self.now, faults) {
                    network.links.remove(&node);
                    let trouble = Trouble::network("no session");
                    self.engine.on_disconnected(node, trouble, self.now);
                }
            }
            4..8 => {
                let link = network.links.get_mut(&node);
                if let Some(answer) = link.and_then(|link| link.answers.pop_front()) {
                    let answer = if self.are_answers_damaged && self.random.one_in(4) {
                        damaged(&answer, &mut self.random)
                    } else {
                        answer
                    };
                    self.engine.on_answer(node, answer, self.now);
                }
            }
            8 => self.now += Duration::from_millis(7),
            _ if !faults => {}
            _ => match self.random.next(6) {
                0 if network.links.remove(&node).is_some() => {
                    self.engine
                        .on_disconnected(node, Trouble::network("cut"), self.now);
                }
                1 => {
                    let log = self.random.next(PARTITIONS);
                    network.cluster.logs[log].leader = i32::try_from(self.random.next(3)).unwrap();
                }
                2 => self.now += Duration::from_millis(300),
                _ => {}
            },
        }
        self.engine.on_ready(self.now);
        self.engine.tick(self.now);
        self.carry_out(&mut network, faults);
    }

    fn carry_out(&mut self, network: &mut Network, faults: bool) {
        loop {
            let effects = self.engine.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Connect { node, .. }
                        if self.is_outage || (faults && self.random.one_in(4)) =>
                    {
                        self.engine
                            .on_disconnected(node, Trouble::network("refused"), self.now);
                    }
                    Effect::Connect { node, .. } => {
                        network.links.insert(node, Link::default());
                        self.engine.on_connected(node, self.now);
                    }
                    Effect::Disconnect(node) => drop(network.links.remove(&node)),
                    Effect::Write { node, bytes } => {
                        if let Some(link) = network.links.get_mut(&node) {
                            link.requests.push_back(bytes.into());
                        }
                    }
                    Effect::Report(report) => report.tell(),
                    Effect::Unreachable(_)
                    | Effect::Absent(_)
                    | Effect::Limit { .. }
                    | Effect::Answered(_) => {}
                }
            }
        }
    }

    /// Ends connections, those that are drawn.
    fn cut(&mut self, draw: impl Fn(&mut Random) -> bool) {
        let network = self.network.clone();
        let mut network = network.borrow_mut();
        for node in network.links.keys().copied().collect::<Vec<_>>() {
            if draw(&mut self.random) {
                network.links.remove(&node);
                let trouble = Trouble::network("cut");
                self.engine.on_disconnected(node, trouble, self.now);
            }
        }
    }

    /// One minute of a service: traffic for a moment, then calm. In one of four minutes something goes
    /// wrong.
    fn minute(&mut self) {
        let end = self.now + Duration::from_secs(60);
        let faults = self.random.one_in(8);
        self.is_outage = self.random.one_in(8);
        if self.is_outage {
            self.cut(|_| true);
        }
        for _ in 0..2_000 {
            if self.random.one_in(6) {
                self.send();
            }
            self.step(faults);
        }
        if self.random.one_in(2) {
            // The outage goes on for the rest of the minute.
            self.is_outage = false;
        }
        // Brokers end connections on which nothing happens, and when they restart.
        self.cut(|random| random.one_in(20));
        while self.now < end {
            self.exchange(Duration::from_millis(200));
        }
        self.is_outage = false;
    }

    /// Has brokers answer everything for a time, without faults.
    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.exchange(Duration::from_millis(5));
        }
    }

    /// Has each broker answer one request, and lets this time pass.
    fn exchange(&mut self, time: Duration) {
        let network = self.network.clone();
        let mut network = network.borrow_mut();
        self.carry_out(&mut network, false);
        for node in network.links.keys().copied().collect::<Vec<_>>() {
            if !network.serve(node, &mut self.random, self.now, false) {
                network.links.remove(&node);
                let trouble = Trouble::network("no session");
                self.engine.on_disconnected(node, trouble, self.now);
                continue;
            }
            let link = network.links.get_mut(&node).unwrap();
            for answer in link.answers.drain(..) {
                self.engine.on_answer(node, answer, self.now);
            }
        }
        self.now += time;
        self.engine.on_ready(self.now);
        self.engine.tick(self.now);
    }

    /// Sends a record, and returns its outcome after this time, if it has one then.
    fn outcome_of(&mut self, value: &[u8], time: Duration) -> Option<Outcome> {
        let number = self.sent.records.len();
        self.send_value(0, value);
        self.run_for(time);
        let outcomes = self.sent.outcomes.0.lock().unwrap();
        outcomes.get(&number).map(|outcomes| outcomes[0])
    }
}

/// Sends records through faults, then without, until all have their outcome.
fn run(seed: u64) {
    let mut simulation = Simulation::new(seed);
    for _ in 0..1_500 {
        if simulation.sent.records.len() < 300 && simulation.random.one_in(3) {
            simulation.send();
        }
        simulation.step(true);
    }
    for _ in 0..40_000 {
        if simulation.sent.is_settled() {
            break;
        }
        simulation.step(false);
    }
    assert!(
        simulation.sent.is_settled(),
        "not all records have an outcome"
    );
    simulation.sent.check(&simulation.network.borrow().cluster);
}

/// Each wake-up would look at everything, for as long as the outage lasts.
#[test]
fn sleeps_while_no_broker_can_be_reached() {
    let mut simulation = Simulation::new(1);
    for _ in 0..50 {
        let engine = &mut simulation.engine;
        engine.tick(simulation.now);
        for effect in engine.take_effects() {
            if let Effect::Connect { node, .. } = effect {
                engine.on_disconnected(node, Trouble::network("refused"), simulation.now);
            }
        }
        let sleep = engine.sleep(simulation.now);
        assert!(sleep >= Duration::from_millis(20), "{sleep:?}");
        simulation.now += sleep;
    }
}

fn run_with_damaged_answers(seed: u64) {
    let mut simulation = Simulation::new(seed);
    simulation.are_answers_damaged = true;
    for _ in 0..1_500 {
        if simulation.sent.records.len() < 300 && simulation.random.one_in(3) {
            simulation.send();
        }
        simulation.step(true);
    }
    simulation.engine.on_close();
    let network = simulation.network.clone();
    simulation.carry_out(&mut network.borrow_mut(), false);
    simulation.sent.check_told_once();
}

#[test]
fn logs_in_again_before_its_session_ends() {
    let mut simulation = Simulation::new(1);
    for _ in 0..1_000 {
        simulation.send();
        simulation.run_for(Duration::from_millis(20));
    }
    let brokers = simulation.engine.statistics().get();
    let connections: u64 = brokers.iter().map(|broker| broker.connections).sum();
    let logins = simulation.network.borrow().cluster.logins;
    // 20 s, with a session of 3 s.
    assert!(connections <= 3, "no session ends");
    assert!(
        logins as u64 >= connections + 15,
        "{logins} logins on {connections} connections"
    );
}

/// Compression could make it small enough: then the first one would arrive, and later ones not.
#[test]
fn a_record_larger_than_the_limit_of_its_topic_is_never_sent() {
    let mut simulation = Simulation::new(1);
    simulation.network.borrow_mut().cluster.limit = Some("1000");
    let outcome = simulation.outcome_of(&[b' '; 1_000], Duration::from_secs(1));
    assert_eq!(outcome, Some(Err(Failed::Refused(10))));
    let outcome = simulation.outcome_of(b" 1", Duration::from_secs(1));
    assert!(matches!(outcome, Some(Ok(_))), "{outcome:?}");
    let logs = &simulation.network.borrow().cluster.logs;
    let records: usize = logs.iter().map(|log| log.records.len()).sum();
    assert_eq!(records, 1);
}

/// KIP-219: the broker would not read the request before the end of that time.
#[test]
fn a_throttled_client_waits() {
    let mut simulation = Simulation::new(1);
    assert!(
        simulation
            .outcome_of(b" 0", Duration::from_secs(1))
            .is_some()
    );
    simulation.network.borrow_mut().cluster.throttling = Duration::from_millis(800);
    assert!(
        simulation
            .outcome_of(b" 1", Duration::from_millis(100))
            .is_some()
    );
    assert_eq!(
        simulation.outcome_of(b" 2", Duration::from_millis(600)),
        None
    );
    assert!(
        simulation
            .outcome_of(b" 3", Duration::from_millis(400))
            .is_some()
    );
    assert!(simulation.sent.is_settled());
    let brokers = simulation.engine.statistics().get();
    let throttled: Duration = brokers.iter().map(|broker| broker.throttled).sum();
    assert_eq!(throttled, Duration::from_millis(1_600));
}

#[test]
fn statistics_count_what_was_sent() {
    let mut simulation = Simulation::new(1);
    for _ in 0..50 {
        simulation.send_value(0, b" 0");
    }
    simulation.run_for(Duration::from_secs(1));
    simulation.send_value(0, b"!0");
    simulation.run_for(Duration::from_secs(1));
    let brokers = simulation.engine.statistics().get();
    let broker = (brokers.iter().max_by_key(|broker| broker.requests)).unwrap();
    assert!(broker.is_connected);
    assert_eq!(broker.address, format!("127.0.0.1:{}", 9_092 + broker.id));
    assert_eq!((broker.connections, broker.records), (1, 51));
    assert_eq!((broker.in_flight, broker.repeated_batches), (0, 0));
    assert!(
        broker.batches >= broker.requests && broker.requests >= 2,
        "{broker:?}"
    );
    assert!(broker.request_bytes > broker.record_bytes, "{broker:?}");
    assert!(broker.latency > Duration::ZERO);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_lost_or_reordered_by_any_faults(seed in any::<u64>()) {
        run(seed);
    }

    /// Checks nothing of what was delivered: a damaged answer may tell a lie.
    #[test]
    fn damaged_answers_do_no_harm(seed in any::<u64>()) {
        run_with_damaged_answers(seed);
    }
}

/// Runs a service for this time, with faults and outages, and then until all is delivered.
fn run_minutes(seed: u64, minutes: usize) {
    let mut simulation = Simulation::new(seed);
    for _ in 0..minutes {
        simulation.minute();
    }
    simulation.run_for(Duration::from_secs(60));
    assert!(
        simulation.sent.is_settled(),
        "not all records have an outcome"
    );
    simulation.sent.check(&simulation.network.borrow().cluster);
}

#[test]
fn nothing_is_lost_or_reordered_in_an_hour_of_a_service() {
    run_minutes(1, 60);
}

/// `HERALD_SEEDS=7 cargo test -p herald-wire --release -- --ignored day`.
#[test]
#[ignore = "HERALD_SEEDS chooses the number of days"]
fn days_of_a_service() {
    with_seeds(1, |day| run_minutes(day, 24 * 60));
}

/// Runs more seeds: `HERALD_SEEDS=100000 cargo test -p herald-wire --release -- --ignored seeds`.
#[test]
#[ignore = "HERALD_SEEDS chooses the number of runs"]
fn many_seeds() {
    with_seeds(10_000, |seed| {
        run(seed);
        run_with_damaged_answers(seed);
    });
}
