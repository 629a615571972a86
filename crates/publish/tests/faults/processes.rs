//! More than one process.

use std::sync::Arc;

use herald_publish::kafka::KafkaOptions;
use herald_publish::spool::{SpoolOptions, WhenOwned};
use herald_publish::{Mode, PublishError, Publisher};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::bench::{Bench, finish, found_in};
use crate::child::{Task, show_balances};
use crate::cluster::{self, Cluster};
use crate::event::Event;
use crate::ledger::Ledger;
use crate::load::Load;

/// Forks with events under way. The child must get errors and end; the parent must not notice.
fn fork_under_load(task: &Task) {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap();
    let bench = Bench::at(&task.spool);
    let publisher = Publisher::open(bench.kafka(&servers)).unwrap();
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
            let account = bench.account(&ledger, &servers, &task.topic);
            account.show("a fork under load");
            account.assert_no_errors();
            account.assert_kept();
        }
    }
}

#[test]
fn a_fork_gets_errors_and_its_parent_goes_on() {
    if let Some(task) = Task::of_this_process() {
        return fork_under_load(&task);
    }
    let Some(cluster) = Cluster::up() else { return };
    // In a process of its own, because a fork copies the threads of no other case then.
    let bench = Bench::new();
    let task = Task {
        spool: bench.spool(),
        topic: cluster::topic(cluster.servers()),
        mode: Mode::Direct,
        first_number: 0,
    };
    let case = "processes::a_fork_gets_errors_and_its_parent_goes_on";
    let output = task.command(case).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    show_balances(&output.stderr);
}

#[test]
fn a_second_publisher_on_one_spool_is_told_or_gets_its_own() {
    let Some(cluster) = Cluster::up() else { return };
    let (bench, topic) = (Bench::new(), cluster::topic(cluster.servers()));
    let first = Arc::new(Publisher::open(bench.kafka(cluster.servers())).unwrap());
    let error = Publisher::open(bench.kafka(cluster.servers())).unwrap_err();
    assert_eq!(error.code(), "spool_owned");
    assert!(error.is_retriable());
    assert!(error.to_string().contains(&std::process::id().to_string()));

    // With numbered spools both go on through an outage of their own.
    let spool = SpoolOptions::new(bench.spool()).when_owned(WhenOwned::Numbered { max: 1 });
    let kafka = KafkaOptions::new("127.0.0.1:1");
    let second = Publisher::open(bench.options(kafka).spool(spool.clone())).unwrap();
    let mut ledger = Ledger::default();
    ledger.append(Load::burst(&topic, 500).run(&first));
    let others = Load {
        first_number: 1_000_000,
        ..Load::burst(&topic, 500)
    };
    ledger.append(others.run(&second));
    let closed = second.close(crate::load::LONG).unwrap();
    assert_eq!(closed.spooled, 500);
    let kafka = KafkaOptions::new(cluster.servers());
    let second = Publisher::open(bench.options(kafka).spool(spool)).unwrap();
    finish(second);
    finish(Arc::into_inner(first).unwrap());
    let numbered = bench.spool().with_file_name("spool-1.db");
    assert_eq!(found_in(&numbered).queued, []);
    let account = bench.account(&ledger, cluster.servers(), &topic);
    account.show("two publishers, numbered spools");
    account.assert_no_errors();
    account.assert_kept();
}
