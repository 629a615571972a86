//! `herald spool`, beside an owner and without one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use herald_publish::kafka::DevCluster;
use herald_spool::{FailedAttempt, Record, Sequence, Spool, SpoolOptions};
use serde_json::json;

use crate::spools::{
    TOPIC, aged, append, append_events, dead_letter, delivered, event, flip, signal, until,
};
use crate::support::Sandbox;

const HOURS: Duration = Duration::from_secs(3 * 3600);

/// Control characters, in every place that can contain foreign text.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}";

fn is_harmless(text: &str) -> bool {
    let active = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    !text.contains(active)
}

#[test]
fn missing_spool_path_names_all_sources() {
    let sandbox = Sandbox::new();
    let run = sandbox.herald(&["spool", "status"]).exits(2);
    for way in ["--spool", "HERALD_SPOOL", "herald.yaml"] {
        assert!(run.stderr.contains(way), "{}", run.stderr);
    }
}

#[test]
fn spool_path_precedence() {
    let sandbox = Sandbox::with(&[("herald.yaml", "spool: of-project.db\n"), ("below/x", "")]);
    for name in ["of-project.db", "of-variable.db", "of-argument.db"] {
        Spool::open(SpoolOptions::new(sandbox.path(name))).unwrap();
    }
    let shown = |args: &[&str], variable: &str| {
        let mut command = sandbox.command("below", &[&["spool", "status"], args].concat());
        let output = command.env("HERALD_SPOOL", variable).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(shown(&[], "").contains("of-project.db"));
    assert!(shown(&[], "../of-variable.db").contains("of-variable.db"));
    let argument = ["--spool", "../of-argument.db"];
    assert!(shown(&argument, "../of-variable.db").contains("of-argument.db"));
}

#[test]
fn reports_files_that_are_not_spools() {
    let sandbox = Sandbox::with(&[("notes.txt", "x".repeat(5000).as_str()), ("empty.db", "")]);
    let refused = |path: &str| {
        let run = sandbox.herald(&["spool", "list", "--spool", path]);
        run.exits(2).stderr
    };
    assert!(refused("missing.db").contains("there is no spool at missing.db"));
    assert!(refused("empty.db").contains("there is no spool at empty.db"));
    assert!(refused(".").contains("spool.db"), "{}", refused("."));
    assert!(!sandbox.exists("missing.db"), "looking makes nothing");
    let run = sandbox.herald(&["spool", "verify", "--spool", "notes.txt"]);
    assert!(run.exits(1).stdout.contains("not a database"));
}

#[test]
fn status_reports_conditions_that_need_attention() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let run = sandbox.spool(&["status"]).exits(0);
    assert!(run.stdout.contains("healthy"), "{}", run.stdout);
    append(&spool, aged(event(1), HOURS));
    let run = sandbox.spool(&["status"]).exits(0);
    let process = format!("process {}", std::process::id());
    for part in ["1 record", "oldest 3 hours old", &process] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }

    sandbox.spool(&["status", "--max-age", "4h"]).exits(0);
    let run = sandbox.spool(&["status", "--max-age", "30m"]).exits(1);
    assert!(
        run.stdout.contains("has waited for 3 hours"),
        "{}",
        run.stdout
    );
    sandbox.spool(&["status", "--max-records", "1"]).exits(0);
    sandbox.spool(&["status", "--max-records", "0"]).exits(1);

    let sequences = append_events(&spool, 2..4);
    dead_letter(&spool, &sequences, "too_large");
    let run = sandbox.spool(&["status"]).exits(1);
    assert!(run.stdout.contains("2 dead letters"), "{}", run.stdout);
    spool.drop_dead(sequences).unwrap().wait().unwrap();
    spool.close().unwrap();
    let run = sandbox.spool(&["status"]).exits(1);
    assert!(run.stdout.contains("no process has the spool open"));
}

