//! Aligned columns, a page of rows at a time, cut to the width of a terminal.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::terminal::DIM;

/// Between two columns.
const GAP: &str = "  ";

/// What a column of short texts keeps in any case, and one whose texts say the most.
const LEAST: usize = 8;
const LEAST_OF_THE_MAIN: usize = 32;

/// One column of a table.
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Numbers stand at the right.
    pub right: bool,
    /// Where the table is too wide, its cells are cut to no less than this; `None` is never.
    pub least: Option<usize>,
}

impl Column {
    /// A column of numbers, never cut.
    pub const fn number(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            least: None,
        }
    }

    /// A column of text, cut where there is no room.
    pub const fn text(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            least: Some(LEAST),
        }
    }

    /// A column of text for which the others make room.
    pub const fn main(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            least: Some(LEAST_OF_THE_MAIN),
        }
    }
}

/// A table that grows by pages: columns get wider with a page that needs it, never narrower.
pub struct Table {
    columns: &'static [Column],
    widths: Vec<usize>,
    room: Option<usize>,
    titled: bool,
}

impl Table {
    /// A table for a terminal with `room` columns; without that, nothing is cut.
    pub fn new(columns: &'static [Column], room: Option<usize>) -> Self {
        Self {
            widths: columns.iter().map(|column| column.title.width()).collect(),
            columns,
            room,
            titled: false,
        }
    }

    /// The text of the next rows, under the headings if they are the first.
    pub fn page(&mut self, rows: &[Vec<String>]) -> String {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let widths = self.fitted();
        let mut text = String::new();
        if !self.titled {
            self.titled = true;
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

    /// The widths with the widest column that may shrink cut down, again and again.
    fn fitted(&self) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let room = self.room.unwrap_or(usize::MAX);
        while widths.iter().sum::<usize>() + gaps > room {
            let widest = (0..widths.len())
                .filter(|at| {
                    self.columns[*at]
                        .least
                        .is_some_and(|least| widths[*at] > least)
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
            let cell = cut(cell, *width);
            let padding = " ".repeat(width - cell.width());
            if column.right {
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

/// The text, or its beginning with `…` in this many columns.
pub fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or_default();
        if width >= room {
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
    fn headings_come_once_and_columns_only_grow() {
        let mut table = Table::new(&COLUMNS, None);
        assert_eq!(plain(&table.page(&[row("7", "a")])), "NO  TOPIC\n 7  a\n");
        assert_eq!(plain(&table.page(&[row("1234", "b")])), "1234  b\n");
        assert_eq!(plain(&table.page(&[row("5", "c")])), "   5  c\n");
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let mut table = Table::new(&COLUMNS, Some(14));
        let text = plain(&table.page(&[row("7", "dev.orders.v1"), row("8", "größe größe")]));
        assert_eq!(text, "NO  TOPIC\n 7  dev.order…\n 8  größe grö…\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(cut("注文注文", 5), "注文…");
        assert_eq!(cut("注文", 4), "注文");
    }
}
