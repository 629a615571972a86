//! Topics and listeners, against clusters: one in memory always, a real one where
//! `KAFKA_BOOTSTRAP_SERVERS` says where it is.
#![cfg(feature = "kafka")]

mod admin;
mod dev;
mod listener;
mod support;
