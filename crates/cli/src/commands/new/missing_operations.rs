//! Search for operations of a contract that the code of a node lacks.

use std::fs;
use std::io;
use std::path::Path;

use herald_render::NodeMethod;

use crate::Error;
use crate::commands::new::shown;

/// Returns the operations that no file of the package uses as a decorator or a scope.
pub fn find<'a>(operations: &'a [NodeMethod], code: &Path) -> Result<Vec<&'a NodeMethod>, Error> {
    let mut texts = Vec::new();
    read_python(code, &mut texts)
        .map_err(|error| Error::Message(format!("can't read `{}`: {error}", shown(code))))?;
    let is_used = |method: &&NodeMethod| texts.iter().any(|text| uses(text, &method.instrument));
    Ok(operations.iter().filter(|it| !is_used(it)).collect())
}

/// Reads the modules of a package except the generated ones.
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

/// Returns whether code contains `@instrument_place`, `instrument_place.run` or the like.
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
