//! `herald init`: creates a project with a first contract.

use std::path::{Path, PathBuf};

use crate::args::Init;
use crate::terminal::{self, BOLD, GREEN};
use crate::{Error, ExitStatus, output_files};

const PROJECT: &str = include_str!("example/herald.yaml");
const CONTRACT: &str = include_str!("example/orders.yaml");

/// Runs the command.
pub fn run(args: &Init) -> Result<ExitStatus, Error> {
    let schema = serde_json::to_string_pretty(&herald_catalog::schema::contract())
        .map_err(|error| Error::Message(error.to_string()))?;
    let here = args.dir == Path::new(".");
    let below = |file: &str| {
        if here {
            PathBuf::from(file)
        } else {
            args.dir.join(file)
        }
    };
    let files: [(PathBuf, &str); 3] = [
        (below("herald.yaml"), PROJECT),
        (below("contracts/orders.yaml"), CONTRACT),
        (
            below("contracts/contract.schema.json"),
            &format!("{schema}\n"),
        ),
    ];
    if let Some((path, _)) = files
        .iter()
        .find(|(path, _)| path.symlink_metadata().is_ok())
    {
        return Err(Error::Message(format!(
            "`{}` already exists; nothing was written",
            path.display()
        )));
    }
    for (path, text) in &files {
        output_files::write_text(path, text, true)?;
        terminal::status(&format!("{GREEN}wrote{GREEN:#} {}", terminal::path(path)));
    }
    terminal::status(&format!(
        "\nNext: {BOLD}{}herald generate{BOLD:#}",
        change_folder(&args.dir)
    ));
    Ok(ExitStatus::Success)
}

fn change_folder(dir: &Path) -> String {
    if dir == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", terminal::path(dir))
    }
}
