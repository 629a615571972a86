//! The one broker goes away and comes back.

use std::thread::sleep;
use std::time::Duration;

use herald_publish::{Mode, Publisher};

use crate::cluster::{self, Nodes};
use crate::fixture::{Fixture, finish, kafka};
use crate::load::Load;

#[test]
fn no_broker_at_start() {
    let Some(nodes) = Nodes::take(1) else { return };
    let (fixture, topic) = (Fixture::new(), cluster::topic(nodes.servers()));
    nodes.node(1, "stop");
    let publisher = Publisher::open(fixture.kafka(nodes.servers())).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        progress.wait_for_spooled(1000);
        nodes.node(1, "start");
        progress.wait_for_delivered(1000);
    });
    finish(publisher);
    let account = fixture.account(&ledger, nodes.servers(), &topic);
    account.show("no broker at the start, one later");
    account.assert_no_errors();
    account.assert_kept();
}

/// Load before, in and after an outage.
fn through(case: &str, mode: Mode, properties: &[(&str, &str)], outage: impl FnOnce(&Nodes)) {
    let Some(nodes) = Nodes::take(1) else { return };
    let (fixture, topic) = (Fixture::new(), cluster::topic(nodes.servers()));
    let kafka = properties
        .iter()
        .fold(kafka(nodes.servers()), |kafka, (name, value)| {
            kafka.property(*name, *value)
        });
    let publisher = Publisher::open(fixture.options(kafka).mode(mode)).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        progress.wait_for_usual(mode, 1000);
        outage(&nodes);
        progress.wait_for_usual(mode, 1000);
    });
    finish(publisher);
    let account = fixture.account(&ledger, nodes.servers(), &topic);
    account.show(case);
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn broker_stopped_and_started() {
    through("broker stopped and started", Mode::Direct, &[], |nodes| {
        nodes.node(1, "stop");
        nodes.node(1, "start");
    });
}

#[test]
fn broker_killed_and_started() {
    through("broker killed and started", Mode::Direct, &[], |nodes| {
        nodes.node(1, "kill");
        nodes.node(1, "start");
    });
}

#[test]
fn broker_killed_in_write_ahead_mode() {
    through(
        "broker killed, write-ahead",
        Mode::WriteAhead,
        &[],
        |nodes| {
            nodes.node(1, "kill");
            nodes.node(1, "start");
        },
    );
}

#[test]
fn broker_frozen_beyond_the_deadline() {
    through(
        "broker paused past the deadline",
        Mode::Direct,
        &[],
        |nodes| {
            nodes.node(1, "pause");
            sleep(Duration::from_secs(4));
            nodes.node(1, "resume");
        },
    );
}

#[test]
fn broker_frozen_beyond_the_socket_timeout() {
    let impatient = [
        ("socket.timeout.ms", "2000"),
        ("request.timeout.ms", "1500"),
    ];
    let case = "broker paused past the socket's time-out";
    through(case, Mode::Direct, &impatient, |nodes| {
        nodes.node(1, "pause");
        sleep(Duration::from_secs(6));
        nodes.node(1, "resume");
    });
}
