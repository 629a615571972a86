//! Which spool is meant.

use std::path::{Path, PathBuf};

use herald_spool::{Inspector, SpoolError};

use crate::{Failure, project};

/// Says where the spool is, for commands that are not told.
const VARIABLE: &str = "HERALD_SPOOL";

/// Numbered spools that are looked for beside the one named.
pub const MOST_NUMBERED: u16 = 999;

/// The spool's database: of the argument, else of the environment, else of the project.
pub fn find(argument: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = match (argument, std::env::var_os(VARIABLE)) {
        (Some(path), _) => path.to_owned(),
        (None, Some(path)) if !path.is_empty() => path.into(),
        _ => of_project()?.ok_or_else(|| {
            Failure::Message(format!(
                "which spool? Give --spool PATH, set {VARIABLE}, or set `spool:` in herald.yaml"
            ))
        })?,
    };
    if path.is_dir() {
        return Err(Failure::Message(format!(
            "`{}` is a folder; name the spool's database in it, such as `{}`",
            path.display(),
            path.join("spool.db").display()
        )));
    }
    Ok(path)
}

fn of_project() -> Result<Option<PathBuf>, Failure> {
    let project = project::find()?;
    let root = project.root.unwrap_or_default();
    Ok(project.spool.map(|spool| root.join(spool)))
}

/// Opens a spool for reading.
pub fn inspect(path: &Path) -> Result<Inspector, Failure> {
    Inspector::open(path).map_err(|error| failed(&error, path))
}

/// What a person is told about an error, with what to do.
pub fn failed(error: &SpoolError, path: &Path) -> Failure {
    let help = match error {
        SpoolError::NotFound { .. } => "; a publisher makes it when it starts",
        SpoolError::Corrupt { .. } => {
            "; `herald spool verify` says more, and the next publisher that opens it salvages what \
             is readable"
        }
        SpoolError::NewerSchema { .. } => "; use that version of herald",
        SpoolError::NotASpool { .. } => "; check the path",
        SpoolError::Io { .. } => "; check that you may read the file and write to its folder",
        _ => "",
    };
    let named = match error {
        SpoolError::NotFound { .. } | SpoolError::NotASpool { .. } | SpoolError::Owned { .. } => {
            String::new()
        }
        _ => format!("`{}`: ", path.display()),
    };
    Failure::Message(format!("{named}{error}{help}"))
}
