//! Retrying and dropping dead letters: by the owner if there is one, else here.

use std::path::Path;
use std::time::{Duration, Instant};

use herald_diagnostics::render::visible_line;
use herald_spool::{
    DeadLetterAction, Found, Inspector, OpenReport, Request, Sequence, Spool, SpoolError,
    SpoolOptions,
};

use super::place::failed;
use crate::Failure;
use crate::terminal::{self, RED, bar};

/// Sequences in one commit, here or by the owner, whose other work waits for it.
const AT_ONCE: usize = 1000;

/// How often the owner is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What became of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How many are no dead letters any more.
    pub done: u64,
    /// How many the owner has not looked at yet; their requests stay.
    pub left: u64,
    /// The owner that was asked.
    pub owner: Owner,
}

/// Who made the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody has the spool open.
    None,
    /// A process has, whose number may be known.
    Process(Option<u32>),
}

/// Retries or drops dead letters. Waits for an owner as long as it goes on doing something
/// within `patience`.
pub fn apply(
    inspector: &Inspector,
    path: &Path,
    action: DeadLetterAction,
    sequences: &[Sequence],
    patience: Duration,
) -> Result<Outcome, Failure> {
    match open(path) {
        Ok(spool) => {
            let done = here(spool, action, sequences).map_err(|error| failed(&error, path))?;
            Ok(Outcome {
                done,
                left: 0,
                owner: Owner::None,
            })
        }
        Err(SpoolError::Owned { owner, .. }) => {
            let left = by_owner(inspector, path, action, sequences, patience)
                .map_err(|error| failed(&error, path))?;
            let still_dead = |sequence: &&Sequence| {
                matches!(inspector.find(**sequence), Ok(Some(Found::Dead(_))))
            };
            let dead = sequences.iter().filter(still_dead).count();
            Ok(Outcome {
                done: (sequences.len() - dead) as u64,
                left,
                owner: Owner::Process(owner),
            })
        }
        Err(error) => Err(failed(&error, path)),
    }
}

fn open(path: &Path) -> Result<Spool, SpoolError> {
    let (spool, report) = Spool::open(SpoolOptions::new(path))?;
    tell_of_recovery(&report);
    Ok(spool)
}

/// Says what opening a spool had to mend.
pub fn tell_of_recovery(report: &OpenReport) {
    let Some(recovery) = &report.recovery else {
        return;
    };
    let lost = match recovery.lost {
        Some(0) => "nothing is lost".to_owned(),
        Some(lost) => format!("up to {lost} are lost"),
        None => "how many are lost is not known".to_owned(),
    };
    terminal::status(&format!(
        "{RED}damaged{RED:#}: {}; {} records and {} dead letters came over into a new spool, {lost}",
        visible_line(&recovery.damage.to_string()),
        recovery.salvaged,
        recovery.salvaged_dead + recovery.damaged,
    ));
    if let Some(aside) = &recovery.set_aside {
        terminal::status(&format!("the damaged files are in {}", aside.display()));
    }
}

fn here(spool: Spool, action: DeadLetterAction, sequences: &[Sequence]) -> Result<u64, SpoolError> {
    let bar = bar("writing", sequences.len() as u64);
    let mut done = 0;
    for some in sequences.chunks(AT_ONCE) {
        done += match action {
            DeadLetterAction::Retry => spool.retry_dead(some.to_vec())?.wait()?,
            DeadLetterAction::Drop => spool.drop_dead(some.to_vec())?.wait()?,
        };
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    spool.close()?;
    Ok(done)
}

/// Leaves requests and waits; gives how many of them still wait at the end.
fn by_owner(
    inspector: &Inspector,
    path: &Path,
    action: DeadLetterAction,
    sequences: &[Sequence],
    patience: Duration,
) -> Result<u64, SpoolError> {
    let mut last = None;
    for some in sequences.chunks(AT_ONCE) {
        last = Some(inspector.ask(action, some)?);
    }
    match last {
        Some(request) => wait(inspector, path, request, patience),
        None => Ok(0),
    }
}

fn wait(
    inspector: &Inspector,
    path: &Path,
    request: Request,
    patience: Duration,
) -> Result<u64, SpoolError> {
    let mut left = inspector.waits_for(request)?;
    let bar = bar("waiting for the owner", left);
    let all = left;
    let mut progress = Instant::now();
    // Set where the owner went away meanwhile: then this process serves what was asked.
    let mut in_its_place: Option<Spool> = None;
    while left > 0 && progress.elapsed() < patience {
        if in_its_place.is_none() && !inspector.status()?.owned {
            in_its_place = match open(path) {
                Ok(spool) => Some(spool),
                Err(SpoolError::Owned { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        std::thread::sleep(LOOK);
        let now = inspector.waits_for(request)?;
        if now < left {
            progress = Instant::now();
            bar.set_position(all.saturating_sub(now));
        }
        left = now;
    }
    bar.finish_and_clear();
    in_its_place.map_or(Ok(()), Spool::close)?;
    Ok(left)
}
