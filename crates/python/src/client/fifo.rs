//! First-in, first-out access to the in-flight limit for the events of one event loop.
//!
//! At the in-flight limit, events wait for capacity. The loop learns a little later that capacity
//! is there, and an event published in between would find it first and overtake the waiting ones.
//! So the events of a loop queue up, and only the first of them asks for capacity.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Number of tickets of all event loops.
static TICKETS: AtomicUsize = AtomicUsize::new(0);

/// Whether an event of any event loop waits for the in-flight limit.
pub fn has_tickets() -> bool {
    TICKETS.load(Ordering::Relaxed) > 0
}

/// Queue of senders in the order of their calls.
#[derive(Default)]
pub struct Fifo(Mutex<State>);

#[derive(Default)]
struct State {
    next_number: u64,
    /// Number and waker of each ticket; the first one may send.
    waiting: VecDeque<(u64, Option<Waker>)>,
}

/// Position in the queue, given up when dropped.
pub struct Ticket {
    fifo: Arc<Fifo>,
    number: u64,
}

impl Fifo {
    /// Takes a ticket behind all others.
    pub fn ticket(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        let number = state.next_number;
        state.next_number += 1;
        state.waiting.push_back((number, None));
        TICKETS.fetch_add(1, Ordering::Relaxed);
        Ticket {
            fifo: self.clone(),
            number,
        }
    }

    /// Whether there are no tickets.
    pub fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits until the ticket is the first in the queue.
    pub async fn wait(&self) {
        poll_fn(|context| {
            let mut state = self.fifo.lock();
            match state.waiting.front() {
                Some((first, _)) if *first != self.number => {}
                _ => return Poll::Ready(()),
            }
            if let Ok(index) = state.find(self.number) {
                state.waiting[index].1 = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

impl State {
    fn find(&self, number: u64) -> Result<usize, usize> {
        self.waiting
            .binary_search_by_key(&number, |(number, _)| *number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        TICKETS.fetch_sub(1, Ordering::Relaxed);
        let mut state = self.fifo.lock();
        let Ok(index) = state.find(self.number) else {
            return;
        };
        state.waiting.remove(index);
        let next = match state.waiting.front_mut() {
            Some((_, waker)) if index == 0 => waker.take(),
            _ => None,
        };
        // Woken outside of the lock: the waker may take it again.
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}
