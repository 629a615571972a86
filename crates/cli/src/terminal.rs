//! Output for people: colours, diagnostics, status lines and progress.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Error;
use crate::format::count;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use herald_catalog::load::Loaded;
use herald_diagnostics::render::{self, Format, Options, visible_line};
use herald_diagnostics::{Diagnostic, Sources};
use indicatif::{ProgressBar, ProgressStyle};

/// Herald's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Style of the most important part of a line.
pub const BOLD: Style = Style::new().bold();
/// Style of secondary information.
pub const DIM: Style = Style::new().dimmed();
/// Style of a success.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Style of a failure.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// Style of a warning.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Prints an error on standard error.
pub fn error(message: &str) {
    if !message.is_empty() {
        status(&format!("{RED}error{RED:#}: {}", visible_line(message)));
    }
}

/// Prints notes on standard error.
pub fn notes(notes: &[String]) {
    for note in notes {
        status(&format!("{YELLOW}note{YELLOW:#}: {}", visible_line(note)));
    }
}

/// Prints a status line on standard error. Text from elsewhere has to go through [`visible_line`] or
/// [`path`] first.
pub fn status(message: &str) {
    // Not `eprintln!`, which panics if standard error is closed or its device is full. The exit
    // status carries the result, and there is no other place to report the failure to.
    let _ = writeln!(anstream::stderr().lock(), "{message}");
}

/// A path for output, with control and invisible characters replaced.
pub fn path(path: &Path) -> String {
    visible_line(&path.to_string_lossy())
}

/// Reports a file that a command would write, because it is missing or has other content.
pub fn stale(file: &Path, exists: bool, command: &str) {
    let state = if exists { "is stale" } else { "does not exist" };
    let file = path(file);
    status(&format!("{file} {state}; run `{command}` to write it"));
}

/// Prints diagnostics on standard error, in the human format.
pub fn print_diagnostics(loaded: &Loaded) {
    // A failed write is ignored for the same reason as in `status`.
    let _ = write_diagnostics(Format::Human, loaded, io::stderr());
}

/// Removes all diagnostics below error level and prints the others on standard error.
pub fn print_errors(loaded: &mut Loaded) {
    loaded.diagnostics.retain(Diagnostic::is_error);
    print_diagnostics(loaded);
}

/// Prints the diagnostics of a file without which the command can't go on, and returns the error to
/// end it with.
pub fn report(diagnostics: Vec<Diagnostic>, sources: Sources) -> Error {
    let mut loaded = Loaded {
        diagnostics,
        ..Loaded::default()
    };
    loaded.catalog.sources = sources;
    print_diagnostics(&loaded);
    Error::Reported
}

/// Diagnostics of one file in the human format; machine formats have all.
const MAX_SHOWN_PER_FILE: usize = 50;

/// Writes diagnostics to `out`, with colours if it is a terminal that wants them.
pub fn write_diagnostics<W: Write + anstream::stream::RawStream>(
    format: Format,
    loaded: &Loaded,
    out: W,
) -> io::Result<()> {
    let color = AutoStream::choice(&out) != ColorChoice::Never;
    let options = Options {
        color,
        tool_version: VERSION,
        width: width(),
    };
    // The renderer has decided about colours; this writer must not strip or translate them again.
    let mut out = BufWriter::new(out);
    let sources = &loaded.catalog.sources;
    if format == Format::Human {
        let shown = limit_per_file(&loaded.diagnostics);
        render::write(format, &shown, sources, &options, &mut out)?;
        let hidden = loaded.diagnostics.len() - shown.len();
        if hidden > 0 {
            let diagnostics = count(hidden, "more diagnostic");
            writeln!(
                out,
                "{diagnostics} in the same files; `herald check --format json` gives all\n"
            )?;
        }
    } else {
        render::write(format, &loaded.diagnostics, sources, &options, &mut out)?;
    }
    out.flush()
}

fn limit_per_file(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut shown = HashMap::new();
    let mut first = |diagnostic: &&Diagnostic| {
        let number = shown
            .entry(diagnostic.location.map(|at| at.source))
            .or_insert(0);
        *number += 1;
        *number <= MAX_SHOWN_PER_FILE
    };
    diagnostics.iter().filter(&mut first).cloned().collect()
}

/// Width of the terminal in columns, if there is one.
pub fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// A counter of files on standard error while a command works: only on a terminal, and only if the
/// work takes longer than [`Progress::DELAY`].
pub struct Progress {
    what: &'static str,
    started: Instant,
    done: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// Time before the counter appears.
    const DELAY: Duration = Duration::from_millis(300);

    /// A counter with a label, such as `reading`.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            started: Instant::now(),
            done: AtomicU64::new(0),
            bar: OnceLock::new(),
        }
    }

    /// Counts a file.
    pub fn tick(&self) {
        // Relaxed: files are read by several threads, and the number is only shown.
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.started.elapsed() > Self::DELAY {
            self.bar.get_or_init(|| self.start()).set_position(done);
        }
    }

    fn start(&self) -> ProgressBar {
        // Draws nothing if standard error is not a terminal.
        let style = ProgressStyle::with_template("{spinner} {msg} {human_pos} files");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        ProgressBar::new_spinner()
            .with_style(style)
            .with_message(self.what)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

/// A progress bar on standard error for work of known length; hidden if that is not a terminal.
pub fn bar(what: &'static str, length: u64) -> ProgressBar {
    let template = "{spinner} {msg} {wide_bar} {human_pos} of {human_len}";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(length)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
