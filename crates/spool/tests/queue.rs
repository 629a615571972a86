//! Queue without faults.

mod common;

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

use common::{Place, append, append_many, copy_files, numbers, read_all, record};
use herald_spool::{
    DeadLetterAction, DeadLetterRequest, FailedAttempt, Found, Headers, Inspector, LateRecord,
    Limit, Record, Sequence, Spool, SpoolError,
};

fn request(sequence: Sequence) -> DeadLetterRequest {
    DeadLetterRequest {
        sequence,
        reason: "too_large".to_owned(),
        error: "the broker takes 1 MB".to_owned(),
    }
}

#[test]
fn reads_a_record_as_appended() {
    let place = Place::new();
    let spool = place.open();
    let micros = Duration::from_micros(1_795_444_000_123_456);
    let mut appended = record(1)
        .with_header("empty", "")
        .with_header("bytes", [0, 255]);
    appended.created = SystemTime::UNIX_EPOCH + micros;
    appended.attempts = 3;
    appended.not_before = Some(SystemTime::UNIX_EPOCH + micros * 2);
    let keyless = Record {
        key: None,
        headers: Headers::default(),
        ..appended.clone()
    };
    for record in [&appended, &keyless] {
        spool.append(record.clone()).unwrap().wait().unwrap();
    }
    let read: Vec<_> = read_all(&spool).into_iter().map(|s| s.record).collect();
    assert_eq!(read, [appended, keyless]);
}

#[test]
fn reads_records_in_order_after_reopening() {
    let place = Place::new();
    let spool = place.open();
    let sequences = append_many(&spool, 0..50);
    assert!(sequences.is_sorted() && sequences.len() == 50);
    spool.close().unwrap();
    let spool = place.open();
    append_many(&spool, 50..60);
    assert_eq!(numbers(&spool), (0..60).collect::<Vec<_>>());
}

#[test]
fn never_reuses_a_sequence() {
    let place = Place::new();
    let spool = place.open();
    let first = append(&spool, 1);
    spool.acknowledge(vec![first]).unwrap().wait().unwrap();
    spool.close().unwrap();
    std::fs::remove_file(place.database()).unwrap();
    let spool = place.open();
    assert!(
        append(&spool, 2) > first,
        "not even after an empty spool was deleted"
    );
}

#[test]
fn bounds_a_batch_by_count_and_bytes() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..10);
    let weight = record(0).weight();
    let batch = |limit, bytes, after| spool.next_batch(limit, bytes, after).unwrap();
    assert_eq!(batch(3, u64::MAX, Sequence::START).records.len(), 3);
    assert_eq!(batch(10, 4 * weight, Sequence::START).records.len(), 4);
    assert_eq!(batch(10, 1, Sequence::START).records.len(), 1);
    let last = batch(10, u64::MAX, Sequence::START).last.unwrap();
    assert_eq!(batch(10, u64::MAX, last), herald_spool::Batch::default());
}

#[test]
fn removes_only_the_acknowledged_record() {
    let place = Place::new();
    let spool = place.open();
    let sequences = append_many(&spool, 0..4);
    let gone = vec![sequences[0], sequences[2], sequences[2], Sequence::new(99)];
    assert_eq!(spool.acknowledge(gone).unwrap().wait().unwrap(), 2);
    assert_eq!(numbers(&spool), [1, 3]);
    assert_eq!(spool.depth().unwrap(), 2);
}

/// More rows than the opening counts by key itself.
const MANY: u64 = 12_000;

/// Creates a record with a key of its own.
fn unique(number: u64) -> Record {
    Record::new("orders", format!("payload {number}")).with_key(format!("unique-{number}"))
}

fn holds_unique(spool: &Spool, number: u64) -> bool {
    let key = format!("unique-{number}");
    spool.holds_key("orders", Some(key.as_bytes())).unwrap()
}

