//! The names that OnexEnvelopeV1 events carry over the wire.
//!
//! Toolchain and runtime share this crate and nothing else: what decides where an event goes
//! stands here once.

pub mod topic;
