//! The page of all commands and their arguments.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use super::markdown::{block, cell, code, prose};
use super::{MADE, environment};
use crate::args::Args;

/// Introduction that applies to all commands.
const INTRO: &str = "\
A PATH is a file, a folder that is searched, or a glob in quotes. Exit codes are 0 for clean, 1 for \
diagnostics at error level, stale files or fewer events than asked for, and 2 for what could not run, \
or found nothing to read, unless noted at the command. [Commands that talk to Kafka](../kafka-commands.md) \
have a page that shows them at work.

A command that can't write its output, for example to a full device, exits with 2. A reader that closes \
the pipe ends it quietly. Status lines on standard error that can't be written are dropped and do not \
change the exit code. Contracts, templates, spools and output files have to be regular files; a named pipe \
is an error, except for `herald publish` and a shell's `<(command)`. Control and invisible characters in \
text from files, events and errors are printed as symbols, or as escapes in JSON.
";

/// The page.
pub(super) fn page() -> String {
    let mut herald = Args::command();
    herald.build();
    let mut page = format!("# Command line\n\n{MADE}\n{INTRO}");
    page += "\n| command | does |\n| --- | --- |\n";
    let mut all = Vec::new();
    collect(&herald, &mut all);
    for (name, command) in &all {
        let anchor = name.replace(' ', "-");
        let _ = writeln!(
            page,
            "| [`{name}`](#{anchor}) | {} |",
            cell(&about(command))
        );
    }
    page += "\nFor all of them:\n\n";
    arguments(
        &mut page,
        herald.get_arguments().filter(|arg| arg.is_global_set()),
    );
    for (name, command) in &all {
        let _ = write!(page, "\n## {name}\n\n");
        if let Some(long) = command.get_long_about() {
            let _ = write!(page, "{}\n\n", prose(&long.to_string()));
        } else {
            let _ = write!(page, "{}.\n\n", prose(&about(command)));
        }
        let usage = (*command).clone().render_usage().to_string();
        page += &block("text", usage.trim_start_matches("Usage: "));
        let mut own = command
            .get_arguments()
            .filter(|arg| !arg.is_global_set())
            .peekable();
        if own.peek().is_some() {
            page.push('\n');
            arguments(&mut page, own);
        }
        if let Some(after) = command.get_after_help() {
            let _ = write!(page, "\n{}", block("text", &after.to_string()));
        }
    }
    page += &environment::section();
    page
}

/// Collects the commands without subcommands, each with its full name.
fn collect<'c>(command: &'c Command, all: &mut Vec<(String, &'c Command)>) {
    for command in command
        .get_subcommands()
        .filter(|one| one.get_name() != "help")
    {
        if command.has_subcommands() {
            collect(command, all);
        } else {
            let name = command.get_bin_name().expect("commands are built");
            all.push((name.to_owned(), command));
        }
    }
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .expect("every command has an about text")
        .to_string()
}

fn arguments<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    *page += "| argument | meaning |\n| --- | --- |\n";
    for argument in arguments.filter(|arg| !arg.is_hide_set()) {
        if ["help", "version"].contains(&argument.get_id().as_str()) {
            continue;
        }
        let mut meaning = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let values = argument.get_possible_values();
        if !values.is_empty() && argument.get_action().takes_values() {
            let names: Vec<_> = values.iter().map(|value| code(value.get_name())).collect();
            let _ = write!(meaning, ": {}", names.join(", "));
        }
        let defaults = argument.get_default_values();
        if !defaults.is_empty() && argument.get_action().takes_values() {
            let defaults: Vec<_> = defaults
                .iter()
                .map(|one| code(&one.to_string_lossy()))
                .collect();
            let _ = write!(meaning, " [default: {}]", defaults.join(", "));
        }
        let _ = writeln!(
            page,
            "| {} | {} |",
            cell(&code(&typed(argument))),
            cell(&meaning)
        );
    }
}

/// An argument in the form in which it is typed: `--out DIR`.
fn typed(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<_> = names.iter().map(clap::builder::Str::as_str).collect();
    let names = names.join(" ");
    match argument.get_long() {
        None => names,
        Some(long) if argument.get_action().takes_values() => format!("--{long} {names}"),
        Some(long) => format!("--{long}"),
    }
}
