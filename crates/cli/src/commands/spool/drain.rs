//! `herald spool drain`: everything that waits goes to the cluster now.

use std::path::Path;
use std::time::{Duration, Instant};

use herald_publish::spool::{SpoolError, SpoolOptions};
use herald_publish::{PublishError, Publisher, PublisherOptions, Stats};
use herald_spool::SpoolStatus;
use indicatif::{HumanDuration, ProgressBar};

use super::change::tell_of_recovery;
use super::place::{failed, inspect};
use crate::args::spool::Drain;
use crate::human::counted;
use crate::interrupt::Interrupt;
use crate::terminal::{self, GREEN, YELLOW, bar};
use crate::{CLEAN, DIAGNOSTICS, Failure, connection, delivery, project};

/// How often another process' spool is looked at.
const LOOK_AT_OTHERS: Duration = Duration::from_millis(500);

/// Why watching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing waits any more.
    Empty,
    Late,
    Interrupted,
    /// The process that was watched is gone.
    Left,
}

/// Runs the command.
pub fn run(path: &Path, args: &Drain) -> Result<u8, Failure> {
    let inspector = inspect(path)?;
    let before = inspector.status().map_err(|error| failed(&error, path))?;
    if before.records == 0 {
        terminal::status("nothing waits");
        return Ok(CLEAN);
    }
    if before.owned {
        return by_owner(path, &before, args);
    }
    let cluster = connection::options(&args.cluster, &project::find()?)?;
    let described = cluster.bootstrap_servers().to_owned();
    let options = PublisherOptions::new(cluster).spool(SpoolOptions::new(path));
    let (publisher, opened) = match Publisher::open_with_report(options) {
        Ok(opened) => opened,
        // It came between the look and the opening.
        Err(PublishError::Spool(SpoolError::Owned { .. })) => {
            return by_owner(path, &before, args);
        }
        Err(PublishError::Spool(error)) => return Err(failed(&error, path)),
        Err(error) => return Err(Failure::Message(error.to_string())),
    };
    if let Some(opened) = &opened {
        tell_of_recovery(opened);
    }
    let interrupt = Interrupt::watch()?;
    let bar = bar("delivering", before.records);
    delivery::wait(&publisher, args.timeout, |stats| {
        show(&bar, stats);
        !interrupt.is_set()
    });
    bar.finish_and_clear();
    let stats = publisher.stats();
    let closed = publisher
        .close(Duration::ZERO)
        .map_err(|error| Failure::Message(error.to_string()))?;
    terminal::status(&format!(
        "{GREEN}delivered{GREEN:#} {}",
        counted(stats.drained, "event")
    ));
    delivery::report_dead(stats.dead, closed.dead.saturating_sub(before.dead));
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
    Ok(if closed.spooled == 0 && stats.dead == 0 {
        CLEAN
    } else {
        DIAGNOSTICS
    })
}

fn show(bar: &ProgressBar, stats: &Stats) {
    if let Some(spool) = stats.spool {
        let length = bar.length().unwrap_or_default();
        bar.set_position(length.saturating_sub(spool.records));
    }
    bar.set_message(if stats.reachable {
        "delivering"
    } else {
        "the cluster can't be reached"
    });
}

fn over(time: Duration) -> String {
    format!("the time for it ({}) is over", HumanDuration(time))
}

fn report_left(left: u64, why: &str) {
    terminal::status(&format!(
        "{YELLOW}waiting{YELLOW:#} {} still: {why}",
        counted(left, "event")
    ));
}

/// What waits is the owner's to deliver.
fn by_owner(path: &Path, before: &SpoolStatus, args: &Drain) -> Result<u8, Failure> {
    let owner = match before.owner {
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
    };
    if !args.watch {
        return Err(Failure::Message(format!(
            "{owner} has the spool open, and delivers what waits ({}); --watch shows how far it is",
            counted(before.records, "record")
        )));
    }
    let interrupt = Interrupt::watch()?;
    terminal::status(&format!(
        "watching {owner}, for which {} wait",
        counted(before.records, "record")
    ));
    let bar = bar("delivering", before.records);
    let (end, left) = watch(path, &bar, args.timeout, &interrupt)?;
    bar.finish_and_clear();
    let why = match end {
        End::Empty => {
            terminal::status(&format!(
                "{GREEN}delivered{GREEN:#}: nothing waits any more"
            ));
            return Ok(CLEAN);
        }
        End::Interrupted => "interrupted".to_owned(),
        End::Late => format!(
            "{} are over, and {owner} goes on",
            HumanDuration(args.timeout)
        ),
        End::Left => format!("{owner} has left; `herald spool drain` delivers them"),
    };
    report_left(left, &why);
    Ok(DIAGNOSTICS)
}

fn watch(
    path: &Path,
    bar: &ProgressBar,
    most: Duration,
    interrupt: &Interrupt,
) -> Result<(End, u64), Failure> {
    let started = Instant::now();
    let inspector = inspect(path)?;
    loop {
        let status = inspector.status().map_err(|error| failed(&error, path))?;
        let left = status.records;
        // More may come in than goes out.
        bar.set_length(bar.length().unwrap_or_default().max(left));
        bar.set_position(bar.length().unwrap_or_default().saturating_sub(left));
        let end = if left == 0 {
            End::Empty
        } else if interrupt.is_set() {
            End::Interrupted
        } else if !status.owned {
            End::Left
        } else if started.elapsed() >= most {
            End::Late
        } else {
            std::thread::sleep(LOOK_AT_OTHERS.min(most));
            continue;
        };
        return Ok((end, left));
    }
}
