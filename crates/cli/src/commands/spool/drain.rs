//! `herald spool drain`: delivers all events of a spool.

use std::path::Path;
use std::time::{Duration, Instant};

use herald_publish::spool::{SpoolError, SpoolOptions};
use herald_publish::{PublishError, Publisher, PublisherOptions, Stats};
use herald_spool::SpoolStatus;
use indicatif::{HumanDuration, ProgressBar};

use super::location::{inspect, spool_error};
use crate::args::spool::Drain;
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, GREEN, YELLOW, bar};
use crate::{Error, ExitStatus, connection, delivery, project, schema_registry};

/// Time between two checks of a spool that another process has open.
const OWNER_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Reason for which watching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WatchEnd {
    /// The spool is empty.
    Empty,
    TimedOut,
    Interrupted,
    /// The process that was watched has exited.
    OwnerGone,
}

/// Runs the command.
pub fn run(path: &Path, args: &Drain) -> Result<ExitStatus, Error> {
    let inspector = inspect(path)?;
    let before = inspector
        .status()
        .map_err(|error| spool_error(&error, path))?;
    if before.records == 0 {
        terminal::status("the spool is empty");
        return Ok(ExitStatus::Success);
    }
    if before.owned {
        return watch_owner(path, &before, args);
    }
    let project = project::find()?;
    let cluster = connection::options(&args.cluster, &project)?;
    let described = cluster.bootstrap_servers().to_owned();
    let mut options = PublisherOptions::new(cluster).spool(SpoolOptions::new(path));
    if let Some(schemas) = schema_registry::schemas(&args.schemas, &project.schema_registry)? {
        options = options.schemas(schemas);
    }
    let (publisher, opened) = match Publisher::open_with_report(options) {
        Ok(opened) => opened,
        // Another process opened it since the check above.
        Err(PublishError::Spool(SpoolError::Owned { .. })) => {
            return watch_owner(path, &before, args);
        }
        Err(PublishError::Spool(error)) => return Err(spool_error(&error, path)),
        Err(error) => return Err(Error::Message(error.to_string())),
    };
    if let Some(opened) = &opened {
        delivery::report_recovery(opened);
    }
    let interrupt = Interrupt::watch()?;
    let bar = bar("delivering", before.records);
    delivery::wait_until_drained(&publisher, args.timeout, |stats| {
        show(&bar, stats);
        !interrupt.is_set()
    });
    bar.finish_and_clear();
    let stats = publisher.stats();
    let closed = publisher
        .close(Duration::ZERO)
        .map_err(|error| Error::Message(error.to_string()))?;
    terminal::status(&format!(
        "{GREEN}delivered{GREEN:#} {}",
        count(stats.drained, "event")
    ));
    delivery::report_dead_letters(stats.dead, closed.dead.saturating_sub(before.dead));
    if closed.spooled > 0 {
        let why = if interrupt.is_set() {
            "interrupted".to_owned()
        } else if stats.reachable {
            over(args.timeout)
        } else {
            format!("the cluster at {described} can't be reached")
        };
        report_left(closed.spooled, &why);
    }
    // Without the spool nothing could be removed from it.
    let is_unwritten = stats.spool.is_none() && stats.spool_failure.is_some();
    if let Some(failure) = stats.spool_failure.filter(|_| is_unwritten) {
        terminal::status(&format!(
            "{YELLOW}not removed{YELLOW:#}: {failure}; delivered events are still in the spool and \
             will be delivered again, unless you free some space and run this command again first"
        ));
    }
    Ok(if closed.spooled == 0 && stats.dead == 0 && !is_unwritten {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

fn show(bar: &ProgressBar, stats: &Stats) {
    let length = bar.length().unwrap_or_default();
    bar.set_position(length.saturating_sub(stats.waiting()));
    bar.set_message(if stats.reachable {
        "delivering"
    } else {
        "the cluster can't be reached"
    });
}

fn over(time: Duration) -> String {
    format!("time limit of {} reached", HumanDuration(time))
}

fn report_left(left: u64, why: &str) {
    terminal::status(&format!(
        "{YELLOW}waiting{YELLOW:#} {}: {why}",
        count(left, "event")
    ));
}

/// Handles a spool that another process has open: only the owner can deliver its events.
fn watch_owner(path: &Path, before: &SpoolStatus, args: &Drain) -> Result<ExitStatus, Error> {
    let owner = match before.owner {
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
    };
    if !args.watch {
        return Err(Error::Message(format!(
            "{owner} has the spool open and delivers its {}; follow the progress with --watch",
            count(before.records, "record")
        )));
    }
    let interrupt = Interrupt::watch()?;
    terminal::status(&format!(
        "watching {owner}, which has {} to deliver",
        count(before.records, "record")
    ));
    let bar = bar("delivering", before.records);
    let (end, left) = watch(path, &bar, args.timeout, &interrupt)?;
    bar.finish_and_clear();
    let why = match end {
        WatchEnd::Empty => {
            terminal::status(&format!("{GREEN}delivered{GREEN:#} all records"));
            return Ok(ExitStatus::Success);
        }
        WatchEnd::Interrupted => "interrupted".to_owned(),
        WatchEnd::TimedOut => format!(
            "time limit of {} reached; {owner} continues",
            HumanDuration(args.timeout)
        ),
        WatchEnd::OwnerGone => format!("{owner} has exited; run `herald spool drain` to deliver"),
    };
    report_left(left, &why);
    Ok(ExitStatus::Problems)
}

fn watch(
    path: &Path,
    bar: &ProgressBar,
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<(WatchEnd, u64), Error> {
    let started = Instant::now();
    let inspector = inspect(path)?;
    loop {
        let status = inspector
            .status()
            .map_err(|error| spool_error(&error, path))?;
        let left = status.records;
        // New events may arrive faster than old ones are delivered.
        bar.set_length(bar.length().unwrap_or_default().max(left));
        bar.set_position(bar.length().unwrap_or_default().saturating_sub(left));
        let end = if left == 0 {
            WatchEnd::Empty
        } else if interrupt.is_set() {
            WatchEnd::Interrupted
        } else if !status.owned {
            WatchEnd::OwnerGone
        } else if started.elapsed() >= timeout {
            WatchEnd::TimedOut
        } else {
            std::thread::sleep(OWNER_POLL_INTERVAL.min(timeout));
            continue;
        };
        return Ok((end, left));
    }
}
