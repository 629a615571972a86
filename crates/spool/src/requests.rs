//! What another process may ask of a spool that is owned: to retry or drop dead letters.
//!
//! Only the owner changes the queue, because it counts in memory what is in it. So a guest puts
//! a row into a table of its own, and the owner does the work with its next commit, or within
//! a second when it is idle.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::job::Operation;
use crate::record::Sequence;
use crate::schema::REQUEST;
use crate::sql_convert::{from_sql, to_sql};

/// Most requests that become one commit.
const AT_ONCE: u32 = 1000;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterAction {
    /// Put it at the queue's end with no attempts counted.
    Retry,
    /// Delete it for good.
    Drop,
}

impl DeadLetterAction {
    const ALL: [Self; 2] = [Self::Retry, Self::Drop];

    fn name(self) -> &'static str {
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

/// What was asked at once, to see when the owner has done it: [`crate::Inspector::waits_for`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Rows are numbered in order, and no number is used again.
    last: i64,
}

/// Requests that were found.
pub(crate) struct Asked {
    pub(crate) operations: Vec<Operation>,
    /// The last request among them.
    pub(crate) last: i64,
}

/// Remembers when and at what state of the file was last looked.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last_look: Option<Instant>,
    seen: Option<i64>,
}

impl Requests {
    /// Looks at most once in `every`, and into the table only if another connection has written.
    /// Whatever fails is tried again the next time.
    pub(crate) fn look(&mut self, connection: &Connection, every: Duration) -> Option<Asked> {
        if self.last_look.is_some_and(|last| last.elapsed() < every) {
            return None;
        }
        self.last_look = Some(Instant::now());
        let version = data_version(connection).ok()?;
        if self.seen == Some(version) {
            return None;
        }
        let asked = load(connection).ok()?;
        if asked.is_none() {
            // Only an empty table is remembered as seen: there may be more than fit at once,
            // and serving may fail.
            self.seen = Some(version);
        }
        asked
    }
}

/// Changes when another connection has committed.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_one([], |row| row.get(0))
}

fn load(connection: &Connection) -> rusqlite::Result<Option<Asked>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, action, sequence FROM {REQUEST} ORDER BY id LIMIT {AT_ONCE}"
    ))?;
    let mut rows = statement.query([])?;
    let mut asked = Asked {
        operations: Vec::new(),
        last: i64::MIN,
    };
    while let Some(row) = rows.next()? {
        asked.last = row.get(0)?;
        let name: String = row.get(1)?;
        let sequence = Sequence::new(from_sql(row.get(2)?));
        // An action that a newer guest knows is passed over with the rest.
        if let Some(action) = DeadLetterAction::ALL
            .into_iter()
            .find(|action| action.name() == name)
        {
            asked.operations.push(action.work(vec![sequence]));
        }
    }
    Ok((asked.last != i64::MIN).then_some(asked))
}

/// Forgets requests that were served, in the transaction that serves them.
pub(crate) fn delete(connection: &Connection, until: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!("DELETE FROM {REQUEST} WHERE id <= ?1"))?
        .execute([until])?;
    Ok(())
}

/// Puts requests into the table; durable when this returns.
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
            .execute(params![action.name(), to_sql(sequence.get())])?;
        request.last = transaction.last_insert_rowid();
    }
    transaction.commit()?;
    Ok(request)
}

/// How many rows of a request, and of those before it, still wait for the owner.
pub(crate) fn left(connection: &Connection, request: Request) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!("SELECT count(*) FROM {REQUEST} WHERE id <= ?1"))?
        .query_one([request.last], |row| row.get(0).map(from_sql))
}

/// How many requests wait for the owner.
pub(crate) fn waiting(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_one(&format!("SELECT count(*) FROM {REQUEST}"), [], |row| {
        row.get(0).map(from_sql)
    })
}
