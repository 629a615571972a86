//! Arguments that say which cluster is meant.

use clap::Args;

/// Which cluster is meant, and how it is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct Cluster {
    /// Some of its brokers, HOST:PORT with commas between [default: `KAFKA_BOOTSTRAP_SERVERS`,
    /// else `kafka:` of herald.yaml]
    #[arg(long, value_name = "ADDRESSES")]
    pub bootstrap_servers: Option<String>,
    /// A property of librdkafka, such as security.protocol=ssl; a secret as NAME=env:VARIABLE or
    /// NAME=file:PATH; repeat for more
    #[arg(long = "property", value_name = "NAME=VALUE")]
    pub properties: Vec<String>,
}
