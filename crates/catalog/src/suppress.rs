//! Comments that suppress diagnostics: `# herald: ignore[rule] reason` behind or above a line, and
//! `# herald: ignore-file[rule] reason` for the whole file. TypeScript has `//` instead of `#`.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Location, Source, SourceId, Sources, Span};

use crate::checks;
use crate::checks::lint::ignore::{self, Problem};

/// Diagnostics about comments that are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// Comments that can't be used or suppress nothing.
    Odd,
    /// Nothing: not all diagnostics are there.
    Nothing,
}

/// Begin of a comment, behind the sign for it.
const MARK: &str = " herald: ignore";

/// The sign before a comment in files with this path.
fn comment_sign(path: &str) -> &'static str {
    const WITH_SLASHES: [&str; 8] = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];
    let ending = path.rsplit('.').next().unwrap_or_default();
    if WITH_SLASHES.contains(&ending) {
        "//"
    } else {
        "#"
    }
}

/// Maximum number of comments of a file that are read.
const MAX_COMMENTS: usize = 1_000;

/// A rule that a comment names.
struct Ignored<'a> {
    code: &'a str,
    location: Location,
    /// The line that it is about; `None` for the whole file.
    line: Option<u32>,
    /// The comment, with the blanks before it.
    comment: Location,
    is_used: bool,
}

/// Removes the diagnostics that comments suppress, and reports comments that suppress nothing.
pub(crate) fn apply(diagnostics: &mut Vec<Diagnostic>, sources: &Sources, report: Report) {
    let mut reported = Vec::new();
    let mut by_source: HashMap<SourceId, Vec<Ignored<'_>>> = HashMap::new();
    for (id, source) in sources.iter() {
        if source.text.contains(MARK) {
            by_source.insert(id, comments(id, source, &mut reported));
        }
    }
    if by_source.is_empty() {
        return;
    }
    diagnostics.retain(|diagnostic| {
        let Some(location) = diagnostic.location else {
            return true;
        };
        let Some(ignored) = by_source.get_mut(&location.source) else {
            return true;
        };
        let line = sources
            .get(location.source)
            .position(location.span.start)
            .line;
        let mut found = false;
        for one in ignored.iter_mut() {
            let is_meant = one.line.is_none_or(|of| of == line);
            if is_meant && one.code == diagnostic.rule.code {
                one.is_used = true;
                found = true;
            }
        }
        !found || checks::has_fixed_severity(diagnostic.rule)
    });
    if report == Report::Nothing {
        return;
    }
    diagnostics.append(&mut reported);
    let unused = by_source
        .values()
        .flatten()
        .filter(|one| !one.is_used && !one.code.starts_with("graph."));
    diagnostics.extend(unused.map(|one| ignore::unused(one.code, one.location, one.comment)));
}

fn comments<'a>(
    id: SourceId,
    source: &'a Source,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Ignored<'a>> {
    let mut found = Vec::new();
    let mut start = 0;
    let sign = comment_sign(&source.path);
    let mark = format!("{sign}{MARK}");
    let mut above: Vec<usize> = Vec::new();
    for (number, line) in (1..).zip(source.text.split_inclusive('\n')) {
        let content = line.trim();
        let is_comment = content.starts_with(sign);
        if !is_comment && !content.is_empty() {
            // Comments on lines of their own are about the next line with content.
            for index in above.drain(..) {
                let one: &mut Ignored<'_> = &mut found[index];
                one.line = Some(number);
            }
        }
        if let Some(at) = line.find(&mark).filter(|_| found.len() < MAX_COMMENTS) {
            let first = found.len();
            let comment = Comment {
                id,
                start,
                at,
                line,
                mark: &mark,
            };
            let is_of_file = comment.read(number, &mut found, diagnostics);
            if is_comment && !is_of_file {
                above.extend(first..found.len());
            }
        }
        start += line.len();
    }
    found
}

/// A line with a comment.
struct Comment<'a, 'm> {
    id: SourceId,
    /// Offset of the line in the source.
    start: usize,
    /// Offset of the comment in the line.
    at: usize,
    line: &'a str,
    /// Text that it begins with.
    mark: &'m str,
}

impl<'a> Comment<'a, '_> {
    /// Adds the rules that the comment names, and returns whether it is about the whole file.
    fn read(
        &self,
        number: u32,
        found: &mut Vec<Ignored<'a>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> bool {
        let text = self.line[self.at..].trim_end();
        let rest = &text[self.mark.len()..];
        let (rest, is_of_file) = match rest.strip_prefix("-file") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let whole = self.location(self.at, self.at + text.len());
        let list = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let Some((codes, reason)) = list else {
            diagnostics.push(ignore::invalid(&Problem::NoRule, whole));
            return is_of_file;
        };
        if reason.trim().is_empty() {
            diagnostics.push(ignore::invalid(&Problem::NoReason, whole));
        }
        let blanks = self.line[..self.at].trim_end().len();
        let comment = self.location(blanks, self.at + text.len());
        for code in codes.split(',') {
            let offset = code.as_ptr() as usize - self.line.as_ptr() as usize;
            let trimmed = code.trim();
            let from = offset + (code.len() - code.trim_start().len());
            let location = self.location(from, from + trimmed.len());
            match checks::by_code(trimmed) {
                None => diagnostics.push(ignore::invalid(&Problem::Unknown(trimmed), location)),
                Some(rule) if checks::has_fixed_severity(rule) => {
                    diagnostics.push(ignore::invalid(&Problem::Fixed(trimmed), location));
                }
                Some(_) => found.push(Ignored {
                    code: trimmed,
                    location,
                    line: (!is_of_file).then_some(number),
                    comment,
                    is_used: false,
                }),
            }
        }
        is_of_file
    }

    fn location(&self, from: usize, to: usize) -> Location {
        let offset = |at: usize| u32::try_from(self.start + at).unwrap_or(u32::MAX);
        Location {
            source: self.id,
            span: Span::new(offset(from), offset(to)),
        }
    }
}
