//! How things look on a terminal: colours, progress, the last line.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use herald_catalog::load::Loaded;
use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::{self, Format, Options, visible_line};
use indicatif::{ProgressBar, ProgressStyle};

/// Herald's version, in output and in generated files.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// For what is most important in a line.
pub const BOLD: Style = Style::new().bold();
/// For what can be overlooked.
pub const DIM: Style = Style::new().dimmed();
/// For what went well.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// For what went wrong.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// For what somebody should look at.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Says on standard error why a command could not run.
pub fn error(message: &str) {
    if !message.is_empty() {
        anstream::eprintln!("{RED}error{RED:#}: {}", visible_line(message));
    }
}

/// Says on standard error what a command has done.
pub fn status(message: &str) {
    anstream::eprintln!("{message}");
}

/// Diagnostics of one file that people are shown; programs get all.
const SHOWN_OF_A_FILE: usize = 50;

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
    // Colours are decided here, once; the stream must not decide again.
    let mut out = BufWriter::new(out);
    let sources = &loaded.catalog.sources;
    if format == Format::Human {
        let shown = first_of_each_file(&loaded.diagnostics);
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

fn first_of_each_file(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut shown = HashMap::new();
    let mut first = |diagnostic: &&Diagnostic| {
        let number = shown
            .entry(diagnostic.location.map(|at| at.source))
            .or_insert(0);
        *number += 1;
        *number <= SHOWN_OF_A_FILE
    };
    diagnostics.iter().filter(&mut first).cloned().collect()
}

/// Columns of the terminal, if there is one.
pub fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Counts files on standard error while a command works: only on a terminal, and only when it
/// takes a while.
pub struct Progress {
    what: &'static str,
    started: Instant,
    done: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// Work shorter than this shows nothing.
    const PATIENCE: Duration = Duration::from_millis(300);

    /// `what` is being done, such as `reading`.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            started: Instant::now(),
            done: AtomicU64::new(0),
            bar: OnceLock::new(),
        }
    }

    /// One more file is done.
    pub fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.started.elapsed() > Self::PATIENCE {
            self.bar.get_or_init(|| self.start()).set_position(done);
        }
    }

    fn start(&self) -> ProgressBar {
        // Draws nothing when standard error is no terminal.
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

/// A bar on standard error for work of known length; nothing where that is no terminal.
pub fn bar(what: &'static str, length: u64) -> ProgressBar {
    let template = "{spinner} {msg} {wide_bar} {human_pos} of {human_len}";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(length)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// `1 file`, `2 files`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}
