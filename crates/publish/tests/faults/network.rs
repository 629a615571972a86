//! The network between publisher and broker is cut, slowed, or loses what the broker answers.

use std::thread::sleep;
use std::time::Duration;

use herald_publish::Publisher;

use crate::cluster::{self, Cluster, skipped};
use crate::fixture::{Fixture, finish, kafka};
use crate::load::{Load, Progress};
use crate::proxy::Network;

fn through(case: &str, fault: impl FnOnce(&Network, &Progress)) {
    let Some(cluster) = Cluster::up() else { return };
    let Some(network) = Network::before(cluster.servers()) else {
        return skipped("the brokers are not named by IPv4 addresses");
    };
    let (fixture, topic) = (Fixture::new(), cluster::topic(cluster.servers()));
    let kafka = kafka(network.servers())
        .property("socket.timeout.ms", "5000")
        .property("request.timeout.ms", "4000");
    let publisher = Publisher::open(fixture.options(kafka)).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        progress.wait_for_delivered(500);
        fault(&network, progress);
        network.mend();
        progress.wait_for_delivered(500);
    });
    finish(publisher);
    let account = fixture.account(&ledger, cluster.servers(), &topic);
    account.show(case);
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn network_cut() {
    through("network cut", |network, progress| {
        network.cut();
        progress.wait_for_spooled(1500);
    });
}

#[test]
fn repeated_disconnects() {
    through("connections ended ten times", |network, _| {
        for _ in 0..10 {
            network.end_connections();
            sleep(Duration::from_millis(150));
        }
    });
}

#[test]
fn slow_network() {
    through("network slowed to 20 kB/s", |network, progress| {
        network.slow(1000, Duration::from_millis(50));
        progress.wait_for_spooled(1500);
    });
}

#[test]
fn acknowledgements_lost() {
    through("acknowledgements lost", |network, progress| {
        network.mute();
        progress.wait_for_spooled(1500);
    });
}
