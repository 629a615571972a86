//! The lines of a source that a diagnostic shows to people.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Snippet};

use super::visible::{visible, visible_line};
use crate::{Source, Span};

/// A place to underline.
#[derive(Clone, Copy)]
pub(super) struct Mark<'a> {
    pub(super) span: Span,
    /// What is there; `None` for the diagnostic's own place, whose message is the title.
    pub(super) label: Option<&'a str>,
}

/// The lines from the first mark to the last one. Only these are handed on: what is between
/// marks is folded, what is around them would be searched for nothing.
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

/// The part of a span that is worth underlining: without the blank end that a block of YAML has,
/// and no wider than half the terminal, as lines are printed to the end of what is underlined.
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
