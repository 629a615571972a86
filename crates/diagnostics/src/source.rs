//! Texts that diagnostics refer to, and places in them.

use std::ops::Range;

/// Index of a text in [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// Half-open range of bytes of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Creates the range `start..end`, in bytes.
    pub fn new(start: u32, end: u32) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// Returns the range this many bytes further on.
    #[must_use]
    pub fn moved(self, by: u32) -> Self {
        Self {
            start: self.start.saturating_add(by),
            end: self.end.saturating_add(by),
        }
    }
}

/// A place in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The text.
    pub source: SourceId,
    /// The range in the text.
    pub span: Span,
}

/// Line and column, both from 1; columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in Unicode scalar values.
    pub column: u32,
}

/// A text and its path.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as the user gave it, or `<command line>`.
    pub path: String,
    /// The whole text; empty if it could not be read.
    pub text: String,
    line_starts: Vec<u32>,
}

impl Source {
    /// Creates a text named `path`.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(
                text.match_indices('\n')
                    .map(|(newline, _)| to_u32(newline + 1)),
            )
            .collect();
        Self {
            path: path.into(),
            text,
            line_starts,
        }
    }

    /// Returns line and column of a byte offset: of the end for an offset past it, of the character
    /// for an offset inside of one.
    pub fn position(&self, offset: u32) -> Position {
        let offset = self.clamp(offset);
        let line = self
            .line_starts
            .partition_point(|start| *start as usize <= offset);
        let column = self.text[self.line_starts[line - 1] as usize..offset]
            .chars()
            .count()
            + 1;
        Position {
            line: to_u32(line),
            column: to_u32(column),
        }
    }

    /// Returns the bytes of a span, clamped: slicing the text with them never panics.
    pub(crate) fn range(&self, span: Span) -> Range<usize> {
        let start = self.clamp(span.start);
        start..self.clamp(span.end).max(start)
    }

    /// Returns the offset, or the nearest boundary of a character before it.
    pub(crate) fn clamp(&self, offset: u32) -> usize {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// All texts of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text; its id is its index.
    pub fn add(&mut self, source: Source) -> SourceId {
        self.0.push(source);
        SourceId(to_u32(self.0.len() - 1))
    }

    /// Returns the text with this id.
    ///
    /// # Panics
    /// Panics if the id belongs to another `Sources`.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    /// Returns all texts, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.0
            .iter()
            .enumerate()
            .map(|(i, s)| (SourceId(to_u32(i)), s))
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Offsets and lines are `u32` to keep spans small. Contracts are a few MiB at most; in a text of
/// more than 4 GiB, later places would be shown at its four-billionth byte.
fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let source = Source::new("a", "name: é✓x");
        assert_eq!(source.position(11), Position { line: 1, column: 9 });
    }

    #[test]
    fn text_after_the_last_newline_is_a_line() {
        let source = Source::new("a", "one\ntwo\n");
        assert_eq!(source.position(8), Position { line: 3, column: 1 });
    }

    #[test]
    fn offsets_past_the_end_give_the_end() {
        let source = Source::new("a", "one\ntwo");
        assert_eq!(source.position(u32::MAX), source.position(7));
        assert_eq!(source.range(Span::new(5, u32::MAX)), 5..7);
    }

    #[test]
    fn offsets_inside_a_character_give_its_start() {
        let source = Source::new("a", "é");
        assert_eq!(source.position(1), Position { line: 1, column: 1 });
        assert_eq!(source.range(Span::new(1, 2)), 0..2);
    }
}
