//! Reports of the transport about rows.

use std::sync::Arc;
use std::time::Duration;

use herald_spool::{Acknowledged, KeyHash, Sequence};

use super::inbox::{Reported, RowEvent};
use crate::core::Core;
use crate::failure::Failure;
use crate::transport::{DeliveryCallback, RecordMetadata};

/// Row that was given to the transport, itself or as a dead letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentRow {
    pub(crate) sequence: Sequence,
    /// Hash of its key, and its weight in the spool.
    pub(crate) key: u64,
    pub(crate) row_weight: u64,
    /// Weight of the message.
    pub(crate) weight: usize,
    pub(crate) sent_at: Duration,
}

impl SentRow {
    pub(super) fn acknowledged(&self) -> Acknowledged {
        Acknowledged::counted(self.sequence, KeyHash::new(self.key), self.row_weight)
    }
}

/// Callback for a row, or its dead letter, that the transport has.
pub(super) struct RowDelivery {
    pub(super) core: Arc<Core>,
    pub(super) row: SentRow,
    pub(super) is_letter: bool,
}

impl DeliveryCallback for RowDelivery {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        self.core.held.leave(self.row.weight);
        if outcome.is_ok() {
            self.core.acknowledged(self.core.clock.now());
        }
        let reported = Reported {
            row: self.row,
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
