//! A case that runs itself again as a process of its own, to be killed, limited or forked.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use herald_publish::Mode;

const VARIABLE: &str = "HERALD_FAULTS_CHILD";

/// Task of a child.
#[derive(Clone, Debug)]
pub struct Task {
    pub spool: PathBuf,
    pub topic: String,
    pub mode: Mode,
    pub first_number: u64,
}

impl Task {
    /// The task that this process was started for, where it is a child.
    pub fn of_this_process() -> Option<Self> {
        let text = std::env::var(VARIABLE).ok()?;
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().expect("four words");
        Some(Self {
            first_number: word().parse().expect("a number"),
            mode: match word() {
                "direct" => Mode::Direct,
                _ => Mode::WriteAhead,
            },
            topic: word().to_owned(),
            spool: word().into(),
        })
    }

    /// Runs the case with this name again, as a child. The signal for too large a file has its
    /// default action, which ends the process: no thread of a publisher may receive it.
    pub fn command(&self, case: &str) -> Command {
        let mode = match self.mode {
            Mode::Direct => "direct",
            Mode::WriteAhead => "write-ahead",
        };
        let Self {
            spool,
            topic,
            first_number,
            ..
        } = self;
        let task = format!("{first_number} {mode} {topic} {}", spool.display());
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args([
                "--exact",
                case,
                "--nocapture",
                "--include-ignored",
                "--test-threads=1",
            ])
            .env(VARIABLE, task)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }
}

/// Shows the balances that a child has shown.
pub fn show_balances(output: &[u8]) {
    for line in String::from_utf8_lossy(output).lines() {
        if line.starts_with("fault:") {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}
