//! `herald spool adopt`: assigns the rows of a spool to a cluster.

use std::path::Path;

use herald_publish::kafka;
use herald_spool::{Pending, Spool, SpoolCluster, SpoolOptions};

use super::location::{inspect, refuse_owned, spool_error};
use crate::args::spool::Adopt;
use crate::connection::{self, CONNECT_TIMEOUT, cluster_error};
use crate::format::count;
use crate::terminal::{self, GREEN};
use crate::{Error, ExitStatus, project};

/// Runs the command.
pub fn run(path: &Path, args: &Adopt) -> Result<ExitStatus, Error> {
    let inspector = inspect(path)?;
    let status = inspector
        .status()
        .map_err(|error| spool_error(&error, path))?;
    let before = inspector
        .cluster()
        .map_err(|error| spool_error(&error, path))?;
    refuse_owned(&status, "assign its rows to another cluster")?;
    drop(inspector);
    let cluster = cluster(args)?;
    let assigned = Spool::open(SpoolOptions::new(path)).and_then(|(spool, _)| {
        spool
            .note_cluster(cluster.clone())
            .and_then(Pending::wait)?;
        spool.close()
    });
    assigned.map_err(|error| spool_error(&error, path))?;
    let was = before.map_or_else(
        || "they had none".to_owned(),
        |before| format!("it was {before}"),
    );
    terminal::status(&format!(
        "{GREEN}assigned{GREEN:#} {} and {} to the cluster {cluster}; {was}",
        count(status.records, "record"),
        count(status.dead, "dead letter"),
    ));
    Ok(ExitStatus::Success)
}

/// Cluster that was named, or that answers.
fn cluster(args: &Adopt) -> Result<SpoolCluster, Error> {
    if let Some(id) = &args.cluster_id {
        return Ok(SpoolCluster {
            id: id.clone(),
            servers: String::new(),
            environment: String::new(),
        });
    }
    let options = connection::options(&args.cluster, &project::find()?)?;
    let servers = options.bootstrap_servers().to_owned();
    let id = kafka::cluster_id(&options, CONNECT_TIMEOUT)
        .map_err(|failure| cluster_error(&failure))?
        .ok_or_else(|| Error::Message(format!("the cluster at {servers} has no id")))?;
    Ok(SpoolCluster {
        id,
        servers,
        environment: String::new(),
    })
}
