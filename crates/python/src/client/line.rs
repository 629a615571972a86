//! Whose turn it is to send.
//!
//! Where there is no room in flight, events wait for it. Room that comes is seen by the loop a
//! little later, and an event that is published in between would find it first and overtake those
//! that wait. So the events of one loop stand in line, and only the first asks for room.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Those who want to send, in the order of their calls.
#[derive(Default)]
pub struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    next: u64,
    /// The first has its turn.
    places: VecDeque<(u64, Option<Waker>)>,
}

/// A place in the line, until it is dropped.
pub struct Turn {
    line: Arc<Line>,
    number: u64,
}

impl Line {
    /// A place behind all others.
    pub fn join(self: &Arc<Self>) -> Turn {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.places.push_back((number, None));
        Turn {
            line: self.clone(),
            number,
        }
    }

    /// Whether nobody stands in it.
    pub fn is_empty(&self) -> bool {
        self.lock().places.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Waits until it has come.
    pub async fn comes(&self) {
        poll_fn(|context| {
            let mut state = self.line.lock();
            match state.places.front() {
                Some((first, _)) if *first != self.number => {}
                _ => return Poll::Ready(()),
            }
            if let Ok(place) = state.find(self.number) {
                state.places[place].1 = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

impl State {
    fn find(&self, number: u64) -> Result<usize, usize> {
        self.places.binary_search_by_key(&number, |place| place.0)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        let Ok(place) = state.find(self.number) else {
            return;
        };
        state.places.remove(place);
        let next = match state.places.front_mut() {
            Some((_, waker)) if place == 0 => waker.take(),
            _ => None,
        };
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}
