//! The engine by itself, driven step by step. A run is given by its seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::cluster::{Cluster, KAFKA_2_8, KAFKA_4, Log, REDPANDA, Requests, Session, damaged};
use super::{KEYS, Numbered, Outcome, PARTITIONS, Random, Sent, TOPIC, settings, with_seeds};
use crate::accumulator::Accumulator;
use crate::engine::{Effect, Engine, MAX_STALENESS, Node};
use crate::producer::{Failed, Refused, Settings};
use crate::protocol::TopicId;
use crate::security::Trouble;

#[derive(Default)]
struct Link {
    requests: VecDeque<Bytes>,
    answers: VecDeque<Bytes>,
    session: Session,
}

impl Link {
    /// Number of requests with batches that have no answer.
    fn batches(&self) -> usize {
        let produce = |request: &&Bytes| request[4..6] == [0, 0];
        self.requests.iter().filter(produce).count()
    }
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
    /// Whether the topic is deleted and created again now and then.
    is_topic_recreated: bool,
    begun: Instant,
    /// Newest epochs of leaders that the engine knew.
    epochs: HashMap<(Option<TopicId>, usize), usize>,
    /// Whether no broker can be reached.
    is_outage: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self::with(seed, |_| {})
    }

    fn with(seed: u64, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings(vec![("127.0.0.1".to_owned(), 9_092)]);
        change(&mut settings);
        let accumulator = Arc::new(Accumulator::new(settings.batch_bytes));
        let now = Instant::now();
        let mut cluster = Cluster::new();
        cluster.requests = match seed % 8 {
            0 => KAFKA_2_8,
            7 => REDPANDA,
            _ => KAFKA_4,
        };
        Self {
            random: Random(seed | 1),
            now,
            begun: now,
            epochs: HashMap::new(),
            engine: Engine::new(settings, accumulator.clone(), now),
            accumulator,
            network: Rc::new(RefCell::new(Network {
                cluster,
                links: BTreeMap::new(),
            })),
            sent: Sent::default(),
            are_answers_damaged: false,
            is_topic_recreated: false,
            is_outage: false,
        }
    }

    fn send(&mut self) {
        let (key, value) = self.sent.next(&mut self.random);
        self.send_value(key, &value);
    }

    fn send_value(&mut self, key: usize, value: &[u8]) {
        let (accumulator, number) = (&self.accumulator, self.sent.records.len());
        let mut refused = None;
        self.sent.send(key, value, |record, delivery| {
            refused = accumulator.push(TOPIC, record, delivery, false).err();
        });
        match refused {
            None => {}
            Some(Refused::Topic(code)) => {
                let outcome = Err(Failed::Refused(code));
                let outcomes = &self.sent.outcomes;
                outcomes.0.lock().unwrap().insert(number, vec![outcome]);
            }
            Some(refused) => panic!("{refused:?}"),
        }
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
                    let leader = i32::try_from(self.random.next(3)).unwrap();
                    let log = self.random.next(PARTITIONS);
                    if let Some(log) = network.cluster.logs.get_mut(log) {
                        log.elect(leader);
                    }
                }
                3 if self.is_topic_recreated && network.cluster.topic.is_some() => {
                    network.cluster.delete_topic();
                }
                2 => self.now += Duration::from_millis(300),
                _ => {}
            },
        }
        if network.cluster.topic.is_none() && (!faults || self.random.one_in(40)) {
            let leaders: [Node; PARTITIONS] =
                std::array::from_fn(|_| i32::try_from(self.random.next(3)).unwrap());
            let count = 1 + self.random.next(PARTITIONS);
            network.cluster.create_topic(&leaders[..count]);
        }
        self.engine.on_ready(self.now);
        self.engine.tick(self.now);
        self.carry_out(&mut network, faults);
        self.check_leaders(&network.cluster);
    }

    /// Checks that the engine knows no leader with the epoch of another one, and forgets no newer one.
    fn check_leaders(&mut self, cluster: &Cluster) {
        if self.are_answers_damaged || cluster.topic.is_none() {
            return;
        }
        for (index, log) in cluster.logs.iter().enumerate() {
            let Some((topic, leader, epoch)) = self.engine.leader(TOPIC, index) else {
                continue;
            };
            if topic.is_none() || topic != cluster.topic || epoch < 0 {
                continue;
            }
            let epoch = usize::try_from(epoch).unwrap();
            assert_eq!(
                leader, log.leaders[epoch],
                "partition {index}, epoch {epoch}"
            );
            let newest = self.epochs.entry((topic, index)).or_default();
            // Later the engine may believe brokers that all tell of an older one.
            if self.now < self.begun + MAX_STALENESS {
                assert!(
                    *newest <= epoch,
                    "partition {index} moves back to epoch {epoch}"
                );
            }
            *newest = epoch;
        }
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
                    Effect::Report(report) => report.deliver(&()),
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
    run_to_the_end(&mut simulation);
    simulation.sent.check(&simulation.network.borrow().cluster);
}

