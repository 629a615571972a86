//! Reads envelopes, one a line, and writes each as Herald does, after a line with its key.
//!
//! What can't be read becomes a line of its own: the error as `{"code", "field", "message"}`,
//! with an empty line for the key. `tests/envelope` exchanges envelopes with Python through it.

use std::io::{self, BufRead, Write};

use herald_envelope::{Envelope, Error};
use serde_json::json;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        match written(&line?) {
            Ok((key, bytes)) => {
                writeln!(out, "{key}")?;
                out.write_all(&bytes)?;
                writeln!(out)?;
            }
            Err(error) => {
                let (code, field) = (error.code().as_str(), error.field());
                let message = error.to_string();
                writeln!(
                    out,
                    "\n{}",
                    json!({ "code": code, "field": field, "message": message })
                )?;
            }
        }
    }
    Ok(())
}

fn written(line: &[u8]) -> Result<(String, Vec<u8>), Error> {
    let envelope = Envelope::parse(line)?;
    Ok((envelope.key().as_str().to_owned(), envelope.to_vec()?))
}
