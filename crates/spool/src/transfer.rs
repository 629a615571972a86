//! Export of a spool to a file, and import of its rows into another spool.

use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use rusqlite::Connection;

use crate::dead::DeadLetter;
use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::inspect::Inspector;
use crate::pending::Pending;
use crate::record::{Record, Sequence};
use crate::salvage;
use crate::spool::Spool;

const EXPORTING: &str = "exporting the spool";

/// Rows that are read at a time.
const BATCH_ROWS: usize = 500;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// Result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Records that were added to the queue.
    pub records: u64,
    /// Dead letters that were added.
    pub dead: u64,
    /// Records and dead letters that were in the spool already.
    pub known: u64,
    /// Damaged rows, which stay in the source.
    pub damaged: u64,
}

/// Writes a copy of the spool as of the last commit to a new file. The copy appears complete or not
/// at all.
pub(crate) fn export(connection: &Connection, to: &Path) -> Result<(), SpoolError> {
    if to.exists() {
        return Err(SpoolError::Io {
            context: EXPORTING,
            detail: format!("{} exists already", to.display()),
        });
    }
    let target = Files::new(to);
    target.create_folder()?;
    let partial = target.recovering();
    let copied = copy(connection, &partial).and_then(|()| {
        fs::rename(&partial, to).map_err(SpoolError::io(EXPORTING))?;
        target.sync_folder()
    });
    copied.inspect_err(|_| {
        // An incomplete file is of no use.
        let _ = fs::remove_file(&partial);
    })
}

fn copy(connection: &Connection, to: &Path) -> Result<(), SpoolError> {
    salvage::remove_if_there(to)?;
    // Created here, so that only the owner can read it.
    files::open_private(to).map_err(SpoolError::io(EXPORTING))?;
    connection
        .execute("VACUUM INTO ?1", [to.to_string_lossy()])
        .map_err(SpoolError::database(EXPORTING))?;
    // SQLite does not flush it.
    File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(SpoolError::io(EXPORTING))
}

/// Appends the rows of another spool that are not in this one. It can be repeated after a failure.
pub(crate) fn import(spool: &Spool, source: &Inspector) -> Result<Imported, SpoolError> {
    if let Some(cluster) = source.cluster()? {
        spool.check_cluster(&cluster.id)?;
        if spool.cluster()?.is_none_or(|noted| noted.id != cluster.id) {
            spool.note_cluster(cluster).and_then(Pending::wait)?;
        }
    }
    let mut imported = Imported::default();
    let mut known = known_rows(spool)?;
    for_each_batch(
        |after| source.batch(BATCH_ROWS, BATCH_BYTES, after),
        |batch| {
            imported.damaged += batch.damaged.len() as u64;
            let (new, old): (Vec<_>, Vec<_>) = batch
                .records
                .into_iter()
                .map(|stored| stored.record)
                .partition(|record| !known.take(record));
            imported.known += old.len() as u64;
            if !new.is_empty() {
                let added = spool.append_all(new).and_then(Pending::wait)?;
                imported.records += added.count;
            }
            Ok(batch.last)
        },
    )?;
    for_each_batch(
        |after| source.dead_letters(BATCH_ROWS, BATCH_BYTES, after),
        |letters| {
            let last = letters.last().map(|letter| letter.sequence);
            let mut pending = Vec::new();
            for letter in letters {
                let Some(stored) = letter.stored else {
                    imported.damaged += 1;
                    continue;
                };
                if known.take(&stored.record) {
                    imported.known += 1;
                    continue;
                }
                let error = stored.last_error.unwrap_or_default();
                pending.push(spool.append_dead(stored.record, letter.reason, error)?);
            }
            for pending in pending {
                pending.wait()?;
                imported.dead += 1;
            }
            Ok(last)
        },
    )?;
    Ok(imported)
}

/// Rows of a spool by their fingerprints, each as often as it is there: equal records are different
/// events if they were published twice.
#[derive(Default)]
struct KnownRows(HashMap<(u64, u64), u64>);

impl KnownRows {
    fn add(&mut self, record: &Record) {
        *self.0.entry(fingerprint(record)).or_default() += 1;
    }

    /// Takes a row that is equal to this one, if there is one left.
    fn take(&mut self, record: &Record) -> bool {
        let left = self.0.get_mut(&fingerprint(record));
        left.filter(|left| **left > 0)
            .map(|left| *left -= 1)
            .is_some()
    }
}

fn known_rows(spool: &Spool) -> Result<KnownRows, SpoolError> {
    let mut known = KnownRows::default();
    for_each_batch(
        |after| spool.next_batch(BATCH_ROWS, BATCH_BYTES, after),
        |batch| {
            for stored in &batch.records {
                known.add(&stored.record);
            }
            Ok(batch.last)
        },
    )?;
    for_each_batch(
        |after| spool.dead_letters(BATCH_ROWS, BATCH_BYTES, after),
        |letters: Vec<DeadLetter>| {
            for stored in letters.iter().filter_map(|letter| letter.stored.as_ref()) {
                known.add(&stored.record);
            }
            Ok(letters.last().map(|letter| letter.sequence))
        },
    )?;
    Ok(known)
}

/// Calls `each` for batches, until it returns that there was no row.
fn for_each_batch<T>(
    read: impl Fn(Sequence) -> Result<T, SpoolError>,
    mut each: impl FnMut(T) -> Result<Option<Sequence>, SpoolError>,
) -> Result<(), SpoolError> {
    let mut after = Sequence::START;
    while let Some(last) = each(read(after)?)? {
        after = last;
    }
    Ok(())
}

/// Hash of what makes a record, without its attempts: the same event in two spools has the same.
fn fingerprint(record: &Record) -> (u64, u64) {
    let hash = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, &record.topic, &record.key, record.created).hash(&mut hasher);
        for header in record.headers.iter() {
            header.hash(&mut hasher);
        }
        record.payload.hash(&mut hasher);
        hasher.finish()
    };
    (hash(0), hash(1))
}
