//! Cluster for which a spool holds its rows.

use rusqlite::{Connection, OptionalExtension, params};

use crate::schema::CLUSTER;

/// Cluster for which the rows of a spool were published. It is noted when a publisher first reaches
/// one, so that rows for one cluster are not delivered to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolCluster {
    /// Cluster id that the brokers report.
    pub id: String,
    /// Bootstrap servers by which it was reached, for people.
    pub servers: String,
    /// Environment of the publisher, for people; may be empty.
    pub environment: String,
}

impl SpoolCluster {
    /// Reads the cluster; `None` if none was noted, also in a file of an older version.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let is_known = connection
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?1")?
            .exists([CLUSTER])?;
        if !is_known {
            return Ok(None);
        }
        connection
            .prepare_cached(&format!(
                "SELECT cluster_id, servers, environment FROM {CLUSTER}"
            ))?
            .query_row([], |row| {
                Ok(Self {
                    id: row.get(0)?,
                    servers: row.get(1)?,
                    environment: row.get(2)?,
                })
            })
            .optional()
    }

    pub(crate) fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO {CLUSTER} (id, cluster_id, servers, environment)
                 VALUES (1, ?1, ?2, ?3)"
            ))?
            .execute(params![self.id, self.servers, self.environment])?;
        Ok(())
    }
}

impl std::fmt::Display for SpoolCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.id)?;
        let facts = [("", &self.servers), ("environment ", &self.environment)];
        let facts: Vec<_> = facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}{value}"))
            .collect();
        if facts.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", facts.join(", "))
    }
}
