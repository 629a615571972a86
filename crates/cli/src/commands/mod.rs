//! One module for each command.

mod breaking;
mod catalog;
mod check;
mod dev;
mod doctor;
mod explain;
mod generate;
mod graph;
mod import;
mod infer;
mod init;
mod inspect;
mod listen;
mod lock;
mod man;
mod new;
mod patterns;
mod publish;
mod registry;
mod review;
mod rules;
mod spool;
mod templates;
mod topics;
mod verify;
mod volume;

use clap::CommandFactory;

use crate::args::{Args, Command, Completions, Schema, SchemaOf};
use crate::{Error, ExitStatus, output};

/// Runs a command.
pub fn run(command: Command) -> Result<ExitStatus, Error> {
    match command {
        Command::Generate(args) => generate::run(args),
        Command::Catalog(args) => catalog::run(&args),
        Command::Volume(args) => volume::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Breaking(args) => breaking::run(&args),
        Command::Lock(args) => lock::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Review(args) => review::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Init(args) => init::run(&args),
        Command::New(args) => new::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Dev(args) => dev::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Infer(args) => infer::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Topics(args) => topics::run(&args),
        Command::Registry(args) => registry::run(&args),
        Command::Spool(args) => spool::run(&args),
        Command::Templates(args) => templates::run(&args),
        Command::Patterns(args) => patterns::run(&args),
        Command::Schema(args) => schema(&args),
        Command::Completions(args) => completions(&args),
        Command::Man(args) => man::run(&args),
        Command::Licenses => licenses(),
    }
}

fn schema(args: &Schema) -> Result<ExitStatus, Error> {
    output::json(&match args.of {
        SchemaOf::Contract => herald_catalog::schema::contract(),
        SchemaOf::Config => herald_project::json_schema(),
        SchemaOf::Target => herald_render::manifest::json_schema(),
        SchemaOf::View => herald_render::view::schema(),
    })?;
    Ok(ExitStatus::Success)
}

fn completions(args: &Completions) -> Result<ExitStatus, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "herald", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Success)
}

fn licenses() -> Result<ExitStatus, Error> {
    output::text(include_str!("../../THIRD-PARTY-LICENSES.txt"))?;
    Ok(ExitStatus::Success)
}
