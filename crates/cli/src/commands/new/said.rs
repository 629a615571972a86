//! What people are told.

use std::path::Path;

use herald_catalog::ident;
use herald_diagnostics::render::visible_line;
use herald_render::NodeMethod;

use crate::args::New;
use crate::commands::new::place::{Given, Place};
use crate::commands::new::shown;
use crate::terminal::{self, BOLD, DIM, GREEN, YELLOW, count};
use crate::writing::{Planned, State};

/// Says that a file was written.
pub fn wrote(path: &Path) {
    let path = visible_line(&shown(path));
    terminal::status(&format!("{GREEN}wrote{GREEN:#} {path}"));
}

/// Says that a file was left as it is.
pub fn left_alone(path: &Path) {
    let path = visible_line(&shown(path));
    terminal::status(&format!("{DIM}left alone {path}{DIM:#}"));
}

/// Counts what was generated already.
pub fn unchanged(generated: &[Planned<'_>]) {
    let same = (generated.iter()).filter(|file| file.state == State::Unchanged);
    let same = same.count();
    if same > 0 {
        let files = count(same, "generated file");
        terminal::status(&format!("{DIM}{files} unchanged{DIM:#}"));
    }
}

/// Says how to go on with a new project.
pub fn begin(place: &Place, operations: &[NodeMethod]) {
    if !operations.is_empty() {
        let names: Vec<_> = operations.iter().map(|it| it.operation.as_str()).collect();
        let path = place.folder.join(&place.package).join("node.py");
        terminal::status(&format!(
            "\nTo be written in {}: {}",
            visible_line(&shown(&path)),
            visible_line(&names.join(", "))
        ));
    }
    let folder = if place.folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", visible_line(&shown(&place.folder)))
    };
    terminal::status(&format!(
        "\nNext: {BOLD}{folder}pip install -e '.[dev]' && pytest{BOLD:#}"
    ));
}

/// Says that the project has a contract of its own, where another one is given.
pub fn ignored(args: &New, place: &Place, given: Option<&Given>) {
    let (Some(path), Some((_, text)), Ok(node)) = (&args.contract, given, place.node()) else {
        return;
    };
    if place.loaded.catalog.sources.get(node.location.source).text != *text {
        terminal::status(&format!(
            "{YELLOW}not read{YELLOW:#} {}: the project has its own contract, {}",
            visible_line(path),
            visible_line(&node.origin.path)
        ));
    }
}

/// Lists what the contract has and the code does not, ready to be pasted.
pub fn unwritten(left: &[&NodeMethod], code: &Path) {
    if left.is_empty() {
        return;
    }
    let path = visible_line(&shown(&code.join("node.py")));
    terminal::status(&format!(
        "\n{YELLOW}{}{YELLOW:#} without a method in {path}:",
        count(left.len(), "operation")
    ));
    for method in left {
        let lines: Vec<_> = method.text.lines().map(visible_line).collect();
        terminal::status(&format!("\n{}", lines.join("\n")));
    }
}

/// Says which operations of the command line the contract does not have: it is people's, too.
pub fn unknown(args: &New, place: &Place) {
    let known = place
        .node()
        .map(|node| &node.operations[..])
        .unwrap_or_default();
    for asked in &args.operations {
        if !known
            .iter()
            .any(|it| it.name == *asked || it.ident == ident::ident(asked))
        {
            terminal::status(&format!(
                "\nthe contract has no operation `{}`; it is yours, so add it there and run this \
                 again",
                visible_line(asked)
            ));
        }
    }
}
