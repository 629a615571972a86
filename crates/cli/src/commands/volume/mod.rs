//! `herald volume`: estimates event volume and storage.

mod json;
mod markdown;
mod messages;
mod text;

use herald_diagnostics::render::Format;
use herald_volume::{Options, Plan};

use crate::args::volume::{Volume, VolumeFormat};
use crate::{Error, ExitStatus, output, project, terminal};

/// Runs the command.
pub fn run(args: &Volume) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut loaded = project::load(&project, &args.paths, Format::Human)?;
    let options = Options {
        requests_per_second: args.rate,
        retention: args.retention,
        replication_factor: args.replication,
        partition_bytes_per_second: args.partition_throughput,
        consumer_events_per_second: args.consumer_rate,
        namespace: args.namespace.namespace.clone(),
    };
    let plan = Plan::new(&loaded.catalog.nodes, &options);
    match args.format {
        VolumeFormat::Table => output::text(&text::tables(&plan, terminal::width()))?,
        VolumeFormat::Markdown => output::text(&markdown::document(&plan))?,
        VolumeFormat::Json => output::json(&json::document(&plan))?,
    }
    terminal::print_errors(&mut loaded);
    Ok(if loaded.has_errors() {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}
