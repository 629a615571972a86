//! Topics that the cluster refuses, beside one that it accepts.

use std::thread::sleep;
use std::time::{Duration, Instant};

use herald_publish::{FailureCode, Message, PublishError, Publisher};

use crate::cluster::{self, ANONYMOUS, Cluster, Operation, allow_only, fresh_topic};
use crate::event::Event;
use crate::fixture::{Fixture, finish};
use crate::ledger::Outcome;
use crate::load::Load;

/// Events of the refused topic, and the pause between two of them.
const EVENTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Publishes to a topic that the cluster refuses, and to another one at the same time. Every event
/// of the first is refused with this code, and a text with all of `parts`. The second notices
/// nothing: no event goes to the spool, and none waits longer than usual.
fn beside(case: &str, cluster: &Cluster, refused: &str, code: FailureCode, parts: &[&str]) {
    let (fixture, topic) = (Fixture::new(), cluster::topic(cluster.servers()));
    let alone = cluster::topic(cluster.servers());
    let publisher = Publisher::open(fixture.kafka(cluster.servers())).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        progress.wait_for_delivered(500);
        let longest = std::thread::scope(|scope| {
            let others = scope.spawn(|| longest_wait(&publisher, &alone));
            let pending: Vec<_> = (0..EVENTS)
                .map(|number| {
                    sleep(PAUSE);
                    let key = 100 + u32::try_from(number % 5).unwrap();
                    let event = Event {
                        key,
                        number: number as u64,
                    };
                    let began = Instant::now();
                    let message = event.message(refused, 10);
                    (began, publisher.blocking_enqueue(message).unwrap())
                })
                .collect();
            for (began, pending) in pending {
                let Err(PublishError::Rejected {
                    failure,
                    dead_letter,
                }) = pending.wait()
                else {
                    panic!("the cluster refuses it")
                };
                assert_eq!(failure.code, code, "{failure}");
                assert!(dead_letter.is_some());
                assert!(began.elapsed() < Duration::from_secs(10));
                for part in parts.iter().copied().chain([refused]) {
                    assert!(failure.detail.contains(part), "{failure}");
                }
            }
            others.join().unwrap()
        });
        progress.wait_for_delivered(500);
        assert!(longest < Duration::from_secs(1), "waited {longest:?}");
    });
    let stats = publisher.stats();
    finish(publisher);
    let account = fixture.account(&ledger, cluster.servers(), &topic);
    account.show(case);
    account.assert_no_errors();
    account.assert_kept();
    assert_eq!(ledger.count(|outcome| *outcome == Outcome::Spooled), 0);
    assert_eq!(stats.outages, 0);
}

/// Publishes one event after the other, for as long as the refused ones are published.
fn longest_wait(publisher: &Publisher, topic: &str) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..EVENTS {
        sleep(PAUSE);
        let message = Message::new(topic, Some(b"k"), b"{}".to_vec());
        let began = Instant::now();
        let receipt = publisher.blocking_enqueue(message.unwrap()).unwrap().wait();
        assert!(receipt.unwrap().is_delivered());
        longest = longest.max(began.elapsed());
    }
    longest
}

#[test]
fn missing_topic_does_not_affect_another() {
    let Some(cluster) = Cluster::up() else { return };
    beside(
        "missing topic beside another",
        &cluster,
        &fresh_topic(),
        FailureCode::UnknownTopic,
        &["herald topics apply"],
    );
}

#[test]
fn topic_without_any_right_does_not_affect_another() {
    let Some(cluster) = Cluster::with_authorizer() else {
        return;
    };
    let denied = cluster::topic(cluster.servers());
    allow_only(cluster.servers(), &denied, "User:other", Operation::Write);
    beside(
        "topic without any right beside another",
        &cluster,
        &denied,
        FailureCode::NotAuthorized,
        &["WRITE"],
    );
}

/// The cluster describes such a topic like any other, and refuses its first batch.
#[test]
fn topic_without_the_right_to_write_does_not_affect_another() {
    let Some(cluster) = Cluster::with_authorizer() else {
        return;
    };
    let denied = cluster::topic(cluster.servers());
    allow_only(cluster.servers(), &denied, ANONYMOUS, Operation::Describe);
    beside(
        "topic that may be described, but not written, beside another",
        &cluster,
        &denied,
        FailureCode::NotAuthorized,
        &["WRITE"],
    );
}
