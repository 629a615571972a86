//! Events whose receipts nobody waits for.
//!
//! Almost all of them arrive, and then nothing is left to do: the thread of the publisher that
//! brings a receipt looks at it, without Python's lock. Only an error goes to Python.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use herald_publish::Pending;
use pyo3::prelude::*;

use super::logging;
use crate::errors;

/// An event on its way.
struct Unattended {
    /// `None` once it has ended.
    pending: Mutex<Option<Watched>>,
}

struct Watched {
    pending: Pending,
    on_error: Py<PyAny>,
}

/// Lets an error of an event call `on_error(error)`, on the thread of the log.
pub fn watch(pending: Pending, on_error: Py<PyAny>) {
    let watched = Watched { pending, on_error };
    let event = Arc::new(Unattended {
        pending: Mutex::new(Some(watched)),
    });
    event.look();
}

impl Unattended {
    fn look(self: &Arc<Self>) {
        // Locked until the waker is in its place, so that none that comes meanwhile is missed.
        let mut slot = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watched) = slot.as_mut() else {
            return;
        };
        let waker = Waker::from(self.clone());
        let mut context = Context::from_waker(&waker);
        let Poll::Ready(outcome) = Pin::new(&mut watched.pending).poll(&mut context) else {
            return;
        };
        let ended = slot.take();
        drop(slot);
        if let (Some(Watched { on_error, .. }), Err(error)) = (ended, outcome) {
            logging::call_python(move |py| {
                let error = errors::publish(py, &error);
                on_error.bind(py).call1((error,)).map(drop)
            });
        }
    }
}

impl Wake for Unattended {
    fn wake(self: Arc<Self>) {
        self.look();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.look();
    }
}