#[test]
fn status_as_json_has_all_fields() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append(&spool, aged(event(1), HOURS));
    let sequences = append_events(&spool, 2..3);
    dead_letter(&spool, &sequences, "too_large");
    let run = sandbox.spool(&["status", "--format", "json", "--max-age", "1m"]);
    let status = run.exits(1).json()["spools"][0].clone();
    assert_eq!(status["path"], "spool.db");
    assert_eq!(status["records"], 1);
    assert_eq!(status["bytes"], event(1).weight());
    assert_eq!(status["dead_letters"], 1);
    assert_eq!(status["owner"], std::process::id());
    assert_eq!(status["attention"], json!(["dead_letters", "too_old"]));
    assert!(status["oldest_age_seconds"].as_u64().unwrap() >= 3600);
    assert!(status["file_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn status_of_a_directory_includes_every_spool_in_it() {
    let sandbox = Sandbox::new();
    for name in ["orders.db", "payments.db"] {
        let (spool, _) = Spool::open(SpoolOptions::new(sandbox.path(name))).unwrap();
        append_events(&spool, 0..3);
        spool.close().unwrap();
    }
    std::fs::write(sandbox.path("broken.db"), "no database").unwrap();
    let run = sandbox.herald(&["spool", "status", ".", "--format", "json"]);
    let spools = run.exits(1).json()["spools"].clone();
    assert_eq!(spools.as_array().unwrap().len(), 3, "{spools}");
    assert_eq!(spools[0]["attention"], json!(["damaged"]));
    assert_eq!(spools[1]["path"], "./orders.db");
    assert_eq!(spools[2]["records"], 3);

    std::fs::create_dir(sandbox.path("empty")).unwrap();
    for (directory, part) in [("empty", "there is no spool"), ("absent", "can't be read")] {
        let run = sandbox.herald(&["spool", "status", directory]).exits(2);
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

#[test]
fn status_includes_numbered_spools() {
    let sandbox = Sandbox::new();
    let first = sandbox.own();
    let (second, _) = Spool::open(SpoolOptions::new(sandbox.path("spool-3.db"))).unwrap();
    append_events(&second, 0..7);
    second.close().unwrap();
    let run = sandbox.spool(&["status", "--format", "json"]).exits(1);
    let spools = run.json()["spools"].clone();
    assert_eq!(spools[0]["attention"], json!([]));
    assert_eq!(spools[1]["path"], "spool-3.db");
    assert_eq!(spools[1]["records"], 7);
    assert_eq!(spools[1]["attention"], json!(["no_owner"]));
    drop(first);
}

#[test]
fn list_shows_a_page_and_the_option_for_the_next() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..60);
    let attempt = FailedAttempt {
        sequence: Sequence::new(1),
        not_before: None,
        error: "all brokers are down".to_owned(),
    };
    spool.note_attempts(vec![attempt]).unwrap().wait().unwrap();
    let run = sandbox.spool(&["list"]).exits(0);
    assert_eq!(run.stdout.lines().count(), 51);
    assert!(run.stderr.contains("--after 50"), "{}", run.stderr);
    let line = run.stdout.lines().nth(1).unwrap();
    for part in [
        "1",
        "effect.place.completed",
        TOPIC,
        "order-0",
        "all brokers are down",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let run = sandbox.spool(&["list", "--after", "50"]).exits(0);
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (11, ""));
    let run = sandbox.spool(&["list", "--limit", "0"]).exits(0);
    assert_eq!(run.stdout.lines().count(), 61);
    let run = sandbox.spool(&["list", "--limit", "60"]).exits(0);
    assert_eq!(run.stderr, "", "there is nothing more");
}

#[test]
fn list_pages_through_thousands_of_rows() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..5000);
    let run = sandbox.spool(&["list", "--limit", "0", "--format", "jsonl"]);
    let sequences: Vec<u64> = run
        .exits(0)
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["sequence"].as_u64().unwrap())
        .collect();
    assert!(sequences.into_iter().eq(1..=5000));
}

#[test]
fn list_filters_by_topic_and_event_type() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..3);
    append(
        &spool,
        Record::new("shop.orders.v1", "{}").with_header("event_type", "order.placed"),
    );
    for filter in [
        ["--topic", "shop.orders.v1"],
        ["--event-type", "order.placed"],
    ] {
        let args = [&["list", "--format", "jsonl"], &filter[..]].concat();
        let run = sandbox.spool(&args).exits(0);
        assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
        let line = run.json();
        assert_eq!(line["sequence"], 4);
        assert_eq!(line["key"], json!(null));
        assert_eq!(line["event_type"], "order.placed");
        assert_eq!(line["payload_bytes"], 2);
    }
    let run = sandbox.spool(&["list", "--topic", "other"]).exits(0);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "no records\n")
    );
}