/// Waits until the rows are counted: from then on a key without rows is free.
fn wait_for_count(spool: &Spool) {
    let started = Instant::now();
    while holds_unique(spool, u64::MAX) {
        assert!(started.elapsed() < Duration::from_secs(30), "not counted");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn assert_held(spool: &Spool, numbers: std::ops::Range<u64>, held: bool) {
    for number in numbers {
        assert_eq!(holds_unique(spool, number), held, "{number}");
    }
}

#[test]
fn counts_keys_while_rows_are_removed_and_appended() {
    let place = Place::new();
    let spool = place.open();
    let appended = spool.append_all((0..MANY).map(unique).collect());
    let sequences: Vec<_> = appended.unwrap().wait().unwrap().iter().collect();
    spool.close().unwrap();
    let spool = place.open();
    let mut removed = Vec::new();
    let mut returned = Vec::new();
    // From both ends: some are counted before they are removed, and some are not.
    for step in 0..20 {
        for range in [
            step * 200..(step + 1) * 200,
            11_800 - step * 200..12_000 - step * 200,
        ] {
            let leaving = sequences[range].to_vec();
            removed.push(spool.acknowledge(leaving).unwrap());
        }
        returned.push(spool.append(unique(step as u64)).unwrap());
    }
    assert_held(&spool, 4000..8000, true);
    assert_held(&spool, 0..20, true);
    for pending in removed {
        assert_eq!(pending.wait().unwrap(), 200);
    }
    for pending in returned {
        pending.wait().unwrap();
    }
    wait_for_count(&spool);
    assert_held(&spool, 0..20, true);
    assert_held(&spool, 20..4000, false);
    assert_held(&spool, 4000..8000, true);
    assert_held(&spool, 8000..MANY, false);
    let left = sequences[4000..8000].to_vec();
    spool.acknowledge(left).unwrap().wait().unwrap();
    assert_held(&spool, 4000..8000, false);
    assert_eq!(spool.depth().unwrap(), 20);
}

#[test]
fn closes_while_keys_are_counted() {
    let place = Place::new();
    let spool = place.open();
    let appended = spool.append_all((0..MANY).map(unique).collect()).unwrap();
    appended.wait().unwrap();
    spool.close().unwrap();
    for _ in 0..5 {
        place.open().close().unwrap();
    }
    // A power cut meanwhile.
    let running = place.open();
    let other = Place::new();
    copy_files(&place.database(), &other.database());
    drop(running);
    let spool = other.open();
    wait_for_count(&spool);
    assert_held(&spool, 0..MANY, true);
    assert!(spool.verify().unwrap().is_sound());
}

#[test]
fn assigns_adjacent_sequences_to_records_appended_together() {
    let place = Place::new();
    let spool = place.open();
    let records = (0..5).map(record).collect();
    let range = spool.append_all(records).unwrap().wait().unwrap();
    let read: Vec<_> = read_all(&spool).into_iter().map(|s| s.sequence).collect();
    assert_eq!(range.iter().collect::<Vec<_>>(), read);
    let none = spool.append_all(Vec::new()).unwrap().wait().unwrap();
    assert_eq!(none.count, 0);
}

#[test]
fn holds_a_key_from_append_to_last_acknowledgement() {
    let place = Place::new();
    let spool = place.open();
    let holds = |spool: &Spool| spool.holds_key("orders", Some(b"key-1")).unwrap();
    assert!(!holds(&spool));
    let pending = spool.append(record(1)).unwrap();
    assert!(holds(&spool), "before the commit too");
    let first = pending.wait().unwrap();
    let second = append(&spool, 6);
    spool.acknowledge(vec![first]).unwrap().wait().unwrap();
    assert!(holds(&spool));
    spool.close().unwrap();
    let spool = place.open();
    assert!(holds(&spool), "counted anew by opening");
    spool.acknowledge(vec![second]).unwrap().wait().unwrap();
    assert!(!holds(&spool));
    assert!(!spool.holds_key("orders", None).unwrap());
    assert!(!spool.holds_key("other", Some(b"key-1")).unwrap());
}

#[test]
fn stores_failed_attempts_across_restarts() {
    let place = Place::new();
    let spool = place.open();
    let sequence = append(&spool, 1);
    let not_before = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    for error in ["no route", &"ü".repeat(5000)] {
        let attempt = FailedAttempt {
            sequence,
            not_before: Some(not_before),
            error: error.to_owned(),
        };
        assert_eq!(
            spool.note_attempts(vec![attempt]).unwrap().wait().unwrap(),
            1
        );
    }
    spool.close().unwrap();
    let spool = place.open();
    let [stored] = read_all(&spool).try_into().unwrap();
    assert_eq!(stored.sequence, sequence);
    assert_eq!(stored.record.attempts, 2);
    assert_eq!(stored.record.not_before, Some(not_before));
    assert_eq!(stored.last_error.unwrap(), "ü".repeat(1024));
    assert!(spool.verify().unwrap().is_sound());
}

#[test]
fn keeps_a_dead_letter_with_its_reason_and_retries_it_at_the_end() {
    let place = Place::new();
    let spool = place.open();
    let sequences = append_many(&spool, 0..3);
    assert_eq!(
        spool
            .dead_letter(vec![request(sequences[0])])
            .unwrap()
            .wait()
            .unwrap(),
        1
    );
    assert_eq!(numbers(&spool), [1, 2]);
    assert!(!spool.holds_key("orders", Some(b"key-0")).unwrap());

    let [letter] = spool
        .dead_letters(10, u64::MAX, Sequence::START)
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(
        (letter.sequence, letter.reason.as_str()),
        (sequences[0], "too_large")
    );
    let stored = letter.stored.clone().unwrap();
    assert_eq!(stored.record.payload, record(0).payload);
    assert_eq!(stored.last_error.as_deref(), Some("the broker takes 1 MB"));
    assert_eq!(spool.find(sequences[0]).unwrap(), Some(Found::Dead(letter)));

    assert_eq!(
        spool
            .retry_dead(vec![sequences[0]])
            .unwrap()
            .wait()
            .unwrap(),
        1
    );
    assert_eq!(numbers(&spool), [1, 2, 0]);
    assert!(spool.holds_key("orders", Some(b"key-0")).unwrap());
    assert_eq!(spool.find(sequences[0]).unwrap(), None);
}

#[test]
fn drops_a_dead_letter_only_on_request() {
    let place = Place::new();
    let spool = place.open();
    let pending = spool
        .append_dead(record(1), "unauthorized", "denied by the topic")
        .unwrap();
    let sequence = pending.wait().unwrap();
    assert!(!spool.holds_key("orders", Some(b"key-1")).unwrap());
    assert_eq!(spool.stats().unwrap().dead, 1);
    assert_eq!(spool.drop_dead(vec![sequence]).unwrap().wait().unwrap(), 1);
    assert_eq!(spool.drop_dead(vec![sequence]).unwrap().wait().unwrap(), 0);
    let stats = spool.stats().unwrap();
    assert_eq!((stats.dead, stats.dead_bytes), (0, 0));
}

#[test]
fn fails_while_full_and_continues_when_there_is_room() {
    let place = Place::new();
    let (spool, _) = Spool::open(place.options().max_records(3)).unwrap();
    let sequences = append_many(&spool, 0..3);
    let error = spool.append(record(3)).unwrap_err();
    let full = SpoolError::Full {
        limit: Limit::Records,
        max: 3,
    };
    assert_eq!(error, full);
    assert!(error.is_retriable() && error.code() == "spool_full");
    assert!(!spool.holds_key("orders", Some(b"key-3")).unwrap());

    spool
        .dead_letter(vec![request(sequences[0])])
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(
        spool.append(record(3)).unwrap_err(),
        full,
        "dead letters count"
    );
    spool
        .acknowledge(vec![sequences[1]])
        .unwrap()
        .wait()
        .unwrap();
    append(&spool, 3);
    assert_eq!(numbers(&spool), [2, 3]);
}

#[test]
fn bounds_bytes_before_the_commit_and_after_reopening() {
    let place = Place::new();
    let weight = record(0).weight();
    let options = place.options().max_bytes(3 * weight);
    let (spool, _) = Spool::open(options.clone()).unwrap();
    let pending: Vec<_> = (0..3).map(|n| spool.append(record(n)).unwrap()).collect();
    let error = spool.append(record(3)).unwrap_err();
    assert_eq!(
        error,
        SpoolError::Full {
            limit: Limit::Bytes,
            max: 3 * weight
        }
    );
    for pending in pending {
        pending.wait().unwrap();
    }
    assert_eq!(spool.stats().unwrap().bytes, 3 * weight);
    spool.close().unwrap();
    let (spool, _) = Spool::open(options).unwrap();
    assert_eq!(spool.append(record(3)).unwrap_err(), error);
}

#[test]
fn rejects_only_the_record_that_is_too_large() {
    let place = Place::new();
    let (spool, _) = Spool::open(place.options().max_record_bytes(500)).unwrap();
    let error = spool
        .append(Record::new("orders", vec![0; 500]))
        .unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.is_retriable()),
        ("spool_record_too_large", false)
    );
    append(&spool, 1);
}

