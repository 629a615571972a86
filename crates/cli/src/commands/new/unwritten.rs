//! Which operations of a contract the code of a node does not have yet.

use std::fs;
use std::io;
use std::path::Path;

use herald_render::NodeMethod;

use crate::Failure;
use crate::commands::new::shown;

/// The operations that no file of the package mentions as decorator or scope.
pub fn unwritten<'a>(
    operations: &'a [NodeMethod],
    code: &Path,
) -> Result<Vec<&'a NodeMethod>, Failure> {
    let mut texts = Vec::new();
    read_python(code, &mut texts)
        .map_err(|error| Failure::Message(format!("can't read `{}`: {error}", shown(code))))?;
    let is_used = |method: &&NodeMethod| texts.iter().any(|text| uses(text, &method.instrument));
    Ok(operations.iter().filter(|it| !is_used(it)).collect())
}

/// Reads the modules of a package, but for what is generated.
fn read_python(folder: &Path, texts: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_code = path.extension().is_some_and(|ending| ending == "py");
        if kind.is_dir() && entry.file_name() != "generated" {
            read_python(&path, texts)?;
        } else if is_code && path.is_file() {
            texts.push(String::from_utf8_lossy(&fs::read(&path)?).into_owned());
        }
    }
    Ok(())
}

/// Whether code has `@instrument_place` or `instrument_place.run` and the like.
fn uses(code: &str, instrument: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.into_iter().any(|line| {
        line.match_indices(instrument).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + instrument.len()..]);
            !before.ends_with(is_name)
                && !after.starts_with(is_name)
                && (before.ends_with('@') || after.starts_with('.'))
        })
    })
}