#[test]
fn spool_escapes_control_characters() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let record = Record::new("topic", HOSTILE)
        .with_key(HOSTILE)
        .with_header("event_type", HOSTILE)
        .with_header(HOSTILE, HOSTILE);
    let first = append(&spool, record.clone());
    spool
        .note_attempts(vec![FailedAttempt {
            sequence: first,
            not_before: None,
            error: HOSTILE.to_owned(),
        }])
        .unwrap()
        .wait()
        .unwrap();
    let json = format!("{{\"a\":\"{}\"}}", HOSTILE.replace(['\u{1b}', '\u{7}'], ""));
    append(&spool, Record::new("topic", json));
    let third = append(&spool, record);
    dead_letter(&spool, &[third], HOSTILE);
    for args in [
        &["list"][..],
        &["list", "--format", "jsonl"],
        &["show", "1"],
        &["show", "1", "--format", "json"],
        &["show", "2"],
        &["show", "2", "--format", "json"],
        &["show", "3"],
        &["dead", "list"],
        &["dead", "list", "--format", "jsonl"],
        &["dead", "show", "3"],
        &["verify"],
    ] {
        let run = sandbox.spool(args).exits(0);
        assert!(is_harmless(&run.stdout), "{args:?}: {:?}", run.stdout);
        assert!(is_harmless(&run.stderr), "{args:?}: {:?}", run.stderr);
    }
    // For programs, nothing is lost: escapes say what is there.
    let line = sandbox
        .spool(&["list", "--limit", "1", "--format", "jsonl"])
        .json();
    assert_eq!(line["key"], HOSTILE);
    assert_eq!(line["last_error"], HOSTILE);
    let raw = sandbox
        .spool_command(&["show", "1", "--raw"])
        .output()
        .unwrap();
    assert_eq!(raw.stdout, HOSTILE.as_bytes());
}

#[test]
fn show_prints_payloads_without_changing_them() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let text = r#"{"b":12345678901234567890.10,"a":[],"c":"\u00e9"}"#;
    append(&spool, Record::new(TOPIC, text).with_header("x", [0xff, 0]));
    append(&spool, Record::new(TOPIC, [0xff, 0x00, 0x1b]));
    append(&spool, Record::new(TOPIC, "plain\ntext"));
    let run = sandbox.spool(&["show", "1"]).exits(0);
    let payload =
        "  {\n    \"b\": 12345678901234567890.10,\n    \"a\": [],\n    \"c\": \"\\u00e9\"\n  }\n";
    assert!(run.stdout.ends_with(payload), "{}", run.stdout);
    assert!(run.stdout.contains("x  0xff00"), "{}", run.stdout);
    let run = sandbox.spool(&["show", "1", "--format", "json"]).exits(0);
    assert!(run.stdout.contains("12345678901234567890.10"));
    assert_eq!(run.json()["headers"][0]["value"], json!({"hex": "ff00"}));
    let run = sandbox.spool(&["show", "2"]).exits(0);
    assert!(run.stdout.ends_with("\n  ff001b\n"), "{}", run.stdout);
    let run = sandbox.spool(&["show", "3"]).exits(0);
    assert!(run.stdout.ends_with("\n  plain\n  text\n"));
    for (sequence, bytes) in [("1", text.as_bytes()), ("2", &[0xff, 0x00, 0x1b])] {
        let output = sandbox.spool_command(&["show", sequence, "--raw"]).output();
        assert_eq!(output.unwrap().stdout, bytes);
    }
}

#[test]
fn show_describes_rows_and_reports_missing_ones() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 0..2);
    dead_letter(&spool, &sequences[1..], "too_large");
    let run = sandbox.spool(&["show", "1"]).exits(0);
    assert!(run.stdout.contains("record 1, waiting for delivery"));
    let run = sandbox.spool(&["show", "2"]).exits(0);
    assert!(run.stdout.contains("dead letter 2: too_large"));
    assert!(run.stdout.contains("rejected by the cluster: too_large"));
    sandbox.spool(&["dead", "show", "2"]).exits(0);
    let run = sandbox.spool(&["dead", "show", "1"]).exits(2);
    assert!(run.stderr.contains("not a dead letter"), "{}", run.stderr);
    let run = sandbox.spool(&["show", "99"]).exits(2);
    assert!(run.stderr.contains("no record 99"), "{}", run.stderr);
}

#[test]
fn inspection_does_not_disturb_the_owner() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..3);
    for args in [
        &["status"][..],
        &["list"],
        &["show", "1"],
        &["verify"],
        &["dead", "list"],
    ] {
        sandbox.spool(args).exits(0);
    }
    append_events(&spool, 3..6);
    assert_eq!(spool.depth().unwrap(), 6);
    spool.close().unwrap();
    let database = fs::read(sandbox.spool_path()).unwrap();
    for args in [&["list"][..], &["show", "1"], &["verify"]] {
        sandbox.spool(args).exits(0);
    }
    assert!(fs::read(sandbox.spool_path()).unwrap() == database);
}