#[test]
fn appends_wait_for_room_and_none_is_dropped() {
    let place = Place::new();
    let (spool, _) = Spool::open(place.options().queue_records(2).queue_bytes(1)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let spool = &spool;
            scope.spawn(move || append_many(spool, thread * 100..thread * 100 + 25));
        }
    });
    let mut read = numbers(&spool);
    for thread in 0..8 {
        let of_thread = read.iter().filter(|n| *n / 100 == thread);
        assert!(of_thread.is_sorted(), "the order of each thread is kept");
    }
    read.sort_unstable();
    assert_eq!(read.len(), 200);
    read.dedup();
    assert_eq!(read.len(), 200);
}

#[test]
fn many_appends_share_a_commit() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..2000);
    let commits = spool.stats().unwrap().commits;
    assert!(commits.commits < 1000, "{commits:?}");
    assert!(commits.longest <= commits.time);
}

/// Record that is made late, if at all.
struct Late {
    record: Option<Record>,
    receipts: Option<mpsc::Sender<Result<Sequence, SpoolError>>>,
}

impl LateRecord for Late {
    fn take(&self) -> Option<Record> {
        self.record.clone()
    }

    fn stored(&self, outcome: Result<Sequence, SpoolError>) {
        let receipts = self.receipts.as_ref();
        receipts.expect("the caller panics").send(outcome).unwrap();
    }
}

