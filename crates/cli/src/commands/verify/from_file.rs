//! Events of a file.

use std::path::Path;

use herald_verify::Verifier;

use crate::Error;
use crate::commands::publish::input::Input;

/// Judges each line of a file.
pub fn read(path: &Path, verifier: &mut Verifier<'_>) -> Result<(), Error> {
    let input = Input::open(path)?;
    let name = input.name.clone();
    for chunk in input.lines()? {
        let chunk =
            chunk.map_err(|error| Error::Message(format!("can't read `{name}`: {error}")))?;
        for line in chunk.lines {
            match line.bytes {
                Ok(bytes) => verifier.judge_line(&bytes, line.number),
                Err(_) => verifier.judge_long_line(line.number),
            }
        }
    }
    Ok(())
}
