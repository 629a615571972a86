//! Conformance of events with contracts.
//!
//! A [`Verifier`] judges one record after the other: is it an envelope, is its event declared, is
//! the payload valid, is it on the right topic with the right key, is its operation complete, is the
//! transition legal. Memory is bounded: of each kind of problem it keeps a number and a few samples,
//! of events and operations the most recent ones.

pub mod infer;
mod line;
mod problem;
mod recent;
mod verifier;

pub use problem::{Finding, Kind, Sample};
pub use verifier::{Coverage, Options, Record, Report, Verifier};