fn append_late(spool: &Spool, like: &Record, late: Late) {
    spool
        .append_late(
            herald_spool::key_hash(&like.topic, like.key.as_deref()),
            like.weight(),
            Arc::new(late),
        )
        .unwrap();
}

#[test]
fn record_that_is_not_needed_any_more_is_not_stored_and_frees_its_key() {
    let place = Place::new();
    let spool = place.open();
    let (sender, receipts) = mpsc::channel();
    for number in 0..100 {
        let like = record(number).with_key("of one");
        append_late(
            &spool,
            &like,
            Late {
                record: (number == 50).then(|| like.clone()),
                receipts: Some(sender.clone()),
            },
        );
    }
    let receipt = receipts.recv().unwrap().unwrap();
    append(&spool, 100);
    assert_eq!(spool.depth().unwrap(), 2);
    let like = record(50).with_key("of one");
    assert!(spool.holds_key(&like.topic, like.key.as_deref()).unwrap());
    spool.acknowledge(vec![receipt]).unwrap().wait().unwrap();
    assert!(!spool.holds_key(&like.topic, like.key.as_deref()).unwrap());
    assert!(receipts.try_recv().is_err(), "only one was stored");
    // The room of those that were not stored is free again.
    let stats = spool.stats().unwrap();
    assert_eq!((stats.records, stats.bytes), (1, record(100).weight()));
}

#[test]
fn callback_gets_the_receipt_and_may_panic() {
    let place = Place::new();
    let spool = place.open();
    let (sender, receipts) = mpsc::channel();
    for (number, receipts) in [(1, None), (2, Some(sender))] {
        let late = Late {
            record: Some(record(number)),
            receipts,
        };
        append_late(&spool, &record(number), late);
    }
    let receipt = receipts.recv().unwrap().unwrap();
    assert!(matches!(
        spool.find(receipt).unwrap(),
        Some(Found::Queued(_))
    ));
    append(&spool, 3);
}

