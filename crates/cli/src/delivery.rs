//! Waiting until a publisher has delivered what is in its spool, and what is said afterwards.

use std::time::{Duration, Instant};

use herald_publish::{Publisher, Stats};

use crate::human::counted;
use crate::terminal::{self, RED};

/// How often it is looked at how far it is.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until the spool is empty, the time is over, or `goes_on` says no; it is asked again and
/// again.
pub fn wait(publisher: &Publisher, most: Duration, mut goes_on: impl FnMut(&Stats) -> bool) {
    let started = Instant::now();
    loop {
        let stats = publisher.stats();
        // Unknown while a broken spool is being opened again.
        let empty = stats.spool.is_some_and(|spool| spool.records == 0);
        if !goes_on(&stats) || empty || started.elapsed() >= most {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// Says where events are that the cluster refuses for good: `in_spool` of them could not even be
/// written to a dead letter topic.
pub fn report_dead(dead: u64, in_spool: u64) {
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
        counted(dead, "event")
    ));
}
