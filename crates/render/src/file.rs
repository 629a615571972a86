//! What targets return.

/// A file that was generated, not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Relative to the output folder, with `/` between its parts, in lowercase.
    pub path: String,
    /// UTF-8 with `\n` line ends and one `\n` at the end.
    pub contents: String,
}
