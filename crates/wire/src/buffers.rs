//! Pool of large buffers: for the records of batches, or for requests.
//!
//! A batch is filled by callers and freed on the thread of the producer. Without the pool its buffer grows
//! from nothing each time, and what it grew out of stays with the allocator.

use std::sync::Mutex;

use crate::accumulator::lock;

/// Most bytes that are kept for later, until nothing was sent for a time: see [`Buffers::clear`].
const MAX_KEPT_BYTES: usize = 4 << 20;

#[derive(Default)]
pub(crate) struct Buffers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Buffers {
    /// Returns an empty buffer: one that was used before, if there is one.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut kept = lock(&self.0);
        let buffer = kept.buffers.pop().unwrap_or_default();
        kept.bytes -= buffer.capacity();
        buffer
    }

    /// Frees all that are kept.
    pub(crate) fn clear(&self) {
        *lock(&self.0) = Kept::default();
    }

    /// Keeps a buffer for later, or frees it if enough are kept.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut kept = lock(&self.0);
        if kept.bytes + buffer.capacity() <= MAX_KEPT_BYTES {
            buffer.clear();
            kept.bytes += buffer.capacity();
            kept.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_not_too_many_are_kept() {
        let buffers = Buffers::default();
        let mut used = Vec::with_capacity(1 << 20);
        used.push(1);
        buffers.give_back(used);
        let taken = buffers.take();
        assert!(taken.is_empty() && taken.capacity() >= 1 << 20);
        assert_eq!(buffers.take().capacity(), 0, "it is empty now");
        for _ in 0..9 {
            buffers.give_back(Vec::with_capacity(1 << 20));
        }
        let kept = std::iter::repeat_with(|| buffers.take().capacity());
        assert_eq!(kept.take_while(|capacity| *capacity > 0).count(), 4);
        buffers.give_back(Vec::with_capacity(1 << 20));
        buffers.clear();
        assert_eq!(buffers.take().capacity(), 0);
    }
}
