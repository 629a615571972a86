//! Buffers of messages that are over, for messages to come.

use std::sync::Mutex;

use crate::clock::lock;

/// A few buffers, so that not every message is allocated on the thread that publishes and freed
/// on the one that reports: allocators are slow at that.
#[derive(Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

const MAX_BUFFERS: usize = 1_024;

/// Larger ones are freed: the buffers kept take at most 4 MiB.
const LARGEST_BUFFER: usize = 4_096;

impl Buffers {
    /// One that was used, or a new one.
    pub(crate) fn take(&self) -> Vec<u8> {
        lock(&self.0).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST_BUFFER {
            let mut buffers = lock(&self.0);
            if buffers.len() < MAX_BUFFERS {
                buffers.push(buffer);
            }
        }
    }
}
