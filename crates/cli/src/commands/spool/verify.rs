//! `herald spool verify`: checks every page and row of a spool.

use std::fmt::Write as _;
use std::path::Path;

use herald_diagnostics::render::visible_line;
use herald_spool::{Found, Inspector, REASON_DAMAGED, Sequence, SpoolError, Verification};

use super::location::spool_error;
use crate::format::count;
use crate::terminal::{self, GREEN, RED, bar};
use crate::{Error, ExitStatus, output};

/// Damaged rows that are listed; more are only counted.
const MAX_LISTED: usize = 20;

/// Runs the command.
pub fn run(path: &Path) -> Result<ExitStatus, Error> {
    let inspector = match Inspector::open(path) {
        Ok(inspector) => inspector,
        // The first page is unreadable: that is a result, not a failure of the check.
        Err(SpoolError::Corrupt { detail, .. }) => return report_faults(path, &[detail], false),
        Err(error) => return Err(spool_error(&error, path)),
    };
    let status = inspector.status();
    let owned = status.as_ref().is_ok_and(|status| status.owned);
    let rows = status.map_or(0, |status| status.records + status.dead);
    let bar = bar("checking", rows);
    let verification = inspector.verify_with(|read| bar.set_position(read));
    bar.finish_and_clear();
    let verification = verification.map_err(|error| spool_error(&error, path))?;
    let rows = format!(
        "read {} and {}",
        count(verification.records, "record"),
        count(verification.dead, "dead letter"),
    );
    if verification.is_sound() {
        output::text(&format!("{GREEN}sound{GREEN:#}: {rows}"))?;
        return Ok(ExitStatus::Success);
    }
    if !verification.damaged.is_empty() {
        report_rows(&inspector, &verification)?;
    }
    if !verification.problems.is_empty() {
        report_faults(path, &verification.problems, owned)?;
    }
    terminal::status(&rows);
    Ok(ExitStatus::Problems)
}

/// Reports damaged rows.
fn report_rows(inspector: &Inspector, found: &Verification) -> Result<(), Error> {
    let mut text = match found.damaged.len() {
        1 => format!("{RED}damaged{RED:#}: 1 row has a wrong checksum\n"),
        rows => format!("{RED}damaged{RED:#}: {rows} rows have wrong checksums\n"),
    };
    for sequence in found.damaged.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "  {sequence}  {}", describe_row(inspector, *sequence));
    }
    if found.damaged.len() > MAX_LISTED {
        let _ = writeln!(text, "  and {} more", found.damaged.len() - MAX_LISTED);
    }
    Ok(output::text(&text)?)
}

fn describe_row(inspector: &Inspector, sequence: Sequence) -> String {
    match inspector.find(sequence) {
        Ok(Some(Found::Dead(dead_letter))) => format!(
            "dead letter ({}); it can only be dropped",
            visible_line(&dead_letter.reason)
        ),
        Ok(Some(_)) => {
            format!("waiting; the publisher will turn it into a dead letter ({REASON_DAMAGED})")
        }
        _ => "unreadable".to_owned(),
    }
}

/// Reports damage of the file.
fn report_faults(path: &Path, problems: &[String], owned: bool) -> Result<ExitStatus, Error> {
    let mut text = format!("{RED}damaged{RED:#}: {}\n", terminal::path(path));
    for problem in problems {
        // SQLite begins some messages with a line that names the database.
        for line in problem.lines() {
            let _ = writeln!(text, "  {}", visible_line(line));
        }
    }
    text.push_str(if owned {
        "The process that has it open continues as long as it can. After its restart it moves \
         the files into\na directory beside them (`….damaged-…`) and recovers readable records \
         into a new spool."
    } else {
        "The next process that opens it, also `herald spool drain`, moves the files into a \
         directory beside them\n(`….damaged-…`) and recovers readable records into a new spool."
    });
    output::text(&text)?;
    Ok(ExitStatus::Problems)
}
