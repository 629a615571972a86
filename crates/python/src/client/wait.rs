//! Waiting on a thread of Python.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::away;

/// How long a wait goes on without a look at Python's signals.
pub const ATTENTION: Duration = Duration::from_millis(100);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future without Python's lock. Ctrl-C ends it, and drops the future.
pub fn wait_for<T: Send>(py: Python<'_>, future: impl Future<Output = T> + Send) -> PyResult<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        let output = away::detach(py, || {
            let began = Instant::now();
            loop {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return Some(output);
                }
                thread::park_timeout(ATTENTION.saturating_sub(began.elapsed()));
                if began.elapsed() >= ATTENTION {
                    return None;
                }
            }
        });
        if let Some(output) = output {
            return Ok(output);
        }
        py.check_signals()?;
    }
}
