//! Reports of the transport about rows.

use std::sync::Arc;
use std::time::Duration;

use herald_spool::Sequence;

use super::inbox::{Reported, RowEvent};
use crate::core::Core;
use crate::failure::Failure;
use crate::transport::{DeliveryCallback, RecordMetadata};

/// Callback for a row, or its dead letter, that the transport has.
#[derive(Clone)]
pub(crate) struct RowDelivery {
    pub(crate) core: Arc<Core>,
    pub(crate) sequence: Sequence,
    pub(crate) key: u64,
    pub(crate) weight: usize,
    pub(crate) sent_at: Duration,
    pub(crate) is_letter: bool,
}

impl DeliveryCallback for RowDelivery {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        self.core.held.leave(self.weight);
        if outcome.is_ok() {
            self.core.acknowledged(self.core.clock.now());
        }
        let reported = Reported {
            sequence: self.sequence,
            key: self.key,
            weight: self.weight,
            sent_at: self.sent_at,
            outcome,
        };
        let relay = &self.core.relay;
        if self.is_letter {
            relay.post(RowEvent::DeadLetter(reported));
        } else if reported.is_to_be_sent_again() {
            self.core.row_failed(reported);
        } else {
            relay.post(RowEvent::Row(reported));
        }
    }
}
