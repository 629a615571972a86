//! Detection of forks: in the child, in its child, and not in the parent.

use herald_process::{ForkGuard, Forked};
use rustix::process::{Pid, WaitOptions, waitpid};

/// Runs `check` in a fork, and returns its result.
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
fn detects_forks_in_the_child_and_not_in_the_parent() {
    let parent = ForkGuard::new();
    assert_eq!(parent.check(), Ok(()));
    let owner = std::process::id();
    assert!(in_fork(|| {
        let child = ForkGuard::new();
        parent.check() == Err(Forked { owner })
            && !child.is_forked()
            && in_fork(|| child.is_forked() && parent.is_forked())
            && !child.is_forked()
    }));
    assert!(!parent.is_forked());
}
