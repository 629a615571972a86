//! Messages in flight on a connection, and notifications for its listener.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::transport::{DeliveryCallback, RecordMetadata};

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Sent>,
    /// Message whose failure is being reported. Those of its key that wait fail too, after that.
    failing: Option<Box<Message>>,
    state: QueueState,
    unreported_stop: bool,
    unreported_break: bool,
    /// Whether the thread has ended.
    pub(super) ended: bool,
}

pub(super) struct Sent {
    pub(super) message: Message,
    pub(super) delivery: Arc<dyn DeliveryCallback>,
    /// End of its delivery timeout.
    pub(super) due: Option<Instant>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum QueueState {
    #[default]
    Open,
    Broken,
    Closed,
}

pub(super) type Reports = Vec<(Arc<dyn DeliveryCallback>, Result<RecordMetadata, Failure>)>;

impl Queue {
    /// Accepts a message, if the connection is open.
    pub(super) fn push(&mut self, sent: Sent) -> Result<(), Failure> {
        self.check()?;
        self.waiting.push_back(sent);
        Ok(())
    }

    /// Fails unless the connection is open.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.state {
            QueueState::Open => Ok(()),
            QueueState::Broken => Err(broken()),
            QueueState::Closed => Err(closed()),
        }
    }

    pub(super) fn state(&self) -> QueueState {
        self.state
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Waiting messages that are not behind a failed one of their key.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        let messages = self.waiting.iter().map(|sent| &sent.message);
        let failing = self.failing.as_deref();
        messages.filter(move |message| failing.is_none_or(|failed| !is_behind(message, failed)))
    }

    /// Notes that the failure of this message is about to be reported.
    pub(super) fn fails(&mut self, message: Box<Message>) {
        self.failing = Some(message);
    }

    /// Returns the end of the delivery timeout of the first message.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.front().and_then(|sent| sent.due)
    }

    pub(super) fn pop(&mut self) -> Option<Sent> {
        self.waiting.pop_front()
    }

    /// Removes the waiting messages behind the failed one, whose failure was reported.
    pub(super) fn take_later_of_key(&mut self) -> Vec<Sent> {
        let Some(failed) = self.failing.take() else {
            return Vec::new();
        };
        let (behind, others) = mem::take(&mut self.waiting)
            .into_iter()
            .partition(|sent: &Sent| is_behind(&sent.message, &failed));
        self.waiting = others;
        behind.into()
    }

    /// Removes all waiting messages, and returns their reports with this failure.
    pub(super) fn fail_all(&mut self, failure: &Failure) -> Reports {
        mem::take(&mut self.waiting)
            .into_iter()
            .map(|sent| (sent.delivery, Err(failure.clone())))
            .collect()
    }

    /// Notes that the cluster stopped, which the thread reports to the listener.
    pub(super) fn stopped(&mut self) {
        self.unreported_stop = true;
    }

    /// Marks the connection as broken for good.
    pub(super) fn break_connection(&mut self) {
        if self.state == QueueState::Open {
            self.state = QueueState::Broken;
            self.unreported_break = true;
        }
    }

    pub(super) fn close(&mut self) {
        self.state = QueueState::Closed;
    }

    /// Returns whether the listener must be notified that the cluster stopped.
    pub(super) fn take_unreported_stop(&mut self) -> bool {
        mem::take(&mut self.unreported_stop)
    }

    /// Returns whether the listener must be notified that the connection broke.
    pub(super) fn take_unreported_break(&mut self) -> bool {
        mem::take(&mut self.unreported_break)
    }
}

fn is_behind(message: &Message, failed: &Message) -> bool {
    failed.key().is_some() && message.topic() == failed.topic() && message.key() == failed.key()
}

pub(super) fn closed() -> Failure {
    Failure::new(
        FailureKind::Abandoned,
        FailureCode::Closed,
        "the connection to the cluster in memory is closed",
    )
}

pub(super) fn broken() -> Failure {
    Failure::new(
        FailureKind::Fatal,
        FailureCode::ConnectionBroken,
        "the connection to the cluster in memory broke",
    )
}
