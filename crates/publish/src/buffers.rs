//! Pool of message buffers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clock::lock;

/// Pool of message buffers. Without it every message is allocated on the publishing thread and freed
/// on the reporting thread, which bypasses the thread caches of allocators.
#[derive(Default)]
pub(crate) struct Buffers {
    pool: Mutex<Vec<Vec<u8>>>,
    /// Size of the largest of the last messages, so that a new buffer need not grow.
    usual_size: AtomicUsize,
}

const MAX_BUFFERS: usize = 1_024;

/// Larger buffers are freed, so that the pool takes at most 4 MiB (1,024 times 4 KiB).
const MAX_BUFFER_BYTES: usize = 4_096;

impl Buffers {
    /// Returns a used buffer, or a new one.
    pub(crate) fn take(&self) -> Vec<u8> {
        let used = lock(&self.pool).pop();
        used.unwrap_or_else(|| Vec::with_capacity(self.usual_size.load(Ordering::Relaxed)))
    }

    /// Notes the size of a message.
    pub(crate) fn note_size(&self, size: usize) {
        let usual = self.usual_size.load(Ordering::Relaxed);
        if size > usual {
            let size = size.min(MAX_BUFFER_BYTES);
            self.usual_size.store(size, Ordering::Relaxed);
        } else if size < usual / 2 {
            // A large message counts for some hundred small ones.
            self.usual_size
                .store(usual - usual / 256, Ordering::Relaxed);
        }
    }

    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= MAX_BUFFER_BYTES {
            let mut pool = lock(&self.pool);
            if pool.len() < MAX_BUFFERS {
                pool.push(buffer);
            }
        }
    }
}
