//! Shared helpers of the tests of several files.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod ledger;
pub mod nodes;
pub mod random;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A hang guard, not an expectation.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A topic name that no other test, and no earlier run on the same cluster, has.
pub fn fresh_topic(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test.{what}.{}-{number}", std::process::id())
}