#[test]
fn append_can_be_awaited_without_a_runtime() {
    let place = Place::new();
    let (spool, _) = Spool::open(place.options().queue_records(1)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..20 {
                    block_on(spool.append_async(record(thread * 100 + number))).unwrap();
                }
            });
        }
    });
    assert_eq!(numbers(&spool).len(), 80);
    drop(spool.append_async(record(999)));
    let sequence = block_on(spool.append(record(1000)).unwrap()).unwrap();
    assert!(matches!(
        spool.find(sequence).unwrap(),
        Some(Found::Queued(_))
    ));
    assert_eq!(
        numbers(&spool).len(),
        81,
        "dropped before it was polled, it appends nothing"
    );
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

#[test]
fn closing_and_dropping_complete_waiting_operations() {
    let place = Place::new();
    for round in 0..2_u64 {
        let spool = place.open();
        let numbers = round * 500..(round + 1) * 500;
        let pending: Vec<_> = numbers.map(|n| spool.append(record(n)).unwrap()).collect();
        if round == 0 {
            spool.close().unwrap();
        } else {
            drop(spool);
        }
        assert!(pending.into_iter().all(|pending| pending.wait().is_ok()));
    }
    let log = std::fs::read(place.beside("-wal")).unwrap();
    assert!(
        log.iter().all(|byte| *byte == 0),
        "the log is in the database, and its space is reserved"
    );
    assert_eq!(numbers(&place.open()), (0..1000).collect::<Vec<_>>());
}

#[test]
fn reports_depth_bytes_age_and_commits() {
    let place = Place::new();
    let spool = place.open();
    assert_eq!(spool.stats().unwrap().oldest_age(SystemTime::now()), None);
    let mut old = record(1);
    let now = SystemTime::now();
    old.created = now - Duration::from_secs(90);
    spool.append(old).unwrap().wait().unwrap();
    append(&spool, 2);
    let stats = spool.stats().unwrap();
    assert_eq!((stats.records, stats.bytes), (2, 2 * record(1).weight()));
    assert_eq!(stats.oldest_age(now).unwrap().as_secs(), 90);
    assert_eq!((stats.commits.commits, stats.commits.failed), (2, 0));
    assert!(stats.file_bytes > 0);
}

#[test]
fn gives_space_back_after_an_outage() {
    let place = Place::new();
    let (spool, _) = Spool::open(place.options().checkpoint_bytes(1024 * 1024)).unwrap();
    let big = || Record::new("orders", vec![7; 64 * 1024]);
    let range = spool
        .append_all((0..800).map(|_| big()).collect())
        .unwrap()
        .wait()
        .unwrap();
    append(&spool, 1);
    let full = spool.stats().unwrap().file_bytes;
    spool.acknowledge(range.iter()).unwrap().wait().unwrap();
    // Each commit is followed by a piece of upkeep.
    for number in 0..40 {
        append(&spool, number);
    }
    spool.close().unwrap();
    let left = std::fs::metadata(place.database()).unwrap().len();
    assert!(left * 2 < full, "{left} of {full} bytes are left");
    assert_eq!(numbers(&place.open()).len(), 41);
}

#[test]
fn inspector_reads_committed_records_beside_the_owner() {
    let place = Place::new();
    let missing = Inspector::open(place.database()).err().unwrap();
    assert_eq!(missing.code(), "spool_not_found");
    let spool = place.open();
    let sequence = append(&spool, 1);
    let inspector = Inspector::open(place.database()).unwrap();
    append(&spool, 2);
    let status = inspector.status().unwrap();
    assert_eq!((status.records, status.owned), (2, true));
    assert_eq!(status.owner, Some(std::process::id()));
    assert_eq!(
        inspector
            .batch(10, u64::MAX, Sequence::START)
            .unwrap()
            .records
            .len(),
        2
    );
    assert!(matches!(
        inspector.find(sequence).unwrap(),
        Some(Found::Queued(_))
    ));
    let verification = inspector.verify().unwrap();
    assert!(verification.is_sound() && verification.records == 2);
    spool.close().unwrap();
    assert!(!inspector.status().unwrap().owned);
}

