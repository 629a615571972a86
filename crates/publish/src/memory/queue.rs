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
    condition: Condition,
    news_of_stop: bool,
    news_of_break: bool,
    /// The thread is gone.
    pub(super) ended: bool,
}

pub(super) struct Sent {
    pub(super) message: Message,
    pub(super) delivery: Arc<dyn DeliveryCallback>,
    /// When it is tried no longer.
    pub(super) due: Option<Instant>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Condition {
    #[default]
    Open,
    Broken,
    Closed,
}

pub(super) type Reports = Vec<(Arc<dyn DeliveryCallback>, Result<RecordMetadata, Failure>)>;

impl Queue {
    /// Takes a message, if the connection takes any.
    pub(super) fn push(&mut self, sent: Sent) -> Result<(), Failure> {
        self.check()?;
        self.waiting.push_back(sent);
        Ok(())
    }

    /// Whether the connection takes messages.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.condition {
            Condition::Open => Ok(()),
            Condition::Broken => Err(broken()),
            Condition::Closed => Err(closed()),
        }
    }

    pub(super) fn condition(&self) -> Condition {
        self.condition
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter().map(|sent| &sent.message)
    }

    /// When the first message is tried no longer.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.front().and_then(|sent| sent.due)
    }

    pub(super) fn pop(&mut self) -> Option<Sent> {
        self.waiting.pop_front()
    }

    /// Takes out what waits behind a failed message of the same topic and key.
    pub(super) fn take_behind(&mut self, failed: &Message) -> Vec<Sent> {
        if failed.key().is_none() {
            return Vec::new();
        }
        let (behind, others) = mem::take(&mut self.waiting)
            .into_iter()
            .partition(|sent: &Sent| {
                sent.message.topic() == failed.topic() && sent.message.key() == failed.key()
            });
        self.waiting = others;
        behind.into()
    }

    /// The reports of everything that waits, all the same.
    pub(super) fn give_up(&mut self, failure: &Failure) -> Reports {
        mem::take(&mut self.waiting)
            .into_iter()
            .map(|sent| (sent.delivery, Err(failure.clone())))
            .collect()
    }

    /// The cluster stopped.
    pub(super) fn stopped(&mut self) {
        self.news_of_stop = true;
    }

    /// Nothing more goes over this connection.
    pub(super) fn break_off(&mut self) {
        if self.condition == Condition::Open {
            self.condition = Condition::Broken;
            self.news_of_break = true;
        }
    }

    pub(super) fn close(&mut self) {
        self.condition = Condition::Closed;
    }

    /// Whether the watch has to hear that the cluster stopped.
    pub(super) fn take_news_of_stop(&mut self) -> bool {
        mem::take(&mut self.news_of_stop)
    }

    /// Whether the watch has to hear that the connection broke.
    pub(super) fn take_news_of_break(&mut self) -> bool {
        mem::take(&mut self.news_of_break)
    }
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