#[test]
fn verify_counts_rows_of_a_sound_spool() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 0..3);
    dead_letter(&spool, &sequences[..1], "too_large");
    let run = sandbox.spool(&["verify"]).exits(0);
    assert_eq!(run.stdout, "sound: read 2 records and 1 dead letter\n");
}

#[test]
fn verify_lists_damaged_rows() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..20);
    spool.close().unwrap();
    flip(&sandbox.spool_path(), r#"{"event_id":"e-7"}"#);
    let run = sandbox.spool(&["verify"]).exits(1);
    assert!(
        run.stdout.contains("1 row has a wrong checksum"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("\n  8  waiting"), "{}", run.stdout);
    let run = sandbox.spool(&["list"]).exits(0);
    assert!(run.stdout.contains("(damaged)"), "{}", run.stdout);
    sandbox.spool(&["show", "8"]).exits(0);
    let run = sandbox.spool(&["show", "8", "--raw"]).exits(2);
    assert!(run.stderr.contains("8 is damaged"), "{}", run.stderr);
    // The next owner finds it out when its turn comes.
    let spool = sandbox.own();
    spool.next_batch(100, u64::MAX, Sequence::START).unwrap();
    spool.close().unwrap();
    let run = sandbox.spool(&["dead", "list"]).exits(0);
    assert!(run.stdout.contains("damaged"), "{}", run.stdout);
    let run = sandbox.spool(&["dead", "retry", "8"]).exits(1);
    assert!(run.stderr.contains("can only be dropped"), "{}", run.stderr);
    sandbox.spool(&["dead", "drop", "8", "--yes"]).exits(0);
}

#[test]
fn verify_reports_a_damaged_file_and_the_recovery() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..500);
    spool.close().unwrap();
    let path = sandbox.spool_path();
    let whole = fs::read(&path).unwrap();
    for damaged in [
        &whole[..whole.len() - 4096],
        &whole[..4096],
        &[0x55; 9000],
        b"",
    ] {
        fs::write(&path, damaged).unwrap();
        let run = sandbox.spool(&["verify"]).exits(1);
        assert!(
            run.stdout.contains("recovers readable records"),
            "{}",
            run.stdout
        );
        let code = sandbox.spool(&["status"]).code;
        assert_eq!(code, 1, "a file of {} bytes", damaged.len());
    }
    fs::remove_file(&path).unwrap();
    let run = sandbox.spool(&["verify"]).exits(1);
    assert!(
        run.stdout.contains("the database is missing"),
        "{}",
        run.stdout
    );
    let run = sandbox.spool(&["status", "--format", "json"]).exits(1);
    assert_eq!(run.json()["spools"][0]["attention"], json!(["damaged"]));
    assert!(!sandbox.exists("spool.db"), "inspection repairs nothing");
}

#[test]
fn retries_dead_letters_without_an_owner() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 0..4);
    dead_letter(&spool, &sequences[..2], "too_large");
    dead_letter(&spool, &sequences[2..3], "not_authorized");
    spool.close().unwrap();
    let run = sandbox.spool(&["dead", "retry", "--all", "--reason", "too_large"]);
    let run = run.exits(0);
    assert!(
        run.stderr.contains("retried 2 dead letters"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("no process has the spool open"));
    let run = sandbox.spool(&["dead", "retry", "3", "4", "77"]).exits(1);
    assert!(run.stderr.contains("skipped 4") && run.stderr.contains("skipped 77"));
    assert!(
        run.stderr.contains("retried 1 dead letter,"),
        "{}",
        run.stderr
    );
    let spool = sandbox.own();
    let stats = spool.stats().unwrap();
    assert_eq!((stats.records, stats.dead), (4, 0));
}