#[test]
fn owner_serves_requests_of_another_process() {
    let place = Place::new();
    let spool = place.open();
    let sequences = append_many(&spool, 0..3);
    spool
        .dead_letter(sequences.iter().copied().map(request).collect())
        .unwrap()
        .wait()
        .unwrap();
    let inspector = Inspector::open(place.database()).unwrap();
    let first = inspector
        .ask(DeadLetterAction::Retry, &sequences[..1])
        .unwrap();
    let second = inspector
        .ask(DeadLetterAction::Drop, &sequences[1..2])
        .unwrap();
    while inspector.pending_sequences(second).unwrap() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(inspector.pending_sequences(first).unwrap(), 0);
    let status = inspector.status().unwrap();
    assert_eq!((status.records, status.dead), (1, 1));
    assert_eq!(numbers(&spool), [0]);
}

#[test]
fn next_owner_serves_waiting_requests() {
    let place = Place::new();
    let spool = place.open();
    let sequence = append(&spool, 7);
    spool
        .dead_letter(vec![request(sequence)])
        .unwrap()
        .wait()
        .unwrap();
    spool.close().unwrap();
    let inspector = Inspector::open(place.database()).unwrap();
    let request = inspector
        .ask(DeadLetterAction::Retry, &[sequence, Sequence::new(99)])
        .unwrap();
    assert_eq!(inspector.pending_sequences(request).unwrap(), 2);
    assert_eq!(inspector.status().unwrap().requests, 2);
    let spool = place.open();
    append(&spool, 8);
    while inspector.pending_sequences(request).unwrap() > 0 {
        std::thread::yield_now();
    }
    let mut served = numbers(&spool);
    served.sort_unstable();
    assert_eq!(served, [7, 8]);
}

#[cfg(unix)]
#[test]
fn files_and_new_folders_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let folder = place.folder.path().join("a/b");
    let path = folder.join("spool.db");
    let (spool, _) = Spool::open(herald_spool::SpoolOptions::new(&path)).unwrap();
    append(&spool, 1);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for suffix in ["", "-wal", "-shm", ".lock", ".commits"] {
        assert_eq!(mode(&common::beside(&path, suffix)), 0o600, "{suffix}");
    }
}

#[test]
fn rows_of_removed_records_are_deleted_while_nothing_is_written() {
    let place = Place::new();
    let spool = place.open();
    let sequences = append_many(&spool, 0..100);
    let first = sequences[..60].iter().copied();
    spool.acknowledge(first).unwrap().wait().unwrap();
    while place.rows_in_file() > 40 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(numbers(&spool).into_iter().eq(60..100));
    assert!(spool.verify().unwrap().is_sound());
}

#[test]
fn an_emptied_spool_is_closed_without_rows() {
    let place = Place::new();
    let (spool, _) = Spool::open(herald_spool::SpoolOptions::new(place.database())).unwrap();
    let sequences = append_many(&spool, 0..10);
    spool.acknowledge(sequences).unwrap().wait().unwrap();
    assert_eq!(place.rows_in_file(), 10, "they are few");
    spool.close().unwrap();
    assert_eq!(place.rows_in_file(), 0);
}

#[test]
fn appends_use_the_space_of_removed_records() {
    let place = Place::new();
    let spool = place.open();
    let mut sequences = std::collections::VecDeque::from(append_many(&spool, 0..50));
    for round in 1..200 {
        sequences.extend(append_many(&spool, round * 50..(round + 1) * 50));
        // The queue is never empty.
        let first: Vec<_> = sequences.drain(..50).collect();
        spool.acknowledge(first).unwrap().wait().unwrap();
        assert!(place.rows_in_file() < 1000, "round {round}");
    }
}
