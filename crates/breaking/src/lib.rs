//! Breaking changes between two versions of contracts.
//!
//! [`compare`] takes the old and the new catalog and returns a [`Change`] for each difference that
//! breaks a [`Direction`]:
//!
//! - **consumer**: an old consumer reads new events;
//! - **producer**: a new consumer reads old events, which are retained in topics or come from instances
//!   that are not upgraded yet;
//! - **source**: code that uses the old generated module is checked against the new one.
//!
//! A change of a payload carries a [`Witness`]: a value that one side publishes and the other
//! side rejects. Payloads are judged as they are on the wire: additional properties pass, and a
//! private field is the name of its type.
//!
//! Each rule is a file in `rules/` with its documentation, two versions of a contract that it
//! reports, and a third one that makes a similar change without breaking anything.

mod candidates;
mod change;
mod compare;
mod direction;
mod pairs;
#[cfg(test)]
mod property_tests;
mod proposal;
pub mod report;
mod rule;
pub mod rules;
mod wire;

pub use change::{Change, Witness};
pub use compare::{add_consumers, compare, compare_except};
pub use direction::{Direction, Directions, UnknownDirection};
pub use proposal::{NextEvent, Proposal, proposals};
pub use rule::BreakingRule;
pub use wire::is_readable;
