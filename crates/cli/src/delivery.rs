//! Waiting until a publisher has delivered the events in its spool.

use std::time::{Duration, Instant};

use herald_publish::{Publisher, Stats};

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
        // `None` while the publisher reopens a broken spool.
        let empty = stats.spool.is_some_and(|spool| spool.records == 0);
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
        0 => "kept in their dead letter topics".to_owned(),
        _ if in_spool >= dead => "`herald spool dead list` shows them".to_owned(),
        _ => format!("{in_spool} of them in the spool: `herald spool dead list`"),
    };
    terminal::status(&format!(
        "{RED}dead{RED:#} {} that the cluster will never take; {place}",
        count(dead, "event")
    ));
}
