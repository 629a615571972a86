//! Future of an append from async code: waits for room without blocking a thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::SpoolError;
use crate::job::Job;
use crate::pending::Pending;
use crate::queue::Queue;
use crate::record::Sequence;

/// Future that resolves when the record is durable; see [`crate::Spool::append_async`].
///
/// Dropped before the first poll, or while it waits for room, it appends nothing. Dropped later,
/// the record is appended anyway.
#[must_use = "nothing is appended until this is awaited"]
pub struct Append {
    pub(crate) queue: Arc<Queue>,
    pub(crate) job: Option<Job>,
    pub(crate) pending: Pending<Sequence>,
}

impl Future for Append {
    type Output = Result<Sequence, SpoolError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(job) = self.job.take() {
            match self.queue.poll_submit(job, context.waker()) {
                Ok(None) => {}
                Ok(job @ Some(_)) => {
                    self.job = job;
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Pin::new(&mut self.pending).poll(context)
    }
}
