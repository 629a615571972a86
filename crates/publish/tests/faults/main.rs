//! Fault injection under load. Each case ends with the same check: every event that has a receipt
//! is in Kafka or in the spool, and the events of each key are in the order of publishing.
//!
//! Cases that need a real Kafka run below `scripts/kafka run`, those that stop one of several
//! nodes below `scripts/kafka run --nodes 3`. Elsewhere they are skipped and print the reason.
#![cfg(all(unix, feature = "kafka"))]

mod broker_errors;
mod child;
mod closing;
mod cluster;
mod damage;
mod dead_letters;
mod disk;
mod event;
mod fixture;
mod isolation;
mod kills;
mod leader;
mod ledger;
mod load;
mod network;
mod order;
mod outage;
mod partition;
mod processes;
mod proxy;
#[path = "../support/random.rs"]
mod random;
mod recovery;
mod recreated;
mod restarts;
mod soak;
