//! One file a command.

mod catalog;
mod check;
mod dev;
mod explain;
mod generate;
mod init;
mod inspect;
mod listen;
mod new;
mod patterns;
mod publish;
mod spool;
mod templates;
mod topics;
mod volume;

use clap::CommandFactory;

use crate::args::{Args, Command, Completions, Schema, SchemaOf};
use crate::{CLEAN, Failure, output};

/// Runs a command and gives its exit code.
pub fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Generate(args) => generate::run(args),
        Command::Catalog(args) => catalog::run(&args),
        Command::Volume(args) => volume::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Init(args) => init::run(&args),
        Command::New(args) => new::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Dev(args) => dev::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Topics(args) => topics::run(&args),
        Command::Spool(args) => spool::run(&args),
        Command::Templates(args) => templates::run(&args),
        Command::Patterns(args) => patterns::run(&args),
        Command::Schema(args) => schema(&args),
        Command::Completions(args) => completions(&args),
    }
}

fn schema(args: &Schema) -> Result<u8, Failure> {
    output::json(&match args.of {
        SchemaOf::Contract => herald_catalog::schema::contract(),
        SchemaOf::Config => herald_catalog::schema::config(),
        SchemaOf::Target => herald_catalog::schema::target(),
        SchemaOf::View => herald_render::view::schema(),
    })?;
    Ok(CLEAN)
}

fn completions(args: &Completions) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "herald", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(CLEAN)
}
