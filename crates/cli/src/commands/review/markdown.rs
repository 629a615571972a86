//! Summary of a review for a comment on a pull request or merge request.

use std::fmt::Write as _;

use herald_diagnostics::Sources;
use herald_diagnostics::render::markdown::{block, list, prose};

use super::{Block, Part, Verdict};
use crate::format::count;

/// First line, by which a comment of an earlier run is found and replaced.
const MARKER: &str = "<!-- herald review -->";

/// Bytes of all blocks of text; GitHub takes comments of 65,536 characters.
const MAX_BLOCK_BYTES: usize = 12_000;

/// Returns the summary: one line for each part, then what was found.
pub(super) fn document(parts: &[Part], sources: &Sources) -> String {
    let bad = |part: &&Part| matches!(part.verdict, Verdict::Problem | Verdict::Failure);
    let title = match parts.iter().filter(bad).count() {
        0 => "no problems".to_owned(),
        some => format!("{} of {} failed", some, count(parts.len(), "part")),
    };
    let mut document = format!("{MARKER}\n### Herald: {title}\n\n");
    for part in parts {
        let mark = match part.verdict {
            Verdict::Good => "✅",
            Verdict::Note => "⚠️",
            Verdict::Problem | Verdict::Failure => "❌",
            Verdict::Skipped => "➖",
        };
        let result = prose(&part.result);
        let _ = writeln!(document, "- {mark} **{}**: {result}", part.title);
    }
    let mut left = MAX_BLOCK_BYTES;
    for part in parts {
        if part.diagnostics.is_empty() && part.blocks.is_empty() {
            continue;
        }
        let diagnostics = list(&part.diagnostics, sources);
        let _ = write!(document, "\n#### {}\n\n{diagnostics}", part.title);
        for Block {
            title,
            language,
            text,
        } in &part.blocks
        {
            let title = prose(title);
            match left.checked_sub(text.len()) {
                Some(rest) => {
                    left = rest;
                    let _ = write!(document, "\n{title}:\n\n{}", block(language, text));
                }
                None => {
                    let _ = writeln!(document, "\n{title}: too long for a comment");
                }
            }
        }
    }
    document
}
