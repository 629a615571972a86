//! Pool of large buffers: for the records of batches, or for requests.
//!
//! A batch is filled by callers and freed on the thread of the producer. Without the pool its buffer grows
//! from nothing each time, and what it grew out of stays with the allocator.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::accumulator::lock;

/// Most bytes that are kept for later, until nothing was sent for a time: see [`Buffers::clear`].
const MAX_KEPT_BYTES: usize = 4 << 20;

/// Size of a buffer that is used for anything.
const SMALL: usize = 64 * 1024;

#[derive(Default)]
pub(crate) struct Buffers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Oldest first.
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Buffers {
    /// Returns an empty buffer for about so many bytes: one that was used before, if there is one that is
    /// not far larger. A batch that waits for a leader would hold it for long.
    pub(crate) fn take(&self, expected: usize) -> Vec<u8> {
        let most = expected.saturating_mul(4).max(SMALL);
        let mut kept = lock(&self.0);
        // Few are larger than that: all of them are not more than `MAX_KEPT_BYTES`.
        let fitting = (kept.buffers.iter()).rposition(|buffer| buffer.capacity() <= most);
        let buffer = fitting.and_then(|index| kept.buffers.remove(index));
        let buffer = buffer.unwrap_or_default();
        kept.bytes -= buffer.capacity();
        buffer
    }

    /// Frees all that are kept.
    pub(crate) fn clear(&self) {
        *lock(&self.0) = Kept::default();
    }

    /// Keeps a buffer for later. If too much is kept then, the oldest are freed.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() > MAX_KEPT_BYTES {
            return;
        }
        buffer.clear();
        let mut kept = lock(&self.0);
        kept.bytes += buffer.capacity();
        kept.buffers.push_back(buffer);
        while kept.bytes > MAX_KEPT_BYTES
            && let Some(oldest) = kept.buffers.pop_front()
        {
            kept.bytes -= oldest.capacity();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    #[test]
    fn buffers_are_used_again_and_not_too_many_are_kept() {
        let buffers = Buffers::default();
        let mut used = Vec::with_capacity(MEGABYTE);
        used.push(1);
        buffers.give_back(used);
        let taken = buffers.take(MEGABYTE);
        assert!(taken.is_empty() && taken.capacity() >= MEGABYTE);
        assert_eq!(buffers.take(MEGABYTE).capacity(), 0, "it is empty now");
        for _ in 0..9 {
            buffers.give_back(Vec::with_capacity(MEGABYTE));
        }
        let kept = std::iter::repeat_with(|| buffers.take(MEGABYTE).capacity());
        assert_eq!(kept.take_while(|capacity| *capacity > 0).count(), 4);
        buffers.give_back(Vec::with_capacity(MEGABYTE));
        buffers.clear();
        assert_eq!(buffers.take(MEGABYTE).capacity(), 0);
    }

    #[test]
    fn a_small_batch_gets_no_large_buffer() {
        let buffers = Buffers::default();
        buffers.give_back(Vec::with_capacity(1_000));
        buffers.give_back(Vec::with_capacity(MEGABYTE));
        assert_eq!(buffers.take(100).capacity(), 1_000);
        assert_eq!(buffers.take(100).capacity(), 0);
        assert_eq!(buffers.take(MEGABYTE / 4).capacity(), MEGABYTE);
    }

    #[test]
    fn large_buffers_that_nobody_takes_make_room() {
        let buffers = Buffers::default();
        for _ in 0..4 {
            buffers.give_back(Vec::with_capacity(MEGABYTE));
        }
        buffers.give_back(Vec::with_capacity(1_000));
        assert_eq!(buffers.take(100).capacity(), 1_000);
        buffers.give_back(Vec::with_capacity(9 * MEGABYTE));
        let kept = buffers.take(9 * MEGABYTE).capacity();
        assert_eq!(kept, MEGABYTE, "the others were kept");
    }
}
