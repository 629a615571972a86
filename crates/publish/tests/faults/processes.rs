//! More than one process.

use std::sync::Arc;

use herald_publish::kafka::KafkaOptions;
use herald_publish::spool::{SpoolOptions, WhenOwned};
use herald_publish::{Mode, PublishError, Publisher};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::child::{Task, show_balances};
use crate::cluster::{self, Cluster};
use crate::event::Event;
use crate::fixture::{self, Fixture, finish, found_in};
use crate::ledger::Ledger;
use crate::load::Load;

/// Forks with events under way. The child must get errors and end; the parent must not notice.
fn fork_under_load(task: &Task) {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap();
    let fixture = Fixture::at(&task.spool);
    let publisher = Publisher::open(fixture.kafka(&servers)).unwrap();
    let mut ledger = Load::burst(&task.topic, 500).run(&publisher);
    let event = |number| Event { key: 1, number };
    let enqueue = |number| {
        let message = event(number).message(&task.topic, 100);
        publisher.blocking_enqueue(message)
    };
    let pending = enqueue(1_000_000).unwrap();
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let refused = [
                pending.wait().err(),
                enqueue(2_000_000).err(),
                publisher.close(crate::load::LONG).err(),
            ];
            let forked = |error: &Option<PublishError>| {
                error.as_ref().is_some_and(|error| error.code() == "forked")
            };
            std::process::exit(i32::from(!refused.iter().all(forked)));
        }
        fork::Fork::Parent(child) => {
            let (_, status) = waitpid(Pid::from_raw(child), WaitOptions::empty())
                .unwrap()
                .unwrap();
            assert_eq!(status.exit_status(), Some(0), "the child got errors");
            ledger.note(event(1_000_000), pending.wait().into());
            ledger.append(
                Load::burst(&task.topic, 500)
                    .starting_at(3_000_000)
                    .run(&publisher),
            );
            finish(publisher);
            let account = fixture.account(&ledger, &servers, &task.topic);
            account.show("a fork under load");
            account.assert_no_errors();
            account.assert_kept();
        }
    }
}

#[test]
fn forked_child_gets_errors_and_the_parent_continues() {
    if let Some(task) = Task::of_this_process() {
        return fork_under_load(&task);
    }
    let Some(cluster) = Cluster::up() else { return };
    // In a process of its own, because a fork copies the threads of no other case then.
    let fixture = Fixture::new();
    let task = Task {
        spool: fixture.spool(),
        topic: cluster::topic(cluster.servers()),
        mode: Mode::Direct,
        first_number: 0,
    };
    let case = "processes::forked_child_gets_errors_and_the_parent_continues";
    let output = task.command(case).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    show_balances(&output.stderr);
}

#[test]
fn second_publisher_fails_or_gets_a_numbered_spool() {
    let Some(cluster) = Cluster::up() else { return };
    let (fixture, topic) = (Fixture::new(), cluster::topic(cluster.servers()));
    let first = Arc::new(Publisher::open(fixture.kafka(cluster.servers())).unwrap());
    let error = Publisher::open(fixture.kafka(cluster.servers())).unwrap_err();
    assert_eq!(error.code(), "spool_owned");
    assert!(error.is_retriable());
    assert!(error.to_string().contains(&std::process::id().to_string()));

    // With numbered spools both go on through an outage of their own.
    let spool = SpoolOptions::new(fixture.spool()).when_owned(WhenOwned::Numbered { max: 1 });
    let kafka = KafkaOptions::new("127.0.0.1:1");
    let second = Publisher::open(fixture.options(kafka).spool(spool.clone())).unwrap();
    let mut ledger = Ledger::default();
    ledger.append(Load::burst(&topic, 500).run(&first));
    let others = Load {
        first_number: 1_000_000,
        ..Load::burst(&topic, 500)
    };
    ledger.append(others.run(&second));
    let closed = second.close(crate::load::LONG).unwrap();
    assert_eq!(closed.spooled, 500);
    let kafka = fixture::kafka(cluster.servers());
    let second = Publisher::open(fixture.options(kafka).spool(spool)).unwrap();
    finish(second);
    finish(Arc::into_inner(first).unwrap());
    let numbered = fixture.spool().with_file_name("spool-1.db");
    assert_eq!(found_in(&numbered).queued, []);
    let account = fixture.account(&ledger, cluster.servers(), &topic);
    account.show("two publishers, numbered spools");
    account.assert_no_errors();
    account.assert_kept();
}
