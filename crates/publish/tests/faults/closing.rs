//! The publisher is closed while Kafka is unavailable.

use std::time::Duration;

use herald_publish::{Mode, Publisher};

use crate::cluster::{self, Cluster, skipped};
use crate::fixture::{Fixture, close_within, finish, kafka};
use crate::ledger::Outcome;
use crate::load::Load;
use crate::proxy::Network;

/// Closes in the midst of a fault; the next publisher delivers what was left.
fn closed_in(case: &str, mode: Mode, time: Duration, fault: impl FnOnce(&Network)) {
    let Some(cluster) = Cluster::up() else { return };
    let Some(network) = Network::before(cluster.servers()) else {
        return skipped("the brokers are not named by IPv4 addresses");
    };
    let (fixture, topic) = (Fixture::new(), cluster::topic(cluster.servers()));
    let options = || fixture.options(kafka(network.servers())).mode(mode);
    let publisher = Publisher::open(options()).unwrap();
    let load = Load::burst(&topic, 2000);
    let mut ledger = load.run(&publisher);
    fault(&network);
    // Under way when it closes: nobody has a receipt yet.
    let open: Vec<_> = (1_000_000..1_000_500)
        .map(|number| {
            let event = crate::event::Event { key: 1, number };
            (
                event,
                publisher
                    .blocking_enqueue(event.message(&topic, 100))
                    .unwrap(),
            )
        })
        .collect();
    let closed = close_within(publisher, time);
    let mut open_outcomes = Vec::new();
    for (event, pending) in open {
        let outcome = Outcome::from(pending.wait());
        open_outcomes.push(outcome.clone());
        ledger.note(event, outcome);
    }
    assert_eq!(closed.failed, 0);
    let found = fixture.found();
    assert_eq!(found.queued.len() as u64, closed.spooled);
    if mode == Mode::Direct {
        // A broker that has just started may be slow enough for some of the load to be spooled, and
        // to be delivered before the close.
        let spooled = open_outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Spooled)
            .count();
        let spooled_at_close = closed.spooled;
        assert!(
            spooled as u64 <= spooled_at_close && spooled >= 500,
            "{spooled} events spooled, {spooled_at_close} of them at the close"
        );
    }

    network.mend();
    finish(Publisher::open(options()).unwrap());
    let account = fixture.account(&ledger, cluster.servers(), &topic);
    account.show(&format!("{case}, {mode:?}"));
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn close_without_responses_leaves_all_events_in_the_spool() {
    let time = Duration::from_secs(1);
    for mode in [Mode::Direct, Mode::WriteAhead] {
        closed_in("closed while muted", mode, time, Network::mute);
    }
}

#[test]
fn close_without_a_network_leaves_all_events_in_the_spool() {
    let time = Duration::from_secs(60);
    for mode in [Mode::Direct, Mode::WriteAhead] {
        closed_in("closed while cut", mode, time, Network::cut);
    }
}
