//! Status messages of `herald new`.

use std::path::Path;

use herald_catalog::ident;
use herald_diagnostics::render::visible_line;
use herald_render::NodeMethod;

use crate::args::New;
use crate::commands::new::layout::{GivenContract, Layout};
use crate::format::count;
use crate::output_files::{Planned, State};
use crate::terminal::{self, BOLD, DIM, GREEN, YELLOW};

/// Reports a file that was written.
pub fn wrote(path: &Path) {
    let path = terminal::path(path);
    terminal::status(&format!("{GREEN}wrote{GREEN:#} {path}"));
}

/// Reports a file that was kept.
pub fn kept(path: &Path) {
    let path = terminal::path(path);
    terminal::status(&format!("{DIM}kept {path}{DIM:#}"));
}

/// Reports the number of generated files that did not change.
pub fn unchanged(generated: &[Planned<'_>]) {
    let same = (generated.iter()).filter(|file| file.state == State::Unchanged);
    let same = same.count();
    if same > 0 {
        let files = count(same, "generated file");
        terminal::status(&format!("{DIM}{files} unchanged{DIM:#}"));
    }
}

/// Prints the next steps for a new project.
pub fn next_steps(layout: &Layout, operations: &[NodeMethod]) {
    if !operations.is_empty() {
        let names: Vec<_> = operations.iter().map(|it| it.operation.as_str()).collect();
        let path = layout.folder.join(&layout.package).join("node.py");
        terminal::status(&format!(
            "\nTo implement in {}: {}",
            terminal::path(&path),
            visible_line(&names.join(", "))
        ));
    }
    let folder = if layout.folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", terminal::path(&layout.folder))
    };
    terminal::status(&format!(
        "\nNext: {BOLD}{folder}pip install -e '.[dev]' && pytest{BOLD:#}"
    ));
}

/// Warns that the contract given was not read because the project has its own.
pub fn contract_ignored(args: &New, layout: &Layout, given: Option<&GivenContract>) {
    let (Some(path), Some((_, text)), Ok(node)) = (&args.contract, given, layout.node()) else {
        return;
    };
    if layout.loaded.catalog.sources.get(node.location.source).text != *text {
        terminal::status(&format!(
            "{YELLOW}ignored{YELLOW:#} {}: the project has its own contract, {}",
            visible_line(path),
            visible_line(&node.origin.path)
        ));
    }
}

/// Prints methods for the operations that the code lacks.
pub fn missing_operations(left: &[&NodeMethod], code: &Path) {
    if left.is_empty() {
        return;
    }
    let path = terminal::path(&code.join("node.py"));
    terminal::status(&format!(
        "\n{YELLOW}{}{YELLOW:#} without a method in {path}:",
        count(left.len(), "operation")
    ));
    for method in left {
        let lines: Vec<_> = method.text.lines().map(visible_line).collect();
        terminal::status(&format!("\n{}", lines.join("\n")));
    }
}

/// Reports operations of the command line that the contract lacks; it is not changed.
pub fn unknown_operations(args: &New, layout: &Layout) {
    let known = layout
        .node()
        .map(|node| &node.operations[..])
        .unwrap_or_default();
    for requested in &args.operations {
        if !known
            .iter()
            .any(|it| it.name == *requested || it.ident == ident::ident(requested))
        {
            terminal::status(&format!(
                "\nthe contract has no operation `{}`; add it there and run this command again",
                visible_line(requested)
            ));
        }
    }
}
