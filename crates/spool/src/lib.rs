//! Durable local queue for events that Kafka has not acknowledged.
//!
//! A record for which [`Spool::append`] returned a [`Sequence`] is flushed to the local disk. It
//! survives a killed process, a system crash and a power cut, and is read in the same order until
//! it is acknowledged, or moved to the dead letters and dropped by an operator. A record that the
//! spool cannot keep is an error; nothing is dropped silently.
//!
//! ```
//! use herald_spool::{Record, Sequence, Spool, SpoolOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let (spool, report) = Spool::open(SpoolOptions::new(folder.path().join("spool.db")))?;
//! if let Some(recovery) = &report.recovery {
//!     eprintln!("{}; lost: {:?}", recovery.damage, recovery.lost);
//! }
//!
//! let receipt = spool.append(Record::new("orders", "{}").with_key("order-7"))?;
//! println!("safe as {}", receipt.wait()?);
//!
//! let batch = spool.next_batch(100, 1024 * 1024, Sequence::START)?;
//! let delivered = batch.records.iter().map(|stored| stored.sequence);
//! spool.acknowledge(delivered)?.wait()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Files
//!
//! Files of a spool `spool.db`, all in one folder:
//!
//! | file | content |
//! | --- | --- |
//! | `spool.db` | SQLite database; `sqlite3` may read it at any time. Rows of `queue` up to `removed_to` in `state` are of records that were removed, and are deleted later |
//! | `spool.db-wal`, `spool.db-shm` | write-ahead log (WAL) of recent commits, and its index |
//! | `spool.db.lock` | lock file: the owner holds an OS lock on it and wrote its process id into it |
//! | `spool.db.commits` | commit counter, to detect a lost WAL |
//! | `spool.db.damaged-…/` | damaged files, moved there by a recovery |
//! | `spool.db.replaced-…/` | files that took the place of the open ones |
//!
//! # Integrity
//!
//! - **Durability**: the WAL is flushed before any receipt.
//! - **Damaged rows**: frames of the WAL have checksums of SQLite; rows have their own, so that a
//!   flipped bit in the database is found when the row is read. A row that can be neither read nor
//!   moved is [`SpoolError::Corrupt`] and calls for [`SpoolOptions::salvage`].
//! - **Damaged WAL**: it is written into the database at once, because SQLite's next opening would
//!   end it at its first damaged frame.
//! - **Missing rows** are found by totals that are committed with them, **missing commits** by the
//!   commit counter.
//! - **Files deleted, replaced or truncated** under the running process are found by their names
//!   before and after every commit.
//! - **Writes by another program** are found by the number of commits.

mod append;
mod at_fork;
mod changes;
mod cluster;
mod commit_counter;
mod connection;
mod damage;
mod dead;
mod disk;
mod error;
mod examine;
mod file_watcher;
mod files;
mod gaps;
mod headers;
mod inspect;
mod job;
mod key_counting;
mod keys;
mod lock_file;
mod maintenance;
mod open;
mod options;
mod pending;
mod queue;
mod reader;
mod record;
mod recovery;
mod removal;
mod requests;
mod reserve;
mod row;
mod salvage;
mod scan;
mod schema;
mod spool;
mod sql_convert;
mod state;
mod stats;
mod sync;
mod threads;
mod transfer;
mod verify;
mod writer;

pub use append::Append;
pub use cluster::SpoolCluster;
pub use damage::Damage;
pub use dead::{DeadLetter, DeadLetterRequest, REASON_DAMAGED};
pub use disk::{Disk, FileSystem};
pub use error::{Limit, SpoolError, SpoolErrorCode};
pub use headers::Headers;
pub use inspect::{Inspector, SpoolStatus};
pub use job::LateRecord;
pub use keys::{KeyHash, KeyHashMap, PassThroughHasher, key_hash};
pub use lock_file::{SpoolFile, spool_files};
pub use open::OpenReport;
pub use options::{SpoolOptions, WhenOwned};
pub use pending::Pending;
pub use queue::CommitStatistics;
pub use reader::{Batch, Found};
pub use record::{Acknowledged, FailedAttempt, Record, Sequence, SequenceRange, StoredRecord};
pub use recovery::Recovery;
pub use requests::{DeadLetterAction, Request, UnknownAction};
pub use spool::{OrphanedReader, Spool};
pub use stats::SpoolStats;
pub use sync::lock;
pub use transfer::Imported;
pub use verify::Verification;
