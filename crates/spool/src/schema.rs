//! Schema of the database, and migrations from older versions.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::SpoolError;

/// Table of queued records.
pub(crate) const QUEUE: &str = "queue";
/// Table of dead letters.
pub(crate) const DEAD: &str = "dead_letter";
/// Table with one row, the [state](crate::state).
pub(crate) const STATE: &str = "state";
/// Table of [requests](crate::requests) of other processes.
pub(crate) const REQUEST: &str = "request";

/// Table with one row, the [cluster](crate::cluster) of the rows.
pub(crate) const CLUSTER: &str = "cluster";

/// `application_id` of a spool: "HSPL".
const APPLICATION: i32 = i32::from_be_bytes(*b"HSPL");

/// Migrations, one per version: the first creates version 1 in an empty file. Migrations are only
/// ever added: [`is_as_declared`] compares their text, which SQLite stores as it is, so that a changed
/// blank would turn every existing spool into a damaged one.
///
/// The queue has no index on topic and key. With one, every append would write a page at a random
/// place, which costs more than the record itself; the counts in memory answer the same question.
const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    CREATE TABLE cluster (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        cluster_id TEXT NOT NULL,
        servers TEXT NOT NULL,
        environment TEXT NOT NULL
    );
",
    "
    ALTER TABLE state ADD COLUMN removed_to INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE state ADD COLUMN removed_records INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE state ADD COLUMN removed_bytes INTEGER NOT NULL DEFAULT 0;
",
];

/// Kind of a SQLite file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Spool of this version or an older one.
    Spool,
    /// Tables of a spool in a file with another header.
    DamagedHeader,
    /// Spool of a version that this build does not know.
    Newer(i64),
    /// Database of another program.
    Foreign,
}

/// Newest version that this build knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
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

/// Returns whether the tables are declared as this version declares them. SQLite would treat a
/// column with a flipped bit in its name as another column.
pub(crate) fn is_as_declared(connection: &Connection) -> rusqlite::Result<bool> {
    let mut model = Connection::open_in_memory()?;
    run_migrations(&mut model, MIGRATIONS)?;
    Ok(declarations(connection)? == declarations(&model)?)
}

fn declarations(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Migrates a file to the newest version, each step in a transaction of its own, so that a crash
/// leaves one version or the next.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), SpoolError> {
    run_migrations(connection, MIGRATIONS).map_err(SpoolError::database("migrating the spool"))
}

fn run_migrations(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let version: usize = connection.pragma_query_value(None, "user_version", |row| {
        row.get::<_, u32>(0).map(|version| version as usize)
    })?;
    for (version, step) in (1_i64..).zip(migrations).skip(version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(step)?;
        // Both numbers are part of the file's header, so they are committed with the tables.
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
    fn runs_only_the_missing_migrations() {
        let mut connection = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (x)";
        run_migrations(&mut connection, &[first]).unwrap();
        connection.execute("INSERT INTO a VALUES (1)", []).unwrap();
        run_migrations(&mut connection, &[first, "ALTER TABLE a ADD COLUMN y"]).unwrap();
        assert_eq!(version(&connection), 2);
        let row: (i64, Option<i64>) = connection
            .query_one("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(row, (1, None));
    }

    #[test]
    fn failed_migration_keeps_the_previous_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = [
            "CREATE TABLE a (x)",
            "CREATE TABLE b (x); CREATE TABLE a (x)",
        ];
        assert!(run_migrations(&mut connection, &steps).is_err());
        assert_eq!(version(&connection), 1);
        assert!(connection.prepare("SELECT x FROM b").is_err());
    }

    #[test]
    fn distinguishes_kinds_of_files() {
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
