//! Child process: a test that runs itself again, to be killed or limited.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const VARIABLE: &str = "HERALD_SPOOL_TEST_CHILD";

/// Path of the spool for which this process was started, if it is a child.
pub fn spool_path() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

/// Runs the test with this name as a child that has to succeed, and returns its output.
pub fn succeeds(test: &str, path: &Path) -> String {
    let output = command(test, path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    said
}

/// Runs the test with this name again, as a child. SIGXFSZ has its default action, which ends the
/// process: the spool must not let it come.
pub fn command(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, path)
        .stdout(Stdio::piped());
    command
}
