//! Topics and listeners, against clusters: one in memory always, a real one where
//! Its address is in `KAFKA_BOOTSTRAP_SERVERS`.
#![cfg(feature = "kafka")]

mod admin;
mod dev;
mod listener;
mod support;
