//! A program with a time limit, whose output is bounded.

use std::collections::VecDeque;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::interrupt::Interrupt;

/// Maximum number of bytes of the program's output that are kept: the last ones.
const MAX_OUTPUT: usize = 16 * 1024;
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Time that the rest of the output may take after the end.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(2);

/// A program that has ended.
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// The end of what it wrote to standard output and standard error.
    pub output: String,
    /// Whether it was stopped at the time limit.
    pub was_stopped: bool,
}

/// Runs a program, and stops it with all processes that it started at the time limit, and after
/// Ctrl-C.
pub fn run(mut command: Command, timeout: Duration, interrupt: &Interrupt) -> Result<Ended, Error> {
    in_own_group(&mut command);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Error::Message(format!("can't run `{program}`: {error}")))?;
    let outputs = [
        child.stdout.take().map(|pipe| tail(Box::new(pipe))),
        child.stderr.take().map(|pipe| tail(Box::new(pipe))),
    ];
    let deadline = Instant::now() + timeout;
    let mut was_stopped = false;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        was_stopped = Instant::now() >= deadline;
        if was_stopped || interrupt.is_set() {
            stop(&mut child);
            break child.wait()?;
        }
        thread::sleep(POLL_INTERVAL);
    };
    // Processes that it left behind may hold the pipes open.
    stop(&mut child);
    if interrupt.is_set() {
        return Err(Error::Message(
            "interrupted; nothing was written".to_owned(),
        ));
    }
    let ends = outputs.into_iter().flatten();
    let ends = ends.map(|end| end.recv_timeout(OUTPUT_TIMEOUT).unwrap_or_default());
    Ok(Ended {
        status,
        output: ends.collect(),
        was_stopped,
    })
}

/// Reads all of a pipe in a thread, and sends the end of it.
fn tail(mut pipe: Box<dyn Read + Send>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut end: VecDeque<u8> = VecDeque::new();
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            end.extend(&buffer[..read]);
            end.drain(..end.len().saturating_sub(MAX_OUTPUT));
        }
        let end: Vec<u8> = end.into();
        // The receiver may have given up.
        let _ = sender.send(String::from_utf8_lossy(&end).into_owned());
    });
    receiver
}

#[cfg(unix)]
fn in_own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn in_own_group(_: &mut Command) {}

/// Ends a process and those of its group.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // The group may be gone already.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    // It may have ended already.
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn stops_a_program_with_its_children_and_keeps_the_end_of_the_output() {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "yes | head -c 100000; echo end; sleep 600 & sleep 600",
        ]);
        let started = Instant::now();
        let ended = run(
            command,
            Duration::from_millis(500),
            &Interrupt::watch().unwrap(),
        )
        .unwrap();
        assert!(ended.was_stopped && !ended.status.success());
        assert!(started.elapsed() < Duration::from_secs(60));
        assert!(ended.output.ends_with("end\n"), "{}", ended.output);
        assert!(ended.output.len() <= MAX_OUTPUT);
    }
}
