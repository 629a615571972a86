//! Blocking on futures from Python threads.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::detach::detach;

/// Interval between checks for Python signals while blocking.
pub const SIGNAL_CHECK_INTERVAL: Duration = Duration::from_millis(100);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks on a future without the interpreter lock. Ctrl-C drops the future.
pub fn block_on<T: Send>(py: Python<'_>, future: impl Future<Output = T> + Send) -> PyResult<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        // Python runs signal handlers only on the main thread while it holds the interpreter lock, so
        // a blocked thread re-attaches at this interval for Ctrl-C.
        let output = detach(py, || {
            let start = Instant::now();
            loop {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return Some(output);
                }
                thread::park_timeout(SIGNAL_CHECK_INTERVAL.saturating_sub(start.elapsed()));
                if start.elapsed() >= SIGNAL_CHECK_INTERVAL {
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
