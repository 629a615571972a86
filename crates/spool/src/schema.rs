//! Tables, and how a file of an older version becomes one of this.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::SpoolError;

/// Records on their way to Kafka.
pub(crate) const QUEUE: &str = "queue";
/// Records that nothing can deliver.
pub(crate) const DEAD: &str = "dead_letter";
/// One row: [`crate::state`].
pub(crate) const STATE: &str = "state";
/// What other processes ask of the owner: [`crate::requests`].
pub(crate) const REQUEST: &str = "request";

/// Marks a SQLite file as a spool: "HSPL".
const APPLICATION: i32 = i32::from_be_bytes(*b"HSPL");

/// One step per version: the first makes version 1 of an empty file. Steps are only ever added.
///
/// The queue has no index on topic and key: every append would dirty a page at a random place,
/// which costs more than the record itself, for a question that a count in memory answers.
const STEPS: &[&str] = &["
    CREATE TABLE queue (
        sequence INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        key BLOB,
        created INTEGER NOT NULL,
        not_before INTEGER,
        attempts INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        last_error TEXT,
        headers BLOB NOT NULL,
        payload BLOB NOT NULL
    );
    CREATE TABLE dead_letter (
        sequence INTEGER PRIMARY KEY,
        topic TEXT,
        key BLOB,
        created INTEGER,
        not_before INTEGER,
        attempts INTEGER,
        checksum INTEGER,
        last_error TEXT,
        headers BLOB,
        payload BLOB,
        reason TEXT NOT NULL,
        died INTEGER NOT NULL
    );
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        next_sequence INTEGER NOT NULL,
        commits INTEGER NOT NULL,
        records INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        dead INTEGER NOT NULL,
        dead_bytes INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    );
    CREATE TABLE request (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        action TEXT NOT NULL,
        sequence INTEGER NOT NULL
    );
"];

/// What kind of file SQLite opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A spool of this version or an older one.
    Spool,
    /// A spool's tables below a header that is not a spool's.
    DamagedHeader,
    /// A spool of a version that this build does not know.
    Newer(i64),
    /// Somebody else's.
    Foreign,
}

/// The newest version that this build knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

pub(crate) fn kind(connection: &Connection) -> rusqlite::Result<Kind> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let spool_tables: i64 = connection.query_one(
        "SELECT count(*) FROM sqlite_schema WHERE name IN (?1, ?2)",
        [QUEUE, STATE],
        |row| row.get(0),
    )?;
    Ok(match (application == APPLICATION, version) {
        (true, 1..) if version > newest() => Kind::Newer(version),
        (true, 1..) if spool_tables == 2 => Kind::Spool,
        (true, _) => Kind::DamagedHeader,
        (false, _) if spool_tables == 2 => Kind::DamagedHeader,
        (false, _) => Kind::Foreign,
    })
}

/// Whether the tables are declared as this version declares them. SQLite takes a column with a
/// flipped letter in its name for another column.
pub(crate) fn is_as_declared(connection: &Connection) -> rusqlite::Result<bool> {
    let mut model = Connection::open_in_memory()?;
    run_steps(&mut model, STEPS)?;
    Ok(declarations(connection)? == declarations(&model)?)
}

fn declarations(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Brings a file to the newest version, each step in a transaction of its own, so that a crash
/// leaves one version or the next.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), SpoolError> {
    run_steps(connection, STEPS).map_err(SpoolError::database("migrating the spool"))
}

fn run_steps(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let version: usize = connection.pragma_query_value(None, "user_version", |row| {
        row.get::<_, u32>(0).map(|version| version as usize)
    })?;
    for (version, step) in (1_i64..).zip(steps).skip(version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn an_older_file_takes_only_the_steps_it_lacks() {
        let mut connection = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (x)";
        run_steps(&mut connection, &[first]).unwrap();
        connection.execute("INSERT INTO a VALUES (1)", []).unwrap();
        run_steps(&mut connection, &[first, "ALTER TABLE a ADD COLUMN y"]).unwrap();
        assert_eq!(version(&connection), 2);
        let row: (i64, Option<i64>) = connection
            .query_one("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(row, (1, None));
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = [
            "CREATE TABLE a (x)",
            "CREATE TABLE b (x); CREATE TABLE a (x)",
        ];
        assert!(run_steps(&mut connection, &steps).is_err());
        assert_eq!(version(&connection), 1);
        assert!(connection.prepare("SELECT x FROM b").is_err());
    }

    #[test]
    fn the_kinds_of_files_are_told_apart() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(kind(&connection).unwrap(), Kind::Foreign);
        migrate(&mut connection).unwrap();
        assert_eq!(kind(&connection).unwrap(), Kind::Spool);
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(kind(&connection).unwrap(), Kind::Newer(99));
        connection.pragma_update(None, "user_version", 0).unwrap();
        assert_eq!(kind(&connection).unwrap(), Kind::DamagedHeader);
        connection.pragma_update(None, "application_id", 1).unwrap();
        assert_eq!(kind(&connection).unwrap(), Kind::DamagedHeader);
        let foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE users (name)").unwrap();
        assert_eq!(kind(&foreign).unwrap(), Kind::Foreign);
    }
}
