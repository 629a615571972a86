//! Events whose receipts nobody awaits.
//!
//! Almost all of them get a receipt, and then nothing is left to do: the publisher thread that
//! resolves a receipt checks it without the interpreter lock. Only an error is passed to Python.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use herald_envelope::Uuid;
use herald_publish::Pending;
use pyo3::prelude::*;

use super::logging;
use crate::errors;

/// Event in flight, polled by its own waker.
struct FireAndForget {
    /// `None` once it is resolved.
    state: Mutex<Option<State>>,
}

struct State {
    pending: Pending,
    on_error: OnError,
}

/// Error callback of an event.
pub enum OnError {
    /// Called with the error.
    OfEvent(Py<PyAny>),
    /// Shared by events of one kind; called with the text of the correlation id, and the error.
    OfRequest(Arc<Py<PyAny>>, Uuid),
}

impl OnError {
    fn call(self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        match self {
            Self::OfEvent(callback) => callback.bind(py).call1((error,)),
            Self::OfRequest(callback, correlation_id) => {
                let arguments = (correlation_id.to_string(), error);
                callback.bind(py).call1(arguments)
            }
        }
        .map(drop)
    }
}

/// Calls `on_error` on the logging thread if the event gets an error instead of a receipt.
pub fn track(pending: Pending, on_error: OnError) {
    let event = Arc::new(FireAndForget {
        state: Mutex::new(Some(State { pending, on_error })),
    });
    event.poll();
}

impl FireAndForget {
    fn poll(self: &Arc<Self>) {
        // Locked until the waker is registered, so that a wake-up in between is not missed.
        let mut slot = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = slot.as_mut() else {
            return;
        };
        let waker = Waker::from(self.clone());
        let mut context = Context::from_waker(&waker);
        let Poll::Ready(outcome) = Pin::new(&mut state.pending).poll(&mut context) else {
            return;
        };
        let resolved = slot.take();
        drop(slot);
        if let (Some(State { on_error, .. }), Err(error)) = (resolved, outcome) {
            logging::call_python(move |py| {
                let error = errors::publish(py, &error);
                on_error.call(py, error)
            });
        }
    }
}

impl Wake for FireAndForget {
    fn wake(self: Arc<Self>) {
        self.poll();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.poll();
    }
}
