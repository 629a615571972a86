//! Benchmark of the spool on this machine and this disk.
//!
//! `cargo run --release -p herald-spool --example spool_bench [ROWS] [FOLDER]`: ROWS is the number
//! of rows for the measurements of opening (1,000,000 by default), FOLDER is on the disk to measure
//! (the system's temporary folder by default).

use std::collections::VecDeque;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use herald_spool::{Pending, Record, Sequence, Spool, SpoolOptions};

type Outcome = Result<(), Box<dyn Error>>;

const ROUNDS: usize = 3;
const OPENINGS: usize = 5;
const MIB: u64 = 1024 * 1024;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    println!(
        "record: {} bytes, {ROUNDS} rounds, medians\n",
        record(0).weight()
    );
    plain_flush(folder.path())?;
    for in_flight in [1, 10, 100, 1000, 10_000] {
        appending(folder.path(), in_flight)?;
    }
    draining(folder.path())?;
    opening(folder.path(), rows)
}

/// Creates a record of about 700 bytes, with a key like that of an envelope.
fn record(number: u64) -> Record {
    Record::new("dev.orders.orchestrator.order.started.v1", vec![b'x'; 550])
        .with_key(format!(
            "{:032x}",
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ))
        .with_header("event_id", format!("{number:036}"))
}

fn options(path: &Path) -> SpoolOptions {
    SpoolOptions::new(path)
        .max_records(5_000_000)
        .max_bytes(8 * 1024 * MIB)
}

fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values[values.len() / 2]
}

fn per_second(count: u64, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// Measures how long the disk takes to make one small write durable.
fn plain_flush(folder: &Path) -> Outcome {
    let path = folder.join("flush");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        file.write_all(&[b'x'; 4096])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    times.sort();
    println!(
        "plain write and flush of 4 KiB: p50 {:.2?} p99 {:.2?}",
        times[150], times[297]
    );
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Measures one thread that keeps this many appends in flight.
fn appending(folder: &Path, in_flight: usize) -> Outcome {
    let count = (300 * u64::try_from(in_flight)?).clamp(300, 300_000);
    let mut rates = Vec::new();
    let mut latencies = Vec::new();
    let mut commits = Vec::new();
    for round in 0..ROUNDS {
        let path = folder.join(format!("append-{in_flight}-{round}.db"));
        let (spool, _) = Spool::open(options(&path))?;
        let mut waiting: VecDeque<(Instant, Pending<Sequence>)> = VecDeque::new();
        let started = Instant::now();
        for number in 0..count {
            if waiting.len() == in_flight
                && let Some((since, pending)) = waiting.pop_front()
            {
                pending.wait()?;
                latencies.push(since.elapsed());
            }
            waiting.push_back((Instant::now(), spool.append(record(number))?));
        }
        for (since, pending) in waiting {
            pending.wait()?;
            latencies.push(since.elapsed());
        }
        rates.push(per_second(count, started.elapsed()));
        commits.push(spool.stats()?.commits.commits);
        spool.close()?;
        std::fs::remove_file(&path)?;
    }
    latencies.sort();
    println!(
        "append, {in_flight:>5} in flight: {:>8.0} durable/s, {:>6.1} records a commit, \
         receipt p50 {:>8.2?} p99 {:>8.2?}",
        median(rates),
        per_second(count, Duration::from_secs(median(commits))),
        latencies[latencies.len() / 2],
        latencies[latencies.len() * 99 / 100],
    );
    Ok(())
}

fn fill(spool: &Spool, rows: u64) -> Outcome {
    let mut next = 0;
    while next < rows {
        let until = rows.min(next + 5000);
        spool
            .append_all((next..until).map(record).collect())?
            .wait()?;
        next = until;
    }
    Ok(())
}

/// Measures draining: reads in batches, and acknowledges each while the next is read.
fn draining(folder: &Path) -> Outcome {
    const ROWS: u64 = 200_000;
    for batch_size in [100, 1000] {
        let mut rates = Vec::new();
        for round in 0..ROUNDS {
            let path = folder.join(format!("drain-{batch_size}-{round}.db"));
            let (spool, _) = Spool::open(options(&path))?;
            fill(&spool, ROWS)?;
            let started = Instant::now();
            let mut after = Sequence::START;
            let mut acknowledged = VecDeque::new();
            loop {
                let batch = spool.next_batch(batch_size, 16 * MIB, after)?;
                let Some(last) = batch.last else { break };
                after = last;
                let sequences = batch.records.iter().map(|stored| stored.sequence);
                acknowledged.push_back(spool.acknowledge(sequences)?);
                if acknowledged.len() > 10
                    && let Some(oldest) = acknowledged.pop_front()
                {
                    oldest.wait()?;
                }
            }
            for pending in acknowledged {
                pending.wait()?;
            }
            rates.push(per_second(ROWS, started.elapsed()));
            assert_eq!(spool.depth()?, 0);
            spool.close()?;
            std::fs::remove_file(&path)?;
        }
        println!(
            "read and acknowledge, batches of {batch_size:>4}: {:>8.0}/s",
            median(rates)
        );
    }
    Ok(())
}

fn opening(folder: &Path, rows: u64) -> Outcome {
    let path = folder.join("open.db");
    let (spool, _) = Spool::open(options(&path))?;
    let started = Instant::now();
    fill(&spool, rows)?;
    println!(
        "append {rows} rows in commits of 5000: {:>8.0} durable/s",
        per_second(rows, started.elapsed())
    );
    println!(
        "file: {:.0} bytes a record of weight {}",
        per_second(spool.stats()?.file_bytes / rows, Duration::from_secs(1)),
        record(0).weight()
    );
    spool.close()?;
    let mut times = Vec::new();
    let mut counted = Vec::new();
    for _ in 0..OPENINGS {
        let started = Instant::now();
        let (spool, report) = Spool::open(options(&path))?;
        times.push(started.elapsed());
        assert_eq!((report.records, report.recovery), (rows, None));
        // The count begins with the operation that follows a question.
        spool.holds_key("no such topic", None)?;
        spool.acknowledge([Sequence::START])?.wait()?;
        while spool.holds_key("no such topic", None)? {
            std::thread::sleep(Duration::from_millis(1));
        }
        counted.push(started.elapsed());
        spool.close()?;
    }
    println!(
        "open with {rows} rows: {:.2?}; keys counted after {:.2?}; medians of {OPENINGS}",
        median(times),
        median(counted)
    );
    if forget(&path)? {
        let started = Instant::now();
        let (spool, _) = Spool::open(options(&path))?;
        println!(
            "open while it is not in the page cache: {:.2?}",
            started.elapsed()
        );
        spool.close()?;
    }
    let file = std::fs::OpenOptions::new().write(true).open(&path)?;
    file.set_len(file.metadata()?.len() - 8192 * 100)?;
    drop(file);
    let started = Instant::now();
    let (_spool, report) = Spool::open(options(&path))?;
    println!(
        "open with the last 100 pages cut off, salvage included: {:.2?}",
        started.elapsed()
    );
    println!("  {:?}", report.recovery);
    Ok(())
}

/// Removes a file from the page cache; false if GNU `dd` is missing.
fn forget(path: &Path) -> std::io::Result<bool> {
    let mut of = std::ffi::OsString::from("of=");
    of.push(path);
    let mut dd = std::process::Command::new("dd");
    dd.args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0"])
        .arg(of)
        .stderr(std::process::Stdio::null());
    match dd.status() {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
