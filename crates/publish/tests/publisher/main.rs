//! The publisher over a cluster in memory: what a receipt means, whatever happens.

mod chaos;
mod delivery;
mod limits;
mod outage;
mod support;
