//! Wake-ups of event loops by threads of the publisher, which don't take the interpreter lock.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;

use super::detach::detach;

/// Wake-up of one event loop.
pub enum Wakeup {
    /// The loop watches a socket.
    #[cfg(unix)]
    Socket(socket::SocketPair),
    /// The loop can't watch sockets: a thread of its own waits, and calls `call_soon_threadsafe`.
    Thread(SyncSender<()>),
}

impl Wakeup {
    /// Wakes a loop that has `add_reader`. Loops of Windows have none.
    #[cfg(unix)]
    pub fn of_watching_loop() -> PyResult<Self> {
        Ok(Self::Socket(socket::SocketPair::new()?))
    }

    /// Wakes a loop that has `add_reader`. Loops of Windows have none.
    #[cfg(not(unix))]
    pub fn of_watching_loop() -> PyResult<Self> {
        Err(PyNotImplementedError::new_err(
            "loops can't watch files here",
        ))
    }

    /// Wakes a loop through a thread that waits for the returned waker.
    pub fn of_waiting_thread() -> (Self, LoopWaker) {
        // One wake-up stands for all that happens before it is taken.
        let (sender, receiver) = sync_channel(1);
        (Self::Thread(sender), LoopWaker(Mutex::new(receiver)))
    }

    /// Wakes the loop.
    pub fn notify(&self) {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.notify(),
            Self::Thread(sender) => {
                // A full channel has a wake-up already, and a closed one no thread.
                let _ = sender.try_send(());
            }
        }
    }

    /// Removes what woke the loop.
    pub fn clear(&self) -> io::Result<()> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.clear(),
            // The thread has taken it.
            Self::Thread(_) => Ok(()),
        }
    }

    /// File descriptor that the loop watches.
    pub fn fileno(&self) -> PyResult<i32> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => Ok(socket.fileno()),
            Self::Thread(_) => Err(PyNotImplementedError::new_err("a thread wakes this loop")),
        }
    }
}

/// Receiver of wake-ups, for the thread that wakes one event loop.
#[pyclass(frozen, module = "herald._herald")]
pub struct LoopWaker(Mutex<Receiver<()>>);

#[pymethods]
impl LoopWaker {
    /// Waits until there are futures to resolve. Returns false when the queue is gone.
    fn wait(&self, py: Python<'_>) -> bool {
        detach(py, || {
            let receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv().is_ok()
        })
    }
}

#[cfg(unix)]
mod socket {
    use std::io::{self, ErrorKind, Read as _, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixStream;

    pub struct SocketPair {
        reader: UnixStream,
        writer: UnixStream,
    }

    impl SocketPair {
        pub fn new() -> io::Result<Self> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(Self { reader, writer })
        }

        pub fn notify(&self) {
            // A full socket wakes the loop already, and a closed one has no loop.
            let _ = (&self.writer).write(&[1]);
        }

        pub fn clear(&self) -> io::Result<()> {
            let mut bytes = [0; 64];
            while let Err(error) = (&self.reader).read(&mut bytes) {
                match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => break,
                    _ => return Err(error),
                }
            }
            Ok(())
        }

        pub fn fileno(&self) -> i32 {
            self.reader.as_raw_fd()
        }
    }
}
