//! Requests of another process to the owner: retry or drop dead letters.
//!
//! Only the owner changes the queue, because it keeps totals in memory. So the other process
//! inserts a row into a table of its own, and the owner serves it with its next commit, or within
//! a second when it is idle.

use std::str::FromStr;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::job::Operation;
use crate::record::Sequence;
use crate::schema::REQUEST;
use crate::sql_convert::{from_sql, to_sql};

/// Maximum number of requests in one commit.
const MAX_PER_COMMIT: u32 = 1000;

/// Action on a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterAction {
    /// Re-queue it at the end, without attempts.
    Retry,
    /// Delete it.
    Drop,
}

impl DeadLetterAction {
    /// Returns the name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Drop => "drop",
        }
    }

    fn work(self, sequences: Vec<Sequence>) -> Operation {
        match self {
            Self::Retry => Operation::RetryDead(sequences),
            Self::Drop => Operation::DropDead(sequences),
        }
    }
}

impl FromStr for DeadLetterAction {
    type Err = UnknownAction;

    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        [Self::Retry, Self::Drop]
            .into_iter()
            .find(|action| action.as_str() == name)
            .ok_or(UnknownAction)
    }
}

/// Error of a name that is not a [`DeadLetterAction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an action on dead letters; expected `retry` or `drop`")]
pub struct UnknownAction;

/// Request that was made, to see when the owner has served it:
/// [`crate::Inspector::pending_sequences`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Id of the last row. `AUTOINCREMENT` numbers rows in order and never reuses an id.
    last: i64,
}

/// Requests to serve.
pub(crate) struct PendingRequests {
    pub(crate) operations: Vec<Operation>,
    /// Id of the last request.
    pub(crate) last: i64,
}

/// Poller of the request table.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last_poll: Option<Instant>,
    /// Data version at which the table was empty.
    empty_at: Option<i64>,
}

impl Requests {
    /// Returns new requests. Polls at most once per `interval`, and reads the table only if another
    /// connection has committed. After an error it tries again the next time.
    pub(crate) fn poll(
        &mut self,
        connection: &Connection,
        interval: Duration,
    ) -> Option<PendingRequests> {
        if self.last_poll.is_some_and(|last| last.elapsed() < interval) {
            return None;
        }
        self.last_poll = Some(Instant::now());
        let version = data_version(connection).ok()?;
        if self.empty_at == Some(version) {
            return None;
        }
        let pending = load(connection).ok()?;
        if pending.is_none() {
            // Only an empty table is remembered: there may be more requests than one commit takes,
            // and serving them may fail.
            self.empty_at = Some(version);
        }
        pending
    }
}

/// Returns a number that changes when another connection has committed.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_one([], |row| row.get(0))
}

fn load(connection: &Connection) -> rusqlite::Result<Option<PendingRequests>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, action, sequence FROM {REQUEST} ORDER BY id LIMIT {MAX_PER_COMMIT}"
    ))?;
    let mut rows = statement.query([])?;
    let mut pending = PendingRequests {
        operations: Vec::new(),
        last: i64::MIN,
    };
    while let Some(row) = rows.next()? {
        pending.last = row.get(0)?;
        let name: String = row.get(1)?;
        let sequence = Sequence::new(from_sql(row.get(2)?));
        // An unknown action, requested by a newer version, is skipped.
        if let Ok(action) = name.parse::<DeadLetterAction>() {
            pending.operations.push(action.work(vec![sequence]));
        }
    }
    Ok((pending.last != i64::MIN).then_some(pending))
}

/// Deletes served requests, in the transaction that serves them.
pub(crate) fn delete(connection: &Connection, until: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!("DELETE FROM {REQUEST} WHERE id <= ?1"))?
        .execute([until])?;
    Ok(())
}

/// Inserts requests; they are durable when this returns.
pub(crate) fn insert(
    connection: &mut Connection,
    action: DeadLetterAction,
    sequences: &[Sequence],
) -> rusqlite::Result<Request> {
    let transaction = connection.transaction()?;
    let mut request = Request { last: i64::MIN };
    for sequence in sequences {
        transaction
            .prepare_cached(&format!(
                "INSERT INTO {REQUEST} (action, sequence) VALUES (?1, ?2)"
            ))?
            .execute(params![action.as_str(), to_sql(sequence.get())])?;
        request.last = transaction.last_insert_rowid();
    }
    transaction.commit()?;
    Ok(request)
}

/// Number of rows of a request, and of those before it, that are not served yet.
pub(crate) fn pending(connection: &Connection, request: Request) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!("SELECT count(*) FROM {REQUEST} WHERE id <= ?1"))?
        .query_one([request.last], |row| row.get(0).map(from_sql))
}

/// Number of requests that are not served yet.
pub(crate) fn waiting(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_one(&format!("SELECT count(*) FROM {REQUEST}"), [], |row| {
        row.get(0).map(from_sql)
    })
}
