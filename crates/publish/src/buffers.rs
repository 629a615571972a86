//! Pool of message buffers.

use std::sync::Mutex;

use crate::clock::lock;

/// Pool of message buffers. Without it every message is allocated on the publishing thread and freed
/// on the reporting thread, which bypasses the thread caches of allocators.
#[derive(Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

const MAX_BUFFERS: usize = 1_024;

/// Larger buffers are freed, so that the pool takes at most 4 MiB (1,024 times 4 KiB).
const MAX_BUFFER_BYTES: usize = 4_096;

impl Buffers {
    /// Returns a used buffer, or a new one.
    pub(crate) fn take(&self) -> Vec<u8> {
        lock(&self.0).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= MAX_BUFFER_BYTES {
            let mut buffers = lock(&self.0);
            if buffers.len() < MAX_BUFFERS {
                buffers.push(buffer);
            }
        }
    }
}
