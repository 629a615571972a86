//! A fork is noticed by the child, and by the child's child, and not by the parent.

use herald_process::Process;
use rustix::process::{Pid, WaitOptions, waitpid};

/// Runs `check` in a fork, and says whether it was true there.
fn in_fork(check: impl FnOnce() -> bool) -> bool {
    match fork::fork().unwrap() {
        fork::Fork::Child => std::process::exit(i32::from(!check())),
        fork::Fork::Parent(child) => {
            let pid = Pid::from_raw(child);
            let (_, status) = waitpid(pid, WaitOptions::empty()).unwrap().unwrap();
            status.exit_status() == Some(0)
        }
    }
}

#[test]
fn each_fork_is_another_process() {
    let parent = Process::current();
    assert!(parent.is_current());
    assert!(in_fork(|| {
        let child = Process::current();
        !parent.is_current()
            && child.is_current()
            && child.id() != parent.id()
            && in_fork(|| !child.is_current() && !parent.is_current())
            && child.is_current()
    }));
    assert!(parent.is_current());
}