/// Deletes the topic and creates it again now and then. The order is kept with one request in flight: a
/// broker takes any batch as the first one of the new topic.
fn run_with_recreated_topic(seed: u64) {
    let max_in_flight = if seed.is_multiple_of(2) { 1 } else { 5 };
    let mut simulation = Simulation::with(seed / 2, |settings| {
        settings.max_in_flight = max_in_flight;
        settings.topic_propagation = Duration::from_secs(3_600);
    });
    simulation.is_topic_recreated = true;
    run_to_the_end(&mut simulation);
    let cluster = &simulation.network.borrow().cluster;
    simulation.sent.check_outcomes(cluster);
    if max_in_flight == 1 {
        simulation.sent.check_order(cluster);
    }
}

fn run_to_the_end(simulation: &mut Simulation) {
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

/// Returns a simulation of these brokers whose client has delivered a record of key 0, and the place
/// of its partition.
fn with_known_leader(requests: Requests) -> (Simulation, usize) {
    let mut simulation = Simulation::new(1);
    simulation.network.borrow_mut().cluster.requests = requests;
    simulation.network.borrow_mut().cluster.limit = Some("1048588");
    let outcome = simulation.outcome_of(b" 0", Duration::from_secs(1));
    let Some(Ok((partition, 0))) = outcome else {
        panic!("{outcome:?}")
    };
    (simulation, usize::try_from(partition).unwrap())
}

impl Simulation {
    /// Has another broker lead a partition.
    fn elect(&mut self, partition: usize) -> Node {
        let log = &mut self.network.borrow_mut().cluster.logs[partition];
        let leader = (log.leaders.last().unwrap() + 1) % 3;
        log.elect(leader);
        leader
    }

    fn metadata_answers(&self) -> usize {
        self.network.borrow().cluster.metadata_answers
    }
}

/// KIP-951.
#[test]
fn the_leader_that_an_answer_names_is_followed_without_metadata() {
    let (mut simulation, partition) = with_known_leader(KAFKA_4);
    for epoch in 1..=3 {
        let before = simulation.metadata_answers();
        let leader = simulation.elect(partition);
        let outcome = simulation.outcome_of(b" 1", Duration::from_millis(40));
        assert!(matches!(outcome, Some(Ok(_))), "{outcome:?}");
        let known = simulation.engine.leader(TOPIC, partition);
        assert_eq!(known, Some((Some(1), leader, epoch)));
        // A broker that is connected for the first time may answer a probe.
        assert_eq!(simulation.metadata_answers(), before);
    }
    for older in [KAFKA_2_8, REDPANDA] {
        let (mut simulation, partition) = with_known_leader(older);
        let before = simulation.metadata_answers();
        let leader = simulation.elect(partition);
        let outcome = simulation.outcome_of(b" 1", Duration::from_secs(1));
        assert!(matches!(outcome, Some(Ok(_))), "{outcome:?}");
        let known = simulation.engine.leader(TOPIC, partition);
        assert_eq!(known.map(|(_, known, _)| known), Some(leader));
        assert!(simulation.metadata_answers() > before);
    }
}

/// A proxy, or a broker that tells lies.
#[test]
fn leaders_that_name_each_other_are_not_asked_without_a_pause() {
    let (mut simulation, _) = with_known_leader(KAFKA_4);
    // Connects all brokers.
    simulation.engine.on_probe(simulation.now);
    simulation.run_for(Duration::from_secs(1));
    simulation.network.borrow_mut().cluster.chase = Some(100);
    assert_eq!(simulation.outcome_of(b" 1", Duration::from_secs(20)), None);
    let told = simulation.network.borrow().cluster.chase.unwrap() - 100;
    assert!((15..60).contains(&told), "{told} leaders in 20 s");
    simulation.network.borrow_mut().cluster.chase = None;
    // Their epochs are gone with them.
    simulation.run_for(MAX_STALENESS + Duration::from_secs(2));
    assert!(simulation.sent.is_settled());
}

/// KIP-320: a broker that is cut off from the others tells of leaders that were.
#[test]
fn an_older_leader_epoch_does_not_move_a_leader_back() {
    let (mut simulation, partition) = with_known_leader(KAFKA_4);
    let leader = simulation.elect(partition);
    let outcome = simulation.outcome_of(b" 1", Duration::from_secs(1));
    assert!(matches!(outcome, Some(Ok(_))), "{outcome:?}");
    simulation.network.borrow_mut().cluster.is_stale = true;
    let begun = simulation.now;
    while simulation.now < begun + MAX_STALENESS / 10 * 9 {
        let before = simulation.metadata_answers();
        simulation.engine.on_probe(simulation.now);
        simulation.run_for(Duration::from_millis(500));
        assert!(simulation.metadata_answers() > before);
        let known = simulation.engine.leader(TOPIC, partition);
        assert_eq!(known, Some((Some(1), leader, 1)));
    }
    // When all of them say so for long, epochs may have been lost.
    simulation.run_for(Duration::from_secs(2));
    simulation.engine.on_probe(simulation.now);
    simulation.run_for(Duration::from_millis(500));
    let first = simulation.network.borrow().cluster.logs[partition].leaders[0];
    let known = simulation.engine.leader(TOPIC, partition);
    assert_eq!(known, Some((Some(1), first, 0)));
}

/// Another topic, whose epochs begin anew.
#[test]
fn the_leaders_of_a_topic_that_is_created_again_are_followed() {
    let (mut simulation, partition) = with_known_leader(KAFKA_4);
    for _ in 0..4 {
        simulation.elect(partition);
    }
    assert!(
        simulation
            .outcome_of(b" 1", Duration::from_secs(1))
            .is_some()
    );
    simulation.network.borrow_mut().cluster.delete_topic();
    let leaders = [2, 0, 1];
    simulation
        .network
        .borrow_mut()
        .cluster
        .create_topic(&leaders);
    let outcome = simulation.outcome_of(b" 2", Duration::from_millis(500));
    assert!(matches!(outcome, Some(Ok((_, 0)))), "{outcome:?}");
    let known = simulation.engine.leader(TOPIC, partition);
    assert_eq!(known, Some((Some(2), leaders[partition], 0)));
}

/// The answer that names it was written before the topic was created again.
#[test]
fn a_leader_of_the_topic_before_is_not_followed() {
    let (mut simulation, partition) = with_known_leader(KAFKA_4);
    // Connects all brokers.
    simulation.engine.on_probe(simulation.now);
    simulation.run_for(Duration::from_secs(1));
    let (_, old, _) = simulation.engine.leader(TOPIC, partition).unwrap();
    for _ in 0..2 {
        simulation.elect(partition);
    }
    simulation.send_value(0, b" 1");
    let (network, now) = (simulation.network.clone(), simulation.now);
    let mut network = network.borrow_mut();
    simulation.engine.on_ready(now);
    simulation.engine.tick(now);
    simulation.carry_out(&mut network, false);
    assert!(network.serve(old, &mut simulation.random, now, false));
    let is_refused = |link: &Link| link.answers.len() == 1 && link.requests.is_empty();
    assert!(is_refused(&network.links[&old]));
    network.cluster.delete_topic();
    let leaders = [2, 0, 1];
    network.cluster.create_topic(&leaders);
    simulation.engine.on_probe(now);
    simulation.engine.tick(now);
    simulation.carry_out(&mut network, false);
    let mut answer = |node: Node, engine: &mut Engine<Numbered>| {
        assert!(network.serve(node, &mut simulation.random, now, false));
        for answer in network.links.get_mut(&node).unwrap().answers.drain(..) {
            engine.on_answer(node, answer, now);
        }
    };
    let known = Some((Some(2), leaders[partition], 0));
    answer((old + 1) % 3, &mut simulation.engine);
    assert_eq!(simulation.engine.leader(TOPIC, partition), known);
    answer(old, &mut simulation.engine);
    assert_eq!(simulation.engine.leader(TOPIC, partition), known);
    drop(network);
    simulation.run_for(Duration::from_secs(1));
    assert!(simulation.sent.is_settled());
}

/// Its brokers know nothing of the producer, and would take any batch as the first one.
#[test]
fn one_batch_at_a_time_is_sent_to_a_topic_that_may_be_another_one() {
    let (mut simulation, partition) = with_known_leader(KAFKA_4);
    simulation.network.borrow_mut().cluster.delete_topic();
    for _ in 0..3 {
        // Records of a batch each, because time passes.
        simulation.outcome_of(b" 1", Duration::from_millis(1));
    }
    let network = simulation.network.clone();
    for step in 0.. {
        assert!(step < 1_000);
        simulation.carry_out(&mut network.borrow_mut(), false);
        let requests: usize = network.borrow().links.values().map(Link::batches).sum();
        assert!(requests <= 1, "{requests} requests with batches");
        if step == 20 {
            network.borrow_mut().cluster.create_topic(&[0, 1, 2]);
        }
        let is_written = |log: &Log| !log.records.is_empty();
        if network
            .borrow()
            .cluster
            .logs
            .get(partition)
            .is_some_and(is_written)
        {
            break;
        }
        simulation.exchange(Duration::from_millis(5));
    }
    simulation.run_for(Duration::from_secs(1));
    assert!(simulation.sent.is_settled());
}

/// Order of a key: the caller that gets the report keeps it, and must know of the failure before later records are
/// written.
#[test]
fn nothing_passes_the_records_of_partitions_that_a_new_topic_does_not_have() {
    let (mut simulation, _) = with_known_leader(KAFKA_4);
    let outcomes = simulation.sent.outcomes.clone();
    let outcome = |number| Some(outcomes.0.lock().unwrap().get(&number)?[0]);
    let refused = Err(Failed::Refused(100));
    // For each refused record, the number of records that were sent before it was reported.
    let mut reported = BTreeMap::new();
    let mut rejected = Vec::new();
    simulation.network.borrow_mut().cluster.delete_topic();
    for round in 0..1_000 {
        if round == 20 {
            simulation.network.borrow_mut().cluster.create_topic(&[1]);
        }
        let sent = simulation.sent.records.len();
        for number in (0..sent).filter(|number| outcome(*number) == Some(refused)) {
            reported.entry(number).or_insert(sent);
        }
        for key in (0..KEYS).filter(|_| round < 200) {
            let number = simulation.sent.records.len();
            simulation.send_value(key, b" 1");
            if outcome(number).is_some() {
                rejected.push(number);
            }
        }
        simulation.exchange(Duration::from_millis(2));
    }
    assert!(!reported.is_empty() && !rejected.is_empty());
    let keys: Vec<usize> = (simulation.sent.records.iter())
        .map(|(key, _)| *key)
        .collect();
    for (number, sent) in reported {
        let later = (number..sent).filter(|later| keys[*later] == keys[number]);
        for later in later.filter(|later| !rejected.contains(later)) {
            assert_eq!(outcome(later), Some(refused), "{later} has passed {number}");
        }
    }
    let last = outcome(keys.len() - 1);
    assert!(matches!(last, Some(Ok(_))), "{last:?}");
}

#[test]
fn records_of_partitions_that_a_new_topic_does_not_have_are_refused() {
    for (requests, time) in [
        (KAFKA_4, Duration::from_secs(1)),
        // Without ids only time tells.
        (REDPANDA, MAX_STALENESS + Duration::from_secs(1)),
    ] {
        let (mut simulation, _) = with_known_leader(requests);
        for key in 0..KEYS {
            simulation.send_value(key, b" 1");
        }
        simulation.run_for(Duration::from_secs(1));
        assert!(simulation.sent.is_settled());
        simulation.network.borrow_mut().cluster.delete_topic();
        simulation.network.borrow_mut().cluster.create_topic(&[1]);
        let first = simulation.sent.records.len();
        for key in 0..KEYS {
            simulation.send_value(key, b" 2");
        }
        simulation.run_for(time);
        let outcomes = simulation.sent.outcomes.clone();
        let outcome = |number| outcomes.0.lock().unwrap()[&number][0];
        let told: Vec<_> = (first..first + KEYS).map(outcome).collect();
        assert!(told.contains(&Err(Failed::Refused(100))), "{told:?}");
        for told in told {
            assert!(matches!(told, Ok((0, _)) | Err(Failed::Refused(100))));
        }
        for key in 0..KEYS {
            simulation.send_value(key, b" 3");
        }
        simulation.run_for(Duration::from_secs(1));
        for number in first + KEYS..first + 2 * KEYS {
            assert!(matches!(outcome(number), Ok((0, _))));
        }
    }
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

    #[test]
    fn nothing_is_reordered_in_a_topic_that_is_created_again(seed in any::<u64>()) {
        run_with_recreated_topic(seed);
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
        run_with_recreated_topic(seed);
        run_with_damaged_answers(seed);
    });
}
