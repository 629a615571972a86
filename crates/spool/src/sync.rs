//! Locking helper, shared with the publisher.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, also if a thread panicked while it held it.
///
/// The data behind the mutexes of spool and publisher is consistent between any two statements, so
/// poisoning would only turn one panic into a panic of every later caller.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
