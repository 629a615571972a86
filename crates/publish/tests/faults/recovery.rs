//! Log messages of the publisher about spools that it recovered.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Hears the log of the process. One case at a time.
pub struct LogCapture {
    lines: Lines,
    _turn: MutexGuard<'static, ()>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

pub fn capture_log() -> LogCapture {
    static TURN: Mutex<()> = Mutex::new(());
    static LINES: OnceLock<Lines> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = LINES.get_or_init(|| {
        let lines = Lines::default();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(lines.clone())
            .init();
        lines
    });
    lines
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clear();
    LogCapture {
        lines: lines.clone(),
        _turn: turn,
    }
}

impl LogCapture {
    /// Rows that the publisher reported as lost.
    pub fn lost(&self) -> u64 {
        let lines = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&lines);
        numbers(&text, "lost=Some(")
    }
}

impl Drop for LogCapture {
    /// A case that failed shows what the publisher said.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
            println!("{}", String::from_utf8_lossy(&lines));
        }
    }
}

/// The sum of the numbers behind a word.
fn numbers(text: &str, word: &str) -> u64 {
    let numbers = text.split(word).skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().expect("a number")
    });
    numbers.sum()
}
