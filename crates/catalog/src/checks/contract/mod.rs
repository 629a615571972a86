//! `contract.*`: keys and values of native contracts.

pub(crate) mod no_events;
pub(crate) mod shape;
