//! Faults, each under load, and the same question at the end of each: is every event that has a
//! receipt on Kafka or in the spool, and is each key in the order of publishing?
//!
//! Cases that need a real Kafka run below `scripts/kafka run`, those that stop one of several
//! nodes below `scripts/kafka run --nodes 3`; elsewhere they say that they were skipped.
#![cfg(all(unix, feature = "kafka"))]

mod bench;
mod child;
mod closing;
mod cluster;
mod damage;
mod disk;
mod event;
mod kills;
mod leader;
mod ledger;
mod letters;
mod load;
mod network;
mod order;
mod outage;
mod partition;
mod processes;
mod proxy;
mod random;
mod recovery;
mod refusals;
mod restarts;
mod soak;
