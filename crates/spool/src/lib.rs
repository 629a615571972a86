//! The durable local queue for what Kafka has not acknowledged.
//!
//! A record that [`Spool::append`] has given a [`Sequence`] for is flushed to the local disk: it
//! is read again after a kill, a crash of the system or a power cut, in the same order, until it
//! was acknowledged, or buried as a dead letter and dropped by a person. What the spool cannot
//! keep is an error; nothing is dropped in silence.
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
//! let delivered = batch.records.iter().map(|stored| stored.sequence).collect();
//! spool.acknowledge(delivered)?.wait()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is on the disk
//!
//! For a spool `spool.db`, in one folder:
//!
//! | file | |
//! | --- | --- |
//! | `spool.db` | the SQLite database; `sqlite3` may read it at any time |
//! | `spool.db-wal`, `spool.db-shm` | its log of recent commits, and the log's index |
//! | `spool.db.lock` | its owner holds an OS lock on it, and wrote its process number into it |
//! | `spool.db.commits` | how many commits were confirmed, to notice a lost log |
//! | `spool.db.damaged-…/` | damaged files, moved there by an opening that salvaged them |
//!
//! # What guards what
//!
//! A commit is durable by SQLite's log, flushed before any receipt. Pages of the log have
//! checksums; rows have their own, so a flipped bit in the database is found when the row is
//! read; one that can be neither read nor moved asks for an opening that salvages. A log in which
//! damage was seen is emptied into the database at once, because SQLite's next opening would take
//! it for ended at its first damaged frame. Missing rows are found by counts that commit with
//! them, missing commits by the commit counter. Files that are deleted, replaced or truncated under the
//! running process are found by their names around every commit. A write by another program is
//! found by the number of commits.

mod append;
mod changes;
mod commit_counter;
mod connection;
mod damage;
mod dead;
mod error;
mod examine;
mod file_watcher;
mod files;
mod headers;
mod inspect;
mod job;
mod keys;
mod lock_file;
mod maintenance;
mod open;
mod options;
mod pending;
mod process;
mod queue;
mod reader;
mod record;
mod recovery;
mod requests;
mod row;
mod salvage;
mod scan;
mod schema;
mod spool;
mod sql_convert;
mod state;
mod stats;
mod verify;
mod writer;

pub use append::Append;
pub use damage::Damage;
pub use dead::{DeadLetter, DeadLetterRequest, REASON_DAMAGED};
pub use error::{Bound, SpoolError};
pub use inspect::{Inspector, SpoolStatus};
pub use lock_file::{SpoolFile, spool_files};
pub use open::OpenReport;
pub use options::{SpoolOptions, WhenOwned};
pub use pending::Pending;
pub use queue::CommitStatistics;
pub use reader::{Batch, Found};
pub use record::{FailedAttempt, Header, Record, Sequence, SequenceRange, StoredRecord};
pub use recovery::Recovery;
pub use requests::{DeadLetterAction, Request};
pub use spool::{OrphanedReader, Spool};
pub use stats::SpoolStats;
pub use verify::Verification;
