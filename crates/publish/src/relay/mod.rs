//! Relay: the thread that delivers the spool to the cluster and maintains the connection, and its inbox.

mod cluster_identity;
mod connection;
mod cursor;
mod inbox;
mod refusal_log;
mod removal;
mod row_delivery;
mod row_table;
mod rows;
mod sending;
mod shutdown;
mod spool_recovery;
mod thread;
mod window;

pub(crate) use connection::connect;
pub(crate) use inbox::{Relay, Reported, RowEvent, Ticket};
pub(crate) use spool_recovery::OrphanedSpool;
pub(crate) use thread::RelayThread;
