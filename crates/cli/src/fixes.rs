//! Safe solutions of diagnostics, written to the contracts.

use std::collections::BTreeMap;
use std::path::Path;

use herald_catalog::load::{self, Loaded};
use herald_diagnostics::{Edit, SourceId};

use crate::{Error, output_files};

/// Solves all problems that have a solution, and returns their number.
pub fn apply(loaded: &Loaded) -> Result<usize, Error> {
    let mut by_source: BTreeMap<SourceId, Vec<(&[Edit], u32)>> = BTreeMap::new();
    for diagnostic in &loaded.diagnostics {
        if let (Some(fix), Some(location)) = (&diagnostic.fix, diagnostic.location) {
            let first = fix.edits.iter().map(|edit| edit.location.span.start).min();
            let of_source = by_source.entry(location.source).or_default();
            of_source.push((&fix.edits, first.unwrap_or_default()));
        }
    }
    let mut solved = 0;
    for (id, mut fixes) in by_source {
        fixes.sort_by_key(|(_, first)| *first);
        let source = loaded.catalog.sources.get(id);
        let path = Path::new(&source.path);
        // Another program may have changed it since it was read.
        let is_current = load::read_text(path).is_ok_and(|text| text == source.text);
        if !is_current {
            continue;
        }
        let (text, number) = edited(&source.text, &fixes);
        output_files::write_text(path, &text, false)?;
        solved += number;
    }
    Ok(solved)
}

/// The text after all edits that do not overlap an earlier one, and the number of solutions.
fn edited(text: &str, fixes: &[(&[Edit], u32)]) -> (String, usize) {
    let mut edits: Vec<&Edit> = Vec::new();
    let mut end = 0;
    let mut solved = 0;
    for (of_fix, first) in fixes {
        if *first < end || edits.iter().any(|edit| of_fix.contains(edit)) {
            continue;
        }
        edits.extend(*of_fix);
        end = of_fix
            .iter()
            .map(|edit| edit.location.span.end)
            .max()
            .unwrap_or(end);
        solved += 1;
    }
    edits.sort_by_key(|edit| edit.location.span.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (start, end) = (
            edit.location.span.start as usize,
            edit.location.span.end as usize,
        );
        out.push_str(&text[at..start]);
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(&text[at..]);
    (out, solved)
}
