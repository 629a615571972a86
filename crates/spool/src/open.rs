//! Opening of a spool.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::commit_counter::{self, CommitCounter};
use crate::connection;
use crate::damage::{Damage, Rejected};
use crate::error::SpoolError;
use crate::examine::{Examined, examine};
use crate::file_watcher::FileWatcher;
use crate::files::{Files, Identity};
use crate::gaps::Gaps;
use crate::key_counting::{self, KeyCounting};
use crate::lock_file::{self, LockFile};
use crate::maintenance;
use crate::options::SpoolOptions;
use crate::queue::Queue;
use crate::reader::Reader;
use crate::recovery::{self, Recovery};
use crate::requests::Requests;
use crate::reserve::Reserve;
use crate::state::State;
use crate::writer::Writer;

const OPENING: &str = "opening the spool";

/// Report of an opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// Database in use: a numbered one if the first was owned.
    pub path: PathBuf,
    /// Whether the spool was created.
    pub created: bool,
    /// Records in the queue.
    pub records: u64,
    /// Dead letters.
    pub dead: u64,
    /// Recovery of damaged files, if there was one. Log it as an error.
    pub recovery: Option<Recovery>,
    /// Duration of the opening, including the check of the file.
    pub took: Duration,
}

/// Parts of a running spool.
pub(crate) struct Parts {
    pub(crate) files: Files,
    pub(crate) lock_file: Arc<LockFile>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) report: OpenReport,
    /// Identities of the open database and its WAL.
    pub(crate) identities: (Identity, Identity),
}

/// Takes the lock of the spool, and makes its folder.
pub(crate) fn lock(options: &SpoolOptions) -> Result<(Files, Arc<LockFile>), SpoolError> {
    let files = Files::new(&options.path);
    files.create_folder()?;
    // The lock first: an examination may lead to a recovery, which moves the files.
    let (files, lock_file) = lock_file::take(&files, options.when_owned)?;
    Ok((files, Arc::new(lock_file)))
}

/// Opens the spool of which this process has the lock.
pub(crate) fn open(
    options: SpoolOptions,
    (files, lock_file): (Files, Arc<LockFile>),
) -> Result<Parts, SpoolError> {
    let started = Instant::now();
    let (examined, recovery) = examine_and_recover(&files, options.salvage)?;
    let Examined {
        mut connection,
        state,
        created,
    } = examined;
    let mut key_counting = KeyCounting::new(&state);
    let first = key_counting.step(&connection, state.removed.to, key_counting::STEP_ROWS)?;
    let mut gaps = Gaps::of(&state);
    let first_sequence = state.next_sequence;
    let mut state = State {
        next_sequence: first_sequence.max(options.sequences_after.get().saturating_add(1)),
        ..state
    };
    if state.totals.records == 0 {
        state.removed.to = state.next_sequence - 1;
        gaps = Gaps::of(&state);
    } else if state.next_sequence > first_sequence {
        gaps.follow(&state, &[[first_sequence, state.next_sequence - 1]]);
    }
    let state = start_log(&mut connection, state)?;
    // After the first commit, which creates the WAL that is watched.
    let mut watcher = FileWatcher::new(&files, lock_file.identity()?)?;
    let identities = watcher.identities();
    let mut counter = CommitCounter::open(&files.commit_counter())?;
    // Without the counter commits are just as durable. A full disk may refuse a new one.
    let _ = counter.write(&state);
    let mut reserve = Reserve::new(&files)?;
    // A full disk is met with what is reserved already.
    let _ = reserve.extend_log(&mut connection);
    let _ = reserve.extend_database(&connection);
    watcher.note_own_writes();
    let reader = Reader::new(connection::reader(&files.database)?, state.removed.to);
    let totals = state.totals;
    let report = OpenReport {
        path: files.database.clone(),
        created,
        records: totals.records,
        dead: totals.dead,
        recovery,
        took: started.elapsed(),
    };
    let (checkpoint_bytes, removed_bytes) = (options.checkpoint_bytes, options.removed_bytes);
    let queue = Arc::new(Queue::new(options, totals));
    queue.add_counted(&first, key_counting.is_complete());
    let writer = Writer {
        connection,
        queue: queue.clone(),
        state,
        key_counting,
        gaps,
        counted_at: Instant::now(),
        watcher,
        counter,
        requests: Requests::default(),
        checkpoint_bytes,
        removed_bytes,
        space_checked: Instant::now(),
        reserve,
    };
    Ok(Parts {
        files,
        lock_file,
        queue,
        reader,
        writer,
        report,
        identities,
    })
}

fn examine_and_recover(
    files: &Files,
    salvage: bool,
) -> Result<(Examined, Option<Recovery>), SpoolError> {
    let interrupted = recovery::finish_interrupted(files)?;
    let counter = commit_counter::read(&files.commit_counter());
    let damage = match examine(files, counter.as_ref()) {
        Ok(examined) if salvage && !examined.created => Damage::Unreadable,
        Ok(examined) => {
            let recovery = interrupted.map(|set_aside| Recovery {
                damage: Damage::RecoveryInterrupted,
                set_aside: Some(set_aside),
                salvaged: examined.state.totals.records,
                salvaged_dead: examined.state.totals.dead,
                damaged: 0,
                lost: None,
            });
            return Ok((examined, recovery));
        }
        Err(Rejected::Error(error)) => return Err(error),
        Err(Rejected::Damaged(damage)) => damage,
    };
    let recovery = recovery::recover(files, damage, counter.as_ref())?;
    match examine(files, counter.as_ref()) {
        Ok(examined) => Ok((examined, Some(recovery))),
        Err(Rejected::Error(error)) => Err(error),
        Err(Rejected::Damaged(damage)) => Err(SpoolError::Corrupt {
            context: OPENING,
            detail: damage.to_string(),
        }),
    }
}

/// Makes the first commit. It creates the WAL, whose name is watched from now on, and fails on a
/// disk that cannot be written before a caller relies on it.
fn start_log(connection: &mut Connection, state: State) -> Result<State, SpoolError> {
    connection::for_writing(connection).map_err(SpoolError::database(OPENING))?;
    let started = commit_first(connection, state).map_err(SpoolError::database(OPENING));
    match started {
        // The WAL of an earlier process has no room behind its frames. Once they are in the
        // database, it is used from its beginning.
        Err(error) if error.is_out_of_space() => maintenance::checkpoint_if_due(connection, 0)
            .and_then(|_| commit_first(connection, state))
            .map_err(SpoolError::database(OPENING)),
        started => started,
    }
}

fn commit_first(connection: &mut Connection, state: State) -> rusqlite::Result<State> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let stored = State::load(&transaction)?;
    let started = State {
        commits: state.commits + 1,
        ..state
    };
    started.update(&transaction, &stored)?;
    transaction.commit()?;
    Ok(started)
}
