//! Delivery of the events in a spool: waiting for it, and reports about recovery and rejected events.

use std::time::{Duration, Instant};

use herald_diagnostics::render::visible_line;
use herald_publish::{Publisher, Stats};
use herald_spool::OpenReport;

use crate::format::count;
use crate::terminal::{self, RED};

/// Time between two checks of the spool.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Waits until the spool is empty, `timeout` has passed, or `keep_waiting` returns false.
pub fn wait_until_drained(
    publisher: &Publisher,
    timeout: Duration,
    mut keep_waiting: impl FnMut(&Stats) -> bool,
) {
    let started = Instant::now();
    loop {
        let stats = publisher.stats();
        // The spool is `None` while it can't be opened, and `waiting` counts what can be read.
        let known = stats.spool.is_some() || stats.spool_failure.is_some();
        let empty = known && stats.waiting() == 0 && stats.queued_in_transport == 0;
        if !keep_waiting(&stats) || empty || started.elapsed() >= timeout {
            return;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Reports events that the cluster rejects permanently. `in_spool` of them could not be written to a
/// dead letter topic either.
pub fn report_dead_letters(dead: u64, in_spool: u64) {
    if dead == 0 {
        return;
    }
    let place = match in_spool {
        0 => "they are in their dead letter topics".to_owned(),
        _ if in_spool >= dead => "see `herald spool dead list`".to_owned(),
        _ => format!("{in_spool} of them are in the spool, see `herald spool dead list`"),
    };
    terminal::status(&format!(
        "{RED}rejected{RED:#} {} by the cluster, permanently; {place}",
        count(dead, "event")
    ));
}

/// Reports a recovery that opening the spool made.
pub fn report_recovery(report: &OpenReport) {
    let Some(recovery) = &report.recovery else {
        return;
    };
    let lost = match recovery.lost {
        Some(0) => "nothing was lost".to_owned(),
        Some(lost) => format!("up to {lost} were lost"),
        None => "an unknown number was lost".to_owned(),
    };
    terminal::status(&format!(
        "{RED}damaged{RED:#}: {}; recovered {} records and {} dead letters into a new spool, {lost}",
        visible_line(&recovery.damage.to_string()),
        recovery.salvaged,
        recovery.salvaged_dead + recovery.damaged,
    ));
    if let Some(aside) = &recovery.set_aside {
        terminal::status(&format!(
            "the damaged files are in {}",
            terminal::path(aside)
        ));
    }
}
