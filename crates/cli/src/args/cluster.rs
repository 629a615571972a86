//! Arguments for the connection to a cluster.

use clap::Args;

/// The connection to a cluster.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct Cluster {
    /// Comma-separated brokers, HOST:PORT [default: `KAFKA_BOOTSTRAP_SERVERS`, else `kafka:` in
    /// herald.yaml]
    #[arg(long, value_name = "ADDRESSES")]
    pub bootstrap_servers: Option<String>,
    /// Property of Kafka clients, such as security.protocol=ssl; secrets as NAME=env:VARIABLE or
    /// NAME=file:PATH; may be repeated
    #[arg(long = "property", value_name = "NAME=VALUE")]
    pub properties: Vec<String>,
}
