//! Locations of the machine formats.

use std::path::MAIN_SEPARATOR;

use serde::Serialize;

use crate::{Diagnostic, Location, Source, Sources, Span};

/// A location with lines and columns.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    /// `None` if the text is empty or could not be read.
    pub(super) extent: Option<Extent>,
}

/// Range from `start` up to, not including, `end`.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Extent {
    pub(super) start: Point,
    pub(super) end: Point,
}

/// Line and column from 1, columns in Unicode scalar values; the offset in bytes from 0.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Point {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) offset: usize,
}

impl<'a> Place<'a> {
    pub(super) fn of(location: Location, sources: &'a Sources) -> Self {
        let source = sources.get(location.source);
        let extent = (!source.text.is_empty()).then(|| Extent::of(location.span, source));
        Self {
            path: &source.path,
            extent,
        }
    }

    pub(super) fn of_diagnostic(diagnostic: &Diagnostic, sources: &'a Sources) -> Option<Self> {
        diagnostic
            .location
            .map(|location| Self::of(location, sources))
    }

    /// Returns the path as services name files of a repository: with `/`, and without `./`.
    pub(super) fn in_repository(&self) -> String {
        let path = self.path.replace(MAIN_SEPARATOR, "/");
        path.strip_prefix("./").unwrap_or(&path).to_owned()
    }
}

impl Extent {
    fn of(span: Span, source: &Source) -> Self {
        Self {
            start: Point::of(span.start, source),
            end: Point::of(span.end.max(span.start), source),
        }
    }
}

impl Point {
    fn of(offset: u32, source: &Source) -> Self {
        let position = source.position(offset);
        Self {
            line: position.line,
            column: position.column,
            offset: source.clamp(offset),
        }
    }
}
