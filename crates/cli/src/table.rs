//! Aligned columns, a page of rows at a time, cut to the width of the terminal.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::terminal::DIM;

/// Between two columns.
const GAP: &str = "  ";

/// Widths below which a text column and the main column are never cut.
const MIN_WIDTH: usize = 8;
const MIN_MAIN_WIDTH: usize = 32;

/// One column of a table.
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Whether cells are aligned to the right, as numbers are.
    pub align_right: bool,
    /// Width that its cells are cut to at most if the table is too wide; `None`: never cut.
    pub min_width: Option<usize>,
}

impl Column {
    /// A column of numbers, never cut.
    pub const fn number(title: &'static str) -> Self {
        Self {
            title,
            align_right: true,
            min_width: None,
        }
    }

    /// A column of text, cut if the table is too wide.
    pub const fn text(title: &'static str) -> Self {
        Self {
            title,
            align_right: false,
            min_width: Some(MIN_WIDTH),
        }
    }

    /// The main column of text, cut last.
    pub const fn main(title: &'static str) -> Self {
        Self {
            title,
            align_right: false,
            min_width: Some(MIN_MAIN_WIDTH),
        }
    }
}

/// A table that grows by pages: a page may widen columns, never narrow them.
pub struct Table {
    columns: &'static [Column],
    widths: Vec<usize>,
    max_width: Option<usize>,
    has_header: bool,
}

impl Table {
    /// A table for a terminal that is `max_width` columns wide; `None`: nothing is cut.
    pub fn new(columns: &'static [Column], max_width: Option<usize>) -> Self {
        Self {
            widths: columns.iter().map(|column| column.title.width()).collect(),
            columns,
            max_width,
            has_header: false,
        }
    }

    /// Formats the next rows, below the headings if they are the first.
    pub fn rows_to_text(&mut self, rows: &[Vec<String>]) -> String {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let widths = self.fit_widths();
        let mut text = String::new();
        if !self.has_header {
            self.has_header = true;
            let titles: Vec<_> = self.columns.iter().map(|column| column.title).collect();
            let _ = writeln!(text, "{DIM}{}{DIM:#}", self.line(&titles, &widths));
        }
        for row in rows {
            let cells: Vec<_> = row.iter().map(String::as_str).collect();
            text.push_str(&self.line(&cells, &widths));
            text.push('\n');
        }
        text
    }

    /// Shrinks the widest column that may shrink, one cell at a time, until the table fits.
    fn fit_widths(&self) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let max_width = self.max_width.unwrap_or(usize::MAX);
        while widths.iter().sum::<usize>() + gaps > max_width {
            let widest = (0..widths.len())
                .filter(|at| {
                    self.columns[*at]
                        .min_width
                        .is_some_and(|min_width| widths[*at] > min_width)
                })
                .max_by_key(|at| widths[*at]);
            match widest {
                Some(widest) => widths[widest] -= 1,
                None => break,
            }
        }
        widths
    }

    fn line(&self, cells: &[&str], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), column) in cells.iter().zip(widths).zip(self.columns) {
            if !line.is_empty() {
                line.push_str(GAP);
            }
            let cell = truncate(cell, *width);
            let padding = " ".repeat(width - cell.width());
            if column.align_right {
                line.push_str(&padding);
                line.push_str(&cell);
            } else {
                line.push_str(&cell);
                line.push_str(&padding);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Cuts a text to `max_width` columns, with `…` at the end if something is missing.
pub fn truncate(text: &str, max_width: usize) -> String {
    if text.width() <= max_width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or_default();
        if width >= max_width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    static COLUMNS: [Column; 2] = [Column::number("NO"), Column::text("TOPIC")];

    fn row(number: &str, topic: &str) -> Vec<String> {
        vec![number.to_owned(), topic.to_owned()]
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn prints_headings_once_and_never_narrows_columns() {
        let mut table = Table::new(&COLUMNS, None);
        assert_eq!(
            plain(&table.rows_to_text(&[row("7", "a")])),
            "NO  TOPIC\n 7  a\n"
        );
        assert_eq!(plain(&table.rows_to_text(&[row("1234", "b")])), "1234  b\n");
        assert_eq!(plain(&table.rows_to_text(&[row("5", "c")])), "   5  c\n");
    }

    #[test]
    fn cuts_columns_to_the_terminal() {
        let mut table = Table::new(&COLUMNS, Some(14));
        let text =
            plain(&table.rows_to_text(&[row("7", "dev.orders.v1"), row("8", "größe größe")]));
        assert_eq!(text, "NO  TOPIC\n 7  dev.order…\n 8  größe grö…\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(truncate("注文注文", 5), "注文…");
        assert_eq!(truncate("注文", 4), "注文");
    }
}
