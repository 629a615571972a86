//! The path of the spool.

use std::path::{Path, PathBuf};

use herald_spool::{Inspector, SpoolError, SpoolStatus};

use crate::{Error, project};

/// Environment variable with the path of the spool.
pub const VARIABLE: &str = "HERALD_SPOOL";

/// Highest number of the numbered spools that are looked up beside the one named.
pub const MAX_NUMBERED_FILES: u16 = 999;

/// Returns the path of the argument, else of the environment, else of the project.
pub fn find(argument: Option<&Path>) -> Result<PathBuf, Error> {
    let path = match (argument, std::env::var_os(VARIABLE)) {
        (Some(path), _) => path.to_owned(),
        (None, Some(path)) if !path.is_empty() => path.into(),
        _ => of_project()?.ok_or_else(|| {
            Error::Message(format!(
                "no spool is configured; give --spool PATH, set {VARIABLE}, or set `spool:` in herald.yaml"
            ))
        })?,
    };
    if path.is_dir() {
        return Err(Error::Message(format!(
            "`{}` is a directory; name the database file in it, such as `{}`",
            path.display(),
            path.join("spool.db").display()
        )));
    }
    // SQLite would block on a named pipe.
    if path.exists() && !path.is_file() {
        return Err(Error::Message(format!(
            "`{}` is not a regular file; name the database file of a spool",
            path.display()
        )));
    }
    Ok(path)
}

fn of_project() -> Result<Option<PathBuf>, Error> {
    let project = project::find()?;
    let root = project.root.unwrap_or_default();
    Ok(project.spool.map(|spool| root.join(spool)))
}

/// Opens a spool for reading.
pub fn inspect(path: &Path) -> Result<Inspector, Error> {
    Inspector::open(path).map_err(|error| spool_error(&error, path))
}

/// Fails if a process has the spool open. `action` continues "stop it to …".
pub fn refuse_owned(status: &SpoolStatus, action: &str) -> Result<(), Error> {
    if !status.owned {
        return Ok(());
    }
    let owner = match status.owner {
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
    };
    Err(Error::Message(format!(
        "{owner} has the spool open; stop it to {action}"
    )))
}

/// Converts an error of the spool to a message with advice.
pub fn spool_error(error: &SpoolError, path: &Path) -> Error {
    let help = match error {
        SpoolError::NotFound { .. } => "; a publisher creates it when it starts",
        SpoolError::Corrupt { .. } => {
            "; `herald spool verify` shows details. The next publisher that opens it recovers the \
             readable records"
        }
        SpoolError::NewerSchema { .. } => "; use that version of Herald",
        SpoolError::NotASpool { .. } => "; check the path",
        SpoolError::Io { .. } => "; check the permissions of the file and its directory",
        _ => "",
    };
    let named = match error {
        SpoolError::NotFound { .. }
        | SpoolError::NotASpool { .. }
        | SpoolError::Owned { .. }
        | SpoolError::OtherCluster { .. } => String::new(),
        _ => format!("`{}`: ", path.display()),
    };
    Error::Message(format!("{named}{error}{help}"))
}
