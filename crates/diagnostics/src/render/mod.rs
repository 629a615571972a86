//! Formats of diagnostics: for people, programs, GitHub, GitLab, code scanning and comments.
//!
//! Every format is a row of `FORMATS` and a file of this module.

mod excerpt;
mod explain;
mod github;
mod gitlab;
mod human;
mod json;
pub mod markdown;
mod place;
mod sarif;
mod summary;
#[cfg(test)]
mod testing;
mod visible;

use std::io;
use std::str::FromStr;

pub use explain::explain;
pub use json::json_list;
pub use summary::{Counts, summary};
use thiserror::Error;
pub use visible::visible_line;

use crate::{Diagnostic, Sources};

/// Format of diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Excerpts with the place underlined, for a terminal.
    #[default]
    Human,
    /// One object with all diagnostics and their count, for programs.
    Json,
    /// Workflow commands, which GitHub Actions shows beside the lines of a pull request.
    Github,
    /// A Code Quality report, which GitLab shows in a merge request.
    Gitlab,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A list in Markdown, for comments.
    Markdown,
}

/// Options of the formats.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Whether [`Format::Human`] writes ANSI colours. The caller knows the terminal and
    /// `NO_COLOR`; the other formats have no colours.
    pub color: bool,
    /// Herald's version, which [`Format::Sarif`] records.
    pub tool_version: &'a str,
    /// Columns of the terminal, to which [`Format::Human`] cuts long lines; 140 if unknown.
    pub width: Option<usize>,
}

type Write = fn(&[Diagnostic], &Sources, &Options<'_>, &mut dyn io::Write) -> io::Result<()>;

struct Row {
    format: Format,
    name: &'static str,
    write: Write,
}

/// All formats, in the order of [`Format`].
const FORMATS: [Row; 6] = [
    Row {
        format: Format::Human,
        name: "human",
        write: human::write,
    },
    Row {
        format: Format::Json,
        name: "json",
        write: json::write,
    },
    Row {
        format: Format::Github,
        name: "github",
        write: github::write,
    },
    Row {
        format: Format::Gitlab,
        name: "gitlab",
        write: gitlab::write,
    },
    Row {
        format: Format::Sarif,
        name: "sarif",
        write: sarif::write,
    },
    Row {
        format: Format::Markdown,
        name: "markdown",
        write: markdown::write,
    },
];

impl Format {
    /// Returns every format, in the order of help texts.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|row| row.format)
    }

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    fn row(self) -> &'static Row {
        &FORMATS[self as usize]
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::all()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Error for a name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a format of diagnostics")]
pub struct UnknownFormat(pub String);

/// Writes the diagnostics in the order given; see [`sort`](crate::sort).
///
/// The text is complete: JSON, GitLab's report and SARIF are one document even when there are no
/// diagnostics, the other formats then write nothing. Writes are many and small, and nothing is flushed: give a
/// buffered writer.
///
/// # Panics
/// Panics if the source of a diagnostic is not in `sources`. Spans beyond the end of their text are
/// clamped to it.
pub fn write(
    format: Format,
    diagnostics: &[Diagnostic],
    sources: &Sources,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    (format.row().write)(diagnostics, sources, options, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_own_row() {
        for (index, row) in FORMATS.iter().enumerate() {
            assert_eq!(row.format as usize, index);
            assert_eq!(row.name.parse(), Ok(row.format));
        }
        assert_eq!(
            "xml".parse::<Format>(),
            Err(UnknownFormat("xml".to_owned()))
        );
    }
}