#[test]
fn owner_retries_and_drops_dead_letters() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 0..2500);
    dead_letter(&spool, &sequences[..2100], "too_large");
    dead_letter(&spool, &sequences[2100..2110], "other");
    let run = sandbox.spool(&["dead", "drop", "--all", "--reason", "other", "--yes"]);
    assert!(run.exits(0).stderr.contains("dropped 10 dead letters"));
    let run = sandbox.spool(&["dead", "retry", "--all", "--topic", TOPIC]);
    assert!(run.exits(0).stderr.contains("retried 2,100 dead letters"));
    let stats = spool.stats().unwrap();
    assert_eq!((stats.records, stats.dead), (2490, 0));
    let run = sandbox.spool(&["dead", "retry", "--all"]).exits(0);
    assert!(run.stderr.contains("no dead letters"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn retry_gives_up_on_an_idle_owner() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 0..2);
    dead_letter(&spool, &sequences, "too_large");
    spool.close().unwrap();
    // An owner that reads from us, and has been stopped.
    let publish = ["publish", "--jsonl", "-", "--spool", "spool.db"];
    let mut owner = sandbox
        .command("", &publish)
        .env("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| sandbox.spool(&["status"]).stdout.contains("process "));
    let retry = ["dead", "retry", "--all", "--timeout", "200ms"];
    let run = loop {
        signal(&owner, "STOP");
        let run = sandbox.spool(&retry);
        signal(&owner, "CONT");
        // It was stopped within a transaction of its own.
        if !run.stderr.contains("holds a lock") {
            break run.exits(1);
        }
    };
    assert!(
        run.stderr.contains("has not served 2 requests yet"),
        "{}",
        run.stderr
    );
    // What was asked is not forgotten.
    until(|| {
        sandbox
            .spool(&["dead", "list"])
            .stderr
            .contains("no dead letters")
    });
    drop(owner.stdin.take());
    owner.wait().unwrap();
    assert_eq!(sandbox.own().stats().unwrap().records, 2);
}

#[test]
fn drop_needs_yes() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 0..2);
    dead_letter(&spool, &sequences, "too_large");
    spool.close().unwrap();
    let mut command = sandbox.spool_command(&["dead", "drop", "--all"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--yes"));
    assert_eq!(sandbox.own().stats().unwrap().dead, 2);
    sandbox.spool(&["dead", "drop"]).exits(2);
    sandbox
        .spool(&["dead", "drop", "1", "--topic", "x", "--yes"])
        .exits(2);
    sandbox.spool(&["dead", "drop", "1", "2", "--yes"]).exits(0);
    assert_eq!(sandbox.own().stats().unwrap().dead, 0);
}

#[test]
fn drain_delivers_all_records_in_order() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..300);
    spool.close().unwrap();
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let args = ["drain", "--bootstrap-servers", &servers];
    let run = sandbox.spool(&args).exits(0);
    assert!(
        run.stderr.contains("delivered 300 events"),
        "{}",
        run.stderr
    );
    let payload = |number: u64| String::from_utf8(event(number).payload).unwrap();
    for (key, payloads) in delivered(&cluster, TOPIC, 300) {
        let remainder: u64 = key["order-".len()..].parse().unwrap();
        let expected = (0..300).filter(|number| number % 3 == remainder);
        assert!(expected.map(payload).eq(payloads), "{key}");
    }
    let run = sandbox.spool(&args).exits(0);
    assert!(run.stderr.contains("the spool is empty"), "{}", run.stderr);
}

#[test]
fn drain_times_out_without_a_cluster_and_keeps_records() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..5);
    spool.close().unwrap();
    let args = [
        "drain",
        "--bootstrap-servers",
        "127.0.0.1:1",
        "--timeout",
        "1s",
    ];
    let run = sandbox.spool(&args).exits(1);
    assert!(run.stderr.contains("waiting 5 events"), "{}", run.stderr);
    assert!(run.stderr.contains("127.0.0.1:1"), "{}", run.stderr);
    assert_eq!(sandbox.own().stats().unwrap().records, 5);
}

#[test]
fn drain_refuses_a_spool_with_an_owner() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..5);
    let run = sandbox.spool(&["drain"]).exits(2);
    let process = format!("process {}", std::process::id());
    assert!(run.stderr.contains(&process), "{}", run.stderr);
    let run = sandbox
        .spool(&["drain", "--watch", "--timeout", "100ms"])
        .exits(1);
    assert!(run.stderr.contains("waiting 5 events"), "{}", run.stderr);

    let watching = sandbox
        .spool_command(&["drain", "--watch"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let all = (1..=5).map(Sequence::new);
    spool.acknowledge(all).unwrap().wait().unwrap();
    let output = watching.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn drain_watch_notices_that_the_owner_exited() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 0..5);
    let mut command = sandbox.spool_command(&["drain", "--watch"]);
    let mut watching = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(watching.stderr.take().unwrap()).lines();
    assert!(stderr.next().unwrap().unwrap().contains("watching"));
    spool.close().unwrap();
    let rest: String = stderr.map(Result::unwrap).collect();
    assert!(rest.contains("has exited"), "{rest}");
    assert_eq!(watching.wait().unwrap().code(), Some(1));
}

