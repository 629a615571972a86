//! `herald spool export` and `import`: a copy of a spool, and its way back.

use std::path::Path;

use herald_spool::{Inspector, Spool, SpoolError, SpoolOptions};

use super::location::{inspect, refuse_owned, spool_error};
use crate::args::spool::{Export, Import};
use crate::format::count;
use crate::terminal::{self, GREEN, YELLOW};
use crate::{Error, ExitStatus};

/// Runs `herald spool export`.
pub fn export(path: &Path, args: &Export) -> Result<ExitStatus, Error> {
    inspect(path)?
        .export(&args.file)
        .map_err(|error| spool_error(&error, path))?;
    let copy = inspect(&args.file)?
        .status()
        .map_err(|error| spool_error(&error, &args.file))?;
    terminal::status(&format!(
        "{GREEN}exported{GREEN:#} {} and {} to {}",
        count(copy.records, "record"),
        count(copy.dead, "dead letter"),
        terminal::path(&args.file)
    ));
    Ok(ExitStatus::Success)
}

/// Runs `herald spool import`.
pub fn import(path: &Path, args: &Import) -> Result<ExitStatus, Error> {
    let source = inspect(&args.file)?;
    match Inspector::open(path) {
        Ok(target) => {
            let status = target.status().map_err(|error| spool_error(&error, path))?;
            refuse_owned(&status, "import rows into it")?;
        }
        Err(SpoolError::NotFound { .. }) => {}
        Err(error) => return Err(spool_error(&error, path)),
    }
    let imported = import_into(path, &source).map_err(|error| spool_error(&error, path))?;
    terminal::status(&format!(
        "{GREEN}imported{GREEN:#} {} and {}",
        count(imported.records, "record"),
        count(imported.dead, "dead letter"),
    ));
    if imported.known > 0 {
        terminal::status(&format!(
            "{} in the spool already",
            match imported.known {
                1 => "1 row was".to_owned(),
                rows => format!("{} were", count(rows, "row")),
            }
        ));
    }
    if imported.damaged > 0 {
        terminal::status(&format!(
            "{YELLOW}damaged{YELLOW:#} {} of {} could not be imported",
            count(imported.damaged, "row"),
            terminal::path(&args.file)
        ));
        return Ok(ExitStatus::Problems);
    }
    Ok(ExitStatus::Success)
}

fn import_into(path: &Path, source: &Inspector) -> Result<herald_spool::Imported, SpoolError> {
    let (spool, _) = Spool::open(SpoolOptions::new(path))?;
    let imported = spool.import(source)?;
    spool.close()?;
    Ok(imported)
}
