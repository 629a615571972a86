//! A test that runs itself again as a process of its own, to be killed or limited.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const VARIABLE: &str = "HERALD_SPOOL_TEST_CHILD";

/// The spool that this process was started for, where it is a child.
pub fn spool_path() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

/// Runs the test with this name again, as a child. The signal for too large a file is ignored,
/// as it is in services: a write then fails with an error.
pub fn command(test: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, path)
        .stdout(Stdio::piped());
    command
}