/// Mounts a file system of a few megabytes over the folder, which only root may do.
fn mount_small_disk(folder: &std::path::Path) -> bool {
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "herald-cli"])
        .arg(folder)
        .output();
    mount.is_ok_and(|output| output.status.success())
}

#[test]
fn commands_work_on_a_full_disk() {
    let sandbox = Sandbox::with(&[("disk/.keep", "")]);
    let disk = sandbox.path("disk");
    if !mount_small_disk(&disk) {
        eprintln!("skipped: no file system may be mounted here");
        return;
    }
    let (spool, _) = Spool::open(SpoolOptions::new(disk.join("spool.db"))).unwrap();
    append_events(&spool, 1..21);
    spool.close().unwrap();
    let mut ballast = fs::File::create(disk.join("ballast")).unwrap();
    while std::io::Write::write_all(&mut ballast, &[0; 512]).is_ok() {}
    drop(ballast);
    let run = |args: &[&str]| {
        let args = [&["spool", "--spool", "disk/spool.db"], args].concat();
        sandbox.herald(&args)
    };
    let status = run(&["status"]).exits(1);
    assert!(
        status.stdout.contains("the disk is full"),
        "{}",
        status.stdout
    );
    let listed = run(&["list", "--limit", "0", "--format", "jsonl"]).exits(0);
    assert_eq!(listed.stdout.lines().count(), 20);
    run(&["show", "1"]).exits(0);
    assert!(run(&["verify"]).exits(0).stdout.contains("sound"));
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let drained = run(&["drain", "--bootstrap-servers", &servers]).exits(0);
    assert!(drained.stderr.contains("20 events"), "{}", drained.stderr);
    assert!(run(&["status"]).exits(1).stdout.contains("none"));
    let _ = std::process::Command::new("umount").arg(&disk).status();
}

#[test]
fn rows_of_another_cluster_are_delivered_after_they_are_adopted() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    append_events(&spool, 1..4);
    let noted = herald_spool::SpoolCluster {
        id: "4L6g3nShT-eMCtK--X86sw".to_owned(),
        servers: "kafka:9092".to_owned(),
        environment: "production".to_owned(),
    };
    spool.note_cluster(noted).unwrap().wait().unwrap();
    let owned = sandbox.spool(&["adopt", "--cluster", "x"]).exits(2);
    assert!(owned.stderr.contains("stop it"), "{}", owned.stderr);
    drop(spool);
    let status = sandbox.spool(&["status"]).exits(1);
    assert!(
        status.stdout.contains("4L6g3nShT-eMCtK--X86sw (kafka:9092"),
        "{}",
        status.stdout
    );
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let at = ["--bootstrap-servers", &servers];
    let refused = sandbox.spool(&[&["drain"], &at[..]].concat()).exits(2);
    for part in [
        "4L6g3nShT-eMCtK--X86sw",
        "the cluster here is development",
        "adopt",
    ] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let adopted = sandbox.spool(&[&["adopt"], &at[..]].concat()).exits(0);
    assert!(
        adopted.stderr.contains("3 records and 0 dead letters"),
        "{}",
        adopted.stderr
    );
    sandbox.spool(&[&["drain"], &at[..]].concat()).exits(0);
}

#[test]
fn a_backup_is_exported_and_imported() {
    let sandbox = Sandbox::new();
    let spool = sandbox.own();
    let sequences = append_events(&spool, 1..11);
    let run = sandbox.spool(&["export", "backup.db"]).exits(0);
    assert!(run.stderr.contains("10 records"), "{}", run.stderr);
    let again = sandbox.spool(&["export", "backup.db"]).exits(2);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    let owned = sandbox.spool(&["import", "backup.db"]).exits(2);
    assert!(owned.stderr.contains("stop it"), "{}", owned.stderr);
    spool
        .acknowledge(sequences[..4].to_vec())
        .unwrap()
        .wait()
        .unwrap();
    drop(spool);
    let run = sandbox.spool(&["import", "backup.db"]).exits(0);
    for part in ["4 records", "6 rows were in the spool already"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    let run = sandbox.herald(&["spool", "import", "--spool", "new/spool.db", "backup.db"]);
    assert!(run.exits(0).stderr.contains("10 records"));
}
