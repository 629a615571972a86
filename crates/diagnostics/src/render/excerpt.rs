//! Excerpts of a source around the places of a diagnostic.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Snippet};

use super::visible::{visible, visible_line};
use crate::{Source, Span};

/// A place to underline.
#[derive(Clone, Copy)]
pub(super) struct Mark<'a> {
    pub(super) span: Span,
    /// Explanation of the place; `None` for the diagnostic's own place, whose message is the title.
    pub(super) label: Option<&'a str>,
}

/// Returns the lines from the first mark to the last one. The renderer folds lines between marks;
/// lines outside of them would only cost time.
pub(super) fn excerpt<'a>(
    source: &Source,
    marks: &[Mark<'_>],
    width: usize,
) -> Snippet<'a, Annotation<'a>> {
    let text = source.text.as_str();
    let shown: Vec<_> = marks
        .iter()
        .map(|mark| shown(source, mark.span, width))
        .collect();
    let start = shown
        .iter()
        .map(|range| line_start(text, range.start))
        .min()
        .unwrap_or(0);
    let end = shown
        .iter()
        .map(|range| line_end(text, range.end))
        .max()
        .unwrap_or(0);
    let line = marks
        .iter()
        .map(|mark| source.position(mark.span.start).line)
        .min()
        .unwrap_or(1);

    let printed = |end: usize| visible(&text[start..end], &['\n', '\r', '\t']);
    let annotations = marks.iter().zip(shown).map(|(mark, range)| {
        let kind = match mark.label {
            None => AnnotationKind::Primary,
            Some(_) => AnnotationKind::Context,
        };
        kind.span(printed(range.start).len()..printed(range.end).len())
            .label(mark.label.map(visible_line))
    });
    // The newline gives the end of the text a line to be shown on, should a mark be there.
    Snippet::source(printed(end) + "\n")
        .path(visible_line(&source.path))
        .line_start(line as usize)
        .annotations(annotations)
}

/// Returns the part of a span that is underlined: without the blank end of a YAML block, and at most
/// half the width of the terminal, because lines are printed up to the end of the underline.
fn shown(source: &Source, span: Span, width: usize) -> Range<usize> {
    let Range { start, end } = source.range(span);
    let whole = &source.text[start..end];
    let trimmed = whole.trim_end();
    let block = if trimmed.is_empty() { whole } else { trimmed };
    let widest = width / 2;
    let fits = |offset| column(&source.text, offset) <= widest;
    if !trimmed.is_empty() && fits(start) && fits(start + block.len()) {
        return start..start + block.len();
    }
    let line = block.lines().next().unwrap_or_default();
    let length = line
        .char_indices()
        .nth(widest)
        .map_or(line.len(), |(cut, _)| cut);
    start..start + length
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, offset: usize) -> usize {
    text[offset..]
        .find('\n')
        .map_or(text.len(), |newline| offset + newline)
}

fn column(text: &str, offset: usize) -> usize {
    text[line_start(text, offset)..offset].chars().count()
}
