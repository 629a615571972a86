//! `herald spool verify`: whether the file is what was written.

use std::fmt::Write as _;
use std::path::Path;

use herald_diagnostics::render::visible_line;
use herald_spool::{Found, Inspector, REASON_DAMAGED, Sequence, SpoolError, Verification};

use super::place::failed;
use crate::human::counted;
use crate::terminal::{self, GREEN, RED, bar};
use crate::{CLEAN, DIAGNOSTICS, Failure, output};

/// Damaged rows that are named; the others are counted.
const NAMED: usize = 20;

/// Runs the command.
pub fn run(path: &Path) -> Result<u8, Failure> {
    let inspector = match Inspector::open(path) {
        Ok(inspector) => inspector,
        // Not even its first page can be read: that is the answer, not a failure of the check.
        Err(SpoolError::Corrupt { detail, .. }) => return report_faults(path, &[detail], false),
        Err(error) => return Err(failed(&error, path)),
    };
    let status = inspector.status();
    let owned = status.as_ref().is_ok_and(|status| status.owned);
    let rows = status.map_or(0, |status| status.records + status.dead);
    let bar = bar("checking", rows);
    let verification = inspector.verify_with(|read| bar.set_position(read));
    bar.finish_and_clear();
    let verification = verification.map_err(|error| failed(&error, path))?;
    let rows = format!(
        "{} and {} read",
        counted(verification.records, "record"),
        counted(verification.dead, "dead letter"),
    );
    if verification.is_sound() {
        output::text(&format!("{GREEN}sound{GREEN:#}: {rows}"))?;
        return Ok(CLEAN);
    }
    if !verification.damaged.is_empty() {
        report_rows(&inspector, &verification)?;
    }
    if !verification.problems.is_empty() {
        report_faults(path, &verification.problems, owned)?;
    }
    terminal::status(&rows);
    Ok(DIAGNOSTICS)
}

/// Rows that are not what was written.
fn report_rows(inspector: &Inspector, found: &Verification) -> Result<(), Failure> {
    let mut text = match found.damaged.len() {
        1 => format!("{RED}damaged{RED:#}: 1 row is not what was written\n"),
        rows => format!("{RED}damaged{RED:#}: {rows} rows are not what was written\n"),
    };
    for sequence in found.damaged.iter().take(NAMED) {
        let _ = writeln!(text, "  {sequence}  {}", fate(inspector, *sequence));
    }
    if found.damaged.len() > NAMED {
        let _ = writeln!(text, "  and {} more", found.damaged.len() - NAMED);
    }
    Ok(output::text(&text)?)
}

fn fate(inspector: &Inspector, sequence: Sequence) -> String {
    match inspector.find(sequence) {
        Ok(Some(Found::Dead(letter))) => format!(
            "dead letter ({}); it can only be dropped",
            visible_line(&letter.reason)
        ),
        Ok(Some(_)) => format!(
            "waiting; when its turn comes it is not delivered, but becomes a dead letter \
             ({REASON_DAMAGED})"
        ),
        _ => "can't be read again".to_owned(),
    }
}

/// Faults of the file as a whole.
fn report_faults(path: &Path, problems: &[String], owned: bool) -> Result<u8, Failure> {
    let mut text = format!("{RED}damaged{RED:#}: {}\n", path.display());
    for problem in problems {
        // SQLite begins some diagnostics with a line that says which database it means.
        for line in problem.lines() {
            let _ = writeln!(text, "  {}", visible_line(line));
        }
    }
    text.push_str(if owned {
        "The process that has it open goes on while it can. When it is started again, it moves \
         the files into\na folder beside them (`….damaged-…`), and what is readable comes over \
         into a new spool."
    } else {
        "The next process that opens it, `herald spool drain` too, moves the files into a folder \
         beside them\n(`….damaged-…`), and what is readable comes over into a new spool."
    });
    output::text(&text)?;
    Ok(DIAGNOSTICS)
}
