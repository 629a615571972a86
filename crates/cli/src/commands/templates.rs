//! `herald templates`: lists, copies and checks templates.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use herald_catalog::Node;
use herald_catalog::load::{self, Loaded, Options};
use herald_diagnostics::did_you_mean;
use herald_diagnostics::render::{Format, visible_line};
use herald_project::Project;
use herald_render::{Context, PythonOptions, TARGETS, Templates as Compiled};

use crate::args::templates::{Check, Eject, Templates};
use crate::format::count;
use crate::templates::{self, ENDING};
use crate::terminal::{self, GREEN};
use crate::{Error, ExitStatus, output, output_files, project};

/// Contracts with every feature and with almost none, which every template has to handle.
const EXAMPLES: [(&str, &str); 3] = [
    (
        "an example with everything",
        include_str!("example/orders.yaml"),
    ),
    (
        "an example without operations",
        "node_type: compute\nservice_name: nothing_much\ninclude_state_events: false\n",
    ),
    (
        "an example with an event of its own",
        "node_type: reducer\nservice_name: only-declared\ninclude_state_events: false\n\
         include_metric_events: false\nevents:\n  - {event_type: stock.low, topic: stock.low.v1}\n",
    ),
];

/// Runs the command.
pub fn run(args: &Templates) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    match args {
        Templates::List => list(&project),
        Templates::Eject(args) => eject(args, &project),
        Templates::Check(args) => check(args, &project),
    }
}

fn list(project: &Project) -> Result<ExitStatus, Error> {
    let own = templates::read(project, &[])?;
    let mut text = String::new();
    for target in TARGETS {
        let _ = writeln!(text, "{}  {}", target.name, target.title);
        let prefix = format!("{}/", target.name);
        for (name, _) in Compiled::shipped().filter(|(name, _)| name.starts_with(&prefix)) {
            let replaced = own.templates.iter().find(|own| own.name == name);
            let by = replaced.map(|own| format!("  replaced by {}", visible_line(&own.file)));
            let _ = writeln!(text, "  {name}{}", by.unwrap_or_default());
        }
    }
    for target in &own.targets {
        let manifest = &target.manifest;
        let _ = writeln!(
            text,
            "{}  {}",
            target.name,
            visible_line(&manifest.description)
        );
        for rule in &manifest.files {
            let _ = writeln!(
                text,
                "  {}/{}  for each {}: {}",
                target.name,
                visible_line(&rule.template),
                rule.each.as_str(),
                visible_line(&rule.path)
            );
        }
    }
    output::text(&text)?;
    Ok(ExitStatus::Success)
}

fn eject(args: &Eject, project: &Project) -> Result<ExitStatus, Error> {
    let shipped: Vec<_> = Compiled::shipped().collect();
    let mut chosen = Vec::new();
    for name in &args.names {
        let name = name.strip_suffix(ENDING).unwrap_or(name);
        if let Some(template) = shipped.iter().find(|(known, _)| *known == name) {
            chosen.push(*template);
        } else {
            let help = match did_you_mean(name, shipped.iter().map(|(known, _)| *known)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "`herald templates list` lists all templates".to_owned(),
            };
            return Err(Error::Message(format!("unknown template `{name}`; {help}")));
        }
    }
    if args.all {
        chosen = shipped;
    }
    let folder = templates::folder(project);
    let files: Vec<_> = (chosen.into_iter())
        .map(|(name, text)| (folder.join(format!("{name}{ENDING}")), text))
        .collect();
    let there = files
        .iter()
        .find(|(path, _)| path.symlink_metadata().is_ok());
    if let Some((path, _)) = there.filter(|_| !args.force) {
        return Err(Error::Message(format!(
            "`{}` already exists; nothing was written. --force overwrites it",
            path.display()
        )));
    }
    for (path, text) in &files {
        output_files::write_text(path, text, path.symlink_metadata().is_err())?;
        terminal::status(&format!("{GREEN}wrote{GREEN:#} {}", terminal::path(path)));
    }
    Ok(ExitStatus::Success)
}

fn check(args: &Check, project: &Project) -> Result<ExitStatus, Error> {
    let own = templates::read(project, &args.targets)?;
    let mut problems: BTreeSet<String> = own.unused().into_iter().collect();
    let compiled = Compiled::new(&own.templates).map_err(|errors| {
        for error in errors {
            terminal::error(&error.to_string());
        }
    });
    let Ok(compiled) = compiled else {
        return Ok(ExitStatus::Problems);
    };
    let examples = EXAMPLES.map(|(name, text)| load::load_text(name, text, &Options::default()));
    let contracts = if args.paths.is_empty() && project.root.is_none() {
        Loaded::default()
    } else {
        project::load(project, &args.paths, Format::Human)?
    };
    let context = Context {
        templates: &compiled,
        python: PythonOptions::of(&project.python),
    };
    let (broken, mut printed) = (contracts.sources_with_errors(), 0);
    let mut try_all = |nodes: &[&Node]| {
        for target in own.all_targets() {
            match target.render(nodes, &context, true) {
                Ok(files) => printed += files.len(),
                Err(error) => problems.extend(error.messages()),
            }
        }
    };
    for example in &examples {
        try_all(&example.catalog.nodes.iter().collect::<Vec<_>>());
    }
    let is_good = |node: &&Node| !broken.contains(&node.location.source);
    let good: Vec<_> = contracts.catalog.nodes.iter().filter(is_good).collect();
    try_all(&good);
    for problem in &problems {
        terminal::error(problem);
    }
    if !problems.is_empty() {
        return Ok(ExitStatus::Problems);
    }
    terminal::status(&format!(
        "{GREEN}ok{GREEN:#}: rendered {} from {} and {}",
        count(printed, "file"),
        count(good.len(), "contract"),
        count(examples.len(), "example")
    ));
    Ok(ExitStatus::Success)
}
