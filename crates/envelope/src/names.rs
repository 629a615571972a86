//! Names of a table, as an array.

/// Builds the array of the names of a table's rows, at compile time.
macro_rules! names {
    ($table:ident, $row:ident => $name:expr) => {{
        let mut names = [""; $table.len()];
        let mut at = 0;
        while at < names.len() {
            let $row = &$table[at];
            names[at] = $name;
            at += 1;
        }
        names
    }};
}

pub(crate) use names;
