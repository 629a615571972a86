//! Retrying and dropping of dead letters: by the process that has the spool open, else by this one.

use std::path::Path;
use std::time::{Duration, Instant};

use herald_spool::{
    DeadLetterAction, Found, Inspector, Request, Sequence, Spool, SpoolError, SpoolOptions,
};

use super::location::spool_error;
use crate::terminal::bar;
use crate::{Error, delivery};

/// Sequences in one commit. The owner's other work waits for each commit, so it is kept short.
const CHUNK_SIZE: usize = 1000;

/// Time between two checks of the owner's progress.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Outcome of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Dead letters that were changed.
    pub done: u64,
    /// Requests that the owner has not served yet; they stay.
    pub left: u64,
    /// The process that made the change.
    pub owner: Owner,
}

/// The process that has the spool open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// No process.
    None,
    /// Another process, with its id if known.
    Process(Option<u32>),
}

/// Retries or drops dead letters. Waits for an owner as long as it makes progress within
/// `idle_timeout`.
pub fn apply(
    inspector: &Inspector,
    path: &Path,
    action: DeadLetterAction,
    sequences: &[Sequence],
    idle_timeout: Duration,
) -> Result<Outcome, Error> {
    match open(path) {
        Ok(spool) => {
            let done = apply_locally(spool, action, sequences)
                .map_err(|error| spool_error(&error, path))?;
            Ok(Outcome {
                done,
                left: 0,
                owner: Owner::None,
            })
        }
        Err(SpoolError::Owned { owner, .. }) => {
            let left = ask_owner(inspector, path, action, sequences, idle_timeout)
                .map_err(|error| spool_error(&error, path))?;
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
        Err(error) => Err(spool_error(&error, path)),
    }
}

fn open(path: &Path) -> Result<Spool, SpoolError> {
    let (spool, report) = Spool::open(SpoolOptions::new(path))?;
    delivery::report_recovery(&report);
    Ok(spool)
}

fn apply_locally(
    spool: Spool,
    action: DeadLetterAction,
    sequences: &[Sequence],
) -> Result<u64, SpoolError> {
    let bar = bar("writing", sequences.len() as u64);
    let mut done = 0;
    for chunk in sequences.chunks(CHUNK_SIZE) {
        done += match action {
            DeadLetterAction::Retry => spool.retry_dead(chunk.to_vec())?.wait()?,
            DeadLetterAction::Drop => spool.drop_dead(chunk.to_vec())?.wait()?,
        };
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    spool.close()?;
    Ok(done)
}

/// Leaves requests for the owner and waits; returns the number that is not served at the end.
fn ask_owner(
    inspector: &Inspector,
    path: &Path,
    action: DeadLetterAction,
    sequences: &[Sequence],
    idle_timeout: Duration,
) -> Result<u64, SpoolError> {
    let mut last = None;
    for chunk in sequences.chunks(CHUNK_SIZE) {
        last = Some(inspector.ask(action, chunk)?);
    }
    match last {
        Some(request) => wait(inspector, path, request, idle_timeout),
        None => Ok(0),
    }
}

fn wait(
    inspector: &Inspector,
    path: &Path,
    request: Request,
    idle_timeout: Duration,
) -> Result<u64, SpoolError> {
    let mut left = inspector.pending_sequences(request)?;
    let bar = bar("waiting for the owner", left);
    let all = left;
    let mut progress = Instant::now();
    // Set if the owner exits meanwhile: then this process opens the spool and serves the requests.
    let mut local_spool: Option<Spool> = None;
    while left > 0 && progress.elapsed() < idle_timeout {
        if local_spool.is_none() && !inspector.status()?.owned {
            local_spool = match open(path) {
                Ok(spool) => Some(spool),
                Err(SpoolError::Owned { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        std::thread::sleep(POLL_INTERVAL);
        let now = inspector.pending_sequences(request)?;
        if now < left {
            progress = Instant::now();
            bar.set_position(all.saturating_sub(now));
        }
        left = now;
    }
    bar.finish_and_clear();
    local_spool.map_or(Ok(()), Spool::close)?;
    Ok(left)
}
